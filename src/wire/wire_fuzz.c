// SPDX-License-Identifier: Apache-2.0
/* wire/wire_fuzz.c - whatever a broken or hostile role sends, a checked frame's strings lie inside
 * it (fault P05). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;

    if (size < sizeof(struct frame) + 2 || size > FRAME_BYTES_MAX)
        return 0;
    /* A copy of the exact size, so that ASan sees a read past the frame. */
    size_t len = size - 2;
    struct frame *f = malloc(len);
    if (!f)
        return 0;
    memcpy(f, data + 2, len);
    f->len = (uint16_t)len;
    if (wire_check(f, data[0] % ROLE_KINDS, data[1] % ROLE_KINDS, &err) && f->type == WIRE_JOB) {
        struct wire_job job;
        memcpy(&job, f, sizeof job);
        struct str s = wire_get(f, job.reverse_path);
        for (size_t i = 0; i < s.len; i++)
            if (s.ptr[i] == 0x7f)
                break;
    }
    free(f);
    return 0;
}
