// SPDX-License-Identifier: Apache-2.0
/* spool/envelope_fuzz.c - any bytes as an envelope: refused, or read and written back the same. */
#include <assert.h>

#include "spool/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make(data, size);
    struct envelope e;
    struct arena arena;
    struct buf back;

    arena_init(&arena, 4096);
    buf_init(&back, ENVELOPE_BYTES_MAX);
    if (size <= ENVELOPE_BYTES_MAX && envelope_read(in, &arena, &e, NULL)) {
        assert(envelope_write(&back, &e));
        assert(str_eq(in, buf_str(&back)));
    }
    buf_done(&back);
    arena_done(&arena);
    return 0;
}
