// SPDX-License-Identifier: Apache-2.0
/* guard/domain_name.h - domains as tables have them: lower-case A-labels without final dot. */
#pragma once

#include "base/arena.h"

/* False: no name that can be. The text lies in the arena, or is `domain` itself when that is as
 * tables have it. */
MUST_USE bool domain_name(struct str domain, struct arena *a, struct str *ret);
/* Whether `domain` is `above` or a name below it; both as tables have them. */
bool domain_name_is_below(struct str domain, struct str above);
