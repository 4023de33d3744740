// SPDX-License-Identifier: Apache-2.0
/* mail/spf_record.h - an SPF record as a list of terms (RFC 7208 §4.6, §12). */
#pragma once

#include "mail/spf.h"

enum spf_mechanism {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
};

struct spf_directive {
    enum spf_result result; /* of a match: its qualifier */
    enum spf_mechanism mechanism;
    struct str text;      /* as written */
    struct str domain;    /* domain-spec, not yet expanded; empty: the record's own */
    struct ip ip;         /* IP4, IP6 */
    uint8_t bits4, bits6; /* of the prefix */
};

/* Borrows the text. */
struct spf_record {
    struct spf_directive *directives;
    size_t count;
    struct str redirect, explanation; /* domain-specs; empty: none */
};

/* "v=spf1", alone or with a space behind. */
bool spf_record_is(struct str text);
/* A text that spf_record_is(). ERR_SYNTAX, which names the term: permerror, whatever stands before
 * it. */
MUST_USE bool spf_record_parse(struct str text, struct arena *a, struct spf_record *ret,
                               struct err *err);
