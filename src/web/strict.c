// SPDX-License-Identifier: Apache-2.0
/* web/strict.c - the checks of strict.h. */
#include "web/strict.h"

/* RFC 9110 §5.6.2 */
static bool is_token(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && !memchr("!#$%&'*+-.^_`|~", c, 15))
            return false;
    }
    return name.len > 0;
}

/* A control character stands there when lines were folded or ended by something else than CRLF. */
static bool is_clean(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.ptr[i] < 0x20 && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool is_digits(struct str value)
{
    uint64_t n;

    return value.len > 0 && str_to_u64(value, UINT64_MAX, &n);
}

const char *strict_refusal(const struct http_header *headers, size_t count)
{
    size_t hosts = 0, lengths = 0;

    for (size_t i = 0; i < count; i++) {
        const struct http_header *h = &headers[i];
        if (!is_token(h->name))
            return "a field name is not a token";
        if (!is_clean(h->value))
            return "a control character in a field";
        if (str_eq_nocase(h->name, STR("Host")))
            hosts++;
        if (str_eq_nocase(h->name, STR("Content-Length"))) {
            lengths++;
            if (!is_digits(h->value))
                return "Content-Length is not a number";
        }
        /* RFC 9112 §6.3 allows to insist on a length; evhttp reads chunk sizes loosely. */
        if (str_eq_nocase(h->name, STR("Transfer-Encoding")))
            return "Transfer-Encoding is not taken: send a Content-Length";
    }
    if (hosts != 1)
        return "expected one Host";
    if (lengths > 1)
        return "more than one Content-Length";
    return NULL;
}
