// SPDX-License-Identifier: Apache-2.0
/* mail/encode.h - quoted-printable and base64 of a body in pieces (RFC 2045 §6.7, §6.8). */
#pragma once

#include "base/buf.h"

struct qp_encoder {
    uint8_t column;
    char held; /* a blank, tab or CR whose next octet decides how it is written; 0: none */
};
void qp_init(struct qp_encoder *q);
/* CRLF stays a line's end; everything else that text may not hold is coded. Lines get at most 76
 * octets. */
bool qp_feed(struct qp_encoder *q, struct str bytes, struct buf *to);
bool qp_end(struct qp_encoder *q, struct buf *to);

#define BASE64_LINE_OCTETS 57 /* 76 signs */
struct base64_encoder {
    char line[BASE64_LINE_OCTETS];
    uint8_t len;
    bool begun; /* a line stands before the next */
};
void base64_init(struct base64_encoder *b);
bool base64_feed(struct base64_encoder *b, struct str bytes, struct buf *to);
/* No line end behind the last line: the next delimiter brings its own. */
bool base64_end(struct base64_encoder *b, struct buf *to);
