// SPDX-License-Identifier: Apache-2.0
/* super/nightly.c - when it is night, and the child that then looks. */
#include "super/nightly.h"

#include "base/log.h"
#include "io/clock.h"
#include "io/process.h"

#define HOUR_MS (60 * 60 * 1000LL)
#define DAY_MS (24 * HOUR_MS)
#define NIGHT_AT_MS \
    (2 * HOUR_MS) /* UTC; then within this time, so that not all relays ask at once */
#define NIGHT_SPREAD_MS (2 * HOUR_MS)
#define SIGNAL_KILL 9

static void plan_next(struct nightly *n)
{
    int64_t of_day = clock_wall_ms() % DAY_MS;
    int64_t wait = NIGHT_AT_MS - of_day + (int64_t)random_below(NIGHT_SPREAD_MS);

    timer_clear(&n->timer);
    if (!n->config->doctor_nightly)
        return;
    if (wait < HOUR_MS) /* this night is over, or too near */
        wait += DAY_MS;
    timer_set(&n->timer, loop_now_ms() + wait);
}

static void start(struct nightly *n)
{
    const char *argv[] = { "baton", "doctor", "--nightly", "--config", n->config->file.ptr, NULL };
    struct err err;

    if (n->pid == 0 && !process_spawn(argv, NULL, 0, &n->pid, &err)) {
        n->pid = 0;
        log_err(LOG_ALERT, "doctor-not-started", &err);
    }
}

static void on_night(void *arg)
{
    struct nightly *n = arg;

    start(n);
    plan_next(n);
}

void nightly_init(struct nightly *n, const struct config *config)
{
    *n = (struct nightly){ .config = config };
    timer_init(&n->timer, on_night, n);
    plan_next(n);
}

void nightly_use(struct nightly *n, const struct config *config)
{
    n->config = config;
    plan_next(n);
}

bool nightly_ended(struct nightly *n, int pid)
{
    if (n->pid == 0 || n->pid != pid)
        return false;
    n->pid = 0;
    return true;
}

void nightly_done(struct nightly *n)
{
    timer_clear(&n->timer);
    if (n->pid != 0)
        process_kill(n->pid, SIGNAL_KILL);
    n->pid = 0;
}
