// SPDX-License-Identifier: Apache-2.0
/* deliver/route.h - which way a job's mail leaves: whose hosts, which port, what protocol, how
 * private, with which credentials. */
#pragma once

#include "config/config.h"

#define ROUTE_BY_MX UINT32_MAX

struct route {
    enum route_kind kind; /* ROUTE_MX, ROUTE_SMARTHOST or ROUTE_LMTP */
    struct str host;      /* empty for ROUTE_MX: the job's domain names the hosts */
    uint16_t port;
    enum tls_mode tls;
    bool verify;
    struct str user, password; /* empty: no AUTH */
};

/* The route with this index in the configuration, its strings copied into the arena. `site` is what
 * core calls the destination; ERR_CONFIG when it is not this route's, which happens while core and
 * deliver have different configurations: the job is deferred, never sent another way. */
MUST_USE bool route_find(const struct config *c, uint32_t index, struct str site, struct arena *a,
                         struct route *ret, struct err *err);
