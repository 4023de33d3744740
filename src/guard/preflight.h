// SPDX-License-Identifier: Apache-2.0
/* guard/preflight.h - will the large receivers take this message, and if not, which record is
 * missing? (F14, R44.) Pure: what is known of the From domain, which signatures it will get, what
 * its header holds. Nothing is concluded from what is not known, so a DNS failure never refuses. */
#pragma once

#include "guard/identity.h"

struct preflight_ask {
    const struct identity *identity;
    const struct dir_stream *stream; /* NULL: none */
    bool signs_aligned; /* it leaves with a signature whose d= is From's domain or its organisation
                         */
    struct str sender_domain; /* of MAIL FROM as it will be sent; empty: null (HELO's then) */
    struct str section;       /* as it will be sent */
};

#define PREFLIGHT_FINDINGS_MAX 8
struct preflight {
    struct preflight_finding {
        enum policy_code code;
        struct str arg; /* the name or field that it is about */
    } findings[PREFLIGHT_FINDINGS_MAX];
    size_t count; /* the worst first */
};
/* Texts in the arena. */
void preflight_judge(const struct preflight_ask *ask, struct arena *a, struct preflight *ret);
