// SPDX-License-Identifier: Apache-2.0
/* mail/spf_macro.h - macros in SPF records: %{ir}.%{v}._spf.%{d2} (RFC 7208 §7). */
#pragma once

#include "mail/spf.h"

enum spf_text {
    SPF_TEXT_DOMAIN,      /* a domain-spec: ends in a top label or a macro */
    SPF_TEXT_ANY,         /* the value of an unknown modifier */
    SPF_TEXT_EXPLANATION, /* spaces and the letters c, r, t are allowed */
};
/* The grammar of §7.1. */
bool spf_macro_ok(struct str text, enum spf_text kind);

/* What the letters stand for. */
struct spf_letters {
    struct str local, sender_domain; /* %{l}, %{o}; %{s} is both */
    struct str domain;               /* %{d} */
    struct str helo, receiver;       /* %{h}, %{r} */
    struct str validated; /* %{p}; spf_macro_wants_validated() tells whether it is needed */
    struct ip ip;         /* %{i}, %{v}, %{c} */
    int64_t now_s;        /* %{t} */
};
bool spf_macro_wants_validated(struct str text);

#define SPF_EXPANDED_MAX 4096
/* `text` is spf_macro_ok(). False: over `to`'s limit. */
bool spf_macro_expand(struct str text, const struct spf_letters *letters, struct buf *to);
