// SPDX-License-Identifier: Apache-2.0
/* sim/trial/line.c - lines out of a stream, and into it. */
#include "sim/trial/line.h"

#include <stdarg.h>
#include <stdio.h>

#include "io/loop.h"

bool line_read(struct stream *s, int64_t patience_ms, char text[LINE_TEXT_MAX])
{
    int64_t until_ms = loop_now_ms() + patience_ms;
    size_t at;

    while ((at = str_index(stream_window(s), '\n')) == stream_window(s).len)
        if (!stream_fill(s, until_ms, NULL))
            return false;
    (void)snprintf(text, LINE_TEXT_MAX, "%.*s", (int)at, stream_window(s).ptr);
    stream_take(s, at + 1);
    text[strcspn(text, "\r")] = '\0';
    return true;
}

bool line_put(struct stream *s, const char *fmt, ...)
{
    char text[LINE_TEXT_MAX];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof text - 2, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text - 2)
        return false;
    memcpy(text + len, "\r\n", 2);
    return stream_put(s, str_make(text, (size_t)len + 2), NULL);
}

unsigned line_reply(struct stream *s, int64_t patience_ms)
{
    char text[LINE_TEXT_MAX];
    uint64_t code;

    do
        if (!line_read(s, patience_ms, text))
            return 0;
    while (strlen(text) > 3 && text[3] == '-');
    return str_to_u64(str_sub(str_of(text), 0, 3), 599, &code) ? (unsigned)code : 0;
}
