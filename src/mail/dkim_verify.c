// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_verify.c - what a signature is over (RFC 6376 §3.7, §5.4.2), whether it holds (§6.1.3),
 * and whether it still would after our edits. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "mail/dkim_header.h"
#include "mail/dkim_public.h"
#include "mail/dkim_tags.h"

/* --- what it is over --- */

static bool collect(struct dkim_fields *to, struct str section, size_t but_at, struct err *err)
{
    struct header_field f;

    for (size_t at = 0; header_next(section, &at, &f);) {
        if (to->count == DKIM_FIELDS_MAX)
            return err_set(err, ERR_LIMIT, "over %d header fields", DKIM_FIELDS_MAX);
        if (f.offset != but_at)
            dkim_fields_add(to, &f, false);
    }
    return true;
}

/* The lowest field of that name not hashed yet; that there is none is signed, too. */
static void add_field(struct dkim_digest *d, enum dkim_form form, struct str section,
                      struct dkim_fields *fields, struct str name)
{
    for (size_t i = fields->count; i-- > 0;) {
        struct dkim_field *f = &fields->list[i];
        struct str whole = str_sub(section, f->offset, f->len);

        if (f->mark || !str_eq_nocase(str_sub(whole, 0, f->name_len), name))
            continue;
        f->mark = true;
        dkim_header_add(d, form, whole);
        return;
    }
}

/* The field that carries the signature, without what stands in its b=, white space included. */
static bool add_own_field(struct dkim_digest *d, enum dkim_form form, struct str field,
                          struct err *err)
{
    size_t value = str_index(field, ':') + 1, from;
    const struct dkim_tag *b;
    struct dkim_tags tags;
    struct buf without;

    if (!dkim_tags_read(str_skip(field, value), &tags, err))
        return false;
    b = dkim_tags_find(&tags, "b");
    if (!b)
        return err_set(err, ERR_SYNTAX, "b= is missing");
    from = (size_t)(b->room.ptr - field.ptr);
    buf_init(&without, field.len + 2);
    buf_add(&without, str_sub(field, 0, from));
    buf_add(&without, str_skip(field, from + b->room.len));
    /* A b= that comes last took the line's end with it. */
    if (from + b->room.len == field.len)
        buf_add(&without, STR("\r\n"));
    dkim_header_add_last(d, form, buf_str(&without));
    buf_done(&without);
    return true;
}

static bool add_all(struct dkim_digest *d, struct str section, const struct dkim_signature *s,
                    struct dkim_fields *fields, struct err *err)
{
    struct str names = s->headers, name;

    if (!collect(fields, section, s->offset, err))
        return false;
    while (str_next(&names, ':', &name))
        add_field(d, s->header_form, section, fields, name);
    return add_own_field(d, s->header_form, str_sub(section, s->offset, s->len), err);
}

bool dkim_header_hash(struct str section, const struct dkim_signature *s,
                      uint8_t ret[DKIM_HASH_BYTES], struct err *err)
{
    void *context = dkim_context_new();
    struct dkim_digest d = { .context = context, .left = UINT64_MAX };
    struct dkim_fields fields;
    bool ok;

    dkim_fields_init(&fields);
    dkim_context_begin(context);
    ok = add_all(&d, section, s, &fields, err);
    if (ok) {
        dkim_digest_flush(&d);
        dkim_context_end(context, ret);
    }
    dkim_fields_done(&fields);
    dkim_context_free(context);
    return ok;
}

/* --- whether it holds --- */

/* p= has the form of RFC 5280 by RFC 6376's errata and practice, that of RFC 8017 by its letter. */
static EVP_PKEY *rsa_new(struct str bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.ptr, *end = at + bytes.len;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)bytes.len);

    if (!key) {
        at = (const unsigned char *)bytes.ptr;
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)bytes.len);
    }
    if (key && (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || at != end)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* What libcrypto remembers of a failure must not meet the next one who asks it, TLS
 * (SSL_get_error). */
EVP_PKEY *dkim_public_new(const struct dkim_key *k)
{
    EVP_PKEY *key;

    if (k->algorithm == DKIM_ED25519_SHA256)
        key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                          (const unsigned char *)k->bytes.ptr, k->bytes.len);
    else
        key = rsa_new(k->bytes);
    ERR_clear_error();
    return key;
}

static bool rsa_holds(EVP_PKEY *key, struct str signature, const uint8_t hash[DKIM_HASH_BYTES])
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
    bool ok = c && EVP_PKEY_verify_init(c) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
              EVP_PKEY_verify(c, (const unsigned char *)signature.ptr, signature.len, hash,
                              DKIM_HASH_BYTES) == 1;

    EVP_PKEY_CTX_free(c);
    return ok;
}

static bool ed25519_holds(EVP_PKEY *key, struct str signature, const uint8_t hash[DKIM_HASH_BYTES])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(c, (const unsigned char *)signature.ptr, signature.len, hash,
                               DKIM_HASH_BYTES) == 1;

    EVP_MD_CTX_free(c);
    return ok;
}

static bool fits(const struct dkim_signature *s, const struct dkim_key *key, int64_t now_s,
                 struct err *err)
{
    struct str local, domain;

    if (s->algorithm != key->algorithm)
        return err_set(err, ERR_SYNTAX, "the key is of another algorithm");
    if (key->revoked)
        return err_set(err, ERR_SYNTAX, "the key was revoked");
    if (s->expires_s != 0 && now_s > s->expires_s)
        return err_set(err, ERR_SYNTAX, "the signature has expired");
    if (key->strict_identity &&
        (!str_cut_last(s->identity, '@', &local, &domain) || !str_eq_nocase(domain, s->domain)))
        return err_set(err, ERR_SYNTAX, "the key is for d= itself only, i= is below it");
    return true;
}

bool dkim_verify(const struct dkim_signature *s, const struct dkim_key *key,
                 const uint8_t header_hash[DKIM_HASH_BYTES],
                 const uint8_t body_hash[DKIM_HASH_BYTES], int64_t now_s, struct err *err)
{
    EVP_PKEY *public;
    bool ok;

    if (!fits(s, key, now_s, err))
        return false;
    if (memcmp(s->body_hash, body_hash, DKIM_HASH_BYTES) != 0)
        return err_set(err, ERR_SYNTAX, "the body was changed");
    public = dkim_public_new(key);
    ok = public &&
         (s->algorithm == DKIM_ED25519_SHA256 ? ed25519_holds(public, s->signature, header_hash)
                                              : rsa_holds(public, s->signature, header_hash));
    EVP_PKEY_free(public);
    ERR_clear_error();
    return ok || err_set(err, ERR_SYNTAX, "the header was changed, or signed with another key");
}

/* --- whether it still would --- */

/* The same field, wherever our edits have moved it. */
static bool find_again(struct str field, struct str after, size_t *ret_offset)
{
    struct header_field f;

    for (size_t at = 0; header_next(after, &at, &f);) {
        if (str_eq(str_sub(after, f.offset, f.len), field)) {
            *ret_offset = f.offset;
            return true;
        }
    }
    return false;
}

bool dkim_signature_survives(const struct dkim_signature *s, struct str before, struct str after)
{
    struct dkim_signature moved = *s;
    uint8_t was[DKIM_HASH_BYTES], is[DKIM_HASH_BYTES];

    return find_again(str_sub(before, s->offset, s->len), after, &moved.offset) &&
           dkim_header_hash(before, s, was, NULL) && dkim_header_hash(after, &moved, is, NULL) &&
           memcmp(was, is, DKIM_HASH_BYTES) == 0;
}
