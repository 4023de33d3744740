// SPDX-License-Identifier: Apache-2.0
/* mail/mime_parse.c - follows delimiters through a message (RFC 2046 §5.1).
 *
 * The CRLF before a delimiter belongs to it, so in a multipart the end of each line is held back
 * until the next line has shown what it is. Only a line that begins with "--" is gathered, up to
 * the length that a delimiter can have. A delimiter of an outer multipart ends all inner ones. */
#include "mail/mime_parse.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "mail/header.h"
#include "mail/mime.h"

enum {
    DELIMITER_MAX = MIME_BOUNDARY_MAX + 80
}; /* "--", "--", CRLF and white space that gateways add */

enum where { IN_HEADER, IN_BODY, IN_BETWEEN };

/* An open multipart. */
struct level {
    char boundary[MIME_BOUNDARY_MAX];
    size_t len;
    size_t depth; /* of the entity it is, rfc822 included */
    bool is_digest;
};

struct mime_parser {
    struct mime_events events;
    struct level levels[MIME_DEPTH_MAX];
    size_t level_count;
    size_t depth; /* of the entity at hand */
    size_t parts;
    enum where where;
    bool is_message; /* the header at hand is a message's own */
    struct buf header;
    size_t line_at;  /* in header: where the last line begins */
    struct buf line; /* in a body: one that may be a delimiter */
    bool at_line_start;
    bool held_cr, held_crlf; /* seen, and not passed on yet */
};

struct mime_parser *mime_parser_new(const struct mime_events *events)
{
    struct mime_parser *p = NEW(struct mime_parser);

    p->events = *events;
    p->is_message = true;
    buf_init(&p->header, HEADER_SECTION_MAX);
    buf_init(&p->line, DELIMITER_MAX);
    return p;
}

void mime_parser_free(struct mime_parser *p)
{
    if (!p)
        return;
    buf_done(&p->header);
    buf_done(&p->line);
    free(p);
}

static bool pass(struct mime_parser *p, struct str bytes, struct err *err)
{
    if (bytes.len == 0)
        return true;
    return p->where == IN_BODY ? p->events.body(p->events.arg, bytes, err)
                               : p->events.between(p->events.arg, bytes, err);
}

static bool pass_held(struct mime_parser *p, struct err *err)
{
    struct str held = p->held_crlf ? STR("\r\n") : p->held_cr ? STR("\r") : STR_NONE;

    p->held_cr = p->held_crlf = false;
    return pass(p, held, err);
}

/* Delimiters ----------------------------------------------------------------------------------- */

static bool is_padding(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]) || text.ptr[i] == '\0')
            return false;
    return true;
}

/* Which open multipart the line is a delimiter of, plus one; 0: none. Innermost first. */
static size_t find_level(const struct mime_parser *p, struct str line, bool *ret_close)
{
    if (!str_starts(line, STR("--")))
        return 0;
    line = str_skip(line, 2);
    for (size_t i = p->level_count; i > 0; i--) {
        const struct level *level = &p->levels[i - 1];
        struct str boundary = str_make(level->boundary, level->len),
                   rest = str_skip(line, level->len);

        if (!str_starts(line, boundary))
            continue;
        *ret_close = str_starts(rest, STR("--")) && is_padding(str_skip(rest, 2));
        if (*ret_close || is_padding(rest))
            return i;
    }
    return 0;
}

static void begin_header(struct mime_parser *p, bool is_message)
{
    p->where = IN_HEADER;
    p->is_message = is_message;
    buf_clear(&p->header);
    p->line_at = 0;
}

/* The line, with what was held before it, is a delimiter of levels[at]. */
static bool delimiter(struct mime_parser *p, struct str line, size_t at, bool close,
                      struct err *err)
{
    if (p->where == IN_BODY && !p->events.end(p->events.arg, err))
        return false;
    p->where = IN_BETWEEN;
    if (!pass_held(p, err) || !pass(p, line, err))
        return false;

    p->level_count = close ? at : at + 1;
    p->depth = p->levels[at].depth;
    p->at_line_start = true;
    if (!close) {
        p->depth++;
        begin_header(p, false);
    }
    return true;
}

/* Headers -------------------------------------------------------------------------------------- */

static bool open_level(struct mime_parser *p, const struct mime_type *type, struct err *err)
{
    struct level *level;

    if (p->level_count == MIME_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "multiparts nested over %d deep", MIME_DEPTH_MAX);
    level = &p->levels[p->level_count++];
    *level = (struct level){ .len = type->boundary.len,
                             .depth = p->depth,
                             .is_digest = type->is_digest };
    memcpy(level->boundary, type->boundary.ptr, type->boundary.len);
    return true;
}

/* The header at hand has ended: tells of the entity and turns to its body. */
static bool end_header(struct mime_parser *p, struct err *err)
{
    bool in_digest =
        !p->is_message && p->level_count > 0 && p->levels[p->level_count - 1].is_digest;
    struct mime_entity e = {
        .index = p->parts,
        .type = mime_type_of(buf_str(&p->header), in_digest),
        .is_message = p->is_message,
        .section = buf_str(&p->header),
    };

    if (p->parts++ == MIME_PARTS_MAX)
        return err_set(err, ERR_LIMIT, "over %d parts", MIME_PARTS_MAX);
    if (p->depth > MIME_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "parts nested over %d deep", MIME_DEPTH_MAX);
    if (!p->events.entity(p->events.arg, &e, err))
        return false;

    p->at_line_start = true;
    p->where = e.type.klass == MIME_MULTIPART ? IN_BETWEEN : IN_BODY;
    if (e.type.klass == MIME_MULTIPART)
        return open_level(p, &e.type, err);
    if (e.type.klass == MIME_RFC822) {
        p->depth++;
        begin_header(p, true);
    }
    return true;
}

static bool body_feed(struct mime_parser *p, struct str *bytes, struct err *err);

/* Ends the header before its last line, which is a body's first or a delimiter. */
static bool end_header_before(struct mime_parser *p, struct err *err)
{
    struct str rest = str_skip(buf_str(&p->header), p->line_at);
    struct buf line;
    bool ok, close;
    size_t level;

    buf_init(&line, HEADER_SECTION_MAX);
    (void)buf_add(&line, rest);
    rest = buf_str(&line);
    p->header.len = p->line_at;
    level = find_level(p, rest, &close);
    ok = end_header(p, err);
    /* A message inside that has no header of its own: it ends where it begins. */
    if (ok && p->where == IN_HEADER)
        ok = end_header(p, err);
    if (ok && level > 0)
        ok = delimiter(p, rest, level - 1, close, err);
    else
        while (ok && rest.len > 0 && p->where != IN_HEADER)
            ok = body_feed(p, &rest, err);
    buf_done(&line);
    return ok;
}

static bool is_field_or_fold(const struct mime_parser *p, struct str line)
{
    struct header_field f;
    size_t at = 0;

    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return p->line_at > 0;
    return header_next(line, &at, &f);
}

/* A line of the header is whole. */
static bool header_line(struct mime_parser *p, struct err *err)
{
    struct str line = str_skip(buf_str(&p->header), p->line_at);
    bool close;

    if (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n")))
        return end_header(p, err);
    if (find_level(p, line, &close) > 0 || !is_field_or_fold(p, line))
        return end_header_before(p, err);
    p->line_at = p->header.len;
    return true;
}

/* Takes up to one line from *bytes. */
static bool header_feed(struct mime_parser *p, struct str *bytes, struct err *err)
{
    size_t lf = str_index(*bytes, '\n');
    bool whole = lf < bytes->len;
    struct str part = str_sub(*bytes, 0, whole ? lf + 1 : lf);

    *bytes = str_skip(*bytes, part.len);
    if (!buf_add(&p->header, part))
        return err_set(err, ERR_LIMIT, "a header is over %d octets", HEADER_SECTION_MAX);
    return !whole || header_line(p, err);
}

/* Bodies --------------------------------------------------------------------------------------- */

/* Inside a line: passes on what is no line end, and holds what may be one. */
static bool text_feed(struct mime_parser *p, struct str *bytes, struct err *err)
{
    size_t cr;

    if (p->held_cr && bytes->ptr[0] == '\n') {
        p->held_cr = false;
        p->held_crlf = p->at_line_start = true;
        *bytes = str_skip(*bytes, 1);
        return true;
    }
    if (!pass_held(p, err))
        return false;
    cr = str_index(*bytes, '\r');
    if (!pass(p, str_sub(*bytes, 0, cr), err))
        return false;
    p->held_cr = cr < bytes->len;
    *bytes = str_skip(*bytes, cr + 1);
    return true;
}

/* The gathered line is no delimiter: it is text after all, with what was held before it. */
static bool line_is_text(struct mime_parser *p, struct err *err)
{
    char copy[DELIMITER_MAX];
    struct str rest = { copy, p->line.len };

    if (p->line.len > 0)
        memcpy(copy, p->line.ptr, p->line.len);
    buf_clear(&p->line);
    p->at_line_start = false;
    if (!pass_held(p, err))
        return false;
    while (rest.len > 0)
        if (!text_feed(p, &rest, err))
            return false;
    return true;
}

static bool line_feed(struct mime_parser *p, struct str *bytes, struct err *err)
{
    static const struct str dashes = STR("--");
    size_t lf = str_index(*bytes, '\n'), level;
    bool whole, close;
    struct str part;

    /* Octet by octet only as long as it takes to see that this is no delimiter. */
    if (p->line.len < dashes.len) {
        if (bytes->ptr[0] != '-')
            return line_is_text(p, err);
        (void)buf_add_char(&p->line, '-');
        *bytes = str_skip(*bytes, 1);
        return true;
    }
    part = str_sub(*bytes, 0, DELIMITER_MAX - p->line.len);
    whole = lf < part.len;
    if (whole)
        part.len = lf + 1;
    (void)buf_add(&p->line, part);
    *bytes = str_skip(*bytes, part.len);
    if (!whole)
        return p->line.len < DELIMITER_MAX || line_is_text(p, err);

    level = str_ends_nocase(buf_str(&p->line), STR("\r\n"))
                ? find_level(p, buf_str(&p->line), &close)
                : 0;
    if (level == 0)
        return line_is_text(p, err);
    if (!delimiter(p, buf_str(&p->line), level - 1, close, err))
        return false;
    buf_clear(&p->line);
    return true;
}

static bool body_feed(struct mime_parser *p, struct str *bytes, struct err *err)
{
    if (p->level_count == 0) {
        struct str all = *bytes;

        *bytes = STR_NONE;
        return pass_held(p, err) && pass(p, all, err);
    }
    return p->at_line_start ? line_feed(p, bytes, err) : text_feed(p, bytes, err);
}

bool mime_parser_feed(struct mime_parser *p, struct str bytes, struct err *err)
{
    while (bytes.len > 0)
        if (!(p->where == IN_HEADER ? header_feed(p, &bytes, err) : body_feed(p, &bytes, err)))
            return false;
    return true;
}

/* A last line without CRLF may be a delimiter as well. */
static bool last_line(struct mime_parser *p, struct err *err)
{
    bool close;
    size_t level = p->line.len > 0 ? find_level(p, buf_str(&p->line), &close) : 0;
    bool ok =
        level > 0 ? delimiter(p, buf_str(&p->line), level - 1, close, err) : line_is_text(p, err);

    buf_clear(&p->line);
    return ok && pass_held(p, err);
}

bool mime_parser_end(struct mime_parser *p, struct err *err)
{
    if (p->where == IN_HEADER && p->header.len > p->line_at && !header_line(p, err))
        return false;
    while (p->where == IN_HEADER)
        if (!end_header(p, err))
            return false;
    if (!last_line(p, err))
        return false;
    while (p->where == IN_HEADER)
        if (!end_header(p, err))
            return false;
    return p->where != IN_BODY || p->events.end(p->events.arg, err);
}
