// SPDX-License-Identifier: Apache-2.0
/* vault/secret.h - what a credential's secret is, and how it is kept: 256 random bits that nobody
 * chose, so that a fast keyed hash is enough at rest (fault A05). */
#pragma once

#include "base/str.h"
#include "vault/control.h"

#define SECRET_KEY_BYTES 32
/* "bt_" and 64 hexadecimal digits; the prefix is for those who scan for leaked secrets. An API
 * key's is "bt_live_". */
#define SECRET_TEXT_LEN 67
#define SECRET_KEY_TEXT_LEN 72
#define SECRET_TEXT_MAX SECRET_KEY_TEXT_LEN

/* Once, before the first hash and before the role confines itself. */
MUST_USE bool secret_init(struct err *err);
/* A new one; whoever asked wipes it when it was shown. */
void secret_make(bool is_key, char text[SECRET_TEXT_MAX + 1]);
/* Whether a text has the form of ours, though it may be nobody's. */
bool secret_is_ours(struct str text);
/* BLAKE2b-256 of `secret` under `key`. */
void secret_hash(const uint8_t key[SECRET_KEY_BYTES], struct str secret,
                 uint8_t ret[SECRET_HASH_BYTES]);
/* In time that does not depend on where they differ (fault A04). */
bool secret_hash_eq(const uint8_t a[SECRET_HASH_BYTES], const uint8_t b[SECRET_HASH_BYTES]);
/* A certificate's SHA-256 as fields.h keeps it: 64 hexadecimal digits. */
void secret_fingerprint(struct str hex, uint8_t ret[SECRET_HASH_BYTES]);
