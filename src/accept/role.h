// SPDX-License-Identifier: Apache-2.0
/* accept/role.h - the role that takes mail in by SMTP. */
#pragma once

#include "wire/role.h"

extern const struct role_ops accept_role;
