// SPDX-License-Identifier: Apache-2.0
/* sim/tls.c - TLS contexts that hold nothing: here TLS is a marker on a stream (stream.c). */
#include "io/tls.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct tls_server {
    char nothing;
};

struct tls_client {
    char nothing;
};

bool tls_server_new(struct str chain_pem, struct str key_pem, struct tls_server **ret,
                    struct err *err)
{
    (void)chain_pem, (void)key_pem, (void)err;
    *ret = NEW(struct tls_server);
    return true;
}

void tls_server_free(struct tls_server *t)
{
    free(t);
}

/* Nobody has one here. */
void tls_server_ask_certificate(struct tls_server *t)
{
    (void)t;
}

bool tls_client_new(enum tls_verify verify, const char *ca_file, struct tls_client **ret,
                    struct err *err)
{
    (void)verify, (void)ca_file, (void)err;
    *ret = NEW(struct tls_client);
    return true;
}

void tls_client_free(struct tls_client *t)
{
    free(t);
}

bool tls_fingerprint(struct str chain_pem, char ret[96], struct err *err)
{
    (void)chain_pem, (void)err;
    (void)snprintf(ret, 96, "SI:MU:LA:TE:D");
    return true;
}
