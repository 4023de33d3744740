// SPDX-License-Identifier: Apache-2.0
/* accept/command.c - bytes from a client to a command line, and a line to verb and arguments
 * (RFC 5321 §2.3.8, §2.4, §4.1.1). */
#include "accept/command.h"

enum line_found line_find(struct str bytes, size_t max, size_t *ret_len)
{
    size_t at = str_index(str_sub(bytes, 0, max), '\n');

    if (at < max && at < bytes.len) {
        *ret_len = at + 1;
        return LINE_FOUND;
    }
    return bytes.len >= max ? LINE_TOO_LONG : LINE_NOT_YET;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

enum line_fault line_strip(struct str line, bool normalize, struct str *ret_text)
{
    struct str text = str_sub(line, 0, line.len - 1);
    bool crlf = text.len > 0 && text.ptr[text.len - 1] == '\r';

    if (crlf)
        text.len--;
    *ret_text = text;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\r')
            return LINE_BARE_CR;
        if (is_control(text.ptr[i]))
            return LINE_CONTROL;
    }
    return crlf || normalize ? LINE_OK : LINE_BARE_LF;
}

struct command command_cut(struct str text)
{
    size_t len = 0;

    text = str_trim(text);
    while (len < text.len && text.ptr[len] != ' ' && text.ptr[len] != '\t')
        len++;
    return (struct command){ .verb = str_sub(text, 0, len), .args = str_trim(str_skip(text, len)) };
}

bool command_eat_word(struct str *args, struct str word)
{
    if (!str_starts_nocase(*args, word))
        return false;
    *args = str_trim(str_skip(*args, word.len));
    return true;
}
