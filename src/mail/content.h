// SPDX-License-Identifier: Apache-2.0
/* mail/content.h - the octets of a message on their way in and out: line discipline, dot-stuffing,
 * content facts. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* What was seen in content; decides which extensions the way out needs. */
struct content_facts {
    bool eight_bit; /* a byte over 127: 8BITMIME */
    bool binary;    /* NUL, bare CR or LF, or a line over 998: BINARYMIME */
    bool ends_crlf;
};

enum data_strictness {
    DATA_STRICT, /* bare LF, bare CR and NUL are faults; the reader swallows to the true end, then
                    says which */
    DATA_NORMALIZE, /* bare LF and bare CR become CRLF, NUL is dropped; the end is still only
                       CRLF.CRLF */
};
enum data_fault { DATA_OK, DATA_BARE_LF, DATA_BARE_CR, DATA_NUL };

/* Reads DATA content (RFC 5321 §4.1.1.4, §4.5.2): only CRLF.CRLF ends it, wherever the bytes are
 * split (fault B01). */
struct data_reader {
    enum data_strictness strictness;
    enum data_fault fault; /* the first one seen */
    uint8_t state;
    bool ended;
    struct content_facts facts;
    uint32_t line_len;
};
void data_reader_init(struct data_reader *r, enum data_strictness strictness);
/* Eats bytes from `in` and appends content, dots removed, to `to`. Returns how many were eaten: all
 * of them unless r->ended (what follows is the next command) or `to` is full, which is when it has
 * not two octets of room left (call again with room). After a fault nothing more is appended. */
size_t data_read(struct data_reader *r, struct str in, struct buf *to);

/* Looks at content that came by BDAT; line discipline told through facts and, unless binary is
 * allowed, fault. */
struct content_scan {
    struct content_facts facts;
    enum data_fault fault;
    uint8_t last;
    uint32_t line_len;
};
void content_scan_init(struct content_scan *s);
void content_scan(struct content_scan *s, struct str bytes);
void content_scan_end(struct content_scan *s); /* a final bare CR is told here */

/* Writes content for DATA: doubles leading dots; state across calls; ends with CRLF.CRLF by
 * data_write_end. */
struct data_writer {
    bool at_line_start;
    uint8_t last;
};
void data_writer_init(struct data_writer *w);
bool data_write(struct data_writer *w, struct str content, struct buf *to);
bool data_write_end(struct data_writer *w, struct buf *to);
