// SPDX-License-Identifier: Apache-2.0
/* mail/srs_fuzz.c - any sender there and back is the same; nothing forged comes back. */
#include <stdlib.h>

#include "mail/srs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[SRS_SECRET_BYTES] = { 1, 2, 3 };
    const int64_t now = INT64_C(1795000000000);
    struct address sender, made;
    struct buf there, back;

    if (!address_parse(str_make(data, size), &sender, NULL))
        return 0;
    buf_init(&there, 1024);
    buf_init(&back, 1024);
    if (srs_reverse(&back, &sender, secret, now, NULL))
        abort(); /* 40 bits are not guessed here */
    buf_clear(&back);
    if (srs_forward(&there, &sender, STR("fwd.example"), secret, now, NULL)) {
        if (!address_parse(buf_str(&there), &made, NULL) ||
            !srs_reverse(&back, &made, secret, now, NULL))
            abort();
        if (!srs_is_local(sender.local) && !str_eq(buf_str(&back), str_make(data, size)))
            abort();
    }
    buf_done(&there);
    buf_done(&back);
    return 0;
}
