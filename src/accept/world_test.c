// SPDX-License-Identifier: Apache-2.0
/* accept/world_test.c - the role's surroundings, for tests. */
#include "accept/world_test.h"

#include <assert.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/code.h"
#include "base/mem.h"

#define CLIENT_MS_MAX 20000

static const char world_yaml[] =
    "hostname: relay.example.net\n"
    "listeners:\n"
    "  - { kind: submission, address: '127.0.0.1:2587' }\n"
    "  - { kind: submissions, address: '127.0.0.1:2465' }\n"
    "  - { kind: relay, address: '127.0.0.1:2525' }\n"
    "  - { kind: relay, name: proxied, address: '127.0.0.1:2526',\n"
    "      proxy_from: ['127.0.0.1/32'] }\n"
    "  - { kind: submissions, name: proxied-tls, address: '127.0.0.1:2466',\n"
    "      proxy_from: ['127.0.0.1/32'] }\n"
    "local_domains: [home.example]\n"
    "routes:\n"
    "  - { domain: home.example, via: smarthost, host: 192.0.2.7 }\n";

void world_settle(void)
{
    for (int i = 0; i < 20; i++)
        loop_turn(0);
}

/* Certificate ------------------------------------------------------------------------------- */

static void take_pem(BIO *bio, struct buf *to)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);

    buf_init(to, 64 * 1024);
    (void)buf_add(to, str_make(bytes, (size_t)len));
    BIO_free(bio);
}

void world_make_certificate(struct buf *chain, struct buf *key)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());

    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"relay.example.net", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, pair);
    X509_sign(x, pair, EVP_sha256());
    PEM_write_bio_X509(bio, x);
    take_pem(bio, chain);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL);
    take_pem(bio, key);
    X509_free(x);
    EVP_PKEY_free(pair);
}

/* Vault ------------------------------------------------------------------------------------- */

static void send_ready(struct world *w, uint64_t session, unsigned flags, bool opening,
                       struct str login)
{
    struct str text = STR("go away");
    struct wire_session_ready *f = wire_add(w->core, WIRE_SESSION_READY, text.len + login.len);

    f->session = session;
    f->flags = flags;
    f->opening = opening;
    f->code = opening ? w->ready_code : 0;
    wire_put(f, &f->text, f->code != 0 ? text : STR_NONE);
    wire_put(f, &f->login, login);
}

static void send_auth_failed(struct world *w, uint64_t session, uint16_t code)
{
    struct wire_auth_failed *no = wire_add(w->vault, WIRE_AUTH_FAILED, 5);

    no->session = session;
    no->code = code;
    wire_put(no, &no->text, STR("wrong"));
}

static void check_auth(struct world *w, const struct wire_auth *f)
{
    bool right =
        str_eq(wire_get(f, f->user), STR("ann")) && str_eq(wire_get(f, f->secret), STR("secret"));

    w->auths++;
    if (right)
        send_ready(w, f->session, BIND_AUTHENTICATED, false, STR("ann"));
    else
        send_auth_failed(w, f->session, str_eq(wire_get(f, f->user), STR("busy")) ? 454 : 535);
}

/* Plays SCRAM: "first", then "final", then nothing; other words are failures. */
static void check_step(struct world *w, const struct wire_auth_step *f)
{
    static const struct {
        struct str message;
        uint32_t step;
        uint16_t code; /* 334: the challenge is `text` */
        const char *text;
    } answers[] = {
        { { "first", 5 }, 0, 334, "server-first" },
        { { "final", 5 }, 1, 334, "v=ok" },
        { { "", 0 }, 2, 0, "" },
        { { "wrong", 5 }, 1, 535, "wrong" },
        { { "suspended", 9 }, 1, 525, "suspended" },
        { { "busy", 4 }, 0, 454, "busy" },
    };
    struct str message = wire_get(f, f->message);
    size_t len = strlen(w->steps);

    (void)snprintf(w->steps + len, sizeof(w->steps) - len, "%u:%.*s ", f->step, STR_FMT(message));
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        if (answers[i].step != f->step || !str_eq(answers[i].message, message))
            continue;
        if (answers[i].code == 0) {
            send_ready(w, f->session, BIND_AUTHENTICATED, false, STR("ann"));
        } else if (answers[i].code == 334) {
            struct wire_auth_challenge *c = wire_add(w->vault, WIRE_AUTH_CHALLENGE, 64);
            c->session = f->session;
            wire_put(c, &c->message, str_of(answers[i].text));
        } else {
            send_auth_failed(w, f->session, answers[i].code);
        }
        return;
    }
    send_auth_failed(w, f->session, 501);
}

static void take_certificate(struct world *w, const struct wire_session_cert *f)
{
    struct str text = STR("too many of yours");
    struct wire_session_ready *r;

    w->certificates++;
    assert(f->fingerprint.len == sizeof(w->sha256));
    memcpy(w->sha256, wire_get(f, f->fingerprint).ptr, sizeof(w->sha256));
    r = wire_add(w->core, WIRE_SESSION_READY, 64);
    r->session = f->session;
    r->flags = w->certificate_flags;
    r->code = w->certificate_code;
    r->opening = BIND_CERT;
    wire_put(r, &r->text, r->code != 0 ? text : STR_NONE);
    wire_put(r, &r->login, w->certificate_flags != 0 ? STR("cert.example") : STR_NONE);
}

static bool on_vault_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct world *w = owner;

    (void)c;
    if (!wire_check(f, ROLE_ACCEPT, ROLE_VAULT, err))
        abort();
    if (f->type == WIRE_SESSION_OPEN) {
        w->client = ((const struct wire_session_open *)(const void *)f)->session;
        send_ready(w, w->client, w->client_flags, true, STR_NONE);
    } else if (f->type == WIRE_AUTH) {
        check_auth(w, (const struct wire_auth *)(const void *)f);
    } else if (f->type == WIRE_AUTH_STEP) {
        check_step(w, (const struct wire_auth_step *)(const void *)f);
    } else if (f->type == WIRE_SESSION_CERT) {
        take_certificate(w, (const struct wire_session_cert *)(const void *)f);
    }
    return true;
}

/* Core -------------------------------------------------------------------------------------- */

static struct taken *find_taken(struct world *w, uint64_t tx)
{
    for (unsigned i = 0; i < w->begun; i++)
        if (w->messages[i].tx == tx)
            return &w->messages[i];
    abort();
}

static void take_begin(struct world *w, const struct wire_tx_begin *f)
{
    struct taken *t = &w->messages[w->begun];

    assert(w->begun < WORLD_MESSAGES_MAX);
    w->begun++;
    *t = (struct taken){ .begun = true, .tx = f->tx, .number = w->begun, .body = f->body };
    (void)snprintf(t->reverse_path, sizeof(t->reverse_path), "%.*s",
                   STR_FMT(wire_get(f, f->reverse_path)));
    buf_init(&t->content, 64u << 20);
    buf_init(&t->rendered, 1u << 20);
    arena_init(&t->arena, 4096);
}

static void take_rcpt(struct taken *t, const struct wire_tx_rcpt *f)
{
    size_t len = strlen(t->rcpts);

    t->rcpt_count++;
    (void)snprintf(t->rcpts + len, sizeof(t->rcpts) - len, "%.*s ",
                   STR_FMT(wire_get(f, f->address)));
}

static void send_answer(struct world *w, uint64_t session, uint64_t tx, uint64_t id, uint16_t code)
{
    struct str text = code == 250 ? str_of(w->warning) : STR("disk full");
    struct wire_tx_answer *a = wire_add(w->core, WIRE_TX_ANSWER, text.len);

    a->session = session;
    a->tx = tx;
    a->id = id;
    a->code = code;
    a->status_subject = code == 250 ? 0 : 3;
    a->status_detail = code == 250 ? 0 : 1;
    wire_put(a, &a->text, text);
}

static void take_chunk(struct world *w, struct taken *t, const struct wire_tx_chunk *f)
{
    struct err err;

    if (!ring_read(w->ring_in, f->position, f->len, buf_room(&t->content, f->len), &err))
        abort();
    t->content.len += f->len;
    w->held_position = ring_taken(w->ring_in);
    if (!w->core_takes_nothing)
        world_give_credit(w);
    if (w->core_refuses_early && t->content.len == f->len)
        send_answer(w, f->session, f->tx, 0, 452);
}

static void take_edit(struct taken *t, const struct wire_tx_edit *f)
{
    assert(t->edit_count < EDITS_MAX);
    t->edits[t->edit_count++] =
        (struct header_edit){ .kind = (enum edit_kind)f->kind,
                              .offset = f->offset,
                              .len = f->len,
                              .text = arena_str(&t->arena, wire_get(f, f->text)) };
}

static void take_end(struct world *w, struct taken *t, const struct wire_tx_end *f)
{
    struct str section = str_sub(buf_str(&t->content), 0, f->header_bytes);
    char id[ID_TEXT_LEN + 1];
    struct err err;

    t->ended = true;
    t->header_bytes = f->header_bytes;
    t->facts = f->content;
    t->body_hash = arena_str(&t->arena, wire_get(f, f->body_hash));
    assert(f->size_bytes == t->content.len);
    if (!header_render(&t->rendered, section, t->edits, t->edit_count,
                       str_of(id_format(t->number, id)), &err))
        abort();
    (void)buf_add(&t->rendered, str_skip(buf_str(&t->content), f->header_bytes));
    if (!w->core_silent)
        send_answer(w, f->session, f->tx, t->number, w->answer_code != 0 ? w->answer_code : 250);
}

static bool on_core_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct world *w = owner;
    const void *any = f;

    (void)c;
    if (!wire_check(f, ROLE_ACCEPT, ROLE_CORE, err))
        abort();
    switch (f->type) {
    case WIRE_TX_BEGIN:
        take_begin(w, any);
        break;
    case WIRE_TX_RCPT:
        take_rcpt(find_taken(w, ((const struct wire_tx_rcpt *)any)->tx), any);
        break;
    case WIRE_TX_CHUNK:
        take_chunk(w, find_taken(w, ((const struct wire_tx_chunk *)any)->tx), any);
        break;
    case WIRE_TX_EDIT:
        take_edit(find_taken(w, ((const struct wire_tx_edit *)any)->tx), any);
        break;
    case WIRE_TX_END:
        take_end(w, find_taken(w, ((const struct wire_tx_end *)any)->tx), any);
        break;
    case WIRE_TX_ABORT:
        find_taken(w, ((const struct wire_tx_abort *)any)->tx)->aborted = true;
        break;
    case WIRE_SESSION_CLOSE:
        w->closes++;
        break;
    default:
        abort();
    }
    return true;
}

void world_forwards(struct world *w, bool begins, const char *names)
{
    struct wire_forwards *m = wire_add(w->core, WIRE_FORWARDS, strlen(names));

    m->begins = begins;
    wire_put(m, &m->names, str_of(names));
    world_settle();
}

void world_give_credit(struct world *w)
{
    struct wire_credit *f = wire_add(w->core, WIRE_CREDIT, 0);

    f->position = w->held_position;
}

void world_gate(struct world *w, bool open)
{
    struct wire_gate *f = wire_add(w->vault, WIRE_GATE, 0);

    f->open = open;
    world_settle();
}

/* Start and end ----------------------------------------------------------------------------- */

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct world *w = owner;

    (void)why;
    if (c == w->core)
        w->core = NULL;
    if (c == w->vault)
        w->vault = NULL;
    channel_free(c);
}

static const struct channel_events core_events = { .frame = on_core_frame, .closed = on_closed };
static const struct channel_events vault_events = { .frame = on_vault_frame, .closed = on_closed };

void world_join(struct world *w)
{
    struct role_link core = { .peer = ROLE_CORE, .generation = ++w->generation };
    struct role_link vault = { .peer = ROLE_VAULT, .generation = w->generation };
    struct err err;

    if (!ring_new(1u << 20, &w->ring_out, NULL, &err))
        abort();
    w->ring_in = ring_share(w->ring_out);
    channel_pair(1, &core.channel, 2, &w->core);
    channel_pair(1, &vault.channel, 2, &w->vault);
    channel_set_owner(w->core, &core_events, w);
    channel_set_owner(w->vault, &vault_events, w);
    core.ring_out = w->ring_out;
    accept_role.link(w->accept, &core);
    accept_role.link(w->accept, &vault);
    world_settle();
}

void world_cut(struct world *w)
{
    channel_free(w->core);
    channel_free(w->vault);
    w->core = w->vault = NULL;
    world_settle();
    ring_free(w->ring_in);
    ring_free(w->ring_out);
}

void world_start(struct world *w, const char *yaml)
{
    struct endpoint at = { .ip = ip_make4((const uint8_t[]){ 127, 0, 0, 1 }) };
    struct role_start start = { .kind = ROLE_ACCEPT, .listeners = w->listeners, .unix_fd = -1 };
    struct buf chain, key, text;
    struct err err;
    void *role;

    loop_init();
    *w = (struct world){ .messages = NEW_ARRAY(struct taken, WORLD_MESSAGES_MAX) };
    buf_init(&text, 64 * 1024);
    (void)buf_addf(&text, "%s%s", world_yaml, yaml);
    if (!config_parse(STR("world"), buf_str(&text), &w->config, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
    buf_done(&text);
    for (int i = 0; i < DOORS; i++)
        if (!listener_new(&at, &w->listeners[i], &err))
            abort();
    world_make_certificate(&chain, &key);
    start.config = w->config;
    start.listener_count = DOORS;
    start.tls_chain_pem = buf_str(&chain);
    start.tls_key_pem = buf_str(&key);
    if (!accept_role.start(&start, &role, &err))
        abort();
    w->accept = role;
    buf_done(&chain);
    buf_done(&key);
    world_join(w);
    world_gate(w, true);
}

void world_end(struct world *w)
{
    if (w->core != NULL)
        world_cut(w);
    accept_role.free(w->accept);
    for (int i = 0; i < DOORS; i++)
        listener_free(w->listeners[i]);
    world_forget(w);
    free(w->messages);
    config_free(w->config);
    world_settle();
}

void world_forget(struct world *w)
{
    for (unsigned i = 0; i < w->begun; i++) {
        buf_done(&w->messages[i].content);
        buf_done(&w->messages[i].rendered);
        arena_done(&w->messages[i].arena);
    }
    w->begun = 0;
}

unsigned world_whole(const struct world *w)
{
    unsigned count = 0;

    for (unsigned i = 0; i < w->begun; i++)
        count += w->messages[i].ended && !w->messages[i].aborted;
    return count;
}

struct session *world_session(struct world *w)
{
    uint32_t at = 0;

    world_settle();
    return session_table_each(&w->accept->sessions, &at);
}

/* Client ------------------------------------------------------------------------------------ */

void client_connect(struct client *c, struct world *w, enum door_kind door)
{
    struct endpoint to = listener_local(w->listeners[door]);
    struct ip any = { 0 };
    struct err err;

    *c = (struct client){ 0 };
    if (!stream_connect(&to, &any, loop_now_ms() + CLIENT_MS_MAX, &c->stream, &err))
        abort();
    if (door == DOOR_SUBMISSIONS)
        client_start_tls(c);
}

void client_close(struct client *c)
{
    stream_free(c->stream);
    c->stream = NULL;
    world_settle();
}

void client_start_tls(struct client *c)
{
    struct tls_client *tls;
    struct err err;

    if (!tls_client_new(TLS_VERIFY_NONE, NULL, &tls, &err) ||
        !stream_start_tls_client(c->stream, tls, STR("relay.example.net"),
                                 loop_now_ms() + CLIENT_MS_MAX, NULL, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
    tls_client_free(tls);
}

void client_say(struct client *c, struct str bytes)
{
    /* A server that has closed is heard of by client_hear(). */
    if (!stream_put(c->stream, bytes, NULL) || !stream_flush(c->stream, NULL))
        return;
}

void client_say_split(struct client *c, struct str bytes, size_t at)
{
    client_say(c, str_sub(bytes, 0, at));
    world_settle();
    client_say(c, str_skip(bytes, at));
}

static bool hear_line(struct client *c, struct str *ret)
{
    for (;;) {
        struct str window = stream_window(c->stream);
        size_t at = str_index(window, '\n');

        *ret = str_sub(window, 0, at + 1);
        if (at < window.len)
            return true;
        if (!stream_fill(c->stream, loop_now_ms() + CLIENT_MS_MAX, NULL))
            return false;
    }
}

unsigned client_hear(struct client *c)
{
    size_t len = 0;
    struct str line;
    bool last;

    c->code = 0;
    c->text[0] = '\0';
    do {
        uint64_t code;
        struct str digits;

        if (!hear_line(c, &line))
            return 0;
        digits = str_sub(line, 0, 3);
        if (line.len < 5 || !str_eat_u64(&digits, &code) || len + line.len >= sizeof(c->text))
            abort();
        memcpy(c->text + len, line.ptr, line.len);
        len += line.len;
        c->text[len] = '\0';
        c->code = (unsigned)code;
        last = line.ptr[3] == ' ';
        stream_take(c->stream, line.len);
    } while (!last);
    return c->code;
}
