// SPDX-License-Identifier: Apache-2.0
/* super/log_keeper.c - log.file grows to log.file_max, is put aside as .1, and begins anew;
 * log.file_keep of the older ones stay.
 *
 * Only super does this, since no role may open a file that is not its own: the roles are handed the
 * descriptor. Until they have it, they write into the older file; no line is lost. Whatever goes
 * wrong here, mail goes on (fault D11). */
#include "super/log_keeper.h"

#include "base/log.h"
#include "io/process.h"

#define LOOK_MS 2000
/* After a failure: one alert a minute is enough. */
#define LOOK_AGAIN_MS 60000

static const char *path_of(const struct config *c)
{
    return c->log_file.len > 0 ? c->log_file.ptr : NULL;
}

bool log_keeper_use(struct log_keeper *k, const struct config *c, struct err *err)
{
    if (path_of(c)) {
        process_log_flush(); /* what was said before stands before */
        if (!process_stderr_to(path_of(c), err))
            return false;
    }
    k->config = c;
    if (path_of(c) && k->changed)
        k->changed(k->arg);
    return true;
}

void log_keeper_reopen(struct log_keeper *k)
{
    struct err err;

    if (!log_keeper_use(k, k->config, &err))
        log_err(LOG_ALERT, "log-not-reopened", &err);
}

/* Also begins a new file when somebody else has moved it away and told nobody. */
static bool look(struct log_keeper *k, struct err *err)
{
    const struct config *c = k->config;
    uint64_t size;

    if (!path_of(c))
        return true;
    if (!process_file_size(path_of(c), &size, err))
        return err->kind == ERR_NOT_FOUND && log_keeper_use(k, c, err);
    if (c->log_file_max == 0 || size < c->log_file_max)
        return true;
    return process_file_put_aside(path_of(c), c->log_file_keep, err) && log_keeper_use(k, c, err);
}

static void on_timer(void *arg)
{
    struct log_keeper *k = arg;
    struct err err;
    bool ok = look(k, &err);

    if (!ok)
        log_err(LOG_ALERT, "log-not-kept", &err);
    timer_set(&k->timer, loop_now_ms() + (ok ? LOOK_MS : LOOK_AGAIN_MS));
}

void log_keeper_init(struct log_keeper *k, const struct config *c, void (*changed)(void *arg),
                     void *arg)
{
    *k = (struct log_keeper){ .config = c, .changed = changed, .arg = arg };
    timer_init(&k->timer, on_timer, k);
    timer_set(&k->timer, loop_now_ms() + LOOK_MS);
}

void log_keeper_done(struct log_keeper *k)
{
    timer_clear(&k->timer);
}
