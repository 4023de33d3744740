// SPDX-License-Identifier: Apache-2.0
/* spool/scan.c - reads a segment group by group, and the log segment by segment. What is damaged is
 * told as bytes to be salvaged; what lies behind the last good group is told apart, since it may be
 * what a crash tore. */
#include "spool/internal.h"

enum { WINDOW_BYTES = 256 * 1024 };

void scan_init(struct scan *c, struct disk_file *file, uint32_t generation, uint64_t from,
               uint64_t end)
{
    *c = (struct scan){
        .file = file, .generation = generation, .at = align_up(from, BLOCK_BYTES), .end = end
    };
    buf_init(&c->window, end + 1);
}

void scan_done(struct scan *c)
{
    buf_done(&c->window);
}

bool scan_bytes(struct scan *c, uint64_t at, uint64_t len, struct str *ret, struct err *err)
{
    uint64_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;

    if (!c->file) {
        *ret = str_sub(c->image, at, len);
        return true;
    }
    if (at < c->window_at || at + len > c->window_at + c->window.len) {
        char *to;

        if (want > c->end - at)
            want = c->end - at;
        buf_clear(&c->window);
        to = buf_room(&c->window, want);
        if (!disk_file_read(c->file, at, to, want, err))
            return false;
        c->window.len = want;
        c->window_at = at;
    }
    *ret = str_make(c->window.ptr + (at - c->window_at), len);
    return true;
}

static bool seems_ours(struct str block, uint32_t generation)
{
    struct group_head h;

    memcpy(&h, block.ptr, sizeof(h));
    return h.magic == GROUP_MAGIC && h.generation == generation;
}

bool scan_next(struct scan *c, struct scan_found *ret, struct err *err)
{
    struct scan_found f = { .kind = SCAN_END, .offset = c->at };
    struct group_head h;
    struct str block;

    for (uint64_t at = c->at; c->end >= BLOCK_BYTES && at <= c->end - BLOCK_BYTES;
         at += BLOCK_BYTES) {
        if (!scan_bytes(c, at, BLOCK_BYTES, &block, err))
            return false;
        memcpy(&h, block.ptr, sizeof(h));
        if (!group_head_ok(&h, c->generation, c->end - at)) {
            f.torn |= seems_ours(block, c->generation);
            continue;
        }
        if (at == c->at) {
            f = (struct scan_found){ .offset = at,
                                     .number = h.number,
                                     .events_acked = h.events_acked };
            if (!scan_bytes(c, at, h.length, &f.bytes, err))
                return false;
            f.kind = group_ok(f.bytes, c->generation) ? SCAN_GROUP : SCAN_DAMAGED;
            c->at = at + h.length;
        } else { /* a head is lost; this group comes next time */
            f.kind = SCAN_DAMAGED;
            if (!scan_bytes(c, f.offset, at - f.offset, &f.bytes, err))
                return false;
            c->at = at;
        }
        *ret = f;
        return true;
    }
    *ret = f;
    return true;
}

/* The log ------------------------------------------------------------------------------------- */

struct log_job {
    struct segment *segment;
    uint64_t from, end;
    struct log_group *ret;
    bool found, ok;
    struct err err;
};

/* On a worker. The next group, or damaged bytes before one: the walk over records copes with both.
 */
static void log_run(void *arg)
{
    struct log_job *j = arg;
    struct scan_found f;
    struct scan c;

    scan_init(&c, j->segment->file, j->segment->generation, j->from, j->end);
    for (;;) {
        j->ok = scan_next(&c, &f, &j->err);
        j->from = c.at;
        if (!j->ok || f.kind == SCAN_END || f.number <= j->segment->last_number)
            break;
    }
    j->found = j->ok && f.kind != SCAN_END;
    if (j->found) {
        buf_clear(&j->ret->bytes);
        buf_add(&j->ret->bytes, f.bytes);
        j->ret->position = position_make(j->segment->generation, f.offset);
        j->ret->generation = j->segment->generation;
    }
    scan_done(&c);
}

static struct segment *segment_from(struct spool *s, uint64_t *position)
{
    for (uint32_t g = position_generation(*position); g <= s->segments.generation; g++) {
        struct segment *found = segment_at(s, position_make(g, 0));

        if (found) {
            if (g != position_generation(*position) || position_offset(*position) < BLOCK_BYTES)
                *position = position_make(g, BLOCK_BYTES);
            return found;
        }
    }
    return NULL;
}

bool log_read(struct spool *s, uint64_t *position, struct log_group *ret, bool wait,
              struct err *err)
{
    struct segment *g;

    if (err)
        err->kind = ERR_NONE;
    while (*position < s->applied && (g = segment_from(s, position)) != NULL &&
           *position < s->applied) {
        struct log_job j = {
            .segment = g, .from = position_offset(*position), .end = g->used, .ret = ret
        };

        g->readers++;
        if (!wait)
            log_run(&j);
        else if (!worker_run(s->read_pool, log_run, &j, &j.err))
            j.ok = false;
        g->readers--;
        if (!j.ok) {
            if (err)
                *err = j.err;
            return false;
        }
        *position =
            j.found ? position_make(g->generation, j.from) : position_make(g->generation + 1, 0);
        if (j.found)
            return true;
        if (g->state == SEGMENT_CURRENT) {
            *position = position_make(g->generation, j.end);
            return false;
        }
    }
    return false;
}
