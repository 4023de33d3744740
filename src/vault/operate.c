// SPDX-License-Identifier: Apache-2.0
/* vault/operate.c - what operators ask of vault: one story works through it in order of arrival.
 *
 * A change goes to the database first, together with its row in the audit log (audit.c), then into
 * memory and to core, then it is answered. */
#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"
#include "mail/header.h"
#include "vault/domains.h"
#include "vault/operate.h"

enum { REQUESTS_MAX = 256, ROWS_MAX = 1000, USES_MAX = 10000 };

/* Answers -------------------------------------------------------------------------------------- */

/* NULL: nobody asked, or who did is gone. */
static struct channel *channel_of(const struct request *r)
{
    return r->from && r->from->generation == r->generation ? r->from->channel : NULL;
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
    case ERR_DENIED:
        return 403;
    case ERR_SYNTAX:
    case ERR_LIMIT:
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

bool operate_settings(const struct request *r, enum field_noun noun, struct str old, bool is_new,
                      struct str *secret, struct buf *to, struct err *err)
{
    const struct fields_change change = { .noun = noun,
                                          .old = old,
                                          .changes = r->settings,
                                          .is_new = is_new,
                                          .now_wall_ms = clock_wall_ms(),
                                          .secret = secret };

    buf_init(to, SETTINGS_BYTES_MAX);
    if (fields_merge(&change, to, err))
        return true;
    buf_done(to);
    return false;
}

bool operate_account(struct vault *v, struct str name, struct account **ret, struct err *err)
{
    *ret = roster_account(&v->roster, name);
    return *ret || err_set(err, ERR_NOT_FOUND, "there is no account %.*s", STR_FMT(name));
}

/* Gate ----------------------------------------------------------------------------------------- */

static bool write_live(struct control *c, void *arg, struct err *err)
{
    return control_write_flag(c, "live", *(const bool *)arg, err);
}

static bool set_live(struct vault *v, const struct request *r, bool live, struct err *err)
{
    const struct change change =
        change_by(r, live ? "gate-opened" : "gate-closed", STR(""), STR(""));

    if (!live && v->config->gate == GATE_OPEN)
        return err_set(err, ERR_EXISTS, "the configuration holds the gate open (sandbox.gate)");
    if (!operate_change(v, &change, write_live, &live, err))
        return err_at(err, "gate");
    if (r->dry_run)
        return true;
    v->live = live;
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

/* `apart`: it waits for others than the database, so it has a story of its own and finds nothing as
 * it was. */
static const struct verb {
    verb_fn *fn;
    bool apart;
} verbs[ADMIN_VERBS] = {
    [ADMIN_ACCOUNT_ADD] = { account_add },       [ADMIN_ACCOUNT_LIST] = { account_list },
    [ADMIN_ACCOUNT_SHOW] = { account_show },     [ADMIN_ACCOUNT_SET] = { account_set },
    [ADMIN_ACCOUNT_REMOVE] = { account_remove }, [ADMIN_STREAM_ADD] = { stream_add },
    [ADMIN_STREAM_LIST] = { stream_list },       [ADMIN_STREAM_SET] = { stream_set },
    [ADMIN_STREAM_REMOVE] = { stream_remove },   [ADMIN_CRED_ADD] = { credential_add },
    [ADMIN_CRED_LIST] = { credential_list },     [ADMIN_CRED_REMOVE] = { credential_remove },
    [ADMIN_LIVE_OPEN] = { on_live_open },        [ADMIN_LIVE_CLOSE] = { on_live_close },
    [ADMIN_CRED_SET] = { credential_set },       [ADMIN_CRED_ROTATE] = { credential_rotate },
    [ADMIN_USER_ADD] = { user_add },             [ADMIN_USER_LIST] = { user_list },
    [ADMIN_USER_SET] = { user_set },             [ADMIN_USER_REMOVE] = { user_remove },
    [ADMIN_AUDIT_LIST] = { audit_list },         [ADMIN_DOMAIN_ADD] = { domain_add },
    [ADMIN_DOMAIN_LIST] = { domain_list },       [ADMIN_DOMAIN_SHOW] = { domain_show },
    [ADMIN_DOMAIN_SET] = { domain_set },         [ADMIN_DOMAIN_REMOVE] = { domain_remove },
    [ADMIN_DOMAIN_CHECK] = { domain_check, .apart = true },
    [ADMIN_DOMAIN_RECORDS] = { domain_records, .apart = true },
    [ADMIN_DOMAIN_ROTATE] = { domain_rotate, .apart = true },
    [ADMIN_DOMAIN_TRANSFER] = { domain_transfer },
};

static void request_free(struct request *r)
{
    list_remove(&r->link);
    mem_wipe((void *)r->settings.ptr, r->settings.len); /* a password may be in it */
    arena_done(&r->arena);
    free(r);
}

static void handle(struct vault *v, struct request *r)
{
    struct err err = { 0 };
    uint64_t next = 0;

    if (verbs[r->verb].fn(v, r, &next, &err))
        send_end(r, 200, STR(""), next);
    else
        send_end(r, status_of(err.kind), str_of(err.text), 0);
    request_free(r);
}

struct uses {
    struct last_use *rows;
    size_t count;
};

static bool write_uses(struct control *c, void *arg, struct err *err)
{
    const struct uses *u = arg;
    return control_note_uses(c, u->rows, u->count, err);
}

static void uses_gather(struct vault *v, struct uses *to)
{
    LIST_EACH (&v->roster.credentials, struct credential, c, link) {
        if (!c->use_unsaved || to->count == USES_MAX)
            continue;
        to->rows[to->count++] = (struct last_use){ c->id, false, c->last_used_wall_ms };
        c->use_unsaved = false;
    }
    LIST_EACH (&v->roster.users, struct user, u, link) {
        if (!u->use_unsaved || to->count == USES_MAX)
            continue;
        to->rows[to->count++] = (struct last_use){ u->id, true, u->last_used_wall_ms };
        u->use_unsaved = false;
    }
}

/* Whoever is gone meanwhile needs no saving. */
static void use_unsaved(struct vault *v, const struct last_use *use)
{
    struct user *u = use->is_user ? idmap_find(&v->roster.users_by_id, use->id) : NULL;
    struct credential *c = use->is_user ? NULL : roster_credential_of_id(&v->roster, use->id);

    if (u)
        u->use_unsaved = true;
    if (c)
        c->use_unsaved = true;
}

/* A last use that could not be saved is saved the next time. */
static void save_uses(struct vault *v)
{
    struct uses uses = { .rows = NEW_ARRAY(struct last_use, USES_MAX) };
    struct err err;

    uses_gather(v, &uses);
    if (uses.count > 0 && !operate_run(v, write_uses, &uses, &err)) {
        log_err(LOG_WARN, "last-used-unsaved", &err);
        for (size_t i = 0; i < uses.count; i++)
            use_unsaved(v, &uses.rows[i]);
    }
    free(uses.rows);
}

static void declare_accounts(struct vault *v)
{
    struct err err;

    if (!accounts_declare(v, &err))
        log_err(LOG_WARN, "network-untrusted", &err); /* its account is missing */
    auth_review(v);
}

static void drain_if_idle(struct vault *v)
{
    void (*done)(void *arg) = v->drained;

    if (!done || v->operating || v->apart > 0)
        return;
    v->drained = NULL;
    done(v->drained_arg);
}

struct apart {
    struct vault *vault;
    struct request *request;
};

static void story_apart(void *arg)
{
    struct apart a = *(struct apart *)arg;

    free(arg);
    handle(a.vault, a.request);
    a.vault->apart--;
    drain_if_idle(a.vault);
}

static void handle_apart(struct vault *v, struct request *r)
{
    struct apart *a = NEW(struct apart);

    *a = (struct apart){ v, r };
    v->apart++;
    (void)fiber_spawn("vault-apart", story_apart, a);
}

static void take_request(struct vault *v, struct request *r)
{
    list_remove(&r->link);
    v->request_count--;
    if (verbs[r->verb].apart)
        handle_apart(v, r);
    else
        handle(v, r);
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
            take_request(v, r);
        } else if (v->uses_due) {
            v->uses_due = false;
            save_uses(v);
        } else {
            break;
        }
    }
    v->operating = false;
    drain_if_idle(v);
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
    r->dry_run = m->flags & ADMIN_DRY_RUN;
    arena_init(&r->arena, 512);
    r->actor = arena_str(&r->arena, wire_get(m, m->actor));
    r->name = arena_str(&r->arena, wire_get(m, m->name));
    r->account = arena_str(&r->arena, wire_get(m, m->account));
    r->state = arena_str(&r->arena, wire_get(m, m->state));
    r->from_text = arena_str(&r->arena, wire_get(m, m->from));
    r->to_text = arena_str(&r->arena, wire_get(m, m->to));
    r->reason = arena_str(&r->arena, wire_get(m, m->reason));
    r->settings = arena_str(&r->arena, wire_get(m, m->settings));
    return r;
}

void operate_on_admin(struct vault_peer *web, const struct wire_admin *m)
{
    struct vault *v = web->vault;
    struct request *r = request_new(web, m);

    if (m->verb >= ADMIN_VERBS || !verbs[m->verb].fn) {
        send_end(r, 422, STR("vault does not answer this"), 0);
        request_free(r);
    } else if (v->request_count + v->apart >= REQUESTS_MAX || v->draining) {
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
