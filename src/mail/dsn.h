// SPDX-License-Identifier: Apache-2.0
/* mail/dsn.h - the notification that tells a sender what became of recipients: plain words first,
 * the remote server's own words second, then the machine-readable part, then the original's header
 * or all of it. RFC 3461, 3462 (multipart/report), 3464; RFC 6533 where an address needs UTF-8. */
#pragma once

#include "base/buf.h"
#include "mail/outcome.h"
#include "mail/xtext.h"

enum dsn_kind { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED };

struct dsn_recipient {
    struct str address; /* final recipient */
    struct str orcpt;   /* as given, or empty */
    struct outcome outcome;
    int64_t last_attempt_wall_ms; /* 0: none */
    int64_t retry_until_wall_ms;  /* DSN_DELAYED */
};

struct dsn {
    enum dsn_kind kind;
    struct str reporting_mta; /* our host name */
    struct str postmaster;    /* From: of the notification, an address */
    struct str to;            /* the original's reverse-path; never null: no bounce for a bounce */
    struct str envid;
    struct str original_id;  /* queue id of the original */
    struct str subject;      /* of the original, unfolded, or empty: quoted in the plain words */
    struct str dsn_id;       /* makes Message-ID and boundary */
    int64_t wall_ms;         /* now */
    int64_t arrival_wall_ms; /* of the original */
    bool return_full;   /* the original follows whole: message/rfc822 (or global), else its header
                           only */
    bool utf8;          /* addresses or the original's header need RFC 6533 */
    bool original_8bit; /* Content-Transfer-Encoding of the third part */
    const struct dsn_recipient *recipients;
    size_t count;
};

/* The notification is head + (extent of the original) + tail: the original's bytes are not copied
 * (design.md §5). */
bool dsn_format_head(struct buf *to, const struct dsn *d);
bool dsn_format_tail(struct buf *to, const struct dsn *d);
/* Whether this outcome asks for that notification, by NOTIFY (RFC 3461 §4.1, default FAILURE and
 * DELAY). */
bool dsn_wanted(unsigned notify, enum dsn_kind kind);
