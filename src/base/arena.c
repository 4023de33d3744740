// SPDX-License-Identifier: Apache-2.0
/* base/arena.c - blocks of memory, cut from the front and given back together. */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#endif

enum { ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* of bytes */
    size_t used;
    alignas(ALIGNMENT) char bytes[];
};

void arena_init(struct arena *a, size_t block_size)
{
    *a = (struct arena){ .block_size = block_size };
}

static struct arena_block *block_new(size_t size)
{
    size_t whole;
    struct arena_block *block;

    if (!size_add(sizeof(*block), size, &whole))
        abort(); /* no such memory: mem.h */
    block = mem_grow(NULL, whole, 1);
    *block = (struct arena_block){ .size = size };
    ASAN_POISON_MEMORY_REGION(block->bytes, size);
    return block;
}

static void block_free(struct arena_block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
    free(block);
}

/* The block to cut `size` bytes from. What doesn't fit into a fresh block gets one of its own,
 * behind the newest, so that the rest of the newest is not lost. */
static struct arena_block *block_for(struct arena *a, size_t size)
{
    struct arena_block *newest = a->blocks, *block;

    if (newest && newest->size - newest->used >= size)
        return newest;
    block = block_new(size > a->block_size ? size : a->block_size);
    if (newest && size > a->block_size) {
        block->older = newest->older;
        newest->older = block;
    } else {
        block->older = newest;
        a->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *block;
    size_t rounded;
    char *ptr;

    if (!size_add(size > 0 ? size : 1, ALIGNMENT - 1, &rounded))
        abort(); /* no such memory: mem.h */
    rounded &= ~(size_t)(ALIGNMENT - 1);
    block = block_for(a, rounded);
    ptr = block->bytes + block->used;
    /* Only what was asked for: a step into the padding is found too. */
    ASAN_UNPOISON_MEMORY_REGION(ptr, size);
    block->used += rounded;
    a->total += rounded;
    if (size > 0)
        memset(ptr, 0, size);
    return ptr;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t whole;

    if (!size_mul(count, size, &whole))
        abort(); /* no such memory: mem.h */
    return arena_alloc(a, whole);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *ptr = arena_alloc(a, s.len + 1);

    if (s.len > 0)
        memcpy(ptr, s.ptr, s.len);
    return (struct str){ ptr, s.len };
}

struct str arena_strf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    char *ptr;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(len >= 0); /* only our own formats come here */

    ptr = arena_alloc(a, (size_t)len + 1);
    (void)vsnprintf(ptr, (size_t)len + 1, fmt, again);
    va_end(again);
    return (struct str){ ptr, (size_t)len };
}

/* Takes a block worth keeping, one of the usual size, out of the list, or NULL. */
static struct arena_block *take_usual(struct arena *a)
{
    for (struct arena_block **at = &a->blocks; *at; at = &(*at)->older) {
        struct arena_block *block = *at;

        if (block->size == a->block_size) {
            *at = block->older;
            return block;
        }
    }
    return NULL;
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = take_usual(a);

    arena_done(a);
    if (!kept)
        return;
    kept->older = NULL;
    kept->used = 0;
    ASAN_POISON_MEMORY_REGION(kept->bytes, kept->size);
    a->blocks = kept;
}

void arena_done(struct arena *a)
{
    for (struct arena_block *block = a->blocks, *older; block; block = older) {
        older = block->older;
        block_free(block);
    }
    a->blocks = NULL;
    a->total = 0;
}
