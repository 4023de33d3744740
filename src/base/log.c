// SPDX-License-Identifier: Apache-2.0
/* base/log.c - builds a line of key=value pairs and hands it to the sink.
 *
 * A value without blanks, quotes or anything but printable ASCII stands bare; any other stands in
 * double quotes, in which ", \ and everything that is not printable UTF-8 are escaped: \" \\ \n \r
 * \t \x1b. */
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/code.h"

static struct {
    log_sink_fn *sink;
    void *arg;
    enum log_level most;
    const char *role;
} log_state = { .most = LOG_INFO };

/* Kept free at the end of each line: a closing quote, and " …". */
enum { RESERVED = 5 };

void log_set_sink(log_sink_fn *sink, void *arg)
{
    log_state.sink = sink;
    log_state.arg = arg;
}

void log_set_level(enum log_level most)
{
    log_state.most = most;
}

void log_set_role(const char *name)
{
    log_state.role = name;
}

/* False when the piece does not fit whole; then nothing of it is added. */
static bool add(struct log_line *l, struct str piece)
{
    if (l->closed || piece.len > sizeof(l->text) - RESERVED - l->len)
        return false;
    if (piece.len > 0)
        memcpy(l->text + l->len, piece.ptr, piece.len);
    l->len += piece.len;
    return true;
}

/* The line is full: says so at its end, which RESERVED kept free. */
static void close_early(struct log_line *l, struct str end)
{
    if (l->closed)
        return;
    memcpy(l->text + l->len, end.ptr, end.len);
    l->len += end.len;
    l->closed = true;
}

static bool is_bare(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return value.len > 0;
}

/* Sequences that a terminal may obey, or that make a line look like another: C1 controls, line
 * separators and what turns the direction of text (U+200E, U+200F, U+2028 to U+202E, U+2066 to
 * U+2069). */
static bool is_tricky(const unsigned char *p, size_t len)
{
    if (len == 2)
        return p[0] == 0xc2 && p[1] < 0xa0;
    if (len != 3 || p[0] != 0xe2)
        return false;
    if (p[1] == 0x80)
        return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae);
    return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

/* How many bytes at the front of `text`, which is not empty, may stand as they are inside quotes: 0
 * or a character. */
static size_t plain_len(struct str text)
{
    unsigned char c = (unsigned char)text.ptr[0];
    size_t len;

    if (c < 0x80)
        return c >= ' ' && c != 0x7f && c != '"' && c != '\\';
    len = utf8_len(text);
    return is_tricky((const unsigned char *)text.ptr, len) ? 0 : len;
}

static struct str escape(char c, char text[5])
{
    static const char letters[] = {
        ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'
    };
    size_t at = (unsigned char)c;
    int len;

    if (at < sizeof(letters) && letters[at])
        len = snprintf(text, 5, "\\%c", letters[at]);
    else
        len = snprintf(text, 5, "\\x%02x", (unsigned)(unsigned char)c);
    return str_make(text, (size_t)len);
}

static void add_quoted(struct log_line *l, struct str value)
{
    bool fits = add(l, STR("\""));

    if (!fits) {
        close_early(l, STR(" \xe2\x80\xa6"));
        return;
    }
    while (fits && value.len > 0) {
        char text[5];
        size_t len = plain_len(value);

        fits = add(l, len > 0 ? str_sub(value, 0, len) : escape(value.ptr[0], text));
        value = str_skip(value, len > 0 ? len : 1);
    }
    if (!fits || !add(l, STR("\"")))
        close_early(l, STR("\" \xe2\x80\xa6"));
}

/* " key=" and what the caller adds behind it. */
static void add_key(struct log_line *l, const char *key)
{
    struct str name = str_of(key);
    size_t start = l->len;

    if ((start > 0 && !add(l, STR(" "))) || !add(l, name) || !add(l, STR("="))) {
        l->len = l->closed ? l->len : start;
        close_early(l, STR(" \xe2\x80\xa6"));
    }
}

void log_begin(struct log_line *l, enum log_level level, const char *event)
{
    l->level = level;
    l->len = 0;
    l->closed = level > log_state.most || !log_state.sink;
    if (log_state.role)
        log_cstr(l, "role", log_state.role);
    log_cstr(l, "event", event);
}

void log_str(struct log_line *l, const char *key, struct str value)
{
    add_key(l, key);
    if (!is_bare(value) || !add(l, value))
        add_quoted(l, value);
}

void log_cstr(struct log_line *l, const char *key, const char *value)
{
    log_str(l, key, str_of(value));
}

void log_num(struct log_line *l, const char *key, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRId64, value);

    log_str(l, key, str_make(text, (size_t)len));
}

void log_id(struct log_line *l, const char *key, uint64_t id)
{
    char text[ID_TEXT_LEN + 1];

    log_cstr(l, key, id_format(id, text));
}

void log_end(struct log_line *l)
{
    if (l->level <= log_state.most && log_state.sink)
        log_state.sink(log_state.arg, l->level, str_make(l->text, l->len));
}

void log_text(enum log_level level, const char *event, const char *fmt, ...)
{
    struct log_line l;
    char text[sizeof(l.text)]; /* more than this the line can't hold */
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_begin(&l, level, event);
    log_cstr(&l, "text", text);
    log_end(&l);
}

void log_err(enum log_level level, const char *event, const struct err *err)
{
    struct log_line l;

    log_begin(&l, level, event);
    log_cstr(&l, "kind", err_kind_name(err->kind));
    log_cstr(&l, "text", err->text);
    log_end(&l);
}
