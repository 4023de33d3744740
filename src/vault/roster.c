// SPDX-License-Identifier: Apache-2.0
/* vault/roster.c - the tables of accounts and credentials in memory. */
#include "vault/roster.h"

#include <assert.h>
#include <stdlib.h>

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

void roster_init(struct roster *r)
{
    list_init(&r->accounts);
    list_init(&r->credentials);
    map_init(&r->accounts_by_name);
    map_init(&r->credentials_by_user);
    idmap_init(&r->accounts_by_id);
    idmap_init(&r->credentials_by_id);
}

void roster_done(struct roster *r)
{
    LIST_EACH (&r->credentials, struct credential, c, link)
        free(c);
    LIST_EACH (&r->accounts, struct account, a, link)
        free(a);
    map_done(&r->accounts_by_name);
    map_done(&r->credentials_by_user);
    idmap_done(&r->accounts_by_id);
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

void roster_add_account(struct roster *r, const struct account_row *row)
{
    struct account *a = mem_new(sizeof *a + row->name.len);

    a->id = row->id;
    a->created_wall_ms = row->created_wall_ms;
    a->name = keep(a + 1, row->name);
    list_append(&r->accounts, &a->link);
    void *by_name = map_put(&r->accounts_by_name, a->name, a);
    void *by_id = idmap_put(&r->accounts_by_id, a->id, a);
    assert(!by_name && !by_id);
}

void roster_add_credential(struct roster *r, const struct credential_row *row)
{
    struct credential *c = mem_new(sizeof *c + row->user.len);

    c->id = row->id;
    c->account = idmap_find(&r->accounts_by_id, row->account);
    assert(c->account); /* the database holds the reference */
    c->account->credentials++;
    memcpy(c->hash, row->hash, sizeof c->hash);
    c->normalize = row->normalize;
    c->created_wall_ms = row->created_wall_ms;
    c->last_used_wall_ms = row->last_used_wall_ms;
    c->user = keep(c + 1, row->user);
    list_append(&r->credentials, &c->link);
    void *by_user = map_put(&r->credentials_by_user, c->user, c);
    void *by_id = idmap_put(&r->credentials_by_id, c->id, c);
    assert(!by_user && !by_id);
}

void roster_remove_credential(struct roster *r, struct credential *c)
{
    (void)map_take(&r->credentials_by_user, c->user);
    (void)idmap_take(&r->credentials_by_id, c->id);
    list_remove(&c->link);
    c->account->credentials--;
    free(c);
}

struct account *roster_account(const struct roster *r, struct str name)
{
    return map_find(&r->accounts_by_name, name);
}

struct credential *roster_credential(const struct roster *r, struct str user)
{
    return map_find(&r->credentials_by_user, user);
}

struct credential *roster_credential_of_id(const struct roster *r, uint64_t id)
{
    return idmap_find(&r->credentials_by_id, id);
}
