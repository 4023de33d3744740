// SPDX-License-Identifier: Apache-2.0
/* resolve/spf_look.c - hands SPF's questions to the look-ups and their answers back. */
#include "resolve/spf_look.h"

#include "base/mem.h"
#include "io/clock.h"
#include "io/loop.h"

#define CHECK_MS (20 * 1000)

struct looking {
    struct lookups *lookups;
    int64_t deadline_ms;
};

static void records_take(enum spf_rr type, const struct dns_answer *answer, struct arena *a,
                         struct spf_rr_answer *ret)
{
    struct ip *ips = ARENA_ARRAY(a, struct ip, answer->count);
    struct str *texts = ARENA_ARRAY(a, struct str, answer->count);

    for (size_t i = 0; i < answer->count; i++) {
        ips[i] = answer->records[i].ip;
        texts[i] = type == SPF_RR_TXT ? answer->records[i].bytes : answer->records[i].name;
    }
    ret->ips = ips;
    ret->texts = texts;
    ret->count = answer->count;
}

static bool look_up(void *arg, enum spf_rr type, struct str name, struct arena *a,
                    struct spf_rr_answer *ret, struct err *err)
{
    static const enum dns_type types[] = { [SPF_RR_A] = DNS_A,
                                           [SPF_RR_AAAA] = DNS_AAAA,
                                           [SPF_RR_MX] = DNS_MX,
                                           [SPF_RR_PTR] = DNS_PTR,
                                           [SPF_RR_TXT] = DNS_TXT };
    static const enum spf_rr_status statuses[] = {
        [DNS_OK] = SPF_RR_FOUND, [DNS_NO_NAME] = SPF_RR_NO_NAME, [DNS_TEMP] = SPF_RR_TEMP
    };
    const struct looking *l = arg;
    struct dns_answer answer;

    *ret = (struct spf_rr_answer){ .status = SPF_RR_TEMP };
    if (loop_now_ms() >= l->deadline_ms)
        return true;
    if (!lookup_one(l->lookups, types[type], name, a, &answer, err))
        return false;
    ret->status = statuses[answer.status];
    records_take(type, &answer, a, ret);
    return true;
}

bool spf_look(struct lookups *l, const struct spf_ask *ask, struct arena *a, struct spf_answer *ret,
              struct err *err)
{
    struct looking looking = { l, loop_now_ms() + CHECK_MS };
    const struct spf_dns dns = { look_up, &looking };

    return spf_check(ask, &dns, a, ret, err);
}

/* Our own addresses
 * --------------------------------------------------------------------------------------------
 */

static const struct ip *source_of(const struct spf_own *own, uint8_t family)
{
    for (size_t i = 0; i < ARRAY_LEN(own->sources); i++)
        if (own->sources[i].family == family)
            return &own->sources[i];
    return NULL;
}

/* Waits. */
static bool family_find(struct lookups *l, const struct spf_own *own, uint8_t family,
                        struct arena *a, struct spf_own_ips *ret, struct err *err)
{
    const struct ip *source = source_of(own, family);
    struct dns_answer answer;

    if (source) {
        ret->ips[ret->count++] = *source;
        return true;
    }
    if (!lookup_one(l, family == 4 ? DNS_A : DNS_AAAA, own->hostname, a, &answer, err))
        return false;
    ret->unsure |= answer.status == DNS_TEMP;
    for (size_t i = 0; i < answer.count && ret->count < SPF_OWN_IPS_MAX; i++)
        ret->ips[ret->count++] = answer.records[i].ip;
    return true;
}

bool spf_own_find(struct lookups *l, const struct spf_own *own, struct arena *a,
                  struct spf_own_ips *ret, struct err *err)
{
    struct spf_own_ips ips = { 0 };

    if (!family_find(l, own, 6, a, &ips, err) || !family_find(l, own, 4, a, &ips, err))
        return false;
    *ret = ips;
    return true;
}

bool spf_look_worst(struct lookups *l, struct str hostname, struct str domain,
                    const struct spf_own_ips *ips, struct arena *a, struct spf_answer *ret,
                    struct ip *ret_ip, struct err *err)
{
    struct spf_ask ask = {
        .helo = hostname, .domain = domain, .receiver = hostname, .now_s = clock_wall_ms() / 1000
    };
    struct spf_answer worst = { .result = SPF_TEMPERROR,
                                .why = STR("the addresses that we send from are not known") };
    struct ip worst_ip = { 0 };

    for (size_t i = 0; i < ips->count; i++) {
        struct spf_answer one;
        ask.ip = ips->ips[i];
        if (!spf_look(l, &ask, a, &one, err))
            return false;
        if (i == 0 || one.result > worst.result) {
            worst = one;
            worst_ip = ask.ip;
        }
    }
    *ret = worst;
    *ret_ip = worst_ip;
    return true;
}
