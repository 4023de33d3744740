// SPDX-License-Identifier: Apache-2.0
/* spool/content.c - envelope and content of live messages: from memory, else from the log, every
 * byte checked against its sum before it is handed on. */
#include "spool/internal.h"

#include <inttypes.h>
#include <stdlib.h>

/* One part of one record, read on a worker. */
struct part_read {
    struct disk_file *file;
    uint64_t position;
    uint64_t size; /* of the file */
    bool content;  /* else the envelope part */
    struct record_head head;
    char *bytes;
    size_t len;
    bool ok;
    struct err err;
};

static bool read_head(struct part_read *r)
{
    uint32_t at = position_offset(r->position);
    const struct record_head *h = &r->head;

    if (!disk_file_read(r->file, at, &r->head, sizeof(r->head), &r->err))
        return false;
    if (h->magic != RECORD_MAGIC || h->generation != position_generation(r->position) ||
        h->sum_head != sum_of(h, offsetof(struct record_head, sum_head)) ||
        record_size(h->envelope_len, h->content_len) > r->size - at)
        return err_set(&r->err, ERR_DAMAGED, "no record at %" PRIx64, r->position);
    return true;
}

/* On a worker. */
static void part_run(void *arg)
{
    struct part_read *r = arg;
    uint64_t at = position_offset(r->position) + sizeof(r->head);

    if (!read_head(r))
        return;
    r->len = r->content ? r->head.content_len : r->head.envelope_len;
    if (r->content)
        at += align_up(r->head.envelope_len, 8);
    r->bytes = mem_new(r->len + 1);
    if (!disk_file_read(r->file, at, r->bytes, r->len, &r->err))
        return;
    r->ok = sum_of(r->bytes, r->len) == (r->content ? r->head.sum_content : r->head.sum_envelope);
    if (!r->ok)
        (void)err_set(&r->err, ERR_DAMAGED, "%s at %" PRIx64 " does not match its sum",
                      r->content ? "content" : "envelope", r->position);
}

/* The message is pinned, which keeps the segment. On success r->bytes is the caller's. */
static bool part_get(struct spool *s, const struct spool_message *m, struct part_read *r,
                     struct err *err)
{
    struct segment *g = segment_at(s, r->position);

    if (!g)
        return err_set(err, ERR_DAMAGED, "the segment of %" PRIx64 " is lost", r->position);
    r->file = g->file;
    r->size = g->size;
    g->readers++;
    if (!worker_run(s->read_pool, part_run, r, &r->err))
        r->ok = false;
    g->readers--;
    if (r->ok)
        return true;
    free(r->bytes);
    if (r->err.kind == ERR_DAMAGED)
        alarm_tell(s, "record-damaged", m->id, "%s", r->err.text);
    if (err)
        *err = r->err;
    return false;
}

bool extent_read(struct spool *s, struct spool_message *m, size_t i, struct piece **ret,
                 struct err *err)
{
    struct extent x = message_extent(m, i);
    uint64_t position = m->position;
    struct part_read r = { .position = x.position, .content = true };
    struct piece *piece;

    if (m->flags & MESSAGE_CONTENT_LOST)
        return err_set(err, ERR_DAMAGED, "content was damaged before it was moved");
    if (m->body && m->body->pieces[i]) {
        *ret = piece_share(m->body->pieces[i]);
        return true;
    }
    if (!part_get(s, m, &r, err))
        return false;
    if (r.len < (uint64_t)x.offset + x.len) {
        free(r.bytes);
        return err_set(err, ERR_DAMAGED, "content at %" PRIx64 " is too short", x.position);
    }
    piece = piece_new(&s->blocks, r.len);
    memcpy(piece->block->bytes, r.bytes, r.len);
    piece->len = (uint32_t)r.len;
    free(r.bytes);
    if (m->position == position) /* else it was moved meanwhile: same bytes, other extents */
        body_keep(s, m, i, piece);
    *ret = piece;
    return true;
}

/* Copies what [offset, offset + len) has in common with extent i, which begins at `start` of the
 * content. */
static bool extent_copy(struct spool *s, struct spool_message *m, size_t i, uint64_t start,
                        uint64_t offset, size_t len, char *to, struct err *err)
{
    struct extent x = message_extent(m, i);
    uint64_t from = offset > start ? offset : start;
    uint64_t end = start + x.len < offset + len ? start + x.len : offset + len;
    struct piece *piece;

    if (from >= end)
        return true;
    if (!extent_read(s, m, i, &piece, err))
        return false;
    memcpy(to + (from - offset), piece->block->bytes + x.offset + (from - start), end - from);
    piece_drop(&s->blocks, piece);
    return true;
}

bool spool_content(struct spool *s, struct spool_message *m, uint64_t offset, size_t len, void *to,
                   struct err *err)
{
    uint64_t start = 0, end, position = m->position;
    bool ok = true;

    if (__builtin_add_overflow(offset, len, &end) || end > m->size_bytes)
        return err_set(err, ERR_LIMIT, "content ends at %" PRIu64, m->size_bytes);
    spool_pin(m);
    for (size_t i = 0; ok && i < message_extent_count(m); i++) {
        uint32_t extent_len = message_extent(m, i).len;

        ok = extent_copy(s, m, i, start, offset, len, to, err);
        start += extent_len;
        if (m->position !=
            position) { /* moved by compaction while we waited: other extents, same bytes */
            position = m->position;
            start = 0;
            i = SIZE_MAX;
        }
    }
    spool_unpin(s, m);
    bodies_trim(s);
    return ok;
}

/* The message's part inside its record, which may be the settle that made it. */
static bool find_part(const struct part_read *r, uint64_t id, struct message_part *ret)
{
    struct str bytes = str_make(r->bytes, r->len);
    struct settle_part settle;

    if (r->head.kind == RECORD_MESSAGE || r->head.kind == RECORD_MOVE)
        return r->head.id == id && message_part_read(bytes, ret);
    return r->head.kind == RECORD_SETTLE && settle_part_read(bytes, &settle) && settle.dsn == id &&
           message_part_read(settle.message, ret);
}

bool envelope_bytes(struct spool *s, struct spool_message *m, struct arena *a, struct str *ret,
                    struct err *err)
{
    struct part_read r = { .position = m->position };
    struct message_part p;

    if (m->body && m->body->front) {
        *ret = arena_str(a, m->body->envelope);
        return true;
    }
    if (!part_get(s, m, &r, err))
        return false;
    if (!find_part(&r, m->id, &p)) {
        free(r.bytes);
        return err_set(err, ERR_DAMAGED, "record at %" PRIx64 " is not this message's", r.position);
    }
    *ret = arena_str(a, p.envelope);
    free(r.bytes);
    return true;
}

bool spool_envelope(struct spool *s, struct spool_message *m, struct arena *a, struct envelope *ret,
                    struct err *err)
{
    struct str bytes;
    bool ok;

    spool_pin(m);
    ok = envelope_bytes(s, m, a, &bytes, err) && envelope_read(bytes, a, ret, err);
    spool_unpin(s, m);
    return ok;
}
