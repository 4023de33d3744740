// SPDX-License-Identifier: Apache-2.0
/* resolve/verdict.h - what DNS means for mail to a domain: go on, ask later, or never, each with
 * its codes. */
#pragma once

#include "mail/reply.h"

enum verdict {
    VERDICT_OK,
    VERDICT_BAD_NAME,   /* not a domain name at all */
    VERDICT_LITERAL,    /* an address literal, and they are not allowed */
    VERDICT_NO_DOMAIN,  /* NXDOMAIN */
    VERDICT_NULL_MX,    /* RFC 7505 */
    VERDICT_BAD_MX,     /* MX records, none of which names a host */
    VERDICT_LOOP,       /* only ourselves */
    VERDICT_NO_ADDRESS, /* hosts without an address */
    VERDICT_NOT_PUBLIC, /* hosts with addresses that mail may not go to */
    VERDICT_TEMP,       /* DNS gave no answer worth the name */
    VERDICT_BUSY,       /* we have too many questions at once */
};

/* Code 0 for VERDICT_OK. The text is static and names no domain. */
struct reply verdict_reply(enum verdict v);
