// SPDX-License-Identifier: Apache-2.0
/* deliver/extensions.c - reads the lines of an EHLO answer (RFC 5321 §4.1.1.1).
 *
 * It believes nothing beyond what it understands: a number that does not parse leaves its limit
 * unset, and an extension that was not understood is not used. */
#include "deliver/extensions.h"

#include "base/mem.h"

static const struct {
    struct str keyword;
    unsigned bit;
} plain_keywords[] = {
    { { "PIPELINING", 10 }, EXT_PIPELINING }, { { "8BITMIME", 8 }, EXT_8BITMIME },
    { { "BINARYMIME", 10 }, EXT_BINARYMIME }, { { "CHUNKING", 8 }, EXT_CHUNKING },
    { { "SMTPUTF8", 8 }, EXT_SMTPUTF8 },      { { "DSN", 3 }, EXT_DSN },
    { { "STARTTLS", 8 }, EXT_STARTTLS },      { { "ENHANCEDSTATUSCODES", 19 }, EXT_STATUS },
};

static void read_size(struct extensions *e, struct str rest)
{
    uint64_t size;

    e->offered |= EXT_SIZE;
    if (str_to_u64(str_trim(rest), UINT64_MAX, &size))
        e->size_max = size;
}

static void read_auth(struct extensions *e, struct str rest)
{
    struct str word;

    while (str_next(&rest, ' ', &word)) {
        if (str_eq_nocase(word, STR("PLAIN")))
            e->offered |= EXT_AUTH_PLAIN;
        else if (str_eq_nocase(word, STR("LOGIN")))
            e->offered |= EXT_AUTH_LOGIN;
    }
}

/* A limit of 0 would forbid all mail: RFC 9422 §4 has none below 1, so it counts as unset. */
static void read_limits(struct extensions *e, struct str rest)
{
    struct str word, name, value;
    uint64_t most;

    e->offered |= EXT_LIMITS;
    while (str_next(&rest, ' ', &word)) {
        if (!str_cut(word, '=', &name, &value) || !str_to_u64(value, UINT32_MAX, &most))
            continue;
        if (str_eq_nocase(name, STR("RCPTMAX")))
            e->rcpt_max = most;
        else if (str_eq_nocase(name, STR("MAILMAX")))
            e->mail_max = most;
    }
}

void extensions_line(struct extensions *e, struct str text)
{
    struct str keyword = str_trim(text), rest = STR_NONE;

    if (!str_cut(keyword, ' ', &keyword, &rest) && str_starts_nocase(keyword, STR("AUTH="))) {
        rest = str_skip(keyword, 5);
        keyword = STR("AUTH"); /* as servers said it before RFC 2554 */
    }
    for (size_t i = 0; i < ARRAY_LEN(plain_keywords); i++)
        if (str_eq_nocase(keyword, plain_keywords[i].keyword))
            e->offered |= plain_keywords[i].bit;
    if (str_eq_nocase(keyword, STR("SIZE")))
        read_size(e, rest);
    else if (str_eq_nocase(keyword, STR("AUTH")))
        read_auth(e, rest);
    else if (str_eq_nocase(keyword, STR("LIMITS")))
        read_limits(e, rest);
}
