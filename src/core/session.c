// SPDX-License-Identifier: Apache-2.0
/* core/session.c - who is connected, on whose account, within which limits.
 *
 * vault says whose a session is; core counts it, and only then accept hears that it may go on. A
 * session counts against its client's address until it is authenticated or trusted, then against
 * its account. */
#include <stdlib.h>

#include "core/core.h"

/* One client address: its open sessions, and the arrivals of this minute. */
struct client {
    unsigned sessions, arrivals;
    int64_t minute;
    char key[IP_TEXT_MAX];
};

static struct client *client_get(struct core *c, const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    struct client *client = map_find(&c->clients, str_of(ip_format(ip, text)));

    if (client)
        return client;
    client = NEW(struct client);
    memcpy(client->key, text, sizeof text);
    map_put(&c->clients, str_of(client->key), client);
    return client;
}

static void client_leave(struct core *c, struct core_session *s)
{
    struct client *client = s->counted;

    s->counted = NULL;
    if (!client || --client->sessions > 0 || client->minute == core_now(c) / 60000)
        return;
    map_take(&c->clients, str_of(client->key));
    free(client);
}

/* Addresses that came and went within a minute stay known until it is over; this is where they end.
 */
static void clients_forget(struct core *c)
{
    int64_t minute = core_now(c) / 60000;
    size_t at = 0;
    struct str key;
    void *value;

    if (minute == c->clients_minute)
        return;
    c->clients_minute = minute;
    while (map_each(&c->clients, &at, &key, &value)) {
        struct client *client = value;
        if (client->sessions == 0 && client->minute < minute) {
            map_take(&c->clients, key);
            free(client);
        }
    }
}

static size_t account_sessions(struct core *c, uint64_t account, int change)
{
    size_t open = (size_t)(uintptr_t)idmap_find(&c->accounts, account);

    if (account == 0 || change == 0)
        return open;
    open = change > 0 ? open + 1 : open - 1;
    if (open == 0)
        idmap_take(&c->accounts, account);
    else
        idmap_put(&c->accounts, account, (void *)(uintptr_t)open);
    return open;
}

struct core_session *session_find(struct peer *accept, uint64_t session)
{
    return idmap_find(&accept->sessions, session);
}

bool session_may_send(const struct core_session *s)
{
    return s->account != 0 || (s->flags & BIND_TENANTS);
}

static void ready(struct peer *accept, const struct wire_session_bind *m, uint16_t code,
                  struct str text)
{
    struct str login = str_sub(wire_get(m, m->login), 0, LOGIN_MAX);
    struct wire_session_ready *r =
        wire_add(accept->channel, WIRE_SESSION_READY, text.len + login.len);

    r->session = m->session;
    r->flags = m->flags;
    r->code = code;
    r->opening = m->opening;
    wire_put(r, &r->text, text);
    wire_put(r, &r->login, login);
}

/* The limit that the client's address meets, as words, or an empty text. */
static struct str client_limit(struct core *c, struct client *client)
{
    const struct config_limits *l = &c->config->limits;
    int64_t minute = core_now(c) / 60000;

    if (client->minute != minute) {
        client->minute = minute;
        client->arrivals = 0;
    }
    client->arrivals++;
    if (client->sessions >= l->sessions_per_client)
        return STR(
            "too many sessions from your address at once (limits.sessions_per_client); close some first");
    if (client->arrivals > l->connections_per_minute_per_client)
        return STR("too many connections from your address this minute "
                   "(limits.connections_per_minute_per_client); send more messages per connection");
    return STR("");
}

static struct str account_limit(struct core *c, uint64_t account)
{
    if (account_sessions(c, account, 0) < c->config->limits.sessions_per_account)
        return STR("");
    return STR(
        "too many sessions of your account at once (limits.sessions_per_account); close some first");
}

/* Kept only by those few that speak for several accounts. */
static void take_tenants(struct core_session *s, const struct wire_session_bind *m)
{
    struct str upstream = wire_get(m, m->upstream), header = wire_get(m, m->tenant_header);

    free(s->tenant_texts);
    s->tenant_texts = NULL;
    s->upstream = s->tenant_header = STR_NONE;
    if (!(m->flags & BIND_TENANTS))
        return;
    s->tenant_texts = mem_new(upstream.len + header.len + 1);
    if (upstream.len > 0)
        memcpy(s->tenant_texts, upstream.ptr, upstream.len);
    if (header.len > 0)
        memcpy(s->tenant_texts + upstream.len, header.ptr, header.len);
    s->upstream = str_make(s->tenant_texts, upstream.len);
    s->tenant_header = str_make(s->tenant_texts + upstream.len, header.len);
}

static void take_binding(struct core_session *s, const struct wire_session_bind *m)
{
    struct str login = str_sub(wire_get(m, m->login), 0, sizeof s->login_text);

    s->account = m->account;
    s->credential = m->credential;
    s->stream = m->stream;
    s->flags = m->flags;
    take_tenants(s, m);
    if (login.len > 0)
        memcpy(s->login_text, login.ptr, login.len);
    s->login = str_make(s->login_text, login.len);
}

static void open_session(struct core *c, struct peer *accept, const struct wire_session_bind *m)
{
    struct ip client = wire_ip_get(&m->client);
    bool trusted = (m->flags & BIND_TRUSTED) != 0;
    struct client *counted = trusted ? NULL : client_get(c, &client);
    struct str limit = trusted ? account_limit(c, m->account) : client_limit(c, counted);
    struct core_session *s = NEW(struct core_session);

    /* One that is refused is remembered until its end comes, else that would be taken for an early
     * one. */
    s->id = m->session;
    s->refused = limit.len > 0;
    idmap_put(&accept->sessions, s->id, s);
    if (s->refused) {
        ready(accept, m, 421, limit);
        return;
    }
    s->client = client;
    s->listener = c->config->listeners[m->listener].kind;
    s->counted = counted;
    if (counted)
        counted->sessions++;
    take_binding(s, m);
    account_sessions(c, s->account, 1);
    ready(accept, m, 0, STR(""));
}

static void move_session(struct core *c, struct core_session *s, const struct wire_session_bind *m)
{
    account_sessions(c, s->account, -1);
    client_leave(c, s);
    take_binding(s, m);
    account_sessions(c, s->account, 1);
}

/* AUTH has succeeded, or a certificate was shown: from now on the session counts against its
 * account. A certificate that is nobody's changes nothing. */
static void rebind_session(struct core *c, struct peer *accept, struct core_session *s,
                           const struct wire_session_bind *m)
{
    bool moves = m->account != s->account || m->credential != s->credential;
    struct str limit = moves ? account_limit(c, m->account) : STR("");

    if (limit.len > 0) {
        ready(accept, m, 421, limit);
        return;
    }
    if (moves)
        move_session(c, s, m);
    else
        take_binding(s, m);
    ready(accept, m, 0, STR(""));
}

bool session_on_bind(struct core *c, const struct wire_session_bind *m, struct err *err)
{
    if (m->accept_instance >= ROLE_INSTANCES_MAX || m->listener >= c->config->listener_count)
        return err_set(err, ERR_SYNTAX, "a session of accept %u, listener %u", m->accept_instance,
                       m->listener);
    struct peer *accept = &c->accept[m->accept_instance];
    struct core_session *s = session_find(accept, m->session);

    if (!accept->channel)
        return true; /* it died meanwhile */
    if (m->opening == BIND_UNASKED) {
        if (s && !s->refused)
            move_session(c, s, m); /* a credential was revoked or changed (fault A07); what is sent
                                      now is judged anew at its end */
        return true;
    }
    if (idmap_take(&accept->closed_early, m->session))
        return true;
    if (m->opening == 1 && !s)
        open_session(c, accept, m);
    else if (m->opening != 1 && s && !s->refused)
        rebind_session(c, accept, s, m);
    return true;
}

static void session_end(struct core *c, struct core_session *s)
{
    client_leave(c, s);
    account_sessions(c, s->account, -1);
    free(s->tenant_texts);
    free(s);
}

void session_on_close(struct core *c, struct peer *accept, uint64_t session)
{
    struct core_session *s = idmap_take(&accept->sessions, session);

    if (s)
        session_end(c, s);
    else
        idmap_put(&accept->closed_early, session, accept);
    clients_forget(c);
}

void session_drop_all(struct core *c, struct peer *accept)
{
    size_t at = 0;
    uint64_t id;
    void *s;

    while (idmap_each(&accept->sessions, &at, &id, &s))
        session_end(c, s);
    idmap_done(&accept->sessions);
    idmap_init(&accept->sessions);
    idmap_done(&accept->closed_early);
    idmap_init(&accept->closed_early);
}

void sessions_done(struct core *c)
{
    size_t at = 0;
    struct str key;
    void *client;

    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        session_drop_all(c, &c->accept[i]);
    while (map_each(&c->clients, &at, &key, &client))
        free(client);
    map_done(&c->clients);
    idmap_done(&c->accounts);
}
