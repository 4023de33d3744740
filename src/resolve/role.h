// SPDX-License-Identifier: Apache-2.0
/* resolve/role.h - the role that asks DNS for everybody. */
#pragma once

#include "wire/role.h"

extern const struct role_ops resolve_role;
