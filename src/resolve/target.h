// SPDX-License-Identifier: Apache-2.0
/* resolve/target.h - the addresses to try for a domain, in their order. Pure, like resolve/mx.h. */
#pragma once

#include "resolve/mx.h"

#define HOST_IPS_MAX 10 /* fault S03 */
#define TARGETS_MAX (MX_HOSTS_MAX * HOST_IPS_MAX)

struct target {
    struct ip ip;
    uint16_t preference;
    struct str name; /* of the host */
};

/* What was heard of one host's addresses. */
struct host_answers {
    struct dns_answer ip4, ip6;
    bool alias_broken; /* its name is an alias that leads in a circle or too far (fault S02) */
};

struct target_policy {
    struct mx_self self;
    const struct ip_net *allow_networks; /* non-public ones that mail may go to */
    size_t allow_network_count;
    bool any_network; /* the host was named by the operator, not by DNS */
    bool ip4, ip6;    /* families to ask for */
    bool literals;    /* allowed */
};

struct target_list {
    enum verdict verdict;
    struct target *targets;
    size_t count;
    uint32_t ttl_s;
};

/* answers[i] belongs to view->hosts[i]; view's verdict is OK. Each host's addresses alternate
 * between IPv6 and IPv4, so that one dead family costs one attempt (RFC 8305 §4). The list ends
 * before the first preference at which one of our own addresses stands. */
void target_list_make(const struct mx_view *view, const struct host_answers *answers,
                      const struct target_policy *policy, uint64_t seed, struct arena *a,
                      struct target_list *ret);

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3). */
MUST_USE bool target_parse_literal(struct str domain, struct ip *ret, struct err *err);
bool target_may_reach(const struct target_policy *policy, const struct ip *ip);
