// SPDX-License-Identifier: Apache-2.0
/* mail/dmarc_walk.h - the names at which a domain's DMARC record is looked for, and what follows
 * from those that were found: whose policy holds, and which domain is the organisation's (RFC 9989
 * §4.10). Pure: the caller asks TXT of _dmarc.<name>. */
#pragma once

#include "mail/dmarc_record.h"

#define DMARC_WALK_MAX 8

struct dmarc_step {
    struct str domain; /* a piece of the domain that was begun with */
    bool found;        /* one valid record stands there */
    struct dmarc_record record;
};
struct dmarc_walk {
    struct dmarc_step steps[DMARC_WALK_MAX]; /* the domain itself first, then upward */
    size_t count;
};

/* `domain`: A-labels, without final dot; borrowed. No step of it is found yet. */
void dmarc_walk_begin(struct dmarc_walk *w, struct str domain);
/* What the TXT records at steps[at] say: one record of DMARC's that is valid counts, two do not.
 * True when the walk goes on (§4.10: psd=y or psd=n ends it); then ask for the next step if there
 * is one. */
bool dmarc_walk_take(struct dmarc_walk *w, size_t at, const struct str *texts, size_t count);

/* The organisational domain of the one that was begun with: never empty. */
struct str dmarc_walk_organisation(const struct dmarc_walk *w);
/* The record that holds for it: its own, else the organisation's, else that of the public suffix
 * above. NULL: none does. *ret_policy is what it asks for, testing or not. */
const struct dmarc_record *dmarc_walk_policy(const struct dmarc_walk *w,
                                             enum dmarc_policy *ret_policy);
