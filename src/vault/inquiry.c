// SPDX-License-Identifier: Apache-2.0
/* vault/inquiry.c - frames to and from resolve. */
#include "vault/inquiry.h"

enum { VALUES_MAX = 64 };

void inquiries_init(struct inquiries *all)
{
    *all = (struct inquiries){ .next = 1 };
    list_init(&all->waiting);
    idmap_init(&all->by_id);
    gate_init(&all->changed);
}

void inquiries_done(struct inquiries *all)
{
    idmap_done(&all->by_id);
}

void inquiries_close(struct inquiries *all)
{
    all->closed = true;
    gate_wake_all(&all->changed);
}

/* Asking --------------------------------------------------------------------------------------- */

static void send(struct inquiry *q)
{
    struct channel *c = q->of->channel;

    if (!c)
        return;
    if (q->is_spf) {
        struct wire_spf_ask *f = wire_add(c, WIRE_SPF_ASK, q->name.len);
        f->question = q->id;
        wire_put(f, &f->domain, q->name);
    } else {
        struct wire_dns_ask *f = wire_add(c, WIRE_DNS_ASK, q->name.len);
        f->question = q->id;
        f->rrtype = q->rrtype;
        f->how = (uint16_t)q->how;
        wire_put(f, &f->name, q->name);
    }
}

static void ask(struct inquiries *all, struct inquiry *q)
{
    q->of = all;
    q->id = all->next++;
    list_append(&all->waiting, &q->link);
    (void)idmap_put(&all->by_id, q->id, q);
    send(q);
}

void inquiry_ask_dns(struct inquiries *all, struct inquiry *q, struct str name, uint16_t rrtype,
                     enum dns_how how, struct arena *arena)
{
    *q = (struct inquiry){ .name = name, .rrtype = rrtype, .how = how, .arena = arena };
    ask(all, q);
}

void inquiry_ask_spf(struct inquiries *all, struct inquiry *q, struct str domain,
                     struct arena *arena)
{
    *q = (struct inquiry){ .name = domain, .is_spf = true, .arena = arena };
    ask(all, q);
}

void inquiry_drop(struct inquiry *q)
{
    if (!q->of || !idmap_take(&q->of->by_id, q->id))
        return;
    list_remove(&q->link);
}

bool inquiry_await(struct inquiry *q, int64_t deadline_ms, struct err *err)
{
    while (!q->done) {
        bool ok = !q->of->closed || err_set(err, ERR_CANCELLED, "vault is ending");
        if (!ok || !gate_wait(&q->of->changed, deadline_ms, err)) {
            inquiry_drop(q);
            return false;
        }
    }
    return true;
}

/* A fresh number each time, so that late frames of an answer that was cut off find nobody. */
static void ask_again(struct inquiry *q)
{
    (void)idmap_take(&q->of->by_id, q->id);
    q->id = q->of->next++;
    q->look.count = 0;
    q->value_room = 0;
    (void)idmap_put(&q->of->by_id, q->id, q);
    send(q);
}

void inquiries_link(struct inquiries *all, struct channel *channel)
{
    all->channel = channel;
    if (channel)
        LIST_EACH (&all->waiting, struct inquiry, q, link)
            ask_again(q);
}

/* Answers -------------------------------------------------------------------------------------- */

static void finish(struct inquiry *q, uint16_t code, struct str text)
{
    q->code = code;
    q->text = arena_str(q->arena, text);
    q->look.servers = q->servers;
    q->done = true;
    inquiry_drop(q);
    gate_wake_all(&q->of->changed);
}

static bool on_server(struct inquiry *q, const struct wire_dns_server *f, struct err *err)
{
    if (q->look.count == PROOF_SERVERS_MAX || f->said > DNS_SAID_FAILED)
        return err_set(err, ERR_SYNTAX, "a DNS answer with too many servers, or saying nothing");
    q->servers[q->look.count++] =
        (struct proof_server){ .name = arena_str(q->arena, wire_get(f, f->name)),
                               .ip = wire_ip_get(&f->ip),
                               .said = (enum dns_said)f->said };
    q->value_room = 0;
    return true;
}

static bool on_value(struct inquiry *q, const struct wire_dns_value *f, struct err *err)
{
    struct proof_server *s = q->look.count > 0 ? &q->servers[q->look.count - 1] : NULL;

    if (!s || s->said != DNS_SAID_RECORDS || s->count == VALUES_MAX)
        return err_set(err, ERR_SYNTAX, "a DNS record out of place");
    if (s->count == q->value_room) {
        q->value_room = q->value_room > 0 ? 2 * q->value_room : 4;
        struct str *more = ARENA_ARRAY(q->arena, struct str, q->value_room);
        for (size_t i = 0; i < s->count; i++)
            more[i] = s->values[i];
        s->values = q->values = more;
    }
    q->values[s->count++] = arena_str(q->arena, wire_get(f, f->value));
    return true;
}

static bool on_end(struct inquiry *q, const struct wire_dns_end *f, struct err *err)
{
    if (f->code == 0 && f->servers != q->look.count)
        return err_set(err, ERR_SYNTAX, "a DNS answer of %u servers, %zu came", f->servers,
                       q->look.count);
    finish(q, f->code, wire_get(f, f->text));
    return true;
}

static uint64_t question_of(const struct frame *f)
{
    switch (f->type) {
    case WIRE_DNS_SERVER:
        return ((const struct wire_dns_server *)f)->question;
    case WIRE_DNS_VALUE:
        return ((const struct wire_dns_value *)f)->question;
    case WIRE_DNS_END:
        return ((const struct wire_dns_end *)f)->question;
    default:
        return ((const struct wire_spf_answer *)f)->question;
    }
}

bool inquiries_on_frame(struct inquiries *all, const struct frame *f, struct err *err)
{
    struct inquiry *q = idmap_find(&all->by_id, question_of(f));

    if (!q)
        return true; /* nobody waits for it any more */
    if (q->is_spf != (f->type == WIRE_SPF_ANSWER))
        return err_set(err, ERR_SYNTAX, "resolve answers another question than was asked");
    switch (f->type) {
    case WIRE_DNS_SERVER:
        return on_server(q, (const struct wire_dns_server *)f, err);
    case WIRE_DNS_VALUE:
        return on_value(q, (const struct wire_dns_value *)f, err);
    case WIRE_DNS_END:
        return on_end(q, (const struct wire_dns_end *)f, err);
    default:
        q->spf_result = ((const struct wire_spf_answer *)f)->result;
        finish(q, 0, wire_get(f, ((const struct wire_spf_answer *)f)->text));
        return true;
    }
}
