// SPDX-License-Identifier: Apache-2.0
/* mail/header.h - the header section of a message as it was received, field by field, and the list
 * of edits that turns it into what is sent. The bytes are never rewritten: an edit says what to
 * leave out and what to put in. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define HEADER_SECTION_MAX (256 * 1024)
#define HEADER_FIELDS_MAX 2000
/* RFC 5322 §2.1.1; longer lines are told, not refused: see header_facts. */
#define HEADER_LINE_MAX 998

struct header_field {
    struct str name;  /* without the colon */
    struct str value; /* behind the colon, folds as they stand, without the final CRLF */
    size_t offset;    /* of the name in the section */
    size_t len;       /* with folds and final CRLF */
};

/* Walks the fields: start with *at = 0. False at the end: the empty line, a line that is no field
 * (RFC 5322 §2.2; the body begins there), or the end of the bytes. */
MUST_USE bool header_next(struct str section, size_t *at, struct header_field *ret);
/* Length of the header section including the empty line's CRLF, 0 when it has not ended within
 * `bytes`. */
size_t header_end(struct str bytes);
/* The value without folds, trimmed, in the arena. */
struct str header_unfold(struct arena *a, struct str value);

enum edit_kind {
    EDIT_DELETE = 1,
    EDIT_INSERT = 2,
    EDIT_INSERT_ID = 3 /* the queue id, which core gives */
};
struct header_edit {
    enum edit_kind kind;
    /* In the message as received; edits are sorted by it, inserts in the order given. */
    uint32_t offset;
    uint32_t len;    /* EDIT_DELETE */
    struct str text; /* EDIT_INSERT: whole lines, or the parts of one around an id */
};
#define EDITS_MAX 64
#define EDIT_TEXT_MAX 2048

/* Writes section with the edits applied; `id` fills EDIT_INSERT_ID. ERR_SYNTAX: edits out of order
 * or out of bounds. */
MUST_USE bool header_render(struct buf *to, struct str section, const struct header_edit *edits,
                            size_t count, struct str id, struct err *err);

/* What a submission or relay listener needs to know of a header; counts, not judgements. */
struct header_facts {
    unsigned from, sender, to_cc_bcc, date, message_id, return_path, received, bcc, resent;
    unsigned received_by_us;    /* Received: … by <our name>: R30, fault O12 */
    bool eight_bit;             /* a byte over 127 in the section: RFC 6532 */
    bool long_line;             /* over 998 octets */
    struct str message_id_text; /* the first, with its <>; borrowed */
};
/* own_name: compared with the "by" of each Received. ERR_LIMIT: over HEADER_FIELDS_MAX. */
MUST_USE bool header_look(struct str section, struct str own_name, struct header_facts *ret,
                          struct err *err);

/* Facts for the Received line that accept adds (RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3). */
struct received {
    struct str helo;
    struct str client_ip; /* "192.0.2.1" or "IPv6:2001:db8::1" is made from it here */
    bool hide_client;     /* by policy (fault V02): neither name nor address */
    struct str by;
    bool esmtp, tls, authenticated, utf8;
    struct str tls_protocol, tls_cipher;
    struct str for_recipient; /* only when there is exactly one, else empty */
    int64_t wall_ms;
};
/* Appends up to three edits at offset 0: text, the id, text. Values that could break out are
 * escaped. */
void received_edits(struct arena *a, const struct received *r, struct header_edit *edits,
                    size_t *count);

/* "Sun, 22 Nov 2026 01:28:43 +0000" (RFC 5322 §3.3), always in UTC. */
#define DATE_TEXT_MAX 40
const char *date_format(int64_t wall_ms, char text[DATE_TEXT_MAX]);
/* "2026-11-22T01:28:43.123Z" (RFC 3339). */
const char *date_format_iso(int64_t wall_ms, char text[DATE_TEXT_MAX]);
#define DATE_WALL_MS_MAX 253402300799999 /* the end of 9999 */
/* Back from RFC 3339 §5.6, any offset; the date alone is its midnight in UTC. Before 1970:
 * negative. A leap second is the one before it. ERR_SYNTAX. */
MUST_USE bool date_parse_iso(struct str text, int64_t *ret_wall_ms, struct err *err);
