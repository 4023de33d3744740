// SPDX-License-Identifier: Apache-2.0
/* vault/secret.c - making, hashing and comparing secrets (libsodium). */
#include "vault/secret.h"

#include <assert.h>
#include <sodium.h>

#include "base/code.h"
#include "base/mem.h"
#include "io/clock.h"

static_assert(SECRET_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
static_assert(SECRET_KEY_BYTES == crypto_generichash_KEYBYTES, "its recommended key");

bool secret_init(struct err *err)
{
    return sodium_init() >= 0 || err_set(err, ERR_IO, "libsodium does not start on this machine");
}

void secret_make(bool is_key, char text[SECRET_TEXT_MAX + 1])
{
    uint8_t bytes[32];
    struct buf b;

    random_bytes(bytes, sizeof bytes);
    buf_init(&b, SECRET_TEXT_MAX);
    (void)buf_room(&b, SECRET_TEXT_MAX); /* once, so that growing leaves no copy behind */
    buf_add(&b, is_key ? STR("bt_live_") : STR("bt_"));
    hex_add(&b, str_make(bytes, sizeof bytes));
    assert(b.len == (is_key ? SECRET_KEY_TEXT_LEN : SECRET_TEXT_LEN));
    memcpy(text, b.ptr, b.len);
    text[b.len] = '\0';
    mem_wipe(bytes, sizeof bytes);
    mem_wipe(b.ptr, b.len);
    buf_done(&b);
}

bool secret_is_ours(struct str text)
{
    return str_starts(text, STR("bt_"));
}

void secret_fingerprint(struct str hex, uint8_t ret[SECRET_HASH_BYTES])
{
    size_t len;
    int failed = sodium_hex2bin(ret, SECRET_HASH_BYTES, hex.ptr, hex.len, NULL, &len, NULL);

    assert(!failed && len == SECRET_HASH_BYTES); /* it was checked when it was set */
}

void secret_hash(const uint8_t key[SECRET_KEY_BYTES], struct str secret,
                 uint8_t ret[SECRET_HASH_BYTES])
{
    int failed = crypto_generichash(ret, SECRET_HASH_BYTES, (const uint8_t *)secret.ptr, secret.len,
                                    key, SECRET_KEY_BYTES);

    assert(!failed); /* only sizes out of bounds fail */
}

bool secret_hash_eq(const uint8_t a[SECRET_HASH_BYTES], const uint8_t b[SECRET_HASH_BYTES])
{
    return sodium_memcmp(a, b, SECRET_HASH_BYTES) == 0;
}
