// SPDX-License-Identifier: Apache-2.0
/* mail/spf_macro.c - checks and expands macro-strings: RFC 7208 §7.1 (grammar) to §7.4 (examples).
 */
#include "mail/spf_macro.h"

#define PARTS_MAX 128 /* a name has at most 127 labels; what is longer is not split further */

/* One "%{…}". */
struct macro {
    char letter; /* lower case */
    bool upper;  /* URL escaping */
    bool reverse;
    unsigned keep; /* right-hand parts; 0: all */
    struct str delimiters;
};

static bool is_delimiter(char c)
{
    return c != '\0' && strchr(".-+,/_=", c) != NULL;
}

/* The inside of "%{…}": letter, digits, r, delimiters. */
static bool macro_parse(struct str inside, struct macro *ret)
{
    struct macro m = { 0 };
    uint64_t keep = 0;

    if (inside.len == 0 || !ascii_is_alpha(inside.ptr[0]))
        return false;
    m.letter = ascii_lower(inside.ptr[0]);
    m.upper = m.letter != inside.ptr[0];
    inside = str_skip(inside, 1);
    if (inside.len > 0 && ascii_is_digit(inside.ptr[0])) {
        if (!str_eat_u64(&inside, &keep))
            keep = UINT32_MAX; /* more than there can be */
        if (keep == 0)
            return false;
        while (inside.len > 0 && ascii_is_digit(inside.ptr[0]))
            inside = str_skip(inside, 1);
        m.keep = keep < UINT32_MAX ? (unsigned)keep : UINT32_MAX;
    }
    if (inside.len > 0 && ascii_lower(inside.ptr[0]) == 'r') {
        m.reverse = true;
        inside = str_skip(inside, 1);
    }
    for (size_t i = 0; i < inside.len; i++)
        if (!is_delimiter(inside.ptr[i]))
            return false;
    m.delimiters = inside.len > 0 ? inside : STR(".");
    *ret = m;
    return true;
}

/* Takes the next piece: a literal of one octet, or an escape (*ret_literal), or a macro. False: not
 * the grammar's. */
static bool piece_eat(struct str *text, struct str *ret_literal, struct macro *ret_macro)
{
    static const struct str blank = STR(" "), escaped_blank = STR("%20");

    *ret_literal = str_sub(*text, 0, 1);
    if (text->ptr[0] != '%') {
        *text = str_skip(*text, 1);
        return true;
    }
    char next = text->len > 1 ? text->ptr[1] : '\0';
    size_t len = 2;
    if (next == '_') {
        *ret_literal = blank;
    } else if (next == '-') {
        *ret_literal = escaped_blank;
    } else if (next == '{') {
        size_t end = str_index(*text, '}');
        if (end == text->len || !macro_parse(str_sub(*text, 2, end - 2), ret_macro))
            return false;
        *ret_literal = STR_NONE;
        len = end + 1;
    } else if (next != '%') {
        return false;
    }
    *text = str_skip(*text, len);
    return true;
}

static bool letter_ok(char letter, enum spf_text kind)
{
    return (letter && strchr("slodiphv", letter)) ||
           (kind == SPF_TEXT_EXPLANATION && letter && strchr("crt", letter));
}

static bool literal_ok(char c, enum spf_text kind)
{
    return (c > ' ' && c < 0x7f) || (c == ' ' && kind == SPF_TEXT_EXPLANATION);
}

/* alphanum, with hyphens inside; a letter or a hyphen somewhere. */
static bool top_label_ok(struct str label)
{
    bool letter = false;

    if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-')
            return false;
        letter |= !ascii_is_digit(c);
    }
    return letter;
}

/* `tail`: what stands behind the last macro. A domain-spec that ends in letters ends in a label of
 * its own, so there is a dot before it. */
static bool domain_end_ok(struct str tail, bool ends_in_macro)
{
    if (ends_in_macro)
        return true;
    if (tail.len > 0 && tail.ptr[tail.len - 1] == '.')
        tail.len--;
    size_t dot = str_index_last(tail, '.');
    return dot < tail.len && top_label_ok(str_skip(tail, dot + 1));
}

bool spf_macro_ok(struct str text, enum spf_text kind)
{
    struct str rest = text, tail = text, literal;
    struct macro macro = { 0 };

    while (rest.len > 0) {
        bool escape = rest.ptr[0] == '%';
        if (!piece_eat(&rest, &literal, &macro))
            return false;
        if (!escape && !literal_ok(literal.ptr[0], kind))
            return false;
        if (escape && literal.len == 0 && !letter_ok(macro.letter, kind))
            return false;
        if (escape)
            tail = rest;
    }
    return kind != SPF_TEXT_DOMAIN || (text.len > 0 && domain_end_ok(tail, tail.len == 0));
}

bool spf_macro_wants_validated(struct str text)
{
    struct str literal;
    struct macro macro = { 0 };

    while (text.len > 0 && piece_eat(&text, &literal, &macro))
        if (literal.len == 0 && macro.letter == 'p')
            return true;
    return false;
}

/* Expanding
 * -----------------------------------------------------------------------------------------------
 */

/* "2.0.0.1…": each nibble of an IPv6 address (§7.3). */
static void add_ip(struct buf *to, const struct ip *ip)
{
    char text[IP_TEXT_MAX];

    if (ip->family == 4) {
        (void)buf_add(to, str_of(ip_format(ip, text)));
        return;
    }
    for (size_t i = 0; i < sizeof ip->bytes; i++)
        (void)buf_addf(to, "%s%x.%x", i > 0 ? "." : "", ip->bytes[i] >> 4u, ip->bytes[i] & 15u);
}

/* What the letter stands for, whole. */
static void add_value(struct buf *to, char letter, const struct spf_letters *l)
{
    char text[IP_TEXT_MAX];

    switch (letter) {
    case 's':
        (void)buf_addf(to, "%.*s@%.*s", STR_FMT(l->local), STR_FMT(l->sender_domain));
        break;
    case 'l':
        (void)buf_add(to, l->local);
        break;
    case 'o':
        (void)buf_add(to, l->sender_domain);
        break;
    case 'd':
        (void)buf_add(to, l->domain);
        break;
    case 'i':
        add_ip(to, &l->ip);
        break;
    case 'p':
        (void)buf_add(to, l->validated);
        break;
    case 'v':
        (void)buf_add(to, l->ip.family == 4 ? STR("in-addr") : STR("ip6"));
        break;
    case 'h':
        (void)buf_add(to, l->helo);
        break;
    case 'c':
        (void)buf_add(to, str_of(ip_format(&l->ip, text)));
        break;
    case 'r':
        (void)buf_add(to, l->receiver);
        break;
    default: /* t: letter_ok() has seen to it */
        (void)buf_addf(to, "%lld", (long long)l->now_s);
    }
}

static bool is_unreserved(char c) /* RFC 3986 §2.3 */
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("-._~", c));
}

static void add_escaped(struct buf *to, struct str part)
{
    for (size_t i = 0; i < part.len; i++)
        if (is_unreserved(part.ptr[i]))
            (void)buf_add_char(to, part.ptr[i]);
        else
            (void)buf_addf(to, "%%%02X", (unsigned char)part.ptr[i]);
}

static size_t split(struct str value, struct str delimiters, struct str parts[PARTS_MAX])
{
    size_t count = 0, begun = 0;

    for (size_t i = 0; i < value.len && count < PARTS_MAX - 1; i++)
        if (str_index(delimiters, value.ptr[i]) < delimiters.len) {
            parts[count++] = str_sub(value, begun, i - begun);
            begun = i + 1;
        }
    parts[count++] = str_skip(value, begun);
    return count;
}

/* Split, reversed, cut to its right-hand parts, joined by dots. */
static void add_transformed(struct buf *to, struct str value, const struct macro *m)
{
    struct str parts[PARTS_MAX];
    size_t count = split(value, m->delimiters, parts);
    size_t first = m->keep > 0 && m->keep < count ? count - m->keep : 0;

    for (size_t i = first; i < count; i++) {
        if (i > first)
            (void)buf_add_char(to, '.');
        struct str part = parts[m->reverse ? count - 1 - i : i];
        if (m->upper)
            add_escaped(to, part);
        else
            (void)buf_add(to, part);
    }
}

static void add_macro(struct buf *to, const struct macro *m, const struct spf_letters *letters)
{
    struct buf value;

    buf_init(&value, SPF_EXPANDED_MAX);
    add_value(&value, m->letter, letters);
    to->over |= !buf_ok(&value);
    add_transformed(to, buf_str(&value), m);
    buf_done(&value);
}

bool spf_macro_expand(struct str text, const struct spf_letters *letters, struct buf *to)
{
    struct str literal;
    struct macro macro = { 0 };

    while (text.len > 0 && piece_eat(&text, &literal, &macro)) {
        if (literal.len > 0)
            (void)buf_add(to, literal);
        else
            add_macro(to, &macro, letters);
    }
    return buf_ok(to);
}
