// SPDX-License-Identifier: Apache-2.0
/* vault/role.c - the role vault: its links, the gate, its start and its end. */
#include "vault/role.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "io/clock.h"
#include "io/disk.h"
#include "io/sandbox.h"
#include "vault/domains.h"
#include "vault/sealing.h"
#include "vault/vault.h"

enum { SAVE_EVERY_MS = 60 * 1000, WORK_MAX = 256 };

/* Links ---------------------------------------------------------------------------------------- */

static struct vault_peer *peer_find(struct vault *v, enum role_kind kind, unsigned instance)
{
    if (kind == ROLE_CORE)
        return &v->core;
    if (kind == ROLE_RESOLVE)
        return &v->resolve;
    if (instance < ROLE_INSTANCES_MAX && kind == ROLE_ACCEPT)
        return &v->accept[instance];
    if (instance < ROLE_INSTANCES_MAX && kind == ROLE_WEB)
        return &v->web[instance];
    return NULL;
}

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct vault_peer *p = owner;

    (void)c;
    if (!wire_check(f, p->kind, ROLE_VAULT, err))
        return false;
    if (p->kind == ROLE_ACCEPT)
        return auth_on_frame(p, f, err);
    if (p->kind == ROLE_RESOLVE)
        return domains_on_resolve(p->vault->domains, f, err);
    if (f->type == WIRE_SIGN)
        return domains_on_sign(p->vault->domains, (const struct wire_sign *)f, err);
    if (f->type != WIRE_ADMIN)
        return err_set(err, ERR_SYNTAX, "%s sent %s", role_name(p->kind), wire_type_name(f->type));
    operate_on_admin(p, (const struct wire_admin *)f);
    return true;
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct vault_peer *p = owner;
    struct log_line l;

    log_begin(&l, LOG_WARN, "peer-gone");
    log_cstr(&l, "peer", role_name(p->kind));
    log_num(&l, "instance", p->instance);
    log_cstr(&l, "text", why ? why->text : "");
    log_end(&l);
    if (p->channel == c) {
        p->channel = NULL;
        auth_drop_sessions(p);
        if (p->kind == ROLE_RESOLVE)
            domains_resolve_gone(p->vault->domains);
    }
    channel_free(c);
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

bool vault_gate_is_open(const struct vault *v)
{
    return v->live || v->config->gate == GATE_OPEN;
}

static void send_gate(const struct vault_peer *p)
{
    if (!p->channel)
        return;
    struct wire_gate *f = wire_add(p->channel, WIRE_GATE, 0);
    f->open = vault_gate_is_open(p->vault);
}

void vault_send_gate(struct vault *v)
{
    send_gate(&v->core);
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        send_gate(&v->accept[i]);
}

static void vault_link(void *role, const struct role_link *l)
{
    struct vault_peer *p = peer_find(role, l->peer, l->instance);

    if (!p) {
        log_text(LOG_WARN, "link-unwanted", "from %s %u", role_name(l->peer), l->instance);
        channel_free(l->channel);
        return;
    }
    if (p->channel)
        channel_free(p->channel);
    auth_drop_sessions(p);
    p->channel = l->channel;
    p->generation = l->generation;
    channel_set_owner(l->channel, &events, p);
    if (p->kind == ROLE_CORE || p->kind == ROLE_ACCEPT)
        send_gate(p);
    if (p->kind == ROLE_CORE)
        tell_all(p->vault);
    if (p->kind == ROLE_RESOLVE)
        domains_resolve_linked(p->vault->domains, p->channel);
}

/* Start ---------------------------------------------------------------------------------------- */

static void peer_init(struct vault *v, struct vault_peer *p, enum role_kind kind, size_t instance)
{
    p->vault = v;
    p->kind = kind;
    p->instance = (unsigned)instance;
    idmap_init(&p->sessions);
}

static void save_is_due(void *arg)
{
    struct vault *v = arg;

    v->uses_due = true;
    operate_wake(v);
    timer_set(&v->save_timer, loop_now_ms() + SAVE_EVERY_MS);
}

static void end_is_due(void *arg)
{
    accounts_watch_ends(arg);
}

static struct vault *vault_new(const struct role_start *s)
{
    struct vault *v = NEW(struct vault);

    v->config = s->config;
    roster_init(&v->roster);
    slowdown_init(&v->slowdown);
    list_init(&v->requests);
    timer_init(&v->save_timer, save_is_due, v);
    timer_init(&v->ends_timer, end_is_due, v);
    peer_init(v, &v->core, ROLE_CORE, 0);
    peer_init(v, &v->resolve, ROLE_RESOLVE, 0);
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++) {
        peer_init(v, &v->accept[i], ROLE_ACCEPT, i);
        peer_init(v, &v->web[i], ROLE_WEB, i);
    }
    return v;
}

static void take_account(void *arg, const struct account_row *row)
{
    struct vault *v = arg;
    struct account *a = roster_add_account(&v->roster, row);

    a->ended = account_is_over(a, clock_wall_ms()); /* it was told when it ended */
}

static void take_stream(void *arg, const struct stream_row *row)
{
    struct vault *v = arg;
    roster_add_stream(&v->roster, row);
}

static void take_user(void *arg, const struct user_row *row)
{
    struct vault *v = arg;
    roster_add_user(&v->roster, row);
}

static void take_credential(void *arg, const struct credential_row *row)
{
    struct vault *v = arg;
    roster_add_credential(&v->roster, row);
}

/* The folder is made and held against a second vault; without a state folder all is in memory. */
static bool open_folder(struct vault *v, struct buf *path, struct err *err)
{
    struct str state = v->config->state_folder;

    if (state.len == 0)
        return true;
    buf_add(path, state);
    buf_add(path, STR("/vault"));
    if (!buf_ok(path))
        return err_set(err, ERR_LIMIT, "the path of the state folder is too long");
    if (!disk_open(buf_cstr(path), &v->folder, err))
        return false;
    return buf_add(path, STR("/control.db")) ||
           err_set(err, ERR_LIMIT, "the path of the state folder is too long");
}

static bool open_control(struct vault *v, struct err *err)
{
    struct buf path;

    buf_init(&path, 4096);
    bool ok = open_folder(v, &path, err) && control_open(buf_str(&path), &v->control, err);
    buf_done(&path);
    return ok;
}

/* The keys under the secret: one for credentials, one for signing keys. */
static bool open_sealed(struct vault *v, struct str secret, struct keybox **ret_box,
                        struct err *err)
{
    struct sealing sealing;

    if (!sealing_open(v->control, secret, clock_wall_ms(), &sealing, err))
        return false;
    if (sealing.exchanged)
        log_text(LOG_INFO, "secret-exchanged",
                 "what was kept under the old secret is under the new");
    memcpy(v->key, sealing.hash_key, sizeof v->key);
    mem_wipe(sealing.hash_key, sizeof sealing.hash_key);
    *ret_box = sealing.box;
    return true;
}

static bool fill(struct vault *v, struct str secret, struct err *err)
{
    const struct control_reader reader = { take_account, take_stream, take_user, take_credential,
                                           v };
    struct keybox *box;

    return open_control(v, err) && control_load(v->control, &reader, err) &&
           control_read_flag(v->control, "live", &v->live, err) && accounts_declare(v, err) &&
           open_sealed(v, secret, &box, err) && domains_open(v, box, &v->domains, err) &&
           worker_pool_new("vault-db", 1, WORK_MAX, &v->worker, err);
}

static void vault_free(void *role)
{
    struct vault *v = role;

    if (!v)
        return;
    if (v->domains)
        domains_close(v->domains);
    while (v->operating || v->apart > 0)
        loop_turn(100);
    auth_end(v);
    domains_free(v->domains);
    worker_pool_free(v->worker);
    timer_clear(&v->save_timer);
    timer_clear(&v->ends_timer);
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++) {
        channel_free(v->accept[i].channel);
        channel_free(v->web[i].channel);
    }
    channel_free(v->core.channel);
    channel_free(v->resolve.channel);
    operate_drop_requests(v);
    control_free(v->control);
    disk_free(v->folder);
    slowdown_done(&v->slowdown);
    roster_done(&v->roster);
    mem_wipe(v->key, sizeof v->key);
    free(v);
}

static bool vault_start(const struct role_start *s, void **ret_role, struct err *err)
{
    if (s->secret.len != SECRET_KEY_BYTES && s->secret.len != 2 * SECRET_KEY_BYTES)
        return err_set(
            err, ERR_CONFIG,
            "vault's key has %zu bytes, %d are wanted, or twice as many after an exchange",
            s->secret.len, SECRET_KEY_BYTES);
    if (!secret_init(err))
        return false;
    struct vault *v = vault_new(s);
    if (!auth_start(v, err) || !fill(v, s->secret, err)) {
        vault_free(v);
        return err_at(err, "vault");
    }
    v->started = true;
    accounts_watch_ends(v);
    domains_start(v->domains);
    timer_set(&v->save_timer, loop_now_ms() + SAVE_EVERY_MS);
    *ret_role = v;
    return true;
}

/* The rest of its life ------------------------------------------------------------------------- */

static void vault_reload(void *role, const struct config *config, const struct role_start *s)
{
    struct vault *v = role;

    (void)s;
    v->config = config;
    v->networks_due = true;
    operate_wake(v);
    domains_reload(v->domains);
    vault_send_gate(v);
}

static void vault_drain(void *role, void (*done)(void *arg), void *arg)
{
    struct vault *v = role;

    v->draining = true;
    v->drained = done;
    v->drained_arg = arg;
    v->uses_due = true;
    timer_clear(&v->save_timer);
    domains_close(v->domains);
    operate_wake(v);
}

static size_t session_count(const struct vault *v)
{
    size_t count = 0;

    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++)
        count += v->accept[i].sessions.count;
    return count;
}

static void vault_status(void *role, struct buf *to)
{
    struct vault *v = role;
    const struct {
        const char *name;
        uint64_t value;
    } facts[] = {
        { "accounts", v->roster.accounts_by_id.count },
        { "users", v->roster.users_by_id.count },
        { "streams", v->roster.streams_by_id.count },
        { "credentials", v->roster.credentials_by_id.count },
        { "domains", domains_count(v->domains) },
        { "sessions", session_count(v) },
        { "auth_right", v->auth_right },
        { "auth_wrong", v->auth_wrong },
        { "auth_refused", v->auth_refused },
        { "auth_waiting", v->answers_waiting },
    };
    struct json j;

    json_begin(&j, to);
    json_key(&j, "gate");
    json_str(&j, vault_gate_is_open(v) ? STR("open") : STR("closed"));
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        json_key(&j, facts[i].name);
        json_int(&j, (int64_t)facts[i].value);
    }
}

const struct role_ops vault_role = {
    .kind = ROLE_VAULT,
    .name = "vault",
    .sandbox_needs = SANDBOX_FILES,
    .start = vault_start,
    .link = vault_link,
    .reload = vault_reload,
    .drain = vault_drain,
    .status = vault_status,
    .free = vault_free,
};
