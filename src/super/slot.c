// SPDX-License-Identifier: Apache-2.0
/* super/slot.c - the life of one role: launched, ready, gone, launched again after a while. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/log.h"
#include "io/process.h"
#include "super/fleet_state.h"

#define BACK_OFF_FIRST_MS 100
#define BACK_OFF_MOST_MS 10000
/* A role that lived this long starts again with the first back-off. */
#define LIVED_WELL_MS 60000
#define FDS_MAX 16

/* --- what it is given --- */

struct parcel {
    int fds[FDS_MAX];
    size_t count;
    uint32_t flags;
};

static bool parcel_seal(struct parcel *p, const char *name, struct str bytes, struct err *err)
{
    if (p->count == FDS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d descriptors for one role; use fewer listeners",
                       FDS_MAX);
    if (!process_seal(name, bytes, &p->fds[p->count], err))
        return false;
    p->count++;
    return true;
}

static void parcel_close(struct parcel *p)
{
    for (size_t i = 0; i < p->count; i++)
        process_close(p->fds[i]);
}

static bool parcel_fill(struct parcel *p, const struct settings *s, enum role_kind kind,
                        struct err *err)
{
    struct str secret = settings_secret(s, kind);

    *p = (struct parcel){ 0 };
    if (!parcel_seal(p, "baton-config", s->yaml, err))
        return false;
    if (settings_gives_tls(s, kind)) {
        p->flags |= START_TLS;
        if (!parcel_seal(p, "baton-tls-chain", s->tls_chain, err) ||
            !parcel_seal(p, "baton-tls-key", s->tls_key, err))
            return false;
    }
    if (secret.len > 0) {
        p->flags |= START_SECRET;
        return parcel_seal(p, "baton-secret", secret, err);
    }
    return true;
}

static bool send_start(struct slot *s, struct err *err)
{
    const struct door_row *doors = doors_of(&s->fleet->doors, s->kind);
    struct parcel sealed;
    int fds[FDS_MAX];
    size_t count;
    bool ok = parcel_fill(&sealed, s->fleet->settings, s->kind, err);

    count = sealed.count;
    memcpy(fds, sealed.fds, sizeof fds);
    if (ok && count + doors->count + (s->kind == ROLE_WEB) > FDS_MAX)
        ok = err_set(err, ERR_LIMIT, "%zu listeners are too many", doors->count);
    if (ok) {
        struct wire_role_start *m = wire_add(s->control, WIRE_ROLE_START, 0);
        for (size_t i = 0; i < doors->count; i++)
            fds[count++] = doors->fds[i];
        if (s->kind == ROLE_WEB)
            fds[count++] = s->fleet->doors.api;
        m->kind = s->kind;
        m->instance = s->instance;
        m->listeners = (uint32_t)(count - sealed.count);
        m->flags = sealed.flags | (s->kind == ROLE_WEB ? START_UNIX : 0);
        channel_add_fds(s->control, fds, count);
        channel_flush(s->control);
    }
    parcel_close(&sealed);
    return ok;
}

bool slot_send_reload(struct slot *s, struct err *err)
{
    struct parcel sealed;
    bool ok = parcel_fill(&sealed, s->fleet->settings, s->kind, err);

    if (ok) {
        struct wire_role_reload *m = wire_add(s->control, WIRE_ROLE_RELOAD, 0);
        m->flags = sealed.flags;
        channel_add_fds(s->control, sealed.fds, sealed.count);
        channel_flush(s->control);
    }
    parcel_close(&sealed);
    return ok;
}

void slot_send_log(struct slot *s)
{
    const int standard_error = 2;

    wire_add(s->control, WIRE_ROLE_LOG, 0);
    channel_add_fds(s->control, &standard_error, 1);
    channel_flush(s->control);
}

/* --- what it says --- */

/* A role that cannot start waits until we close the channel: it could be gone before its reason was
 * read. */
static bool on_ready(struct slot *s, const struct wire_role_ready *m, struct err *err)
{
    struct fleet *f = s->fleet;
    struct str state = wire_get(m, m->state);

    snprintf(s->state, sizeof s->state, "%.*s", STR_FMT(state));
    gate_wake_all(&f->changed);
    if (!m->ok) {
        err_set(err, ERR_CONFIG, "%s: %s", role_name(s->kind), s->state);
        if (!f->started)
            f->failure = *err;
        return false;
    }
    s->ready = true;
    joint_make_all(f, s);
    return true;
}

static void on_status(struct slot *s, const struct wire_role_status *m)
{
    buf_clear(&s->facts);
    buf_add(&s->facts, wire_get(m, m->json));
    s->asked = false;
    fleet_status_arrived(s->fleet);
}

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct slot *s = owner;
    (void)c;

    if (!wire_check(f, s->kind, ROLE_SUPER, err))
        return false;
    switch (f->type) {
    case WIRE_ROLE_READY:
        return on_ready(s, (const void *)f, err);
    case WIRE_ROLE_LINKED:
        joint_on_linked(s->fleet, s, (const void *)f);
        return true;
    case WIRE_ROLE_STATUS:
        on_status(s, (const void *)f);
        return true;
    case WIRE_ROLE_DRAINED:
        s->drained = true;
        gate_wake_all(&s->fleet->changed);
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "%s is not for super's control channel",
                       wire_type_name(f->type));
    }
}

/* It has closed or broken the channel: its process ends, or is ended. */
static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct slot *s = owner;

    if (why->kind == ERR_SYNTAX)
        log_text(LOG_ALERT, "role-broken", "%s %u: %s", role_name(s->kind), s->instance, why->text);
    channel_free(c);
    s->control = NULL;
    s->ready = false;
    if (why->kind == ERR_SYNTAX && s->pid != 0)
        process_kill(s->pid, 9);
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

/* --- life --- */

bool slot_launch(struct slot *s, struct err *err)
{
    char instance[16];
    const char *argv[] = { "baton", "role", role_name(s->kind), instance, NULL };
    int pair[2];

    snprintf(instance, sizeof instance, "%u", s->instance);
    if (!process_socketpair(pair, err))
        return false;
    bool ok = process_spawn(argv, &pair[1], 1, &s->pid, err);
    process_close(pair[1]);
    if (!ok) {
        process_close(pair[0]);
        s->pid = 0;
        return false;
    }
    s->generation++;
    s->started_ms = loop_now_ms();
    s->ready = s->drained = s->asked = false;
    return channel_new(pair[0], 50, &events, s, &s->control, err) && send_start(s, err);
}

static void launch_again(void *arg)
{
    struct slot *s = arg;
    struct err err;

    if (s->fleet->stopping || s->pid != 0)
        return;
    s->restarts++;
    if (slot_launch(s, &err))
        return;
    log_err(LOG_ALERT, "role-not-launched", &err);
    timer_set(&s->restart, loop_now_ms() + BACK_OFF_MOST_MS);
}

static void log_end_of(const struct slot *s, int wait_status)
{
    struct log_line l;

    log_begin(&l, LOG_ALERT, "role-ended");
    log_cstr(&l, "ended", role_name(s->kind));
    log_num(&l, "instance", s->instance);
    if (WIFSIGNALED(wait_status))
        log_num(&l, "signal", WTERMSIG(wait_status));
    else
        log_num(&l, "exit", WEXITSTATUS(wait_status));
    log_num(&l, "restart_in_ms", s->back_off_ms);
    log_end(&l);
}

/* Each death soon after the last one doubles the wait; one that we brought about ourselves is no
 * fault of the role. */
static void back_off(struct slot *s)
{
    bool lived_well = loop_now_ms() - s->started_ms > LIVED_WELL_MS;

    if (s->back_off_ms == 0 || lived_well || s->sacrificed)
        s->back_off_ms = BACK_OFF_FIRST_MS;
    else
        s->back_off_ms =
            s->back_off_ms < BACK_OFF_MOST_MS / 2 ? s->back_off_ms * 2 : BACK_OFF_MOST_MS;
    s->sacrificed = false;
}

void slot_ended(struct slot *s, int wait_status)
{
    struct fleet *f = s->fleet;

    s->pid = 0;
    s->ready = false;
    channel_free(s->control);
    s->control = NULL;
    joint_drop(f, s);
    gate_wake_all(&f->changed);
    if (f->stopping || !f->started)
        return;
    back_off(s);
    log_end_of(s, wait_status);
    timer_set(&s->restart, loop_now_ms() + s->back_off_ms);
    /* Everybody else's work hangs on core's memory: all begin again from the log (design.md §3,
     * "Peer death"). */
    if (s->kind == ROLE_CORE)
        FLEET_EACH (f, other)
            if (other->pid != 0) {
                other->sacrificed = true;
                process_kill(other->pid, 9);
            }
}

void slot_init(struct slot *s, struct fleet *f, enum role_kind kind, unsigned instance)
{
    s->fleet = f;
    s->kind = kind;
    s->instance = instance;
    buf_init(&s->facts, ADMIN_STATUS_MAX);
    timer_init(&s->restart, launch_again, s);
}

void slot_done(struct slot *s)
{
    timer_clear(&s->restart);
    channel_free(s->control);
    s->control = NULL;
    buf_done(&s->facts);
}
