// SPDX-License-Identifier: Apache-2.0
/* deliver/fixture.c - plays core and resolve for the tests of the role. */
#include "deliver/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/loop.h"

#define PIECE_BYTES (64u * 1024)
#define PATIENCE_MS 60000

static const char short_message[] = "Subject: hello\r\n\r\n.dot\r\n..two\r\nend\r\n";

static struct str content_of(const struct errand *e)
{
    return e->content.len > 0 ? e->content : str_of(short_message);
}

static void hand_content(struct fixture *f, uint64_t job, uint64_t upto)
{
    struct str content = content_of(&f->errands[job % 64]);
    uint64_t *sent = &f->sent[job % 64];

    while (*sent < upto && *sent < content.len) {
        uint64_t end = upto < content.len ? upto : content.len;
        struct str piece =
            str_sub(content, *sent, end - *sent < PIECE_BYTES ? end - *sent : PIECE_BYTES);
        struct wire_job_content *m;
        uint64_t position;

        if (!ring_put(f->ring, piece, &position))
            abort();
        m = wire_add(f->core, WIRE_JOB_CONTENT, 0);
        m->job = job;
        m->offset = *sent;
        m->position = position;
        m->len = (uint32_t)piece.len;
        *sent += piece.len;
    }
}

static void take_rcpt(struct fixture *f, const struct wire_result_rcpt *r)
{
    buf_addf(&f->told, "%s%s %s %u", f->told.len > 0 ? "; " : "",
             outcome_kind_name((enum outcome_kind)r->kind),
             outcome_scope_name((enum outcome_scope)r->scope), r->code);
    if (r->status_class != 0 && (r->code == 0 || r->code >= 550))
        buf_addf(&f->told, " %u.%u.%u", r->status_class, r->status_subject, r->status_detail);
}

static void send_signed(struct fixture *f, uint64_t job, uint64_t key, struct str signature,
                        uint16_t code)
{
    struct wire_job_signed *m = wire_add(f->core, WIRE_JOB_SIGNED, 600);

    m->job = job;
    m->key = key;
    m->code = code;
    wire_put(m, &m->signature, signature);
    wire_put(m, &m->text, code ? STR("the key can't be read") : STR_NONE);
}

static void answer_sign(struct fixture *f, const struct wire_sign_ask *ask)
{
    unsigned char signature[512];
    uint16_t code = 0;
    size_t len;

    f->sign_asks++;
    f->last_asked = ask->job;
    if (!f->sign)
        return;
    len = f->sign(ask->key, wire_get(ask, ask->hash), signature, &code);
    send_signed(f, ask->job, ask->key, str_make(signature, len), code);
}

void fixture_sign(struct fixture *f, uint64_t job)
{
    send_signed(f, job, 1, STR("x"), 0);
}

void fixture_cut(struct fixture *f)
{
    channel_free(f->core);
    f->core = NULL;
}

static bool core_frame(void *owner, struct channel *c, const struct frame *m, struct err *err)
{
    struct fixture *f = owner;
    const struct wire_job_more *more = (const void *)m;

    (void)c;
    if (!wire_check(m, ROLE_DELIVER, ROLE_CORE, err))
        return false;
    if (m->type == WIRE_JOB_MORE) {
        hand_content(f, more->job, more->upto);
    } else if (m->type == WIRE_SIGN_ASK) {
        answer_sign(f, (const void *)m);
    } else if (m->type == WIRE_CREDIT) {
        return ring_credit(f->ring, ((const struct wire_credit *)(const void *)m)->position, err);
    } else if (m->type == WIRE_RESULT_RCPT) {
        take_rcpt(f, (const void *)m);
    } else if (m->type == WIRE_RESULT) {
        f->last = *(const struct wire_result *)(const void *)m;
        f->results++;
    }
    return true;
}

static void answer_hosts(struct fixture *f, const struct wire_hosts_ask *ask)
{
    struct wire_hosts_answer *end;
    uint32_t count = 0;

    for (; count < ARRAY_LEN(f->hosts) && f->hosts[count].len > 0; count++) {
        struct wire_host *h = wire_add(f->resolve, WIRE_HOST, 32);
        char name[16];
        struct ip ip;

        if (!ip_parse(f->hosts[count], &ip, NULL))
            abort();
        h->question = ask->question;
        h->ip = wire_ip_of(&ip, 0);
        snprintf(name, sizeof(name), "mx%u.test", count);
        wire_put(h, &h->name, str_of(name));
    }
    end = wire_add(f->resolve, WIRE_HOSTS_ANSWER, 32);
    end->question = ask->question;
    end->count = count;
    if (count == 0) {
        end->code = 556;
        end->status_subject = 1;
        end->status_detail = 10;
        wire_put(end, &end->text, STR("takes no mail"));
    }
}

static bool resolve_frame(void *owner, struct channel *c, const struct frame *m, struct err *err)
{
    (void)c;
    if (!wire_check(m, ROLE_DELIVER, ROLE_RESOLVE, err))
        return false;
    if (m->type == WIRE_HOSTS_ASK)
        answer_hosts(owner, (const void *)m);
    return true;
}

static bool web_frame(void *owner, struct channel *c, const struct frame *m, struct err *err)
{
    struct fixture *f = owner;
    const struct wire_admin_row *row = (const void *)m;
    const struct wire_admin_end *end = (const void *)m;

    (void)c;
    if (!wire_check(m, ROLE_DELIVER, ROLE_WEB, err))
        return false;
    if (m->type == WIRE_ADMIN_ROW) {
        struct str json = wire_get(row, row->json);

        json = str_skip(json, str_find(json, STR("\"reached")));
        json = str_sub(json, 0, str_find(json, STR(",\"error")));
        snprintf(f->live, sizeof(f->live), "200 %.*s", STR_FMT(json));
    } else if (m->type == WIRE_ADMIN_END) {
        f->live_answered = end->status == 200;
    }
    return true;
}

static void closed(void *owner, struct channel *c, const struct err *why)
{
    struct fixture *f = owner;

    if (f->failure[0] == '\0')
        snprintf(f->failure, sizeof(f->failure), "link closed: %s", why->text);
    if (c == f->core)
        f->core = NULL;
    else if (c == f->resolve)
        f->resolve = NULL;
    else
        f->web = NULL;
    channel_free(c);
}

static const struct channel_events core_events = { .frame = core_frame, .closed = closed };
static const struct channel_events resolve_events = { .frame = resolve_frame, .closed = closed };

static const struct channel_events web_events = { .frame = web_frame, .closed = closed };

static void join(struct fixture *f)
{
    struct channel *to_core, *to_resolve, *to_web;
    struct err err;

    channel_pair(0, &f->core, 0, &to_core);
    channel_pair(0, &f->resolve, 0, &to_resolve);
    channel_pair(0, &f->web, 0, &to_web);
    channel_set_owner(f->web, &web_events, f);
    channel_set_owner(f->core, &core_events, f);
    channel_set_owner(f->resolve, &resolve_events, f);
    if (!ring_new(RING_BYTES, &f->ring, NULL, &err))
        abort();
    f->ring_in = ring_share(f->ring);
    deliver_role.link(f->role, &(struct role_link){
                                   .peer = ROLE_CORE, .channel = to_core, .ring_in = f->ring_in });
    deliver_role.link(f->role, &(struct role_link){ .peer = ROLE_RESOLVE, .channel = to_resolve });
    deliver_role.link(f->role, &(struct role_link){ .peer = ROLE_WEB, .channel = to_web });
}

static void plain_config(struct config *c, struct config_route *routes, uint16_t port)
{
    static struct ip_net loopback;
    const int64_t ms = 20000;

    if (!ip_net_parse(STR("127.0.0.0/8"), &loopback, NULL))
        abort();
    *c = (struct config){ .hostname = STR("client.test"), .routes = routes, .route_count = 2 };
    c->timeouts = (struct config_timeouts){ .connect_ms = ms,
                                            .greeting_ms = ms,
                                            .helo_ms = ms,
                                            .mail_ms = ms,
                                            .rcpt_ms = ms,
                                            .data_ms = ms,
                                            .data_block_ms = ms,
                                            .data_end_ms = ms,
                                            .quit_ms = ms,
                                            .tls_ms = ms,
                                            .idle_kept_ms = ms };
    c->delivery = (struct config_delivery){ .connections = 10,
                                            .port = port,
                                            .ipv4 = true,
                                            .ipv6 = true,
                                            .allow_networks = &loopback,
                                            .allow_network_count = 1,
                                            .tls = TLS_MAY };
    routes[0] =
        (struct config_route){ .kind = ROUTE_SMARTHOST, .host = STR("127.0.0.1"), .port = port };
    routes[1] = (struct config_route){ .kind = ROUTE_LMTP, .host = STR("127.0.0.1"), .port = port };
}

void fixture_start(struct fixture *f, uint16_t port)
{
    struct role_start start = { .kind = ROLE_DELIVER, .config = &f->config };
    struct err err;

    *f = (struct fixture){ .hosts = { STR("127.0.0.1") } };
    buf_init(&f->told, 1024 * 1024);
    plain_config(&f->config, f->routes, port);
    if (!deliver_role.start(&start, &f->role, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    join(f);
}

void fixture_reload(struct fixture *f)
{
    deliver_role.reload(f->role, &f->config, NULL);
}

static void send_rcpt(struct fixture *f, uint64_t job, uint32_t number, const struct errand *e)
{
    const char *address = e->rcpts[0] ? e->rcpts[number] : "bob@example.test";
    struct wire_job_rcpt *m = wire_add(f->core, WIRE_JOB_RCPT, 600);

    m->job = job;
    m->rcpt = number;
    m->notify = e->notify;
    wire_put(m, &m->address, str_of(address));
    wire_put(m, &m->orcpt, str_of(e->orcpt));
}

static struct str or_default(struct str s, const char *otherwise)
{
    return s.len > 0 ? s : str_of(otherwise);
}

static void send_job(struct fixture *f, uint64_t job, const struct errand *e)
{
    struct wire_job *m = wire_add(f->core, WIRE_JOB, 1000);
    struct str content = content_of(e);

    m->job = job;
    m->id = job;
    m->size_bytes = content.len;
    m->header_bytes = (uint32_t)(str_find(content, STR("\r\n\r\n")) + 4);
    m->route = e->route;
    m->smtputf8 = e->smtputf8;
    m->content = (uint8_t)((e->eight_bit ? TX_8BIT : 0) | (e->binary ? TX_BINARY : 0));
    m->connections = e->connections ? e->connections : 2;
    wire_put(m, &m->site,
             or_default(e->site, e->route == UINT32_MAX ? "example.test" : "route:127.0.0.1"));
    wire_put(m, &m->domain, or_default(e->domain, "example.test"));
    wire_put(m, &m->reverse_path, str_of(e->from ? e->from : "ann@client.test"));
    wire_put(m, &m->envid, str_of(e->envid));
    wire_put(m, &m->body_hash, str_make(e->body_hash, e->body_hash ? DKIM_HASH_BYTES : 0));
}

static void send_sign(struct fixture *f, uint64_t job, uint64_t key)
{
    struct wire_job_sign *m = wire_add(f->core, WIRE_JOB_SIGN, 32);

    m->job = job;
    m->key = key;
    m->signed_s = 1700000000;
    m->expires_s = 1701000000;
    m->algorithm = key == 1 ? DKIM_RSA_SHA256 : DKIM_ED25519_SHA256;
    wire_put(m, &m->domain, STR("client.test"));
    wire_put(m, &m->selector, key == 1 ? STR("rsa") : STR("ed"));
}

void fixture_send(struct fixture *f, const struct errand *e)
{
    uint64_t job = ++f->jobs;
    uint32_t count = 0;
    struct wire_job_edit *edit;
    struct wire_job_go *go;

    f->errands[job % 64] = *e;
    f->sent[job % 64] = 0;
    send_job(f, job, e);
    while (count < FIXTURE_RCPTS_MAX && e->rcpts[count])
        count++;
    if (count == 0)
        count = e->many ? FIXTURE_MANY : 1;
    for (uint32_t i = 0; i < count; i++)
        send_rcpt(f, job, i, e);
    edit = wire_add(f->core, WIRE_JOB_EDIT, 32);
    edit->job = job;
    edit->kind = 2;
    wire_put(edit, &edit->text, STR("X-Edit: yes\r\n"));
    for (uint64_t key = 1; key <= e->signs; key++)
        send_sign(f, job, key);
    go = wire_add(f->core, WIRE_JOB_GO, 0);
    go->job = job;
    hand_content(f, job, JOB_CONTENT_FIRST);
}

void fixture_cancel(struct fixture *f, uint64_t job)
{
    struct wire_job_cancel *m = wire_add(f->core, WIRE_JOB_CANCEL, 0);

    m->job = job;
}

void fixture_await(struct fixture *f, unsigned results)
{
    int64_t end_ms = loop_now_ms() + PATIENCE_MS;

    while (f->results < results && f->failure[0] == '\0' && loop_now_ms() < end_ms)
        loop_turn(100);
}

const char *fixture_ask_live(struct fixture *f, const char *target)
{
    struct wire_admin *m = wire_add(f->web, WIRE_ADMIN, 100);
    int64_t end_ms = loop_now_ms() + PATIENCE_MS;

    m->request = 1;
    m->verb = ADMIN_LIVE_PORT;
    wire_put(m, &m->name, str_of(target));
    f->live_answered = false;
    while (!f->live_answered && loop_now_ms() < end_ms)
        loop_turn(100);
    return f->live;
}

void fixture_stop(struct fixture *f)
{
    if (f->web)
        channel_free(f->web);
    if (f->core)
        channel_free(f->core);
    if (f->resolve)
        channel_free(f->resolve);
    f->core = f->resolve = f->web = NULL;
    deliver_role.free(f->role);
    ring_free(f->ring_in);
    ring_free(f->ring);
    buf_done(&f->told);
}
