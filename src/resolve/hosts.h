// SPDX-License-Identifier: Apache-2.0
/* resolve/hosts.h - the two questions that the other roles ask: a recipient's site, and a domain's
 * addresses in the order to try them. */
#pragma once

#include "config/config.h"
#include "resolve/lookup.h"
#include "resolve/target.h"

/* The addresses that this machine had when the role started. */
#define MACHINE_IPS_MAX 256
struct machine {
    struct ip ips[MACHINE_IPS_MAX];
    size_t count;
};

/* What the configuration says about both, copied: it may be replaced while a question waits. */
struct target_policy *policy_copy(const struct config *config, const struct machine *m,
                                  struct arena *a);

/* What is heard of a question. Values lie in the arena. */
struct site {
    enum verdict verdict;
    struct str name;
    struct str why; /* beside the verdict's own words; empty: nothing to add */
    uint32_t ttl_s;
};
/* `domain` as it stands in an address. ERR_CANCELLED. Waits. */
MUST_USE bool site_find(struct lookups *l, const struct target_policy *policy, struct str domain,
                        uint64_t seed, struct arena *a, struct site *ret, struct err *err);

struct hosts {
    struct target_list list;
    struct str why;
};
/* The MX hosts of `domain` with their addresses. ERR_CANCELLED. Waits. */
MUST_USE bool hosts_resolve(struct lookups *l, const struct target_policy *policy,
                            struct str domain, uint64_t seed, struct arena *a, struct hosts *ret,
                            struct err *err);
/* The addresses of one host, or the address, that the operator named: it may be anywhere.
 * ERR_CANCELLED. Waits. */
MUST_USE bool hosts_resolve_plain(struct lookups *l, const struct target_policy *policy,
                                  struct str host, uint64_t seed, struct arena *a,
                                  struct hosts *ret, struct err *err);
