// SPDX-License-Identifier: Apache-2.0
/* spool/block.c - size classes of powers of two; what is larger goes to the heap and back. */
#include "spool/block.h"

#include <assert.h>
#include <stdlib.h>

static size_t class_of(size_t size)
{
    size_t class = 0;

    while (class < BLOCK_CLASSES && (size_t)BLOCK_MIN << class < size)
        class ++;
    return class;
}

struct block *block_take(struct block_pool *p, size_t size)
{
    size_t class = class_of(size), cap = class < BLOCK_CLASSES ? (size_t)BLOCK_MIN << class : size;
    struct block *b = class < BLOCK_CLASSES ? p->unused[class] : NULL;

    if (b) {
        p->unused[class] = b->next;
        p->unused_bytes -= b->cap;
    } else {
        b = mem_grow(NULL, 1,
                     sizeof(*b) + cap); /* not zeroed: every byte is written before it is used */
        b->cap = cap;
    }
    p->used_bytes += cap;
    return b;
}

void block_give(struct block_pool *p, struct block *b)
{
    size_t class;

    if (!b)
        return;
    class = class_of(b->cap);
    p->used_bytes -= b->cap;
    if (class == BLOCK_CLASSES || p->unused_bytes + b->cap > p->unused_max) {
        free(b);
        return;
    }
    b->next = p->unused[class];
    p->unused[class] = b;
    p->unused_bytes += b->cap;
}

void block_pool_done(struct block_pool *p)
{
    for (size_t i = 0; i < BLOCK_CLASSES; i++)
        for (struct block *b = p->unused[i], *next; b; b = next) {
            next = b->next;
            free(b);
        }
    *p = (struct block_pool){ 0 };
}

struct piece *piece_new(struct block_pool *p, size_t size)
{
    struct piece *piece = NEW(struct piece);

    piece->block = block_take(p, size);
    piece->refs = 1;
    return piece;
}

void piece_forget(struct block_pool *p, struct piece *piece)
{
    assert(piece->durable || piece->failed);
    block_give(p, piece->block);
    piece->block = NULL;
}

void piece_drop(struct block_pool *p, struct piece *piece)
{
    if (!piece || --piece->refs > 0)
        return;
    block_give(p, piece->block);
    free(piece);
}

size_t piece_add(struct block_pool *p, struct piece *piece, struct str bytes)
{
    size_t room = CONTENT_MAX - piece->len, len = bytes.len < room ? bytes.len : room;

    if (piece->len + len > piece->block->cap) {
        struct block *larger = block_take(p, piece->len + len);

        memcpy(larger->bytes, piece->block->bytes, piece->len);
        block_give(p, piece->block);
        piece->block = larger;
    }
    if (len > 0)
        memcpy(piece->block->bytes + piece->len, bytes.ptr, len);
    piece->len += (uint32_t)len;
    return len;
}
