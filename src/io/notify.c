// SPDX-License-Identifier: Apache-2.0
/* io/notify.c - tells systemd, where it has started us, what we are doing (sd_notify(3)).
 * Elsewhere, and in a build without libsystemd, nothing happens. */
#include "io/process.h"

#if HAVE_SYSTEMD

#include <systemd/sd-daemon.h>

#include "io/loop.h"

static struct timer watchdog = { 0 };
static int64_t watchdog_every_ms;

static void watchdog_ring(void *arg)
{
    (void)arg;
    (void)sd_notify(0, "WATCHDOG=1");
    timer_set(&watchdog, loop_now_ms() + watchdog_every_ms);
}

void process_notify_ready(void)
{
    uint64_t within_us = 0;

    (void)sd_notify(0, "READY=1");
    if (watchdog_every_ms > 0 || sd_watchdog_enabled(0, &within_us) <= 0)
        return;
    watchdog_every_ms = (int64_t)(within_us / 1000 / 2) + 1;
    timer_init(&watchdog, watchdog_ring, NULL);
    watchdog_ring(NULL);
}

void process_notify_reloading(void)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)loop_now_ms() * 1000);
}

void process_notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

#else

void process_notify_ready(void)
{
}

void process_notify_reloading(void)
{
}

void process_notify_stopping(void)
{
}

#endif
