// SPDX-License-Identifier: Apache-2.0
/* vault/keybox.c - sealing and wrapping, with libsodium. */
#include "vault/keybox.h"

#include <assert.h>
#include <sodium.h>

#include "base/mem.h"
#include "io/clock.h"

enum {
    KEY_BYTES = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    VERSION = 1,
    PLACE_BYTES_MAX = 8 + 255,
    WRAPPING_KEY = 1, /* subkey of the secret, in the context below */
};
static_assert(KEYBOX_WRAPPED_BYTES == 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES, "as announced");
static_assert(KEYBOX_SECRET_BYTES == crypto_kdf_KEYBYTES, "crypto_kdf's master key");
static const char kdf_context[crypto_kdf_CONTEXTBYTES + 1] = "batonbox";

struct keybox {
    uint8_t key[KEY_BYTES]; /* in memory that is neither swapped out nor dumped */
};

static struct keybox *box_new(void)
{
    struct keybox *box = sodium_malloc(sizeof *box);

    assert(box); /* out of memory ends the role, as everywhere */
    return box;
}

struct keybox *keybox_new(void)
{
    struct keybox *box = box_new();

    random_bytes(box->key, sizeof box->key);
    return box;
}

void keybox_free(struct keybox *box)
{
    sodium_free(box); /* wipes; NULL is fine */
}

/* version, nonce, then what the key makes of `plain`; `about` has to be said again to open it. */
static void encrypt(const uint8_t key[KEY_BYTES], struct str about, struct str plain,
                    struct buf *to)
{
    uint8_t nonce[NONCE_BYTES];
    unsigned long long len;

    random_bytes(nonce, sizeof nonce);
    buf_add_char(to, VERSION);
    buf_add(to, str_make(nonce, sizeof nonce));
    char *room = buf_room(to, plain.len + TAG_BYTES);
    if (!room)
        return;
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        (uint8_t *)room, &len, (const uint8_t *)plain.ptr, plain.len, (const uint8_t *)about.ptr,
        about.len, NULL, nonce, key);
    to->len += (size_t)len;
}

static bool decrypt(const uint8_t key[KEY_BYTES], struct str about, struct str sealed,
                    struct buf *to)
{
    const struct str nonce = str_sub(sealed, 1, NONCE_BYTES);
    const struct str text = str_skip(sealed, 1 + NONCE_BYTES);
    unsigned long long len;

    if (sealed.len < 1 + NONCE_BYTES + TAG_BYTES || sealed.ptr[0] != VERSION)
        return false;
    char *room = buf_room(to, text.len - TAG_BYTES);
    if (!room || crypto_aead_xchacha20poly1305_ietf_decrypt(
                     (uint8_t *)room, &len, NULL, (const uint8_t *)text.ptr, text.len,
                     (const uint8_t *)about.ptr, about.len, (const uint8_t *)nonce.ptr, key) != 0)
        return false;
    to->len += (size_t)len;
    return true;
}

/* Wrapping ------------------------------------------------------------------------------------- */

static void wrapping_key(const uint8_t secret[KEYBOX_SECRET_BYTES], uint8_t ret[KEY_BYTES])
{
    (void)crypto_kdf_derive_from_key(ret, KEY_BYTES, WRAPPING_KEY, kdf_context, secret);
}

void keybox_wrap(const struct keybox *box, const uint8_t secret[KEYBOX_SECRET_BYTES],
                 struct buf *to)
{
    uint8_t key[KEY_BYTES];

    wrapping_key(secret, key);
    encrypt(key, STR("sealing key"), str_make(box->key, sizeof box->key), to);
    mem_wipe(key, sizeof key);
}

bool keybox_open(const uint8_t secret[KEYBOX_SECRET_BYTES], struct str wrapped, struct keybox **ret,
                 struct err *err)
{
    uint8_t key[KEY_BYTES];
    struct buf plain;

    buf_init(&plain, KEY_BYTES);
    wrapping_key(secret, key);
    bool ok = wrapped.len == KEYBOX_WRAPPED_BYTES &&
              decrypt(key, STR("sealing key"), wrapped, &plain) && plain.len == KEY_BYTES;
    if (ok) {
        *ret = box_new();
        memcpy((*ret)->key, plain.ptr, KEY_BYTES);
        mem_wipe(plain.ptr, plain.len);
    }
    buf_done(&plain);
    mem_wipe(key, sizeof key);
    return ok || err_set(err, ERR_CONFIG,
                         "the signing keys in the control database were encrypted under another "
                         "secret: put the former secret file back");
}

bool keybox_rewrap(const uint8_t before[KEYBOX_SECRET_BYTES],
                   const uint8_t after[KEYBOX_SECRET_BYTES], struct str wrapped, struct buf *to,
                   struct err *err)
{
    struct keybox *box;

    if (!keybox_open(before, wrapped, &box, err))
        return false;
    keybox_wrap(box, after, to);
    keybox_free(box);
    return true;
}

/* Sealing -------------------------------------------------------------------------------------- */

static struct str place_text(const struct keybox_place *at, uint8_t text[PLACE_BYTES_MAX])
{
    assert(at->selector.len > 0 && at->selector.len <= PLACE_BYTES_MAX - 8);
    for (size_t i = 0; i < 8; i++)
        text[i] = (uint8_t)(at->grant >> (8 * i));
    memcpy(text + 8, at->selector.ptr, at->selector.len);
    return str_make(text, 8 + at->selector.len);
}

void keybox_seal(const struct keybox *box, const struct keybox_place *at, struct str plain,
                 struct buf *to)
{
    uint8_t text[PLACE_BYTES_MAX];

    encrypt(box->key, place_text(at, text), plain, to);
}

bool keybox_unseal(const struct keybox *box, const struct keybox_place *at, struct str sealed,
                   struct buf *to, struct err *err)
{
    uint8_t text[PLACE_BYTES_MAX];

    return decrypt(box->key, place_text(at, text), sealed, to) ||
           err_set(err, ERR_DAMAGED, "the sealed key of selector %.*s does not open",
                   STR_FMT(at->selector));
}
