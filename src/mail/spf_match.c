// SPDX-License-Identifier: Apache-2.0
/* mail/spf_match.c - whether a term of a record matches the client's address (RFC 7208 §5), at the
 * name that its macros make (§7). */
#include "mail/spf_check.h"

#include "mail/spf_macro.h"

/* Target names
 * -------------------------------------------------------------------------------------------------
 */

/* %{p}: the domain itself, else a name below it, else any, else "unknown" (§7.3). */
static enum spf_end validated_name(struct spf_checking *c, struct str domain, struct str *ret)
{
    struct str names[SPF_NAMES_MAX];
    size_t count, best = 0;

    *ret = STR("unknown");
    enum spf_end end = spf_names_validated(c, false, names, &count);
    if (end != SPF_END_NO || count == 0)
        return end;
    for (size_t i = count; i-- > 0;)
        if (spf_is_below(names[i], domain))
            best = i;
    for (size_t i = count; i-- > 0;)
        if (str_eq_nocase(names[i], domain))
            best = i;
    *ret = names[best];
    return SPF_END_NO;
}

enum spf_end spf_expand(struct spf_checking *c, struct str domain, struct str spec, struct str *ret)
{
    struct spf_letters letters = {
        .local = c->local,
        .sender_domain = c->sender_domain,
        .domain = domain,
        .helo = c->ask->helo,
        .receiver = c->ask->receiver.len > 0 ? c->ask->receiver : STR("unknown"),
        .ip = c->ask->ip,
        .now_s = c->ask->now_s,
    };
    struct buf text;

    if (spf_macro_wants_validated(spec)) {
        enum spf_end end = validated_name(c, domain, &letters.validated);
        if (end != SPF_END_NO)
            return end;
    }
    buf_init(&text, SPF_EXPANDED_MAX);
    bool ok = spf_macro_expand(spec, &letters, &text);
    *ret = arena_str(c->arena, buf_str(&text));
    buf_done(&text);
    return ok ? SPF_END_NO : spf_permerror(c, STR("a macro of the SPF record grows too long"));
}

enum spf_end spf_target_name(struct spf_checking *c, struct str domain, struct str spec,
                             struct str *ret)
{
    *ret = domain;
    if (spec.len == 0)
        return SPF_END_NO;
    enum spf_end end = spf_expand(c, domain, spec, ret);
    *ret = spf_without_dot(*ret);
    while (ret->len > SPF_NAME_BYTES_MAX && str_index(*ret, '.') < ret->len)
        *ret = str_skip(*ret, str_index(*ret, '.') + 1);
    return end;
}

/* Mechanisms
 * ----------------------------------------------------------------------------------------------
 */

static bool prefix_eq(const struct ip *a, const struct ip *b, unsigned bits)
{
    if (memcmp(a->bytes, b->bytes, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || (a->bytes[bits / 8] ^ b->bytes[bits / 8]) >> (8 - rest) == 0;
}

static bool in_net(const struct spf_directive *d, const struct ip *ip, const struct ip *net)
{
    return ip->family == net->family && prefix_eq(ip, net, ip->family == 4 ? d->bits4 : d->bits6);
}

static bool any_in_net(const struct spf_directive *d, const struct ip *ip,
                       const struct spf_rr_answer *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (in_net(d, ip, &addresses->ips[i]))
            return true;
    return false;
}

static enum spf_end matched(bool match)
{
    return match ? SPF_END_MATCH : SPF_END_NO;
}

static enum spf_end match_a(struct spf_checking *c, const struct spf_directive *d,
                            struct str target)
{
    struct spf_rr_answer addresses;
    enum spf_end end = spf_ask_counted(c, spf_own_family(c), target, &addresses);

    return end != SPF_END_NO ? end : matched(any_in_net(d, &c->ask->ip, &addresses));
}

static enum spf_end match_mx(struct spf_checking *c, const struct spf_directive *d,
                             struct str target)
{
    struct spf_rr_answer mx;
    enum spf_end end = spf_ask_counted(c, SPF_RR_MX, target, &mx);

    if (end != SPF_END_NO)
        return end;
    if (mx.count > SPF_NAMES_MAX)
        return spf_permerror(c, STR("a domain named by mx has more than 10 mail servers "
                                    "(RFC 7208 §4.6.4)"));
    for (size_t i = 0; i < mx.count && end == SPF_END_NO; i++)
        if (spf_without_dot(mx.texts[i]).len > 0) /* null MX */
            end = match_a(c, d, spf_without_dot(mx.texts[i]));
    return end;
}

static enum spf_end match_ptr(struct spf_checking *c, struct str target)
{
    struct str names[SPF_NAMES_MAX];
    size_t count;
    enum spf_end end = spf_names_validated(c, true, names, &count);

    for (size_t i = 0; i < count && end == SPF_END_NO; i++)
        end = matched(spf_is_below(names[i], target));
    return end;
}

static enum spf_end match_exists(struct spf_checking *c, struct str target)
{
    struct spf_rr_answer addresses;
    enum spf_end end = spf_ask_counted(c, SPF_RR_A, target, &addresses);

    return end != SPF_END_NO ? end : matched(addresses.count > 0);
}

/* Another record as a condition (§5.2): only its pass is a match. */
static enum spf_end match_include(struct spf_checking *c, struct str target)
{
    enum spf_result result;
    c->includes++;
    enum spf_end end = spf_check_host(c, target, &result);
    c->includes--;
    if (end != SPF_END_NO)
        return end;
    if (result == SPF_TEMPERROR)
        return SPF_END_TEMPERROR;
    if (result == SPF_PERMERROR)
        return SPF_END_PERMERROR;
    if (result == SPF_NONE)
        return spf_permerror(
            c, arena_strf(c->arena, "included %.*s has no SPF record", STR_FMT(target)));
    return matched(result == SPF_PASS);
}

static bool asks_dns(enum spf_mechanism mechanism)
{
    return mechanism != SPF_ALL && mechanism != SPF_IP4 && mechanism != SPF_IP6;
}

enum spf_end spf_match(struct spf_checking *c, const struct spf_directive *d, struct str domain)
{
    struct str target;
    enum spf_end end = asks_dns(d->mechanism) ? spf_count_lookup(c) : SPF_END_NO;

    if (end == SPF_END_NO)
        end = spf_target_name(c, domain, d->domain, &target);
    if (end != SPF_END_NO)
        return end;
    switch (d->mechanism) {
    case SPF_ALL:
        return SPF_END_MATCH;
    case SPF_INCLUDE:
        return match_include(c, target);
    case SPF_A:
        return match_a(c, d, target);
    case SPF_MX:
        return match_mx(c, d, target);
    case SPF_PTR:
        return match_ptr(c, target);
    case SPF_EXISTS:
        return match_exists(c, target);
    case SPF_IP4:
        return matched(in_net(d, &c->ask->ip, &d->ip));
    case SPF_IP6: /* a mapped IPv4 address has become one of the other family: nobody's */
        return matched(d->ip.family == 6 && in_net(d, &c->ask->ip, &d->ip));
    }
    return SPF_END_NO;
}
