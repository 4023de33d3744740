// SPDX-License-Identifier: Apache-2.0
/* vault/signing_key.h - private keys of both algorithms: made, written down, read back, signed with
 * (libcrypto). Any thread. Where they are kept is keybox.h's. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "mail/dkim.h"

#define SIGNING_KEY_BYTES_MAX 4096 /* as written down */
#define SIGNATURE_BYTES_MAX 512    /* RSA-2048: 256; room for larger ones */
#define KEY_RECORD_BYTES_MAX 1024

struct signing_key;

/* Once, before the role confines itself: at its first use libcrypto reads its configuration. */
MUST_USE bool signing_key_init(struct err *err);
/* A new one; `record` gets what is to be published. Ends the process when there is no randomness
 * (fault Y10). ERR_IO: libcrypto does not know the algorithm. RSA takes some 100 ms. */
MUST_USE bool signing_key_make(enum dkim_algorithm algorithm, struct signing_key **ret,
                               struct buf *record, struct err *err);
/* In clear: whoever asked wipes it. */
MUST_USE bool signing_key_write(const struct signing_key *k, struct buf *to, struct err *err);
/* ERR_DAMAGED. */
MUST_USE bool signing_key_read(enum dkim_algorithm algorithm, struct str bytes,
                               struct signing_key **ret, struct err *err);
void signing_key_free(struct signing_key *k);

/* RSA: PKCS#1 v1.5 over this SHA-256 (RFC 6376 §3.3.1). Ed25519: the hash itself is what is signed
 * (RFC 8463 §3). Several threads at once may sign with one key. */
MUST_USE bool signing_key_sign(const struct signing_key *k, const uint8_t hash[DKIM_HASH_BYTES],
                               uint8_t signature[SIGNATURE_BYTES_MAX], size_t *ret_len,
                               struct err *err);
