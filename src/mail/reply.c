// SPDX-License-Identifier: Apache-2.0
/* mail/reply.c - reads the replies of a peer line by line, and writes ours.
 *
 * A peer's words end up in logs, notifications and consoles: they are made printable here, once. */
#include "mail/reply.h"

#include "base/code.h"

enum { LINE_TEXT_MAX = 480 }; /* with codes and CRLF within the 512 of RFC 5321 §4.5.3.1.5 */

void reply_reader_init(struct reply_reader *r)
{
    *r = (struct reply_reader){ .code = 0 };
    buf_init(&r->text, REPLY_TEXT_MAX);
}

void reply_reader_done(struct reply_reader *r)
{
    buf_done(&r->text);
}

/* How many bytes at the front of `text` make one printable character; 0: the first byte belongs to
 * none. */
static size_t printable_len(struct str text)
{
    unsigned char c = (unsigned char)text.ptr[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if (len == 1)
        return c >= ' ' && c != 0x7f ? 1 : 0;
    if (len > text.len || !utf8_ok(str_sub(text, 0, len)))
        return 0;
    return c == 0xc2 && (unsigned char)text.ptr[1] < 0xa0 ? 0 : len; /* C1 controls */
}

/* Appends until `to` is full; a character is taken whole or not at all. */
static void add_printable(struct buf *to, struct str text)
{
    while (text.len > 0) {
        size_t len = printable_len(text);
        struct str part = len > 0 ? str_sub(text, 0, len) : STR("?");

        if (text.ptr[0] == '\t')
            part = STR(" ");
        if (to->len + part.len > to->max)
            return;
        buf_add(to, part);
        text = str_skip(text, len > 0 ? len : 1);
    }
}

static bool eat_code(struct str *line, uint16_t *ret)
{
    unsigned code = 0;

    if (line->len < 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (!ascii_is_digit(line->ptr[i]))
            return false;
        code = code * 10 + (unsigned)(line->ptr[i] - '0');
    }
    if (code < 200 || code > 599)
        return false;
    *line = str_skip(*line, 3);
    *ret = (uint16_t)code;
    return true;
}

/* One more line's text; an enhanced code is kept from the first line that has one. */
static void add_line(struct reply_reader *r, struct str text)
{
    struct str behind = text;
    struct status status;

    /* A class that contradicts the code is a word of the text, say a version: "220 4.2.1 ready". */
    if (status_eat(&behind, &status) && status.klass == r->code / 100) {
        text = behind;
        if (r->status.klass == 0)
            r->status = status;
    }
    if (r->text.len > 0 && r->text.len < r->text.max)
        buf_add_char(&r->text, ' ');
    add_printable(&r->text, text);
}

bool reply_line(struct reply_reader *r, struct str line, bool *ret_last, struct err *err)
{
    uint16_t code;
    char behind;

    if (!eat_code(&line, &code))
        return err_set(err, ERR_SYNTAX, "the reply begins with no code");
    behind = line.len > 0 ? line.ptr[0] : ' ';
    if (behind != ' ' && behind != '-')
        return err_set(err, ERR_SYNTAX, "the reply has no blank behind its code");
    if (r->lines > 0 && code != r->code)
        return err_set(err, ERR_SYNTAX, "the reply changes its code from %u to %u", r->code, code);
    if (r->lines == REPLY_LINES_MAX)
        return err_set(err, ERR_LIMIT, "the reply has over %d lines", REPLY_LINES_MAX);

    r->code = code;
    r->lines++;
    add_line(r, str_skip(line, 1));
    *ret_last = behind == ' ';
    return true;
}

struct reply reply_take(struct reply_reader *r, struct arena *a)
{
    struct reply reply = {
        .code = r->code,
        .status = r->status,
        .text = arena_str(a, buf_str(&r->text)),
    };

    buf_clear(&r->text);
    r->code = 0;
    r->status = (struct status){ .klass = 0 };
    r->lines = 0;
    return reply;
}

/* The end of the piece of `text` that fits one line: at '\n', or at a blank, or where a character
 * begins. */
static size_t piece_len(struct str text)
{
    size_t line = str_index(text, '\n'), len;

    if (line <= LINE_TEXT_MAX)
        return line;
    len = str_index_last(str_sub(text, 0, LINE_TEXT_MAX), ' ');
    if (len > 0 && len < LINE_TEXT_MAX)
        return len;
    for (len = LINE_TEXT_MAX; len > 1 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

bool reply_format(struct buf *to, const struct reply *r)
{
    struct str rest = r->text;
    bool last;

    do {
        struct str piece = str_sub(rest, 0, piece_len(rest));
        bool at_break =
            piece.len < rest.len && (rest.ptr[piece.len] == '\n' || rest.ptr[piece.len] == ' ');

        last = piece.len == rest.len;
        rest = str_skip(rest, piece.len + at_break);
        buf_addf(to, "%u%c", r->code, last ? ' ' : '-');
        if (r->status.klass != 0) {
            status_format(to, r->status);
            buf_add_char(to, ' ');
        }
        add_printable(to, piece);
        buf_add(to, STR("\r\n"));
    } while (!last);
    return buf_ok(to);
}

static bool eat_number(struct str *text, uint16_t *ret)
{
    struct str rest = *text;
    uint64_t value;

    if (!str_eat_u64(&rest, &value) || text->len - rest.len > 3)
        return false;
    *text = rest;
    *ret = (uint16_t)value;
    return true;
}

static bool eat_char(struct str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = str_skip(*text, 1);
    return true;
}

bool status_eat(struct str *text, struct status *ret)
{
    struct str rest = *text;
    struct status s;

    if (rest.len == 0 || !strchr("245", rest.ptr[0]) || rest.ptr[0] == '\0')
        return false;
    s.klass = (uint8_t)(rest.ptr[0] - '0');
    rest = str_skip(rest, 1);
    if (!eat_char(&rest, '.') || !eat_number(&rest, &s.subject) || !eat_char(&rest, '.') ||
        !eat_number(&rest, &s.detail))
        return false;
    if (rest.len > 0 && !eat_char(&rest, ' '))
        return false;
    *text = rest;
    *ret = s;
    return true;
}

bool status_format(struct buf *to, struct status s)
{
    return buf_addf(to, "%u.%u.%u", s.klass, s.subject, s.detail);
}
