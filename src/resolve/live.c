// SPDX-License-Identifier: Apache-2.0
/* resolve/live.c - the checks on our own name: a full host name, a public address, a PTR that leads
 * back to it, an SPF record that names us. From which address we are seen deliver's look at port 25
 * tells. */
#include "resolve/live.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "resolve/live_spf.h"

#define IPS_MAX 8 /* of one family */
#define OWN_IPS_MAX 32

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

/* Bounces come from the null reverse-path, for which SPF takes the HELO name (RFC 7208 §2.4).
 * Waits. */
/* The addresses of the host itself; a family that does not answer is check_family()'s to tell. */
static bool own_ips(struct lookups *l, struct str hostname, struct arena *a, struct ip *ips,
                    size_t *ret_count, struct err *err)
{
    static const enum dns_type families[] = { DNS_A, DNS_AAAA };
    struct dns_answer answer;

    *ret_count = 0;
    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        if (!lookup_one(l, families[f], hostname, a, &answer, err))
            return false;
        for (size_t i = 0; i < answer.count && *ret_count < OWN_IPS_MAX; i++)
            ips[(*ret_count)++] = answer.records[i].ip;
    }
    return true;
}

/* The one record is there: does it name us? */
static bool judge_spf(struct lookups *l, struct str hostname, struct str record, struct arena *a,
                      struct live_report *r, struct err *err)
{
    struct ip ips[OWN_IPS_MAX], missing;
    char text[IP_TEXT_MAX];
    size_t count;

    if (!own_ips(l, hostname, a, ips, &count, err))
        return false;
    switch (live_spf_covers(record, hostname, ips, count, &missing)) {
    case SPF_COVERS:
        add(r, a, "spf", true, "%.*s has 1 SPF record, which names this host", STR_FMT(hostname));
        break;
    case SPF_FORGETS:
        add(r, a, "spf", false, "the SPF record of %.*s does not name %s; add \"a\" or \"%s:%s\"",
            STR_FMT(hostname), ip_format(&missing, text), missing.family == 4 ? "ip4" : "ip6",
            text);
        break;
    case SPF_ASKS_MORE:
        add(r, a, "spf", true,
            "%.*s has 1 SPF record, which leads to others; whether they name this host is not told",
            STR_FMT(hostname));
        break;
    }
    return true;
}

static bool check_spf(struct lookups *l, struct str hostname, struct arena *a,
                      struct live_report *r, struct err *err)
{
    struct dns_answer txt;
    struct str record = STR("");
    size_t found = 0;

    if (!lookup_one(l, DNS_TXT, hostname, a, &txt, err))
        return false;
    for (size_t i = 0; i < txt.count; i++)
        if (str_starts_nocase(txt.records[i].bytes, STR("v=spf1 ")) ||
            str_eq_nocase(txt.records[i].bytes, STR("v=spf1"))) {
            record = txt.records[i].bytes;
            found++;
        }
    if (found == 1)
        return judge_spf(l, hostname, record, a, r, err);
    if (txt.status == DNS_TEMP)
        add(r, a, "spf", false, "no answer for the TXT records of %.*s: %.*s", STR_FMT(hostname),
            STR_FMT(txt.why));
    else if (found == 0)
        add(r, a, "spf", false, "%.*s has no SPF record; set TXT \"v=spf1 a -all\"",
            STR_FMT(hostname));
    else
        add(r, a, "spf", false, "%.*s has %zu SPF records; only one is allowed (RFC 7208 §4.5)",
            STR_FMT(hostname), found);
    return true;
}

bool live_find(struct lookups *l, struct str hostname, struct arena *a, struct live_report *ret,
               struct err *err)
{
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
    if (!check_spf(l, hostname, a, &r, err))
        return false;
    *ret = r;
    return true;
}
