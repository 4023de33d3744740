// SPDX-License-Identifier: Apache-2.0
/* vault/accounts.c - accounts are made by operators, and by the configuration that names them;
 * nobody signs himself up (R15). What an account may is in its settings, and in those of the
 * accounts above it (R49). */
#include <stdio.h>

#include "io/clock.h"
#include "vault/domains.h"
#include "vault/operate.h"

/* Making --------------------------------------------------------------------------------------- */

struct making {
    struct account_row row;
    uint64_t id;
};

static bool write_account(struct control *c, void *arg, struct err *err)
{
    struct making *m = arg;

    return control_add_account(c, &m->row, &m->id, err);
}

static bool make_account(struct vault *v, const struct request *r, struct making *m,
                         struct err *err)
{
    struct change change = change_by(r, "account-added", m->row.name, STR(""));
    struct buf detail;

    buf_init(&detail, SETTINGS_BYTES_MAX);
    if (r->account.len > 0)
        buf_addf(&detail, "parent: %.*s, ", STR_FMT(r->account));
    fields_list(m->row.settings, &detail);
    change.detail = buf_str(&detail);
    bool ok = operate_change(v, &change, write_account, m, err);
    buf_done(&detail);
    return ok || err_at(err, "account %.*s", STR_FMT(m->row.name));
}

static void account_made(struct vault *v, const struct request *r, struct making *m)
{
    struct account *a;

    m->row.id = m->id;
    a = roster_add_account(&v->roster, &m->row);
    tell_account(v, a);
    if (a->until_wall_ms > 0)
        accounts_watch_ends(v);
    account_row(r, a);
}

static void making_would(const struct request *r, const struct making *m, struct account *parent)
{
    struct account like = { .parent = parent,
                            .name = m->row.name,
                            .created_wall_ms = m->row.created_wall_ms };

    list_init(&like.streams);
    account_row_tried(r, &like, m->row.settings);
}

/* The request names it, `settings` are whole. */
static bool add_account(struct vault *v, const struct request *r, struct account *parent,
                        struct str settings, struct err *err)
{
    struct making m = { .row = { .parent = parent ? parent->id : 0,
                                 .name = r->name,
                                 .settings = settings,
                                 .created_wall_ms = clock_wall_ms() } };

    if (roster_account(&v->roster, r->name))
        return err_set(err, ERR_EXISTS, "account %.*s is there already", STR_FMT(r->name));
    if (!make_account(v, r, &m, err))
        return false;
    if (r->dry_run)
        making_would(r, &m, parent);
    else
        account_made(v, r, &m);
    return true;
}

/* Written out, so that another configuration later changes nobody's (R103). */
static struct str first_settings(const struct config *c, char text[48])
{
    (void)snprintf(text, 48, "state=%s\nidentity=%s\n",
                   c->first_state == FIRST_ACTIVE ? "active" : "sandbox",
                   c->first_identity == FIRST_OBSERVE ? "observe" : "enforce");
    return str_of(text);
}

static bool find_parent(struct vault *v, struct str name, struct account **ret, struct err *err)
{
    *ret = NULL;
    if (name.len == 0)
        return true;
    if (!operate_account(v, name, ret, err))
        return false;
    return (*ret)->depth + 1 < ACCOUNT_DEPTH_MAX ||
           err_set(err, ERR_LIMIT, "accounts stand in one another at most %d deep",
                   ACCOUNT_DEPTH_MAX);
}

bool account_add(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *parent;
    struct buf settings;
    char first[48];

    (void)ret_next;
    if (!operate_name_ok(r->name, "account", err) || !find_parent(v, r->account, &parent, err) ||
        !operate_settings(r, NOUN_ACCOUNT, first_settings(v->config, first), true, NULL, &settings,
                          err))
        return false;
    bool ok = add_account(v, r, parent, buf_str(&settings), err);
    buf_done(&settings);
    return ok;
}

/* Changing ------------------------------------------------------------------------------------- */

struct setting {
    uint64_t id;
    struct str settings;
};

static bool write_settings(struct control *c, void *arg, struct err *err)
{
    const struct setting *s = arg;

    return control_set_account(c, s->id, s->settings, err);
}

/* One that a new account names may come after it; one that is named later must be there. */
static bool default_ok(const struct account *a, struct str settings, struct err *err)
{
    struct str name = fields_get(NOUN_ACCOUNT, settings, "default_stream");

    return name.len == 0 || roster_stream(a, name) ||
           str_eq(name, fields_get(NOUN_ACCOUNT, a->settings, "default_stream")) ||
           err_set(err, ERR_NOT_FOUND, "default_stream: account %.*s has no stream %.*s",
                   STR_FMT(a->name), STR_FMT(name));
}

static void account_was_set(struct vault *v, struct account *a, struct str settings)
{
    enum account_state before = account_state_of(a);

    roster_set_account(&v->roster, a, settings);
    a->ended = false;
    accounts_watch_ends(v);
    tell_account(v, a);
    if (account_state_of(a) != before)
        auth_account_changed(v, a);
}

static bool set_account(struct vault *v, const struct request *r, struct account *a,
                        struct str settings, struct err *err)
{
    struct change change = change_by(r, "account-changed", a->name, STR(""));
    struct setting s = { a->id, settings };
    struct buf detail;
    bool ok = default_ok(a, settings, err);

    buf_init(&detail, 2 * SETTINGS_BYTES_MAX);
    if (ok && fields_difference(NOUN_ACCOUNT, a->settings, settings, &detail)) {
        change.detail = buf_str(&detail);
        ok = operate_change(v, &change, write_settings, &s, err);
        if (ok && !r->dry_run)
            account_was_set(v, a, settings);
    }
    buf_done(&detail);
    if (ok && r->dry_run)
        account_row_tried(r, a, settings);
    else if (ok)
        account_row(r, a);
    return ok;
}

bool account_set(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *a;
    struct buf settings;

    (void)ret_next;
    if (!operate_account(v, r->name, &a, err) ||
        !operate_settings(r, NOUN_ACCOUNT, a->settings, false, NULL, &settings, err))
        return false;
    bool ok = set_account(v, r, a, buf_str(&settings), err);
    buf_done(&settings);
    return ok;
}

/* Removing ------------------------------------------------------------------------------------- */

static bool is_declared(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->network_count; i++)
        if (str_eq(c->networks[i].account, name))
            return true;
    return false;
}

/* "2 credentials, 1 account below": what still belongs to it. */
static void name_rest(const struct account *a, char *to, size_t size)
{
    const struct {
        size_t count;
        const char *one, *more;
    } parts[] = { { a->credentials, "credential", "credentials" },
                  { a->users, "user", "users" },
                  { a->children, "account below", "accounts below" } };
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].count > 0)
            len += (size_t)snprintf(to + len, size - len, "%s%zu %s", len > 0 ? ", " : "",
                                    parts[i].count,
                                    parts[i].count == 1 ? parts[i].one : parts[i].more);
}

static bool removable(struct vault *v, const struct account *a, struct err *err)
{
    if (is_declared(v->config, a->name))
        return err_set(err, ERR_EXISTS,
                       "account %.*s: trusted_networks in the configuration name it",
                       STR_FMT(a->name));
    if (a->credentials + a->users + a->children > 0) {
        char what[128]; /* three numbers of 20 digits, and the words */
        name_rest(a, what, sizeof what);
        return err_set(err, ERR_EXISTS, "account %.*s still has %s: remove them first",
                       STR_FMT(a->name), what);
    }
    return true;
}

struct removal {
    uint64_t id;
    struct audit_row parts; /* of what goes with it */
};

static bool erase_account(struct control *c, void *arg, struct err *err)
{
    const struct removal *r = arg;

    return control_add_audit_of_parts(c, r->id, &r->parts, err) &&
           control_remove_account(c, r->id, err);
}

static bool write_removal(struct vault *v, const struct request *r, uint64_t id, struct err *err)
{
    const struct change change = change_by(r, "account-removed", r->name, STR(""));
    char why[NAME_MAX_BYTES + 32];

    (void)snprintf(why, sizeof why, "account %.*s was removed", STR_FMT(r->name));
    struct removal removal = {
        .id = id, .parts = { .wall_ms = clock_wall_ms(), .actor = r->actor, .detail = str_of(why) }
    };
    return operate_change(v, &change, erase_account, &removal, err) ||
           err_at(err, "account %.*s", STR_FMT(r->name));
}

bool account_remove(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *a;

    (void)ret_next;
    if (!operate_account(v, r->name, &a, err) || !removable(v, a, err))
        return false;
    uint64_t id = a->id;
    if (!write_removal(v, r, id, err))
        return false;
    if (r->dry_run)
        return true;
    LIST_EACH (&a->streams, struct stream, s, link)
        tell_gone(v, DIRECTORY_STREAM, s->id);
    domains_account_gone(v->domains, a);
    tell_gone(v, DIRECTORY_ACCOUNT, id);
    roster_remove_account(&v->roster, a);
    return true;
}

/* The configuration's -------------------------------------------------------------------------- */

/* A network's account is named by the configuration, which thereby approves of it. What its hosts
 * have sent until today is not refused of a sudden (R103). */
static bool add_declared(struct vault *v, struct str name, struct err *err)
{
    const struct request by_config = { .actor = STR("configuration"), .name = name };

    if (name.len == 0 || roster_account(&v->roster, name))
        return true; /* an upstream's has none of its own: each message names one */
    return operate_name_ok(name, "account of a trusted network", err) &&
           add_account(v, &by_config, NULL, STR("state=active\nidentity=observe\n"), err);
}

bool accounts_declare(struct vault *v, struct err *err)
{
    const struct config *c = v->config;

    for (size_t i = 0; i < c->network_count; i++)
        if (!add_declared(v, c->networks[i].account, err))
            return false;
    return true;
}
