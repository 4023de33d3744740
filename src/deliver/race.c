// SPDX-License-Identifier: Apache-2.0
/* deliver/race.c - staggered attempts to connect, in the manner of RFC 8305.
 *
 * Each attempt is a fiber. The race outlives its caller until the last of them has ended, so it
 * lies on the heap and counts its holders. */
#include "deliver/race.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/loop.h"

/* At once; each is a fiber. */
#define RUNNING_MAX 8

struct race;

struct runner {
    struct race *race;
    struct fiber *fiber; /* NULL: not running */
    struct endpoint to;
    const char *path; /* instead: of a UNIX socket */
    bool failed;
};

struct race {
    struct deliver *role;
    unsigned holders;
    bool over; /* its caller has left */
    struct gate changed;
    unsigned running;
    struct stream *stream; /* the winner's */
    size_t winner, last_failed;
    struct err err; /* of last_failed */
    struct runner runners[HOSTS_MAX];
};

static void race_drop(struct race *r)
{
    if (--r->holders == 0)
        free(r);
}

/* An address of ours that is gone is the operator's to know: only mail from it waits (fault N09).
 */
static void note_failure(struct race *r, size_t index, const struct ip *source,
                         const struct err *err)
{
    char text[IP_TEXT_MAX];

    if (err->kind == ERR_IO && err->sys == EADDRNOTAVAIL && source->family != 0)
        log_text(LOG_ALERT, "source-address-lost", "%s: %s", ip_format(source, text), err->text);
    r->runners[index].failed = true;
    r->last_failed = index;
    r->err = *err;
}

static void run(void *arg)
{
    struct runner *me = arg;
    struct race *r = me->race;
    struct deliver *d = r->role;
    const struct config *c = d->config;
    const struct ip *source = me->to.ip.family == 6 ? &c->delivery.source6 : &c->delivery.source4;
    struct stream *stream = NULL;
    struct err err = { 0 };
    int64_t deadline_ms = loop_now_ms() + c->timeouts.connect_ms;
    bool ok = me->path ? stream_connect_unix(me->path, deadline_ms, &stream, &err)
                       : stream_connect(&me->to, source, deadline_ms, &stream, &err);

    me->fiber = NULL;
    r->running--;
    if (ok && !r->over && !r->stream) {
        r->stream = stream;
        r->winner = (size_t)(me - r->runners);
    } else if (ok) {
        stream_free(stream);
    } else if (!r->over) {
        note_failure(r, (size_t)(me - r->runners), source, &err);
    }
    gate_wake_all(&r->changed);
    race_drop(r);
    d->stories--;
    deliver_story_ended(d);
}

static void start(struct race *r, size_t index, const struct host *host, uint16_t port)
{
    struct runner *me = &r->runners[index];

    *me = (struct runner){ .race = r,
                           .to = { .ip = host->ip, .port = port },
                           .path = host->ip.family == 0 ? host->name.ptr : NULL };
    r->holders++;
    r->running++;
    r->role->stories++;
    me->fiber = fiber_spawn("connect", run, me);
}

/* The next one to try, from `from` on; count when there is none. */
static size_t untried(const struct hosts *hosts, size_t from)
{
    while (from < hosts->count && hosts->list[from].state == HOST_FAILED)
        from++;
    return from;
}

static int64_t stagger_ms(const struct hosts *hosts, size_t last, size_t next)
{
    bool same = str_eq(hosts->list[last].name, hosts->list[next].name);

    return same ? RACE_ADDRESS_STAGGER_MS : RACE_HOST_STAGGER_MS;
}

/* When there is something to do although nobody has ended. */
static int64_t next_step_ms(const struct race *r, const struct hosts *hosts, size_t next,
                            int64_t next_ms)
{
    return next < hosts->count && r->running < RUNNING_MAX ? next_ms : NO_DEADLINE;
}

/* Until somebody won, all lost, or the caller is cancelled (false). */
static bool run_race(struct race *r, const struct hosts *hosts, uint16_t port, struct err *err)
{
    size_t next = untried(hosts, 0), last = next;
    int64_t next_ms = 0;

    while (!r->stream && (r->running > 0 || next < hosts->count)) {
        if (next < hosts->count && (r->running == 0 || loop_now_ms() >= next_ms) &&
            r->running < RUNNING_MAX) {
            start(r, next, &hosts->list[next], port);
            last = next;
            next = untried(hosts, next + 1);
            if (next < hosts->count)
                next_ms = loop_now_ms() + stagger_ms(hosts, last, next);
        }
        if (!gate_wait(&r->changed, next_step_ms(r, hosts, next, next_ms), err) &&
            err->kind != ERR_TIMEOUT)
            return false;
    }
    return true;
}

static void end_race(struct race *r)
{
    r->over = true;
    for (size_t i = 0; i < HOSTS_MAX; i++)
        if (r->runners[i].fiber)
            fiber_cancel(r->runners[i].fiber);
    race_drop(r);
}

bool race_connect(struct deliver *d, struct hosts *hosts, uint16_t port, size_t *ret_index,
                  struct stream **ret, struct err *err)
{
    struct race *r = NEW(struct race);
    bool ok;

    r->role = d;
    r->holders = 1;
    gate_init(&r->changed);
    ok = run_race(r, hosts, port, err);
    for (size_t i = 0; i < hosts->count; i++)
        if (r->runners[i].failed)
            hosts->list[i].state = HOST_FAILED;
    *ret_index = r->stream ? r->winner : r->last_failed;
    if (ok && r->stream)
        *ret = r->stream;
    else if (r->stream)
        stream_free(r->stream);
    else if (ok)
        *err = r->err;
    ok = ok && r->stream;
    end_race(r);
    return ok;
}
