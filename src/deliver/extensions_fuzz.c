// SPDX-License-Identifier: Apache-2.0
/* deliver/extensions_fuzz.c - any EHLO answer, line by line: read within its bounds, and the same
 * when read twice. */
#include <assert.h>

#include "deliver/extensions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_make(data, size), line;
    struct extensions once = { 0 };

    while (str_next(&all, '\n', &line)) {
        struct extensions before;

        extensions_line(&once, line);
        before = once;
        extensions_line(&once, line);
        assert(memcmp(&before, &once, sizeof(once)) == 0);
    }
    return 0;
}
