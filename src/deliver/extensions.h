// SPDX-License-Identifier: Apache-2.0
/* deliver/extensions.h - what a server says it can do, in its answer to EHLO or LHLO. */
#pragma once

#include "base/str.h"

enum extension {
    EXT_PIPELINING = 1 << 0, /* RFC 2920 */
    EXT_SIZE = 1 << 1,       /* RFC 1870 */
    EXT_8BITMIME = 1 << 2,   /* RFC 6152 */
    EXT_BINARYMIME = 1 << 3, /* RFC 3030 */
    EXT_CHUNKING = 1 << 4,   /* RFC 3030 */
    EXT_SMTPUTF8 = 1 << 5,   /* RFC 6531 */
    EXT_DSN = 1 << 6,        /* RFC 3461 */
    EXT_STARTTLS = 1 << 7,   /* RFC 3207 */
    EXT_STATUS = 1 << 8,     /* ENHANCEDSTATUSCODES, RFC 2034 */
    EXT_AUTH_PLAIN = 1 << 9, /* RFC 4954 */
    EXT_AUTH_LOGIN = 1 << 10,
    EXT_LIMITS = 1 << 11, /* RFC 9422 */
};

struct extensions {
    unsigned offered;  /* enum extension, or-ed */
    uint64_t size_max; /* SIZE: 0 when none was given */
    uint64_t rcpt_max; /* LIMITS RCPTMAX, per transaction: 0 when none was given */
    uint64_t mail_max; /* LIMITS MAILMAX, per connection: 0 when none was given */
};

static inline bool extensions_have(const struct extensions *e, unsigned all_of)
{
    return (e->offered & all_of) == all_of;
}

/* One line of the answer behind its code, the first line (the server's name) excepted. What is
 * unknown or does not parse is as if it had not been said. */
void extensions_line(struct extensions *e, struct str text);
