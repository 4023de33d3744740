// SPDX-License-Identifier: Apache-2.0
/* config/value.c - one value of an option: text to value, value to text, and what was expected.
 * Knows nothing of YAML or of which options there are. */
#include "config/option.h"

#include <inttypes.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first, as writing tries them. */
static const struct unit size_units[] = {
    { "T", UINT64_C(1) << 40 },
    { "G", UINT64_C(1) << 30 },
    { "M", UINT64_C(1) << 20 },
    { "K", UINT64_C(1) << 10 },
    { "", 1 },
    { NULL, 0 },
};
static const struct unit time_units[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};

size_t option_size(const struct option *o)
{
    switch (o->type) {
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_NAME:
    case OPTION_DOMAIN:
    case OPTION_PATTERN:
        return sizeof(struct str);
    case OPTION_WORD:
        return sizeof(int);
    case OPTION_BOOL:
        return sizeof(bool);
    case OPTION_COUNT:
    case OPTION_SIZE32:
        return sizeof(unsigned);
    case OPTION_COUNT64:
    case OPTION_SIZE:
        return sizeof(uint64_t);
    case OPTION_PORT:
        return sizeof(uint16_t);
    case OPTION_TIME:
    case OPTION_RATE:
        return sizeof(int64_t);
    case OPTION_ADDRESS:
        return sizeof(struct ip);
    case OPTION_NETWORK:
        return sizeof(struct ip_net);
    case OPTION_ENDPOINT:
        return sizeof(struct endpoint);
    case OPTION_ROWS:
        return o->row->size;
    }
    return 0;
}

static bool unit_read(const struct unit *units, struct str text, uint64_t *ret)
{
    uint64_t n;

    if (!str_eat_u64(&text, &n))
        return false;
    if (n == 0 && text.len == 0) {
        *ret = 0;
        return true;
    }
    for (const struct unit *u = units; u->name; u++)
        if (str_eq(text, str_of(u->name)))
            return !__builtin_mul_overflow(n, u->factor, ret);
    return false;
}

static bool unit_write(const struct unit *units, uint64_t value, struct buf *to)
{
    const struct unit *u = units;

    if (value == 0)
        return buf_add_char(to, '0');
    while (value % u->factor != 0)
        u++;
    return buf_addf(to, "%" PRIu64 "%s", value / u->factor, u->name);
}

/* The number in `text` as the option's type writes it. */
static bool number_read(const struct option *o, struct str text, uint64_t *ret)
{
    switch (o->type) {
    case OPTION_SIZE:
    case OPTION_SIZE32:
        return unit_read(size_units, text, ret);
    case OPTION_TIME:
        return unit_read(time_units, text, ret);
    default:
        return str_to_u64(text, UINT64_MAX, ret);
    }
}

static bool number_write(const struct option *o, uint64_t value, struct buf *to)
{
    switch (o->type) {
    case OPTION_SIZE:
    case OPTION_SIZE32:
        return unit_write(size_units, value, to);
    case OPTION_TIME:
        return unit_write(time_units, value, to);
    default:
        return buf_addf(to, "%" PRIu64, value);
    }
}

static const char *type_words(enum option_type type)
{
    switch (type) {
    case OPTION_TEXT:
        return "text";
    case OPTION_PATH:
        return "an absolute path";
    case OPTION_NAME:
        return "a host name, international ones as xn--…";
    case OPTION_DOMAIN:
        return "a domain, international ones as xn--…";
    case OPTION_PATTERN:
        return "a domain, \".domain\" for what is below it, or \"*\"";
    case OPTION_WORD:
        return "one of";
    case OPTION_BOOL:
        return "true or false";
    case OPTION_COUNT:
    case OPTION_COUNT64:
    case OPTION_RATE:
        return "a number";
    case OPTION_PORT:
        return "a port";
    case OPTION_SIZE:
    case OPTION_SIZE32:
        return "a size such as 64M";
    case OPTION_TIME:
        return "a duration such as 250ms, 30s, 5m, 4h or 5d";
    case OPTION_ADDRESS:
        return "an IP address";
    case OPTION_NETWORK:
        return "a network such as 192.0.2.0/24 with no bits behind the prefix";
    case OPTION_ENDPOINT:
        return "an address and port such as 192.0.2.1:25 or \"[2001:db8::1]:25\"";
    case OPTION_ROWS:
        return "a list of mappings";
    }
    return "";
}

static bool is_number(enum option_type type)
{
    return type == OPTION_COUNT || type == OPTION_COUNT64 || type == OPTION_PORT ||
           type == OPTION_SIZE || type == OPTION_SIZE32 || type == OPTION_TIME ||
           type == OPTION_RATE;
}

bool option_expected(const struct option *o, struct buf *to)
{
    buf_addf(to, "%s", type_words(o->type));
    if (o->type == OPTION_WORD)
        for (const char *const *w = o->words; *w; w++)
            buf_addf(to, "%s %s", w == o->words ? "" : ",", *w);
    if (is_number(o->type)) {
        buf_addf(to, ", ");
        number_write(o, (uint64_t)o->min, to);
        buf_addf(to, " … ");
        number_write(o, (uint64_t)o->max, to);
    }
    return buf_ok(to);
}

/* "5": expected a number, 100 … 100000. */
static bool unexpected(const struct option *o, struct str text, struct err *err)
{
    struct buf words;
    int shown = text.len > 40 ? 40 : (int)text.len;

    buf_init(&words, 160);
    (void)option_expected(o, &words);
    err_set(err, ERR_CONFIG, "\"%.*s%s\": expected %s", shown, text.ptr ? text.ptr : "",
            text.len > 40 ? "…" : "", buf_cstr(&words));
    buf_done(&words);
    return false;
}

static bool number_set(const struct option *o, struct str text, void *to, struct err *err)
{
    uint64_t n;

    if (!number_read(o, text, &n) || n < (uint64_t)o->min || n > (uint64_t)o->max)
        return unexpected(o, text, err);
    switch (o->type) {
    case OPTION_PORT:
        *(uint16_t *)to = (uint16_t)n;
        return true;
    case OPTION_COUNT:
    case OPTION_SIZE32:
        *(unsigned *)to = (unsigned)n;
        return true;
    case OPTION_TIME:
    case OPTION_RATE:
        *(int64_t *)to = (int64_t)n;
        return true;
    default:
        *(uint64_t *)to = n;
        return true;
    }
}

static uint64_t number_get(const struct option *o, const void *from)
{
    switch (o->type) {
    case OPTION_PORT:
        return *(const uint16_t *)from;
    case OPTION_COUNT:
    case OPTION_SIZE32:
        return *(const unsigned *)from;
    case OPTION_TIME:
    case OPTION_RATE:
        return (uint64_t) * (const int64_t *)from;
    default:
        return *(const uint64_t *)from;
    }
}

static bool label_ok(struct str label)
{
    if (label.len < 1 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_is_alpha(label.ptr[i]) && !ascii_is_digit(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    return true;
}

/* Letters, digits and hyphens in labels (RFC 5321 §4.1.2). */
static bool domain_ok(struct str domain)
{
    if (domain.len > 253)
        return false;
    for (;;) {
        size_t dot = str_index(domain, '.');
        if (!label_ok(str_sub(domain, 0, dot)))
            return false;
        if (dot == domain.len)
            return true;
        domain = str_skip(domain, dot + 1);
    }
}

static struct str lower(struct arena *a, struct str text)
{
    struct str copy = arena_str(a, text);
    char *ptr = (char *)(uintptr_t)copy.ptr; /* the arena's bytes are ours to write */

    for (size_t i = 0; i < copy.len; i++)
        ptr[i] = ascii_lower(ptr[i]);
    return copy;
}

static bool domain_set(const struct option *o, struct str text, struct str *to, struct arena *a,
                       struct err *err)
{
    struct str domain = text;

    if (o->type == OPTION_PATTERN && str_starts(text, STR(".")))
        domain = str_skip(text, 1);
    if (!(o->type == OPTION_PATTERN && str_eq(text, STR("*"))) &&
        !(o->type == OPTION_NAME && text.len == 0) && !domain_ok(domain))
        return unexpected(o, text, err);
    *to = lower(a, text);
    return true;
}

static bool word_set(const struct option *o, struct str text, int *to, struct err *err)
{
    for (int i = 0; o->words[i]; i++)
        if (str_eq(text, str_of(o->words[i]))) {
            *to = i;
            return true;
        }
    return unexpected(o, text, err);
}

static bool bool_set(const struct option *o, struct str text, bool *to, struct err *err)
{
    bool is_true = str_eq(text, STR("true"));

    if (!is_true && !str_eq(text, STR("false")))
        return unexpected(o, text, err);
    *to = is_true;
    return true;
}

static bool address_set(const struct option *o, struct str text, struct ip *to, struct err *err)
{
    *to = (struct ip){ 0 };
    return text.len == 0 || ip_parse(text, to, NULL) || unexpected(o, text, err);
}

bool option_read(const struct option *o, struct str text, void *to, struct arena *a,
                 struct err *err)
{
    switch (o->type) {
    case OPTION_TEXT:
    case OPTION_PATH:
        *(struct str *)to = arena_str(a, text);
        return true;
    case OPTION_NAME:
    case OPTION_DOMAIN:
    case OPTION_PATTERN:
        return domain_set(o, text, to, a, err);
    case OPTION_WORD:
        return word_set(o, text, to, err);
    case OPTION_BOOL:
        return bool_set(o, text, to, err);
    case OPTION_ADDRESS:
        return address_set(o, text, to, err);
    case OPTION_NETWORK:
        return ip_net_parse(text, to, NULL) || unexpected(o, text, err);
    case OPTION_ENDPOINT:
        return endpoint_parse(text, to, NULL) || unexpected(o, text, err);
    case OPTION_ROWS:
        return unexpected(o, text, err);
    default:
        return number_set(o, text, to, err);
    }
}

/* A double-quoted YAML scalar; control characters never get in (parse.c). */
static bool text_write(struct str text, struct buf *to)
{
    buf_add_char(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_add_char(to, '\\');
        buf_add_char(to, text.ptr[i]);
    }
    return buf_add_char(to, '"');
}

bool option_write(const struct option *o, const void *from, struct buf *to)
{
    char text[ENDPOINT_TEXT_MAX];

    switch (o->type) {
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_NAME:
    case OPTION_DOMAIN:
    case OPTION_PATTERN:
        return text_write(*(const struct str *)from, to);
    case OPTION_WORD:
        return buf_addf(to, "%s", o->words[*(const int *)from]);
    case OPTION_BOOL:
        return buf_addf(to, "%s", *(const bool *)from ? "true" : "false");
    case OPTION_ADDRESS:
        return ((const struct ip *)from)->family == 0
                   ? text_write(STR(""), to)
                   : text_write(str_of(ip_format(from, text)), to);
    case OPTION_NETWORK:
        return text_write(str_of(ip_net_format(from, text)), to);
    case OPTION_ENDPOINT:
        return text_write(str_of(endpoint_format(from, text)), to);
    case OPTION_ROWS:
        return false;
    default:
        return number_write(o, number_get(o, from), to);
    }
}
