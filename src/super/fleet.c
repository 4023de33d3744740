// SPDX-License-Identifier: Apache-2.0
/* super/fleet.c - the whole: all roles started, what operators want of super, and the orderly end.
 */
#include "super/fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/process.h"
#include "super/fleet_state.h"

#define START_MS 60000
/* All phases together are over within 30 s (fault U07): accept gives its transactions 20 s, so that
 * the others have some too. Who needs longer is killed, which loses nothing: what matters is in the
 * log. */
#define DRAIN_MS 24000
#define DRAIN_LEAST_MS 500 /* of each phase */
#define SERVANTS_MS 1000   /* vault and resolve have nothing of their own in hand */
#define EXIT_MS 3000
#define END_MS 28000
#define STATUS_MS 2000
#define SIGNAL_KILL 9

/* --- status --- */

static void status_finish(struct fleet *f)
{
    struct admin_status *to = f->status;
    char state[600];

    f->status = NULL;
    timer_clear(&f->status_timer);
    FLEET_EACH (f, s) {
        const char *life = s->pid == 0 ? "not running; " : (s->ready ? "" : "starting; ");
        snprintf(state, sizeof state, "%s%s", life, s->state);
        admin_status_row(to, s->kind, s->instance, str_of(state),
                         s->asked ? STR("") : buf_str(&s->facts));
    }
    admin_status_end(to);
}

static void status_late(void *arg)
{
    struct fleet *f = arg;

    if (f->status)
        status_finish(f);
}

void fleet_status_arrived(struct fleet *f)
{
    if (!f->status)
        return;
    FLEET_EACH (f, s)
        if (s->asked && s->ready)
            return;
    status_finish(f);
}

static void status(void *arg, struct admin_status *to)
{
    struct fleet *f = arg;

    if (f->status)
        status_finish(f); /* two at once: the first gets what is known */
    f->status = to;
    FLEET_EACH (f, s) {
        s->asked = s->ready && s->control;
        if (s->asked)
            wire_add(s->control, WIRE_ROLE_STATUS, 0);
    }
    timer_set(&f->status_timer, loop_now_ms() + STATUS_MS);
    fleet_status_arrived(f);
}

/* --- reload --- */

/* Listeners are bound once; another set of them needs a restart, and says so. */
static bool same_listeners(const struct config *a, const struct config *b, struct err *err)
{
    bool same =
        a->listener_count == b->listener_count && a->web_listener_count == b->web_listener_count;

    for (size_t i = 0; same && i < a->listener_count; i++)
        same = a->listeners[i].kind == b->listeners[i].kind &&
               a->listeners[i].at.port == b->listeners[i].at.port &&
               ip_eq(&a->listeners[i].at.ip, &b->listeners[i].at.ip);
    for (size_t i = 0; same && i < a->web_listener_count; i++)
        same = a->web_listeners[i].port == b->web_listeners[i].port &&
               ip_eq(&a->web_listeners[i].ip, &b->web_listeners[i].ip);
    if (!same)
        return err_set(err, ERR_CONFIG,
                       "listeners changed: that needs a restart; nothing was reloaded");
    return true;
}

/* The resolver is set up before its role is confined: other servers need a restart as well. */
static bool same_resolver(const struct config *a, const struct config *b, struct err *err)
{
    bool same = a->dns_server_count == b->dns_server_count &&
                a->dns_recursive == b->dns_recursive &&
                str_eq(a->dns_trust_anchor_file, b->dns_trust_anchor_file);

    for (size_t i = 0; same && i < a->dns_server_count; i++)
        same = a->dns_servers[i].port == b->dns_servers[i].port &&
               ip_eq(&a->dns_servers[i].ip, &b->dns_servers[i].ip);
    return same ||
           err_set(err, ERR_CONFIG,
                   "dns.servers, dns.recursive or dns.trust_anchor_file changed: that needs "
                   "a restart; nothing was reloaded");
}

static bool take_settings(struct fleet *f, struct err *err)
{
    struct settings *fresh;

    if (!settings_read(f->settings->config->file.ptr, true, &fresh, err))
        return false;
    if (!same_listeners(f->settings->config, fresh->config, err) ||
        !same_resolver(f->settings->config, fresh->config, err)) {
        settings_free(fresh);
        return false;
    }
    if (!log_keeper_use(&f->log_keeper, fresh->config, err)) {
        settings_free(fresh);
        return false;
    }
    nightly_use(&f->nightly, fresh->config);
    settings_free(f->settings);
    f->settings = fresh;
    log_set_level(fresh->config->log_debug ? LOG_DEBUG : LOG_INFO);
    FLEET_EACH (f, s)
        if (s->ready && s->control && !slot_send_reload(s, err))
            return false;
    return true;
}

static bool reload(void *arg, struct err *err)
{
    struct fleet *f = arg;

    process_notify_reloading();
    bool ok = take_settings(f, err);
    process_notify_ready();
    if (ok)
        log_text(LOG_INFO, "reloaded", "%.*s", STR_FMT(f->settings->config->file));
    return ok;
}

static void log_changed(void *arg)
{
    struct fleet *f = arg;

    FLEET_EACH (f, s)
        if (s->control)
            slot_send_log(s);
}

/* --- the end --- */

static bool phase_drained(struct fleet *f, unsigned phase)
{
    FLEET_EACH (f, s)
        if (role_phase(s->kind) == phase && s->ready && !s->drained)
            return false;
    return true;
}

static bool phase_gone(struct fleet *f, unsigned phase)
{
    FLEET_EACH (f, s)
        if (role_phase(s->kind) == phase && s->pid != 0)
            return false;
    return true;
}

static void wait_until(struct fleet *f, bool (*met)(struct fleet *, unsigned), unsigned phase,
                       int64_t deadline)
{
    struct err err;

    while (!met(f, phase))
        if (!gate_wait(&f->changed, deadline, &err))
            break;
}

static int64_t drain_deadline(int64_t begun_ms, unsigned phase)
{
    int64_t now = loop_now_ms();

    if (phase == ROLE_PHASES - 1)
        return now + SERVANTS_MS;
    return begun_ms + DRAIN_MS > now + DRAIN_LEAST_MS ? begun_ms + DRAIN_MS : now + DRAIN_LEAST_MS;
}

static int64_t exit_deadline(int64_t begun_ms)
{
    int64_t deadline = loop_now_ms() + EXIT_MS;

    return deadline < begun_ms + END_MS ? deadline : begun_ms + END_MS;
}

static void end_phase(struct fleet *f, unsigned phase, int64_t begun_ms)
{
    FLEET_EACH (f, s)
        if (role_phase(s->kind) == phase && s->ready && s->control)
            wire_add(s->control, WIRE_ROLE_DRAIN, 0);
    wait_until(f, phase_drained, phase, drain_deadline(begun_ms, phase));
    FLEET_EACH (f, s)
        if (role_phase(s->kind) == phase) {
            channel_free(s->control); /* the role ends by itself */
            s->control = NULL;
        }
    wait_until(f, phase_gone, phase, exit_deadline(begun_ms));
    FLEET_EACH (f, s)
        if (role_phase(s->kind) == phase && s->pid != 0)
            process_kill(s->pid, SIGNAL_KILL);
}

static void stop_story(void *arg)
{
    struct fleet *f = arg;
    int64_t begun_ms = loop_now_ms();

    for (unsigned phase = 0; phase < ROLE_PHASES; phase++)
        end_phase(f, phase, begun_ms);
    loop_stop();
}

static void stop(void *arg)
{
    struct fleet *f = arg;

    if (f->stopping)
        return;
    f->stopping = true;
    process_notify_stopping();
    log_text(LOG_INFO, "stopping", "sessions end, what is in hand is finished");
    f->stopper = fiber_spawn("stop", stop_story, f);
}

static void on_signal(void *arg, int signo)
{
    struct fleet *f = arg;
    struct err err;

    if (process_signal_is_reopen(signo))
        log_keeper_reopen(&f->log_keeper);
    else if (!process_signal_is_reload(signo))
        stop(f);
    else if (!reload(f, &err))
        log_err(LOG_ALERT, "reload-refused", &err);
}

/* --- the beginning --- */

static void on_exit_of(void *arg, int pid, int wait_status)
{
    struct fleet *f = arg;

    if (nightly_ended(&f->nightly, pid))
        return;
    FLEET_EACH (f, s)
        if (s->pid == pid) {
            slot_ended(s, wait_status);
            return;
        }
}

static bool all_ready(struct fleet *f)
{
    FLEET_EACH (f, s)
        if (!s->ready)
            return false;
    return true;
}

static bool some_died(struct fleet *f)
{
    FLEET_EACH (f, s)
        if (s->pid == 0)
            return true;
    return false;
}

static bool start_all(struct fleet *f, struct err *err)
{
    int64_t deadline = loop_now_ms() + START_MS;

    for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
        for (unsigned i = 0; i < role_instances(f->settings->config, kind); i++) {
            slot_init(fleet_slot(f, kind, i), f, kind, i);
            if (!slot_launch(fleet_slot(f, kind, i), err))
                return false;
        }
    while (!all_ready(f)) {
        if (f->failure.kind != ERR_NONE || some_died(f)) {
            *err = f->failure;
            return f->failure.kind != ERR_NONE
                       ? false
                       : err_set(err, ERR_IO, "a role ended before it was ready");
        }
        if (!gate_wait(&f->changed, deadline, err))
            return err_at(err, "roles are not ready");
    }
    f->started = true;
    return true;
}

static bool exchange_secret(void *arg, struct err *err)
{
    struct fleet *f = arg;

    return settings_exchange_secret(f->settings, err);
}

static const struct admin_ops admin_ops = {
    .status = status,
    .reload = reload,
    .exchange_secret = exchange_secret,
    .stop = stop,
};

static void fleet_free(struct fleet *f)
{
    f->stopping = true;
    FLEET_EACH (f, s) {
        joint_drop(f, s);
        if (s->pid != 0)
            process_kill(s->pid, SIGNAL_KILL);
        slot_done(s);
    }
    process_on_exit(NULL, NULL);
    nightly_done(&f->nightly);
    timer_clear(&f->status_timer);
    log_keeper_done(&f->log_keeper);
    admin_done(&f->admin);
    doors_close(&f->doors);
    settings_free(f->settings);
    free(f);
}

bool fleet_serve(struct settings *settings, struct err *err)
{
    struct fleet *f = NEW(struct fleet);
    bool ok;

    f->settings = settings;
    list_init(&f->joints);
    gate_init(&f->changed);
    timer_init(&f->status_timer, status_late, f);
    admin_init(&f->admin, &admin_ops, f);
    log_keeper_init(&f->log_keeper, settings->config, log_changed, f);
    nightly_init(&f->nightly, settings->config);
    process_on_exit(on_exit_of, f);
    process_on_signal(on_signal, f);
    ok = doors_open(settings->config, &f->doors, err) && start_all(f, err);
    if (ok) {
        log_text(LOG_INFO, "serving", "%.*s", STR_FMT(settings->config->hostname));
        process_notify_ready();
        loop_run();
    }
    fleet_free(f);
    return ok;
}
