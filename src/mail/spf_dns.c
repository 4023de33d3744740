// SPDX-License-Identifier: Apache-2.0
/* mail/spf_dns.c - the questions of an SPF check, counted, and the names that an address has. */
#include "mail/spf_check.h"

#include "mail/spf_macro.h"

enum spf_end spf_temperror(struct spf_checking *c, struct str name)
{
    c->answer->why = arena_strf(c->arena, "DNS gives no answer for %.*s now", STR_FMT(name));
    return SPF_END_TEMPERROR;
}

enum spf_end spf_permerror(struct spf_checking *c, struct str why)
{
    c->answer->why = why;
    return SPF_END_PERMERROR;
}

bool spf_name_ok(struct str name)
{
    size_t label = 0;

    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '.' && label == 0)
            return false;
        label = name.ptr[i] == '.' ? 0 : label + 1;
        if (label > 63 || name.ptr[i] < ' ' || name.ptr[i] > '~')
            return false;
    }
    return label > 0 && name.len <= SPF_NAME_BYTES_MAX;
}

enum spf_end spf_ask_dns(struct spf_checking *c, enum spf_rr type, struct str name,
                         struct spf_rr_answer *ret)
{
    *ret = (struct spf_rr_answer){ .status = SPF_RR_NO_NAME };
    if (!spf_name_ok(name))
        return SPF_END_NO;
    return c->dns->ask(c->dns->arg, type, name, c->arena, ret, c->err) ? SPF_END_NO
                                                                       : SPF_END_CANCELLED;
}

enum spf_end spf_count_lookup(struct spf_checking *c)
{
    if (++c->lookups <= SPF_LOOKUPS_MAX)
        return SPF_END_NO;
    return spf_permerror(c, STR("more than 10 terms that ask DNS (RFC 7208 §4.6.4)"));
}

static enum spf_end count_void(struct spf_checking *c)
{
    if (++c->voids <= SPF_VOIDS_MAX)
        return SPF_END_NO;
    return spf_permerror(c, STR("more than 2 terms lead to names without records "
                                "(RFC 7208 §4.6.4)"));
}

enum spf_end spf_ask_counted(struct spf_checking *c, enum spf_rr type, struct str name,
                             struct spf_rr_answer *ret)
{
    enum spf_end end = spf_ask_dns(c, type, name, ret);

    if (end != SPF_END_NO)
        return end;
    if (ret->status == SPF_RR_TEMP)
        return spf_temperror(c, name);
    return ret->count == 0 ? count_void(c) : SPF_END_NO;
}

/* The client's names
 * --------------------------------------------------------------------------------------
 */

enum spf_rr spf_own_family(const struct spf_checking *c)
{
    return c->ask->ip.family == 4 ? SPF_RR_A : SPF_RR_AAAA;
}

/* "1.2.0.192.in-addr.arpa" (RFC 1035 §3.5, RFC 3596 §2.5). */
static struct str reverse_name(const struct spf_checking *c)
{
    static const struct str spec = STR("%{ir}.%{v}.arpa");
    const struct spf_letters letters = { .ip = c->ask->ip };
    struct buf name;

    buf_init(&name, SPF_NAME_BYTES_MAX);
    (void)spf_macro_expand(spec, &letters, &name);
    struct str ret = arena_str(c->arena, buf_str(&name));
    buf_done(&name);
    return ret;
}

bool spf_is_below(struct str name, struct str domain)
{
    if (!str_ends_nocase(name, domain))
        return false;
    return name.len == domain.len || name.ptr[name.len - domain.len - 1] == '.';
}

struct str spf_without_dot(struct str name)
{
    return name.len > 0 && name.ptr[name.len - 1] == '.' ? str_sub(name, 0, name.len - 1) : name;
}

static bool has_ip(const struct spf_rr_answer *addresses, const struct ip *ip)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (ip_eq(&addresses->ips[i], ip))
            return true;
    return false;
}

enum spf_end spf_names_validated(struct spf_checking *c, bool counted, struct str *names,
                                 size_t *ret_count)
{
    struct spf_rr_answer ptr, addresses;

    *ret_count = 0;
    enum spf_end end = spf_ask_dns(c, SPF_RR_PTR, reverse_name(c), &ptr);
    if (end != SPF_END_NO)
        return end;
    if (counted && ptr.status != SPF_RR_TEMP && ptr.count == 0)
        return count_void(c);
    for (size_t i = 0; i < ptr.count && i < SPF_NAMES_MAX; i++) {
        end = spf_ask_dns(c, spf_own_family(c), ptr.texts[i], &addresses);
        if (end != SPF_END_NO)
            return end;
        if (has_ip(&addresses, &c->ask->ip))
            names[(*ret_count)++] = spf_without_dot(ptr.texts[i]);
    }
    return SPF_END_NO;
}
