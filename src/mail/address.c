// SPDX-License-Identifier: Apache-2.0
/* mail/address.c - judges mailboxes, paths and host names; repairs none of them.
 *
 * Whether an address exists, or may be used by this client, is for others: here only the grammar
 * counts. */
#include "mail/address.h"

#include <idn2.h>

#include "base/code.h"
#include "base/ip.h"

enum { LABEL_MAX = 63 };

static bool is_atext(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_high(char c)
{
    return (unsigned char)c > 127;
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

/* Well-formed UTF-8 without C1 controls: those move a terminal's cursor as C0 ones do. */
static bool utf8_printable(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if ((unsigned char)text.ptr[i] == 0xc2 && (unsigned char)text.ptr[i + 1] < 0xa0)
            return false;
    return utf8_ok(text);
}

/* atoms between single dots: RFC 5321 §4.1.2, with UTF8-non-ascii of RFC 6531 §3.3 */
static bool dot_string_ok(struct str text)
{
    bool after_dot = true;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '.' ? after_dot : !is_atext(c) && !is_high(c))
            return false;
        after_dot = c == '.';
    }
    return !after_dot;
}

/* The length of the Quoted-string at the front of `text`, 0 when there is none. */
static size_t quoted_len(struct str text)
{
    if (text.len == 0 || text.ptr[0] != '"')
        return 0;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '"')
            return i + 1;
        if (c == '\\') {
            if (++i == text.len || !is_printable(text.ptr[i]))
                return 0;
        } else if (!is_printable(c) && !is_high(c)) {
            return 0;
        }
    }
    return 0;
}

static bool label_ok(struct str label, bool utf8)
{
    bool ascii = str_is_ascii(label);

    /* How long a U-label may be shows only when it has become an A-label. */
    if (label.len == 0 || (ascii && label.len > LABEL_MAX) || (!ascii && !utf8))
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];

        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && !is_high(c))
            return false;
    }
    return label.ptr[0] != '-' && label.ptr[label.len - 1] != '-';
}

bool domain_ok(struct str text, bool utf8)
{
    struct str label, rest = text;

    if (text.len == 0 || text.len > ADDRESS_DOMAIN_MAX || !utf8_printable(text))
        return false;
    while (str_cut(rest, '.', &label, &rest))
        if (!label_ok(label, utf8))
            return false;
    return label_ok(rest, utf8);
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]": the only tag ever registered (RFC 5321 §4.1.3). */
static bool literal_ok(struct str text)
{
    struct str inner;
    struct ip ip;
    bool has_tag;

    if (text.len < 3 || text.ptr[0] != '[' || text.ptr[text.len - 1] != ']')
        return false;
    inner = str_sub(text, 1, text.len - 2);
    has_tag = str_starts_nocase(inner, STR("IPv6:"));
    if (has_tag)
        inner = str_skip(inner, 5);
    if (has_tag != (str_index(inner, ':') < inner.len))
        return false;
    return ip_parse(inner, &ip, NULL);
}

/* Splits around the '@' behind the local part, which in quotes may hold one itself. */
static bool split(struct str text, struct str *ret_local, struct str *ret_domain)
{
    size_t quoted = quoted_len(text);

    if (quoted == 0)
        return str_cut(text, '@', ret_local, ret_domain);
    if (quoted == text.len || text.ptr[quoted] != '@')
        return false;
    *ret_local = str_sub(text, 0, quoted);
    *ret_domain = str_skip(text, quoted + 1);
    return true;
}

/* RFC 5321 §4.5.3.1 wants no limits where they can be done without: other forwarders' rewritten
 * senders are often longer. */
static bool local_fits(struct str local, struct str domain)
{
    struct str inner = local.len > 0 && local.ptr[0] == '"' ? str_skip(local, 1) : local;

    if (local.len <= ADDRESS_LOCAL_MAX)
        return true;
    return (str_starts_nocase(inner, STR("SRS0")) || str_starts_nocase(inner, STR("SRS1"))) &&
           local.len + 1 + domain.len <= ADDRESS_PATH_MAX;
}

bool address_parse(struct str text, struct address *ret, struct err *err)
{
    struct str local, domain;
    bool is_literal;

    if (!split(text, &local, &domain))
        return err_set(err, ERR_SYNTAX, "address has no local part and domain around an @");
    if (!local_fits(local, domain))
        return err_set(err, ERR_LIMIT, "local part is over %d octets", ADDRESS_LOCAL_MAX);
    if (domain.len > ADDRESS_DOMAIN_MAX)
        return err_set(err, ERR_LIMIT, "domain is over %d octets", ADDRESS_DOMAIN_MAX);
    if (!utf8_printable(local) || (quoted_len(local) != local.len && !dot_string_ok(local)) ||
        local.len == 0)
        return err_set(err, ERR_SYNTAX, "local part of the address is malformed");
    is_literal = literal_ok(domain);
    if (!is_literal && !domain_ok(domain, true))
        return err_set(err, ERR_SYNTAX, "domain of the address is malformed");

    *ret = (struct address){
        .local = local,
        .domain = domain,
        .is_literal = is_literal,
        .is_utf8 = !str_is_ascii(local) || !str_is_ascii(domain),
    };
    return true;
}

bool address_format(struct buf *to, const struct address *a)
{
    buf_add(to, a->local);
    if (a->domain.len > 0) {
        buf_add_char(to, '@');
        buf_add(to, a->domain);
    }
    return buf_ok(to);
}

struct address address_copy(struct arena *arena, const struct address *a)
{
    struct address copy = *a;

    copy.local = arena_str(arena, a->local);
    copy.domain = arena_str(arena, a->domain);
    return copy;
}

bool address_eq(const struct address *a, const struct address *b)
{
    return str_eq(a->local, b->local) && domain_eq(a->domain, b->domain);
}

/* Position of the '>' that closes the path which `text` begins with; text.len without one. */
static size_t path_end(struct str text)
{
    bool quoted = false;

    for (size_t i = 1; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '>' && !quoted)
            return i;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted)
            i++;
    }
    return text.len;
}

/* Removes "@a,@b:" from the front: a server must read source routes and should ignore them (RFC
 * 5321 §4.1.1.3). */
static bool eat_route(struct str *text, struct err *err)
{
    struct str rest = *text;

    while (rest.len > 0 && rest.ptr[0] == '@') {
        struct str hop;
        size_t literal, len;
        char behind;

        rest = str_skip(rest, 1);
        literal = rest.len > 0 && rest.ptr[0] == '[' ? str_index(rest, ']') : 0;
        for (len = literal; len < rest.len && rest.ptr[len] != ',' && rest.ptr[len] != ':'; len++)
            ;
        hop = str_sub(rest, 0, len);
        behind = len < rest.len ? rest.ptr[len] : '\0';
        rest = str_skip(rest, len + 1);
        if (behind == '\0' || (!literal_ok(hop) && !domain_ok(hop, true)))
            return err_set(err, ERR_SYNTAX, "source route is malformed");
        if (behind == ':') {
            *text = rest;
            return true;
        }
    }
    return rest.ptr == text->ptr || err_set(err, ERR_SYNTAX, "source route is malformed");
}

static bool path_inner(struct str inner, enum path_kind kind, struct address *ret, struct err *err)
{
    if (inner.len == 0) {
        if (kind == PATH_FORWARD)
            return err_set(err, ERR_SYNTAX, "the null path <> takes no mail");
        *ret = (struct address){ .local = STR_NONE };
        return true;
    }
    /* RFC 5321 §4.5.1: the one local part that needs no domain. */
    if (kind == PATH_FORWARD && str_eq_nocase(inner, STR("postmaster"))) {
        *ret = (struct address){ .local = STR("postmaster") };
        return true;
    }
    return eat_route(&inner, err) && address_parse(inner, ret, err);
}

bool path_parse(struct str *text, enum path_kind kind, struct address *ret, struct err *err)
{
    struct str rest;
    size_t end;

    if (text->len == 0 || text->ptr[0] != '<')
        return err_set(err, ERR_SYNTAX, "the address must stand in angle brackets: <user@domain>");
    end = path_end(*text);
    if (end == text->len)
        return err_set(err, ERR_SYNTAX, "the angle bracket before the address is never closed");
    rest = str_skip(*text, end + 1);
    if (rest.len > 0 && rest.ptr[0] != ' ' && rest.ptr[0] != '\t')
        return err_set(err, ERR_SYNTAX,
                       "something stands right behind the address: a blank is missing");
    if (!path_inner(str_sub(*text, 1, end - 1), kind, ret, err))
        return false;

    while (rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t'))
        rest = str_skip(rest, 1);
    *text = rest;
    return true;
}

static struct str without_final_dot(struct str domain)
{
    if (domain.len > 1 && domain.ptr[domain.len - 1] == '.')
        domain.len--;
    return domain;
}

bool domain_eq(struct str a, struct str b)
{
    struct buf ascii_a, ascii_b;
    bool eq;

    a = without_final_dot(a);
    b = without_final_dot(b);
    if (str_eq_nocase(a, b))
        return true;
    if (str_is_ascii(a) && str_is_ascii(b))
        return false;
    buf_init(&ascii_a, ADDRESS_DOMAIN_MAX);
    buf_init(&ascii_b, ADDRESS_DOMAIN_MAX);
    eq = domain_ascii(&ascii_a, a, NULL) && domain_ascii(&ascii_b, b, NULL) &&
         str_eq(buf_str(&ascii_a), buf_str(&ascii_b));
    buf_done(&ascii_a);
    buf_done(&ascii_b);
    return eq;
}

static bool add_lower(struct buf *to, struct str domain, struct err *err)
{
    for (size_t i = 0; i < domain.len; i++)
        buf_add_char(to, ascii_lower(domain.ptr[i]));
    return buf_ok(to) || err_set(err, ERR_LIMIT, "domain is too long");
}

/* U-labels: mapped as browsers do (UTS 46, non-transitional), so that upper case finds its domain
 * too. */
static bool add_idna(struct buf *to, struct str domain, struct err *err)
{
    uint8_t text[ADDRESS_DOMAIN_MAX + 1];
    uint8_t *ascii = NULL;
    int rc;
    bool ok;

    memcpy(text, domain.ptr, domain.len);
    text[domain.len] = '\0';
    rc = idn2_lookup_u8(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK)
        return err_set(err, ERR_SYNTAX, "domain is no IDNA2008 name: %s", idn2_strerror(rc));
    /* The mapping may make anything of a sign: look again. */
    ok = domain_ok(str_of((const char *)ascii), false)
             ? add_lower(to, str_of((const char *)ascii), err)
             : err_set(err, ERR_SYNTAX, "domain is no IDNA2008 name");
    idn2_free(ascii);
    return ok;
}

bool domain_ascii(struct buf *to, struct str domain, struct err *err)
{
    domain = without_final_dot(domain);
    if (!domain_ok(domain, true))
        return err_set(err, ERR_SYNTAX, "domain is malformed");
    return str_is_ascii(domain) ? add_lower(to, domain, err) : add_idna(to, domain, err);
}

bool helo_ok(struct str text)
{
    if (text.len == 0 || text.len > ADDRESS_DOMAIN_MAX || !utf8_printable(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == ' ' || (!is_printable(text.ptr[i]) && !is_high(text.ptr[i])))
            return false;
    return true;
}
