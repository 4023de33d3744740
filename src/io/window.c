// SPDX-License-Identifier: Apache-2.0
/* io/window.c - a stretch of bytes in memory from two pools: small buffers for commands and
 * replies, large ones for content. */
#include "io/window.h"

#include <assert.h>
#include <stdlib.h>

#include "base/list.h"
#include "io/fiber_sanitize.h"

#define SMALL_BYTES 4096
#define LARGE_BYTES WINDOW_BYTES_MAX
/* Fewer bytes than these in one read, and the flow counts as a trickle again. */
#define BULK_MIN (SMALL_BYTES / 2)

/* Sanitizers see a use after give-back only if it is a free(). */
#define POOLED (!FIBER_SANITIZED)

struct pool {
    struct spare {
        struct spare *next;
    } * spares;
    size_t count, count_max, size;
};

static struct pool small_pool = { .count_max = 512, .size = SMALL_BYTES };
static struct pool large_pool = { .count_max = 64, .size = LARGE_BYTES };

static struct pool *pool_of(size_t cap)
{
    return cap == SMALL_BYTES ? &small_pool : &large_pool;
}

static char *buffer_take(struct pool *p)
{
    struct spare *s = p->spares;

    if (s == NULL) {
        /* Not mem_new(): nobody needs 64 KiB of zeros in front of a recv(). */
        char *fresh = malloc(p->size);

        if (fresh == NULL)
            abort();
        return fresh;
    }
    p->spares = s->next;
    p->count--;
    return (char *)s;
}

static void buffer_give(struct pool *p, char *buffer)
{
    struct spare *s = (struct spare *)(void *)buffer;

    if (!POOLED || p->count >= p->count_max) {
        free(buffer);
        return;
    }
    s->next = p->spares;
    p->spares = s;
    p->count++;
}

static void window_release(struct window *w)
{
    if (w->ptr != NULL)
        buffer_give(pool_of(w->cap), w->ptr);
    w->ptr = NULL;
    w->start = w->cap = 0;
}

static void window_grow(struct window *w)
{
    char *large = buffer_take(&large_pool);

    memcpy(large, w->ptr + w->start, w->len);
    buffer_give(pool_of(w->cap), w->ptr);
    w->ptr = large;
    w->start = 0;
    w->cap = LARGE_BYTES;
}

char *window_reserve(struct window *w, size_t *ret_room)
{
    if (w->len == WINDOW_BYTES_MAX)
        return NULL;
    if (w->ptr == NULL) {
        struct pool *p = w->bulk ? &large_pool : &small_pool;

        w->ptr = buffer_take(p);
        w->cap = p->size;
    } else if (w->cap < LARGE_BYTES && (w->bulk || w->len == w->cap)) {
        window_grow(w);
    } else if (w->start > 0 && w->cap - w->start - w->len < w->cap / 4) {
        memmove(w->ptr, w->ptr + w->start, w->len);
        w->start = 0;
    }
    *ret_room = w->cap - w->start - w->len;
    return w->ptr + w->start + w->len;
}

void window_added(struct window *w, size_t n)
{
    if (n == 0) {
        if (w->len == 0)
            window_release(w);
        return;
    }
    assert(n <= w->cap - w->start - w->len);
    w->bulk = n == w->cap - w->start - w->len || (w->bulk && n >= BULK_MIN);
    w->len += n;
}

size_t window_add(struct window *w, struct str bytes)
{
    size_t done = 0, room;
    char *to;

    while (done < bytes.len && (to = window_reserve(w, &room)) != NULL) {
        size_t n = bytes.len - done < room ? bytes.len - done : room;

        memcpy(to, bytes.ptr + done, n);
        window_added(w, n);
        done += n;
    }
    return done;
}

void window_take(struct window *w, size_t n)
{
    assert(n <= w->len);
    w->start += n;
    w->len -= n;
    if (w->len == 0)
        window_release(w);
}

void window_done(struct window *w)
{
    w->len = 0;
    window_release(w);
}
