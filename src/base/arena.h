// SPDX-License-Identifier: Apache-2.0
/* base/arena.h - memory of one life (session, transaction, configuration), given back whole.
 *
 * No single value is freed and nothing is rewound. A pointer never outlives its arena: to keep a
 * value, copy it. */
#pragma once

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t block_size;
    size_t total; /* bytes handed out */
};

void arena_init(struct arena *a, size_t block_size);
/* Aligned to 16, zeroed. Never NULL (mem.h). */
void *arena_alloc(struct arena *a, size_t size);
/* The same for `count` of `size` bytes; ends the role when that many can't be. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy of the bytes; one NUL stands behind them, outside len. */
struct str arena_str(struct arena *a, struct str s);
__attribute__((format(printf, 2, 3))) struct str arena_strf(struct arena *a, const char *fmt, ...);
/* Gives back all but one block; poisons what it keeps under ASan. */
void arena_reset(struct arena *a);
void arena_done(struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))
