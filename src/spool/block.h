// SPDX-License-Identifier: Apache-2.0
/* spool/block.h - memory for content and record fronts, in sizes that are kept and used again.
 * Private to spool.
 *
 * A piece is the content of one record: shared by the transaction, the group that writes it, and
 * the message. */
#pragma once

#include "base/list.h"
#include "spool/format.h"

enum { BLOCK_CLASSES = 8, BLOCK_MIN = 512 }; /* 512 … 64 KiB */

struct block {
    struct block *next; /* while unused */
    size_t cap;
    _Alignas(16) char bytes[];
};

struct block_pool {
    struct block *unused[BLOCK_CLASSES];
    size_t unused_bytes, unused_max;
    size_t used_bytes; /* handed out, for the memory bound */
};

struct block *block_take(struct block_pool *p, size_t size);
void block_give(struct block_pool *p, struct block *b);
void block_pool_done(struct block_pool *p);

struct piece {
    struct block *block; /* NULL: written, and its bytes have left memory */
    uint32_t len;
    unsigned refs;
    uint64_t position; /* of its record, once durable */
    bool durable, failed;
    struct spool_tx *tx; /* a chunk's, until that is gone */
};

/* Room for `size` bytes; one reference. */
struct piece *piece_new(struct block_pool *p, size_t size);
static inline struct piece *piece_share(struct piece *piece)
{
    piece->refs++;
    return piece;
}
/* The bytes of one that was written, or could not be, leave memory for all who share it; its place
 * stays known. */
void piece_forget(struct block_pool *p, struct piece *piece);
/* NULL is fine. */
void piece_drop(struct block_pool *p, struct piece *piece);
/* Appends what fits in CONTENT_MAX; returns how much that was. */
size_t piece_add(struct block_pool *p, struct piece *piece, struct str bytes);
