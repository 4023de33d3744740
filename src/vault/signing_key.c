// SPDX-License-Identifier: Apache-2.0
/* vault/signing_key.c - RSA-2048 and Ed25519, by libcrypto. */
#include "vault/signing_key.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/mem.h"

enum { RSA_BITS = 2048 };

struct signing_key {
    EVP_PKEY *pkey;
    enum dkim_algorithm algorithm;
};

static struct signing_key *wrap(EVP_PKEY *pkey, enum dkim_algorithm algorithm)
{
    struct signing_key *k = NEW(struct signing_key);

    *k = (struct signing_key){ pkey, algorithm };
    return k;
}

void signing_key_free(struct signing_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

/* Making --------------------------------------------------------------------------------------- */

static bool write_record(const struct signing_key *k, struct buf *record)
{
    uint8_t raw[32], *der = NULL;
    size_t len = sizeof raw;
    bool ok;

    if (k->algorithm == DKIM_ED25519_SHA256)
        return EVP_PKEY_get_raw_public_key(k->pkey, raw, &len) == 1 &&
               dkim_key_write(record, k->algorithm, str_make(raw, len));
    int der_len = i2d_PUBKEY(k->pkey, &der);
    ok = der_len > 0 && dkim_key_write(record, k->algorithm, str_make(der, (size_t)der_len));
    OPENSSL_free(der);
    return ok;
}

bool signing_key_make(enum dkim_algorithm algorithm, struct signing_key **ret, struct buf *record,
                      struct err *err)
{
    /* A key from a generator that has no seed would be everybody's key (fault Y10). */
    int seeded = RAND_status();
    assert(seeded == 1);
    EVP_PKEY *pkey = algorithm == DKIM_RSA_SHA256 ? EVP_RSA_gen(RSA_BITS)
                                                  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!pkey)
        return err_set(err, ERR_IO, "libcrypto makes no key");
    struct signing_key *k = wrap(pkey, algorithm);
    if (!write_record(k, record)) {
        signing_key_free(k);
        return err_set(err, ERR_IO, "libcrypto does not give the public key");
    }
    *ret = k;
    return true;
}

/* Bytes ---------------------------------------------------------------------------------------- */

bool signing_key_write(const struct signing_key *k, struct buf *to, struct err *err)
{
    uint8_t *der = NULL;
    int len = i2d_PrivateKey(k->pkey, &der);

    if (len <= 0)
        return err_set(err, ERR_IO, "libcrypto does not give the private key");
    bool ok = buf_add(to, str_make(der, (size_t)len));
    OPENSSL_clear_free(der, (size_t)len);
    return ok || err_set(err, ERR_LIMIT, "the private key is too long");
}

static bool is_of(const EVP_PKEY *pkey, enum dkim_algorithm algorithm)
{
    return EVP_PKEY_is_a(pkey, algorithm == DKIM_RSA_SHA256 ? "RSA" : "ED25519") == 1;
}

bool signing_key_read(enum dkim_algorithm algorithm, struct str bytes, struct signing_key **ret,
                      struct err *err)
{
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, (long)bytes.len);

    if (!pkey || !is_of(pkey, algorithm)) {
        EVP_PKEY_free(pkey);
        return err_set(err, ERR_DAMAGED, "the private key does not parse");
    }
    *ret = wrap(pkey, algorithm);
    return true;
}

/* Signing -------------------------------------------------------------------------------------- */

static bool sign_rsa(EVP_PKEY *pkey, const uint8_t hash[DKIM_HASH_BYTES], uint8_t *signature,
                     size_t *len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
              EVP_PKEY_sign(ctx, signature, len, hash, DKIM_HASH_BYTES) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool sign_ed25519(EVP_PKEY *pkey, const uint8_t hash[DKIM_HASH_BYTES], uint8_t *signature,
                         size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1 &&
              EVP_DigestSign(ctx, signature, len, hash, DKIM_HASH_BYTES) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

bool signing_key_sign(const struct signing_key *k, const uint8_t hash[DKIM_HASH_BYTES],
                      uint8_t signature[SIGNATURE_BYTES_MAX], size_t *ret_len, struct err *err)
{
    size_t len = SIGNATURE_BYTES_MAX;

    if (!(k->algorithm == DKIM_RSA_SHA256 ? sign_rsa : sign_ed25519)(k->pkey, hash, signature,
                                                                     &len))
        return err_set(err, ERR_IO, "libcrypto does not sign with this key");
    *ret_len = len;
    return true;
}

bool signing_key_init(struct err *err)
{
    static const uint8_t hash[DKIM_HASH_BYTES];
    uint8_t signature[SIGNATURE_BYTES_MAX];
    struct signing_key *k;
    struct buf record;
    size_t len;

    buf_init(&record, KEY_RECORD_BYTES_MAX);
    bool ok = signing_key_make(DKIM_ED25519_SHA256, &k, &record, err);
    if (ok) {
        ok = signing_key_sign(k, hash, signature, &len, err);
        signing_key_free(k);
    }
    buf_done(&record);
    return ok;
}
