// SPDX-License-Identifier: Apache-2.0
/* mail/mime_fuzz.c - what is converted is 7-bit, needs no second conversion, and is the same
 * however it was fed. */
#include <stdlib.h>

#include "mail/content.h"
#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static bool convert(struct str in, size_t at, struct buf *to)
{
    struct mime_scan *s = mime_scan_new();
    struct mime_convert *c = NULL;
    bool ok = mime_scan_feed(s, str_sub(in, 0, at), NULL) &&
              mime_scan_feed(s, str_skip(in, at), NULL) && mime_scan_end(s, NULL);

    if (ok) {
        c = mime_convert_new(s);
        must(mime_convert_feed(c, str_sub(in, 0, at), to, NULL));
        must(mime_convert_feed(c, str_skip(in, at), to, NULL));
        must(mime_convert_end(c, to, NULL));
    }
    mime_convert_free(c);
    mime_scan_free(s);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, split, again;
    struct str in;
    bool ok;

    if (size < 2)
        return 0;
    in = str_make(data + 1, size - 1);
    buf_init(&whole, 1 << 20);
    buf_init(&split, 1 << 20);
    buf_init(&again, 1 << 20);
    ok = convert(in, in.len, &whole);
    must(convert(in, data[0] % in.len, &split) == ok);
    if (ok) {
        must(str_eq(buf_str(&whole), buf_str(&split)));
        must(str_is_ascii(buf_str(&whole)));
        must(convert(buf_str(&whole), whole.len, &again));
        must(str_eq(buf_str(&whole), buf_str(&again)));
    }
    buf_done(&whole);
    buf_done(&split);
    buf_done(&again);
    return 0;
}
