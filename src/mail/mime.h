// SPDX-License-Identifier: Apache-2.0
/* mail/mime.h - the structure of a message as far as a relay needs it: part boundaries and transfer
 * encodings, streaming, and the down-conversion of 8-bit or binary content for a peer without
 * 8BITMIME (RFC 6152 §3, R20). */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define MIME_DEPTH_MAX 20
#define MIME_PARTS_MAX 2000

/* Converts a rendered message, fed in pieces, into one whose bodies are 7-bit: leaf parts with
 * 8-bit or binary content get Content-Transfer-Encoding quoted-printable (text) or base64 (others)
 * and their field is replaced or added; multipart and message/rfc822 are entered; other message
 * types, multipart/signed and multipart/encrypted stay whole, and 8-bit inside them is ERR_SYNTAX
 * (it cannot be converted without breaking it: 5.6.3). 8-bit header bytes outside SMTPUTF8 are
 * ERR_SYNTAX as well. Memory is bounded by the longest header section, not by the message. Two
 * passes: scan decides per leaf what it needs, convert writes. */
struct mime_scan;
struct mime_scan *mime_scan_new(void);
void mime_scan_free(struct mime_scan *s);
MUST_USE bool mime_scan_feed(struct mime_scan *s, struct str bytes, struct err *err);
MUST_USE bool mime_scan_end(struct mime_scan *s, struct err *err);

struct mime_convert;
/* Takes the scan's findings; the scan must have ended and must outlive the conversion. */
struct mime_convert *mime_convert_new(const struct mime_scan *s);
void mime_convert_free(struct mime_convert *c);
MUST_USE bool mime_convert_feed(struct mime_convert *c, struct str bytes, struct buf *to,
                                struct err *err);
MUST_USE bool mime_convert_end(struct mime_convert *c, struct buf *to, struct err *err);
