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

/* What the first server said that said anything that counts; NULL when none did. */
static const struct proof_server *answer_of(const struct inquiry *q)
{
    if (!q || !q->done || q->code != 0)
        return NULL;
    for (size_t i = 0; i < q->look.count; i++)
        if (q->servers[i].said == DNS_SAID_RECORDS || q->servers[i].said == DNS_SAID_NO_NAME)
            return &q->servers[i];
    return NULL;
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

/* True when all that was needed was answered. */
static bool dmarc_walk_all(const struct look *l, struct dmarc_walk *walk)
{
    *walk = l->walk;
    for (size_t i = 0; i < walk->count; i++) {
        const struct proof_server *s = answer_of(l->dmarc[i]);
        if (!s)
            return false;
        if (!dmarc_walk_take(walk, i, s->values, s->count))
            break;
    }
    return true;
}

static uint32_t dmarc_facts(const struct look *l, uint32_t before)
{
    const struct dmarc_record *r;
    enum dmarc_policy policy;
    struct dmarc_walk walk;

    if (!dmarc_walk_all(l, &walk))
        return before & DMARC_FACTS;
    r = dmarc_walk_policy(&walk, &policy);
    if (!r)
        return FACT_DMARC_NONE;
    return FACT_DMARC | (policy != DMARC_NONE ? (uint32_t)FACT_DMARC_REJECT : 0u) |
           (r->strict_spf ? (uint32_t)FACT_DMARC_STRICT_SPF : 0u) |
           (r->strict_dkim ? (uint32_t)FACT_DMARC_STRICT_DKIM : 0u);
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
