// SPDX-License-Identifier: Apache-2.0
/* base/code_fuzz.c - base64 and ids have one spelling; UTF-8 is judged as by decoding it. */
#include <assert.h>

#include "base/code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void base64(struct str text)
{
    struct buf bytes, again;
    struct err err;

    buf_init(&bytes, 1024);
    buf_init(&again, 2048);
    if (base64_read(&bytes, text, &err)) {
        assert(base64_add(&again, buf_str(&bytes)));
        assert(str_eq(buf_str(&again), text));
    } else {
        assert(bytes.len == 0);
    }
    buf_done(&bytes);
    buf_done(&again);
}

static void id(struct str text)
{
    char again[ID_TEXT_LEN + 1];
    struct err err;
    uint64_t value;

    if (id_parse(text, &value, &err))
        assert(str_eq_nocase(str_of(id_format(value, again)), text));
}

/* The code point of a sequence of `len` bytes, by shifting alone. */
static uint32_t decode(const uint8_t *p, size_t len)
{
    uint32_t point = len == 1 ? p[0] : p[0] & (0xffU >> (len + 1));

    for (size_t i = 1; i < len; i++)
        point = point << 6 | (p[i] & 0x3f);
    return point;
}

static void utf8(const uint8_t *data, size_t size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = utf8_len(str_make(data, size));

    if (len > 0) {
        uint32_t point = decode(data, len);

        assert(len <= size && point >= least[len] && point <= 0x10ffff);
        assert(point < 0xd800 || point > 0xdfff);
    }
    (void)utf8_ok(str_make(data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base64(str_make(data, size));
    id(str_make(data, size));
    utf8(data, size);
    return 0;
}
