// SPDX-License-Identifier: Apache-2.0
/* vault/zone_test.c - questions in, frames from the table out. */
#include "vault/zone_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

static void keep_text(char *to, size_t size, struct str text)
{
    assert_true(text.len < size);
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
}

static struct zone_name *name_find(struct zone *z, struct str name, uint16_t rrtype)
{
    for (size_t i = 0; i < z->count; i++)
        if (z->names[i].rrtype == rrtype && str_eq(str_of(z->names[i].name), name))
            return &z->names[i];
    return NULL;
}

static struct zone_server *server_of(struct zone *z, const char *name, uint16_t rrtype,
                                     const char *server)
{
    struct zone_name *n = name_find(z, str_of(name), rrtype);

    if (!n) {
        assert_true(z->count < ZONE_NAMES_MAX);
        n = &z->names[z->count++];
        *n = (struct zone_name){ .rrtype = rrtype };
        keep_text(n->name, sizeof n->name, str_of(name));
    }
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->servers[i].server, server) == 0)
            return &n->servers[i];
    assert_true(n->count < ZONE_SERVERS_MAX);
    n->servers[n->count] = (struct zone_server){ .server = server };
    return &n->servers[n->count++];
}

void zone_say(struct zone *z, const char *name, uint16_t rrtype, const char *server,
              const char *value)
{
    struct zone_server *s = server_of(z, name, rrtype, server);

    s->said = DNS_SAID_RECORDS;
    if (!value[0])
        return;
    assert_true(s->value_count < ZONE_VALUES_MAX);
    keep_text(s->values[s->value_count], sizeof s->values[0], str_of(value));
    s->value_count++;
}

void zone_fail(struct zone *z, const char *name, uint16_t rrtype, const char *server,
               enum dns_said said)
{
    struct zone_server *s = server_of(z, name, rrtype, server);

    s->said = said;
    s->value_count = 0;
}

void zone_forget(struct zone *z, const char *name)
{
    for (size_t i = 0; i < z->count;)
        if (strcmp(z->names[i].name, name) == 0)
            z->names[i] = z->names[--z->count];
        else
            i++;
}

/* Frames --------------------------------------------------------------------------------------- */

static void send_server(struct channel *c, uint64_t id, const char *name, enum dns_said said)
{
    struct wire_dns_server *f = wire_add(c, WIRE_DNS_SERVER, strlen(name));

    f->question = id;
    f->said = said;
    wire_put(f, &f->name, str_of(name));
}

static void send_value(struct channel *c, uint64_t id, const char *value)
{
    struct wire_dns_value *f = wire_add(c, WIRE_DNS_VALUE, strlen(value));

    f->question = id;
    wire_put(f, &f->value, str_of(value));
}

static void send_end(struct channel *c, uint64_t id, size_t servers)
{
    struct wire_dns_end *f = wire_add(c, WIRE_DNS_END, 0);

    f->question = id;
    f->servers = (uint32_t)servers;
}

static void answer_any(struct channel *c, const struct zone_question *q, const char *value)
{
    send_server(c, q->id, "ns1", DNS_SAID_RECORDS);
    if (value[0])
        send_value(c, q->id, value);
    send_end(c, q->id, 1);
}

static void answer_name(struct channel *c, const struct zone_question *q, const struct zone_name *n)
{
    for (size_t i = 0; i < n->count; i++) {
        const struct zone_server *s = &n->servers[i];
        send_server(c, q->id, s->server, s->said);
        for (size_t v = 0; v < s->value_count; v++)
            send_value(c, q->id, s->values[v]);
    }
    send_end(c, q->id, n->count);
}

static void answer_one(struct zone *z, const struct zone_question *q)
{
    struct channel *c = z->world->resolve.channel;
    const struct zone_name *n = name_find(z, str_of(q->name), q->rrtype);

    if (q->is_spf) {
        struct wire_spf_answer *f = wire_add(c, WIRE_SPF_ANSWER, 0);
        f->question = q->id;
        f->result = z->spf_result;
    } else if (z->any) {
        answer_any(c, q, z->any(str_of(q->name), q->rrtype));
    } else if (n) {
        answer_name(c, q, n);
    } else {
        send_server(c, q->id, "ns1", DNS_SAID_NO_NAME);
        send_end(c, q->id, 1);
    }
}

void zone_answer(struct zone *z)
{
    for (size_t i = 0; i < z->waiting; i++)
        answer_one(z, &z->questions[i]);
    z->waiting = 0;
}

static void on_question(void *arg, const struct frame *f)
{
    struct zone *z = arg;
    const bool is_spf = f->type == WIRE_SPF_ASK;
    const struct wire_dns_ask *dns = (const struct wire_dns_ask *)f;
    const struct wire_spf_ask *spf = (const struct wire_spf_ask *)f;

    assert_true(z->waiting < ZONE_QUESTIONS_MAX);
    struct zone_question *q = &z->questions[z->waiting++];
    *q = (struct zone_question){ .id = is_spf ? spf->question : dns->question,
                                 .is_spf = is_spf,
                                 .rrtype = is_spf ? 0 : dns->rrtype };
    keep_text(q->name, sizeof q->name,
              is_spf ? wire_get(spf, spf->domain) : wire_get(dns, dns->name));
    z->asked++;
    if (z->waiting > z->waiting_most)
        z->waiting_most = z->waiting;
    if (!z->deaf && !z->any)
        zone_answer(z);
}

void zone_init(struct zone *z, struct world *w)
{
    *z = (struct zone){ .world = w, .spf_result = 1 /* SPF_PASS */ };
    w->resolve.on_frame = on_question;
    w->resolve.arg = z;
}
