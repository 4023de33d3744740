// SPDX-License-Identifier: Apache-2.0
/* resolve/live_spf.c - the terms of an SPF record that speak of addresses directly. */
#include "resolve/live_spf.h"

enum term { TERM_OTHER, TERM_PASSES, TERM_ENDS, TERM_ASKS_MORE };

/* "a", "a:hostname": the addresses of this host, which is who we ask about. A prefix length only
 * widens it. */
static bool names_host(struct str term, struct str hostname)
{
    struct str name;

    if (str_eq_nocase(term, STR("a")) || str_starts_nocase(term, STR("a/")))
        return true;
    if (!str_starts_nocase(term, STR("a:")))
        return false;
    name = str_skip(term, 2);
    return str_eq_nocase(str_sub(name, 0, str_index(name, '/')), hostname);
}

static bool names_net(struct str term, const struct ip *ip)
{
    struct ip_net net;
    struct ip one;

    if (!str_starts_nocase(term, STR("ip4:")) && !str_starts_nocase(term, STR("ip6:")))
        return false;
    term = str_skip(term, 4);
    if (ip_parse(term, &one, NULL))
        return ip_eq(&one, ip);
    return ip_net_parse(term, &net, NULL) && ip_net_has(&net, ip);
}

static bool leads_elsewhere(struct str term)
{
    static const struct str words[] = { STR("include:"), STR("mx"),        STR("exists:"),
                                        STR("ptr"),      STR("redirect="), STR("a:") };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_starts_nocase(term, words[i]))
            return true;
    return str_index(term, '%') < term.len;
}

static enum term judge_term(struct str term, struct str hostname, const struct ip *ip)
{
    bool fails = term.len > 0 && (term.ptr[0] == '-' || term.ptr[0] == '~' || term.ptr[0] == '?');

    if (term.len > 0 && (fails || term.ptr[0] == '+'))
        term = str_skip(term, 1);
    if (names_host(term, hostname) || names_net(term, ip) || str_eq_nocase(term, STR("all")))
        return fails ? TERM_ENDS : TERM_PASSES;
    return leads_elsewhere(term) ? TERM_ASKS_MORE : TERM_OTHER;
}

/* The first term that matches decides (RFC 7208 §4.6.2). */
static enum spf_cover covers_one(struct str record, struct str hostname, const struct ip *ip)
{
    bool asks_more = false;
    struct str term;

    while (str_next(&record, ' ', &term)) {
        enum term t = judge_term(term, hostname, ip);
        if (t == TERM_PASSES)
            return SPF_COVERS;
        if (t == TERM_ENDS)
            break;
        asks_more |= t == TERM_ASKS_MORE;
    }
    return asks_more ? SPF_ASKS_MORE : SPF_FORGETS;
}

enum spf_cover live_spf_covers(struct str record, struct str hostname, const struct ip *ips,
                               size_t count, struct ip *ret_missing)
{
    enum spf_cover all = SPF_COVERS;

    for (size_t i = 0; i < count; i++) {
        enum spf_cover one = covers_one(record, hostname, &ips[i]);
        if (one == SPF_FORGETS) {
            *ret_missing = ips[i];
            return SPF_FORGETS;
        }
        if (one == SPF_ASKS_MORE)
            all = SPF_ASKS_MORE;
    }
    return all;
}
