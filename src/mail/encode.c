// SPDX-License-Identifier: Apache-2.0
/* mail/encode.c - content transfer encodings, streaming. */
#include "mail/encode.h"

#include "base/code.h"

enum { QP_COLUMN_MAX = 76 };

void qp_init(struct qp_encoder *q)
{
    *q = (struct qp_encoder){ .column = 0 };
}

/* Writes one octet, coded or not, with a soft line break where the line is full; one column stays
 * free for its '='. */
static void qp_put(struct qp_encoder *q, char c, bool coded, struct buf *to)
{
    uint8_t width = coded ? 3 : 1;

    if (q->column + width > QP_COLUMN_MAX - 1) {
        buf_add(to, STR("=\r\n"));
        q->column = 0;
    }
    if (coded)
        buf_addf(to, "=%02X", (unsigned char)c);
    else
        buf_add_char(to, c);
    q->column = (uint8_t)(q->column + width);
}

/* What was held can be written: a CR not before LF is data; a blank not before a line's end needs
 * no code. */
static void qp_release(struct qp_encoder *q, bool at_line_end, struct buf *to)
{
    char held = q->held;

    q->held = 0;
    if (held)
        qp_put(q, held, held == '\r' || at_line_end, to);
}

static void qp_octet(struct qp_encoder *q, char c, struct buf *to)
{
    if (c == '\n' && q->held == '\r') {
        q->held = 0;
        q->column = 0;
        buf_add(to, STR("\r\n"));
        return;
    }
    /* A blank before a CR may stand at a line's end: coded, it is right in any case. */
    qp_release(q, c == '\r', to);
    if (c == '\r' || c == ' ' || c == '\t')
        q->held = c;
    else
        qp_put(q, c, c < '!' || c > '~' || c == '=', to);
}

bool qp_feed(struct qp_encoder *q, struct str bytes, struct buf *to)
{
    for (size_t i = 0; i < bytes.len; i++)
        qp_octet(q, bytes.ptr[i], to);
    return buf_ok(to);
}

bool qp_end(struct qp_encoder *q, struct buf *to)
{
    qp_release(q, true, to);
    return buf_ok(to);
}

void base64_init(struct base64_encoder *b)
{
    *b = (struct base64_encoder){ .len = 0 };
}

static void base64_put(struct base64_encoder *b, struct buf *to)
{
    if (b->begun)
        buf_add(to, STR("\r\n"));
    base64_add(to, str_make(b->line, b->len));
    b->begun = true;
    b->len = 0;
}

bool base64_feed(struct base64_encoder *b, struct str bytes, struct buf *to)
{
    while (bytes.len > 0) {
        struct str part = str_sub(bytes, 0, (size_t)(BASE64_LINE_OCTETS - b->len));

        memcpy(b->line + b->len, part.ptr, part.len);
        b->len = (uint8_t)(b->len + part.len);
        bytes = str_skip(bytes, part.len);
        if (b->len == BASE64_LINE_OCTETS)
            base64_put(b, to);
    }
    return buf_ok(to);
}

bool base64_end(struct base64_encoder *b, struct buf *to)
{
    if (b->len > 0)
        base64_put(b, to);
    return buf_ok(to);
}
