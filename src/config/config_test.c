// SPDX-License-Identifier: Apache-2.0
/* config/config_test.c - what config_parse() takes and what it refuses (faults B16), each refusal
 * with file, line, option and what was expected; the look-ups; the printed forms read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"

static struct config *parse(const char *yaml)
{
    struct config *c = NULL;
    struct err err = { 0 };

    if (!config_parse(STR("t.yaml"), str_of(yaml), &c, &err))
        fail_msg("%s", err.text);
    return c;
}

/* Refusals ------------------------------------------------------------------------------------- */

static const struct refusal {
    const char *name, *yaml, *want; /* want: how the message begins */
} refusals[] = {
    { "unknown key", "hostnam: a", "t.yaml:1: hostnam: no such option" },
    { "unknown key below", "\nlimits:\n  recipient: 5",
      "t.yaml:3: limits.recipient: no such option" },
    { "dotted key", "tls.cert_file: /a", "t.yaml:1: tls.cert_file: no such option" },
    { "dotted key below", "a.b: {c: 1}", "t.yaml:1: a.b: no such option" },
    { "merge key", "<<: {}", "t.yaml:1: <<: no such option" },
    { "duplicate key", "user: a\nuser: b", "t.yaml:2: user: given twice" },
    { "duplicate section", "tls: {}\ntls: {}", "t.yaml:2: tls: given twice" },
    { "duplicate in a row", "routes: [{domain: a.b, via: mx, domain: a.c}]",
      "t.yaml:1: routes.domain: given twice" },
    { "anchor", "user: &a x", "t.yaml:1: an anchor or alias" },
    { "alias", "user: *a", "t.yaml:1: an anchor or alias" },
    { "alias bomb", "a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]", "t.yaml:1: an anchor or alias" },
    { "tag", "user: !!int 5", "t.yaml:1: a tag" },
    { "second document", "user: a\n---\nuser: b", "t.yaml:2: a second document" },
    { "deep", "a: [[[[[[[[[[]]]]]]]]]]", "t.yaml:1: nested deeper" },
    { "not YAML", "user: [", "t.yaml:2: did not find" },
    { "tab", "tls:\n\tcert_file: a", "t.yaml:2: " },
    { "not UTF-8", "user: \xff", "t.yaml: byte 6: " },
    { "control character", "user: \"a\\nb\"", "t.yaml:1: user: a control character" },
    { "NUL", "user: \"a\\0b\"", "t.yaml:1: user: a control character" },
    { "scalar at the top", "hello", "t.yaml:1: expected options" },
    { "list at the top", "[]", "t.yaml:1: expected options" },
    { "list as key", "? [a]\n: b", "t.yaml:1: expected the name of an option" },
    { "no value", "user:", "t.yaml:1: user: expected a value: text" },
    { "list for text", "user: []", "t.yaml:1: user: expected text" },
    { "text for a section", "limits: 5", "t.yaml:1: limits: expected options" },
    { "text for a list", "local_domains: a.b", "t.yaml:1: local_domains: expected a list" },
    { "text for rows", "routes: mx", "t.yaml:1: routes: expected a list of mappings" },
    { "text for a row", "routes: [mx]", "t.yaml:1: routes: expected a mapping" },
    { "too few", "limits: {recipients: 5}",
      "t.yaml:1: limits.recipients: \"5\": expected a number, 100 … 100000" },
    { "too many", "limits: {recipients: 100001}", "t.yaml:1: limits.recipients: \"100001\"" },
    { "past 64 bits", "limits: {recipients: 18446744073709551716}",
      "t.yaml:1: limits.recipients: " },
    { "negative", "limits: {recipients: -100}", "t.yaml:1: limits.recipients: \"-100\"" },
    { "number with tail", "limits: {recipients: 100x}", "t.yaml:1: limits.recipients: \"100x\"" },
    { "size overflows", "limits: {message_bytes: 99999999999T}",
      "t.yaml:1: limits.message_bytes: " },
    { "size unit", "limits: {message_bytes: 64MB}", "t.yaml:1: limits.message_bytes: \"64MB\"" },
    { "time without unit", "retry: {expire: 300}",
      "t.yaml:1: retry.expire: \"300\": expected a dur" },
    { "time unit", "retry: {expire: 5w}", "t.yaml:1: retry.expire: \"5w\"" },
    { "no steps", "retry: {steps: []}", "t.yaml:1: retry.steps: 0 entries" },
    { "yes for true", "log: {debug: yes}", "t.yaml:1: log.debug: \"yes\": expected true or false" },
    { "word", "sandbox: {gate: ajar}",
      "t.yaml:1: sandbox.gate: \"ajar\": expected one of closed, open" },
    { "word's case", "log: {form: Postfix}", "t.yaml:1: log.form: \"Postfix\"" },
    { "implicit towards MX", "delivery: {tls: implicit}", "t.yaml:1: delivery.tls: \"implicit\"" },
    { "host name", "hostname: a_b", "t.yaml:1: hostname: \"a_b\"" },
    { "host name with dot", "hostname: a.b.", "t.yaml:1: hostname: \"a.b.\"" },
    { "host name with empty label", "hostname: a..b", "t.yaml:1: hostname: \"a..b\"" },
    { "host name with dot in front", "hostname: .a", "t.yaml:1: hostname: \".a\"" },
    { "international name", "hostname: bücher.example", "t.yaml:1: hostname: " },
    { "empty sandbox", "sandbox: {domain: ''}", "t.yaml:1: sandbox.domain: \"\"" },
    { "pattern", "routes: [{domain: '*.a', via: mx}]", "t.yaml:1: routes.domain: \"*.a\"" },
    { "port", "delivery: {port: 65536}", "t.yaml:1: delivery.port: \"65536\": expected a port" },
    { "no port", "dns: {servers: [127.0.0.1]}", "t.yaml:1: dns.servers: \"127.0.0.1\"" },
    { "bits behind the prefix", "delivery: {allow_networks: [10.0.0.1/8]}",
      "t.yaml:1: delivery.allow_networks: \"10.0.0.1/8\"" },
    { "address", "delivery: {source4: localhost}", "t.yaml:1: delivery.source4: \"localhost\"" },
    { "no listeners", "listeners: []", "t.yaml:1: listeners: 0 entries" },
    { "listener without address", "listeners:\n  - kind: relay\n  - kind: relay",
      "t.yaml:2: listeners: address is missing" },
    { "unknown in a row", "listeners: [{kind: relay, adress: 'a'}]",
      "t.yaml:1: listeners.adress: no such option" },
    { "no account", "trusted_networks: [{network: 10.0.0.0/8}]",
      "t.yaml:1: trusted_networks.account: is empty" },
    { "T10 account and upstream",
      "trusted_networks: [{network: 10.0.0.0/8, account: a, upstream: u, tenant_header: X-T}]",
      "t.yaml:1: trusted_networks.account: expected either" },
    { "T10 upstream without header", "trusted_networks: [{network: 10.0.0.0/8, upstream: u}]",
      "t.yaml:1: trusted_networks.tenant_header: expected together" },
    { "empty account", "trusted_networks: [{network: 10.0.0.0/8, account: ''}]",
      "t.yaml:1: trusted_networks.account: is empty" },
    { "smarthost nowhere", "routes: [{domain: '*', via: smarthost}]",
      "t.yaml:1: routes.host: expected" },
    { "mx with host", "routes: [{domain: '*', via: mx, host: a}]",
      "t.yaml:1: routes.host: expected" },
    { "smarthost by socket", "routes: [{domain: '*', via: smarthost, host: /a}]",
      "t.yaml:1: routes.host: expected" },
    { "user without password",
      "routes: [{domain: '*', via: smarthost, host: a, tls: must, user: u}]",
      "t.yaml:1: routes.password_file: expected both" },
    { "password in the clear",
      "routes: [{domain: '*', via: smarthost, host: a, user: u, password_file: /p}]",
      "t.yaml:1: routes.tls: expected must or implicit" },
    { "AUTH to LMTP",
      "routes: [{domain: '*', via: lmtp, host: a, tls: must, user: u, password_file: /p}]",
      "t.yaml:1: routes.user: expected only with via: smarthost" },
};

static void test_refusals_B16(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct config *c = NULL;
        struct err err = { 0 };

        if (config_parse(STR("t.yaml"), str_of(r->yaml), &c, &err))
            fail_msg("%s: was taken", r->name);
        assert_null(c);
        assert_int_equal(err.kind, ERR_CONFIG);
        if (!str_starts(str_of(err.text), str_of(r->want)))
            fail_msg("%s: \"%s\", wanted \"%s\"", r->name, err.text, r->want);
    }
}

static void test_too_large_B16(void **state)
{
    size_t len = 1024 * 1024 + 1;
    char *text = mem_new(len);
    struct config *c = NULL;
    struct err err = { 0 };

    (void)state;
    memset(text, ' ', len);
    assert_false(config_parse(STR("t.yaml"), str_make(text, len), &c, &err));
    assert_string_equal(err.text, "t.yaml: larger than 1 MiB");
    free(text);
}

/* Acceptances ---------------------------------------------------------------------------------- */

static void test_defaults(void **state)
{
    static const char *const blank[] = { "", "# nothing\n", "---\n", "{}" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(blank); i++) {
        struct config *c = parse(blank[i]);
        assert_int_equal(c->hostname.len, 0);
        assert_int_equal(c->gate, GATE_CLOSED_UNTIL_LIVE);
        assert_int_equal(c->network_count, 0);
        assert_int_equal(c->listener_count, 3);
        assert_int_equal(c->listeners[0].kind, LISTENER_SUBMISSION);
        assert_int_equal(c->listeners[0].at.port, 2587);
        assert_true(str_eq(c->listeners[1].name, STR("submissions")));
        assert_true(ip_is_loopback(&c->listeners[2].at.ip));
        assert_int_equal(c->retry.steps_ms[0], 300000);
        assert_int_equal(c->retry.expire_ms, 5 * 86400000LL);
        assert_int_equal(c->limits.message_bytes, 64 << 20);
        assert_int_equal(c->limits.header_bytes, 256 << 10);
        assert_true(c->delivery.ipv6);
        config_free(c);
    }
}

static void test_values(void **state)
{
    struct config *c =
        parse("hostname: MX.Example.ORG\n"
              "listeners:\n"
              "  - {kind: relay, address: '[::1]:25', proxy_from: [192.0.2.1, 10.0.0.0/8]}\n"
              "  - {name: out, kind: submissions, address: 0.0.0.0:465}\n"
              "retry: {steps: [250ms, 1s], expire: 36h, delay_warning: 0}\n"
              "limits: {message_bytes: 1G}\n"
              "routes:\n"
              "  - {domain: '*', via: smarthost, host: a.example, tls: implicit}\n"
              "  - {domain: box.example, via: lmtp, host: /run/lmtp}\n"
              "dns: {servers: ['127.0.0.1:5353']}\n"
              "delivery: {tls: must, source6: '2001:db8::1'}\n"
              "log: {form: postfix}\n");
    (void)state;

    assert_true(str_eq(c->hostname, STR("mx.example.org")));
    assert_int_equal(c->listener_count, 2);
    assert_int_equal(c->listeners[0].proxy, PROXY_REQUIRED);
    assert_int_equal(c->listeners[0].proxy_from_count, 2);
    assert_int_equal(c->listeners[0].proxy_from[0].bits, 32);
    assert_int_equal(c->listeners[1].proxy, PROXY_OFF);
    assert_true(str_eq(c->listeners[1].name, STR("out")));
    assert_int_equal(c->retry.step_count, 2);
    assert_int_equal(c->retry.steps_ms[0], 250);
    assert_int_equal(c->retry.delay_warn_ms, 0);
    assert_int_equal(c->limits.message_bytes, 1LL << 30);
    assert_int_equal(c->routes[0].port, 465);
    assert_int_equal(c->routes[1].port, 24);
    assert_int_equal(c->dns_servers[0].port, 5353);
    assert_int_equal(c->delivery.tls, TLS_MUST);
    assert_int_equal(c->delivery.source6.family, 6);
    assert_int_equal(c->log_form, LOG_FORM_POSTFIX);
    config_free(c);
}

/* Look-ups ------------------------------------------------------------------------------------- */

static const struct route_case {
    const char *domain;
    enum route_kind want;
} route_cases[] = {
    { "example.org", ROUTE_LMTP },        { "EXAMPLE.org", ROUTE_LMTP },
    { "a.example.org", ROUTE_SANDBOX },   { "a.b.example.org", ROUTE_REFUSE },
    { "b.example.org", ROUTE_SANDBOX },   { "xexample.org", ROUTE_SMARTHOST },
    { "elsewhere.net", ROUTE_SMARTHOST },
};

static void test_route_find(void **state)
{
    struct config *c = parse("routes:\n"
                             "  - {domain: '*', via: smarthost, host: h}\n"
                             "  - {domain: .example.org, via: sandbox}\n"
                             "  - {domain: .b.example.org, via: refuse}\n"
                             "  - {domain: example.org, via: lmtp, host: h}\n");
    struct config *none = parse("");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(route_cases); i++)
        assert_int_equal(config_route_find(c, str_of(route_cases[i].domain))->kind,
                         route_cases[i].want);
    assert_int_equal(config_route_find(none, STR("example.org"))->kind, ROUTE_MX);
    config_free(none);
    config_free(c);
}

static void test_network_find_R11(void **state)
{
    struct config *c = parse("trusted_networks:\n"
                             "  - {network: 10.0.0.0/8, account: wide}\n"
                             "  - {network: 10.1.0.0/16, account: narrow}\n"
                             "local_domains: [Example.ORG]\n");
    struct ip ip;

    (void)state;
    assert_true(ip_parse(STR("10.1.2.3"), &ip, NULL));
    assert_true(str_eq(config_network_find(c, &ip)->account, STR("narrow")));
    assert_true(ip_parse(STR("10.2.2.3"), &ip, NULL));
    assert_true(str_eq(config_network_find(c, &ip)->account, STR("wide")));
    assert_true(ip_parse(STR("127.0.0.1"), &ip, NULL));
    assert_null(config_network_find(c, &ip));
    assert_true(config_is_local_domain(c, STR("example.org")));
    assert_false(config_is_local_domain(c, STR("a.example.org")));
    config_free(c);
}

/* Printed forms -------------------------------------------------------------------------------- */

/* What is printed is read back as the same. */
static void expect_round_trip(const char *yaml)
{
    struct config *first = parse(yaml);
    struct buf once, twice;

    buf_init(&once, 1 << 20);
    buf_init(&twice, 1 << 20);
    assert_true(config_print(first, &once));
    struct config *second = parse(buf_cstr(&once));
    assert_true(config_print(second, &twice));
    assert_string_equal(buf_cstr(&once), buf_cstr(&twice));
    config_free(first);
    config_free(second);
    buf_done(&once);
    buf_done(&twice);
}

static void test_print_round_trip_R94(void **state)
{
    struct buf defaults;

    (void)state;
    expect_round_trip("");
    expect_round_trip(
        "user: \"a\\\"b\\\\c\"\nlocal_domains: [a.b, c.d]\n"
        "retry: {steps: [1ms, 90s, 2h]}\n"
        "trusted_networks: [{network: '2001:db8::/32', account: x, normalize: true}]\n"
        "listeners: [{kind: relay, address: '[::1]:25', proxy_from: [10.0.0.0/8]}]\n");
    buf_init(&defaults, 1 << 20);
    assert_true(config_print_defaults(&defaults));
    expect_round_trip(buf_cstr(&defaults));
    buf_done(&defaults);
}

static void test_print_defaults_is_in_force_R94(void **state)
{
    struct buf text, a, b;
    struct config *documented, *silent = parse("");

    (void)state;
    buf_init(&text, 1 << 20);
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    assert_true(config_print_defaults(&text));
    documented = parse(buf_cstr(&text));
    assert_true(config_print(documented, &a));
    assert_true(config_print(silent, &b));
    assert_string_equal(buf_cstr(&a), buf_cstr(&b));
    config_free(documented);
    config_free(silent);
    buf_done(&text);
    buf_done(&a);
    buf_done(&b);
}

static void test_print_manual(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1 << 20);
    assert_true(config_print_manual(&text));
    assert_true(str_find(buf_str(&text), STR(".B limits.recipients\n")) < text.len);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_B16),
        cmocka_unit_test(test_too_large_B16),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_route_find),
        cmocka_unit_test(test_network_find_R11),
        cmocka_unit_test(test_print_round_trip_R94),
        cmocka_unit_test(test_print_defaults_is_in_force_R94),
        cmocka_unit_test(test_print_manual),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
