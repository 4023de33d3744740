// SPDX-License-Identifier: Apache-2.0
/* super/table.h - all roles, how many of each, and in which order they end. */
#pragma once

#include "wire/role.h"

extern const struct role_ops *const role_table[ROLE_KINDS]; /* NULL for super */
const struct role_ops *role_by_name(const char *name);
unsigned role_instances(const struct config *c, enum role_kind kind);
/* What `baton status` tells of a running role: its own facts, and what every role has, as JSON
 * members. */
void role_facts(enum role_kind kind, void *role, struct buf *to);
/* Whoever takes mail in ends first, whoever is needed by the others last. */
#define ROLE_PHASES 4
unsigned role_phase(enum role_kind kind);
/* Where a channel of this role to that peer stands among the ends of a turn (design.md §3, "Turn").
 */
int role_link_order(enum role_kind kind, enum role_kind peer);
