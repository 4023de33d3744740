// SPDX-License-Identifier: Apache-2.0
/* base/buf.h - bytes that are owned and grow, born with their limit.
 *
 * What would pass the limit is not added, in no part, and sets `over` for good: a writer may add
 * many pieces and look once at the end with buf_ok(). There is no truncation. */
#pragma once

#include "base/str.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;
    bool over;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
/* Empty again and not over; keeps its memory. */
void buf_clear(struct buf *b);

/* All false, and b->over set, when the limit would be passed. */
bool buf_add(struct buf *b, struct str s);
bool buf_add_char(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) bool buf_addf(struct buf *b, const char *fmt, ...);
/* Room for `size` more bytes at ptr + len, len staying as it is; NULL and over past the limit. */
char *buf_room(struct buf *b, size_t size);
/* Removes n bytes at the front. */
void buf_drop(struct buf *b, size_t n);

static inline bool buf_ok(const struct buf *b)
{
    return !b->over;
}
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){ b->ptr, b->len };
}
/* The bytes and a NUL behind them, valid until the next change; "" when empty. For system calls. */
const char *buf_cstr(struct buf *b);
