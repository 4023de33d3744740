// SPDX-License-Identifier: Apache-2.0
/* accept/workspace.h - the memory that a session needs while it is doing something: lent to it,
 * taken back when it idles, and kept warm for the next one. So ten thousand idle sessions hold
 * none, and a busy one asks the heap for nothing. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "mail/dkim.h"

#define CHUNK_BYTES (64 * 1024) /* of content gathered before it goes to core */

struct workspace {
    struct list link;
    struct buf line;       /* the command at hand */
    struct buf gather;     /* content not yet sent to core */
    struct arena scratch;  /* until the next command */
    struct arena tx;       /* the transaction's */
    struct dkim_body body; /* its hash, for accounts that sign */
};

struct workspaces {
    struct list spare;
    unsigned spare_count;
};

void workspaces_init(struct workspaces *w);
void workspaces_done(struct workspaces *w);
/* `gather_max`: octets of a header section that content may need to gather, besides two chunks. */
struct workspace *workspace_take(struct workspaces *from, size_t gather_max);
void workspace_give(struct workspaces *to, struct workspace *w);
/* The `gather_max` it was taken with. */
static inline size_t workspace_header_max(const struct workspace *w)
{
    return w->gather.max - 2 * CHUNK_BYTES;
}
/* Empties what the transaction used. */
void workspace_reset_tx(struct workspace *w);
