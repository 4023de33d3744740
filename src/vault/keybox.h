// SPDX-License-Identifier: Apache-2.0
/* vault/keybox.h - signing keys at rest: encrypted by a random sealing key, which itself is wrapped
 * by a key made from the role's secret (libsodium: XChaCha20-Poly1305, crypto_kdf). A copy of the
 * database alone gives nobody a key, and the secret can be exchanged by wrapping one row anew
 * (fault Y12).
 *
 * What is sealed is bound to where it belongs: moved to another grant or selector it does not open.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define KEYBOX_SECRET_BYTES 32
#define KEYBOX_WRAPPED_BYTES (1 + 24 + 32 + 16)

struct keybox;

/* A new random sealing key. Ends the process when there is no randomness (fault Y10). */
struct keybox *keybox_new(void);
void keybox_free(struct keybox *box);
/* The sealing key under that secret, KEYBOX_WRAPPED_BYTES, as the database keeps it. */
void keybox_wrap(const struct keybox *box, const uint8_t secret[KEYBOX_SECRET_BYTES],
                 struct buf *to);
/* ERR_CONFIG: wrapped under another secret, or damaged. */
MUST_USE bool keybox_open(const uint8_t secret[KEYBOX_SECRET_BYTES], struct str wrapped,
                          struct keybox **ret, struct err *err);
/* The same sealing key under another secret; what it has sealed stays as it is. */
MUST_USE bool keybox_rewrap(const uint8_t before[KEYBOX_SECRET_BYTES],
                            const uint8_t after[KEYBOX_SECRET_BYTES], struct str wrapped,
                            struct buf *to, struct err *err);

struct keybox_place {
    uint64_t grant;
    struct str selector;
};
void keybox_seal(const struct keybox *box, const struct keybox_place *at, struct str plain,
                 struct buf *to);
/* Any thread. Whoever asked wipes `to`. ERR_DAMAGED: a flipped bit, another place, another box. */
MUST_USE bool keybox_unseal(const struct keybox *box, const struct keybox_place *at,
                            struct str sealed, struct buf *to, struct err *err);
