// SPDX-License-Identifier: Apache-2.0
/* guard/codes.h - every reason for which baton refuses or warns by policy, in one table: a stable
 * word in brackets, the reply's code and enhanced code, what it says, what to do. Replies, the
 * manual page baton-codes(7) and counters come from it. A code is never renamed or used for
 * something else.
 *
 *   550 5.7.1 [FROM] From: example.com is not a domain that your account has proved; add it with
 *   `baton domain add example.com`, or use one of yours */
#pragma once

#include "base/arena.h"
#include "mail/reply.h"

enum policy_code {
    CODE_NONE,
    /* whom to: guard/admission.h */
    CODE_RELAY,
    CODE_SANDBOX,
    CODE_LITERAL,
    CODE_DOMAIN,
    CODE_ROUTE,
    /* who sends */
    CODE_ACCOUNT,         /* suspended */
    CODE_ACCOUNT_SANDBOX, /* not approved yet */
    CODE_TENANT,          /* the upstream's message names no tenant of ours, or more than one */
    CODE_STREAM,          /* it asks for a stream that the account does not have */
    CODE_STREAM_DOMAIN,   /* From is not of the stream's sending domain */
    /* in whose name: guard/identity.h */
    CODE_MAIL_FROM,
    CODE_NULL_SENDER,
    CODE_FROM,
    CODE_FROM_MISSING,
    CODE_FROM_SYNTAX,
    CODE_SENDER,
    CODE_SENDER_MISSING, /* several in From and no Sender (RFC 5322 §3.6.2) */
    CODE_DUPLICATE,
    CODE_SIGNATURE, /* a DKIM-Signature in the name of a domain that is another account's */
    CODE_FORWARD,   /* others' mail passed on without the policy for it */
    CODE_LEASE,     /* the local part is not the leased one */
    CODE_SRS,       /* a returning SRS address that is not ours, or too old */
    /* how much: guard/quota.h */
    CODE_QUOTA_MINUTE,
    CODE_QUOTA_HOUR,
    CODE_QUOTA_DAY,
    CODE_QUOTA_MONTH,
    CODE_QUOTA_SOFT,
    /* will it pass: guard/preflight.h */
    CODE_PREFLIGHT_SPF,
    CODE_PREFLIGHT_DKIM,
    CODE_PREFLIGHT_DKIM_PENDING,
    CODE_PREFLIGHT_DMARC,
    CODE_PREFLIGHT_DMARC_MISSING,
    CODE_PREFLIGHT_UNSUBSCRIBE,
    CODE_PREFLIGHT_MX,
    CODE_PREFLIGHT_BROKEN, /* the customer's own signature does not survive what is added */
    CODES
};

struct policy_code_row {
    const char *word; /* "FROM" */
    uint16_t code;
    uint16_t subject, detail;
    const char *text; /* what is said; each {} is replaced by the next argument */
    const char *more; /* for the manual: when it happens, and what to do */
};
extern const struct policy_code_row policy_codes[CODES];

/* The reply, "[WORD] text", in the arena; with `link` (config->why_url; empty: none) "(linkWORD)",
 * the address of a page about it, stands at the end. Unused arguments are left out. What stands in
 * `args` is cleaned: no control characters, shortened. */
struct reply code_reply(struct arena *a, enum policy_code code, const struct str *args,
                        size_t count, struct str link);
/* CODE_NONE when no row has this word. */
enum policy_code code_of_word(struct str word);
