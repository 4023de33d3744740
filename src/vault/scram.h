// SPDX-License-Identifier: Apache-2.0
/* vault/scram.h - SCRAM-SHA-256 as the server sees it (RFC 5802, RFC 7677): the client proves that
 * it knows the secret, and neither the line nor the database shows it. Without channel binding.
 * Pure: nonces and verifiers are handed in.
 *
 *   client-first   n,,n=user,r=NONCE        scram_first()
 *   server-first   r=NONCE…,s=SALT,i=4096   scram_challenge()
 *   client-final   c=biws,r=NONCE…,p=PROOF  scram_final()
 *   server-final   v=SIGNATURE
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define SCRAM_SALT_BYTES 16
#define SCRAM_HASH_BYTES 32
/* The secret is random: there is nothing to guess that more of them would slow down (RFC 7677 §4
 * asks for 4096 at least, since clients refuse less). */
#define SCRAM_ITERATIONS 4096
#define SCRAM_USER_MAX 255
#define SCRAM_NONCE_MAX 256
#define SCRAM_MESSAGE_MAX 2048 /* of the client */

/* What the server keeps of a secret (RFC 5802 §3). */
struct scram_verifier {
    uint8_t salt[SCRAM_SALT_BYTES];
    uint8_t stored_key[SCRAM_HASH_BYTES], server_key[SCRAM_HASH_BYTES];
    uint32_t iterations; /* 0: there is none */
};
/* `v` holds salt and iterations; the keys are written. Costs `iterations` hashes. */
void scram_derive(struct scram_verifier *v, struct str secret);

/* One exchange; steps are asked for in order. */
struct scram {
    struct buf auth;            /* RFC 5802's AuthMessage as it grows */
    struct buf binding;         /* what c= must say: the GS2 header in base64 */
    size_t nonce_at, nonce_len; /* in `auth`: the client's, then with ours behind it */
    struct str user;            /* unescaped, in user_text */
    char user_text[SCRAM_USER_MAX];
    struct scram_verifier verifier;
};

void scram_init(struct scram *x);
/* Wipes. */
void scram_done(struct scram *x);
/* The client's first message; user is known then. ERR_SYNTAX says what is wrong with it: channel
 * binding asked for, an identity to act as that is another's, extensions that must be understood.
 */
MUST_USE bool scram_first(struct scram *x, struct str message, struct err *err);
/* Our first message. `nonce`: ours, printable without commas, at most SCRAM_NONCE_MAX. */
void scram_challenge(struct scram *x, const struct scram_verifier *v, struct str nonce,
                     struct buf *to);
/* The client's last message. ERR_SYNTAX: its form, or another nonce or binding than it began with;
 * *ret_right: the proof fits, and `to` has our last message. */
MUST_USE bool scram_final(struct scram *x, struct str message, struct buf *to, bool *ret_right,
                          struct err *err);
