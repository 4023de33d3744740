// SPDX-License-Identifier: Apache-2.0
/* spool/event.c - an event as bytes: its length, its kind, its position (patched in when the log
 * has given it one), the fixed part, texts. */
#include "spool/event.h"

#include "spool/codec.h"
#include "spool/event_bytes.h"

enum { EVENT_VERSION = 1 };

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[] = {
        [EVENT_ACCEPTED] = "email.accepted",         [EVENT_DELIVERED] = "email.delivered",
        [EVENT_RELAYED] = "email.relayed",           [EVENT_DEFERRED] = "email.deferred",
        [EVENT_BOUNCED] = "email.bounced",           [EVENT_EXPIRED] = "email.expired",
        [EVENT_CANCELLED] = "email.cancelled",       [EVENT_HELD] = "email.held",
        [EVENT_RELEASED] = "email.released",         [EVENT_RETRIED] = "email.retried",
        [EVENT_DELAY_WARNED] = "email.delay_warned",
    };

    return kind >= EVENT_ACCEPTED && kind <= EVENT_DELAY_WARNED ? names[kind] : "email.unknown";
}

static void write_outcome(struct buf *to, const struct outcome *o)
{
    put_u8(to, (uint8_t)o->kind);
    put_u8(to, (uint8_t)o->scope);
    put_u8(to, o->tls);
    put_u16(to, o->reply.code);
    put_u8(to, o->reply.status.klass);
    put_u16(to, o->reply.status.subject);
    put_u16(to, o->reply.status.detail);
    put_u8(to, o->ip.family);
    buf_add(to, str_make(o->ip.bytes, sizeof(o->ip.bytes)));
    put_u32(to, o->waited_ms);
    put_u32(to, o->dialogue_ms);
    put_str(to, o->reply.text);
    put_str(to, o->host);
}

static void write_fixed(struct buf *to, const struct event *e)
{
    put_u64(to, e->position);
    put_u64(to, e->message);
    put_u64(to, e->account);
    put_u64(to, e->dsn);
    put_u64(to, (uint64_t)e->wall_ms);
    put_u64(to, (uint64_t)e->accepted_wall_ms);
    put_u64(to, (uint64_t)e->due_wall_ms);
    put_u64(to, e->size_bytes);
    put_u32(to, e->rcpt);
    put_u32(to, e->rcpt_count);
    put_u16(to, e->tries);
}

static void write_texts(struct buf *to, const struct event *e)
{
    const struct str texts[] = { e->reverse_path, e->address, e->destination, e->source, e->client,
                                 e->helo,         e->login,   e->actor,       e->reason };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        put_str(to, texts[i]);
}

bool event_write(struct buf *to, const struct event *e)
{
    size_t start = to->len;
    uint32_t len;

    put_u32(to, 0); /* the length, once it is known */
    put_u8(to, EVENT_VERSION);
    put_u8(to, (uint8_t)e->kind);
    put_u16(to, 0);
    write_fixed(to, e);
    write_outcome(to, &e->outcome);
    write_texts(to, e);
    if (!buf_ok(to))
        return false;
    len = (uint32_t)(to->len - start);
    memcpy(to->ptr + start, &len, sizeof(len));
    return true;
}

size_t event_bytes_len(struct str bytes)
{
    uint32_t len;

    if (!take_u32(&bytes, &len) || len < EVENT_BYTES_MIN || len - sizeof(len) > bytes.len)
        return 0;
    return len;
}

void event_bytes_place(char *bytes, uint64_t position)
{
    memcpy(bytes + EVENT_POSITION_AT, &position, sizeof(position));
}

static bool read_outcome(struct str *in, struct outcome *o)
{
    uint8_t kind, scope, tls;

    if (!take_u8(in, &kind) || kind > OUTCOME_UNKNOWN || !take_u8(in, &scope) ||
        scope > SCOPE_DESTINATION || !take_u8(in, &tls) || tls > 1 ||
        !take_u16(in, &o->reply.code) || !take_u8(in, &o->reply.status.klass) ||
        !take_u16(in, &o->reply.status.subject) || !take_u16(in, &o->reply.status.detail) ||
        !take_u8(in, &o->ip.family) || !take_bytes(in, o->ip.bytes, sizeof(o->ip.bytes)) ||
        !take_u32(in, &o->waited_ms) || !take_u32(in, &o->dialogue_ms) ||
        !take_str(in, &o->reply.text) || !take_str(in, &o->host))
        return false;
    o->kind = (enum outcome_kind)kind; /* 0: the event has no outcome */
    o->scope = (enum outcome_scope)scope;
    o->tls = tls;
    return o->ip.family == 0 || o->ip.family == 4 || o->ip.family == 6;
}

static bool read_fixed(struct str *in, struct event *e)
{
    uint8_t version, kind;
    uint16_t unused;

    if (!take_u8(in, &version) || version != EVENT_VERSION || !take_u8(in, &kind) ||
        kind < EVENT_ACCEPTED || kind > EVENT_DELAY_WARNED || !take_u16(in, &unused))
        return false;
    e->kind = (enum event_kind)kind;
    return take_u64(in, &e->position) && take_u64(in, &e->message) && take_u64(in, &e->account) &&
           take_u64(in, &e->dsn) && take_i64(in, &e->wall_ms) &&
           take_i64(in, &e->accepted_wall_ms) && take_i64(in, &e->due_wall_ms) &&
           take_u64(in, &e->size_bytes) && take_u32(in, &e->rcpt) && take_u32(in, &e->rcpt_count) &&
           take_u16(in, &e->tries);
}

static bool read_texts(struct str *in, struct event *e)
{
    struct str *texts[] = { &e->reverse_path, &e->address, &e->destination, &e->source, &e->client,
                            &e->helo,         &e->login,   &e->actor,       &e->reason };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!take_str(in, texts[i]))
            return false;
    return true;
}

bool event_read(struct str *bytes, struct event *ret, struct err *err)
{
    size_t len = event_bytes_len(*bytes);
    struct str in = str_make(bytes->ptr, len);
    struct event e = { 0 };
    uint32_t again;

    if (len == 0 || !take_u32(&in, &again) || !read_fixed(&in, &e) ||
        !read_outcome(&in, &e.outcome) || !read_texts(&in, &e) || in.len > 0)
        return err_set(err, ERR_DAMAGED, "event is not one that we wrote");
    *bytes = str_make(bytes->ptr + len, bytes->len - len);
    *ret = e;
    return true;
}
