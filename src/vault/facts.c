// SPDX-License-Identifier: Apache-2.0
/* vault/facts.c - what guard/preflight is to know of a domain: SPF, DMARC, and whether it can be
 * answered. What was not answered leaves the fact as it was. */
#include "mail/spf.h"
#include "vault/domains_own.h"

#define SPF_FACTS (FACT_SPF_PASS | FACT_SPF_NONE | FACT_SPF_FAIL)
#define DMARC_FACTS                                                             \
    (FACT_DMARC | FACT_DMARC_NONE | FACT_DMARC_REJECT | FACT_DMARC_STRICT_SPF | \
     FACT_DMARC_STRICT_DKIM)
#define MX_FACTS (FACT_MX | FACT_MX_NONE)

/* The one server's answer; NULL when it said nothing that counts. */
static const struct proof_server *answer_of(const struct inquiry *q)
{
    const struct proof_server *s;

    if (!q || !q->done || q->code != 0 || q->look.count == 0)
        return NULL;
    s = &q->servers[0];
    return s->said == DNS_SAID_RECORDS || s->said == DNS_SAID_NO_NAME ? s : NULL;
}

static uint32_t spf_facts(const struct look *l, uint32_t before)
{
    if (!l->spf->done || l->spf->code != 0)
        return before & SPF_FACTS;
    switch (l->spf->spf_result) {
    case SPF_PASS:
        return FACT_SPF_PASS;
    case SPF_NONE:
        return FACT_SPF_NONE;
    case SPF_TEMPERROR:
        return before & SPF_FACTS;
    default:
        return FACT_SPF_FAIL;
    }
}

/* What of a DMARC record concerns whoever sends (RFC 7489 §6.3). */
struct dmarc {
    struct str policy, subdomain_policy, spf, dkim;
};

static bool dmarc_read(struct str text, struct dmarc *ret)
{
    struct str tag, name, value;
    bool first = true;

    *ret = (struct dmarc){ 0 };
    while (str_next(&text, ';', &tag)) {
        if (!str_cut(tag, '=', &name, &value))
            continue;
        name = str_trim(name);
        value = str_trim(value);
        if (first && (!str_eq_nocase(name, STR("v")) || !str_eq(value, STR("DMARC1"))))
            return false;
        first = false;
        if (str_eq_nocase(name, STR("p")))
            ret->policy = value;
        else if (str_eq_nocase(name, STR("sp")))
            ret->subdomain_policy = value;
        else if (str_eq_nocase(name, STR("aspf")))
            ret->spf = value;
        else if (str_eq_nocase(name, STR("adkim")))
            ret->dkim = value;
    }
    return !first;
}

/* One record among the TXT records; two are none (RFC 7489 §6.6.3). */
static bool dmarc_find(const struct proof_server *s, struct dmarc *ret)
{
    struct dmarc r;
    size_t found = 0;

    for (size_t i = 0; i < s->count; i++)
        if (dmarc_read(s->values[i], &r)) {
            *ret = r;
            found++;
        }
    return found == 1;
}

static uint32_t dmarc_facts_of(const struct dmarc *r, bool above)
{
    struct str policy = above && r->subdomain_policy.len > 0 ? r->subdomain_policy : r->policy;
    uint32_t facts = FACT_DMARC;

    if (str_eq_nocase(policy, STR("reject")) || str_eq_nocase(policy, STR("quarantine")))
        facts |= FACT_DMARC_REJECT;
    if (str_eq_nocase(r->spf, STR("s")))
        facts |= FACT_DMARC_STRICT_SPF;
    if (str_eq_nocase(r->dkim, STR("s")))
        facts |= FACT_DMARC_STRICT_DKIM;
    return facts;
}

static uint32_t dmarc_facts(const struct look *l, uint32_t before)
{
    const struct proof_server *own = answer_of(l->dmarc), *above = answer_of(l->dmarc_above);
    struct dmarc r;

    if (own && dmarc_find(own, &r))
        return dmarc_facts_of(&r, /* above= */ false);
    if (!own || (l->dmarc_above && !above))
        return before & DMARC_FACTS;
    return above && dmarc_find(above, &r) ? dmarc_facts_of(&r, /* above= */ true)
                                          : (uint32_t)FACT_DMARC_NONE;
}

/* RFC 5321 §5.1; a null MX (RFC 7505) is a name without labels. */
static uint32_t mx_facts(const struct look *l, uint32_t before)
{
    const struct proof_server *mx = answer_of(l->mx), *a = answer_of(l->a),
                              *aaaa = answer_of(l->aaaa);

    if (mx && mx->count > 0)
        return mx->values[0].len > 0 ? FACT_MX : FACT_MX_NONE;
    if (!mx)
        return before & MX_FACTS;
    if ((a && a->count > 0) || (aaaa && aaaa->count > 0))
        return FACT_MX;
    return a && aaaa ? (uint32_t)FACT_MX_NONE : before & MX_FACTS;
}

uint32_t verdict_facts(const struct look *l, uint32_t before)
{
    return spf_facts(l, before) | dmarc_facts(l, before) | mx_facts(l, before);
}
