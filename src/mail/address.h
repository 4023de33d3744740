// SPDX-License-Identifier: Apache-2.0
/* mail/address.h - mailboxes and paths, fit to be put in a command. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define ADDRESS_LOCAL_MAX 64   /* RFC 5321 §4.5.3.1.1 */
#define ADDRESS_DOMAIN_MAX 255 /* §4.5.3.1.2 */
#define ADDRESS_TEXT_MAX 320
#define ADDRESS_PATH_MAX 254 /* §4.5.3.1.3 without its brackets */

/* A mailbox: both parts checked, so it holds no CR, no LF, no NUL, and no space outside quotes.
 * Made only by address_parse() and path_parse(). Borrows the bytes it was parsed from. */
struct address {
    struct str local;  /* as written: case and quotes kept (RFC 5321 §2.4); empty in the null path
                          and <postmaster> */
    struct str domain; /* as written; "[192.0.2.1]" for a literal; compare with domain_eq() */
    bool is_literal;
    bool is_utf8; /* a byte over 127 in either part: needs SMTPUTF8 (RFC 6531) */
};

/* Reads `text`, the inside of <…>, as a Mailbox. RFC 5321 §4.1.2, RFC 6531 §3.3 (well-formed UTF-8
 * only). ERR_SYNTAX: not a mailbox; ERR_LIMIT: a part over §4.5.3.1, except that a local part which
 * carries a whole other address in it (SRS0=, SRS1=: mail/srs.h) may fill the path. On failure *ret
 * is kept. */
MUST_USE bool address_parse(struct str text, struct address *ret, struct err *err);
/* local@domain, as written. */
bool address_format(struct buf *to, const struct address *a);
struct address address_copy(struct arena *arena, const struct address *a);
/* Local parts by byte, domains by domain_eq(). */
bool address_eq(const struct address *a, const struct address *b);
/* The null reverse-path, from which no bounce may arise. */
static inline bool address_is_null(const struct address *a)
{
    return a->local.len == 0 && a->domain.len == 0;
}

enum path_kind { PATH_REVERSE, PATH_FORWARD };
/* Reads "<…>" at the front of *text and removes it, with the blanks behind it. Source routes
 * (@a,@b:) are read and dropped (§4.1.1.3, appendix C). PATH_REVERSE accepts <>; PATH_FORWARD
 * accepts <postmaster> in any case (an address with an empty domain and local "postmaster").
 * Missing angle brackets are ERR_SYNTAX whose text says so. */
MUST_USE bool path_parse(struct str *text, enum path_kind kind, struct address *ret,
                         struct err *err);

/* A host name as RFC 5321 §4.1.2 Domain has it; at least one label; letters, digits, hyphens, inner
 * dots; UTF-8 labels (U-labels) when `utf8`. */
bool domain_ok(struct str text, bool utf8);
/* As users mean it: ASCII case folded, one final dot ignored; U-labels are compared to A-labels by
 * domain_ascii(). */
bool domain_eq(struct str a, struct str b);
/* The lower-case A-label form for look-ups and tables (IDNA2008 by libidn2), without final dot.
 * ERR_SYNTAX. */
MUST_USE bool domain_ascii(struct buf *to, struct str domain, struct err *err);
/* What stands behind EHLO/HELO: a domain, an address literal, or anything printable without blanks;
 * false for the rest (§4.1.4: a wrong name alone is no reason to refuse). */
bool helo_ok(struct str text);
