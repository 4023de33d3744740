// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_digest.c - SHA-256 by libcrypto. That it can't be computed means that libcrypto is
 * broken: no role can go on with that. */
#include "mail/dkim_digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>

static EVP_MD *sha256;

/* Finding an algorithm by its name costs more than hashing a short message with it. */
static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
}

void *dkim_context_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    pthread_once(&once, fetch);
    assert(context != NULL && sha256 != NULL);
    return context;
}

void dkim_context_free(void *context)
{
    EVP_MD_CTX_free(context);
}

void dkim_context_begin(void *context)
{
    int ok = EVP_DigestInit_ex2(context, sha256, NULL);

    assert(ok == 1);
}

void dkim_context_end(void *context, uint8_t ret[DKIM_HASH_BYTES])
{
    int ok = EVP_DigestFinal_ex(context, ret, NULL);

    assert(ok == 1);
}

static void update(struct dkim_digest *d, struct str bytes)
{
    int ok;

    if (bytes.len > d->left)
        bytes.len = (size_t)d->left;
    d->left -= bytes.len;
    ok = EVP_DigestUpdate(d->context, bytes.ptr, bytes.len);
    assert(ok == 1);
}

void dkim_digest_flush(struct dkim_digest *d)
{
    update(d, str_make(d->bytes, d->len));
    d->len = 0;
}

void dkim_digest_add(struct dkim_digest *d, struct str bytes)
{
    if (bytes.len > DKIM_DIGEST_PIECE - d->len)
        dkim_digest_flush(d);
    if (bytes.len > DKIM_DIGEST_PIECE) {
        update(d, bytes);
        return;
    }
    if (bytes.len > 0)
        memcpy(d->bytes + d->len, bytes.ptr, bytes.len);
    d->len += bytes.len;
}
