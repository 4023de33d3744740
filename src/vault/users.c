// SPDX-License-Identifier: Apache-2.0
/* vault/users.c - people (R69): made, listed, changed and taken away by operators alone (R15). A
 * password is chosen, or made and shown once; only its argon2id is kept (fault A05). */
#include "io/clock.h"
#include "vault/operate.h"
#include "vault/password.h"

static bool find_user(struct vault *v, const struct request *r, struct user **ret, struct err *err)
{
    *ret = roster_user(&v->roster, r->name);
    return *ret || err_set(err, ERR_NOT_FOUND, "there is no person %.*s", STR_FMT(r->name));
}

/* Rows ----------------------------------------------------------------------------------------- */

/* With these settings instead of its own, and with a password that was made, this once. */
static void send_with(const struct request *r, const struct user *u, struct str settings,
                      const char *password)
{
    struct buf row;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    (void)buf_room(&row, ROW_BYTES_MAX); /* once, so that growing leaves no copy behind */
    json_begin(&j, &row);
    json_object(&j);
    operate_json_str(&j, "name", u->name);
    if (password)
        operate_json_str(&j, "password", str_of(password));
    if (u->account)
        operate_json_str(&j, "account", u->account->name);
    operate_json_str(&j, "role", fields_get(NOUN_USER, settings, "role"));
    operate_json_str(&j, "state", fields_get(NOUN_USER, settings, "state"));
    fields_json(NOUN_USER, settings, &j);
    operate_json_date(&j, "created", u->created_wall_ms);
    operate_json_date(&j, "last_used", u->last_used_wall_ms);
    json_object_end(&j);
    operate_row(r, &row);
    mem_wipe(row.ptr, row.cap);
    buf_done(&row);
}

/* What a person may be ------------------------------------------------------------------------- */

/* Operators and those who watch over all accounts belong to none; who works for a customer belongs
 * to his account. */
static bool role_ok(struct str settings, const struct account *a, struct err *err)
{
    enum user_role role = USER_OPERATOR_ADMIN + fields_word(NOUN_USER, settings, "role");
    struct str name = fields_get(NOUN_USER, settings, "role");
    bool operates = role <= USER_ABUSE_DESK;
    bool either = role == USER_REVIEWER || role == USER_AUDITOR;

    if (operates && a)
        return err_set(err, ERR_SYNTAX, "role: %.*s belongs to no account", STR_FMT(name));
    if (!operates && !either && !a)
        return err_set(err, ERR_SYNTAX, "role: %.*s belongs to an account: name it", STR_FMT(name));
    if (!a && fields_true(NOUN_USER, settings, "submits"))
        return err_set(err, ERR_SYNTAX, "submits: mail is handed over for an account: name it");
    return true;
}

/* Passwords ------------------------------------------------------------------------------------ */

/* A new one, chosen or made, on its way. */
struct passing {
    struct str chosen; /* NULL ptr: none is wanted; empty: one is made */
    char made[PASSWORD_MADE_LEN + 1];
    char hash[PASSWORD_HASH_BYTES];
    bool ok;
    struct err err;
};

static bool is_made(const struct passing *p)
{
    return p->made[0] != '\0';
}

static void run_hash(void *arg)
{
    struct passing *p = arg;

    p->ok = password_hash(is_made(p) ? str_of(p->made) : p->chosen, p->hash, &p->err);
}

/* Waits. */
static bool hash_password(struct vault *v, struct passing *p, struct err *err)
{
    if (p->chosen.len == 0)
        password_make(p->made);
    else if (!password_ok(p->chosen, err))
        return false;
    if (!worker_run(v->password_workers, run_hash, p, err))
        return false;
    if (!p->ok && err)
        *err = p->err;
    return p->ok;
}

/* Making --------------------------------------------------------------------------------------- */

struct making {
    struct user_row row;
    uint64_t id;
};

static bool write_user(struct control *c, void *arg, struct err *err)
{
    struct making *m = arg;

    return control_add_user(c, &m->row, &m->id, err);
}

static bool make_user(struct vault *v, const struct request *r, struct account *a, struct making *m,
                      struct err *err)
{
    struct change change = change_by(r, "user-added", a ? a->name : STR(""), r->name);
    struct buf detail;

    buf_init(&detail, SETTINGS_BYTES_MAX);
    fields_list(m->row.settings, &detail);
    change.detail = buf_str(&detail);
    bool ok = operate_change(v, &change, write_user, m, err);
    buf_done(&detail);
    return ok || err_at(err, "person %.*s", STR_FMT(r->name));
}

static bool add_user(struct vault *v, const struct request *r, struct account *a,
                     struct str settings, struct passing *p, struct err *err)
{
    struct making m = { .row = { .account = a ? a->id : 0,
                                 .name = r->name,
                                 .settings = settings,
                                 .created_wall_ms = clock_wall_ms() } };

    if (!role_ok(settings, a, err) || !hash_password(v, p, err))
        return false;
    m.row.password = str_of(p->hash);
    if (!make_user(v, r, a, &m, err))
        return false;
    if (r->dry_run) {
        send_with(r,
                  &(struct user){
                      .account = a, .name = r->name, .created_wall_ms = m.row.created_wall_ms },
                  settings, NULL);
        return true;
    }
    m.row.id = m.id;
    struct user *u = roster_add_user(&v->roster, &m.row);
    send_with(r, u, u->settings, is_made(p) ? p->made : NULL);
    return true;
}

bool user_add(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *a = NULL;
    struct passing p = { .chosen = STR("") };
    struct buf settings;

    (void)ret_next;
    if (!operate_name_ok(r->name, "person", err) ||
        (r->account.len > 0 && !operate_account(v, r->account, &a, err)))
        return false;
    if (roster_user(&v->roster, r->name))
        return err_set(err, ERR_EXISTS, "person %.*s is there already", STR_FMT(r->name));
    if (!operate_settings(r, NOUN_USER, STR(""), true, &p.chosen, &settings, err))
        return false;
    bool ok = add_user(v, r, a, buf_str(&settings), &p, err);
    mem_wipe(&p, sizeof p);
    buf_done(&settings);
    return ok;
}

/* Looking -------------------------------------------------------------------------------------- */

bool user_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct page page = { .left = operate_row_limit(r) };
    struct account *of = NULL;

    if (r->account.len > 0 && !operate_account(v, r->account, &of, err))
        return false;
    LIST_EACH (&v->roster.users, struct user, u, link) {
        if (u->id <= r->after || (of && u->account != of))
            continue;
        if (!operate_page_takes(&page, u->id, ret_next))
            return true;
        send_with(r, u, u->settings, NULL);
    }
    return true;
}

/* Changing ------------------------------------------------------------------------------------- */

struct setting {
    uint64_t id;
    struct str settings;
    struct str password; /* argon2id; empty: as before */
};

static bool write_settings(struct control *c, void *arg, struct err *err)
{
    const struct setting *s = arg;

    return control_set_user(c, s->id, s->settings, err) &&
           (s->password.len == 0 || control_set_password(c, s->id, s->password, err));
}

static void user_was_set(struct vault *v, struct user *u, const struct setting *s)
{
    roster_set_user(&v->roster, u, s->settings);
    if (s->password.len > 0) {
        roster_set_password(&v->roster, u, s->password);
        auth_unbind_user(v, u->id);
    }
    auth_review(v);
}

/* A password alone is a change too, though nothing of it is told. */
static bool change_user(struct vault *v, const struct request *r, struct user *u,
                        const struct setting *s, struct err *err)
{
    struct change change =
        change_by(r, "user-changed", u->account ? u->account->name : STR(""), u->name);
    bool new_password = s->password.len > 0;
    struct setting set = *s;
    struct buf detail;
    bool ok = true;

    buf_init(&detail, 2 * SETTINGS_BYTES_MAX);
    bool differs = fields_difference(NOUN_USER, u->settings, s->settings, &detail);
    if (new_password)
        buf_add(&detail, differs ? STR(", a new password") : STR("a new password"));
    change.detail = buf_str(&detail);
    if (differs || new_password) {
        ok = operate_change(v, &change, write_settings, &set, err);
        if (ok && !r->dry_run)
            user_was_set(v, u, s);
    }
    buf_done(&detail);
    return ok || err_at(err, "person %.*s", STR_FMT(r->name));
}

static bool set_user(struct vault *v, const struct request *r, struct user *u, struct str settings,
                     struct passing *p, struct err *err)
{
    struct setting s = { .id = u->id, .settings = settings };

    if (!role_ok(settings, u->account, err) || (p->chosen.ptr && !hash_password(v, p, err)))
        return false;
    if (p->chosen.ptr)
        s.password = str_of(p->hash);
    if (!change_user(v, r, u, &s, err))
        return false;
    send_with(r, u, settings, is_made(p) && !r->dry_run ? p->made : NULL);
    return true;
}

bool user_set(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct passing p = { .chosen = STR_NONE };
    struct user *u;
    struct buf settings;

    (void)ret_next;
    if (!find_user(v, r, &u, err) ||
        !operate_settings(r, NOUN_USER, u->settings, false, &p.chosen, &settings, err))
        return false;
    bool ok = set_user(v, r, u, buf_str(&settings), &p, err);
    mem_wipe(&p, sizeof p);
    buf_done(&settings);
    return ok;
}

/* Removing ------------------------------------------------------------------------------------- */

static bool erase_user(struct control *c, void *arg, struct err *err)
{
    return control_remove_user(c, *(const uint64_t *)arg, err);
}

bool user_remove(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct user *u;

    (void)ret_next;
    if (!find_user(v, r, &u, err))
        return false;
    struct change change =
        change_by(r, "user-removed", u->account ? u->account->name : STR(""), u->name);
    uint64_t id = u->id;
    if (!operate_change(v, &change, erase_user, &id, err))
        return err_at(err, "person %.*s", STR_FMT(r->name));
    if (r->dry_run)
        return true;
    roster_remove_user(&v->roster, u);
    auth_unbind_user(v, id);
    return true;
}
