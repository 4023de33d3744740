// SPDX-License-Identifier: Apache-2.0
/* mail/dmarc_walk.c - the tree walk of RFC 9989 §4.10: at most eight questions for a name of any
 * length, so that long names cost nobody more. */
#include "mail/dmarc_walk.h"

static size_t label_count(struct str domain)
{
    size_t count = domain.len > 0;

    for (size_t i = 0; i < domain.len; i++)
        count += domain.ptr[i] == '.';
    return count;
}

static struct str parent_of(struct str domain)
{
    return str_skip(domain, str_index(domain, '.') + 1);
}

/* From eight labels and more to seven, else one less. */
void dmarc_walk_begin(struct dmarc_walk *w, struct str domain)
{
    *w = (struct dmarc_walk){ 0 };
    while (domain.len > 0 && w->count < DMARC_WALK_MAX) {
        w->steps[w->count++].domain = domain;
        do
            domain = parent_of(domain);
        while (label_count(domain) >= DMARC_WALK_MAX);
    }
}

bool dmarc_walk_take(struct dmarc_walk *w, size_t at, const struct str *texts, size_t count)
{
    struct dmarc_step *step = &w->steps[at];
    size_t records = 0;

    for (size_t i = 0; i < count; i++)
        if (dmarc_record_is(texts[i]) && records++ == 0)
            step->found = dmarc_record_parse(texts[i], &step->record, NULL);
    if (records != 1)
        step->found = false;
    return !step->found || step->record.psd == DMARC_PSD_UNKNOWN;
}

/* The name below `suffix` by one label, on the way to the domain; the domain itself when that is
 * it. */
static struct str one_below(struct str domain, struct str suffix)
{
    size_t wanted = label_count(suffix) + 1;

    while (label_count(domain) > wanted)
        domain = parent_of(domain);
    return domain;
}

/* §4.10.2: what says that it is none or one that sits at a registry decides; else the highest name
 * that has a record. */
struct str dmarc_walk_organisation(const struct dmarc_walk *w)
{
    struct str domain = w->count > 0 ? w->steps[0].domain : STR_NONE, highest = domain;

    for (size_t i = 0; i < w->count; i++) {
        const struct dmarc_step *step = &w->steps[i];
        if (!step->found)
            continue;
        if (step->record.psd == DMARC_PSD_NO)
            return step->domain;
        if (step->record.psd == DMARC_PSD_YES)
            return one_below(domain, step->domain);
        highest = step->domain;
    }
    return highest;
}

const struct dmarc_record *dmarc_walk_policy(const struct dmarc_walk *w,
                                             enum dmarc_policy *ret_policy)
{
    const struct str organisation = dmarc_walk_organisation(w);
    const struct dmarc_record *above = NULL;

    if (w->count > 0 && w->steps[0].found) {
        *ret_policy = w->steps[0].record.policy;
        return &w->steps[0].record;
    }
    for (size_t i = 1; i < w->count; i++) {
        const struct dmarc_step *step = &w->steps[i];
        bool holds = str_eq(step->domain, organisation) || step->record.psd == DMARC_PSD_YES;
        if (step->found && holds && !above)
            above = &step->record;
    }
    if (above)
        *ret_policy = above->subdomains;
    return above;
}
