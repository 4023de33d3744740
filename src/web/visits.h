// SPDX-License-Identifier: Apache-2.0
/* web/visits.h - the doors of web that anybody may knock at (web.listeners): a fiber a visitor, one
 * request each, answered by page.c. The API is not behind them. */
#pragma once

#include "wire/role.h"

struct visits;

/* NULL in *ret: there is no listener. They stay their owner's, and outlive it. */
MUST_USE bool visits_new(const struct role_start *s, struct visits **ret, struct err *err);
/* Ends every visit. */
void visits_free(struct visits *p);
/* No more visitors; those who are there may still get their answer. */
void visits_drain(struct visits *p);
/* A certificate that cannot be used leaves the old one in force. */
void visits_reload(struct visits *p, const struct role_start *s);
size_t visits_count(const struct visits *p);
