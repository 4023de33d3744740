// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_body.c - the canonical forms of a body (RFC 6376 §3.4.3, §3.4.4), as it streams by.
 *
 * A line ends at CRLF and nowhere else: a bare CR or LF, which only BINARYMIME lets through, is an
 * octet like any other. What may turn out not to count (white space before a line's end, empty
 * lines before the body's) is held back until something follows. */
#include "mail/dkim_digest.h"

void dkim_body_begin(struct dkim_body *b, enum dkim_form form, uint64_t most_bytes)
{
    void *context = b->digest ? b->digest : dkim_context_new();

    *b = (struct dkim_body){ .digest = context, .form = form, .left = most_bytes };
    dkim_context_begin(context);
}

/* What was held back counts after all. */
static void let_go(struct dkim_body *b, struct dkim_digest *d)
{
    for (; b->empty_lines > 0; b->empty_lines--)
        dkim_digest_add(d, STR("\r\n"));
    if (b->blank)
        dkim_digest_char(d, ' ');
    b->blank = false;
    b->any = b->line_has_text = true;
}

static void end_line(struct dkim_body *b, struct dkim_digest *d)
{
    b->blank = false;
    if (b->line_has_text)
        dkim_digest_add(d, STR("\r\n"));
    else
        b->empty_lines++;
    b->line_has_text = false;
}

/* An octet that is no plain text, or comes behind something held back. */
static void add_one(struct dkim_body *b, struct dkim_digest *d, char c)
{
    if (b->cr && c == '\n') {
        b->cr = false;
        end_line(b, d);
        return;
    }
    if (b->cr) {
        let_go(b, d);
        dkim_digest_char(d, '\r');
    }
    b->cr = c == '\r';
    if (b->cr)
        return;
    if (b->form == DKIM_RELAXED && (c == ' ' || c == '\t')) {
        b->blank = true;
        return;
    }
    let_go(b, d);
    dkim_digest_char(d, c);
}

static bool is_plain(char c)
{
    return (unsigned char)c > ' ';
}

/* How many octets from here on stand for themselves in either form: plain ones, and single blanks
 * between them. */
static size_t plain_run(struct str bytes, size_t from)
{
    size_t at = from;

    while (at < bytes.len &&
           (is_plain(bytes.ptr[at]) || (bytes.ptr[at] == ' ' && at > from && at + 1 < bytes.len &&
                                        is_plain(bytes.ptr[at + 1]))))
        at++;
    return at - from;
}

void dkim_body_add(struct dkim_body *b, struct str bytes)
{
    struct dkim_digest d = { .context = b->digest, .left = b->left };

    for (size_t i = 0; i < bytes.len;) {
        size_t run = b->cr ? 0 : plain_run(bytes, i);

        if (run > 0) {
            let_go(b, &d);
            dkim_digest_add(&d, str_sub(bytes, i, run));
            i += run;
        } else {
            add_one(b, &d, bytes.ptr[i++]);
        }
    }
    dkim_digest_flush(&d);
    b->left = d.left;
}

/* A last line without its CRLF gets one; so does an empty body, but in simple form only. */
void dkim_body_end(struct dkim_body *b, uint8_t ret[DKIM_HASH_BYTES])
{
    struct dkim_digest d = { .context = b->digest, .left = b->left };

    if (b->cr) {
        let_go(b, &d);
        dkim_digest_char(&d, '\r');
    }
    if (b->line_has_text || (b->form == DKIM_SIMPLE && !b->any))
        dkim_digest_add(&d, STR("\r\n"));
    dkim_digest_flush(&d);
    b->left = d.left;
    dkim_context_end(b->digest, ret);
}

void dkim_body_done(struct dkim_body *b)
{
    dkim_context_free(b->digest);
    *b = (struct dkim_body){ 0 };
}
