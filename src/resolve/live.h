// SPDX-License-Identifier: Apache-2.0
/* resolve/live.h - what DNS must say of this server before the world believes its mail: `baton
 * live`. */
#pragma once

#include "resolve/spf_look.h"

#define LIVE_CHECKS_MAX 24

struct live_check {
    const char *name; /* "hostname", "address", "ptr", "spf": stable, for programs */
    bool ok;
    struct str text; /* for people: what was found, or what is missing */
};

struct live_report {
    struct live_check checks[LIVE_CHECKS_MAX];
    size_t count;
};

/* Looks up the name that we greet with. ERR_CANCELLED. Waits. */
MUST_USE bool live_find(struct lookups *l, const struct spf_own *own, struct arena *a,
                        struct live_report *ret, struct err *err);

/* The name under which an address's PTR stands (RFC 1035 §3.5, RFC 3596 §2.5). */
struct str live_ptr_name(const struct ip *ip, struct arena *a);
