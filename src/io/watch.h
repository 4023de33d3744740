// SPDX-License-Identifier: Apache-2.0
/* io/watch.h - a descriptor in the loop's epoll: for the files of io/ that have one of their own
 * (streams, channels, libunbound's pipe, signals). Nobody above io/ includes this. */
#pragma once

#include "base/err.h"

/* In the caller's storage; the descriptor stays the caller's. */
struct watch {
    int fd;
    void (*fn)(void *arg, uint32_t events);
    void *arg;
};

/* fn(arg, events) runs on the loop while the descriptor is ready (events: EPOLLIN, EPOLLOUT,
 * EPOLLET…); it must not wait. */
MUST_USE bool watch_add(struct watch *w, int fd, uint32_t events,
                        void (*fn)(void *arg, uint32_t events), void *arg, struct err *err);
/* Other events for the same descriptor. */
MUST_USE bool watch_change(struct watch *w, uint32_t events, struct err *err);
/* Before the descriptor is closed. fn is not called again, not even for what this turn has already
 * seen. */
void watch_remove(struct watch *w);
