// SPDX-License-Identifier: Apache-2.0
/* io/window.h - a stretch of bytes that is filled behind and taken in front, in memory from pools:
 * an empty one holds none, so that an idle stream costs no buffer. For streams, real or simulated.
 */
#pragma once

#include "base/str.h"

#define WINDOW_BYTES_MAX (64 * 1024)

struct window {
    char *ptr; /* NULL while it is empty and nothing was reserved */
    size_t start, len, cap;
    bool bulk; /* the last bytes came in plenty: begin with a large buffer next time */
};

/* Room behind the bytes, at least one byte: *ret_room is how much. NULL: full. */
char *window_reserve(struct window *w, size_t *ret_room);
/* `n` bytes were written there. With 0, gives the memory back when there is nothing else in it. */
void window_added(struct window *w, size_t n);
/* Adds what fits; returns how much that was. */
size_t window_add(struct window *w, struct str bytes);
/* Removes n bytes at the front. */
void window_take(struct window *w, size_t n);
void window_done(struct window *w);

static inline struct str window_str(const struct window *w)
{
    return (struct str){ w->len > 0 ? w->ptr + w->start : "", w->len };
}
