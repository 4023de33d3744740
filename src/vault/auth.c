// SPDX-License-Identifier: Apache-2.0
/* vault/auth.c - whose a session is. core hears it from here and believes nobody else.
 *
 * A check does the same work whether the user exists or not: one hash, one comparison (fault A04).
 * An answer may have to wait (slowdown.c), but it never becomes a refusal because of others'
 * guesses. Neither secrets nor what might be one are logged (fault A06). */
#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"
#include "vault/vault.h"

/* More than any accept role may hold open: past it the peer is broken. */
enum { SESSIONS_MAX = 1000000, ANSWERS_WAITING_MAX = 10000 };

struct vault_session {
    struct vault_peer *accept;
    uint64_t id;
    struct ip client;
    uint16_t port;
    uint32_t listener;
    uint64_t credential; /* 0: none yet */
    /* An AUTH that was judged and whose answer waits. */
    bool waiting;
    uint64_t judged; /* the credential it was right for, or 0 */
    struct timer answer;
};

static void send_bind(struct vault_session *s, const struct wire_session_bind *from,
                      struct str login)
{
    struct vault *v = s->accept->vault;

    if (!v->core.channel)
        return; /* accept knows, and has refused */
    struct wire_session_bind *f = wire_add(v->core.channel, WIRE_SESSION_BIND, login.len);
    f->session = s->id;
    f->account = from->account;
    f->credential = from->credential;
    f->flags = from->flags;
    f->opening = from->opening;
    f->client = wire_ip_of(&s->client, s->port);
    f->accept_instance = s->accept->instance;
    f->listener = s->listener;
    wire_put(f, &f->login, login);
}

/* As its network says; account 0 when that is not trusted. opening: as in wire_session_bind. */
static void bind_by_network(struct vault_session *s, uint16_t opening)
{
    struct vault *v = s->accept->vault;
    const struct config_network *n = config_network_find(v->config, &s->client);
    struct account *a = n ? roster_account(&v->roster, n->account) : NULL;
    struct wire_session_bind b = { .opening = opening };

    if (a) {
        b.account = a->id;
        b.flags = BIND_TRUSTED | (n->normalize ? BIND_NORMALIZE : 0u);
    }
    send_bind(s, &b, STR(""));
}

static void bind_by_credential(struct vault_session *s, struct credential *c)
{
    const struct wire_session_bind b = {
        .account = c->account->id,
        .credential = c->id,
        .flags = BIND_AUTHENTICATED | (c->normalize ? BIND_NORMALIZE : 0u),
    };

    s->credential = c->id;
    c->last_used_wall_ms = clock_wall_ms();
    c->use_unsaved = true;
    send_bind(s, &b, c->user);
}

static void send_failed(struct vault_session *s, uint16_t code, struct str text)
{
    if (!s->accept->channel)
        return;
    struct wire_auth_failed *f = wire_add(s->accept->channel, WIRE_AUTH_FAILED, text.len);
    f->session = s->id;
    f->code = code;
    wire_put(f, &f->text, text);
}

/* The answer, at the end of its wait. The credential may have gone meanwhile. */
static void answer_now(void *arg)
{
    struct vault_session *s = arg;
    struct vault *v = s->accept->vault;
    struct credential *c = s->judged ? roster_credential_of_id(&v->roster, s->judged) : NULL;

    s->waiting = false;
    v->answers_waiting--;
    if (!c) {
        v->auth_wrong++;
        send_failed(s, 535, STR("user or secret is wrong"));
    } else if (!v->core.channel) {
        v->auth_refused++;
        send_failed(s, 454, STR("cannot check right now, try again later"));
    } else {
        v->auth_right++;
        bind_by_credential(s, c);
    }
}

/* A user field that is not a user name may be a secret in the wrong place. */
static void log_failed(const struct vault_session *s, struct str user, int64_t wait_ms)
{
    char ip[IP_TEXT_MAX];
    struct log_line l;
    bool is_name = roster_name_ok(user) && !str_starts(user, STR("bt_"));

    log_begin(&l, LOG_INFO, "auth-failed");
    log_cstr(&l, "client", ip_format(&s->client, ip));
    if (is_name)
        log_str(&l, "user", user);
    else
        log_cstr(&l, "user", "(not a user name)");
    log_num(&l, "answer_in_ms", wait_ms);
    log_end(&l);
}

/* The credential whose user and secret these are, or NULL. */
static struct credential *check(struct vault *v, struct str user, struct str secret)
{
    struct credential *c = roster_credential(&v->roster, user);
    uint8_t hash[SECRET_HASH_BYTES];

    secret_hash(v->key, secret, hash);
    v->hashes++;
    bool right = secret_hash_eq(hash, c ? c->hash : v->nobody);
    v->compares++;
    mem_wipe(hash, sizeof hash);
    return right ? c : NULL;
}

static struct vault_session *session_find(struct vault_peer *accept, uint64_t id)
{
    return idmap_find(&accept->sessions, id);
}

static bool on_auth(struct vault_peer *accept, const struct wire_auth *m, struct err *err)
{
    struct vault *v = accept->vault;
    struct vault_session *s = session_find(accept, m->session);
    struct str user = wire_get(m, m->user);

    if (!s || s->waiting)
        return err_set(err, ERR_SYNTAX, "AUTH in a session that %s",
                       s ? "waits for an answer" : "is not open");
    if (!v->core.channel || v->answers_waiting >= ANSWERS_WAITING_MAX) {
        v->auth_refused++;
        send_failed(s, 454, STR("cannot check right now, try again later"));
        return true;
    }
    struct credential *c = check(v, user, wire_get(m, m->secret));
    int64_t wait_ms = slowdown_judged(&v->slowdown, &s->client, user, c != NULL, loop_now_ms());
    if (!c)
        log_failed(s, user, wait_ms);
    s->judged = c ? c->id : 0;
    s->waiting = true;
    v->answers_waiting++;
    if (wait_ms == 0)
        answer_now(s);
    else
        timer_set(&s->answer, loop_now_ms() + wait_ms);
    return true;
}

static bool on_open(struct vault_peer *accept, const struct wire_session_open *m, struct err *err)
{
    if (session_find(accept, m->session))
        return err_set(err, ERR_SYNTAX, "a session is opened twice");
    if (m->client.family != 4 && m->client.family != 6)
        return err_set(err, ERR_SYNTAX, "a session without a client");
    if (accept->sessions.count >= SESSIONS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d sessions", SESSIONS_MAX);
    struct vault_session *s = NEW(struct vault_session);
    s->accept = accept;
    s->id = m->session;
    s->client = wire_ip_get(&m->client);
    s->port = m->client.port;
    s->listener = m->listener;
    timer_init(&s->answer, answer_now, s);
    idmap_put(&accept->sessions, s->id, s);
    bind_by_network(s, 1);
    return true;
}

static void session_end(struct vault_session *s)
{
    if (s->waiting)
        s->accept->vault->answers_waiting--;
    timer_clear(&s->answer);
    free(s);
}

static void on_close(struct vault_peer *accept, uint64_t session)
{
    struct vault_session *s = idmap_take(&accept->sessions, session);

    if (s)
        session_end(s);
}

bool auth_on_frame(struct vault_peer *accept, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_SESSION_OPEN:
        return on_open(accept, (const struct wire_session_open *)f, err);
    case WIRE_AUTH:
        return on_auth(accept, (const struct wire_auth *)f, err);
    case WIRE_SESSION_CLOSE:
        on_close(accept, ((const struct wire_session_close *)f)->session);
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "accept sent %s", wire_type_name(f->type));
    }
}

static void unbind_at(struct vault_peer *accept, uint64_t credential)
{
    size_t at = 0;
    uint64_t id;
    void *value;

    while (idmap_each(&accept->sessions, &at, &id, &value)) {
        struct vault_session *s = value;
        if (s->credential != credential)
            continue;
        s->credential = 0;
        bind_by_network(s, BIND_UNASKED);
    }
}

void auth_unbind(struct vault *v, uint64_t credential)
{
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        unbind_at(&v->accept[i], credential);
}

void auth_account_changed(struct vault *v, const struct account *a)
{
    LIST_EACH (&v->roster.credentials, struct credential, c, link)
        if (account_is_below(c->account, a) &&
            account_state_of(c->account) == ACCOUNT_SUSPENDED)
            auth_unbind(v, c->id);
}

void auth_drop_sessions(struct vault_peer *accept)
{
    size_t at = 0;
    uint64_t id;
    void *s;

    while (idmap_each(&accept->sessions, &at, &id, &s))
        session_end(s);
    idmap_done(&accept->sessions);
    idmap_init(&accept->sessions);
}
