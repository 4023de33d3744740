// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_key.c - the TXT record that publishes a key (RFC 6376 §3.6.1, RFC 8463 §4): reader,
 * writer, and whether two say the same. */
#include <openssl/evp.h>

#include "base/code.h"
#include "mail/dkim_public.h"
#include "mail/dkim_tags.h"

#define RECORD_MAX (8 * 1024)
#define RSA_BITS_MIN 1024 /* RFC 8301 §3.2 */
#define RSA_BITS_MAX 8192 /* longer ones are there to burn time (fault S07) */

/* SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4) up to its 32 octets. */
static const uint8_t ed25519_prefix[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                          0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

static bool read_rsa(struct dkim_key *k, struct err *err)
{
    EVP_PKEY *public = dkim_public_new(k);

    if (!public)
        return err_set(err, ERR_SYNTAX, "p= is no RSA key");
    k->bits = (unsigned)EVP_PKEY_get_bits(public);
    EVP_PKEY_free(public);
    if (k->bits < RSA_BITS_MIN)
        return err_set(err, ERR_SYNTAX, "an RSA key of %u bits is too weak (RFC 8301)", k->bits);
    if (k->bits > RSA_BITS_MAX)
        return err_set(err, ERR_SYNTAX, "an RSA key of %u bits is too long", k->bits);
    return true;
}

static bool read_bytes(const struct dkim_tags *t, struct arena *a, struct dkim_key *k,
                       struct err *err)
{
    if (!dkim_tags_base64(t, "p", a, &k->bytes, err))
        return false;
    k->revoked = k->bytes.len == 0;
    if (k->revoked)
        return true;
    if (k->algorithm == DKIM_RSA_SHA256)
        return read_rsa(k, err);
    if (k->bytes.len != DKIM_ED25519_BYTES)
        return err_set(err, ERR_SYNTAX, "p= is no Ed25519 key: it has not %d octets",
                       DKIM_ED25519_BYTES);
    return true;
}

static bool read_algorithm(const struct dkim_tags *t, struct arena *a, struct dkim_key *k,
                           struct err *err)
{
    struct str name = dkim_tags_compact(t, "k", a);

    if (name.len == 0 || str_eq_nocase(name, STR("rsa")))
        k->algorithm = DKIM_RSA_SHA256;
    else if (str_eq_nocase(name, STR("ed25519")))
        k->algorithm = DKIM_ED25519_SHA256;
    else
        return err_set(err, ERR_SYNTAX, "k= names no algorithm known");
    return true;
}

static bool read_limits(const struct dkim_tags *t, struct arena *a, struct dkim_key *k,
                        struct err *err)
{
    struct str services = dkim_tags_compact(t, "s", a), flags = dkim_tags_compact(t, "t", a);

    if (dkim_tags_find(t, "h") && !dkim_list_has(dkim_tags_compact(t, "h", a), "sha256"))
        return err_set(err, ERR_SYNTAX, "h= does not allow sha256");
    if (dkim_tags_find(t, "s") && !dkim_list_has(services, "*") &&
        !dkim_list_has(services, "email"))
        return err_set(err, ERR_SYNTAX, "s= does not allow email");
    k->testing = dkim_list_has(flags, "y");
    k->strict_identity = dkim_list_has(flags, "s");
    return true;
}

static bool read_version(const struct dkim_tags *t, struct err *err)
{
    const struct dkim_tag *version = dkim_tags_find(t, "v");

    if (version && (version != &t->list[0] || !str_eq(version->value, STR("DKIM1"))))
        return err_set(err, ERR_SYNTAX, "v= is not DKIM1, or not first");
    if (!dkim_tags_find(t, "p"))
        return err_set(err, ERR_SYNTAX, "p= is missing");
    return true;
}

bool dkim_key_read(struct str record, struct arena *a, struct dkim_key *ret, struct err *err)
{
    struct dkim_key k = { 0 };
    struct dkim_tags t;

    if (record.len > RECORD_MAX)
        return err_set(err, ERR_SYNTAX, "a record of %zu octets", record.len);
    if (!dkim_tags_read(record, &t, err)) {
        if (err)
            err->kind = ERR_SYNTAX;
        return false;
    }
    if (!read_version(&t, err) || !read_algorithm(&t, a, &k, err) || !read_limits(&t, a, &k, err) ||
        !read_bytes(&t, a, &k, err))
        return false;
    *ret = k;
    return true;
}

bool dkim_key_write(struct buf *to, enum dkim_algorithm algorithm, struct str public_key)
{
    struct str prefix = str_make(ed25519_prefix, sizeof(ed25519_prefix));

    if (algorithm == DKIM_ED25519_SHA256 && str_starts(public_key, prefix) &&
        public_key.len == prefix.len + DKIM_ED25519_BYTES)
        public_key = str_skip(public_key, prefix.len);
    buf_add(to, algorithm == DKIM_RSA_SHA256 ? STR("v=DKIM1; k=rsa; p=")
                                             : STR("v=DKIM1; k=ed25519; p="));
    return base64_add(to, public_key);
}

/* RSA keys have two forms. */
static bool bytes_same(const struct dkim_key *a, const struct dkim_key *b)
{
    EVP_PKEY *one, *two;
    bool same;

    if (str_eq(a->bytes, b->bytes))
        return true;
    if (a->algorithm != DKIM_RSA_SHA256 || a->revoked || b->revoked)
        return false;
    one = dkim_public_new(a);
    two = dkim_public_new(b);
    same = one && two && EVP_PKEY_eq(one, two) == 1;
    EVP_PKEY_free(one);
    EVP_PKEY_free(two);
    return same;
}

bool dkim_key_same(struct str record, struct str expected)
{
    struct dkim_key a, b;
    struct arena arena;
    bool same;

    arena_init(&arena, 4096);
    same = dkim_key_read(record, &arena, &a, NULL) && dkim_key_read(expected, &arena, &b, NULL) &&
           a.algorithm == b.algorithm && a.testing == b.testing &&
           a.strict_identity == b.strict_identity && bytes_same(&a, &b);
    arena_done(&arena);
    return same;
}
