// SPDX-License-Identifier: Apache-2.0
/* accept/transaction.h - one message on its way in: sender, recipients, content, from MAIL to the
 * end of data (RFC 5321 §3.3).
 *
 * Invariant (fault B06): a transaction that is over is all zero, whatever ended it - success,
 * refusal, RSET, EHLO, STARTTLS, a lost core - for transaction_reset() is the only way out. What
 * its pointers point at lies in the workspace's tx arena, which is reset with it. */
#pragma once

#include "accept/replies.h"
#include "mail/content.h"
#include "mail/header.h"
#include "mail/xtext.h"

struct session;

struct tx_rcpt {
    struct tx_rcpt *next;
    struct str address; /* as it goes to core and into the envelope */
    struct str orcpt;
    unsigned notify;
};

enum tx_state {
    TX_NONE,
    TX_MAIL,     /* a sender, perhaps recipients */
    TX_CHUNKING, /* BDAT has begun */
};

/* How fast content must come: over the whole of it, not between two packets (slow-loris defence).
 */
struct pace {
    int64_t from_ms;
    uint64_t bytes;
};

struct content {
    struct data_reader reader; /* DATA */
    struct content_scan scan;  /* BDAT */
    struct pace pace;
    uint64_t sent_bytes; /* handed to core; what is gathered comes on top */
    size_t looked_bytes; /* of the gathered: no end of header among them */
    bool header_known;
    bool hashes_body; /* core is told the body's hash */
    uint32_t header_bytes;
    const struct header_edit *edits;
    size_t edit_count;
    enum reply_id refusal; /* with `refused`: why the rest is swallowed */
    bool refused;
    struct str refusal_args[2]; /* STR_NONE: unused */
};

struct transaction {
    enum tx_state state;
    uint64_t number;         /* 0 until core has heard of it */
    struct str reverse_path; /* empty: the null path */
    struct mail_params params;
    struct tx_rcpt *first, *last;
    unsigned rcpt_count;
    struct content content;
};

/* Takes back everything, telling core when it had heard of it. */
void transaction_reset(struct session *s);
/* Copies into the arena. */
void transaction_add_rcpt(struct session *s, const struct address *rcpt,
                          const struct rcpt_params *p);
