// SPDX-License-Identifier: Apache-2.0
/* spool/envelope_fuzz.c - any bytes as an envelope: refused, or read and written back the same;
 * what the first version wrote comes back as the present one, with what it lacked unset. */
#include <assert.h>

#include "spool/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_back(struct str in, struct str back)
{
    static const char unset[8 + 4 + 4];

    if (in.ptr[0] != 1) {
        assert(str_eq(in, back));
        return;
    }
    assert(back.len == in.len + sizeof unset);
    assert(str_eq(str_skip(in, 1), str_sub(back, 1, in.len - 1)));
    assert(str_eq(str_skip(back, in.len), str_make(unset, sizeof unset)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make(data, size);
    struct envelope e;
    struct arena arena;
    struct buf back;

    arena_init(&arena, 4096);
    buf_init(&back, 2 * ENVELOPE_BYTES_MAX);
    if (size <= ENVELOPE_BYTES_MAX && envelope_read(in, &arena, &e, NULL)) {
        assert(envelope_write(&back, &e));
        check_back(in, buf_str(&back));
    }
    buf_done(&back);
    arena_done(&arena);
    return 0;
}
