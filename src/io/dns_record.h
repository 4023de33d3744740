// SPDX-License-Identifier: Apache-2.0
/* io/dns_record.h - the data part of one DNS record as a value. Pure: bytes in, value or refusal
 * out. */
#pragma once

#include "io/dns.h"

#define DNS_NAME_TEXT_MAX \
    253 /* RFC 1035 §2.3.4: 255 octets on the wire, without the root's and the first length */
#define DNS_TXT_BYTES_MAX (16 * 1024)

/* Takes one uncompressed name from the front of *wire: lower case, dots between labels, "" for the
 * root. A pointer, a label with a byte that a name in text cannot show (dot, backslash, space,
 * control, over 126) and a name over the limit are ERR_SYNTAX. */
MUST_USE bool dns_name_read(struct str *wire, struct arena *a, struct str *ret, struct err *err);

/* The data of one record of `type`; all of it must be used up. ERR_SYNTAX. */
MUST_USE bool dns_record_read(enum dns_type type, struct str data, struct arena *a,
                              struct dns_record *ret, struct err *err);

/* `name` as it may be asked for: labels of 1 to 63 octets, at most 253 in all, a final dot allowed,
 * no NUL. */
bool dns_name_ok(struct str name);
