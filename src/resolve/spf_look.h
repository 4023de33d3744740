// SPDX-License-Identifier: Apache-2.0
/* resolve/spf_look.h - SPF (mail/spf.h) over the resolver: may this address, or any that we send
 * from, send for that domain? */
#pragma once

#include "mail/spf.h"
#include "resolve/lookup.h"

/* Within 20 s (RFC 7208 §4.6.4), past which DNS has not answered. ERR_CANCELLED. Waits. */
MUST_USE bool spf_look(struct lookups *l, const struct spf_ask *ask, struct arena *a,
                       struct spf_answer *ret, struct err *err);

/* Who we are when we send. */
struct spf_own {
    struct str hostname;
    struct ip sources[2]; /* that the configuration names; where it names none of a family (0), the
                             host's addresses in DNS are it */
};
#define SPF_OWN_IPS_MAX 32
struct spf_own_ips {
    struct ip ips[SPF_OWN_IPS_MAX];
    size_t count;
    bool unsure; /* DNS did not say all */
};
/* ERR_CANCELLED. Waits. */
MUST_USE bool spf_own_find(struct lookups *l, const struct spf_own *own, struct arena *a,
                           struct spf_own_ips *ret, struct err *err);

/* For postmaster@domain from each of the addresses; *ret is the worst answer, *ret_ip whose.
 * Without any address that is known: SPF_TEMPERROR. ERR_CANCELLED. Waits. */
MUST_USE bool spf_look_worst(struct lookups *l, struct str hostname, struct str domain,
                             const struct spf_own_ips *ips, struct arena *a, struct spf_answer *ret,
                             struct ip *ret_ip, struct err *err);
