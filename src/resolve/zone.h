// SPDX-License-Identifier: Apache-2.0
/* resolve/zone.h - which zone holds a name, and on which name servers: what the resolver knows, for
 * asking them by themselves. */
#pragma once

#include "resolve/lookup.h"
#include "resolve/target.h"

#define ZONE_NAMES_MAX 16   /* name servers of one zone; the root has 13 */
#define ZONE_HOST_IPS_MAX 2 /* of one name server and family */
#define ZONE_SERVERS_MAX 32 /* addresses in all */

enum zone_found {
    ZONE_FOUND,
    ZONE_NONE, /* nothing above the name is delegated: no such top-level domain */
    ZONE_TEMP, /* DNS does not say now */
};

struct zone_server {
    struct str name;
    struct ip ip; /* family 0: no address is known */
    bool refused; /* it may not be asked: not public (fault S02) */
};

struct zone {
    enum zone_found found;
    struct str name;
    struct str why; /* for people, unless FOUND */
    struct zone_server servers[ZONE_SERVERS_MAX];
    size_t count;
};

/* The zone that holds `name`, the nearest delegation at it or above; its servers in alphabetical
 * order, so that the same ones are asked each time where a zone has more than we ask. An address
 * that two of them share comes once. Past the deadline: ZONE_TEMP. ERR_CANCELLED. Waits. */
MUST_USE bool zone_find(struct lookups *l, const struct target_policy *policy, struct str name,
                        int64_t deadline_ms, struct arena *a, struct zone *ret, struct err *err);
