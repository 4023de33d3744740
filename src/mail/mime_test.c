// SPDX-License-Identifier: Apache-2.0
/* mail/mime_test.c - down-conversion, fed whole and octet by octet (R20, B18, M03, B09). */
#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"

#define UE "\xc3\xbc"
#define V "MIME-Version: 1.0\r\n"
#define QP "Content-Transfer-Encoding: quoted-printable\r\n"
#define B64 "Content-Transfer-Encoding: base64\r\n"
#define B7 "Content-Transfer-Encoding: 7bit\r\n"
#define B8 "Content-Transfer-Encoding: 8bit\r\n"
#define MIXED V "Content-Type: multipart/mixed; boundary=b\r\n"
#define CT(type) "Content-Type: " type "\r\n"
#define L50 "12345678901234567890123456789012345678901234567890"

static bool feed(struct str in, size_t step, struct buf *to, struct err *err)
{
    struct mime_scan *s = mime_scan_new();
    struct mime_convert *c = NULL;
    bool ok = true;

    for (size_t at = 0; ok && at < in.len; at += step)
        ok = mime_scan_feed(s, str_sub(in, at, step), err);
    ok = ok && mime_scan_end(s, err);
    if (ok)
        c = mime_convert_new(s);
    for (size_t at = 0; ok && at < in.len; at += step)
        ok = mime_convert_feed(c, str_sub(in, at, step), to, err);
    ok = ok && mime_convert_end(c, to, err);
    mime_convert_free(c);
    mime_scan_free(s);
    return ok;
}

static const struct mime_case {
    const char *name;
    struct str in;
    struct str want; /* NULL ptr: refused with ERR_SYNTAX */
} mime_cases[] = {
    { "empty", STR(""), STR("") },
    { "7-bit stays", STR("A: 1\r\n\r\nhi\r\n"), STR("A: 1\r\n\r\nhi\r\n") },
    { "no MIME at all", STR("A: 1\r\n\r\nf" UE "r\r\n"), STR("A: 1\r\n" V QP "\r\nf=C3=BCr\r\n") },
    { "no header", STR("\r\n" UE "\r\n"), STR(V QP "\r\n=C3=BC\r\n") },
    { "label is replaced", STR(V B8 "A: 1\r\n\r\n" UE "\r\n"),
      STR(V "A: 1\r\n" QP "\r\n=C3=BC\r\n") },
    { "label of 7-bit content", STR(V B8 "\r\nhi\r\n"), STR(V B7 "\r\nhi\r\n") },
    { "folded label", STR(V "Content-Transfer-Encoding:\r\n 8bit (x)\r\n\r\nhi\r\n"),
      STR(V B7 "\r\nhi\r\n") },
    { "equal signs and blanks at the end", STR(V B8 "\r\na=" UE " \r\n\t\r\n"),
      STR(V QP "\r\na=3D=C3=BC=20\r\n=09\r\n") },
    { "blank at the very end", STR(V "\r\n" UE " "), STR(V QP "\r\n=C3=BC=20") },
    { "soft breaks", STR(V "\r\n" UE L50 L50 "\r\n"),
      STR(V QP "\r\n=C3=BC" L50 "1234567890123456789=\r\n0123456789012345678901234567890\r\n") },
    { "image", STR(V CT("image/png") "\r\n\x89PNG\r\n"),
      STR(V CT("image/png") B64 "\r\niVBORw0K\r\n") },
    { "bare LF and NUL in text", STR(V "\r\na\nb\0c\rd\r\n"), STR(V QP "\r\na=0Ab=00c=0Dd\r\n") },
    { "multipart",
      STR(MIXED B8 "\r\npre\r\n--b\r\n\r\nplain\r\n--b\r\n" CT(
          "text/html") "\r\n" UE "\r\n--b\r\n" CT("a/b") B8 "\r\n" UE "\r\n--b--\r\nepi\r\n"),
      STR(MIXED B7 "\r\npre\r\n--b\r\n\r\nplain\r\n--b\r\n" CT("text/html") QP
          "\r\n=C3=BC\r\n--b\r\n" CT("a/b") B64 "\r\nw7w=\r\n--b--\r\nepi\r\n") },
    { "8-bit preamble", STR(MIXED "\r\n" UE "\r\n--b\r\n\r\nx\r\n--b--\r\n" UE),
      STR(MIXED "\r\n\?\?\r\n--b\r\n\r\nx\r\n--b--\r\n\?\?") },
    { "nested, closed by the outer",
      STR(MIXED "\r\n--b\r\n" CT("multipart/alternative; boundary=\"b2\"") "\r\n--b2\r\n\r\n" UE
                                                                           "\r\n--b\r\n\r\n" UE
                                                                           "\r\n--b--\r\n"),
      STR(MIXED "\r\n--b\r\n" CT(
          "multipart/alternative; boundary=\"b2\"") "\r\n--b2\r\n" QP "\r\n=C3=BC"
                                                    "\r\n--b\r\n" QP "\r\n=C3=BC\r\n--b--\r\n") },
    { "nested, closed itself",
      STR(MIXED "\r\n--b\r\n" CT("multipart/x; boundary=bb") "\r\n--bb\r\n\r\n" UE
                                                             "\r\n--bb--\r\n--b--\r\n"),
      STR(MIXED "\r\n--b\r\n" CT("multipart/x; boundary=bb") "\r\n--bb\r\n" QP
                                                             "\r\n=C3=BC\r\n--bb--\r\n--b--\r\n") },
    { "message inside",
      STR(MIXED "\r\n--b\r\n" CT("message/rfc822") B8 "\r\nA: 1\r\n\r\n" UE "\r\n--b--\r\n"),
      STR(MIXED "\r\n--b\r\n" CT("message/rfc822") B7 "\r\nA: 1\r\n" V QP
                                                      "\r\n=C3=BC\r\n--b--\r\n") },
    { "digest",
      STR(V CT("multipart/digest; boundary=b") "\r\n--b\r\n\r\nA: 1\r\n\r\n" UE "\r\n--b--\r\n"),
      STR(V CT("multipart/digest; boundary=b") "\r\n--b\r\n\r\nA: 1\r\n" V QP
                                               "\r\n=C3=BC\r\n--b--\r\n") },
    { "part without header or body", STR(MIXED "\r\n--b\r\n--b\r\n\r\n" UE "\r\n--b--"),
      STR(MIXED "\r\n--b\r\n--b\r\n" QP "\r\n=C3=BC\r\n--b--") },
    { "delimiter in a header", STR(MIXED "\r\n--b\r\nA: 1\r\n--b\r\n\r\n" UE "\r\n--b--\r\n"),
      STR(MIXED "\r\n--b\r\nA: 1\r\n--b\r\n" QP "\r\n=C3=BC\r\n--b--\r\n") },
    { "no delimiters", STR(MIXED "A: 1\r\n--b\r\n\r\nB: 2\r\n--c--\r\n-\r\n--\r\n--b"),
      STR(MIXED "A: 1\r\n--b\r\n\r\nB: 2\r\n--c--\r\n-\r\n--\r\n--b") },
    { "padded delimiter", STR(MIXED "\r\n--b \t\r\n\r\n" UE "\r\n--b-- \r\n"),
      STR(MIXED "\r\n--b \t\r\n" QP "\r\n=C3=BC\r\n--b-- \r\n") },
    { "header that ends without empty line", STR("A: 1\r\nhello " UE "\r\n"),
      STR("A: 1\r\n" V QP "\r\nhello =C3=BC\r\n") },
    { "comments and quotes in the type",
      STR(V
          "Content-Type: (a (b)) multipart/mixed;\r\n\tx=\"boundary=no\"; Boundary = \"b c\" (d)\r\n\r\n"
          "--b c\r\n\r\n" UE "\r\n--b c--\r\n"),
      STR(V
          "Content-Type: (a (b)) multipart/mixed;\r\n\tx=\"boundary=no\"; Boundary = \"b c\" (d)\r\n\r\n"
          "--b c\r\n" QP "\r\n=C3=BC\r\n--b c--\r\n") },
    { "signed stays when 7-bit",
      STR(V CT("multipart/signed; boundary=b") B8 "\r\n--b\r\n" B8 "\r\nx\r\n--b--\r\n"),
      STR(V CT("multipart/signed; boundary=b") B8 "\r\n--b\r\n" B8 "\r\nx\r\n--b--\r\n") },
    { "8-bit in signed",
      STR(V CT("multipart/signed; boundary=b") "\r\n--b\r\n\r\n" UE "\r\n--b--\r\n"), STR_NONE },
    { "8-bit in encrypted", STR(V CT("multipart/encrypted; boundary=b") "\r\n" UE), STR_NONE },
    { "8-bit in a delivery status", STR(V CT("message/global-delivery-status") "\r\n" UE),
      STR_NONE },
    { "8-bit in what says base64", STR(V B64 "\r\n" UE), STR_NONE },
    { "8-bit in an unknown coding", STR(V "Content-Transfer-Encoding: x-y\r\n\r\n" UE), STR_NONE },
    { "two codings", STR(V B8 B7 "\r\n" UE), STR_NONE },
    { "two types", STR(V CT("text/plain") CT("a/b") "\r\n" UE), STR_NONE },
    { "multipart without boundary", STR(V CT("multipart/mixed") "\r\n" UE), STR_NONE },
    { "continued boundary", STR(V CT("multipart/mixed; boundary*0=b") "\r\n--b\r\n\r\n" UE),
      STR_NONE },
    { "8-bit where a header should end", STR(MIXED UE "A: 1\r\n--b\r\n\r\nx\r\n--b--\r\n"),
      STR_NONE },
    { "8-bit header", STR("A: " UE "\r\n\r\nx\r\n"), STR_NONE },
    { "8-bit header of a part", STR(MIXED "\r\n--b\r\nA: " UE "\r\n\r\nx\r\n--b--\r\n"), STR_NONE },
};

static void r20_messages_become_7_bit_however_they_are_fed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mime_cases); i++)
        for (size_t step = 1; step < 600; step = step < 8 ? step + 1 : step * 2) {
            const struct mime_case *c = &mime_cases[i];
            struct err err = { .kind = ERR_NONE };
            struct buf got;
            bool ok;

            buf_init(&got, 10000);
            ok = feed(c->in, step, &got, &err);
            if (ok != (c->want.ptr != NULL) || (!ok && err.kind != ERR_SYNTAX))
                fail_msg("%s, %zu at a time: %d %s", c->name, step, ok, err.text);
            if (ok && !str_eq(buf_str(&got), c->want))
                fail_msg("%s, %zu at a time: %s", c->name, step, buf_cstr(&got));
            buf_done(&got);
        }
}

static void b17_long_lines_are_wrapped(void **state)
{
    struct buf in, got;
    struct str rest, line;

    (void)state;
    buf_init(&in, 10000);
    buf_init(&got, 10000);
    buf_addf(&in, V "\r\n%*s\r\n", 2000, "x");
    assert_true(feed(buf_str(&in), in.len, &got, NULL));
    rest = buf_str(&got);
    while (str_cut(rest, '\n', &line, &rest))
        assert_true(line.len - 1 <= 76);
    buf_done(&in);
    buf_done(&got);
}

static void m03_refused(struct buf *in)
{
    struct err err = { .kind = ERR_NONE };
    struct buf got;

    buf_init(&got, 10000);
    assert_false(feed(buf_str(in), 65536, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_done(&got);
    buf_done(in);
}

static void m03_depth_parts_and_headers_are_capped(void **state)
{
    struct buf in;

    (void)state;
    buf_init(&in, 1 << 26);
    for (int i = 0; i < 10000; i++)
        buf_addf(&in, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    m03_refused(&in);

    buf_init(&in, 1 << 26);
    for (int i = 0; i < 10000; i++)
        buf_add(&in, STR("Content-Type: message/rfc822\r\n\r\n"));
    m03_refused(&in);

    buf_init(&in, 1 << 26);
    buf_add(&in, STR(MIXED "\r\n"));
    for (int i = 0; i < 1000000; i++)
        buf_add(&in, STR("--b\r\n\r\n"));
    m03_refused(&in);

    buf_init(&in, 1 << 26);
    for (int i = 0; i < 1000000; i++)
        buf_add(&in, STR("A: 1\r\n"));
    m03_refused(&in);
}

static void m03_deepest_allowed_is_converted(void **state)
{
    struct buf in, got;

    (void)state;
    buf_init(&in, 10000);
    buf_init(&got, 20000);
    for (int i = 0; i < MIME_DEPTH_MAX; i++)
        buf_addf(&in, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    buf_add(&in, STR("\r\n" UE));
    assert_true(feed(buf_str(&in), 7, &got, NULL));
    assert_true(str_ends_nocase(buf_str(&got), STR(QP "\r\n=C3=BC")));
    buf_done(&in);
    buf_done(&got);
}

static void a_full_buffer_is_told(void **state)
{
    struct err err = { .kind = ERR_NONE };
    struct buf got;

    (void)state;
    buf_init(&got, 20);
    assert_false(feed(STR("A: 1\r\n\r\n" UE L50), 100, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_done(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r20_messages_become_7_bit_however_they_are_fed),
        cmocka_unit_test(b17_long_lines_are_wrapped),
        cmocka_unit_test(m03_depth_parts_and_headers_are_capped),
        cmocka_unit_test(m03_deepest_allowed_is_converted),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
