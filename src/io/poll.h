// SPDX-License-Identifier: Apache-2.0
/* io/poll.h - descriptors that the real loop watches. For the files of src/io that own one. */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"

/* In the owner's storage. `ready` runs on the loop with the EPOLL* bits that came. */
struct source {
    int fd;
    void (*ready)(struct source *s, uint32_t events);
};

/* `events` as epoll_ctl(2) takes them. The process's shortage of kernel memory or watches: ERR_IO. */
MUST_USE bool source_add(struct source *s, uint32_t events, struct err *err);
void source_change(struct source *s, uint32_t events);
/* Before the descriptor is closed. No event that is still under way reaches `s` afterwards. */
void source_remove(struct source *s);
