// SPDX-License-Identifier: Apache-2.0
/* mail/content_fuzz.c - the readers against a slow one that looks at each octet, and against any
 * split. */
#include <stdlib.h>

#include "mail/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

/* Where CRLF.CRLF ends, by definition; 0 when it does not. */
static size_t true_end(struct str in)
{
    size_t at;

    if (str_starts(in, STR(".\r\n")))
        return 3;
    at = str_find(in, STR("\r\n.\r\n"));
    return at < in.len ? at + 5 : 0;
}

static size_t read_in_two(struct str in, size_t at, enum data_strictness strictness,
                          struct data_reader *r, struct buf *to)
{
    size_t eaten;

    data_reader_init(r, strictness);
    eaten = data_read(r, str_sub(in, 0, at), to);
    if (!r->ended)
        eaten += data_read(r, str_skip(in, at), to);
    return eaten;
}

static void check_read(struct str in, size_t at, enum data_strictness strictness)
{
    struct data_reader one, two;
    struct buf got_one, got_two;
    size_t end = true_end(in), eaten;

    buf_init(&got_one, 1 << 20);
    buf_init(&got_two, 1 << 20);
    eaten = read_in_two(in, in.len, strictness, &one, &got_one);
    must(one.ended == (end > 0) && (!one.ended || eaten == end));
    must(read_in_two(in, at, strictness, &two, &got_two) == eaten);
    must(one.ended == two.ended && one.fault == two.fault);
    must(one.facts.eight_bit == two.facts.eight_bit && one.facts.binary == two.facts.binary);
    must(str_eq(buf_str(&got_one), buf_str(&got_two)));
    must(memchr(got_one.len ? got_one.ptr : "", '\0', got_one.len) == NULL);
    buf_done(&got_one);
    buf_done(&got_two);
}

static void check_scan(struct str in, size_t at)
{
    struct content_scan one, two;

    content_scan_init(&one);
    content_scan(&one, in);
    content_scan_end(&one);
    content_scan_init(&two);
    content_scan(&two, str_sub(in, 0, at));
    content_scan(&two, str_skip(in, at));
    content_scan_end(&two);
    must(one.fault == two.fault && one.facts.eight_bit == two.facts.eight_bit);
    must(one.facts.binary == two.facts.binary && one.facts.ends_crlf == two.facts.ends_crlf);
}

/* What is written ends where we say, and nowhere before. */
static void check_write(struct str content, size_t at)
{
    struct data_writer w;
    struct buf wire;

    buf_init(&wire, 1 << 20);
    data_writer_init(&w);
    must(data_write(&w, str_sub(content, 0, at), &wire));
    must(data_write(&w, str_skip(content, at), &wire));
    must(data_write_end(&w, &wire));
    must(true_end(buf_str(&wire)) == wire.len);
    buf_done(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in;
    size_t at;

    if (size < 2)
        return 0;
    in = str_make(data + 1, size - 1);
    at = data[0] % in.len;
    check_read(in, at, DATA_STRICT);
    check_read(in, at, DATA_NORMALIZE);
    check_scan(in, at);
    check_write(in, at);
    return 0;
}
