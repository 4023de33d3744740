// SPDX-License-Identifier: Apache-2.0
/* base/code.c - base64, hexadecimal, queue ids and the shape of UTF-8: reader beside writer. */
#include "base/code.h"

static const char base64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { NOT_A_LETTER = 0xff };

static void base64_quad(char to[4], const unsigned char *from, size_t len)
{
    unsigned b0 = from[0], b1 = len > 1 ? from[1] : 0, b2 = len > 2 ? from[2] : 0;

    to[0] = base64_letters[b0 >> 2];
    to[1] = base64_letters[(b0 << 4 | b1 >> 4) & 63];
    to[2] = len > 1 ? base64_letters[(b1 << 2 | b2 >> 6) & 63] : '=';
    to[3] = len > 2 ? base64_letters[b2 & 63] : '=';
}

bool base64_add(struct buf *to, struct str bytes)
{
    size_t size;
    char *at;

    if (!size_mul(bytes.len / 3 + (bytes.len % 3 > 0), 4, &size))
        size = SIZE_MAX; /* over any limit */
    at = buf_room(to, size);
    if (!at)
        return false;
    for (size_t i = 0; i < bytes.len; i += 3, at += 4) {
        size_t left = bytes.len - i;

        base64_quad(at, (const unsigned char *)bytes.ptr + i, left < 3 ? left : 3);
    }
    to->len += size;
    return true;
}

static unsigned base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (ascii_is_digit(c))
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : NOT_A_LETTER;
}

/* Reads four letters, the last `pad` of which are padding, as 3 - pad bytes. */
static bool base64_unquad(char *to, const char *from, size_t pad)
{
    unsigned bits = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned value = i < 4 - pad ? base64_value(from[i]) : 0;

        if (value == NOT_A_LETTER)
            return false;
        bits = bits << 6 | value;
    }
    if (bits & ((1U << 8 * pad) - 1))
        return false; /* set bits behind the end: a second spelling, RFC 4648 §3.5 */
    for (size_t i = 0; i < 3 - pad; i++)
        to[i] = (char)(bits >> (16 - 8 * i));
    return true;
}

bool base64_read(struct buf *to, struct str text, struct err *err)
{
    size_t pad = 0, size;
    char *at;

    if (text.len % 4 != 0)
        return err_set(err, ERR_SYNTAX, "base64 length is not a multiple of 4");
    while (pad < 2 && pad < text.len && text.ptr[text.len - 1 - pad] == '=')
        pad++;
    size = text.len / 4 * 3 - pad;
    at = buf_room(to, size);
    if (!at)
        return err_set(err, ERR_LIMIT, "base64 text holds more than %zu bytes", to->max);

    for (size_t i = 0; i < text.len; i += 4, at += 3)
        if (!base64_unquad(at, text.ptr + i, i + 4 == text.len ? pad : 0))
            return err_set(err, ERR_SYNTAX, "not base64");
    to->len += size;
    return true;
}

bool hex_add(struct buf *to, struct str bytes)
{
    static const char digits[] = "0123456789abcdef";
    size_t size;
    char *at;

    if (!size_mul(bytes.len, 2, &size))
        size = SIZE_MAX; /* over any limit */
    at = buf_room(to, size);
    if (!at)
        return false;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned byte = (unsigned char)bytes.ptr[i];

        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    to->len += size;
    return true;
}

static const char id_letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const char *id_format(uint64_t id, char text[ID_TEXT_LEN + 1])
{
    for (size_t i = ID_TEXT_LEN; i-- > 0; id >>= 5)
        text[i] = id_letters[id & 31];
    text[ID_TEXT_LEN] = '\0';
    return text;
}

static unsigned id_value(char c)
{
    char upper = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;

    for (unsigned i = 0; i < 32; i++)
        if (id_letters[i] == upper)
            return i;
    return NOT_A_LETTER;
}

bool id_parse(struct str text, uint64_t *ret, struct err *err)
{
    uint64_t id = 0;

    if (text.len != ID_TEXT_LEN)
        return err_set(err, ERR_SYNTAX, "a queue id has %d letters", ID_TEXT_LEN);
    for (size_t i = 0; i < text.len; i++) {
        unsigned value = id_value(text.ptr[i]);

        /* 13 letters hold 65 bits: the first is 0 to F. */
        if (value == NOT_A_LETTER || (i == 0 && value > 15))
            return err_set(err, ERR_SYNTAX, "not a queue id");
        id = id << 5 | value;
    }
    *ret = id;
    return true;
}

size_t utf8_len(struct str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    unsigned char low = 0x80, high = 0xbf; /* what the second byte may be, RFC 3629 §4 */
    size_t len;

    if (text.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0; /* shorter form exists */
    else if (p[0] == 0xed)
        high = 0x9f; /* surrogates */
    else if (p[0] == 0xf0)
        low = 0x90; /* shorter form exists */
    else if (p[0] == 0xf4)
        high = 0x8f; /* past U+10FFFF */
    if (text.len < len || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool utf8_ok(struct str text)
{
    while (text.len > 0) {
        size_t len = utf8_len(text);

        if (len == 0)
            return false;
        text = str_skip(text, len);
    }
    return true;
}
