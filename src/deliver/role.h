// SPDX-License-Identifier: Apache-2.0
/* deliver/role.h - the SMTP and LMTP client: takes jobs from core, holds the dialogues, hands the
 * outcomes back. */
#pragma once

#include "wire/role.h"

extern const struct role_ops deliver_role;
