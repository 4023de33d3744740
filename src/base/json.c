// SPDX-License-Identifier: Apache-2.0
/* base/json.c - JSON text (RFC 8259), written front to back. */
#include "base/json.h"

#include <inttypes.h>

#include "base/code.h"

void json_begin(struct json *j, struct buf *to)
{
    *j = (struct json){ .to = to };
}

/* Before every value and every key; the next one needs a comma. */
static void separate(struct json *j)
{
    if (j->comma)
        (void)buf_add_char(j->to, ',');
    j->comma = true;
}

static void open_with(struct json *j, char bracket)
{
    separate(j);
    (void)buf_add_char(j->to, bracket);
    j->comma = false;
}

static void close_with(struct json *j, char bracket)
{
    (void)buf_add_char(j->to, bracket);
    j->comma = true;
}

void json_object(struct json *j)
{
    open_with(j, '{');
}

void json_object_end(struct json *j)
{
    close_with(j, '}');
}

void json_array(struct json *j)
{
    open_with(j, '[');
}

void json_array_end(struct json *j)
{
    close_with(j, ']');
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\';
}

/* The bytes at the front of `text`, which is not empty, that may stand as they are. */
static struct str plain_front(struct str text)
{
    size_t len = 0;

    while (len < text.len && is_plain(text.ptr[len]))
        len++;
    if (len == 0 && (unsigned char)text.ptr[0] >= 0x80)
        len = utf8_len(text);
    return str_sub(text, 0, len);
}

static void add_escaped(struct buf *to, char c)
{
    if (c == '"' || c == '\\')
        (void)buf_addf(to, "\\%c", c);
    else if (c == '\n')
        (void)buf_add(to, STR("\\n"));
    else if ((unsigned char)c < 0x80)
        (void)buf_addf(to, "\\u%04x", (unsigned)c);
    else
        (void)buf_add(to, STR("\xef\xbf\xbd")); /* U+FFFD */
}

static void add_quoted(struct buf *to, struct str text)
{
    (void)buf_add_char(to, '"');
    while (text.len > 0) {
        struct str front = plain_front(text);

        if (front.len > 0)
            (void)buf_add(to, front);
        else
            add_escaped(to, text.ptr[0]);
        text = str_skip(text, front.len > 0 ? front.len : 1);
    }
    (void)buf_add_char(to, '"');
}

void json_key(struct json *j, const char *name)
{
    separate(j);
    add_quoted(j->to, str_of(name));
    (void)buf_add_char(j->to, ':');
    j->comma = false;
}

void json_str(struct json *j, struct str value)
{
    separate(j);
    add_quoted(j->to, value);
}

void json_int(struct json *j, int64_t value)
{
    separate(j);
    (void)buf_addf(j->to, "%" PRId64, value);
}

void json_bool(struct json *j, bool value)
{
    json_raw(j, value ? STR("true") : STR("false"));
}

void json_null(struct json *j)
{
    json_raw(j, STR("null"));
}

void json_raw(struct json *j, struct str value)
{
    separate(j);
    (void)buf_add(j->to, value);
}
