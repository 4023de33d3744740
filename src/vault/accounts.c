// SPDX-License-Identifier: Apache-2.0
/* vault/accounts.c - accounts are made by operators, and by the configuration that names them. */
#include "base/log.h"
#include "io/clock.h"
#include "vault/operate.h"

static void run_add_account(void *arg)
{
    struct piece *p = arg;
    p->ok = control_add_account(p->control, p->account, &p->id, &p->err);
}

static bool add_account(struct vault *v, struct str name, struct account **ret, struct err *err)
{
    struct account_row row = { .name = name, .created_wall_ms = clock_wall_ms() };
    struct piece p = { .account = &row };

    if (roster_account(&v->roster, name))
        return err_set(err, ERR_EXISTS, "account %.*s is there already", STR_FMT(name));
    if (!operate_run(v, run_add_account, &p, err))
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
    operate_json_str(&j, "name", a->name);
    operate_json_str(&j, "state", STR("active"));
    json_key(&j, "credentials");
    json_int(&j, (int64_t)a->credentials);
    operate_json_date(&j, "created", a->created_wall_ms);
    json_object_end(&j);
}

static void send_account(const struct request *r, const struct account *a)
{
    struct buf row;

    buf_init(&row, ROW_BYTES_MAX);
    account_row_json(a, &row);
    operate_row(r, &row);
    buf_done(&row);
}

bool account_add(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *a;

    (void)ret_next;
    if (!operate_name_ok(r->name, "account", err) || !add_account(v, r->name, &a, err))
        return false;
    operate_log("account-added", r, a->name, STR(""));
    send_account(r, a);
    return true;
}

bool account_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    size_t left = operate_row_limit(r);
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
    if (!operate_name_ok(name, "account of a trusted network", err) ||
        !add_account(v, name, &a, err))
        return false;
    operate_log("account-added", &by_config, a->name, STR(""));
    return true;
}

bool accounts_declare(struct vault *v, struct err *err)
{
    const struct config *c = v->config;

    for (size_t i = 0; i < c->network_count; i++)
        if (!add_declared(v, c->networks[i].account, err))
            return false;
    return true;
}
