// SPDX-License-Identifier: Apache-2.0
/* deliver/connection.c - the life of a connection: job after job, and idle between them.
 *
 * How a dialogue is opened stands in opening.c, what one job does on it in attempt.c. */
#include "deliver/connection.h"

#include <stdlib.h>

#include "deliver/attempt.h"
#include "io/loop.h"

static void leave_idle(struct connection *c)
{
    list_remove(&c->idle);
    list_remove(&c->idle_of_role);
}

void connection_wake(struct connection *c)
{
    leave_idle(c);
    gate_wake_all(&c->woken);
}

/* True when woken, false when the time is over or the fiber is to end. Waits. */
static bool sit_idle(struct connection *c)
{
    struct deliver *d = c->site->role;
    struct err err;
    bool ok;

    list_prepend(&c->site->idle, &c->idle); /* the warmest one is taken first */
    list_append(&d->idle, &c->idle_of_role);
    ok = gate_wait(&c->woken, loop_now_ms() + c->site->timeouts.idle_kept_ms, &err);
    c->has_idled = true;
    leave_idle(c);
    return ok;
}

/* NULL: there is nothing more to do for it. Waits. */
static struct job *next_job(struct connection *c)
{
    struct job *j;

    if (!c->begun) {
        c->begun = true;
        c->site->starting--;
    }
    for (;;) {
        if (c->quit || site_is_over(c->site))
            return NULL;
        j = site_pop(c->site);
        if (j)
            return j;
        if (!c->open || connection_is_used_up(c))
            return NULL;
        if (!list_empty(&c->site->role->hungry))
            return NULL; /* another site needs the place */
        if (!sit_idle(c) && c->site->queued == 0)
            return NULL;
    }
}

static void free_connection(struct connection *c)
{
    struct site *s = c->site;

    list_remove(&c->link);
    arena_done(&c->names);
    arena_done(&c->attempt);
    free(c);
    site_connection_ended(s);
}

static void run(void *arg)
{
    struct connection *c = arg;
    struct job *j;

    while ((j = next_job(c))) {
        attempt_job(c, j);
        arena_reset(&c->attempt);
    }
    connection_close(c, FAREWELL_HEARD);
    free_connection(c);
}

void connection_start(struct site *s)
{
    struct connection *c = NEW(struct connection);

    c->site = s;
    arena_init(&c->names, 512);
    arena_init(&c->attempt, 2048);
    list_init(&c->idle);
    list_init(&c->idle_of_role);
    gate_init(&c->woken);
    list_append(&s->connections, &c->link);
    s->open++;
    s->starting++;
    s->role->open++;
    c->fiber = fiber_spawn("delivery", run, c);
}

void connection_close(struct connection *c, enum farewell farewell)
{
    if (!c->open)
        return;
    if (farewell != FAREWELL_NONE)
        dialogue_quit(&c->dialogue, farewell == FAREWELL_HEARD);
    c->open = false;
    dialogue_done(&c->dialogue);
    c->host_name = STR_NONE;
    arena_reset(&c->names);
}

/* RFC 9422 §4.1 and our own limit. */
bool connection_is_used_up(const struct connection *c)
{
    unsigned ours = c->site->messages_max;
    uint64_t theirs = c->dialogue.ext.mail_max;

    return c->dialogue.closing || (ours > 0 && c->transactions >= ours) ||
           (theirs > 0 && c->transactions >= theirs);
}
