// SPDX-License-Identifier: Apache-2.0
/* accept/workspace.c - memory lent to busy sessions. */
#include "accept/workspace.h"

#include <stdlib.h>

enum {
    LINE_BYTES_MAX = 64 * 1024, /* more than limits.command_line may be set to */
    SPARE_MAX = 32,
    ARENA_BLOCK = 2048,
    KEEP_BYTES_MAX = 3 * CHUNK_BYTES, /* a gather that grew larger is not kept */
};

void workspaces_init(struct workspaces *w)
{
    struct dkim_body first = { 0 };

    list_init(&w->spare);
    w->spare_count = 0;
    /* At its first use libcrypto reads its configuration: that must be before we are confined. */
    dkim_body_begin(&first, DKIM_RELAXED, 0);
    dkim_body_done(&first);
}

static void workspace_free(struct workspace *w)
{
    buf_done(&w->line);
    buf_done(&w->gather);
    arena_done(&w->scratch);
    arena_done(&w->tx);
    dkim_body_done(&w->body);
    free(w);
}

void workspaces_done(struct workspaces *w)
{
    LIST_EACH (&w->spare, struct workspace, one, link) {
        list_remove(&one->link);
        workspace_free(one);
    }
    w->spare_count = 0;
}

static struct workspace *workspace_new(void)
{
    struct workspace *w = NEW(struct workspace);

    list_init(&w->link);
    buf_init(&w->line, LINE_BYTES_MAX);
    buf_init(&w->gather, 0);
    arena_init(&w->scratch, ARENA_BLOCK);
    arena_init(&w->tx, ARENA_BLOCK);
    return w;
}

struct workspace *workspace_take(struct workspaces *from, size_t gather_max)
{
    struct workspace *w = LIST_FIRST(&from->spare, struct workspace, link);

    if (w == NULL) {
        w = workspace_new();
    } else {
        list_remove(&w->link);
        from->spare_count--;
    }
    w->gather.max = gather_max + 2 * CHUNK_BYTES;
    return w;
}

void workspace_give(struct workspaces *to, struct workspace *w)
{
    if (to->spare_count >= SPARE_MAX || w->gather.cap > KEEP_BYTES_MAX) {
        workspace_free(w);
        return;
    }
    workspace_reset_tx(w);
    buf_clear(&w->line);
    arena_reset(&w->scratch);
    list_prepend(&to->spare, &w->link);
    to->spare_count++;
}

void workspace_reset_tx(struct workspace *w)
{
    buf_clear(&w->gather);
    arena_reset(&w->tx);
}
