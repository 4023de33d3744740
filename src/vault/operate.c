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

enum { REQUESTS_MAX = 256, ROWS_MAX = 1000 };

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

bool operate_page_takes(struct page *p, uint64_t id, uint64_t *ret_next)
{
    if (p->left == 0) {
        *ret_next = p->last;
        return false;
    }
    p->left--;
    p->last = id;
    return true;
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

/* The story ------------------------------------------------------------------------------------ */

static verb_fn *const verbs[ADMIN_VERBS] = {
    [ADMIN_ACCOUNT_ADD] = account_add,
    [ADMIN_ACCOUNT_LIST] = account_list,
    [ADMIN_ACCOUNT_SHOW] = account_show,
    [ADMIN_ACCOUNT_SET] = account_set,
    [ADMIN_ACCOUNT_REMOVE] = account_remove,
    [ADMIN_STREAM_ADD] = stream_add,
    [ADMIN_STREAM_LIST] = stream_list,
    [ADMIN_STREAM_SET] = stream_set,
    [ADMIN_STREAM_REMOVE] = stream_remove,
    [ADMIN_CRED_ADD] = credential_add,
    [ADMIN_CRED_LIST] = credential_list,
    [ADMIN_CRED_REMOVE] = credential_remove,
    [ADMIN_LIVE_OPEN] = live_open,
    [ADMIN_LIVE_CLOSE] = live_close,
    [ADMIN_CRED_SET] = credential_set,
    [ADMIN_CRED_ROTATE] = credential_rotate,
    [ADMIN_USER_ADD] = user_add,
    [ADMIN_USER_LIST] = user_list,
    [ADMIN_USER_SET] = user_set,
    [ADMIN_USER_REMOVE] = user_remove,
    [ADMIN_AUDIT_LIST] = audit_list,
    [ADMIN_DOMAIN_ADD] = domain_add,
    [ADMIN_DOMAIN_LIST] = domain_list,
    [ADMIN_DOMAIN_SHOW] = domain_show,
    [ADMIN_DOMAIN_SET] = domain_set,
    [ADMIN_DOMAIN_REMOVE] = domain_remove,
    [ADMIN_DOMAIN_CHECK] = domain_check,
    [ADMIN_DOMAIN_RECORDS] = domain_records,
    [ADMIN_DOMAIN_ROTATE] = domain_rotate,
    [ADMIN_DOMAIN_TRANSFER] = domain_transfer,
};

/* These wait for others than the database, so each has a story of its own and finds nothing as it
 * was. */
static const bool apart[ADMIN_VERBS] = {
    [ADMIN_DOMAIN_CHECK] = true,
    [ADMIN_DOMAIN_RECORDS] = true,
    [ADMIN_DOMAIN_ROTATE] = true,
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

    if (verbs[r->verb](v, r, &next, &err))
        send_end(r, 200, STR(""), next);
    else
        send_end(r, status_of(err.kind), str_of(err.text), 0);
    request_free(r);
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

struct aside {
    struct vault *vault;
    struct request *request;
};

static void story_apart(void *arg)
{
    struct aside a = *(struct aside *)arg;

    free(arg);
    handle(a.vault, a.request);
    a.vault->apart--;
    drain_if_idle(a.vault);
}

static void handle_apart(struct vault *v, struct request *r)
{
    struct aside *a = NEW(struct aside);

    *a = (struct aside){ v, r };
    v->apart++;
    (void)fiber_spawn("vault-apart", story_apart, a);
}

static void take_request(struct vault *v, struct request *r)
{
    list_remove(&r->link);
    v->request_count--;
    if (apart[r->verb])
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
            uses_save(v);
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
    r->to_text = arena_str(&r->arena, wire_get(m, m->to));
    r->settings = arena_str(&r->arena, wire_get(m, m->settings));
    return r;
}

void operate_on_admin(struct vault_peer *web, const struct wire_admin *m)
{
    struct vault *v = web->vault;
    struct request *r = request_new(web, m);

    if (m->verb >= ADMIN_VERBS || !verbs[m->verb]) {
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
