// SPDX-License-Identifier: Apache-2.0
/* base/str.c - comparing, searching, splitting and numbers of borrowed text. */
#include "base/str.h"

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str text, struct str prefix)
{
    return text.len >= prefix.len && str_eq(str_sub(text, 0, prefix.len), prefix);
}

bool str_starts_nocase(struct str text, struct str prefix)
{
    return text.len >= prefix.len && str_eq_nocase(str_sub(text, 0, prefix.len), prefix);
}

bool str_ends_nocase(struct str text, struct str suffix)
{
    return text.len >= suffix.len && str_eq_nocase(str_skip(text, text.len - suffix.len), suffix);
}

struct str str_sub(struct str text, size_t from, size_t len)
{
    text = str_skip(text, from);
    if (text.len > len)
        text.len = len;
    return text;
}

struct str str_skip(struct str text, size_t n)
{
    if (n > text.len)
        n = text.len;
    if (n == 0)
        return text; /* a NULL pointer is not added to */
    return (struct str){ text.ptr + n, text.len - n };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str text)
{
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = str_skip(text, 1);
    return text;
}

size_t str_index(struct str text, char c)
{
    const char *at = text.len > 0 ? memchr(text.ptr, c, text.len) : NULL;

    return at ? (size_t)(at - text.ptr) : text.len;
}

size_t str_index_last(struct str text, char c)
{
    const char *at = text.len > 0 ? memrchr(text.ptr, c, text.len) : NULL;

    return at ? (size_t)(at - text.ptr) : text.len;
}

size_t str_find(struct str text, struct str part)
{
    const char *at;

    if (part.len == 0)
        return 0;
    at = text.len > 0 ? memmem(text.ptr, text.len, part.ptr, part.len) : NULL;
    return at ? (size_t)(at - text.ptr) : text.len;
}

size_t str_find_nocase(struct str text, struct str part)
{
    for (size_t at = 0; at + part.len <= text.len; at++)
        if (str_eq_nocase(str_sub(text, at, part.len), part))
            return at;
    return text.len;
}

static bool cut_at(struct str text, size_t at, struct str *ret_before, struct str *ret_after)
{
    if (at == text.len)
        return false;
    *ret_before = str_sub(text, 0, at);
    *ret_after = str_skip(text, at + 1);
    return true;
}

bool str_cut(struct str text, char c, struct str *ret_before, struct str *ret_after)
{
    return cut_at(text, str_index(text, c), ret_before, ret_after);
}

bool str_cut_last(struct str text, char c, struct str *ret_before, struct str *ret_after)
{
    return cut_at(text, str_index_last(text, c), ret_before, ret_after);
}

bool str_next(struct str *rest, char c, struct str *ret_word)
{
    struct str text = *rest;

    while (text.len > 0 && text.ptr[0] == c)
        text = str_skip(text, 1);
    *rest = text;
    if (text.len == 0)
        return false;
    *ret_word = str_sub(text, 0, str_index(text, c));
    *rest = str_skip(text, ret_word->len + 1);
    return true;
}

bool str_eat_u64(struct str *text, uint64_t *ret)
{
    uint64_t value = 0;
    size_t digits = 0;

    while (digits < text->len && ascii_is_digit(text->ptr[digits])) {
        uint64_t digit = (uint64_t)(text->ptr[digits] - '0');

        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
        digits++;
    }
    if (digits == 0)
        return false;
    *text = str_skip(*text, digits);
    *ret = value;
    return true;
}

bool str_to_u64(struct str text, uint64_t max, uint64_t *ret)
{
    uint64_t value;

    if (!str_eat_u64(&text, &value) || text.len > 0 || value > max)
        return false;
    *ret = value;
    return true;
}

bool str_is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] > 127)
            return false;
    return true;
}
