// SPDX-License-Identifier: Apache-2.0
/* vault/operate.c - what operators ask of vault: one story works through it in order of arrival.
 *
 * A change goes to the database first, then into memory, then it is answered, and it is logged with
 * the name of who made it. A secret leaves in the one row that answers CRED_ADD and is kept nowhere
 * (fault A06). */
#include <stdlib.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "io/clock.h"
#include "mail/header.h"
#include "vault/vault.h"

enum { REQUESTS_MAX = 256, ROWS_MAX = 1000, ROW_BYTES_MAX = 1024, USES_MAX = 10000 };

struct request {
    struct list link;
    struct vault_peer *from;
    uint32_t generation; /* of the link it came by */
    uint64_t number;
    uint32_t verb, limit;
    uint64_t after;
    struct str actor, name, account, state;
    struct arena arena; /* owns the strings */
};

/* A piece of work for the database. */
struct piece {
    struct control *control;
    const struct account_row *account;
    const struct credential_row *credential;
    const struct credential_use *uses;
    size_t use_count;
    uint64_t id; /* made, or to be revoked */
    int64_t wall_ms;
    bool flag;
    bool ok;
    struct err err;
};

/* Answers ---------------------------------------------------------------------------------------
 */

static struct channel *channel_of(const struct request *r)
{
    return r->from->generation == r->generation ? r->from->channel : NULL;
}

static void send_row(const struct request *r, const struct buf *json)
{
    struct channel *c = channel_of(r);

    if (!c || !buf_ok(json))
        return;
    struct wire_admin_row *f = wire_add(c, WIRE_ADMIN_ROW, json->len);
    f->request = r->number;
    wire_put(f, &f->json, buf_str(json));
}

static void send_end(const struct request *r, uint16_t status, struct str text, uint64_t next)
{
    struct channel *c = channel_of(r);

    if (!c)
        return;
    struct wire_admin_end *f = wire_add(c, WIRE_ADMIN_END, text.len);
    f->request = r->number;
    f->status = status;
    f->next = next;
    wire_put(f, &f->text, text);
}

static uint16_t status_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NOT_FOUND:
        return 404;
    case ERR_EXISTS:
        return 409;
    case ERR_SYNTAX:
        return 422;
    default:
        return 503;
    }
}

static void json_date(struct json *j, const char *key, int64_t wall_ms)
{
    char text[DATE_TEXT_MAX];

    json_key(j, key);
    if (wall_ms == 0)
        json_null(j);
    else
        json_str(j, str_of(date_format_iso(wall_ms, text)));
}

static void json_member(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

static void log_change(const char *event, const struct request *r, struct str account,
                       struct str user)
{
    struct log_line l;

    log_begin(&l, LOG_INFO, event);
    log_str(&l, "actor", r->actor);
    if (account.len > 0)
        log_str(&l, "account", account);
    if (user.len > 0)
        log_str(&l, "user", user);
    log_end(&l);
}

/* The database ----------------------------------------------------------------------------------
 */

/* On the worker; before the role has started, right here. Waits. */
static bool run(struct vault *v, void (*fn)(void *piece), struct piece *p, struct err *err)
{
    p->control = v->control;
    if (!v->started)
        fn(p);
    else if (!worker_run(v->worker, fn, p, err))
        return false;
    if (!p->ok && err)
        *err = p->err;
    return p->ok;
}

static void run_add_account(void *arg)
{
    struct piece *p = arg;
    p->ok = control_add_account(p->control, p->account, &p->id, &p->err);
}

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

static void run_live(void *arg)
{
    struct piece *p = arg;
    p->ok = control_write_flag(p->control, "live", p->flag, &p->err);
}

static void run_uses(void *arg)
{
    struct piece *p = arg;
    p->ok = control_note_uses(p->control, p->uses, p->use_count, &p->err);
}

/* Accounts --------------------------------------------------------------------------------------
 */

static bool name_check(struct str name, const char *what, struct err *err)
{
    return roster_name_ok(name) ||
           err_set(err, ERR_SYNTAX, "%s: 1 to %d letters, digits and . _ - @ are wanted", what,
                   NAME_MAX_BYTES);
}

static bool add_account(struct vault *v, struct str name, struct account **ret, struct err *err)
{
    struct account_row row = { .name = name, .created_wall_ms = clock_wall_ms() };
    struct piece p = { .account = &row };

    if (roster_account(&v->roster, name))
        return err_set(err, ERR_EXISTS, "account %.*s is there already", STR_FMT(name));
    if (!run(v, run_add_account, &p, err))
        return err_at(err, "account %.*s", STR_FMT(name));
    row.id = p.id;
    roster_add_account(&v->roster, &row);
    *ret = roster_account(&v->roster, name);
    return true;
}

static void account_row_json(const struct account *a, struct buf *to)
{
    struct json j;

    json_begin(&j, to);
    json_object(&j);
    json_key(&j, "id");
    json_int(&j, (int64_t)a->id);
    json_member(&j, "name", a->name);
    json_member(&j, "state", STR("active"));
    json_key(&j, "credentials");
    json_int(&j, (int64_t)a->credentials);
    json_date(&j, "created", a->created_wall_ms);
    json_object_end(&j);
}

static void send_account(const struct request *r, const struct account *a)
{
    struct buf row;

    buf_init(&row, ROW_BYTES_MAX);
    account_row_json(a, &row);
    send_row(r, &row);
    buf_done(&row);
}

static bool on_account_add(struct vault *v, const struct request *r, uint64_t *ret_next,
                           struct err *err)
{
    struct account *a;

    (void)ret_next;
    if (!name_check(r->name, "account", err) || !add_account(v, r->name, &a, err))
        return false;
    log_change("account-added", r, a->name, STR(""));
    send_account(r, a);
    return true;
}

static size_t row_limit(const struct request *r)
{
    return r->limit > 0 && r->limit < ROWS_MAX ? r->limit : ROWS_MAX;
}

static bool on_account_list(struct vault *v, const struct request *r, uint64_t *ret_next,
                            struct err *err)
{
    size_t left = row_limit(r);
    uint64_t last = 0;

    (void)err;
    LIST_EACH (&v->roster.accounts, struct account, a, link) {
        if (a->id <= r->after)
            continue;
        if (left-- == 0) {
            *ret_next = last;
            return true;
        }
        last = a->id;
        send_account(r, a);
    }
    return true;
}

/* A network's account is named by the configuration, which thereby declares it. */
static bool add_declared(struct vault *v, struct str name, struct err *err)
{
    const struct request by_config = { .actor = STR("configuration") };
    struct account *a;

    if (roster_account(&v->roster, name))
        return true;
    if (!name_check(name, "account of a trusted network", err) || !add_account(v, name, &a, err))
        return false;
    log_change("account-added", &by_config, a->name, STR(""));
    return true;
}

bool operate_add_networks(struct vault *v, struct err *err)
{
    const struct config *c = v->config;

    for (size_t i = 0; i < c->network_count; i++)
        if (!add_declared(v, c->networks[i].account, err))
            return false;
    return true;
}

/* Credentials -----------------------------------------------------------------------------------
 */

/* Shows a new secret, this once. */
static void send_secret(const struct request *r, const struct credential *c, struct str secret)
{
    struct buf row;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    json_begin(&j, &row);
    json_object(&j);
    json_member(&j, "user", c->user);
    json_member(&j, "secret", secret);
    json_member(&j, "account", c->account->name);
    json_object_end(&j);
    send_row(r, &row);
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
    if (!run(v, run_add_credential, &p, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    row->id = p.id;
    roster_add_credential(&v->roster, row);
    log_change("credential-added", r, a->name, r->name);
    return true;
}

static bool on_cred_add(struct vault *v, const struct request *r, uint64_t *ret_next,
                        struct err *err)
{
    bool normalize = str_eq(r->state, STR("normalize"));
    char secret[SECRET_TEXT_LEN + 1];
    uint8_t hash[SECRET_HASH_BYTES];

    (void)ret_next;
    if (!name_check(r->name, "user", err))
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
    json_member(&j, "user", c->user);
    json_member(&j, "account", c->account->name);
    json_key(&j, "normalize");
    json_bool(&j, c->normalize);
    json_date(&j, "created", c->created_wall_ms);
    json_date(&j, "last_used", c->last_used_wall_ms);
    json_object_end(&j);
    send_row(r, &row);
    buf_done(&row);
}

static bool on_cred_list(struct vault *v, const struct request *r, uint64_t *ret_next,
                         struct err *err)
{
    size_t left = row_limit(r);
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

static bool on_cred_remove(struct vault *v, const struct request *r, uint64_t *ret_next,
                           struct err *err)
{
    struct credential *c = roster_credential(&v->roster, r->name);
    struct piece p = { .wall_ms = clock_wall_ms() };

    (void)ret_next;
    if (!c)
        return err_set(err, ERR_NOT_FOUND, "there is no user %.*s", STR_FMT(r->name));
    p.id = c->id;
    if (!run(v, run_revoke, &p, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    log_change("credential-removed", r, c->account->name, c->user); /* only this story removes */
    roster_remove_credential(&v->roster, c);
    auth_unbind(v, p.id);
    return true;
}

/* Gate ------------------------------------------------------------------------------------------
 */

static bool set_live(struct vault *v, const struct request *r, bool live, struct err *err)
{
    struct piece p = { .flag = live };

    if (!live && v->config->gate == GATE_OPEN)
        return err_set(err, ERR_EXISTS, "the configuration holds the gate open (sandbox.gate)");
    if (!run(v, run_live, &p, err))
        return err_at(err, "gate");
    v->live = live;
    log_change(live ? "gate-opened" : "gate-closed", r, STR(""), STR(""));
    vault_send_gate(v);
    return true;
}

static bool on_live_open(struct vault *v, const struct request *r, uint64_t *ret_next,
                         struct err *err)
{
    (void)ret_next;
    return set_live(v, r, true, err);
}

static bool on_live_close(struct vault *v, const struct request *r, uint64_t *ret_next,
                          struct err *err)
{
    (void)ret_next;
    return set_live(v, r, false, err);
}

/* The story -------------------------------------------------------------------------------------
 */

/* *ret_next: where a list goes on, untouched when it is whole. Waits. */
typedef bool verb_fn(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err);

static verb_fn *const verbs[ADMIN_VERBS] = {
    [ADMIN_ACCOUNT_ADD] = on_account_add, [ADMIN_ACCOUNT_LIST] = on_account_list,
    [ADMIN_CRED_ADD] = on_cred_add,       [ADMIN_CRED_LIST] = on_cred_list,
    [ADMIN_CRED_REMOVE] = on_cred_remove, [ADMIN_LIVE_OPEN] = on_live_open,
    [ADMIN_LIVE_CLOSE] = on_live_close,
};

static void request_free(struct request *r)
{
    list_remove(&r->link);
    arena_done(&r->arena);
    free(r);
}

static void handle(struct vault *v, struct request *r)
{
    struct err err = { 0 };
    uint64_t next = 0;

    if (verbs[r->verb](v, r, &next, &err))
        send_end(r, 200, STR(""), next);
    else
        send_end(r, status_of(err.kind), str_of(err.text), 0);
    request_free(r);
}

static size_t uses_gather(struct vault *v, struct credential_use uses[USES_MAX])
{
    size_t count = 0;

    LIST_EACH (&v->roster.credentials, struct credential, c, link) {
        if (!c->use_unsaved || count == USES_MAX)
            continue;
        uses[count++] = (struct credential_use){ c->id, c->last_used_wall_ms };
        c->use_unsaved = false;
    }
    return count;
}

/* A last use that could not be saved is saved the next time. */
static void save_uses(struct vault *v)
{
    struct credential_use *uses = NEW_ARRAY(struct credential_use, USES_MAX);
    struct piece p = { .uses = uses, .use_count = uses_gather(v, uses) };
    struct err err;

    if (p.use_count > 0 && !run(v, run_uses, &p, &err)) {
        log_err(LOG_WARN, "last-used-unsaved", &err);
        for (size_t i = 0; i < p.use_count; i++) {
            struct credential *c = roster_credential_of_id(&v->roster, uses[i].credential);
            if (c)
                c->use_unsaved = true;
        }
    }
    free(uses);
}

static void declare_accounts(struct vault *v)
{
    struct err err;

    if (!operate_add_networks(v, &err))
        log_err(LOG_WARN, "network-untrusted", &err); /* its account is missing */
}

static void story(void *arg)
{
    struct vault *v = arg;

    for (;;) {
        struct request *r = LIST_FIRST(&v->requests, struct request, link);
        if (v->networks_due) {
            v->networks_due = false;
            declare_accounts(v);
        } else if (r) {
            list_remove(&r->link);
            v->request_count--;
            handle(v, r);
        } else if (v->uses_due) {
            v->uses_due = false;
            save_uses(v);
        } else {
            break;
        }
    }
    v->operating = false;
    if (v->drained) {
        void (*done)(void *arg) = v->drained;
        v->drained = NULL;
        done(v->drained_arg);
    }
}

void operate_wake(struct vault *v)
{
    if (v->operating)
        return;
    v->operating = true;
    (void)fiber_spawn("vault-operate", story, v);
}

static struct request *request_new(struct vault_peer *web, const struct wire_admin *m)
{
    struct request *r = NEW(struct request);

    list_init(&r->link);
    r->from = web;
    r->generation = web->generation;
    r->number = m->request;
    r->verb = m->verb;
    r->limit = m->limit;
    r->after = m->id;
    arena_init(&r->arena, 512);
    r->actor = arena_str(&r->arena, wire_get(m, m->actor));
    r->name = arena_str(&r->arena, wire_get(m, m->name));
    r->account = arena_str(&r->arena, wire_get(m, m->account));
    r->state = arena_str(&r->arena, wire_get(m, m->state));
    return r;
}

void operate_on_admin(struct vault_peer *web, const struct wire_admin *m)
{
    struct vault *v = web->vault;
    struct request *r = request_new(web, m);

    if (m->verb >= ADMIN_VERBS || !verbs[m->verb]) {
        send_end(r, 422, STR("vault does not answer this"), 0);
        request_free(r);
    } else if (v->request_count >= REQUESTS_MAX || v->draining) {
        send_end(r, 503, v->draining ? STR("vault is ending") : STR("too many requests wait"), 0);
        request_free(r);
    } else {
        list_append(&v->requests, &r->link);
        v->request_count++;
        operate_wake(v);
    }
}

void operate_drop_requests(struct vault *v)
{
    LIST_EACH (&v->requests, struct request, r, link)
        request_free(r);
    v->request_count = 0;
}
