// SPDX-License-Identifier: Apache-2.0
/* guard/preflight.c - what the large receivers will say, foretold from what is known. */
#include "guard/preflight.h"

#include "guard/domain_name.h"
#include "guard/header_names.h"

enum answer { NO, YES, UNKNOWN };

static void find(struct preflight *p, enum policy_code code, struct str name)
{
    if (p->count < PREFLIGHT_FINDINGS_MAX)
        p->findings[p->count++] = (struct preflight_finding){ code, name };
}

/* The last two labels. */
static struct str tail_of(struct str domain)
{
    size_t last = str_index_last(domain, '.');
    size_t before = str_index_last(str_sub(domain, 0, last), '.');

    return before < last ? str_skip(domain, before + 1) : domain;
}

/* Of one organisation (RFC 7489 §3.1)? Where registries end is not known here: two names that share
 * their last two labels may be of one, or neighbours under co.uk. */
static enum answer aligned(struct str domain, struct str from, bool strict)
{
    if (str_eq(domain, from))
        return YES;
    if (strict)
        return NO;
    if (domain_name_is_below(domain, from) || domain_name_is_below(from, domain))
        return YES;
    return str_eq(tail_of(domain), tail_of(from)) ? UNKNOWN : NO;
}

/* Will SPF pass for a domain that counts for From? */
static enum answer spf_aligned(const struct preflight_ask *ask, struct str from,
                               uint32_t from_facts)
{
    const struct dir_domain *sender = ask->identity->sender_grant;
    enum answer same;

    if (ask->sender_domain.len == 0)
        return NO; /* only our own host name would be looked at */
    same = aligned(ask->sender_domain, from, (from_facts & FACT_DMARC_STRICT_SPF) != 0);
    if (same == NO)
        return NO;
    if (!sender)
        return UNKNOWN;
    if (sender->facts & (FACT_SPF_FAIL | FACT_SPF_NONE))
        return NO;
    return (sender->facts & FACT_SPF_PASS) ? same : UNKNOWN;
}

static void look_at_dmarc(const struct preflight_ask *ask, struct str from, struct preflight *p)
{
    uint32_t facts = ask->identity->from_grant->facts;

    if ((facts & FACT_DMARC_REJECT) && !ask->signs_aligned && spf_aligned(ask, from, facts) == NO)
        find(p, CODE_PREFLIGHT_DMARC, from);
    else if (facts & FACT_DMARC_NONE)
        find(p, CODE_PREFLIGHT_DMARC_MISSING, from);
}

static void look_at_spf(const struct preflight_ask *ask, struct preflight *p)
{
    const struct dir_domain *sender = ask->identity->sender_grant;

    if (!sender || ask->sender_domain.len == 0)
        return;
    if (sender->facts & (FACT_SPF_FAIL | FACT_SPF_NONE))
        find(p, CODE_PREFLIGHT_SPF, sender->name);
    if (sender->facts & FACT_MX_NONE)
        find(p, CODE_PREFLIGHT_MX, sender->name);
}

static void look_at_dkim(const struct preflight_ask *ask, struct preflight *p)
{
    const struct dir_domain *g = ask->identity->from_grant;

    if (ask->signs_aligned || (g->facts & FACT_DKIM_UNKNOWN))
        return;
    find(p, g->facts & FACT_DKIM_PENDING ? CODE_PREFLIGHT_DKIM_PENDING : CODE_PREFLIGHT_DKIM,
         g->name);
}

/* RFC 8058 §3: both fields, one of them with an https address. */
static void look_at_unsubscribe(const struct preflight_ask *ask, struct preflight *p)
{
    bool has_address = false, has_post = false;
    struct header_field f;
    size_t at = 0;

    if (!ask->stream || ask->stream->kind != STREAM_MARKETING)
        return;
    while (header_next(ask->section, &at, &f)) {
        enum header_name name = header_name_of(f.name);
        if (name == HEADER_LIST_UNSUBSCRIBE)
            has_address |= str_find_nocase(f.value, STR("<https://")) < f.value.len;
        else if (name == HEADER_LIST_UNSUBSCRIBE_POST)
            has_post |= str_find_nocase(f.value, STR("List-Unsubscribe=One-Click")) < f.value.len;
    }
    if (!has_address)
        find(p, CODE_PREFLIGHT_UNSUBSCRIBE, STR("List-Unsubscribe: <https://...>"));
    else if (!has_post)
        find(p, CODE_PREFLIGHT_UNSUBSCRIBE,
             STR("List-Unsubscribe-Post: List-Unsubscribe=One-Click"));
}

void preflight_judge(const struct preflight_ask *ask, struct arena *a, struct preflight *ret)
{
    const struct identity *i = ask->identity;
    struct str from = STR("");

    ret->count = 0;
    if (!i->from_grant)
        return; /* nothing is known of a domain that is nobody's */
    if (i->rewrites || !domain_name(i->from.domain, a, &from))
        from = i->from_grant->name;
    look_at_dmarc(ask, from, ret);
    look_at_spf(ask, ret);
    look_at_dkim(ask, ret);
    look_at_unsubscribe(ask, ret);
}
