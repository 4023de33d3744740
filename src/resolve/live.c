// SPDX-License-Identifier: Apache-2.0
/* resolve/live.c - the checks on our own name: a full host name, a public address, a PTR that leads
 * back to it, an SPF record that names us. From which address we are seen deliver's look at port 25
 * tells. */
#include "resolve/live.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

#define IPS_MAX 8 /* of one family */

__attribute__((format(printf, 5, 6))) static void add(struct live_report *r, struct arena *a,
                                                      const char *name, bool ok, const char *fmt,
                                                      ...)
{
    char text[600];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (r->count < LIVE_CHECKS_MAX)
        r->checks[r->count++] = (struct live_check){ name, ok, arena_str(a, str_of(text)) };
}

struct str live_ptr_name(const struct ip *ip, struct arena *a)
{
    static const char digits[] = "0123456789abcdef";
    char text[64];

    if (ip->family == 4)
        return arena_strf(a, "%u.%u.%u.%u.in-addr.arpa", ip->bytes[3], ip->bytes[2], ip->bytes[1],
                          ip->bytes[0]);
    for (size_t i = 0; i < 16; i++) {
        uint8_t byte = ip->bytes[15 - i];
        text[4 * i] = digits[byte & 15];
        text[4 * i + 1] = '.';
        text[4 * i + 2] = digits[byte >> 4];
        text[4 * i + 3] = '.';
    }
    return arena_strf(a, "%.*sip6.arpa", (int)sizeof text, text);
}

static bool names_hold(const struct dns_answer *ptr, struct str hostname)
{
    for (size_t i = 0; i < ptr->count; i++)
        if (str_eq_nocase(ptr->records[i].name, hostname))
            return true;
    return false;
}

/* Receivers look the address up and expect our name, which leads back to the address: it does, we
 * came from there. Waits. */
static bool check_ip(struct lookups *l, struct str hostname, const struct ip *ip, struct arena *a,
                     struct live_report *r, struct err *err)
{
    struct dns_answer ptr;
    char text[IP_TEXT_MAX];

    ip_format(ip, text);
    add(r, a, "address", ip_is_public(ip), "%.*s has the address %s%s", STR_FMT(hostname), text,
        ip_is_public(ip) ? "" : ", which is not public");
    if (!lookup_one(l, DNS_PTR, live_ptr_name(ip, a), a, &ptr, err))
        return false;
    if (ptr.status == DNS_TEMP)
        add(r, a, "ptr", false, "no answer for the PTR record of %s: %.*s", text, STR_FMT(ptr.why));
    else if (ptr.count == 0)
        add(r, a, "ptr", false,
            "%s has no PTR record; ask whoever gave you the address to set it to %.*s", text,
            STR_FMT(hostname));
    else if (!names_hold(&ptr, hostname))
        add(r, a, "ptr", false, "the PTR record of %s is %.*s; it must be %.*s", text,
            STR_FMT(ptr.records[0].name), STR_FMT(hostname));
    else
        add(r, a, "ptr", true, "the PTR record of %s is %.*s", text, STR_FMT(hostname));
    return true;
}

/* Waits. */
static bool check_family(struct lookups *l, struct str hostname, enum dns_type type,
                         struct arena *a, struct live_report *r, size_t *count, struct err *err)
{
    struct dns_answer ips;

    if (!lookup_one(l, type, hostname, a, &ips, err))
        return false;
    if (ips.status == DNS_TEMP)
        add(r, a, "address", false, "no answer for the address of %.*s: %.*s", STR_FMT(hostname),
            STR_FMT(ips.why));
    *count += ips.count + (ips.status == DNS_TEMP);
    for (size_t i = 0; i < ips.count && i < IPS_MAX; i++)
        if (!check_ip(l, hostname, &ips.records[i].ip, a, r, err))
            return false;
    return true;
}

static void add_spf(struct live_report *r, struct arena *a, struct str hostname,
                    const struct spf_answer *spf, const struct ip *ip)
{
    char text[IP_TEXT_MAX];

    ip_format(ip, text);
    switch (spf->result) {
    case SPF_PASS:
        add(r, a, "spf", true, "%.*s has an SPF record, which names this host", STR_FMT(hostname));
        break;
    case SPF_NONE:
        add(r, a, "spf", false, "%.*s has no SPF record; set TXT \"v=spf1 a -all\"",
            STR_FMT(hostname));
        break;
    case SPF_TEMPERROR:
    case SPF_PERMERROR:
        add(r, a, "spf", false, "%.*s", STR_FMT(spf->why));
        break;
    case SPF_NEUTRAL:
    case SPF_SOFTFAIL:
    case SPF_FAIL:
        add(r, a, "spf", false,
            "the SPF record of %.*s does not name %s (%.*s); add \"a\" or \"%s:%s\"",
            STR_FMT(hostname), text, STR_FMT(spf->why), ip->family == 4 ? "ip4" : "ip6", text);
        break;
    }
}

/* Without an address of ours, which check_family() has said: is there a record at all? Waits. */
static bool check_spf_exists(struct lookups *l, struct str hostname, struct arena *a,
                             struct live_report *r, struct err *err)
{
    const struct spf_ask ask = { .ip = { .family = 4 }, .helo = hostname, .domain = hostname };
    struct spf_answer spf;

    if (!spf_look(l, &ask, a, &spf, err))
        return false;
    if (spf.result == SPF_NONE || spf.result == SPF_TEMPERROR || spf.result == SPF_PERMERROR)
        add_spf(r, a, hostname, &spf, &ask.ip);
    else
        add(r, a, "spf", true, "%.*s has an SPF record; there is no address to judge by it",
            STR_FMT(hostname));
    return true;
}

/* Bounces come from the null reverse-path, for which SPF takes the HELO name (RFC 7208 §2.4).
 * Waits. */
static bool check_spf(struct lookups *l, const struct spf_own *own, struct arena *a,
                      struct live_report *r, struct err *err)
{
    struct spf_own_ips ips;
    struct spf_answer spf;
    struct ip worst;

    if (!spf_own_find(l, own, a, &ips, err))
        return false;
    if (ips.count == 0)
        return check_spf_exists(l, own->hostname, a, r, err);
    if (!spf_look_worst(l, own->hostname, own->hostname, &ips, a, &spf, &worst, err))
        return false;
    add_spf(r, a, own->hostname, &spf, &worst);
    return true;
}

bool live_find(struct lookups *l, const struct spf_own *own, struct arena *a,
               struct live_report *ret, struct err *err)
{
    const struct str hostname = own->hostname;
    struct live_report r = { 0 };
    size_t ips = 0;

    bool full = str_index(hostname, '.') < hostname.len;
    add(&r, a, "hostname", full, "the HELO name is %.*s%s", STR_FMT(hostname),
        full ? "" : ", which is not a full host name (RFC 5321 §2.3.5)");
    if (!check_family(l, hostname, DNS_A, a, &r, &ips, err) ||
        !check_family(l, hostname, DNS_AAAA, a, &r, &ips, err))
        return false;
    if (ips == 0)
        add(&r, a, "address", false, "%.*s has no address in DNS", STR_FMT(hostname));
    if (!check_spf(l, own, a, &r, err))
        return false;
    *ret = r;
    return true;
}
