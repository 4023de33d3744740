// SPDX-License-Identifier: Apache-2.0
/* deliver/host.h - the addresses at which a destination may be reached, in the order to try them.
 */
#pragma once

#include "deliver/deliver.h"
#include "deliver/route.h"
#include "mail/reply.h"

#define HOSTS_MAX 100

enum host_state { HOST_UNTRIED, HOST_FAILED };

struct host {
    struct str name; /* with family 0: the path of a UNIX socket, NUL behind it */
    struct ip ip;
    enum host_state state;
};

struct hosts {
    struct host list[HOSTS_MAX];
    size_t count;
    struct reply
        refusal; /* code other than 0: there are none, and why: 4yz ask again later, 5yz bounce */
};

/* Finds them: by MX of `domain`, or of the route's host; an address needs no look-up. Strings live
 * in the arena. ERR_CLOSED when resolve is away, ERR_TIMEOUT. Waits. */
MUST_USE bool hosts_find(struct deliver *d, const struct route *route, struct str domain,
                         struct arena *a, struct hosts *ret, struct err *err);
/* The addresses of one host name, without MX. Waits. */
MUST_USE bool hosts_find_plain(struct deliver *d, struct str name, struct arena *a,
                               struct hosts *ret, struct err *err);

/* Frames from resolve. */
MUST_USE bool hosts_frame(struct deliver *d, const struct wire_host *f, struct err *err);
void hosts_answer(struct deliver *d, const struct wire_hosts_answer *f);
/* Resolve is gone: every question ends with ERR_CLOSED. */
void hosts_resolve_gone(struct deliver *d);

/* Hosts whose STARTTLS was offered and broke: for a while opportunistic TLS is not tried with them
 * again. */
void plain_host_remember(struct deliver *d, const struct ip *ip);
bool plain_host_is_known(struct deliver *d, const struct ip *ip);
void plain_hosts_free(struct deliver *d);
