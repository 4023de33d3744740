// SPDX-License-Identifier: Apache-2.0
/* io/tls_real.h - what tls.c and stream_tls.c share: contexts as OpenSSL has them. */
#pragma once

#include <openssl/ssl.h>

#include "io/tls.h"

struct tls_server {
    SSL_CTX *ctx;
};

struct tls_client {
    SSL_CTX *ctx;
    enum tls_verify verify;
};

/* From OpenSSL's queue of errors, which it empties: ERR_TLS. */
__attribute__((format(printf, 2, 3))) bool err_tls(struct err *err, const char *fmt, ...);
