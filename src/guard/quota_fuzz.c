// SPDX-License-Identifier: Apache-2.0
/* guard/quota_fuzz.c - any bytes as a table of quotas: read or refused; what was read is written
 * and read again as the same. */
#include <assert.h>

#include "guard/quota.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct quota *q = quota_new(), *again = quota_new();
    struct quota_use use = { .bytes = 1, .recipients = 1, .wall_ms = INT64_C(1709210096789) };
    struct buf bytes;

    buf_init(&bytes, 1 << 24);
    if (quota_read(q, str_make(data, size), NULL)) {
        assert(quota_write(q, &bytes) && bytes.len == size);
        assert(quota_read(again, buf_str(&bytes), NULL));
        quota_tidy(again, use.wall_ms);
        quota_count(again, 1, &use, 0xf);
        assert(quota_used(again, 1, QUOTA_MONTH, QUOTA_MESSAGES, use.wall_ms) > 0);
    }
    buf_done(&bytes);
    quota_free(again);
    quota_free(q);
    return 0;
}
