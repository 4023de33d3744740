// SPDX-License-Identifier: Apache-2.0
/* spool/envelope.h - what a message record holds besides the content: envelope, header edits, and
 * the facts of the session that handed it over. Writer and reader of the bytes on disk sit together
 * in envelope.c. */
#pragma once

#include "base/ip.h"
#include "mail/header.h"
#include "mail/xtext.h"

struct envelope_rcpt {
    struct str address; /* local@domain; domain in A-labels unless smtputf8 */
    struct str orcpt;   /* as given, or empty */
    uint8_t notify;
};

enum envelope_flag {
    ENVELOPE_DSN = 1 << 0, /* a notification of ours: no bounce may arise from it */
    ENVELOPE_SMTPUTF8 = 1 << 1,
    ENVELOPE_8BIT = 1 << 2, /* what content holds, seen, not claimed */
    ENVELOPE_BINARY = 1 << 3,
};

struct envelope {
    uint64_t account;    /* 0: nobody's: mail from anyone to the domains we receive for */
    uint64_t credential; /* 0: by network */
    uint64_t stream;     /* 0: of none */
    uint8_t flags;
    uint8_t body;          /* enum body_kind as declared */
    uint8_t ret;           /* enum dsn_ret */
    uint32_t header_bytes; /* of the header section as received, final empty line included */
    uint64_t size_bytes;   /* of the content as received */
    int64_t accepted_wall_ms;
    struct str reverse_path; /* empty: null */
    struct str envid;
    struct ip client;
    struct str helo;
    struct str
        login; /* credential's name, or the trusted network; for the operator, never for headers */
    /* In whose name it is signed: a domain of the account's, as A-labels; empty: in nobody's. The
     * keys are chosen when it leaves. */
    struct str sign_domain;
    struct str body_hash; /* SHA-256 of the relaxed body (RFC 6376 §3.4.4), or empty: not known */
    struct header_edit *edits;
    size_t edit_count;
    struct envelope_rcpt *rcpts;
    size_t rcpt_count;
};

#define ENVELOPE_BYTES_MAX (1024 * 1024)

bool envelope_write(struct buf *to, const struct envelope *e);
/* Borrows the bytes; arrays in the arena. ERR_DAMAGED when they are not what envelope_write() made.
 */
MUST_USE bool envelope_read(struct str bytes, struct arena *a, struct envelope *ret,
                            struct err *err);
