// SPDX-License-Identifier: Apache-2.0
/* mail/dkim.h - DKIM signatures (RFC 6376, RFC 8463, RFC 8301): the canonical forms and their
 * hashes, the field that carries a signature, the record that holds a key, and whether one fits the
 * other. Pure: it computes (libcrypto), it never looks a key up and never holds a private one.
 *
 * What we write is always relaxed/relaxed, without l=, with every field that matters named once
 * more than it occurs (RFC 6376 §8.15), so that none can be added (faults Y01, Y03). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum dkim_algorithm { DKIM_RSA_SHA256 = 1, DKIM_ED25519_SHA256 = 2 };
enum dkim_form { DKIM_SIMPLE, DKIM_RELAXED };
#define DKIM_HASH_BYTES 32

/* --- the body --- */

/* The hash of a body in one canonical form, fed in pieces as they come; splits change nothing. */
struct dkim_body {
    void *digest;
    enum dkim_form form;
    uint64_t left;        /* l= of a signature that has one; UINT64_MAX: all */
    uint32_t empty_lines; /* seen and not yet hashed: those at the end do not count */
    bool any, blank, cr;  /* anything hashed; white space held back; CR held back */
    bool line_has_text;
};
/* All zero before its first beginning; may be begun again after dkim_body_end(). */
void dkim_body_begin(struct dkim_body *b, enum dkim_form form, uint64_t most_bytes);
void dkim_body_add(struct dkim_body *b, struct str bytes);
void dkim_body_end(struct dkim_body *b, uint8_t ret[DKIM_HASH_BYTES]);
void dkim_body_done(struct dkim_body *b);

/* --- signing --- */

struct dkim_sign {
    enum dkim_algorithm algorithm;
    struct str domain, selector; /* A-labels */
    int64_t signed_s, expires_s; /* t=, x= */
};
/* Appends to `field` a whole DKIM-Signature field, folded, with an empty b= and the final CRLF, for
 * this header section (as it will be sent, with or without its empty line) and relaxed body hash;
 * *ret_hash is what the key signs (RFC 6376 §3.7; RFC 8463 §3 signs the same hash). ERR_LIMIT: more
 * fields than HEADER_FIELDS_MAX and our edits can make of it. */
MUST_USE bool dkim_sign_begin(struct buf *field, struct str section, const struct dkim_sign *s,
                              const uint8_t body_hash[DKIM_HASH_BYTES],
                              uint8_t ret_hash[DKIM_HASH_BYTES], struct err *err);
/* The same field with the signature in its b=, appended to `to`. */
bool dkim_sign_end(struct buf *to, struct str field, struct str signature);

/* --- verifying --- */

#define DKIM_SIGNATURES_MAX 20 /* of one message; the rest is not looked at (fault S07) */

struct dkim_signature {
    size_t offset, len; /* of the field in the section */
    enum dkim_algorithm algorithm;
    enum dkim_form header_form, body_form;
    struct str domain, selector, identity; /* d=, s=, i= ("@d" when absent); in the arena */
    struct str headers;                    /* h=, without white space */
    uint64_t body_length;                  /* l=; UINT64_MAX: none */
    int64_t signed_s, expires_s;           /* 0: none */
    uint8_t body_hash[DKIM_HASH_BYTES];
    struct str signature; /* b=, decoded; in the arena */
};
/* The value of a DKIM-Signature field (offset and len are left alone). ERR_SYNTAX: not valid (RFC
 * 6376 §6.1.1), which includes algorithms and keys too weak by RFC 8301; err says why. */
MUST_USE bool dkim_signature_read(struct str value, struct arena *a, struct dkim_signature *ret,
                                  struct err *err);
/* The next DKIM-Signature field of the section from *at on (0 at first); false at the end. A field
 * that is not valid has algorithm 0 and its reason in err. */
MUST_USE bool dkim_signature_next(struct str section, size_t *at, struct arena *a,
                                  struct dkim_signature *ret, struct err *err);
/* What the signature is over. */
MUST_USE bool dkim_header_hash(struct str section, const struct dkim_signature *s,
                               uint8_t ret[DKIM_HASH_BYTES], struct err *err);

struct dkim_key {
    enum dkim_algorithm algorithm;
    struct str bytes; /* p=, decoded: SubjectPublicKeyInfo or RSAPublicKey; 32 octets of Ed25519 */
    bool revoked;     /* p= is empty */
    bool testing, strict_identity; /* t=y, t=s */
    unsigned bits;                 /* RSA */
};
/* The TXT record at selector._domainkey.domain (RFC 6376 §3.6.1). ERR_SYNTAX. */
MUST_USE bool dkim_key_read(struct str record, struct arena *a, struct dkim_key *ret,
                            struct err *err);
/* The record for a public key as libcrypto has it (i2d_PUBKEY; of Ed25519 the bare 32 octets do as
 * well): `v=DKIM1; k=rsa; p=…` (SubjectPublicKeyInfo), or k=ed25519 with the 32 octets. */
bool dkim_key_write(struct buf *to, enum dkim_algorithm algorithm, struct str public_key);
/* True when both say the same key, whatever their white space and order of tags: what "published"
 * means. */
bool dkim_key_same(struct str record, struct str expected);

/* Signature against key, body hash and time. ERR_SYNTAX with the reason when it does not hold. */
MUST_USE bool dkim_verify(const struct dkim_signature *s, const struct dkim_key *key,
                          const uint8_t header_hash[DKIM_HASH_BYTES],
                          const uint8_t body_hash[DKIM_HASH_BYTES], int64_t now_s, struct err *err);

/* --- others' signatures on their way through (R107) --- */

/* Whether a valid signature over `before` would still hold over `after`, the same header section
 * with our edits; the body is as it was. */
bool dkim_signature_survives(const struct dkim_signature *s, struct str before, struct str after);
