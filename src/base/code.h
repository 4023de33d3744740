// SPDX-License-Identifier: Apache-2.0
/* base/code.h - bytes as printable text and back: base64, hexadecimal, and the 13 letters of a
 * queue id. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* RFC 4648 §4, with padding. */
bool base64_add(struct buf *to, struct str bytes);
/* Strict: padding required, no white space, no set bits behind the end. ERR_SYNTAX, ERR_LIMIT (to's
 * limit). */
MUST_USE bool base64_read(struct buf *to, struct str text, struct err *err);

bool hex_add(struct buf *to, struct str bytes);

/* Crockford's base32 without I, L, O, U: sorts as the number does. */
#define ID_TEXT_LEN 13
const char *id_format(uint64_t id, char text[ID_TEXT_LEN + 1]);
/* Upper and lower case; ERR_SYNTAX. */
MUST_USE bool id_parse(struct str text, uint64_t *ret, struct err *err);

/* True for well-formed UTF-8: shortest form, no surrogates, at most U+10FFFF (RFC 3629). */
bool utf8_ok(struct str text);
/* How long the well-formed sequence at the front of `text` is, 1 to 4; 0 when there is none. */
size_t utf8_len(struct str text);
