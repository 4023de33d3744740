// SPDX-License-Identifier: Apache-2.0
/* resolve/target.c - from hosts and their address records to the list of connections to try. */
#include "resolve/target.h"

#include "base/mem.h"

bool target_may_reach(const struct target_policy *policy, const struct ip *ip)
{
    if (policy->any_network || ip_is_public(ip))
        return true;
    for (size_t i = 0; i < policy->allow_network_count; i++)
        if (ip_net_has(&policy->allow_networks[i], ip))
            return true;
    return false;
}

bool target_parse_literal(struct str domain, struct ip *ret, struct err *err)
{
    if (domain.len < 3 || domain.ptr[0] != '[' || domain.ptr[domain.len - 1] != ']')
        return err_set(err, ERR_SYNTAX, "not an address in brackets");

    struct str inside = str_sub(domain, 1, domain.len - 2);
    struct ip ip;
    bool is_ip6 = str_starts_nocase(inside, STR("IPv6:"));
    if (!ip_parse(is_ip6 ? str_skip(inside, 5) : inside, &ip, err))
        return false;
    if (!is_ip6 && ip.family != 4)
        return err_set(err, ERR_SYNTAX, "an IPv6 address in brackets begins with IPv6:");
    *ret = ip;
    return true;
}

/* Why hosts gave no target: decides the verdict when none did. */
struct reasons {
    bool temp, loop, not_public;
};

static enum verdict verdict_of(const struct reasons *r)
{
    if (r->temp)
        return VERDICT_TEMP;
    if (r->loop)
        return VERDICT_LOOP;
    return r->not_public ? VERDICT_NOT_PUBLIC : VERDICT_NO_ADDRESS;
}

/* The addresses of one family that mail may go to, from a random one on: the answer may come from a
 * cache, which does not rotate. */
static size_t usable(const struct dns_answer *answer, const struct target_policy *policy,
                     uint64_t turn, struct ip ret[HOST_IPS_MAX], struct reasons *reasons)
{
    size_t count = 0;

    for (size_t i = 0; i < answer->count && count < HOST_IPS_MAX; i++) {
        const struct ip *ip = &answer->records[(i + turn % answer->count) % answer->count].ip;
        if (target_may_reach(policy, ip))
            ret[count++] = *ip;
        else
            reasons->not_public = true;
    }
    return count;
}

static void add_alternating(struct target_list *list, const struct mx_host *host,
                            const struct ip *ips[2], const size_t counts[2])
{
    size_t added = 0;

    for (size_t i = 0; i < HOST_IPS_MAX; i++)
        for (size_t family = 0; family < 2; family++)
            if (i < counts[family] && added < HOST_IPS_MAX) {
                list->targets[list->count++] = (struct target){ .ip = ips[family][i],
                                                                .preference = host->preference,
                                                                .name = host->name };
                added++;
            }
}

static void add_host(struct target_list *list, const struct mx_host *host,
                     const struct host_answers *answers, const struct target_policy *policy,
                     uint64_t *seed, struct reasons *reasons)
{
    struct ip ip4[HOST_IPS_MAX], ip6[HOST_IPS_MAX];

    if (answers->alias_broken)
        return;
    if (answers->ip4.status == DNS_TEMP || answers->ip6.status == DNS_TEMP)
        reasons->temp = true;
    size_t counts[2] = {
        usable(&answers->ip6, policy, mx_random(seed), ip6, reasons),
        usable(&answers->ip4, policy, mx_random(seed), ip4, reasons),
    };
    const struct ip *ips[2] = { ip6, ip4 };
    add_alternating(list, host, ips, counts);
}

/* We may stand in the list by address under a name that is not ours. As in self_preference() of
 * mx.c. */
static void cut_at_self(struct target_list *list, const struct mx_self *self,
                        struct reasons *reasons)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!mx_is_self_ip(self, &list->targets[i].ip))
            continue;
        while (i > 0 && list->targets[i - 1].preference == list->targets[i].preference)
            i--;
        list->count = i;
        reasons->loop = true;
        return;
    }
}

/* A family that was not asked for has no time to live either. */
static uint32_t ttl_least(uint32_t least, const struct dns_answer *answer)
{
    return answer->ttl_s > 0 && answer->ttl_s < least ? answer->ttl_s : least;
}

void target_list_make(const struct mx_view *view, const struct host_answers *answers,
                      const struct target_policy *policy, uint64_t seed, struct arena *a,
                      struct target_list *ret)
{
    struct target_list list = { .ttl_s = view->ttl_s };
    struct reasons reasons = { 0 };

    list.targets = ARENA_ARRAY(a, struct target, view->count * HOST_IPS_MAX);
    for (size_t i = 0; i < view->count; i++) {
        add_host(&list, &view->hosts[i], &answers[i], policy, &seed, &reasons);
        list.ttl_s = ttl_least(ttl_least(list.ttl_s, &answers[i].ip4), &answers[i].ip6);
    }
    cut_at_self(&list, &policy->self, &reasons);
    if (list.count == 0)
        list.verdict = verdict_of(&reasons);
    *ret = list;
}
