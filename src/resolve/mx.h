// SPDX-License-Identifier: Apache-2.0
/* resolve/mx.h - which hosts take a domain's mail, in which order, and the site that they make.
 * Pure: an answer in, a view out; randomness is handed in as a seed. */
#pragma once

#include "io/dns.h"
#include "resolve/verdict.h"

#define MX_HOSTS_MAX 20 /* fault S03 */
#define SITE_TEXT_MAX 255

struct mx_host {
    struct str name;
    uint16_t preference;
};

struct mx_view {
    enum verdict verdict;
    bool implicit; /* no MX: the domain itself (RFC 5321 §5.1) */
    struct mx_host *hosts;
    size_t count;
    uint32_t ttl_s;
};

/* Who we are: mail must not come back to us. */
struct mx_self {
    const struct str *names;
    size_t name_count;
    const struct ip *ips;
    size_t ip_count;
};

/* `mx` answers the MX question for `domain` (A-labels, lower case). Hosts come in order of
 * preference, equal ones shuffled by `seed`, and end before the first that is ourselves. Not hosts:
 * address literals, the root beside others, names that are no host names. The answer outlives the
 * view. */
void mx_view_make(struct str domain, const struct dns_answer *mx, const struct mx_self *self,
                  uint64_t seed, struct arena *a, struct mx_view *ret);

/* Domains with the same hosts share a site. Its name: the hosts in alphabetical order with commas
 * between, and when that is over SITE_TEXT_MAX the first of them, their number and a hash; the
 * domain itself without MX. */
struct str mx_view_site(const struct mx_view *view, struct str domain, struct arena *a);

bool mx_is_self_name(const struct mx_self *self, struct str name);
bool mx_is_self_ip(const struct mx_self *self, const struct ip *ip);

/* The next number of the sequence that *seed is at: splitmix64. */
uint64_t mx_random(uint64_t *seed);
