// SPDX-License-Identifier: Apache-2.0
/* mail/mime.c - down-conversion to 7-bit: a scan that decides for each entity, and a conversion
 * that obeys.
 *
 * Both ride on mime_parse.h. A message in which the scan finds nothing to do comes out as it went
 * in. */
#include "mail/mime.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mail/content.h"
#include "mail/encode.h"
#include "mail/header.h"
#include "mail/mime_parse.h"

enum need {
    NEED_NOTHING,
    NEED_LABEL, /* 7-bit inside, and says 8bit or binary */
    NEED_QP,
    NEED_BASE64,
};

/* Scan ----------------------------------------------------------------------------------------- */

struct mime_scan {
    struct mime_parser *parser;
    size_t count;
    enum mime_class klass; /* of the last entity */
    enum mime_coding coding;
    bool unended; /* its header, by a line that is no field instead of an empty one */
    struct content_scan content;
    uint8_t needs[MIME_PARTS_MAX]; /* enum need, by index */
};

static bool scan_entity(void *arg, const struct mime_entity *e, struct err *err)
{
    struct mime_scan *s = arg;
    bool is_leaf = e->type.klass == MIME_TEXT || e->type.klass == MIME_OTHER;

    if (!str_is_ascii(e->section))
        return err_set(err, ERR_SYNTAX,
                       "8-bit octets in a header cannot be sent to a 7-bit server");
    s->count = e->index + 1;
    s->klass = e->type.klass;
    s->coding = e->type.coding;
    s->unended = header_end(e->section) == 0;
    /* What a leaf needs is known at its end. */
    s->needs[e->index] = e->type.coding == CODING_8BIT && !is_leaf && e->type.klass != MIME_OPAQUE
                             ? NEED_LABEL
                             : NEED_NOTHING;
    content_scan_init(&s->content);
    return true;
}

static bool scan_body(void *arg, struct str bytes, struct err *err)
{
    struct mime_scan *s = arg;

    (void)err;
    content_scan(&s->content, bytes);
    return true;
}

/* Octets that a 7-bit server may not get. */
static bool is_foul(struct str bytes)
{
    return !str_is_ascii(bytes) || str_index(bytes, '\0') < bytes.len;
}

/* Blotting out what made a line no field could make it one. */
static bool scan_between(void *arg, struct str bytes, struct err *err)
{
    struct mime_scan *s = arg;

    if (s->klass == MIME_MULTIPART && s->unended && is_foul(bytes))
        return err_set(err, ERR_SYNTAX, "8-bit octets where a header should end");
    return true;
}

static bool scan_end(void *arg, struct err *err)
{
    struct mime_scan *s = arg;
    uint8_t *need = &s->needs[s->count - 1];
    bool dirty;

    content_scan_end(&s->content);
    dirty = s->content.facts.eight_bit || s->content.fault != DATA_OK;
    if (s->klass == MIME_OPAQUE || s->coding == CODING_ENCODED)
        return !dirty || err_set(err, ERR_SYNTAX, "8-bit octets in a part that may not be changed");
    if (dirty || s->content.facts.binary)
        *need = s->klass == MIME_TEXT ? NEED_QP : NEED_BASE64;
    else if (s->coding == CODING_8BIT)
        *need = NEED_LABEL;
    return true;
}

struct mime_scan *mime_scan_new(void)
{
    struct mime_scan *s = NEW(struct mime_scan);

    s->parser = mime_parser_new(&(struct mime_events){
        .entity = scan_entity,
        .body = scan_body,
        .between = scan_between,
        .end = scan_end,
        .arg = s,
    });
    return s;
}

void mime_scan_free(struct mime_scan *s)
{
    if (!s)
        return;
    mime_parser_free(s->parser);
    free(s);
}

bool mime_scan_feed(struct mime_scan *s, struct str bytes, struct err *err)
{
    return mime_parser_feed(s->parser, bytes, err);
}

bool mime_scan_end(struct mime_scan *s, struct err *err)
{
    return mime_parser_end(s->parser, err);
}

/* Conversion ----------------------------------------------------------------------------------- */

struct mime_convert {
    const struct mime_scan *scan;
    struct mime_parser *parser;
    struct buf *to; /* during a call */
    enum need need; /* of the last entity */
    bool open_line; /* base64 came last, and its line has no end */
    struct qp_encoder qp;
    struct base64_encoder base64;
};

static bool written(const struct mime_convert *c, struct err *err)
{
    return buf_ok(c->to) ||
           err_set(err, ERR_LIMIT, "converted message is over %zu octets", c->to->max);
}

/* The header without its old coding and with the new one. */
static void write_header(struct mime_convert *c, const struct mime_entity *e)
{
    static const char *const codings[] = {
        [NEED_LABEL] = "7bit",
        [NEED_QP] = "quoted-printable",
        [NEED_BASE64] = "base64",
    };
    struct header_field f;
    size_t at = 0;

    while (header_next(e->section, &at, &f)) {
        struct str whole = str_sub(e->section, f.offset, f.len);

        if (str_eq_nocase(f.name, STR("Content-Transfer-Encoding")))
            continue;
        buf_add(c->to, whole);
        if (whole.ptr[whole.len - 1] != '\n')
            buf_add(c->to, STR("\r\n"));
    }
    if (e->is_message && !e->type.has_version)
        buf_add(c->to, STR("MIME-Version: 1.0\r\n"));
    buf_addf(c->to, "Content-Transfer-Encoding: %s\r\n\r\n", codings[c->need]);
}

static bool convert_entity(void *arg, const struct mime_entity *e, struct err *err)
{
    struct mime_convert *c = arg;

    if (e->index >= c->scan->count)
        return err_set(err, ERR_SYNTAX, "the message is not the one that was scanned");
    c->need = c->scan->needs[e->index];
    qp_init(&c->qp);
    base64_init(&c->base64);
    if (c->need == NEED_NOTHING)
        buf_add(c->to, e->section);
    else
        write_header(c, e);
    return written(c, err);
}

static bool convert_body(void *arg, struct str bytes, struct err *err)
{
    struct mime_convert *c = arg;

    if (c->need == NEED_QP)
        qp_feed(&c->qp, bytes, c->to);
    else if (c->need == NEED_BASE64)
        base64_feed(&c->base64, bytes, c->to);
    else
        buf_add(c->to, bytes);
    return written(c, err);
}

/* Preambles and epilogues are shown to nobody and have no coding: what can't be sent is blotted
 * out. */
static bool convert_between(void *arg, struct str bytes, struct err *err)
{
    struct mime_convert *c = arg;

    c->open_line = false;
    if (!is_foul(bytes))
        buf_add(c->to, bytes);
    else
        for (size_t i = 0; i < bytes.len; i++) {
            unsigned char octet = (unsigned char)bytes.ptr[i];

            buf_add_char(c->to, octet == 0 || octet > 127 ? '?' : (char)octet);
        }
    return written(c, err);
}

static bool convert_end(void *arg, struct err *err)
{
    struct mime_convert *c = arg;

    if (c->need == NEED_QP)
        qp_end(&c->qp, c->to);
    if (c->need == NEED_BASE64)
        base64_end(&c->base64, c->to);
    c->open_line = c->need == NEED_BASE64;
    return written(c, err);
}

struct mime_convert *mime_convert_new(const struct mime_scan *s)
{
    struct mime_convert *c = NEW(struct mime_convert);

    c->scan = s;
    c->parser = mime_parser_new(&(struct mime_events){
        .entity = convert_entity,
        .body = convert_body,
        .between = convert_between,
        .end = convert_end,
        .arg = c,
    });
    return c;
}

void mime_convert_free(struct mime_convert *c)
{
    if (!c)
        return;
    mime_parser_free(c->parser);
    free(c);
}

bool mime_convert_feed(struct mime_convert *c, struct str bytes, struct buf *to, struct err *err)
{
    c->to = to;
    return mime_parser_feed(c->parser, bytes, err);
}

bool mime_convert_end(struct mime_convert *c, struct buf *to, struct err *err)
{
    c->to = to;
    if (!mime_parser_end(c->parser, err))
        return false;
    if (c->open_line)
        buf_add(to, STR("\r\n"));
    return written(c, err);
}
