// SPDX-License-Identifier: Apache-2.0
/* base/ip_test.c - one spelling for each host, strict text, and what counts as public. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ip.h"
#include "base/mem.h"

static const struct ip_case {
    struct str text;
    const char *want; /* NULL: refused */
} ip_cases[] = {
    { STR("192.0.2.1"), "192.0.2.1" },
    { STR("0.0.0.0"), "0.0.0.0" },
    { STR("2001:DB8:0:0::1"), "2001:db8::1" },
    { STR("::"), "::" },
    { STR("::ffff:192.0.2.1"), "192.0.2.1" }, /* A08 */
    { STR("::FFFF:c000:0201"), "192.0.2.1" },
    { STR("0:0:0:0:0:ffff:192.0.2.1"), "192.0.2.1" },
    { STR("::192.0.2.1"), "::192.0.2.1" },
    { STR("2001:db8:1111:2222:3333:4444:5555:6666"), "2001:db8:1111:2222:3333:4444:5555:6666" },
    { STR(""), NULL },
    { STR("192.0.2"), NULL },
    { STR("192.0.2.256"), NULL },
    { STR("192.0.2.01"), NULL },
    { STR("0300.0.2.1"), NULL },
    { STR("3221225985"), NULL },
    { STR("192.0.2.1 "), NULL },
    { STR(" 192.0.2.1"), NULL },
    { STR("192.0.2.1\0"), NULL },
    { STR("192.0.2.1\0.example.org"), NULL },
    { STR("1:2:3:4:5:6:7:8:9"), NULL },
    { STR("1::2::3"), NULL },
    { STR("fe80::1%eth0"), NULL },
    { STR("[::1]"), NULL },
    { STR("example.org"), NULL },
    { STR("2001:db8:1111:2222:3333:4444:5555:6666:7777:8888"), NULL },
};

static void addresses_A08(void **state)
{
    char text[IP_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ip_cases); i++) {
        const struct ip_case *c = &ip_cases[i];
        struct ip ip = { .family = 9 };
        struct err err = { 0 };
        bool ok = ip_parse(c->text, &ip, &err);

        print_message("  %.*s\n", STR_FMT(c->text));
        assert_int_equal(ok, c->want != NULL);
        assert_int_equal(err.kind, ok ? ERR_NONE : ERR_SYNTAX);
        if (ok)
            assert_string_equal(ip_format(&ip, text), c->want);
        else
            assert_int_equal(ip.family, 9);
    }
    assert_string_equal(ip_format(&(struct ip){ 0 }, text), "-");
}

static void equality(void **state)
{
    struct ip a = ip_make4((const uint8_t[]){ 192, 0, 2, 1 });
    struct ip b = ip_make6((const uint8_t[16]){ [10] = 255, 255, 192, 0, 2, 1 });
    struct ip c = ip_make6((const uint8_t[16]){ 0x20, 1 });

    (void)state;
    assert_true(ip_eq(&a, &b));
    assert_false(ip_eq(&a, &c));
    assert_true(ip_eq(&c, &c));
}

static const struct net_case {
    struct str text;
    const char *want; /* NULL: refused */
    struct str in, out;
} net_cases[] = {
    { STR("192.0.2.0/24"), "192.0.2.0/24", STR("192.0.2.255"), STR("192.0.3.0") },
    { STR("192.0.2.128/25"), "192.0.2.128/25", STR("192.0.2.128"), STR("192.0.2.127") },
    { STR("192.0.2.1"), "192.0.2.1/32", STR("::ffff:192.0.2.1"), STR("192.0.2.2") },
    { STR("0.0.0.0/0"), "0.0.0.0/0", STR("255.255.255.255"), STR("::1") },
    { STR("::/0"), "::/0", STR("::1"), STR("10.0.0.1") },
    { STR("2001:db8::/33"), "2001:db8::/33", STR("2001:db8:7fff::1"), STR("2001:db8:8000::") },
    { STR("::1"), "::1/128", STR("::1"), STR("::2") },
    { STR("::ffff:192.0.2.1"), "192.0.2.1/32", STR("192.0.2.1"), STR("192.0.2.0") },
    { STR("192.0.2.1/24"), NULL, STR(""), STR("") },
    { STR("2001:db8::1/64"), NULL, STR(""), STR("") },
    { STR("192.0.2.0/33"), NULL, STR(""), STR("") },
    { STR("::/129"), NULL, STR(""), STR("") },
    { STR("192.0.2.0/"), NULL, STR(""), STR("") },
    { STR("192.0.2.0/024"), NULL, STR(""), STR("") },
    { STR("192.0.2.0/-1"), NULL, STR(""), STR("") },
    { STR("192.0.2.0/24/8"), NULL, STR(""), STR("") },
    { STR("192.0.2.0/255.255.255.0"), NULL, STR(""), STR("") },
    { STR("::ffff:192.0.2.0/120"), NULL, STR(""), STR("") },
    { STR("::ffff:0.0.0.0/0"), NULL, STR(""), STR("") },
    { STR("/24"), NULL, STR(""), STR("") },
    { STR("10/8"), NULL, STR(""), STR("") },
};

static void networks(void **state)
{
    char text[IP_TEXT_MAX + 4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(net_cases); i++) {
        const struct net_case *c = &net_cases[i];
        struct ip_net net = { .bits = 200 };
        struct err err = { 0 };
        struct ip ip;

        print_message("  %.*s\n", STR_FMT(c->text));
        assert_int_equal(ip_net_parse(c->text, &net, &err), c->want != NULL);
        assert_int_equal(err.kind, c->want ? ERR_NONE : ERR_SYNTAX);
        if (!c->want) {
            assert_int_equal(net.bits, 200);
            continue;
        }
        assert_string_equal(ip_net_format(&net, text), c->want);
        assert_true(ip_parse(c->in, &ip, NULL) && ip_net_has(&net, &ip));
        assert_true(ip_parse(c->out, &ip, NULL) && !ip_net_has(&net, &ip));
    }
    assert_false(ip_net_has(&(struct ip_net){ 0 }, &(struct ip){ 0 }));
}

static const struct public_case {
    struct str text;
    bool is_public, is_loopback;
} public_cases[] = {
    { STR("8.8.8.8"), true, false },
    { STR("100.63.255.255"), true, false },
    { STR("100.128.0.0"), true, false },
    { STR("172.32.0.1"), true, false },
    { STR("223.255.255.255"), true, false },
    { STR("2606:4700::1"), true, false },
    { STR("2001:200::1"), true, false },
    { STR("64:ff9b::8.8.8.8"), true, false },
    { STR("0.1.2.3"), false, false },
    { STR("10.1.2.3"), false, false },
    { STR("100.64.0.1"), false, false },
    { STR("127.255.0.1"), false, true },
    { STR("169.254.169.254"), false, false },
    { STR("172.31.255.255"), false, false },
    { STR("192.0.0.8"), false, false },
    { STR("192.0.2.1"), false, false },
    { STR("192.88.99.1"), false, false },
    { STR("192.168.1.1"), false, false },
    { STR("198.19.255.255"), false, false },
    { STR("198.51.100.1"), false, false },
    { STR("203.0.113.1"), false, false },
    { STR("224.0.0.1"), false, false },
    { STR("240.0.0.1"), false, false },
    { STR("255.255.255.255"), false, false },
    { STR("::ffff:127.0.0.1"), false, true },
    { STR("::"), false, false },
    { STR("::1"), false, true },
    { STR("::8.8.8.8"), false, false },
    { STR("64:ff9b::10.0.0.1"), false, false },
    { STR("64:ff9b:1::8.8.8.8"), false, false },
    { STR("100::1"), false, false },
    { STR("2001::1"), false, false },
    { STR("2001:2::1"), false, false },
    { STR("2001:db8::1"), false, false },
    { STR("2002:0a00:0001::1"), false, false },
    { STR("3fff:0fff::1"), false, false },
    { STR("fc00::1"), false, false },
    { STR("fd12::1"), false, false },
    { STR("fe80::1"), false, false },
    { STR("fec0::1"), false, false },
    { STR("ff02::1"), false, false },
};

static void reachability(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(public_cases); i++) {
        const struct public_case *c = &public_cases[i];
        struct ip ip;

        print_message("  %.*s\n", STR_FMT(c->text));
        assert_true(ip_parse(c->text, &ip, NULL));
        assert_int_equal(ip_is_public(&ip), c->is_public);
        assert_int_equal(ip_is_loopback(&ip), c->is_loopback);
    }
    assert_false(ip_is_public(&(struct ip){ 0 }));
    assert_false(ip_is_loopback(&(struct ip){ 0 }));
}

static const struct ip_case endpoint_cases[] = {
    { STR("192.0.2.1:25"), "192.0.2.1:25" },
    { STR("[2001:db8::1]:65535"), "[2001:db8::1]:65535" },
    { STR("[::ffff:192.0.2.1]:25"), "192.0.2.1:25" },
    { STR("127.0.0.1:0"), "127.0.0.1:0" },
    { STR("2001:db8::1:25"), NULL },
    { STR("[192.0.2.1]:25"), NULL },
    { STR("192.0.2.1"), NULL },
    { STR("192.0.2.1:"), NULL },
    { STR("192.0.2.1:65536"), NULL },
    { STR("192.0.2.1:025"), NULL },
    { STR("192.0.2.1:+25"), NULL },
    { STR("[2001:db8::1]"), NULL },
    { STR("[2001:db8::1:25"), NULL },
    { STR("[]:25"), NULL },
    { STR(":25"), NULL },
    { STR(""), NULL },
    { STR("localhost:25"), NULL },
};

static void endpoints(void **state)
{
    char text[ENDPOINT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(endpoint_cases); i++) {
        const struct ip_case *c = &endpoint_cases[i];
        struct endpoint e;
        struct err err = { 0 };

        print_message("  %.*s\n", STR_FMT(c->text));
        assert_int_equal(endpoint_parse(c->text, &e, &err), c->want != NULL);
        assert_int_equal(err.kind, c->want ? ERR_NONE : ERR_SYNTAX);
        if (c->want)
            assert_string_equal(endpoint_format(&e, text), c->want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_A08), cmocka_unit_test(equality),  cmocka_unit_test(networks),
        cmocka_unit_test(reachability),  cmocka_unit_test(endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
