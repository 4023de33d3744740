// SPDX-License-Identifier: Apache-2.0
/* mail/mailbox_test.c - which address a list holds, and which lists are in doubt (T01). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/mailbox.h"

static const struct list_case {
    const char *name;
    struct str value;
    const char *want; /* addresses with a blank between; NULL: refused */
} list_cases[] = {
    { "an address", STR(" ann@example.org"), "ann@example.org" },
    { "in brackets", STR("<ann@example.org>"), "ann@example.org" },
    { "with a name", STR(" Ann Lee <ann@example.org>"), "ann@example.org" },
    { "with a name that has dots", STR("Ann Q. Lee <ann@example.org>"), "ann@example.org" },
    { "with a quoted name", STR("\"Lee, Ann\" <ann@example.org>"), "ann@example.org" },
    { "with an escape in the name", STR("\"A \\\" B\" <ann@example.org>"), "ann@example.org" },
    { "an address as quoted name", STR("\"ceo@bank.example\" <ann@example.org>"),
      "ann@example.org" },
    { "a bracketed one as quoted name", STR("\"<ceo@bank.example>\" <ann@example.org>"),
      "ann@example.org" },
    { "an encoded name", STR("=?utf-8?q?J=C3=BCrg?= <j@example.org>"), "j@example.org" },
    { "a base64 name", STR("=?utf-8?b?SsO8cmc=?= <j@example.org>"), "j@example.org" },
    { "an unencoded name in UTF-8", STR("J\xc3\xbcrg <j@example.org>"), "j@example.org" },
    { "an unencoded name in Latin-1", STR("J\xfcrg <j@example.org>"), "j@example.org" },
    { "a fold", STR("Ann\r\n <ann@example.org>"), "ann@example.org" },
    { "a fold behind", STR("<ann@example.org>\r\n\t"), "ann@example.org" },
    { "a comment behind", STR("ann@example.org (Ann)"), "ann@example.org" },
    { "a comment in front", STR("(Ann (the first)) <ann@example.org>"), "ann@example.org" },
    { "an escape in a comment", STR("a@example.org (x\\)y)"), "a@example.org" },
    { "several", STR("a@example.org, B <b@example.net>,\r\n c@example.com"),
      "a@example.org b@example.net c@example.com" },
    { "a group", STR("Us: a@example.org, <b@example.net>;"), "a@example.org b@example.net" },
    { "an empty group", STR("undisclosed-recipients:;"), "" },
    { "a group, then one", STR("G: a@example.org;, b@example.net"), "a@example.org b@example.net" },
    { "nothing", STR(" \r\n "), "" },
    { "only a comment", STR("(nobody)"), "" },
    { "a quoted local part", STR("<\"ann.lee\"@example.org>"), "\"ann.lee\"@example.org" },
    { "a literal", STR("<a@[192.0.2.1]>"), "a@[192.0.2.1]" },
    { "percent is no route", STR("a%bank.example@example.org"), "a%bank.example@example.org" },
    { "an international domain",
      STR("a@b\xc3\xbc"
          "cher.example"),
      "a@b\xc3\xbc"
      "cher.example" },

    { "T01 an unquoted address as name", STR("ceo@bank.example <ann@example.org>"), NULL },
    { "T01 two in brackets", STR("<a@example.org> <b@bank.example>"), NULL },
    { "T01 two without a comma", STR("a@example.org b@bank.example"), NULL },
    { "T01 words behind the brackets", STR("<a@example.org> x"), NULL },
    { "T01 a route", STR("<@bank.example:a@example.org>"), NULL },
    { "T01 a route of two", STR("<@a.example,@b.example:a@example.org>"), NULL },
    { "T01 a comment in the domain", STR("a@example.org(x).bank.example"), NULL },
    { "T01 a comment before the @", STR("a(x)@example.org"), NULL },
    { "T01 a comment in brackets", STR("<a@example.org (x)>"), NULL },
    { "T01 a comment with an address", STR("(b@bank.example) a@example.org"), NULL },
    { "T01 a comment with brackets", STR("a@example.org (<x>)"), NULL },
    { "T01 a comment without end", STR("a@example.org (x"), NULL },
    { "T01 blanks around @", STR("a @ example.org"), NULL },
    { "T01 a blank in brackets", STR("< a@example.org>"), NULL },
    { "T01 a blank in the domain", STR("a@example .org"), NULL },
    { "T01 an encoded word as local part", STR("=?utf-8?q?ceo=40bank.example?=@example.org"),
      NULL },
    { "T01 an encoded word in brackets", STR("<=?utf-8?b?YQ==?=@example.org>"), NULL },
    { "T01 a NUL in an encoded name", STR("=?utf-8?q?ceo=40bank=00?= <a@example.org>"), NULL },
    { "T01 a line end in a base64 name", STR("=?utf-8?b?YQ0KYg==?= <a@example.org>"), NULL },
    { "T01 broken base64", STR("=?utf-8?b?YQ?= <a@example.org>"), NULL },
    { "T01 NUL", STR("a@example.org\0.bank.example"), NULL },
    { "T01 NUL in a name", STR("\"a\0b\" <a@example.org>"), NULL },
    { "T01 escape character in a name", STR("A\x1b(B <a@example.org>"), NULL },
    { "T01 two @", STR("a@bank.example@example.org"), NULL },
    { "T01 a quoted local part with @", STR("\"a@bank.example\"@example.org"), NULL },
    { "T01 a quoted local part with >", STR("<\"a@bank.example>\"@example.org>"), NULL },
    { "T01 quoted pieces", STR("\"a\".b@example.org"), NULL },
    { "T01 a word touching quotes", STR("a\"b\"@example.org"), NULL },
    { "T01 a quoted string without end", STR("\"a <a@example.org>"), NULL },
    { "T01 a bracket without end", STR("<a@example.org"), NULL },
    { "T01 only the end of one", STR("a@example.org>"), NULL },
    { "T01 a full-width @",
      STR("b\xef\xbc\xa0"
          "bank.example@example.org"),
      NULL },
    { "T01 a full-width full stop",
      STR("a@example.org\xe3\x80\x82"
          "bank.example"),
      NULL },
    { "T01 a final dot", STR("a@example.org."), NULL },
    { "T01 a semicolon between", STR("a@example.org; b@bank.example"), NULL },
    { "T01 a group in a group", STR("G: H: a@example.org;;"), NULL },
    { "T01 a group without end", STR("G: a@example.org"), NULL },
    { "T01 a group without name", STR(": a@example.org;"), NULL },
    { "an empty place", STR("a@example.org,,b@example.net"), NULL },
    { "an empty place at the end", STR("a@example.org,"), NULL },
    { "an empty place in a group", STR("G: a@example.org,;"), NULL },
    { "an empty place in front", STR(",a@example.org"), NULL },
    { "no domain", STR("root"), NULL },
    { "no domain in brackets", STR("Root <root>"), NULL },
    { "no local part", STR("<@example.org>"), NULL },
    { "empty brackets", STR("<>"), NULL },
    { "a literal without end", STR("a@[192.0.2.1"), NULL },
};

/* The addresses as text; false when the list is refused. */
static bool read_all(struct str value, struct buf *to)
{
    struct mailbox_reader r;
    struct address a;
    enum mailbox_read read;
    struct err err = { 0 };

    mailbox_begin(&r, value);
    while ((read = mailbox_next(&r, &a, &err)) == MAILBOX_ONE) {
        if (to->len > 0)
            buf_add_char(to, ' ');
        address_format(to, &a);
    }
    assert_true(read == MAILBOX_END || err.text[0] != '\0');
    return read == MAILBOX_END;
}

static void test_t01_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(list_cases); i++) {
        const struct list_case *c = &list_cases[i];
        struct buf got;

        buf_init(&got, 4096);
        bool ok = read_all(c->value, &got);
        if (ok != (c->want != NULL) || (ok && !str_eq(buf_str(&got), str_of(c->want))))
            fail_msg("%s: %s %.*s", c->name, ok ? "read" : "refused", STR_FMT(buf_str(&got)));
        buf_done(&got);
    }
}

static void test_more_than_the_limit(void **state)
{
    struct buf value, got;

    (void)state;
    buf_init(&value, 64 * 1024);
    buf_init(&got, 64 * 1024);
    for (unsigned i = 0; i < MAILBOXES_MAX; i++)
        buf_addf(&value, "%sa%u@example.org", i ? ", " : "", i);
    assert_true(read_all(buf_str(&value), &got));
    buf_add(&value, STR(", b@example.org"));
    assert_false(read_all(buf_str(&value), &got));
    buf_done(&value);
    buf_done(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t01_lists),
        cmocka_unit_test(test_more_than_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
