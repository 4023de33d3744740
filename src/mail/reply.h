// SPDX-License-Identifier: Apache-2.0
/* mail/reply.h - what one side of an SMTP conversation answers: code, enhanced code, words. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct status {       /* RFC 3463; klass 0: none was given */
    uint8_t klass;    /* 2, 4, 5 */
    uint16_t subject; /* 0…999 */
    uint16_t detail;
};

struct reply {
    uint16_t code; /* 200…599 */
    struct status status;
    struct str text; /* lines joined by one blank, without codes; printable; ≤ REPLY_TEXT_MAX */
};

#define REPLY_LINE_MAX 2048 /* RFC 5321 §4.5.3.1.5 says 512; peers are longer */
#define REPLY_LINES_MAX 128
#define REPLY_TEXT_MAX 1000

static inline bool reply_ok(const struct reply *r)
{
    return r->code >= 200 && r->code < 300;
}
static inline bool reply_is_temporary(const struct reply *r)
{
    return r->code >= 400 && r->code < 500;
}
static inline bool reply_is_permanent(const struct reply *r)
{
    return r->code >= 500 && r->code < 600;
}

/* Collects the lines of one reply as they come. */
struct reply_reader {
    struct buf text;
    uint16_t code;
    struct status status;
    unsigned lines;
};
void reply_reader_init(struct reply_reader *r);
void reply_reader_done(struct reply_reader *r);
/* One line without its CRLF. *ret_last tells that the reply is whole; then take it with
 * reply_take(). ERR_SYNTAX: no code, a code outside 200…599, another code than the line before;
 * ERR_LIMIT: too many lines. Text beyond REPLY_TEXT_MAX is dropped; controls and bytes that are not
 * UTF-8 become '?'. RFC 5321 §4.2. */
MUST_USE bool reply_line(struct reply_reader *r, struct str line, bool *ret_last, struct err *err);
/* The text is copied into the arena; the reader is empty afterwards. */
struct reply reply_take(struct reply_reader *r, struct arena *a);

/* "250-2.1.0 text CRLF …": each '\n' in text begins a new line; status klass 0 leaves it out (EHLO,
 * 220, 354). */
bool reply_format(struct buf *to, const struct reply *r);

/* "5.7.1" at the front of *text, removed with the blank behind it. */
MUST_USE bool status_eat(struct str *text, struct status *ret);
bool status_format(struct buf *to, struct status s);
