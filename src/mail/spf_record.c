// SPDX-License-Identifier: Apache-2.0
/* mail/spf_record.c - reads an SPF record, all of it: one wrong term makes the whole record wrong
 * (RFC 7208 §4.6). */
#include "mail/spf_record.h"

#include "mail/spf_macro.h"

#define VERSION STR("v=spf1")

bool spf_record_is(struct str text)
{
    return str_starts_nocase(text, VERSION) && (text.len == VERSION.len || text.ptr[6] == ' ');
}

/* What may stand behind a mechanism's name. */
enum shape { SHAPE_NOTHING, SHAPE_DOMAIN, SHAPE_MAYBE_DOMAIN, SHAPE_HOST, SHAPE_IP4, SHAPE_IP6 };

static const struct {
    struct str name;
    enum spf_mechanism mechanism;
    enum shape shape;
} mechanisms[] = {
    { STR("all"), SPF_ALL, SHAPE_NOTHING },
    { STR("include"), SPF_INCLUDE, SHAPE_DOMAIN },
    { STR("a"), SPF_A, SHAPE_HOST },
    { STR("mx"), SPF_MX, SHAPE_HOST },
    { STR("ptr"), SPF_PTR, SHAPE_MAYBE_DOMAIN },
    { STR("ip4"), SPF_IP4, SHAPE_IP4 },
    { STR("ip6"), SPF_IP6, SHAPE_IP6 },
    { STR("exists"), SPF_EXISTS, SHAPE_DOMAIN },
};

/* "0", or digits that do not begin with one. */
static bool bits_parse(struct str text, unsigned max, uint8_t *ret)
{
    uint64_t bits;

    if ((text.len > 1 && text.ptr[0] == '0') || !str_to_u64(text, max, &bits))
        return false;
    *ret = (uint8_t)bits;
    return true;
}

/* Takes "/digits" from the end of *text. False: there is none. A slash may stand in a domain-spec
 * as well, so only the last one counts, and only with digits behind. */
static bool bits_eat(struct str *text, struct str *ret_digits)
{
    size_t slash = str_index_last(*text, '/');
    struct str digits = str_skip(*text, slash + 1);

    for (size_t i = 0; i < digits.len; i++)
        if (!ascii_is_digit(digits.ptr[i]))
            return false;
    if (digits.len == 0)
        return false;
    *ret_digits = digits;
    *text = str_sub(*text, 0, slash);
    return true;
}

/* "/24", "//64", "/24//64" or nothing at the end of *text, removed. */
static bool dual_cidr_eat(struct str *text, struct spf_directive *d)
{
    struct str digits;

    if (!bits_eat(text, &digits))
        return true;
    if (text->len > 0 && text->ptr[text->len - 1] == '/') {
        *text = str_sub(*text, 0, text->len - 1);
        if (!bits_parse(digits, 128, &d->bits6))
            return false;
        if (!bits_eat(text, &digits))
            return true;
    }
    return bits_parse(digits, 32, &d->bits4);
}

static bool domain_spec_take(struct str text, struct spf_directive *d)
{
    d->domain = text;
    return spf_macro_ok(text, SPF_TEXT_DOMAIN);
}

/* ":" domain-spec */
static bool domain_take(struct str text, struct spf_directive *d)
{
    return text.len > 0 && text.ptr[0] == ':' && domain_spec_take(str_skip(text, 1), d);
}

/* [":" domain-spec] [dual-cidr] */
static bool host_take(struct str text, struct spf_directive *d)
{
    if (!dual_cidr_eat(&text, d))
        return false;
    return text.len == 0 || domain_take(text, d);
}

/* ":" network ["/" bits] */
static bool network_take(struct str text, unsigned family, struct spf_directive *d)
{
    struct str address = str_skip(text, 1), bits;
    bool is_ip6 = family == 6;

    if (text.len == 0 || text.ptr[0] != ':')
        return false;
    if (str_cut(address, '/', &address, &bits) &&
        !bits_parse(bits, is_ip6 ? 128 : 32, is_ip6 ? &d->bits6 : &d->bits4))
        return false;
    if (!ip_parse(address, &d->ip, NULL))
        return false;
    return (str_index(address, ':') < address.len) == is_ip6;
}

static bool shape_take(enum shape shape, struct str text, struct spf_directive *d)
{
    switch (shape) {
    case SHAPE_NOTHING:
        return text.len == 0;
    case SHAPE_MAYBE_DOMAIN:
        return text.len == 0 || domain_take(text, d);
    case SHAPE_DOMAIN:
        return domain_take(text, d);
    case SHAPE_HOST:
        return host_take(text, d);
    case SHAPE_IP4:
        return network_take(text, 4, d);
    case SHAPE_IP6:
        return network_take(text, 6, d);
    }
    return false;
}

/* The letters and digits at the front. */
static struct str name_of(struct str term)
{
    size_t len = 0;

    while (len < term.len && (ascii_is_alpha(term.ptr[len]) || ascii_is_digit(term.ptr[len])))
        len++;
    return str_sub(term, 0, len);
}

static enum spf_result qualifier_eat(struct str *term)
{
    static const struct {
        char sign;
        enum spf_result result;
    } qualifiers[] = {
        { '+', SPF_PASS }, { '-', SPF_FAIL }, { '~', SPF_SOFTFAIL }, { '?', SPF_NEUTRAL }
    };

    for (size_t i = 0; i < sizeof qualifiers / sizeof qualifiers[0]; i++)
        if (term->len > 0 && term->ptr[0] == qualifiers[i].sign) {
            *term = str_skip(*term, 1);
            return qualifiers[i].result;
        }
    return SPF_PASS;
}

static bool directive_parse(struct str term, struct spf_directive *ret)
{
    struct spf_directive d = { .text = term, .bits4 = 32, .bits6 = 128 };

    d.result = qualifier_eat(&term);
    struct str name = name_of(term);
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (str_eq_nocase(name, mechanisms[i].name)) {
            d.mechanism = mechanisms[i].mechanism;
            *ret = d;
            return shape_take(mechanisms[i].shape, str_skip(term, name.len), ret);
        }
    return false;
}

/* Modifiers
 * -----------------------------------------------------------------------------------------------
 */

static bool name_byte_ok(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* name "=" …, the name beginning with a letter (§12). */
static bool is_modifier(struct str term)
{
    size_t len = 0;

    if (term.len == 0 || !ascii_is_alpha(term.ptr[0]))
        return false;
    while (len < term.len && name_byte_ok(term.ptr[len]))
        len++;
    return len < term.len && term.ptr[len] == '=';
}

/* redirect= and exp= may each stand once (§6). */
static bool modifier_take(struct str term, struct spf_record *r)
{
    size_t equals = str_index(term, '=');
    struct str name = str_sub(term, 0, equals), value = str_skip(term, equals + 1);
    bool redirect = str_eq_nocase(name, STR("redirect"));

    if (!redirect && !str_eq_nocase(name, STR("exp")))
        return spf_macro_ok(value, SPF_TEXT_ANY);
    struct str *place = redirect ? &r->redirect : &r->explanation;
    if (place->len > 0 || !spf_macro_ok(value, SPF_TEXT_DOMAIN))
        return false;
    *place = value;
    return true;
}

bool spf_record_parse(struct str text, struct arena *a, struct spf_record *ret, struct err *err)
{
    struct str rest = str_skip(text, VERSION.len), term;
    struct spf_record r = { .directives = ARENA_ARRAY(a, struct spf_directive, text.len / 2 + 1) };

    while (str_next(&rest, ' ', &term)) {
        if (term.len == 0)
            continue;
        bool ok = is_modifier(term) ? modifier_take(term, &r)
                                    : directive_parse(term, &r.directives[r.count]);
        if (!ok)
            return err_set(err, ERR_SYNTAX, "\"%.*s\" is no term of an SPF record",
                           STR_FMT(str_sub(term, 0, 80)));
        r.count += !is_modifier(term);
    }
    *ret = r;
    return true;
}
