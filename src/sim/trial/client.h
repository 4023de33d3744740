// SPDX-License-Identifier: Apache-2.0
/* sim/trial/client.h - hosts of a trusted network that hand their mail over by SMTP. */
#pragma once

#include "sim/trial/ledger.h"

/* Some at a time; each ends when everything is sent. */
void clients_start(struct ledger *l);
