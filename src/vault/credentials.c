// SPDX-License-Identifier: Apache-2.0
/* vault/credentials.c - credentials are made, listed and taken away. A secret leaves in the one row
 * that answers its making and is kept nowhere (fault A06). */
#include "io/clock.h"
#include "vault/operate.h"

static void run_add_credential(void *arg)
{
    struct piece *p = arg;
    p->ok = control_add_credential(p->control, p->credential, &p->id, &p->err);
}

static void run_revoke(void *arg)
{
    struct piece *p = arg;
    p->ok = control_revoke(p->control, p->id, p->wall_ms, &p->err);
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

static bool add_credential(struct vault *v, const struct request *r, struct credential_row *row,
                           struct err *err)
{
    struct account *a = roster_account(&v->roster, r->account);
    struct piece p = { .credential = row };

    if (!a)
        return err_set(err, ERR_NOT_FOUND, "there is no account %.*s", STR_FMT(r->account));
    if (roster_credential(&v->roster, r->name))
        return err_set(err, ERR_EXISTS, "user %.*s is there already", STR_FMT(r->name));
    row->account = a->id;
    if (!operate_run(v, run_add_credential, &p, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    row->id = p.id;
    roster_add_credential(&v->roster, row);
    operate_log("credential-added", r, a->name, r->name);
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
    struct credential_row row = {
        .user = r->name, .hash = hash, .normalize = normalize, .created_wall_ms = clock_wall_ms()
    };
    bool ok = add_credential(v, r, &row, err);
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
    struct piece p = { .wall_ms = clock_wall_ms() };

    (void)ret_next;
    if (!c)
        return err_set(err, ERR_NOT_FOUND, "there is no user %.*s", STR_FMT(r->name));
    p.id = c->id;
    if (!operate_run(v, run_revoke, &p, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    operate_log("credential-removed", r, c->account->name, c->user); /* only this story removes */
    roster_remove_credential(&v->roster, c);
    auth_unbind(v, p.id);
    return true;
}
