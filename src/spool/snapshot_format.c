// SPDX-License-Identifier: Apache-2.0
/* spool/snapshot_format.c - the bytes of a snapshot: blocks with a sum each, the first with the
 * facts, the others with messages, the last one empty, telling how many messages there were. */
#include <inttypes.h>
#include <stdio.h>

#include "spool/codec.h"
#include "spool/internal.h"

const char *snapshot_name(uint64_t number, char name[32])
{
    (void)snprintf(name, 32, "snapshot-%08" PRIu64, number);
    return name;
}

static uint64_t block_sum(const struct snapshot_block *b, struct str payload)
{
    return sum_of(b, offsetof(struct snapshot_block, sum)) * 31 + sum_of(payload.ptr, payload.len);
}

void snapshot_block_seal(struct snapshot_block *b, struct str payload)
{
    b->magic = SNAPSHOT_MAGIC;
    b->len = (uint32_t)payload.len;
    b->sum = block_sum(b, payload);
}

bool snapshot_block_ok(const struct snapshot_block *b, struct str payload)
{
    return b->magic == SNAPSHOT_MAGIC && b->len == payload.len && b->sum == block_sum(b, payload);
}

bool snapshot_facts_write(struct buf *to, const struct snapshot_facts *f)
{
    put_u32(to, FORMAT_VERSION);
    put_u64(to, f->replay_from);
    put_u64(to, f->number);
    put_u64(to, f->id_last);
    put_u64(to, f->events_acked);
    put_u64(to, f->events_last);
    put_u64(to, f->generation);
    put_u64(to, f->parked.from);
    put_u64(to, f->parked.from_id);
    put_u64(to, f->parked.count);
    put_u64(to, f->parked.chunked);
    put_u32(to, f->parked.floor);
    return f->tally.len == 0 ? buf_ok(to) : put_str(to, f->tally);
}

bool snapshot_facts_read(struct str in, struct snapshot_facts *ret)
{
    struct snapshot_facts f = { 0 };
    uint32_t version;

    if (!take_u32(&in, &version) || version != FORMAT_VERSION || !take_u64(&in, &f.replay_from) ||
        !take_u64(&in, &f.number) || !take_u64(&in, &f.id_last) ||
        !take_u64(&in, &f.events_acked) || !take_u64(&in, &f.events_last) ||
        !take_u64(&in, &f.generation) || !take_u64(&in, &f.parked.from) ||
        !take_u64(&in, &f.parked.from_id) || !take_u64(&in, &f.parked.count) ||
        !take_u64(&in, &f.parked.chunked) || !take_u32(&in, &f.parked.floor))
        return false;
    if (in.len > 0 && (!take_str(&in, &f.tally) || in.len > 0))
        return false;
    *ret = f;
    return true;
}

bool snapshot_entry_write(struct buf *to, const struct spool_message *m)
{
    put_u64(to, m->id);
    put_u64(to, m->account);
    put_u64(to, (uint64_t)m->accepted_wall_ms);
    put_u64(to, m->size_bytes);
    put_u64(to, m->position);
    put_u32(to, m->own_bytes);
    put_u8(to, m->flags & MESSAGE_CONTENT_LOST);
    put_u32(to, m->rcpt_count);
    put_u32(to, m->extent_count);
    buf_add(to, str_make(m->extents, m->extent_count * sizeof(*m->extents)));
    return buf_add(to, str_make(m->rcpts, m->rcpt_count * sizeof(m->rcpts[0])));
}

bool snapshot_entry_read(struct str *in, struct spool_message **ret)
{
    struct message_part p = { 0 };
    struct str extents, states;
    uint64_t id, position;
    uint32_t own_bytes;
    uint8_t flags;

    if (!take_u64(in, &id) || !take_u64(in, &p.account) || !take_i64(in, &p.accepted_wall_ms) ||
        !take_u64(in, &p.size_bytes) || !take_u64(in, &position) || !take_u32(in, &own_bytes) ||
        !take_u8(in, &flags) || !take_u32(in, &p.rcpt_count) || !take_u32(in, &p.extent_count) ||
        !take_part(in, p.extent_count * sizeof(struct extent), &extents) ||
        !take_part(in, p.rcpt_count * sizeof(struct spool_rcpt), &states))
        return false;
    p.extents = (const void *)extents.ptr;
    p.states = (const void *)states.ptr;
    *ret = message_new(id, position, 0, &p);
    (*ret)->own_bytes = own_bytes;
    (*ret)->flags = flags & MESSAGE_CONTENT_LOST;
    return true;
}
