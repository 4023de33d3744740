// SPDX-License-Identifier: Apache-2.0
/* mail/xtext_test.c - parameters of MAIL and RCPT, and xtext (R03, B17, B18). */
#include "mail/xtext.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

#define D100 \
    "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"

static const struct mail_case {
    struct str text;
    enum err_kind want;
    struct mail_params params;
} mail_cases[] = {
    { STR(""), ERR_NONE, { .body = BODY_7BIT } },
    { STR("  "), ERR_NONE, { .body = BODY_7BIT } },
    { STR("SIZE=1000"), ERR_NONE, { .size_bytes = 1000 } },
    { STR("size=0  body=8bitmime "), ERR_NONE, { .body = BODY_8BITMIME } },
    { STR("BODY=BINARYMIME SMTPUTF8"), ERR_NONE, { .body = BODY_BINARYMIME, .smtputf8 = true } },
    { STR("BODY=7BIT RET=HDRS"), ERR_NONE, { .ret = RET_HDRS } },
    { STR("RET=full ENVID=a+2Bb+20c"), ERR_NONE, { .ret = RET_FULL, .envid = STR("a+b c") } },
    { STR("ENVID=" D100), ERR_NONE, { .envid = STR(D100) } },
    { STR("AUTH=<>"), ERR_NONE, { .has_auth = true } },
    { STR("AUTH=e+3Dmc2@example.com"), ERR_NONE, { .has_auth = true } },
    { STR("SIZE=99999999999999999999"), ERR_NONE, { .size_bytes = UINT64_MAX } },
    { STR("SIZE=999999999999999999999"), ERR_SYNTAX, { 0 } },
    { STR("SIZE"), ERR_SYNTAX, { 0 } },
    { STR("SIZE="), ERR_SYNTAX, { 0 } },
    { STR("SIZE=-1"), ERR_SYNTAX, { 0 } },
    { STR("SIZE=1x"), ERR_SYNTAX, { 0 } },
    { STR("SIZE=1 SIZE=1"), ERR_SYNTAX, { 0 } },
    { STR("SIZE=1=2"), ERR_SYNTAX, { 0 } },
    { STR("BODY=9BIT"), ERR_SYNTAX, { 0 } },
    { STR("SMTPUTF8=yes"), ERR_SYNTAX, { 0 } },
    { STR("RET=ALL"), ERR_SYNTAX, { 0 } },
    { STR("ENVID=a+2"), ERR_SYNTAX, { 0 } },
    { STR("ENVID=a+2b"), ERR_SYNTAX, { 0 } },
    { STR("ENVID=a+0D+0Ab"), ERR_SYNTAX, { 0 } },
    { STR("ENVID=a+FFb"), ERR_SYNTAX, { 0 } },
    { STR("ENVID=" D100 "1"), ERR_SYNTAX, { 0 } },
    { STR("AUTH=a+0Ab"), ERR_SYNTAX, { 0 } },
    { STR("=1"), ERR_SYNTAX, { 0 } },
    { STR("-A=1"), ERR_SYNTAX, { 0 } },
    { STR("SIZE=1\0"), ERR_SYNTAX, { 0 } },
    { STR("ENVID=\xc0\xaf"), ERR_SYNTAX, { 0 } },
    { STR("SIZE=1\rX"), ERR_SYNTAX, { 0 } },
    { STR("NOTIFY=NEVER"), ERR_NOT_FOUND, { 0 } },
    { STR("XFOO"), ERR_NOT_FOUND, { 0 } },
    { STR("__proto__=1"), ERR_SYNTAX, { 0 } },
};

static void r03_mail_parameters(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(mail_cases); i++) {
        const struct mail_case *c = &mail_cases[i];
        struct mail_params p = { 0 };
        struct err err = { .kind = ERR_NONE };
        bool ok = mail_params_parse(c->text, &arena, &p, &err);

        if (ok != (c->want == ERR_NONE) || err.kind != c->want)
            fail_msg("%s: %d %s", c->text.ptr, ok, err.text);
        assert_int_equal(p.size_bytes, c->params.size_bytes);
        assert_int_equal(p.body, c->params.body);
        assert_int_equal(p.smtputf8, c->params.smtputf8);
        assert_int_equal(p.ret, c->params.ret);
        assert_int_equal(p.has_auth, c->params.has_auth);
        assert_true(str_eq(p.envid, c->params.envid));
    }
    arena_done(&arena);
}

static const struct rcpt_case {
    struct str text;
    enum err_kind want;
    unsigned notify;
    struct str orcpt;
} rcpt_cases[] = {
    { STR(""), ERR_NONE, NOTIFY_DEFAULT, STR("") },
    { STR("NOTIFY=NEVER"), ERR_NONE, NOTIFY_NEVER, STR("") },
    { STR("notify=success,Failure"), ERR_NONE, NOTIFY_SUCCESS | NOTIFY_FAILURE, STR("") },
    { STR("NOTIFY=DELAY ORCPT=rfc822;a+2Bb@x.org"), ERR_NONE, NOTIFY_DELAY,
      STR("rfc822;a+2Bb@x.org") },
    { STR("ORCPT=utf-8;j\\x{FC}rgen@x.org"), ERR_NONE, 0, STR("utf-8;j\\x{FC}rgen@x.org") },
    { STR("ORCPT=utf-8;\\x{FC}\\x{2B}"), ERR_NONE, 0, STR("utf-8;\\x{FC}\\x{2B}") },
    { STR("ORCPT=UTF-8;j\xc3\xbcrgen@x.org"), ERR_NONE, 0, STR("UTF-8;j\xc3\xbcrgen@x.org") },
    { STR("ORCPT=x400;/C=a/"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=x400;/C+3Da/"), ERR_NONE, 0, STR("x400;/C+3Da/") },
    { STR("NOTIFY"), ERR_SYNTAX, 0, STR("") },
    { STR("NOTIFY="), ERR_SYNTAX, 0, STR("") },
    { STR("NOTIFY=NEVER,SUCCESS"), ERR_SYNTAX, 0, STR("") },
    { STR("NOTIFY=SUCCESS,"), ERR_SYNTAX, 0, STR("") },
    { STR("NOTIFY=,SUCCESS"), ERR_SYNTAX, 0, STR("") },
    { STR("NOTIFY=ALWAYS"), ERR_SYNTAX, 0, STR("") },
    { STR("NOTIFY=DELAY NOTIFY=DELAY"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=a@x.org"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=;a@x.org"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=rfc822;"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=rf_c;a"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=rfc822;a+0Ab"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=rfc822;j\xc3\xbc"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=utf-8;a\\b"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=utf-8;\\x{}"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=utf-8;\\x{FC"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=utf-8;a+2B"), ERR_SYNTAX, 0, STR("") },
    { STR("ORCPT=rfc822;" D100 D100 D100 D100 D100), ERR_SYNTAX, 0, STR("") },
    { STR("SIZE=1"), ERR_NOT_FOUND, 0, STR("") },
};

static void r03_rcpt_parameters(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(rcpt_cases); i++) {
        const struct rcpt_case *c = &rcpt_cases[i];
        struct rcpt_params p = { .notify = NOTIFY_DEFAULT };
        struct err err = { .kind = ERR_NONE };
        bool ok = rcpt_params_parse(c->text, &arena, &p, &err);

        if (ok != (c->want == ERR_NONE) || err.kind != c->want)
            fail_msg("%s: %d %s", c->text.ptr, ok, err.text);
        assert_int_equal(p.notify, c->notify);
        assert_true(str_eq(p.orcpt, c->orcpt));
    }
    arena_done(&arena);
}

static void xtext_round_trip(void **state)
{
    char bytes[256];
    struct buf coded, plain;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    buf_init(&coded, 1000);
    buf_init(&plain, 256);
    assert_true(xtext_add(&coded, str_make(bytes, sizeof(bytes))));
    assert_true(xtext_read(&plain, buf_str(&coded), NULL));
    assert_int_equal(plain.len, sizeof(bytes));
    assert_memory_equal(plain.ptr, bytes, sizeof(bytes));
    buf_done(&coded);
    buf_done(&plain);
}

static void xtext_knows_its_limit(void **state)
{
    struct buf to;
    struct err err;

    (void)state;
    buf_init(&to, 2);
    assert_false(xtext_read(&to, STR("abc"), &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r03_mail_parameters),
        cmocka_unit_test(r03_rcpt_parameters),
        cmocka_unit_test(xtext_round_trip),
        cmocka_unit_test(xtext_knows_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
