// SPDX-License-Identifier: Apache-2.0
/* mail/address_test.c - what is a mailbox, a path, a domain, and what is not (R03, B08). */
#include "mail/address.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define L62 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct address_case {
    const char *name;
    struct str text;
    enum err_kind want;
} address_cases[] = {
    { "plain", STR("ann@example.org"), ERR_NONE },
    { "one label", STR("ann@localhost"), ERR_NONE },
    { "all of atext", STR("a!#$%&'*+-/=?^_`{|}~9@x.org"), ERR_NONE },
    { "inner dots", STR("a.b.c@example.org"), ERR_NONE },
    { "quoted", STR("\"a b\"@example.org"), ERR_NONE },
    { "quoted at sign", STR("\"a@b\"@example.org"), ERR_NONE },
    { "quoted pair", STR("\"a\\\"b\\\\\"@example.org"), ERR_NONE },
    { "quoted empty", STR("\"\"@example.org"), ERR_NONE },
    { "IPv4 literal", STR("a@[192.0.2.1]"), ERR_NONE },
    { "IPv6 literal", STR("a@[IPv6:2001:db8::1]"), ERR_NONE },
    { "UTF-8 local", STR("j\xc3\xbcrgen@example.org"), ERR_NONE },
    { "UTF-8 domain",
      STR("a@b\xc3\xbc"
          "cher.example"),
      ERR_NONE },
    { "UTF-8 in quotes", STR("\"\xe5\xb1\xb1 \xe5\xb7\x9d\"@example.org"), ERR_NONE },
    { "digits only", STR("1@2.3"), ERR_NONE },
    { "64 octets of local", STR(A64 "@x.org"), ERR_NONE },
    { "63 octets of label", STR("a@" L62 "b.org"), ERR_NONE },
    { "empty", STR(""), ERR_SYNTAX },
    { "no at", STR("ann"), ERR_SYNTAX },
    { "empty local", STR("@example.org"), ERR_SYNTAX },
    { "empty domain", STR("ann@"), ERR_SYNTAX },
    { "empty domain with shell signs", STR(";for i in 0 1 2;do read r;done;sh;exit 0;@"),
      ERR_SYNTAX },
    { "two at", STR("a@b@c"), ERR_SYNTAX },
    { "leading dot", STR(".a@x.org"), ERR_SYNTAX },
    { "trailing dot", STR("a.@x.org"), ERR_SYNTAX },
    { "double dot", STR("a..b@x.org"), ERR_SYNTAX },
    { "blank", STR("a b@x.org"), ERR_SYNTAX },
    { "tab in quotes", STR("\"a\tb\"@x.org"), ERR_SYNTAX },
    { "line end", STR("a\r\nRCPT TO:<b@x.org>@x.org"), ERR_SYNTAX },
    { "line end in quotes", STR("\"a\r\nb\"@x.org"), ERR_SYNTAX },
    { "escaped line end in quotes", STR("\"a\\\nb\"@x.org"), ERR_SYNTAX },
    { "NUL", STR("a\0b@x.org"), ERR_SYNTAX },
    { "NUL in domain", STR("a@x\0.org"), ERR_SYNTAX },
    { "DEL", STR("a\x7f@x.org"), ERR_SYNTAX },
    { "C1 control", STR("a\xc2\x9b@x.org"), ERR_SYNTAX },
    { "open quote", STR("\"a@x.org"), ERR_SYNTAX },
    { "text behind quote", STR("\"a\"b@x.org"), ERR_SYNTAX },
    { "backslash at the end", STR("\"a\\"), ERR_SYNTAX },
    { "angle bracket", STR("a>b@x.org"), ERR_SYNTAX },
    { "label begins with hyphen", STR("a@-x.org"), ERR_SYNTAX },
    { "label ends with hyphen", STR("a@x-.org"), ERR_SYNTAX },
    { "empty label", STR("a@x..org"), ERR_SYNTAX },
    { "final dot", STR("a@x.org."), ERR_SYNTAX },
    { "underscore", STR("a@x_y.org"), ERR_SYNTAX },
    { "64 octets of label", STR("a@" L62 "bb.org"), ERR_SYNTAX },
    { "empty literal", STR("a@[]"), ERR_SYNTAX },
    { "IPv6 without tag", STR("a@[2001:db8::1]"), ERR_SYNTAX },
    { "IPv4 with tag", STR("a@[IPv6:192.0.2.1]"), ERR_SYNTAX },
    { "literal too large", STR("a@[192.0.2.256]"), ERR_SYNTAX },
    { "literal not closed", STR("a@[192.0.2.1"), ERR_SYNTAX },
    { "unknown tag", STR("a@[x400:y]"), ERR_SYNTAX },
    { "overlong UTF-8", STR("a\xc0\xaf@x.org"), ERR_SYNTAX },
    { "surrogate", STR("\xed\xa0\x80@x.org"), ERR_SYNTAX },
    { "Latin-1", STR("j\xfcrgen@x.org"), ERR_SYNTAX },
    { "65 octets of local", STR(A64 "a@x.org"), ERR_LIMIT },
    { "256 octets of domain", STR("a@" A64 "." A64 "." A64 "." A64), ERR_LIMIT },
};

static void b08_address_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(address_cases); i++) {
        const struct address_case *c = &address_cases[i];
        struct address a;
        struct err err = { .kind = ERR_NONE };
        struct buf text;
        bool ok = address_parse(c->text, &a, &err);

        if (ok != (c->want == ERR_NONE) || (!ok && err.kind != c->want))
            fail_msg("%s: %d %s", c->name, ok, err.text);
        if (!ok)
            continue;
        buf_init(&text, ADDRESS_TEXT_MAX);
        assert_true(address_format(&text, &a));
        assert_true(str_eq(buf_str(&text), c->text));
        assert_int_equal(a.is_utf8, !str_is_ascii(c->text));
        buf_done(&text);
    }
}

static const struct path_case {
    const char *text;
    enum path_kind kind;
    const char *address; /* NULL: refused */
    const char *rest;
} path_cases[] = {
    { "<a@x.org>", PATH_REVERSE, "a@x.org", "" },
    { "<a@x.org> SIZE=1", PATH_REVERSE, "a@x.org", "SIZE=1" },
    { "<a@x.org> \t BODY=7BIT ", PATH_FORWARD, "a@x.org", "BODY=7BIT " },
    { "<>", PATH_REVERSE, "", "" },
    { "<> SIZE=1", PATH_REVERSE, "", "SIZE=1" },
    { "<@a.org:b@x.org>", PATH_FORWARD, "b@x.org", "" },
    { "<@a.org,@b.org:c@x.org> X", PATH_FORWARD, "c@x.org", "X" },
    { "<@[IPv6:2001:db8::1],@b.org:c@x.org>", PATH_REVERSE, "c@x.org", "" },
    { "<postmaster>", PATH_FORWARD, "postmaster", "" },
    { "<PostMaster> NOTIFY=NEVER", PATH_FORWARD, "postmaster", "NOTIFY=NEVER" },
    { "<\"a>b\"@x.org>", PATH_FORWARD, "\"a>b\"@x.org", "" },
    { "<\"a\\\">\"@x.org> Y", PATH_FORWARD, "\"a\\\">\"@x.org", "Y" },
    { "", PATH_FORWARD, NULL, NULL },
    { "a@x.org", PATH_FORWARD, NULL, NULL },
    { " <a@x.org>", PATH_FORWARD, NULL, NULL },
    { "<a@x.org", PATH_FORWARD, NULL, NULL },
    { "<a@x.org>SIZE=1", PATH_REVERSE, NULL, NULL },
    { "<a@x.org>>", PATH_REVERSE, NULL, NULL },
    { "<<a@x.org>>", PATH_REVERSE, NULL, NULL },
    { "<>", PATH_FORWARD, NULL, NULL },
    { "< >", PATH_REVERSE, NULL, NULL },
    { "<postmaster>", PATH_REVERSE, NULL, NULL },
    { "<@a.org:>", PATH_REVERSE, NULL, NULL },
    { "<@a.org b@x.org>", PATH_FORWARD, NULL, NULL },
    { "<@a.org,b@x.org>", PATH_FORWARD, NULL, NULL },
    { "<@a.org,:b@x.org>", PATH_FORWARD, NULL, NULL },
    { "<@:b@x.org>", PATH_FORWARD, NULL, NULL },
    { "<@a..org:b@x.org>", PATH_FORWARD, NULL, NULL },
    { "<@[>", PATH_FORWARD, NULL, NULL },
    { "<\"a\\", PATH_FORWARD, NULL, NULL },
};

static void r03_path_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(path_cases); i++) {
        const struct path_case *c = &path_cases[i];
        struct str text = str_of(c->text);
        struct address a;
        struct err err = { .kind = ERR_NONE };
        struct buf got;

        if (path_parse(&text, c->kind, &a, &err) != (c->address != NULL))
            fail_msg("%s: %s", c->text, err.text);
        if (!c->address) {
            assert_int_equal(err.kind, ERR_SYNTAX);
            assert_true(str_eq(text, str_of(c->text)));
            continue;
        }
        buf_init(&got, ADDRESS_TEXT_MAX);
        address_format(&got, &a);
        assert_string_equal(buf_cstr(&got), c->address);
        assert_true(str_eq(text, str_of(c->rest)));
        assert_int_equal(address_is_null(&a), *c->address == '\0');
        buf_done(&got);
    }
}

static void r03_missing_brackets_are_named(void **state)
{
    struct str text = STR("a@x.org");
    struct address a;
    struct err err;

    (void)state;
    assert_false(path_parse(&text, PATH_FORWARD, &a, &err));
    assert_non_null(strstr(err.text, "angle brackets"));
}

static const struct ascii_case {
    const char *text;
    const char *want; /* NULL: refused */
} ascii_cases[] = {
    { "Example.ORG", "example.org" },
    { "example.org.", "example.org" },
    { "b\xc3\xbc"
      "cher.example",
      "xn--bcher-kva.example" },
    { "B\xc3\x9c"
      "CHER.example",
      "xn--bcher-kva.example" },
    { "fa\xc3\x9f.de", "xn--fa-hia.de" },
    { "", NULL },
    { ".", NULL },
    { "a b.org", NULL },
    { "[192.0.2.1]", NULL },
    { "a\xff.org", NULL },
    { "\xe2\x98\x83\xe2\x84\x80.org", NULL }, /* U+2100 maps to a/c */
    { "x\xef\xbc\xa0y.org", NULL },           /* a full-width at sign */
};

static void b08_domain_becomes_ascii(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ascii_cases); i++) {
        const struct ascii_case *c = &ascii_cases[i];
        struct buf got;
        struct err err = { .kind = ERR_NONE };
        bool ok;

        buf_init(&got, ADDRESS_DOMAIN_MAX);
        ok = domain_ascii(&got, str_of(c->text), &err);
        if (ok != (c->want != NULL))
            fail_msg("%s: %s", c->text, ok ? buf_cstr(&got) : err.text);
        if (ok)
            assert_string_equal(buf_cstr(&got), c->want);
        else
            assert_int_equal(err.kind, ERR_SYNTAX);
        buf_done(&got);
    }
}

static void domain_eq_as_users_mean_it(void **state)
{
    (void)state;
    assert_true(domain_eq(STR("Example.org."), STR("example.ORG")));
    assert_true(domain_eq(STR("b\xc3\xbc"
                              "cher.example"),
                          STR("XN--bcher-kva.example")));
    assert_false(domain_eq(STR("example.org"), STR("example.com")));
    assert_false(domain_eq(STR("b\xc3\xbc"
                               "cher.example"),
                           STR("bucher.example")));
    assert_false(domain_eq(STR(""), STR("example.org")));
}

static void address_eq_keeps_case_of_local(void **state)
{
    struct address a, b, c;

    (void)state;
    assert_true(address_parse(STR("Ann@x.org"), &a, NULL));
    assert_true(address_parse(STR("Ann@X.ORG"), &b, NULL));
    assert_true(address_parse(STR("ann@x.org"), &c, NULL));
    assert_true(address_eq(&a, &b));
    assert_false(address_eq(&a, &c));
}

static void helo_takes_what_prints(void **state)
{
    (void)state;
    assert_true(helo_ok(STR("mail.example.org")));
    assert_true(helo_ok(STR("[192.0.2.1]")));
    assert_true(helo_ok(STR("PC_OF-ANN!")));
    assert_true(helo_ok(STR("b\xc3\xbc"
                            "ro")));
    assert_false(helo_ok(STR("")));
    assert_false(helo_ok(STR("a b")));
    assert_false(helo_ok(STR("a\tb")));
    assert_false(helo_ok(STR("a\r\nb")));
    assert_false(helo_ok(STR("a\0b")));
    assert_false(helo_ok(STR("a\xff")));
    assert_false(helo_ok(STR(A64 A64 A64 A64)));
}

static void address_copy_outlives_its_text(void **state)
{
    char text[] = "ann@example.org";
    struct arena arena;
    struct address a, copy;

    (void)state;
    arena_init(&arena, 256);
    assert_true(address_parse(str_of(text), &a, NULL));
    copy = address_copy(&arena, &a);
    memset(text, 'x', sizeof(text));
    assert_true(str_eq(copy.local, STR("ann")) && str_eq(copy.domain, STR("example.org")));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b08_address_is_judged),
        cmocka_unit_test(r03_path_is_judged),
        cmocka_unit_test(r03_missing_brackets_are_named),
        cmocka_unit_test(b08_domain_becomes_ascii),
        cmocka_unit_test(domain_eq_as_users_mean_it),
        cmocka_unit_test(address_eq_keeps_case_of_local),
        cmocka_unit_test(helo_takes_what_prints),
        cmocka_unit_test(address_copy_outlives_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
