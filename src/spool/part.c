// SPDX-License-Identifier: Apache-2.0
/* spool/part.c - the envelope part of records as bytes. The sums have been checked before these are
 * read; they check again only what memory safety rests on. */
#include "spool/codec.h"
#include "spool/format.h"

/* What else a message part holds, before its envelope. */
#define PART_STATES 1U
#define PART_MARK 2U

bool message_part_write(struct buf *to, const struct message_part *p)
{
    put_u64(to, p->account);
    put_u64(to, (uint64_t)p->accepted_wall_ms);
    put_u64(to, p->size_bytes);
    put_u32(to, p->rcpt_count);
    put_u32(to, p->extent_count);
    put_u32(to, (p->states ? PART_STATES : 0) | (p->mark.len > 0 ? PART_MARK : 0));
    buf_add(to, str_make(p->extents, p->extent_count * sizeof(*p->extents)));
    if (p->states)
        buf_add(to, str_make(p->states, p->rcpt_count * sizeof(*p->states)));
    if (p->mark.len > 0)
        put_str(to, p->mark);
    return put_str(to, p->envelope);
}

bool message_part_read(struct str bytes, struct message_part *ret)
{
    struct message_part p = { 0 };
    struct str extents, states = STR_NONE;
    uint32_t flags;

    if (!take_u64(&bytes, &p.account) || !take_i64(&bytes, &p.accepted_wall_ms) ||
        !take_u64(&bytes, &p.size_bytes) || !take_u32(&bytes, &p.rcpt_count) || p.rcpt_count == 0 ||
        !take_u32(&bytes, &p.extent_count) || !take_u32(&bytes, &flags) ||
        (flags & ~(PART_STATES | PART_MARK)) ||
        !take_part(&bytes, p.extent_count * sizeof(*p.extents), &extents))
        return false;
    if ((flags & PART_STATES) && !take_part(&bytes, p.rcpt_count * sizeof(*p.states), &states))
        return false;
    if ((flags & PART_MARK) && !take_str(&bytes, &p.mark))
        return false;
    if (!take_str(&bytes, &p.envelope) || bytes.len > 0 || p.rcpt_count > p.envelope.len)
        return false;
    p.extents = (const void *)extents.ptr;
    p.states = (flags & PART_STATES) ? (const void *)states.ptr : NULL;
    *ret = p;
    return true;
}

bool settle_part_write(struct buf *to, const struct settle_part *p)
{
    put_u32(to, p->count);
    put_u32(to, p->event_count);
    put_u64(to, p->dsn);
    buf_add(to, str_make(p->states, p->count * sizeof(*p->states)));
    put_str(to, p->events);
    return put_str(to, p->message);
}

bool settle_part_read(struct str bytes, struct settle_part *ret)
{
    struct settle_part p = { 0 };
    struct str states;

    if (!take_u32(&bytes, &p.count) || !take_u32(&bytes, &p.event_count) ||
        !take_u64(&bytes, &p.dsn) || !take_part(&bytes, p.count * sizeof(*p.states), &states) ||
        !take_str(&bytes, &p.events) || !take_str(&bytes, &p.message) || bytes.len > 0)
        return false;
    p.states = (const void *)states.ptr;
    *ret = p;
    return true;
}
