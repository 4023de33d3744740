// SPDX-License-Identifier: Apache-2.0
/* accept/role.c - the role that takes mail in by SMTP: its doors, its links, its start and end. */
#include "accept/role.h"

#include <stdlib.h>

#include "accept/accept.h"
#include "base/json.h"
#include "base/log.h"
#include "io/sandbox.h"

#define REPLY_BYTES_MAX (16 * 1024)
#define FORWARDS_BYTES_MAX (1024 * 1024 + 1)
#define REFUSING_MAX 50         /* sessions over the limit that may hear so; then doors close */
#define DRAIN_PATIENCE_MS 20000 /* for transactions under way (fault U07) */

/* Doors ------------------------------------------------------------------------------------- */

static bool is_crowded(const struct accept *a)
{
    return a->sessions.count >= a->config->limits.sessions + REFUSING_MAX ||
           fiber_count() + REFUSING_MAX >= fiber_count_max();
}

static void doors_close(struct accept *a)
{
    for (size_t i = 0; i < a->door_count; i++)
        listener_pause(a->doors[i].listener);
}

static void on_connect(void *arg, struct stream *stream)
{
    struct door *door = arg;
    struct accept *a = door->role;

    if (door->index >= a->config->listener_count) { /* a reload took it out of the configuration */
        stream_free(stream);
        return;
    }
    session_start(a, stream, door->index);
    if (!a->doors_full && is_crowded(a)) {
        a->doors_full = true;
        log_text(LOG_WARN, "sessions-full", "no more connections are taken: limits.sessions is %u",
                 a->config->limits.sessions);
        doors_close(a);
    }
}

static void doors_open(struct accept *a)
{
    for (size_t i = 0; i < a->door_count; i++)
        listener_start(a->doors[i].listener, on_connect, &a->doors[i]);
}

static void doors_make(struct accept *a, const struct role_start *s)
{
    size_t count = s->listener_count < s->config->listener_count ? s->listener_count
                                                                 : s->config->listener_count;

    a->doors = NEW_ARRAY(struct door, count);
    a->door_count = count;
    for (size_t i = 0; i < count; i++)
        a->doors[i] = (struct door){ .role = a, .listener = s->listeners[i], .index = (uint32_t)i };
}

void accept_links_changed(struct accept *a)
{
    if (a->doors_open || a->drain.on || a->core.channel == NULL || a->vault.channel == NULL)
        return;
    a->doors_open = true;
    doors_open(a);
}

void accept_wake_all(struct accept *a)
{
    struct session *s;
    uint32_t at = 0;

    while ((s = session_table_each(&a->sessions, &at)) != NULL)
        gate_wake_all(&s->answer.gate);
}

/* The end ----------------------------------------------------------------------------------- */

static void drain_look(struct accept *a)
{
    void (*done)(void *arg) = a->drain.done;

    if (!a->drain.on || done == NULL || a->sessions.count > 0)
        return;
    a->drain.done = NULL;
    timer_clear(&a->drain.patience);
    done(a->drain.arg);
}

void accept_session_ended(struct accept *a)
{
    if (a->doors_full && !a->drain.on && !is_crowded(a)) {
        a->doors_full = false;
        doors_open(a);
    }
    drain_look(a);
}

static void sessions_cancel(struct accept *a, bool idle_only)
{
    struct session *s;
    uint32_t at = 0;

    while ((s = session_table_each(&a->sessions, &at)) != NULL)
        if (s->idle || !idle_only)
            fiber_cancel(s->fiber);
}

static void on_patience_over(void *arg)
{
    sessions_cancel(arg, /* idle_only= */ false);
}

static void role_drain(void *role, void (*done)(void *arg), void *arg)
{
    struct accept *a = role;

    a->drain.on = true;
    a->drain.done = done;
    a->drain.arg = arg;
    doors_close(a);
    sessions_cancel(a, /* idle_only= */ true);
    timer_set(&a->drain.patience, loop_now_ms() + DRAIN_PATIENCE_MS);
    drain_look(a);
}

static void role_free(void *role)
{
    struct accept *a = role;

    if (a == NULL)
        return;
    a->drain.on = true;
    a->drain.done = NULL;
    doors_close(a);
    sessions_cancel(a, /* idle_only= */ false);
    while (a->sessions.count > 0)
        loop_turn(0);
    timer_clear(&a->drain.patience);
    core_link_done(&a->core);
    vault_link_done(&a->vault);
    session_table_done(&a->sessions);
    workspaces_done(&a->workspaces);
    tls_server_free(a->tls);
    tls_server_free(a->tls_before);
    buf_done(&a->reply);
    buf_done(&a->words);
    buf_done(&a->forwards);
    free(a->doors);
    free(a);
}

/* Start ------------------------------------------------------------------------------------- */

static bool tls_make(const struct role_start *s, const struct config *config,
                     struct tls_server **ret, struct err *err)
{
    *ret = NULL;
    if (s->tls_chain_pem.len == 0)
        return true;
    if (!tls_server_new(s->tls_chain_pem, s->tls_key_pem, ret, err))
        return err_at(err, "TLS");
    if (config->tls_client_certificates)
        tls_server_ask_certificate(*ret);
    return true;
}

static bool role_begin(const struct role_start *s, void **ret_role, struct err *err)
{
    struct accept *a = NEW(struct accept);

    if (!tls_make(s, s->config, &a->tls, err)) {
        free(a);
        return false;
    }
    a->config = s->config;
    a->gate_open = s->config->gate == GATE_OPEN;
    session_table_init(&a->sessions);
    workspaces_init(&a->workspaces);
    core_link_init(&a->core);
    buf_init(&a->reply, REPLY_BYTES_MAX);
    buf_init(&a->words, REPLY_BYTES_MAX);
    buf_init(&a->forwards, FORWARDS_BYTES_MAX);
    timer_init(&a->drain.patience, on_patience_over, a);
    doors_make(a, s);
    *ret_role = a;
    return true;
}

static void role_link(void *role, const struct role_link *l)
{
    if (l->peer == ROLE_CORE)
        core_link_set(role, l);
    else if (l->peer == ROLE_VAULT)
        vault_link_set(role, l);
}

/* A certificate that can't be used leaves the old one in force. Which sockets there are changes
 * only with a restart. */
static void role_reload(void *role, const struct config *config, const struct role_start *s)
{
    struct accept *a = role;
    struct tls_server *tls;
    struct err err;

    a->config = config;
    if (config->gate == GATE_OPEN)
        a->gate_open = true;
    if (!tls_make(s, config, &tls, &err)) {
        log_err(LOG_ALERT, "tls-reload-failed", &err);
        return;
    }
    tls_server_free(a->tls_before);
    a->tls_before = a->tls;
    a->tls = tls;
}

static void role_status(void *role, struct buf *to)
{
    const struct accept *a = role;
    struct json j;

    json_begin(&j, to);
    json_key(&j, "sessions");
    json_int(&j, a->sessions.count);
    json_key(&j, "messages");
    json_int(&j, (int64_t)a->messages);
    json_key(&j, "refusals");
    json_int(&j, (int64_t)a->refusals);
    json_key(&j, "tls");
    json_bool(&j, a->tls != NULL);
}

const struct role_ops accept_role = {
    .kind = ROLE_ACCEPT,
    .name = "accept",
    .sandbox_needs = SANDBOX_ACCEPT,
    .start = role_begin,
    .link = role_link,
    .reload = role_reload,
    .drain = role_drain,
    .status = role_status,
    .free = role_free,
};
