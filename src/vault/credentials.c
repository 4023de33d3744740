// SPDX-License-Identifier: Apache-2.0
/* vault/credentials.c - credentials are made, listed and taken away. A secret leaves in the one row
 * that answers its making and is kept nowhere (fault A06). */
#include "io/clock.h"
#include "vault/operate.h"

struct making {
    struct credential_row row;
    uint64_t id;
};

static bool write_credential(struct control *c, void *arg, struct err *err)
{
    struct making *m = arg;

    return control_add_credential(c, &m->row, &m->id, err);
}

struct revoking {
    uint64_t id;
    int64_t wall_ms;
};

static bool revoke(struct control *c, void *arg, struct err *err)
{
    const struct revoking *r = arg;

    return control_revoke(c, r->id, r->wall_ms, err);
}

/* Shows a new secret, this once. */
static void send_secret(const struct request *r, const struct credential *c, struct str secret)
{
    struct buf row;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    json_begin(&j, &row);
    json_object(&j);
    operate_json_str(&j, "user", c->user);
    operate_json_str(&j, "secret", secret);
    operate_json_str(&j, "account", c->account->name);
    json_object_end(&j);
    operate_row(r, &row);
    mem_wipe(row.ptr, row.len);
    buf_done(&row);
}

static bool add_credential(struct vault *v, const struct request *r, struct making *m,
                           struct err *err)
{
    struct account *a;

    if (!operate_account(v, r->account, &a, err))
        return false;
    if (roster_credential(&v->roster, r->name))
        return err_set(err, ERR_EXISTS, "user %.*s is there already", STR_FMT(r->name));
    m->row.account = a->id;
    struct change change = change_by(r, "credential-added", a->name, r->name);
    if (!operate_change(v, &change, write_credential, m, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    m->row.id = m->id;
    roster_add_credential(&v->roster, &m->row);
    return true;
}

bool credential_add(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    bool normalize = str_eq(r->state, STR("normalize"));
    char secret[SECRET_TEXT_LEN + 1];
    uint8_t hash[SECRET_HASH_BYTES];

    (void)ret_next;
    if (!operate_name_ok(r->name, "user", err))
        return false;
    if (r->state.len > 0 && !normalize)
        return err_set(err, ERR_SYNTAX, "state: \"normalize\" or nothing is wanted");
    secret_make(secret);
    secret_hash(v->key, str_make(secret, SECRET_TEXT_LEN), hash);
    struct making m = { .row = { .user = r->name,
                                 .hash = hash,
                                 .kind = STR("smtp"),
                                 .settings = normalize ? STR("normalize=true\n") : STR(""),
                                 .created_wall_ms = clock_wall_ms() } };
    bool ok = add_credential(v, r, &m, err);
    if (ok)
        send_secret(r, roster_credential(&v->roster, r->name), str_make(secret, SECRET_TEXT_LEN));
    mem_wipe(secret, sizeof secret);
    return ok;
}

static void send_credential(const struct request *r, const struct credential *c)
{
    struct buf row;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    json_begin(&j, &row);
    json_object(&j);
    operate_json_str(&j, "user", c->user);
    operate_json_str(&j, "account", c->account->name);
    json_key(&j, "normalize");
    json_bool(&j, c->normalize);
    operate_json_date(&j, "created", c->created_wall_ms);
    operate_json_date(&j, "last_used", c->last_used_wall_ms);
    json_object_end(&j);
    operate_row(r, &row);
    buf_done(&row);
}

bool credential_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    size_t left = operate_row_limit(r);
    uint64_t last = 0;

    if (r->account.len > 0 && !roster_account(&v->roster, r->account))
        return err_set(err, ERR_NOT_FOUND, "there is no account %.*s", STR_FMT(r->account));
    LIST_EACH (&v->roster.credentials, struct credential, c, link) {
        if (c->id <= r->after || (r->account.len > 0 && !str_eq(c->account->name, r->account)))
            continue;
        if (left-- == 0) {
            *ret_next = last;
            return true;
        }
        last = c->id;
        send_credential(r, c);
    }
    return true;
}

bool credential_remove(struct vault *v, const struct request *r, uint64_t *ret_next,
                       struct err *err)
{
    struct credential *c = roster_credential(&v->roster, r->name);
    struct revoking revoking = { .wall_ms = clock_wall_ms() };

    (void)ret_next;
    if (!c)
        return err_set(err, ERR_NOT_FOUND, "there is no user %.*s", STR_FMT(r->name));
    revoking.id = c->id;
    struct change change = change_by(r, "credential-removed", c->account->name, c->user);
    if (!operate_change(v, &change, revoke, &revoking, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    if (r->dry_run)
        return true;
    roster_remove_credential(&v->roster, c);
    auth_unbind(v, revoking.id);
    return true;
}
