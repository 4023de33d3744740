// SPDX-License-Identifier: Apache-2.0
/* vault/scram_fuzz.c - two messages of a client, split by a line feed: neither crashes, and without
 * the secret none is right. */
#include <stdlib.h>

#include "vault/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct scram_verifier nobody = { .stored_key = { 1 }, .iterations = 4096 };
    struct str text = str_make(data, size), first = text, final = STR("");
    struct scram x;
    struct buf to;
    bool right = false;

    (void)str_cut(text, '\n', &first, &final);
    scram_init(&x);
    buf_init(&to, 4096);
    if (scram_first(&x, first, NULL)) {
        if (x.user.len == 0 || x.user.len > SCRAM_USER_MAX)
            abort();
        scram_challenge(&x, &nobody, STR("ours"), &to);
        buf_clear(&to);
        if (scram_final(&x, final, &to, &right, NULL) && right)
            abort();
    }
    buf_done(&to);
    scram_done(&x);
    return 0;
}
