// SPDX-License-Identifier: Apache-2.0
/* web/role.h - the role web, for those who start roles. */
#pragma once

#include "wire/role.h"

extern const struct role_ops web_role;
