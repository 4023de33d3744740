// SPDX-License-Identifier: Apache-2.0
/* spool/event_fuzz.c - any bytes as a row of events: each is refused, or read and written back as
 * long. */
#include <assert.h>

#include "base/buf.h"
#include "spool/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_make(data, size);
    struct event e;
    struct buf back;

    buf_init(&back, size + 1);
    for (struct str before = in; event_read(&in, &e, NULL); before = in) {
        buf_clear(&back);
        assert(event_write(&back, &e));
        assert(back.len == before.len - in.len);
    }
    buf_done(&back);
    return 0;
}
