// SPDX-License-Identifier: Apache-2.0
/* mail/reply_fuzz.c - a reply's text is printable and bounded, and can be written again. */
#include <stdlib.h>

#include "base/code.h"
#include "mail/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void check(const struct reply *r)
{
    struct buf text;

    must(r->text.len <= REPLY_TEXT_MAX && utf8_ok(r->text));
    for (size_t i = 0; i < r->text.len; i++)
        must((unsigned char)r->text.ptr[i] >= ' ' && r->text.ptr[i] != 0x7f);
    buf_init(&text, 64 * 1024);
    must(reply_format(&text, r));
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_make(data, size), line;
    struct reply_reader reader;
    struct arena arena;
    bool last;

    arena_init(&arena, 4096);
    reply_reader_init(&reader);
    while (str_cut(rest, '\n', &line, &rest) && reply_line(&reader, line, &last, NULL)) {
        if (last) {
            struct reply r = reply_take(&reader, &arena);

            check(&r);
        }
    }
    reply_reader_done(&reader);
    arena_done(&arena);
    return 0;
}
