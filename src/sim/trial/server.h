// SPDX-License-Identifier: Apache-2.0
/* sim/trial/server.h - the mail servers that the relay delivers to, and the mailboxes of senders.
 */
#pragma once

#include "sim/trial/plan.h"

/* All of them, on port 25; they go with the process. */
void servers_start(struct ledger *l);
