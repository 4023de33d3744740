// SPDX-License-Identifier: Apache-2.0
/* vault/auth.c - sessions as accept opens and closes them, and what it asks of them. Whose each is,
 * core hears from here and believes nobody else. */
#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"
#include "vault/auth.h"
#include "vault/password.h"

/* SESSIONS_MAX: more than any accept role may hold open, past it the peer is broken. */
enum { SESSIONS_MAX = 1000000, PASSWORD_THREADS = 2, PASSWORD_WORK_MAX = 64 };

static struct vault_session *session_find(struct vault_peer *accept, uint64_t id)
{
    return idmap_find(&accept->sessions, id);
}

static void on_expiry(void *arg)
{
    binding_review(arg);
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
    timer_init(&s->expiry, on_expiry, s);
    idmap_put(&accept->sessions, s->id, s);
    binding_by_network(s, 1);
    return true;
}

static void session_end(struct vault_session *s)
{
    attempt_drop(s);
    timer_clear(&s->expiry);
    free(s);
}

static void on_close(struct vault_peer *accept, uint64_t session)
{
    struct vault_session *s = idmap_take(&accept->sessions, session);

    if (s)
        session_end(s);
}

static void log_certificate(const struct vault_session *s, const struct credential *c,
                            const char *why)
{
    char ip[IP_TEXT_MAX];
    struct log_line l;

    log_begin(&l, LOG_INFO, "certificate-refused");
    log_cstr(&l, "client", ip_format(&s->client, ip));
    if (c)
        log_str(&l, "user", c->user);
    log_cstr(&l, "why", why);
    log_end(&l);
}

/* Its credential's, when there is one that may be used; else nothing changes. */
static bool on_certificate(struct vault_peer *accept, const struct wire_session_cert *m,
                           struct err *err)
{
    struct vault_session *s = session_find(accept, m->session);
    struct str print = wire_get(m, m->fingerprint);

    if (!s || print.len != SECRET_HASH_BYTES)
        return err_set(err, ERR_SYNTAX, "a certificate %s",
                       s ? "without its fingerprint" : "in a session that is not open");
    struct credential *c = roster_certificate(&accept->vault->roster, (const uint8_t *)print.ptr);
    enum verdict verdict = c ? verdict_of_credential(c, s) : VERDICT_WRONG;
    if (verdict == VERDICT_RIGHT) {
        binding_by_credential(s, c, BIND_CERTIFICATE | BIND_AUTHENTICATED, BIND_CERT);
        return true;
    }
    log_certificate(s, c, c ? verdict_text(verdict) : "no credential has its fingerprint");
    binding_by_network(s, BIND_CERT);
    return true;
}

static bool on_auth(struct vault_peer *accept, const struct wire_auth *m, struct err *err)
{
    struct vault_session *s = session_find(accept, m->session);

    return s ? attempt_secret(s, wire_get(m, m->user), wire_get(m, m->secret), err)
             : err_set(err, ERR_SYNTAX, "AUTH in a session that is not open");
}

static bool on_step(struct vault_peer *accept, const struct wire_auth_step *m, struct err *err)
{
    struct vault_session *s = session_find(accept, m->session);

    return s ? attempt_step(s, m->step, wire_get(m, m->message), err)
             : err_set(err, ERR_SYNTAX, "AUTH in a session that is not open");
}

bool auth_on_frame(struct vault_peer *accept, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_SESSION_OPEN:
        return on_open(accept, (const struct wire_session_open *)f, err);
    case WIRE_SESSION_CERT:
        return on_certificate(accept, (const struct wire_session_cert *)f, err);
    case WIRE_AUTH:
        return on_auth(accept, (const struct wire_auth *)f, err);
    case WIRE_AUTH_STEP:
        return on_step(accept, (const struct wire_auth_step *)f, err);
    case WIRE_SESSION_CLOSE:
        on_close(accept, ((const struct wire_session_close *)f)->session);
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "accept sent %s", wire_type_name(f->type));
    }
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

bool auth_start(struct vault *v, struct err *err)
{
    list_init(&v->checks);
    random_bytes(v->nobody, sizeof v->nobody);
    password_nobody(v->nobody_password);
    return worker_pool_new("vault-password", PASSWORD_THREADS, PASSWORD_WORK_MAX,
                           &v->password_workers, err);
}

void auth_end(struct vault *v)
{
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        auth_drop_sessions(&v->accept[i]);
    while (v->passwords_at_work > 0)
        loop_turn(100);
    worker_pool_free(v->password_workers);
}
