// SPDX-License-Identifier: Apache-2.0
/* vault/operate.c - what operators ask of vault: one story works through it in order of arrival.
 *
 * A change goes to the database first, then into memory, then it is answered, and it is logged with
 * the name of who made it. */
#include <stdlib.h>

#include "base/log.h"
#include "mail/header.h"
#include "vault/operate.h"

enum { REQUESTS_MAX = 256, ROWS_MAX = 1000, USES_MAX = 10000 };

/* Answers -------------------------------------------------------------------------------------- */

static struct channel *channel_of(const struct request *r)
{
    return r->from->generation == r->generation ? r->from->channel : NULL;
}

void operate_row(const struct request *r, const struct buf *json)
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

void operate_json_date(struct json *j, const char *key, int64_t wall_ms)
{
    char text[DATE_TEXT_MAX];

    json_key(j, key);
    if (wall_ms == 0)
        json_null(j);
    else
        json_str(j, str_of(date_format_iso(wall_ms, text)));
}

void operate_json_str(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

void operate_log(const char *event, const struct request *r, struct str account, struct str user)
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

/* The database --------------------------------------------------------------------------------- */

/* On the worker; before the role has started, right here. Waits. */
bool operate_run(struct vault *v, void (*fn)(void *piece), struct piece *p, struct err *err)
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

bool operate_name_ok(struct str name, const char *what, struct err *err)
{
    return roster_name_ok(name) ||
           err_set(err, ERR_SYNTAX, "%s: 1 to %d letters, digits and . _ - @ are wanted", what,
                   NAME_MAX_BYTES);
}

size_t operate_row_limit(const struct request *r)
{
    return r->limit > 0 && r->limit < ROWS_MAX ? r->limit : ROWS_MAX;
}

/* Gate ----------------------------------------------------------------------------------------- */

static bool set_live(struct vault *v, const struct request *r, bool live, struct err *err)
{
    struct piece p = { .flag = live };

    if (!live && v->config->gate == GATE_OPEN)
        return err_set(err, ERR_EXISTS, "the configuration holds the gate open (sandbox.gate)");
    if (!operate_run(v, run_live, &p, err))
        return err_at(err, "gate");
    v->live = live;
    operate_log(live ? "gate-opened" : "gate-closed", r, STR(""), STR(""));
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

/* The story ------------------------------------------------------------------------------------ */

static verb_fn *const verbs[ADMIN_VERBS] = {
    [ADMIN_ACCOUNT_ADD] = account_add,       [ADMIN_ACCOUNT_LIST] = account_list,
    [ADMIN_CRED_ADD] = credential_add,       [ADMIN_CRED_LIST] = credential_list,
    [ADMIN_CRED_REMOVE] = credential_remove, [ADMIN_LIVE_OPEN] = on_live_open,
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

    if (p.use_count > 0 && !operate_run(v, run_uses, &p, &err)) {
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

    if (!accounts_declare(v, &err))
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
