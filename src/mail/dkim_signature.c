// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_signature.c - reads DKIM-Signature fields (RFC 6376 §3.5, §6.1.1; RFC 8301). */
#include "mail/dkim_header.h"
#include "mail/dkim_tags.h"

#define SIGNATURE_VALUE_MAX (64 * 1024)
#define SIGNATURE_BYTES_MIN 64 /* Ed25519 */
#define DNS_NAME_MAX 253
#define DNS_LABEL_MAX 63
#define SIGNED_FIELDS_MAX 200 /* named in h=: each is looked for (fault S07) */

static bool read_algorithm(const struct dkim_tags *t, struct arena *a, struct dkim_signature *s,
                           struct err *err)
{
    struct str name = dkim_tags_compact(t, "a", a);

    if (str_eq_nocase(name, STR("rsa-sha256")))
        s->algorithm = DKIM_RSA_SHA256;
    else if (str_eq_nocase(name, STR("ed25519-sha256")))
        s->algorithm = DKIM_ED25519_SHA256;
    else if (str_eq_nocase(name, STR("rsa-sha1")))
        return err_set(err, ERR_SYNTAX, "a=rsa-sha1 is too weak (RFC 8301)");
    else
        return err_set(err, ERR_SYNTAX, "a= names no algorithm known");
    return true;
}

static bool read_form(struct str name, enum dkim_form *ret, struct err *err)
{
    if (name.len == 0 || str_eq_nocase(name, STR("simple")))
        *ret = DKIM_SIMPLE;
    else if (str_eq_nocase(name, STR("relaxed")))
        *ret = DKIM_RELAXED;
    else
        return err_set(err, ERR_SYNTAX, "c= names no canonical form known");
    return true;
}

static bool read_forms(const struct dkim_tags *t, struct arena *a, struct dkim_signature *s,
                       struct err *err)
{
    struct str both = dkim_tags_compact(t, "c", a), header = both, body = STR_NONE;

    if (str_cut(both, '/', &header, &body) && (header.len == 0 || body.len == 0))
        return err_set(err, ERR_SYNTAX, "c= names no canonical form known");
    return read_form(header, &s->header_form, err) && read_form(body, &s->body_form, err);
}

/* Compared as names are: without regard to case, by whole labels. */
static bool is_within(struct str name, struct str domain)
{
    size_t more;

    if (name.len < domain.len)
        return false;
    more = name.len - domain.len;
    return str_eq_nocase(str_skip(name, more), domain) && (more == 0 || name.ptr[more - 1] == '.');
}

static bool read_identity(const struct dkim_tags *t, struct arena *a, struct dkim_signature *s,
                          struct err *err)
{
    struct str local, domain;

    s->identity = dkim_tags_compact(t, "i", a);
    if (s->identity.len == 0)
        s->identity = arena_strf(a, "@%.*s", STR_FMT(s->domain));
    if (!str_cut_last(s->identity, '@', &local, &domain) || !is_within(domain, s->domain))
        return err_set(err, ERR_SYNTAX, "i= is not of the domain in d=");
    return true;
}

/* Letters, digits, hyphens; underscores as well, which some put into their selectors. */
static bool dns_name_ok(struct str name)
{
    size_t label = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c == '.' ? label == 0
                     : !ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > DNS_LABEL_MAX)
            return false;
    }
    return label > 0 && name.len <= DNS_NAME_MAX;
}

static bool read_names(const struct dkim_tags *t, struct arena *a, struct dkim_signature *s,
                       struct err *err)
{
    s->domain = dkim_tags_compact(t, "d", a);
    s->selector = dkim_tags_compact(t, "s", a);
    if (!dns_name_ok(s->domain))
        return err_set(err, ERR_SYNTAX, "d= is no domain");
    if (!dns_name_ok(s->selector))
        return err_set(err, ERR_SYNTAX, "s= is no selector");
    return read_identity(t, a, s, err);
}

static bool field_name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == ';')
            return false;
    return name.len > 0;
}

static bool read_headers(const struct dkim_tags *t, struct arena *a, struct dkim_signature *s,
                         struct err *err)
{
    struct str rest;
    size_t count = 0;

    rest = s->headers = dkim_tags_compact(t, "h", a);
    for (bool more = true; more; count++) {
        struct str name = rest;

        more = str_cut(rest, ':', &name, &rest);
        if (!field_name_ok(name))
            return err_set(err, ERR_SYNTAX, "h= names a field that is none");
        if (count == SIGNED_FIELDS_MAX)
            return err_set(err, ERR_SYNTAX, "h= names over %d fields", SIGNED_FIELDS_MAX);
    }
    if (!dkim_list_has(s->headers, "From"))
        return err_set(err, ERR_SYNTAX, "h= does not name From");
    return true;
}

/* An unset number leaves *ret alone. */
static bool read_number(const struct dkim_tags *t, const char *name, uint64_t most, uint64_t *ret,
                        struct err *err)
{
    const struct dkim_tag *tag = dkim_tags_find(t, name);

    if (tag && !str_to_u64(tag->value, most, ret))
        return err_set(err, ERR_SYNTAX, "%s= is no number, or too large a one", name);
    return true;
}

static bool read_numbers(const struct dkim_tags *t, struct dkim_signature *s, struct err *err)
{
    uint64_t signed_s = 0, expires_s = 0;

    s->body_length = UINT64_MAX;
    if (!read_number(t, "l", UINT64_MAX - 1, &s->body_length, err) ||
        !read_number(t, "t", INT64_MAX, &signed_s, err) ||
        !read_number(t, "x", INT64_MAX, &expires_s, err))
        return false;
    if (dkim_tags_find(t, "x") && (expires_s == 0 || expires_s < signed_s))
        return err_set(err, ERR_SYNTAX, "x= is before t=");
    s->signed_s = (int64_t)signed_s;
    s->expires_s = (int64_t)expires_s;
    return true;
}

static bool read_bytes(const struct dkim_tags *t, struct arena *a, struct dkim_signature *s,
                       struct err *err)
{
    struct str hash;

    if (!dkim_tags_base64(t, "bh", a, &hash, err) ||
        !dkim_tags_base64(t, "b", a, &s->signature, err))
        return false;
    if (hash.len != DKIM_HASH_BYTES)
        return err_set(err, ERR_SYNTAX, "bh= is no SHA-256");
    if (s->signature.len < SIGNATURE_BYTES_MIN)
        return err_set(err, ERR_SYNTAX, "b= is too short");
    memcpy(s->body_hash, hash.ptr, DKIM_HASH_BYTES);
    return true;
}

static bool read_rules(const struct dkim_tags *t, struct arena *a, struct err *err)
{
    static const char *const needed[] = { "v", "a", "b", "bh", "d", "h", "s" };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!dkim_tags_find(t, needed[i]))
            return err_set(err, ERR_SYNTAX, "%s= is missing", needed[i]);
    if (!str_eq(dkim_tags_compact(t, "v", a), STR("1")))
        return err_set(err, ERR_SYNTAX, "v= is not 1");
    if (dkim_tags_find(t, "q") && !dkim_list_has(dkim_tags_compact(t, "q", a), "dns/txt"))
        return err_set(err, ERR_SYNTAX, "q= names no way to the key known");
    return true;
}

bool dkim_signature_read(struct str value, struct arena *a, struct dkim_signature *ret,
                         struct err *err)
{
    struct dkim_signature s = { .offset = ret->offset, .len = ret->len };
    struct dkim_tags t;

    if (value.len > SIGNATURE_VALUE_MAX)
        return err_set(err, ERR_SYNTAX, "a signature of %zu octets", value.len);
    if (!dkim_tags_read(value, &t, err)) {
        if (err)
            err->kind = ERR_SYNTAX;
        return false;
    }
    if (!read_rules(&t, a, err) || !read_algorithm(&t, a, &s, err) || !read_forms(&t, a, &s, err) ||
        !read_names(&t, a, &s, err) || !read_headers(&t, a, &s, err) ||
        !read_numbers(&t, &s, err) || !read_bytes(&t, a, &s, err))
        return false;
    *ret = s;
    return true;
}

bool dkim_signature_next(struct str section, size_t *at, struct arena *a,
                         struct dkim_signature *ret, struct err *err)
{
    struct header_field f;

    while (header_next(section, at, &f)) {
        struct dkim_signature s = { .offset = f.offset, .len = f.len };

        if (!str_eq_nocase(f.name, STR("DKIM-Signature")))
            continue;
        if (!dkim_signature_read(f.value, a, &s, err))
            s.algorithm = 0;
        *ret = s;
        return true;
    }
    return false;
}
