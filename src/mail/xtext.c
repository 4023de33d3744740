// SPDX-License-Identifier: Apache-2.0
/* mail/xtext.c - reads the ESMTP parameters of MAIL and RCPT; xtext both ways.
 *
 * Whether a parameter may be used depends on what was offered to the client: that is the session's
 * to say. */
#include "mail/xtext.h"

#include "base/code.h"

enum { ENVID_MAX = 100, ORCPT_MAX = 500, SIZE_DIGITS_MAX = 20 };

/* RFC 3461 §4: every printable ASCII character but '+' and '='. */
static bool is_xchar(char c)
{
    return c > ' ' && c <= '~' && c != '+' && c != '=';
}

bool xtext_add(struct buf *to, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (is_xchar(bytes.ptr[i]))
            buf_add_char(to, bytes.ptr[i]);
        else
            buf_addf(to, "+%02X", (unsigned char)bytes.ptr[i]);
    }
    return buf_ok(to);
}

static int hex_digit(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character, or +HH, at the front of *text. */
static bool eat_xchar(struct str *text, char *ret)
{
    int high, low;

    if (is_xchar(text->ptr[0])) {
        *ret = text->ptr[0];
        *text = str_skip(*text, 1);
        return true;
    }
    if (text->ptr[0] != '+' || text->len < 3)
        return false;
    high = hex_digit(text->ptr[1]);
    low = hex_digit(text->ptr[2]);
    if (high < 0 || low < 0)
        return false;
    *ret = (char)(high * 16 + low);
    *text = str_skip(*text, 3);
    return true;
}

bool xtext_read(struct buf *to, struct str text, struct err *err)
{
    while (text.len > 0) {
        char c;

        if (!eat_xchar(&text, &c))
            return err_set(err, ERR_SYNTAX, "xtext has a sign it may not");
        if (!buf_add_char(to, c))
            return err_set(err, ERR_LIMIT, "xtext is over %zu octets", to->max);
    }
    return true;
}

/* xtext whose meaning is printable ASCII; what it means goes to `to`. */
static bool printable_xtext(struct str text, struct buf *to)
{
    if (!xtext_read(to, text, NULL))
        return false;
    for (size_t i = 0; i < to->len; i++)
        if (to->ptr[i] < ' ' || to->ptr[i] > '~')
            return false;
    return true;
}

/* KEYWORD or KEYWORD=value (RFC 5321 §4.1.1.11). */
struct param {
    struct str key, value;
    bool has_value;
};

/* Takes the next parameter from *text; false at the end, or with *ret_ok false when it is
 * malformed. */
static bool next_param(struct str *text, struct param *ret, bool *ret_ok)
{
    struct str word;

    *ret_ok = true;
    *text = str_trim(*text);
    if (!str_next(text, ' ', &word))
        return false;
    ret->has_value = str_cut(word, '=', &ret->key, &ret->value);
    if (!ret->has_value)
        *ret = (struct param){ .key = word };

    *ret_ok = ret->key.len > 0 && !(ret->has_value && ret->value.len == 0) && utf8_ok(ret->value);
    for (size_t i = 0; i < ret->key.len; i++)
        *ret_ok &= ascii_is_alpha(ret->key.ptr[i]) || ascii_is_digit(ret->key.ptr[i]) ||
                   (ret->key.ptr[i] == '-' && i > 0);
    for (size_t i = 0; i < ret->value.len; i++)
        *ret_ok &= (unsigned char)ret->value.ptr[i] > ' ' && ret->value.ptr[i] != 0x7f &&
                   ret->value.ptr[i] != '=';
    return *ret_ok;
}

enum param_bit {
    PARAM_SIZE = 1,
    PARAM_BODY = 2,
    PARAM_SMTPUTF8 = 4,
    PARAM_RET = 8,
    PARAM_ENVID = 16,
    PARAM_AUTH = 32,
    PARAM_NOTIFY = 64,
    PARAM_ORCPT = 128,
};

struct keyword {
    const char *name;
    enum param_bit bit;
    bool has_value;
};

static const struct keyword mail_keywords[] = {
    { "SIZE", PARAM_SIZE, true },
    { "BODY", PARAM_BODY, true },
    { "SMTPUTF8", PARAM_SMTPUTF8, false },
    { "RET", PARAM_RET, true },
    { "ENVID", PARAM_ENVID, true },
    { "AUTH", PARAM_AUTH, true },
    { NULL, 0, false },
};

static const struct keyword rcpt_keywords[] = {
    { "NOTIFY", PARAM_NOTIFY, true },
    { "ORCPT", PARAM_ORCPT, true },
    { NULL, 0, false },
};

/* Finds what `p` is; once per command (RFC 1870 §6.1, RFC 3461 §4.1). */
static bool identify(const struct keyword *list, const struct param *p, unsigned *seen,
                     enum param_bit *ret, struct err *err)
{
    for (const struct keyword *k = list; k->name; k++) {
        if (!str_eq_nocase(p->key, str_of(k->name)))
            continue;
        if (*seen & k->bit)
            return err_set(err, ERR_SYNTAX, "%s is given twice", k->name);
        if (p->has_value != k->has_value)
            return err_set(err, ERR_SYNTAX, k->has_value ? "%s needs a value" : "%s takes no value",
                           k->name);
        *seen |= k->bit;
        *ret = k->bit;
        return true;
    }
    return err_set(err, ERR_NOT_FOUND, "unknown parameter %.*s",
                   p->key.len < 64 ? (int)p->key.len : 64, p->key.ptr);
}

static bool read_size(struct str value, uint64_t *ret)
{
    struct str rest = value;

    if (value.len > SIZE_DIGITS_MAX)
        return false;
    if (str_to_u64(value, UINT64_MAX, ret))
        return true;
    /* Twenty digits can pass 64 bits: still a size, and over every limit. */
    while (rest.len > 0 && ascii_is_digit(rest.ptr[0]))
        rest = str_skip(rest, 1);
    *ret = UINT64_MAX;
    return rest.len == 0;
}

static bool read_body(struct str value, enum body_kind *ret)
{
    if (str_eq_nocase(value, STR("7BIT")))
        *ret = BODY_7BIT;
    else if (str_eq_nocase(value, STR("8BITMIME")))
        *ret = BODY_8BITMIME;
    else if (str_eq_nocase(value, STR("BINARYMIME")))
        *ret = BODY_BINARYMIME;
    else
        return false;
    return true;
}

static bool read_ret(struct str value, enum dsn_ret *ret)
{
    if (str_eq_nocase(value, STR("FULL")))
        *ret = RET_FULL;
    else if (str_eq_nocase(value, STR("HDRS")))
        *ret = RET_HDRS;
    else
        return false;
    return true;
}

static bool read_envid(struct str value, struct arena *a, struct str *ret)
{
    struct buf text;
    bool ok;

    buf_init(&text, ENVID_MAX);
    ok = printable_xtext(value, &text);
    if (ok)
        *ret = arena_str(a, buf_str(&text));
    buf_done(&text);
    return ok;
}

/* AUTH=<> or an xtext mailbox (RFC 4954 §5). */
static bool read_auth(struct str value)
{
    struct buf text;
    bool ok;

    buf_init(&text, ORCPT_MAX);
    ok = str_eq(value, STR("<>")) || printable_xtext(value, &text);
    buf_done(&text);
    return ok;
}

static bool mail_param(enum param_bit bit, struct str value, struct arena *a,
                       struct mail_params *to)
{
    switch (bit) {
    case PARAM_SIZE:
        return read_size(value, &to->size_bytes);
    case PARAM_BODY:
        return read_body(value, &to->body);
    case PARAM_RET:
        return read_ret(value, &to->ret);
    case PARAM_ENVID:
        return read_envid(value, a, &to->envid);
    case PARAM_AUTH:
        to->has_auth = true;
        return read_auth(value);
    default:
        to->smtputf8 = true;
        return true;
    }
}

bool mail_params_parse(struct str text, struct arena *a, struct mail_params *ret, struct err *err)
{
    struct mail_params params = { .body = BODY_7BIT };
    struct param p;
    unsigned seen = 0;
    bool ok;

    while (next_param(&text, &p, &ok)) {
        enum param_bit bit;

        if (!identify(mail_keywords, &p, &seen, &bit, err))
            return false;
        if (!mail_param(bit, p.value, a, &params))
            return err_set(err, ERR_SYNTAX, "%.*s has a bad value", STR_FMT(p.key));
    }
    if (!ok)
        return err_set(err, ERR_SYNTAX, "a parameter is malformed");
    *ret = params;
    return true;
}

/* NEVER, or a list of the others (RFC 3461 §4.1). */
static bool read_notify(struct str value, unsigned *ret)
{
    static const struct {
        struct str word;
        enum notify bit;
    } words[] = {
        { STR("SUCCESS"), NOTIFY_SUCCESS },
        { STR("FAILURE"), NOTIFY_FAILURE },
        { STR("DELAY"), NOTIFY_DELAY },
    };
    struct str word;
    bool more = true;

    if (str_eq_nocase(value, STR("NEVER"))) {
        *ret = NOTIFY_NEVER;
        return true;
    }
    *ret = NOTIFY_DEFAULT;
    while (more) {
        unsigned bit = 0;

        more = str_cut(value, ',', &word, &value);
        if (!more)
            word = value;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (str_eq_nocase(word, words[i].word))
                bit = words[i].bit;
        if (bit == 0)
            return false;
        *ret |= bit;
    }
    return true;
}

/* "\x{HEX}" at the front, removed (RFC 6533 §3: EmbeddedUnicodeChar). */
static bool eat_unicode(struct str *text)
{
    struct str rest = str_skip(*text, 3);
    size_t digits = 0;

    if (!str_starts(*text, STR("\\x{")))
        return false;
    while (digits < rest.len && hex_digit(rest.ptr[digits]) >= 0)
        digits++;
    if (digits < 2 || digits > 6 || digits == rest.len || rest.ptr[digits] != '}')
        return false;
    *text = str_skip(rest, digits + 1);
    return true;
}

/* utf-8-addr-xtext or, where SMTPUTF8 was given, utf-8-addr-unitext. The parameter's own grammar
 * has kept controls and broken UTF-8 out already. */
static bool utf8_address_ok(struct str text)
{
    while (text.len > 0) {
        if (text.ptr[0] == '+')
            return false;
        if (text.ptr[0] != '\\')
            text = str_skip(text, 1);
        else if (!eat_unicode(&text))
            return false;
    }
    return true;
}

static bool orcpt_ok(struct str value)
{
    struct str type, address;
    struct buf text;
    bool ok;

    if (value.len > ORCPT_MAX || !str_cut(value, ';', &type, &address) || type.len == 0 ||
        address.len == 0)
        return false;
    for (size_t i = 0; i < type.len; i++)
        if (!ascii_is_alpha(type.ptr[i]) && !ascii_is_digit(type.ptr[i]) && type.ptr[i] != '-')
            return false;
    if (str_eq_nocase(type, STR("utf-8")))
        return utf8_address_ok(address);
    buf_init(&text, ORCPT_MAX);
    ok = printable_xtext(address, &text);
    buf_done(&text);
    return ok;
}

bool rcpt_params_parse(struct str text, struct arena *a, struct rcpt_params *ret, struct err *err)
{
    struct rcpt_params params = { .notify = NOTIFY_DEFAULT };
    struct param p;
    unsigned seen = 0;
    bool ok;

    while (next_param(&text, &p, &ok)) {
        enum param_bit bit;

        if (!identify(rcpt_keywords, &p, &seen, &bit, err))
            return false;
        if (bit == PARAM_NOTIFY ? !read_notify(p.value, &params.notify) : !orcpt_ok(p.value))
            return err_set(err, ERR_SYNTAX, "%.*s has a bad value", STR_FMT(p.key));
        if (bit == PARAM_ORCPT)
            params.orcpt = arena_str(a, p.value);
    }
    if (!ok)
        return err_set(err, ERR_SYNTAX, "a parameter is malformed");
    *ret = params;
    return true;
}
