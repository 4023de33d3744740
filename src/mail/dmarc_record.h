// SPDX-License-Identifier: Apache-2.0
/* mail/dmarc_record.h - what a domain's DMARC record says (RFC 9989 §4.7, RFC 7489 §6.3). Pure;
 * where records are looked for stands in mail/dmarc_walk.h. */
#pragma once

#include "base/err.h"

/* In the order of what they ask for. */
enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

/* Borrows the text. */
struct dmarc_record {
    enum dmarc_policy policy;     /* p= */
    enum dmarc_policy subdomains; /* sp=, else p= */
    enum dmarc_policy absent;     /* np=, else sp=: names that do not exist */
    bool strict_dkim, strict_spf; /* adkim=s, aspf=s */
    bool testing;                 /* t=y: receivers do one less than asked for */
    unsigned percent;             /* pct= of RFC 7489; 100 */
    enum dmarc_psd psd;           /* psd= */
    struct str reports;           /* rua=, as written; empty: none */
    struct str
        flaw; /* the first tag that is wrong and that receivers therefore pass over, or empty */
};

/* "v=DMARC1" at its beginning, in these letters: any other TXT record is none of DMARC's. */
bool dmarc_record_is(struct str text);
/* ERR_SYNTAX: receivers take it as if it were not there: it does not begin with its version, is no
 * list of tags, or has no policy and asks for no reports either. */
MUST_USE bool dmarc_record_parse(struct str text, struct dmarc_record *ret, struct err *err);
const char *dmarc_policy_name(enum dmarc_policy policy);
