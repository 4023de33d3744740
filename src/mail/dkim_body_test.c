// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_body_test.c - canonical bodies, in one piece, in two at every place, octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "mail/dkim.h"

static const struct body_case {
    const char *name;
    struct str body, relaxed, simple;
} cases[] = {
    { "RFC 6376 3.4.5", STR(" C \r\nD \t E\r\n\r\n\r\n"), STR(" C\r\nD E\r\n"),
      STR(" C \r\nD \t E\r\n") },
    { "nothing", STR(""), STR(""), STR("\r\n") },
    { "an empty line", STR("\r\n"), STR(""), STR("\r\n") },
    { "empty lines", STR("\r\n\r\n\r\n"), STR(""), STR("\r\n") },
    { "one line", STR("a\r\n"), STR("a\r\n"), STR("a\r\n") },
    { "no final CRLF", STR("a\r\nb"), STR("a\r\nb\r\n"), STR("a\r\nb\r\n") },
    { "empty lines at the end", STR("a\r\n\r\n\r\n"), STR("a\r\n"), STR("a\r\n") },
    { "empty lines within", STR("a\r\n\r\n\r\nb\r\n"), STR("a\r\n\r\n\r\nb\r\n"),
      STR("a\r\n\r\n\r\nb\r\n") },
    { "empty lines in front", STR("\r\n\r\na\r\n"), STR("\r\n\r\na\r\n"), STR("\r\n\r\na\r\n") },
    { "blanks at a line's end", STR("a \t \r\nb\t\r\n"), STR("a\r\nb\r\n"),
      STR("a \t \r\nb\t\r\n") },
    { "blanks at a line's start", STR(" \ta\r\n\tb\r\n"), STR(" a\r\n b\r\n"),
      STR(" \ta\r\n\tb\r\n") },
    { "blanks within", STR("a  b\t\tc \t d e\r\n"), STR("a b c d e\r\n"),
      STR("a  b\t\tc \t d e\r\n") },
    { "a tab alone becomes a blank", STR("a\tb\r\n"), STR("a b\r\n"), STR("a\tb\r\n") },
    { "only blanks", STR("  \t\r\n"), STR(""), STR("  \t\r\n") },
    { "lines of blanks at the end", STR("a\r\n \r\n\t\r\n"), STR("a\r\n"),
      STR("a\r\n \r\n\t\r\n") },
    { "lines of blanks within", STR("a\r\n \r\n\t\r\nb\r\n"), STR("a\r\n\r\n\r\nb\r\n"),
      STR("a\r\n \r\n\t\r\nb\r\n") },
    { "blanks without a line's end", STR("a\r\nb  "), STR("a\r\nb\r\n"), STR("a\r\nb  \r\n") },
    { "only blanks at the end, no CRLF", STR("a\r\n  "), STR("a\r\n"), STR("a\r\n  \r\n") },
    { "bare LF", STR("a\nb\r\n"), STR("a\nb\r\n"), STR("a\nb\r\n") },
    { "bare LF at the end", STR("a\n"), STR("a\n\r\n"), STR("a\n\r\n") },
    { "blank before a bare LF", STR("a \nb \r\n"), STR("a \nb\r\n"), STR("a \nb \r\n") },
    { "bare CR", STR("a\rb\r\n"), STR("a\rb\r\n"), STR("a\rb\r\n") },
    { "bare CR at the end", STR("a\r"), STR("a\r\r\n"), STR("a\r\r\n") },
    { "CR CR LF", STR("a\r\r\n\r\n"), STR("a\r\r\n"), STR("a\r\r\n") },
    { "CR alone in its line", STR("\r\n\r\r\n"), STR("\r\n\r\r\n"), STR("\r\n\r\r\n") },
    { "blanks around a bare CR", STR("a \t\r \r\n"), STR("a \r\r\n"), STR("a \t\r \r\n") },
    { "NUL and eight bits", STR("\0 \xc3\xa4  \xff\r\n"), STR("\0 \xc3\xa4 \xff\r\n"),
      STR("\0 \xc3\xa4  \xff\r\n") },
    { "other white space stands", STR("a\v\v\f b\r\n"), STR("a\v\v\f b\r\n"),
      STR("a\v\v\f b\r\n") },
};

static void hash_in_two(struct dkim_body *b, enum dkim_form form, struct str body, size_t at,
                        uint8_t ret[DKIM_HASH_BYTES])
{
    dkim_body_begin(b, form, UINT64_MAX);
    dkim_body_add(b, str_sub(body, 0, at));
    dkim_body_add(b, str_skip(body, at));
    dkim_body_end(b, ret);
}

static void hash_by_octets(struct dkim_body *b, enum dkim_form form, struct str body,
                           uint8_t ret[DKIM_HASH_BYTES])
{
    dkim_body_begin(b, form, UINT64_MAX);
    for (size_t i = 0; i < body.len; i++)
        dkim_body_add(b, str_sub(body, i, 1));
    dkim_body_end(b, ret);
}

static void sha256_of(struct str bytes, uint8_t ret[DKIM_HASH_BYTES])
{
    assert_int_equal(EVP_Digest(bytes.ptr, bytes.len, ret, NULL, EVP_sha256(), NULL), 1);
}

static bool hashes_to(struct dkim_body *b, enum dkim_form form, struct str body, struct str want)
{
    uint8_t right[DKIM_HASH_BYTES], got[DKIM_HASH_BYTES];
    bool ok = true;

    sha256_of(want, right);
    for (size_t at = 0; at <= body.len; at++) {
        hash_in_two(b, form, body, at, got);
        ok &= memcmp(got, right, sizeof(got)) == 0;
    }
    hash_by_octets(b, form, body, got);
    return ok && memcmp(got, right, sizeof(got)) == 0;
}

static void y02_canonical_bodies_split_anywhere(void **state)
{
    struct dkim_body b = { 0 };
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct body_case *c = &cases[i];

        if (!hashes_to(&b, DKIM_RELAXED, c->body, c->relaxed))
            print_error("%s: relaxed\n", c->name);
        else if (!hashes_to(&b, DKIM_SIMPLE, c->body, c->simple))
            print_error("%s: simple\n", c->name);
        else
            continue;
        failed++;
    }
    dkim_body_done(&b);
    assert_int_equal(failed, 0);
}

/* What is gathered before it is hashed has no edge that shows. */
static void y02_long_bodies(void **state)
{
    struct dkim_body b = { 0 };
    struct buf body, want;

    (void)state;
    buf_init(&body, 1 << 20);
    buf_init(&want, 1 << 20);
    for (size_t i = 0; i < 300; i++) {
        buf_addf(&body, "%0*zu \t %zu  \r\n", (int)(i % 97) + 1, i, i);
        buf_addf(&want, "%0*zu %zu\r\n", (int)(i % 97) + 1, i, i);
    }
    for (size_t i = 0; i < 5000; i++) {
        buf_add_char(&body, 'x');
        buf_add_char(&want, 'x');
    }
    buf_add(&want, STR("\r\n"));
    for (size_t at = 0; at < body.len; at += 509) {
        uint8_t right[DKIM_HASH_BYTES], got[DKIM_HASH_BYTES];

        sha256_of(buf_str(&want), right);
        hash_in_two(&b, DKIM_RELAXED, buf_str(&body), at, got);
        assert_memory_equal(got, right, sizeof(got));
    }
    dkim_body_done(&b);
    buf_done(&body);
    buf_done(&want);
}

/* l= counts canonical octets (RFC 6376 §3.7). */
static void a_length_limits_what_counts(void **state)
{
    uint8_t right[DKIM_HASH_BYTES], got[DKIM_HASH_BYTES];
    struct dkim_body b = { 0 };

    (void)state;
    dkim_body_begin(&b, DKIM_RELAXED, 5);
    dkim_body_add(&b, STR("a  b\r\nc\r\n"));
    dkim_body_end(&b, got);
    sha256_of(STR("a b\r\n"), right);
    assert_memory_equal(got, right, sizeof(got));
    assert_int_equal(b.left, 0);

    dkim_body_begin(&b, DKIM_SIMPLE, 0);
    dkim_body_add(&b, STR("a\r\n"));
    dkim_body_end(&b, got);
    sha256_of(STR(""), right);
    assert_memory_equal(got, right, sizeof(got));
    dkim_body_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(y02_canonical_bodies_split_anywhere),
        cmocka_unit_test(y02_long_bodies),
        cmocka_unit_test(a_length_limits_what_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
