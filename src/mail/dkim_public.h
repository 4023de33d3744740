// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_public.h - for mail/dkim*.c: a published key as libcrypto has it. */
#pragma once

#include <openssl/types.h>

#include "mail/dkim.h"

#define DKIM_ED25519_BYTES 32

/* NULL: its bytes are no key of its algorithm. The caller frees it. */
EVP_PKEY *dkim_public_new(const struct dkim_key *k);
