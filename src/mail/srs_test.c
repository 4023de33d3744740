// SPDX-License-Identifier: Apache-2.0
/* mail/srs_test.c - rewritten senders come back, forged and old ones do not (R101, A11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/srs.h"

#define NOW_MS INT64_C(1795000000000)
#define DAY_MS (24 * 3600 * INT64_C(1000))

static const uint8_t secret[SRS_SECRET_BYTES] = "a secret";
static const uint8_t other_secret[SRS_SECRET_BYTES] = "another one";

static struct address parsed(struct str text)
{
    struct address a;
    struct err err;

    if (!address_parse(text, &a, &err))
        fail_msg("%.*s: %s", STR_FMT(text), err.text);
    return a;
}

static struct str rewritten(struct buf *to, struct str sender, struct str domain, int64_t when)
{
    struct address a = parsed(sender);
    struct err err;

    buf_init(to, 1024);
    if (!srs_forward(to, &a, domain, secret, when, &err))
        fail_msg("%s", err.text);
    return buf_str(to);
}

static bool comes_back(struct str text, const uint8_t with[SRS_SECRET_BYTES], int64_t when,
                       struct buf *to)
{
    struct address a = parsed(text);
    struct err err;

    buf_init(to, 1024);
    return srs_reverse(to, &a, with, when, &err);
}

static const struct str senders[] = {
    STR("ann@example.org"),
    STR("a=b=c@example.org"),
    STR("\"ann lee\"@example.org"),
    STR("bounces+12345-ab=cd.example@mail.example.net"),
    STR("SRS0=abcd=XY=home.example=ann@first.example"),
    STR("SRS0+abcd=XY=home.example=ann@first.example"),
    STR("\xc3\xa9@example.org"),
};

static void test_r101_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        struct buf there, back;
        struct str text = rewritten(&there, senders[i], STR("fwd.example"), NOW_MS);

        assert_true(srs_is_local(parsed(text).local));
        assert_true(str_eq(parsed(text).domain, STR("fwd.example")));
        assert_true(comes_back(text, secret, NOW_MS + 20 * DAY_MS, &back));
        if (!str_eq(buf_str(&back), senders[i]))
            fail_msg("%.*s: %.*s", STR_FMT(senders[i]), STR_FMT(buf_str(&back)));
        buf_done(&there);
        buf_done(&back);
    }
}

/* The third forwarder keeps the first and forgets the second (SRS1 of SRS1). */
static void test_r101_a_second_rewriting_keeps_the_first(void **state)
{
    struct buf there, back;
    struct str text =
        rewritten(&there, STR("SRS1=hash=first.example==abcd=XY=home.example=ann@second.example"),
                  STR("fwd.example"), NOW_MS);

    (void)state;
    assert_true(comes_back(text, secret, NOW_MS, &back));
    assert_true(str_eq(buf_str(&back), STR("SRS0=abcd=XY=home.example=ann@first.example")));
    buf_done(&there);
    buf_done(&back);
}

static void test_a11_case_may_be_lost(void **state)
{
    struct buf there, back;
    struct str text = rewritten(&there, STR("ann@example.org"), STR("fwd.example"), NOW_MS);

    (void)state;
    for (size_t i = 0; i < text.len; i++)
        there.ptr[i] = ascii_lower(there.ptr[i]);
    assert_true(comes_back(text, secret, NOW_MS, &back));
    assert_true(str_eq(buf_str(&back), STR("ann@example.org")));
    buf_done(&there);
    buf_done(&back);
}

static void test_a11_forged_or_old_ones_do_not(void **state)
{
    static const struct str kinds[] = { STR("ann@example.org"),
                                        STR("SRS0=a=XY=h.example=b@f.example") };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct buf there, back;
        struct str text = rewritten(&there, kinds[k], STR("fwd.example"), NOW_MS);

        assert_false(comes_back(text, other_secret, NOW_MS, &back));
        buf_done(&back);
        assert_false(comes_back(text, secret, NOW_MS + 22 * DAY_MS, &back));
        buf_done(&back);
        assert_false(comes_back(text, secret, NOW_MS - 2 * DAY_MS, &back));
        buf_done(&back);
        /* One sign changed anywhere behind "SRS0=", the domain included. */
        for (size_t i = 5; i < text.len; i++) {
            char was = there.ptr[i];
            if (was == '@' || was == '.' || was == '=')
                continue;
            there.ptr[i] = was == 'x' ? 'y' : 'x';
            if (ascii_lower(was) != there.ptr[i] && comes_back(text, secret, NOW_MS, &back))
                fail_msg("changed at %zu: %.*s", i, STR_FMT(text));
            if (ascii_lower(was) != there.ptr[i])
                buf_done(&back);
            there.ptr[i] = was;
        }
        buf_done(&there);
    }
}

static void test_a11_what_is_none(void **state)
{
    static const struct str none[] = {
        STR("ann@example.org"),
        STR("SRS0=@fwd.example"),
        STR("SRS0=abc@fwd.example"),
        STR("SRS0=ABCDEFGH=X=example.org=a@fwd.example"),
        STR("SRS1=ABCDEFGH@fwd.example"),
        STR("SRS0=ABCDEFGH=00=example.org=a@fwd.example"),
        STR("SRS2=ABCDEFGH=AA=example.org=a@fwd.example"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct buf back;

        if (comes_back(none[i], secret, NOW_MS, &back))
            fail_msg("%.*s", STR_FMT(none[i]));
        buf_done(&back);
    }
}

/* Longer than 64 octets is fine (RFC 5321 §4.5.3.1), longer than a path is not. */
static void test_r101_lengths(void **state)
{
    char local[65], text[400];
    struct buf there, back, to;
    struct err err;
    struct address a;

    (void)state;
    memset(local, 'l', 64);
    local[64] = '\0';
    (void)snprintf(text, sizeof text, "%s@sub.of.a.longer.example.org", local);
    struct str sent = rewritten(&there, str_of(text), STR("fwd.example"), NOW_MS);
    assert_true(parsed(sent).local.len > ADDRESS_LOCAL_MAX);
    assert_true(comes_back(sent, secret, NOW_MS, &back));
    assert_true(str_eq(buf_str(&back), str_of(text)));
    buf_done(&there);
    buf_done(&back);

    (void)snprintf(text, sizeof text, "%s@%.60s.%.60s.%.60s.example", local, local, local, local);
    assert_true(address_parse(str_of(text), &a, &err));
    buf_init(&to, 1024);
    assert_false(srs_forward(&to, &a, STR("fwd.example"), secret, NOW_MS, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(to.len, 0);
    buf_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_r101_there_and_back),
        cmocka_unit_test(test_r101_a_second_rewriting_keeps_the_first),
        cmocka_unit_test(test_a11_case_may_be_lost),
        cmocka_unit_test(test_a11_forged_or_old_ones_do_not),
        cmocka_unit_test(test_a11_what_is_none),
        cmocka_unit_test(test_r101_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
