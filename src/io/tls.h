// SPDX-License-Identifier: Apache-2.0
/* io/tls.h - TLS contexts (OpenSSL): what a listener shows, what a client trusts. The handshake
 * itself is stream_start_tls(). In the simulator TLS is a marker on the stream. */
#pragma once

#include "base/err.h"

struct tls_server;
struct tls_client;

/* From PEM text. TLS 1.2 at least (RFC 8996), server's cipher order, no renegotiation, no
 * compression, tickets bound to this context. ERR_TLS: no certificate, key does not fit, … */
MUST_USE bool tls_server_new(struct str chain_pem, struct str key_pem, struct tls_server **ret,
                             struct err *err);
void tls_server_free(struct tls_server *t);
/* Clients are asked for a certificate; they need not have one, and any issuer will do, themselves
 * included: what counts is that they hold its key, and its fingerprint (tls_facts). */
void tls_server_ask_certificate(struct tls_server *t);

enum tls_verify {
    TLS_VERIFY_NONE, /* opportunistic: encrypt, believe nothing (RFC 7435) */
    TLS_VERIFY_NAME, /* chain to ca_file (or the system's) and the name of the host */
};
/* ca_file NULL: the system's certificates. */
MUST_USE bool tls_client_new(enum tls_verify verify, const char *ca_file, struct tls_client **ret,
                             struct err *err);
void tls_client_free(struct tls_client *t);

/* Of an established stream: for Received lines and logs. */
struct tls_facts {
    char protocol[16]; /* "TLSv1.3" */
    char cipher[48];
    unsigned bits;
    bool verified;
    bool shown; /* a client's certificate: this is its SHA-256 */
    uint8_t sha256[32];
};

/* Hexadecimal SHA-256 of the first certificate in PEM, "AB:CD:…". */
MUST_USE bool tls_fingerprint(struct str chain_pem, char ret[96], struct err *err);
