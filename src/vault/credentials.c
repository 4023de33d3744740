// SPDX-License-Identifier: Apache-2.0
/* vault/credentials.c - credentials are made, listed, changed and taken away. A secret leaves in
 * the one row that answers its making and is kept nowhere (fault A06). */
#include "vault/credential_kinds.h"

#include "io/clock.h"

static bool find_credential(struct vault *v, const struct request *r, struct credential **ret,
                            struct err *err)
{
    *ret = roster_credential(&v->roster, r->name);
    return *ret || err_set(err, ERR_NOT_FOUND, "there is no user %.*s", STR_FMT(r->name));
}

/* Rows ----------------------------------------------------------------------------------------- */

/* With these settings instead of its own, and with a secret this once. */
static void send_with(const struct request *r, const struct credential *c, struct str settings,
                      const char *secret)
{
    int64_t expires = (int64_t)fields_number(NOUN_CREDENTIAL, settings, "expires");
    struct buf row;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    (void)buf_room(&row, ROW_BYTES_MAX); /* once, so that growing leaves no copy behind */
    json_begin(&j, &row);
    json_object(&j);
    operate_json_str(&j, "user", c->user);
    if (secret)
        operate_json_str(&j, "secret", str_of(secret));
    operate_json_str(&j, "account", c->account->name);
    operate_json_str(&j, "kind", fields_get(NOUN_CREDENTIAL, settings, "kind"));
    json_key(&j, "normalize");
    json_bool(&j, fields_true(NOUN_CREDENTIAL, settings, "normalize"));
    json_key(&j, "expired");
    json_bool(&j, expires > 0 && expires <= clock_wall_ms());
    json_key(&j, "scram");
    json_bool(&j, c->scram.iterations > 0);
    fields_json(NOUN_CREDENTIAL, settings, &j);
    operate_json_date(&j, "created", c->created_wall_ms);
    operate_json_date(&j, "last_used", c->last_used_wall_ms);
    json_object_end(&j);
    operate_row(r, &row);
    mem_wipe(row.ptr, row.cap);
    buf_done(&row);
}

/* Making --------------------------------------------------------------------------------------- */

struct making {
    struct new_secret secret;
    struct credential_row row;
    uint64_t id;
};

/* The work of thousands of hashes is the worker's too. */
static void derive(struct making *m)
{
    m->row.scram = m->secret.scram;
    if (m->secret.text[0])
        scram_derive(&m->row.scram, str_of(m->secret.text));
}

static bool write_credential(struct control *c, void *arg, struct err *err)
{
    struct making *m = arg;

    derive(m);
    return control_add_credential(c, &m->row, &m->id, err);
}

static void credential_made(struct vault *v, const struct request *r, struct making *m)
{
    m->row.id = m->id;
    struct credential *c = roster_add_credential(&v->roster, &m->row);
    if (c->kind == CREDENTIAL_TENANT)
        tell_tenant(v, c);
    send_with(r, c, c->settings, m->secret.text[0] ? m->secret.text : NULL);
}

static bool add_credential(struct vault *v, const struct request *r, struct account *a,
                           struct making *m, struct err *err)
{
    struct change change = change_by(r, "credential-added", a->name, r->name);
    struct buf detail;

    buf_init(&detail, SETTINGS_BYTES_MAX);
    fields_list(m->row.settings, &detail);
    change.detail = buf_str(&detail);
    bool ok = operate_change(v, &change, write_credential, m, err);
    buf_done(&detail);
    if (!ok)
        return err_at(err, "user %.*s", STR_FMT(r->name));
    if (r->dry_run)
        send_with(r,
                  &(struct credential){ .account = a,
                                        .user = r->name,
                                        .scram = m->row.scram,
                                        .created_wall_ms = m->row.created_wall_ms },
                  m->row.settings, NULL);
    else
        credential_made(v, r, m);
    return true;
}

static bool make_credential(struct vault *v, const struct request *r, struct account *a,
                            struct str settings, struct err *err)
{
    struct making m = { .row = { .account = a->id,
                                 .user = r->name,
                                 .hash = m.secret.hash,
                                 .kind = fields_get(NOUN_CREDENTIAL, settings, "kind"),
                                 .settings = settings,
                                 .created_wall_ms = clock_wall_ms() } };

    if (!credential_settings_ok(&v->roster, a, settings, NULL, err))
        return false;
    credential_make(v, &m.secret, settings);
    bool ok = add_credential(v, r, a, &m, err);
    mem_wipe(&m, sizeof m);
    return ok;
}

bool credential_add(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *a;
    struct buf settings;

    (void)ret_next;
    if (!operate_name_ok(r->name, "user", err) || !operate_account(v, r->account, &a, err))
        return false;
    if (roster_credential(&v->roster, r->name))
        return err_set(err, ERR_EXISTS, "user %.*s is there already", STR_FMT(r->name));
    if (!operate_settings(r, NOUN_CREDENTIAL, STR(""), true, NULL, &settings, err))
        return false;
    bool ok = make_credential(v, r, a, buf_str(&settings), err);
    buf_done(&settings);
    return ok;
}

/* Looking -------------------------------------------------------------------------------------- */

bool credential_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct page page = { .left = operate_row_limit(r) };
    struct account *of = NULL;

    if (r->account.len > 0 && !operate_account(v, r->account, &of, err))
        return false;
    LIST_EACH (&v->roster.credentials, struct credential, c, link) {
        if (c->id <= r->after || (of && c->account != of))
            continue;
        if (!operate_page_takes(&page, c->id, ret_next))
            return true;
        send_with(r, c, c->settings, NULL);
    }
    return true;
}

/* Changing ------------------------------------------------------------------------------------- */

struct setting {
    uint64_t id;
    struct str settings;
    const struct credential_row *known_by; /* another certificate; NULL: as before */
};

static bool write_settings(struct control *c, void *arg, struct err *err)
{
    const struct setting *s = arg;

    return control_set_credential(c, s->id, s->settings, err) &&
           (!s->known_by || control_set_secret(c, s->id, s->known_by, err));
}

static void credential_was_set(struct vault *v, struct credential *c, const struct setting *s)
{
    roster_set_credential(&v->roster, c, s->settings);
    if (s->known_by) {
        roster_set_secret(&v->roster, c, s->known_by);
        auth_unbind(v, c->id);
    }
    if (c->kind == CREDENTIAL_TENANT)
        tell_tenant(v, c);
    auth_review(v);
}

static bool set_credential(struct vault *v, const struct request *r, struct credential *c,
                           struct str settings, struct err *err)
{
    struct change change = change_by(r, "credential-changed", c->account->name, c->user);
    uint8_t sha256[SECRET_HASH_BYTES];
    const struct credential_row known_by = { .hash = sha256 };
    struct setting set = { .id = c->id, .settings = settings };
    struct buf detail;
    bool ok = credential_settings_ok(&v->roster, c->account, settings, c, err);

    if (ok && c->kind == CREDENTIAL_CERT) {
        secret_fingerprint(fields_get(NOUN_CREDENTIAL, settings, "fingerprint"), sha256);
        if (!secret_hash_eq(sha256, c->hash))
            set.known_by = &known_by;
    }
    buf_init(&detail, 2 * SETTINGS_BYTES_MAX);
    if (ok && fields_difference(NOUN_CREDENTIAL, c->settings, settings, &detail)) {
        change.detail = buf_str(&detail);
        ok = operate_change(v, &change, write_settings, &set, err);
        if (ok && !r->dry_run)
            credential_was_set(v, c, &set);
    }
    buf_done(&detail);
    if (!ok)
        return err_at(err, "user %.*s", STR_FMT(r->name));
    send_with(r, c, settings, NULL);
    return true;
}

bool credential_set(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct credential *c;
    struct buf settings;

    (void)ret_next;
    if (!find_credential(v, r, &c, err) ||
        !operate_settings(r, NOUN_CREDENTIAL, c->settings, false, NULL, &settings, err))
        return false;
    bool ok = set_credential(v, r, c, buf_str(&settings), err);
    buf_done(&settings);
    return ok;
}

/* Another secret ------------------------------------------------------------------------------- */

static bool write_secret(struct control *c, void *arg, struct err *err)
{
    struct making *m = arg;

    derive(m);
    return control_set_secret(c, m->id, &m->row, err);
}

static bool rotate(struct vault *v, const struct request *r, struct credential *c, struct making *m,
                   struct err *err)
{
    struct change change = change_by(r, "credential-rotated", c->account->name, c->user);

    credential_make(v, &m->secret, c->settings);
    if (!operate_change(v, &change, write_secret, m, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    if (!r->dry_run) {
        roster_set_secret(&v->roster, c, &m->row);
        auth_unbind(v, c->id);
    }
    send_with(r, c, c->settings, r->dry_run ? NULL : m->secret.text);
    return true;
}

bool credential_rotate(struct vault *v, const struct request *r, uint64_t *ret_next,
                       struct err *err)
{
    struct credential *c;

    (void)ret_next;
    if (!find_credential(v, r, &c, err))
        return false;
    if (!credential_has_secret(c->kind))
        return err_set(
            err, ERR_SYNTAX,
            "user %.*s has no secret: a certificate is changed by fingerprint=", STR_FMT(r->name));
    struct making m = { .id = c->id, .row = { .hash = m.secret.hash } };
    bool ok = rotate(v, r, c, &m, err);
    mem_wipe(&m, sizeof m);
    return ok;
}

/* Removing ------------------------------------------------------------------------------------- */

struct revoking {
    uint64_t id;
    int64_t wall_ms;
};

static bool revoke(struct control *c, void *arg, struct err *err)
{
    const struct revoking *r = arg;

    return control_revoke(c, r->id, r->wall_ms, err);
}

bool credential_remove(struct vault *v, const struct request *r, uint64_t *ret_next,
                       struct err *err)
{
    struct credential *c;

    (void)ret_next;
    if (!find_credential(v, r, &c, err))
        return false;
    struct revoking revoking = { .id = c->id, .wall_ms = clock_wall_ms() };
    struct change change = change_by(r, "credential-removed", c->account->name, c->user);
    if (!operate_change(v, &change, revoke, &revoking, err))
        return err_at(err, "user %.*s", STR_FMT(r->name));
    if (r->dry_run)
        return true;
    if (c->kind == CREDENTIAL_TENANT)
        tell_gone(v, DIRECTORY_TENANT, c->id);
    roster_remove_credential(&v->roster, c);
    auth_unbind(v, revoking.id);
    return true;
}
