// SPDX-License-Identifier: Apache-2.0
/* mail/xtext.h - ESMTP parameters: KEYWORD[=value] of MAIL and RCPT, and xtext (RFC 3461 §4). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "mail/address.h"

enum body_kind { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };
enum dsn_ret { RET_NONE, RET_FULL, RET_HDRS };
enum notify {
    NOTIFY_DEFAULT = 0,
    NOTIFY_NEVER = 1,
    NOTIFY_SUCCESS = 2,
    NOTIFY_FAILURE = 4,
    NOTIFY_DELAY = 8
};

struct mail_params {
    uint64_t size_bytes; /* SIZE=; 0: not given */
    enum body_kind body;
    bool smtputf8;
    enum dsn_ret ret;
    struct str envid; /* decoded, printable ASCII, at most 100 */
    bool has_auth;    /* AUTH= given (RFC 4954 §5): read and not believed */
};
struct rcpt_params {
    unsigned notify;  /* enum notify, or-ed */
    struct str orcpt; /* as given: "rfc822;xtext" or "utf-8;…", checked, at most 500 */
};

/* `text` is what stands behind the path. Unknown keyword: ERR_NOT_FOUND (555 5.5.4); bad value or
 * given twice: ERR_SYNTAX (501 5.5.4). Decoded values live in the arena. */
MUST_USE bool mail_params_parse(struct str text, struct arena *a, struct mail_params *ret,
                                struct err *err);
MUST_USE bool rcpt_params_parse(struct str text, struct arena *a, struct rcpt_params *ret,
                                struct err *err);

/* xtext (RFC 3461 §4). */
bool xtext_add(struct buf *to, struct str bytes);
MUST_USE bool xtext_read(struct buf *to, struct str text, struct err *err);
