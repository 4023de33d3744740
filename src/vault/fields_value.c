// SPDX-License-Identifier: Apache-2.0
/* vault/fields_value.c - one value of a field: is it good, and how is it spelt once it is kept. */
#include <assert.h>
#include <inttypes.h>

#include "base/code.h"
#include "base/ip.h"
#include "mail/address.h"
#include "mail/header.h"
#include "vault/fields.h"
#include "vault/roster.h"

enum { FINGERPRINT_DIGITS = 64 };

bool fields_next(struct str *rest, struct str *ret)
{
    return str_next(rest, ',', ret);
}

/* What is expected ----------------------------------------------------------------------------- */

static void list_words(const struct field_rule *rule, struct buf *to)
{
    for (size_t i = 0; rule->words[i]; i++)
        buf_addf(to, "%s%s", i > 0 ? ", " : "", rule->words[i]);
}

static const char *type_words(enum field_type type)
{
    switch (type) {
    case FIELD_WORD:
        return "one of ";
    case FIELD_WORDS:
        return "a list of ";
    case FIELD_YES_NO:
        return "true or false";
    case FIELD_COUNT:
        return "a number";
    case FIELD_BYTES:
        return "a size such as 64M";
    case FIELD_PERCENT:
        return "a number of percent";
    case FIELD_DOMAIN:
        return "a domain";
    case FIELD_ADDRESS:
        return "an address such as ann@example.org";
    case FIELD_LOCAL:
        return "what stands in front of an address's @";
    case FIELD_NETWORKS:
        return "networks such as 192.0.2.0/24, joined by commas";
    case FIELD_FINGERPRINT:
        return "a SHA-256 of 64 hexadecimal digits";
    case FIELD_DATE:
        return "a date such as 2027-01-31T12:00:00Z, or a time from now such as 90d";
    case FIELD_NAME:
        return "a name of letters, digits and . _ - @";
    case FIELD_TEXT:
    case FIELD_SECRET:
        return "printable text";
    }
    return "";
}

void fields_expected(const struct field_rule *rule, struct buf *to)
{
    buf_add(to, str_of(type_words(rule->type)));
    if (rule->words)
        list_words(rule, to);
    else if (rule->type == FIELD_TEXT || rule->type == FIELD_SECRET)
        buf_addf(to, " of at most %" PRIu64 " octets", rule->max);
    else if (rule->type == FIELD_NETWORKS)
        buf_addf(to, ", at most %" PRIu64, rule->max);
    else if (rule->max > 0)
        buf_addf(to, " of at most %" PRIu64, rule->max);
}

/* One type each: false when it is not good ----------------------------------------------------- */

/* Pieces joined by single commas, none of them empty. */
static bool list_ok(struct str list)
{
    return list.len > 0 && list.ptr[0] != ',' && list.ptr[list.len - 1] != ',' &&
           str_find(list, STR(",,")) == list.len;
}

static bool has_word(struct str list, struct str word)
{
    struct str piece;

    while (fields_next(&list, &piece))
        if (str_eq(piece, word))
            return true;
    return false;
}

static bool word_ok(const struct field_rule *rule, struct str value, struct buf *to)
{
    for (size_t i = 0; rule->words[i]; i++)
        if (str_eq(value, str_of(rule->words[i])))
            return buf_add(to, value);
    return false;
}

/* In the table's order, each once. */
static bool words_ok(const struct field_rule *rule, struct str value, struct buf *to)
{
    struct str rest = value, piece;
    size_t written = 0;

    if (!list_ok(value))
        return false;
    while (fields_next(&rest, &piece)) {
        size_t i = 0;
        while (rule->words[i] && !str_eq(piece, str_of(rule->words[i])))
            i++;
        if (!rule->words[i])
            return false;
    }
    for (size_t i = 0; rule->words[i]; i++)
        if (has_word(value, str_of(rule->words[i])))
            buf_addf(to, "%s%s", written++ > 0 ? "," : "", rule->words[i]);
    return buf_ok(to);
}

static bool number_ok(const struct field_rule *rule, struct str value, struct buf *to)
{
    uint64_t n;

    return str_to_u64(value, rule->max, &n) && buf_addf(to, "%" PRIu64, n);
}

/* False also for a unit that is not there, and past 2^64. */
static bool eat_unit(struct str text, struct str letters, const uint64_t *factors, uint64_t *ret)
{
    if (!str_eat_u64(&text, ret))
        return false;
    if (text.len != 1)
        return false;
    size_t at = str_index(letters, text.ptr[0]);
    return at < letters.len && !__builtin_mul_overflow(*ret, factors[at], ret);
}

static bool bytes_ok(const struct field_rule *rule, struct str value, struct buf *to)
{
    static const uint64_t factors[] = { 1ull << 10, 1ull << 20, 1ull << 30, 1ull << 40 };
    uint64_t n;

    if (!str_to_u64(value, rule->max, &n) && !eat_unit(value, STR("KMGT"), factors, &n))
        return false;
    return n <= rule->max && buf_addf(to, "%" PRIu64, n);
}

static bool address_ok(struct str value, struct buf *to)
{
    struct address a;

    return address_parse(value, &a, NULL) && !a.is_literal && str_is_ascii(a.local) &&
           buf_add(to, a.local) && buf_add_char(to, '@') && domain_ascii(to, a.domain, NULL);
}

static bool local_ok(struct str value, struct buf *to)
{
    char text[ADDRESS_LOCAL_MAX + 16];
    struct address a;

    if (value.len == 0 || value.len > ADDRESS_LOCAL_MAX || !str_is_ascii(value))
        return false;
    memcpy(text, value.ptr, value.len);
    memcpy(text + value.len, "@a.example", 10);
    return address_parse(str_make(text, value.len + 10), &a, NULL) && a.local.len == value.len &&
           buf_add(to, value);
}

static bool networks_ok(const struct field_rule *rule, struct str value, struct buf *to)
{
    char text[IP_TEXT_MAX + 4];
    struct ip_net net;
    struct str piece;
    size_t count = 0;

    if (!list_ok(value))
        return false;
    while (fields_next(&value, &piece)) {
        if (count == rule->max || !ip_net_parse(str_trim(piece), &net, NULL))
            return false;
        buf_addf(to, "%s%s", count++ > 0 ? "," : "", ip_net_format(&net, text));
    }
    return buf_ok(to);
}

static bool fingerprint_ok(struct str value, struct buf *to)
{
    size_t digits = 0;

    for (size_t i = 0; i < value.len; i++) {
        char c = ascii_lower(value.ptr[i]);
        if (c == ':' && digits % 2 == 0)
            continue;
        if (!(ascii_is_digit(c) || (c >= 'a' && c <= 'f')) || ++digits > FINGERPRINT_DIGITS)
            return false;
        buf_add_char(to, c);
    }
    return digits == FINGERPRINT_DIGITS;
}

static bool date_ok(struct str value, int64_t now_wall_ms, struct buf *to)
{
    static const uint64_t factors[] = { 1000, 60000, 3600000, 86400000 };
    char text[DATE_TEXT_MAX];
    uint64_t wait_ms;
    int64_t at_ms;

    if (!date_parse_iso(value, &at_ms, NULL)) {
        if (!eat_unit(value, STR("smhd"), factors, &wait_ms) || wait_ms > DATE_WALL_MS_MAX ||
            __builtin_add_overflow(now_wall_ms, (int64_t)wait_ms, &at_ms))
            return false;
    }
    return at_ms > 0 && at_ms <= DATE_WALL_MS_MAX &&
           buf_add(to, str_of(date_format_iso(at_ms, text)));
}

static bool text_ok(const struct field_rule *rule, struct str value, struct buf *to)
{
    if (value.len > rule->max || !utf8_ok(value))
        return false;
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
            return false;
    return buf_add(to, value);
}

static bool value_ok(const struct field_rule *rule, struct str value, int64_t now_wall_ms,
                     struct buf *to)
{
    switch (rule->type) {
    case FIELD_WORD:
        return word_ok(rule, value, to);
    case FIELD_WORDS:
        return words_ok(rule, value, to);
    case FIELD_YES_NO:
        return (str_eq(value, STR("true")) || str_eq(value, STR("false"))) && buf_add(to, value);
    case FIELD_COUNT:
    case FIELD_PERCENT:
        return number_ok(rule, value, to);
    case FIELD_BYTES:
        return bytes_ok(rule, value, to);
    case FIELD_DOMAIN:
        return domain_ascii(to, value, NULL);
    case FIELD_ADDRESS:
        return address_ok(value, to);
    case FIELD_LOCAL:
        return local_ok(value, to);
    case FIELD_NETWORKS:
        return networks_ok(rule, value, to);
    case FIELD_FINGERPRINT:
        return fingerprint_ok(value, to);
    case FIELD_DATE:
        return date_ok(value, now_wall_ms, to);
    case FIELD_NAME:
        return roster_name_ok(value) && buf_add(to, value);
    case FIELD_TEXT:
    case FIELD_SECRET:
        return text_ok(rule, value, to);
    }
    return false;
}

bool fields_value_ok(const struct field_rule *rule, struct str value, int64_t now_wall_ms,
                     struct buf *to, struct err *err)
{
    struct buf words;

    if (value_ok(rule, value, now_wall_ms, to))
        return true;
    buf_init(&words, 512);
    fields_expected(rule, &words);
    /* Of a secret nothing is repeated. */
    struct str shown = rule->type == FIELD_SECRET ? STR("…") : str_sub(value, 0, 40);
    (void)err_set(err, ERR_SYNTAX, "expected %s, not \"%.*s\"", buf_cstr(&words), STR_FMT(shown));
    buf_done(&words);
    return false;
}
