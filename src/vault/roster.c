// SPDX-License-Identifier: Apache-2.0
/* vault/roster.c - the tables of accounts, streams, people and credentials in memory. What their
 * settings mean is roster_settings.c's. */
#include "vault/roster.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXTS_BLOCK = 256, TENANT_KEY_MAX = 512 };

bool roster_name_ok(struct str name)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && !strchr("._-@", c))
            return false;
        if (c == '\0') /* which strchr() finds */
            return false;
    }
    return true;
}

/* The whole ------------------------------------------------------------------------------------ */

void roster_init(struct roster *r)
{
    list_init(&r->accounts);
    list_init(&r->users);
    list_init(&r->credentials);
    map_init(&r->accounts_by_name);
    map_init(&r->users_by_name);
    map_init(&r->credentials_by_user);
    map_init(&r->tenants);
    map_init(&r->certificates);
    idmap_init(&r->accounts_by_id);
    idmap_init(&r->streams_by_id);
    idmap_init(&r->users_by_id);
    idmap_init(&r->credentials_by_id);
}

static void credential_free(struct credential *c)
{
    arena_done(&c->texts);
    free(c->networks);
    free(c);
}

static void user_free(struct user *u)
{
    arena_done(&u->texts);
    free(u);
}

static void stream_free(struct stream *s)
{
    arena_done(&s->texts);
    free(s);
}

static void account_free(struct account *a)
{
    LIST_EACH (&a->streams, struct stream, s, link)
        stream_free(s);
    arena_done(&a->texts);
    free(a);
}

void roster_done(struct roster *r)
{
    LIST_EACH (&r->credentials, struct credential, c, link)
        credential_free(c);
    LIST_EACH (&r->users, struct user, u, link)
        user_free(u);
    LIST_EACH (&r->accounts, struct account, a, link)
        account_free(a);
    map_done(&r->accounts_by_name);
    map_done(&r->users_by_name);
    map_done(&r->credentials_by_user);
    map_done(&r->tenants);
    map_done(&r->certificates);
    idmap_done(&r->accounts_by_id);
    idmap_done(&r->streams_by_id);
    idmap_done(&r->users_by_id);
    idmap_done(&r->credentials_by_id);
    roster_init(r);
}

/* The text copied to `at`, which lies behind the struct that it belongs to. */
static struct str keep(void *at, struct str text)
{
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return str_make(at, text.len);
}

/* Accounts ------------------------------------------------------------------------------------- */

struct account *roster_add_account(struct roster *r, const struct account_row *row)
{
    struct account *a = mem_new(sizeof *a + row->name.len);

    a->id = row->id;
    if (row->parent != 0) {
        a->parent = idmap_find(&r->accounts_by_id, row->parent);
        assert(a->parent); /* the database holds the reference */
        a->parent->children++;
        a->depth = a->parent->depth + 1;
    }
    a->created_wall_ms = row->created_wall_ms;
    a->name = keep(a + 1, row->name);
    list_init(&a->streams);
    arena_init(&a->texts, TEXTS_BLOCK);
    list_append(&r->accounts, &a->link);
    void *by_name = map_put(&r->accounts_by_name, a->name, a);
    void *by_id = idmap_put(&r->accounts_by_id, a->id, a);
    assert(!by_name && !by_id);
    roster_set_account(r, a, row->settings);
    return a;
}

void roster_remove_account(struct roster *r, struct account *a)
{
    assert(a->credentials == 0 && a->users == 0 && a->children == 0);
    LIST_EACH (&a->streams, struct stream, s, link)
        roster_remove_stream(r, s);
    (void)map_take(&r->accounts_by_name, a->name);
    (void)idmap_take(&r->accounts_by_id, a->id);
    list_remove(&a->link);
    if (a->parent)
        a->parent->children--;
    account_free(a);
}

struct account *roster_account(const struct roster *r, struct str name)
{
    return map_find(&r->accounts_by_name, name);
}

struct account *roster_account_of_id(const struct roster *r, uint64_t id)
{
    return idmap_find(&r->accounts_by_id, id);
}

const char *account_id_text(const struct account *a, char text[ACCOUNT_ID_TEXT_MAX])
{
    (void)snprintf(text, ACCOUNT_ID_TEXT_MAX, "a%" PRIu64, a->id);
    return text;
}

enum account_state account_own_state(const struct account *a)
{
    return a->ended ? ACCOUNT_SUSPENDED : a->state;
}

enum account_state account_state_of(const struct account *a)
{
    enum account_state state = ACCOUNT_ACTIVE;

    for (; a; a = a->parent) {
        enum account_state own = account_own_state(a);
        if (own == ACCOUNT_SUSPENDED)
            return ACCOUNT_SUSPENDED;
        if (own == ACCOUNT_SANDBOX)
            state = ACCOUNT_SANDBOX;
    }
    return state;
}

bool account_is_below(const struct account *a, const struct account *above)
{
    while (a && a != above)
        a = a->parent;
    return a != NULL;
}

/* Streams -------------------------------------------------------------------------------------- */

struct stream *roster_add_stream(struct roster *r, const struct stream_row *row)
{
    struct stream *s = mem_new(sizeof *s + row->name.len);

    s->id = row->id;
    s->account = idmap_find(&r->accounts_by_id, row->account);
    assert(s->account && !roster_stream(s->account, row->name));
    s->created_wall_ms = row->created_wall_ms;
    s->name = keep(s + 1, row->name);
    arena_init(&s->texts, TEXTS_BLOCK);
    list_append(&s->account->streams, &s->link);
    void *by_id = idmap_put(&r->streams_by_id, s->id, s);
    assert(!by_id);
    roster_set_stream(r, s, row->settings);
    roster_find_default(s->account); /* it may be the one that was waited for */
    return s;
}

void roster_remove_stream(struct roster *r, struct stream *s)
{
    (void)idmap_take(&r->streams_by_id, s->id);
    list_remove(&s->link);
    if (s->account->default_stream == s)
        s->account->default_stream = NULL;
    stream_free(s);
}

struct stream *roster_stream(const struct account *a, struct str name)
{
    LIST_EACH (&a->streams, struct stream, s, link)
        if (str_eq(s->name, name))
            return s;
    return NULL;
}

/* People --------------------------------------------------------------------------------------- */

struct user *roster_add_user(struct roster *r, const struct user_row *row)
{
    struct user *u = mem_new(sizeof *u + row->name.len);

    u->id = row->id;
    if (row->account != 0) {
        u->account = idmap_find(&r->accounts_by_id, row->account);
        assert(u->account);
        u->account->users++;
    }
    u->created_wall_ms = row->created_wall_ms;
    u->last_used_wall_ms = row->last_used_wall_ms;
    u->name = keep(u + 1, row->name);
    arena_init(&u->texts, TEXTS_BLOCK);
    u->password = arena_str(&u->texts, row->password);
    list_append(&r->users, &u->link);
    void *by_name = map_put(&r->users_by_name, u->name, u);
    void *by_id = idmap_put(&r->users_by_id, u->id, u);
    assert(!by_name && !by_id);
    roster_set_user(r, u, row->settings);
    return u;
}

void roster_remove_user(struct roster *r, struct user *u)
{
    (void)map_take(&r->users_by_name, u->name);
    (void)idmap_take(&r->users_by_id, u->id);
    list_remove(&u->link);
    if (u->account)
        u->account->users--;
    user_free(u);
}

struct user *roster_user(const struct roster *r, struct str name)
{
    return map_find(&r->users_by_name, name);
}

/* Credentials ---------------------------------------------------------------------------------- */

/* Certificates and tenants are found by what they are, not by their name. */
static void index_credential(struct roster *r, struct credential *c)
{
    if (c->kind == CREDENTIAL_CERT)
        (void)map_put(&r->certificates, str_make(c->hash, sizeof c->hash), c);
    else if (c->kind == CREDENTIAL_TENANT)
        (void)map_put(&r->tenants, c->tenant_key, c);
}

static void unindex_credential(struct roster *r, const struct credential *c)
{
    if (c->kind == CREDENTIAL_CERT)
        (void)map_take(&r->certificates, str_make(c->hash, sizeof c->hash));
    else if (c->kind == CREDENTIAL_TENANT)
        (void)map_take(&r->tenants, c->tenant_key);
}

struct credential *roster_add_credential(struct roster *r, const struct credential_row *row)
{
    struct credential *c = mem_new(sizeof *c + row->user.len);

    c->id = row->id;
    c->account = idmap_find(&r->accounts_by_id, row->account);
    assert(c->account);
    c->account->credentials++;
    memcpy(c->hash, row->hash, sizeof c->hash);
    c->scram = row->scram;
    c->created_wall_ms = row->created_wall_ms;
    c->last_used_wall_ms = row->last_used_wall_ms;
    c->user = keep(c + 1, row->user);
    arena_init(&c->texts, TEXTS_BLOCK);
    list_append(&r->credentials, &c->link);
    void *by_user = map_put(&r->credentials_by_user, c->user, c);
    void *by_id = idmap_put(&r->credentials_by_id, c->id, c);
    assert(!by_user && !by_id);
    roster_read_credential(c, row->settings);
    index_credential(r, c);
    return c;
}

void roster_set_credential(struct roster *r, struct credential *c, struct str settings)
{
    unindex_credential(r, c);
    roster_read_credential(c, settings);
    index_credential(r, c);
}

void roster_set_secret(struct roster *r, struct credential *c, const struct credential_row *row)
{
    unindex_credential(r, c);
    memcpy(c->hash, row->hash, sizeof c->hash);
    c->scram = row->scram;
    index_credential(r, c);
}

void roster_remove_credential(struct roster *r, struct credential *c)
{
    unindex_credential(r, c);
    (void)map_take(&r->credentials_by_user, c->user);
    (void)idmap_take(&r->credentials_by_id, c->id);
    list_remove(&c->link);
    c->account->credentials--;
    credential_free(c);
}

struct credential *roster_credential(const struct roster *r, struct str user)
{
    return map_find(&r->credentials_by_user, user);
}

struct credential *roster_credential_of_id(const struct roster *r, uint64_t id)
{
    return idmap_find(&r->credentials_by_id, id);
}

struct credential *roster_certificate(const struct roster *r,
                                      const uint8_t fingerprint[SECRET_HASH_BYTES])
{
    return map_find(&r->certificates, str_make(fingerprint, SECRET_HASH_BYTES));
}

struct credential *roster_tenant(const struct roster *r, struct str upstream, struct str value)
{
    struct buf key;

    buf_init(&key, TENANT_KEY_MAX);
    buf_add(&key, upstream);
    buf_add_char(&key, '\n'); /* in neither of them */
    buf_add(&key, value);
    struct credential *c = buf_ok(&key) ? map_find(&r->tenants, buf_str(&key)) : NULL;
    buf_done(&key);
    return c;
}
