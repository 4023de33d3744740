// SPDX-License-Identifier: Apache-2.0
/* vault/checker.c - which domain is looked at when. Each has a timer of its own; those whose time
 * has come stand in line, and so many are looked at at once, however many there are. */
#include "base/log.h"
#include "io/clock.h"
#include "vault/domains_own.h"

enum { LOOKS_MAX = 32 };

static void pump(struct domains *d);

static bool is_paused(const struct domains *d)
{
    return !d->started || d->closing || d->vault->draining;
}

/* When --------------------------------------------------------------------------------------------
 */

static bool has_pending(const struct grant *g)
{
    bool pending = g->standing.state == GRANT_PENDING && g->method != METHOD_LEASE;

    LIST_EACH (&g->keys, struct key, k, link)
        pending = pending || k->state == KEY_PENDING;
    return pending;
}

/* Some 10 % earlier or later, so that what was added at once is not asked for at once for ever. */
static int64_t jitter(int64_t ms)
{
    return ms - ms / 10 + (int64_t)random_below((uint64_t)ms / 5 + 1);
}

/* What waits for its owner is looked at often at first, then ever less. */
static int64_t next_wait(const struct domains *d, struct grant *g)
{
    const struct config *c = d->vault->config;

    if (g->standing.missing_ms != 0 && c->proof.lost_ms / 8 < c->proof.check_ms)
        return jitter(c->proof.lost_ms / 8 + 1);
    if (!has_pending(g)) {
        g->wait_ms = 0;
        return jitter(c->proof.check_ms);
    }
    g->wait_ms = g->wait_ms == 0 ? c->proof.pending_ms : g->wait_ms + g->wait_ms / 4 + 1;
    if (g->wait_ms > c->proof.check_ms)
        g->wait_ms = c->proof.check_ms;
    return jitter(g->wait_ms);
}

static void is_due(void *arg)
{
    struct grant *g = arg;

    list_append(&g->domains->due, &g->due);
    pump(g->domains);
}

static void watch(struct domains *d, struct grant *g, int64_t at_ms)
{
    g->domains = d;
    list_remove(&g->due);
    if (!g->timer.fn)
        timer_init(&g->timer, is_due, g);
    if (d->started && !d->closing)
        timer_set(&g->timer, at_ms);
}

void checker_watch(struct domains *d, struct grant *g, int64_t in_ms)
{
    const int64_t at_ms = loop_now_ms() + in_ms;

    if (list_empty(&g->due) && (g->timer.place == 0 || g->timer.at_ms > at_ms))
        watch(d, g, at_ms);
}

void checker_forget(struct grant *g)
{
    if (g->timer.fn)
        timer_clear(&g->timer);
    list_remove(&g->due);
}

/* After a start all of them are due at some time within one round: those that wait, soon. */
void checker_start(struct domains *d)
{
    const struct config *c = d->vault->config;

    LIST_EACH (&d->grants.all, struct grant, g, link) {
        const int64_t round_ms =
            has_pending(g) || g->standing.missing_ms != 0 ? c->proof.pending_ms : c->proof.check_ms;
        g->wait_ms = 0;
        checker_watch(d, g, (int64_t)random_below((uint64_t)round_ms + 1));
    }
}

/* Looking -----------------------------------------------------------------------------------------
 */

/* One at a time for a grant; the caller holds it. */
static bool look_alone(struct domains *d, struct grant *g, struct arena *a, struct look *ret,
                       struct err *err)
{
    g->looking = true;
    bool ok = look_at(d, g, a, ret, err);
    if (ok && g->gone)
        ok = err_set(err, ERR_NOT_FOUND, "the domain was taken away meanwhile");
    ok = ok && verdict_pass(d, ret, a, err);
    g->looking = false;
    gate_wake_all(&d->changed);
    if (g->gone)
        return false;
    /* What was asked for while it looked is not in what it saw. */
    watch(d, g, loop_now_ms() + (g->at_servers ? 0 : next_wait(d, g)));
    if (keysmith_wanted(d, g))
        keysmith_wake(d, g, /* soon= */ false);
    return ok;
}

bool checker_look(struct domains *d, struct grant *g, struct arena *a, struct look *ret,
                  struct err *err)
{
    d->stories++;
    grant_hold(g);
    while (g->looking && !g->gone && !d->closing)
        gate_wait_always(&d->changed);
    bool ok = !g->gone && !d->closing
                  ? true
                  : err_set(err, ERR_NOT_FOUND, "the domain was taken away meanwhile");
    if (ok) {
        g->wait_ms = 0; /* somebody is at work on it */
        g->at_servers = true;
        ok = look_alone(d, g, a, ret, err);
    }
    grant_drop(g);
    d->stories--;
    return ok;
}

static void story(void *arg)
{
    struct grant *g = arg;
    struct domains *d = g->domains;
    struct arena a;
    struct err err = { 0 };

    arena_init(&a, 16 * 1024);
    struct look *l = ARENA_NEW(&a, struct look);
    if (!g->gone && !g->looking && !look_alone(d, g, &a, l, &err) && !g->gone && !d->closing)
        log_err(LOG_WARN, "domain-unchecked", &err);
    arena_done(&a);
    grant_drop(g);
    d->looking--;
    d->stories--;
    pump(d);
}

static void pump(struct domains *d)
{
    while (!is_paused(d) && d->looking < LOOKS_MAX && !list_empty(&d->due)) {
        struct grant *g = LIST_FIRST(&d->due, struct grant, due);
        list_remove(&g->due);
        if (g->looking)
            continue; /* its next time is set when that look ends */
        grant_hold(g);
        d->looking++;
        d->stories++;
        (void)fiber_spawn("vault-check", story, g);
    }
}

void leases_follow(struct domains *d, const struct account *lessor)
{
    LIST_EACH (&d->grants.leases, struct grant, g, lease)
        if (g->lessor == lessor)
            checker_watch(d, g, 0);
}
