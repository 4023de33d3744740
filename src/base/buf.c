// SPDX-License-Identifier: Apache-2.0
/* base/buf.c - growing by doubling, up to the limit and never past it. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CAP_MIN = 64 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_done(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->over = false;
}

/* Makes cap at least `need`, which is within the limit or one more, for a NUL. */
static void reserve(struct buf *b, size_t need)
{
    size_t cap = b->cap > CAP_MIN ? b->cap : CAP_MIN;

    if (need <= b->cap)
        return;
    while (cap < need)
        if (!size_mul(cap, 2, &cap))
            cap = need;
    b->ptr = mem_grow(b->ptr, cap, 1);
    b->cap = cap;
}

char *buf_room(struct buf *b, size_t size)
{
    size_t need;

    if (b->over || !size_add(b->len, size, &need) || need > b->max) {
        b->over = true;
        return NULL;
    }
    reserve(b, need > 0 ? need : 1);
    return b->ptr + b->len;
}

/* True when `s` lies inside the buffer itself, so that growing moves it. */
static bool is_own(const struct buf *b, struct str s)
{
    uintptr_t from = (uintptr_t)b->ptr, at = (uintptr_t)s.ptr;

    return b->ptr && at >= from && at < from + b->cap;
}

bool buf_add(struct buf *b, struct str s)
{
    size_t own_at = is_own(b, s) ? (size_t)(s.ptr - b->ptr) : 0;
    bool own = is_own(b, s);
    char *to = buf_room(b, s.len);

    if (!to)
        return false;
    if (s.len > 0)
        memmove(to, own ? b->ptr + own_at : s.ptr, s.len);
    b->len += s.len;
    return true;
}

bool buf_add_char(struct buf *b, char c)
{
    char *to = buf_room(b, 1);

    if (!to)
        return false;
    *to = c;
    b->len++;
    return true;
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    size_t size;
    char *to;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(len >= 0); /* only our own formats come here */

    size = (size_t)len;
    to = buf_room(b, size);
    if (to) {
        reserve(b, b->len + size + 1); /* vsnprintf ends with a NUL of its own */
        (void)vsnprintf(b->ptr + b->len, size + 1, fmt, again);
        b->len += size;
    }
    va_end(again);
    return to != NULL;
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->len);
    b->len -= n;
    if (b->len > 0 && n > 0)
        memmove(b->ptr, b->ptr + n, b->len);
}

const char *buf_cstr(struct buf *b)
{
    if (b->len == 0)
        return "";
    reserve(b, b->len + 1);
    b->ptr[b->len] = '\0';
    return b->ptr;
}
