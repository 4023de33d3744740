// SPDX-License-Identifier: Apache-2.0
/* vault/proof_fuzz.c - any TXT record: read without a crash; what was read is written as a record
 * that reads the same. */
#include <assert.h>

#include "vault/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proof_record r, again;
    struct buf text;

    if (!proof_record_read(str_make(data, size), &r))
        return 0;
    buf_init(&text, 2 * PROOF_RECORD_MAX);
    proof_record_write(&text, &r);
    assert(buf_ok(&text) && proof_record_read(buf_str(&text), &again));
    assert(str_eq(r.relay, again.relay) && str_eq(r.account, again.account));
    buf_done(&text);
    return 0;
}
