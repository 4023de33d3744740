// SPDX-License-Identifier: Apache-2.0
/* io/loop_epoll.c - the real world under the loop: epoll, and an eventfd by which threads wake it.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/loop_backend.h"
#include "io/watch.h"

#define EVENTS_A_WAIT 256

static struct {
    int epoll_fd;
    struct watch wake;
    struct epoll_event events[EVENTS_A_WAIT];
    int at, count; /* events[at…count) are still to be handled */
} world = { .epoll_fd = -1, .wake = { .fd = -1 } };

static void woken(void *arg, uint32_t events)
{
    uint64_t times;

    (void)arg, (void)events;
    (void)!read(world.wake.fd, &times, sizeof times);
}

void backend_init(void)
{
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct err err;

    /* A peer that is gone is an error of write(), not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    world.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (world.epoll_fd < 0 || wake_fd < 0) {
        perror("loop");
        abort();
    }
    if (!watch_add(&world.wake, wake_fd, EPOLLIN, woken, NULL, &err)) {
        fprintf(stderr, "loop: %s\n", err.text);
        abort();
    }
}

void backend_wake(void)
{
    uint64_t one = 1;

    /* Only a full counter fails, and that wakes too. */
    (void)!write(world.wake.fd, &one, sizeof one);
}

static int wait_ms(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms == NO_DEADLINE)
        return -1;
    left = deadline_ms - clock_mono_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void backend_wait(int64_t deadline_ms)
{
    int got = epoll_wait(world.epoll_fd, world.events, EVENTS_A_WAIT, wait_ms(deadline_ms));

    assert(got >= 0 || errno == EINTR);
    world.count = got < 0 ? 0 : got;
    for (world.at = 0; world.at < world.count;) {
        struct epoll_event e = world.events[world.at++];
        struct watch *w = e.data.ptr;

        if (w != NULL)
            w->fn(w->arg, e.events);
    }
}

static bool control(int op, struct watch *w, uint32_t events, struct err *err)
{
    struct epoll_event e = { .events = events, .data.ptr = w };

    if (epoll_ctl(world.epoll_fd, op, w->fd, &e) != 0)
        return err_sys(err, "epoll");
    return true;
}

bool watch_add(struct watch *w, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events),
               void *arg, struct err *err)
{
    *w = (struct watch){ .fd = fd, .fn = fn, .arg = arg };
    return control(EPOLL_CTL_ADD, w, events, err);
}

bool watch_change(struct watch *w, uint32_t events, struct err *err)
{
    return control(EPOLL_CTL_MOD, w, events, err);
}

void watch_remove(struct watch *w)
{
    (void)epoll_ctl(world.epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = world.at; i < world.count; i++)
        if (world.events[i].data.ptr == w)
            world.events[i].data.ptr = NULL;
}
