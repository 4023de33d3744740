// SPDX-License-Identifier: Apache-2.0
/* accept/session_table.h - sessions by their id: slot << 32 | generation, so that an answer to one
 * that is gone finds nobody. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

struct session_slot {
    struct session *session; /* NULL: free */
    uint32_t generation;     /* rises with each use; never 0 in an id */
    uint32_t next_free;      /* slot + 1; 0: none */
};
struct session_table {
    struct session_slot *slots;
    uint32_t cap, free_first; /* slot + 1; 0: none */
    uint32_t count;
};

void session_table_init(struct session_table *t);
void session_table_done(struct session_table *t);
/* Returns its id, never 0. */
uint64_t session_table_add(struct session_table *t, struct session *s);
void session_table_remove(struct session_table *t, uint64_t id);
/* NULL: gone, or never was. */
struct session *session_table_find(const struct session_table *t, uint64_t id);
/* Walks: start with *at = 0; NULL at the end. The one at hand may be removed. */
struct session *session_table_each(const struct session_table *t, uint32_t *at);
