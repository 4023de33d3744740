// SPDX-License-Identifier: Apache-2.0
/* core/role.h - the role that owns spool and schedule. */
#pragma once

#include "wire/role.h"

extern const struct role_ops core_role;
