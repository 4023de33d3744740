// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_digest.h - for mail/dkim*.c: SHA-256 fed octet by octet without a call of libcrypto for
 * each. */
#pragma once

#include "mail/dkim.h"

#define DKIM_DIGEST_PIECE 1024

/* Lives on the stack of one call, over a context that may live longer. */
struct dkim_digest {
    void *context;
    uint64_t left; /* octets that still count */
    size_t len;    /* gathered in bytes */
    char bytes[DKIM_DIGEST_PIECE];
};

/* A context; dkim_context_begin() makes it ready, also for a second time. */
void *dkim_context_new(void);
void dkim_context_free(void *context);
void dkim_context_begin(void *context);
void dkim_context_end(void *context, uint8_t ret[DKIM_HASH_BYTES]);

void dkim_digest_flush(struct dkim_digest *d);
void dkim_digest_add(struct dkim_digest *d, struct str bytes);
static inline void dkim_digest_char(struct dkim_digest *d, char c)
{
    if (d->len == DKIM_DIGEST_PIECE)
        dkim_digest_flush(d);
    d->bytes[d->len++] = c;
}
