// SPDX-License-Identifier: Apache-2.0
/* config/check_test.c - what config_check() and config_check_files() refuse: open relays (R11),
 * contradictions (R94), secrets that others can read (fault B16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"

#define RELAY "listeners: [{kind: relay, address: '127.0.0.1:2525'}]\n"
#define RELAY_PROXY "listeners: [{kind: relay, address: '0.0.0.0:25', proxy_from: [10.9.0.0/16]}]\n"
#define TRUST(net) RELAY "trusted_networks: [{network: '" net "', account: a}]\n"

static const struct check_case {
    const char *name, *yaml, *want; /* want: how the message begins; NULL: taken */
} check_cases[] = {
    { "relay alone", RELAY, NULL },
    { "with TLS", "tls: {cert_file: /c, key_file: /k}", NULL },
    { "loopback, when named", TRUST("127.0.0.0/8"), NULL },
    { "private, when named", TRUST("10.0.0.0/8"), NULL },
    { "IPv6 prefix", TRUST("2001:db8::/32"), NULL },
    { "R11 everybody", TRUST("0.0.0.0/0"),
      "t.yaml:2: trusted_networks: 0.0.0.0/0 would be an open relay" },
    { "R11 everybody, IPv6", TRUST("::/0"),
      "t.yaml:2: trusted_networks: ::/0 would be an open relay" },
    { "R11 half", TRUST("0.0.0.0/1"), "t.yaml:2: trusted_networks: 0.0.0.0/1 would be" },
    { "R11 /7", TRUST("10.0.0.0/7"), "t.yaml:2: trusted_networks: 10.0.0.0/7 would be" },
    { "R11 IPv6 /15", TRUST("2000::/15"), "t.yaml:2: trusted_networks: 2000::/15 would be" },
    { "R11 everybody behind PROXY",
      RELAY_PROXY "trusted_networks: [{network: 0.0.0.0/0, account: a}]",
      "t.yaml:2: trusted_networks" },
    { "R11 gateway", TRUST("192.168.0.0/16"),
      "t.yaml:2: trusted_networks: 192.168.0.0/16 holds the gateway 192.168.1.1" },
    { "gateway, PROXY required",
      RELAY_PROXY "trusted_networks: [{network: 192.168.0.0/16, account: a}]", NULL },
    { "R11 gateway, PROXY required on one",
      "listeners: [{kind: relay, address: '0.0.0.0:25', proxy_from: [10.9.0.0/16]},\n"
      "  {name: b, kind: relay, address: '0.0.0.0:26'}]\n"
      "trusted_networks: [{network: 192.168.0.0/16, account: a}]",
      "t.yaml:3: trusted_networks: 192.168.0.0/16 holds the gateway" },
    { "R11 proxy",
      "listeners: [{kind: relay, address: '0.0.0.0:25', proxy_from: [10.9.0.0/16]},\n"
      "  {name: b, kind: relay, address: '0.0.0.0:26'}]\n"
      "trusted_networks: [{network: 10.0.0.0/8, account: a}]",
      "t.yaml:3: trusted_networks: 10.0.0.0/8 holds the proxy 10.9.0.0/16" },
    { "R11 inside the proxies",
      "listeners: [{kind: relay, address: '0.0.0.0:25', proxy_from: [10.0.0.0/8]},\n"
      "  {name: b, kind: relay, address: '0.0.0.0:26'}]\n"
      "trusted_networks: [{network: 10.9.0.0/16, account: a}]",
      "t.yaml:3: trusted_networks: 10.9.0.0/16 holds the proxy 10.0.0.0/8" },
    { "network twice",
      RELAY
      "trusted_networks: [{network: 10.0.0.0/8, account: a},\n{network: 10.0.0.0/8, account: b}]",
      "t.yaml:3: trusted_networks: 10.0.0.0/8 given twice" },
    { "relative state_folder", RELAY "state_folder: run",
      "t.yaml:2: state_folder: \"run\": expected an abs" },
    { "empty state_folder", RELAY "state_folder: ''",
      "t.yaml:2: state_folder: \"\": expected an abs" },
    { "relative key", "tls: {cert_file: /c, key_file: k}",
      "t.yaml:1: tls.key_file: \"k\": expected an abs" },
    { "relative password_file",
      RELAY
      "routes: [{domain: '*', via: smarthost, host: h, tls: must, user: u, password_file: p}]",
      "t.yaml:2: routes.password_file: expected an absolute path" },
    { "certificate without key", RELAY "tls: {cert_file: /c}", "t.yaml:2: tls: expected both" },
    { "key without certificate", RELAY "tls: {key_file: /c}", "t.yaml: tls: expected both" },
    { "submission without TLS", "listeners: [{kind: submission, address: '127.0.0.1:1'}]",
      "t.yaml:1: listeners: submission: expected tls.cert_file" },
    { "listener twice",
      "listeners:\n- {kind: relay, address: '127.0.0.1:1'}\n- {name: b, kind: relay, address: '127.0.0.1:1'}",
      "t.yaml:3: listeners: b: the address of relay" },
    { "listener inside any",
      "listeners:\n- {kind: relay, address: '0.0.0.0:1'}\n- {name: b, kind: relay, address: '127.0.0.1:1'}",
      "t.yaml:3: listeners: b: the address of relay" },
    { "listener name twice",
      "listeners:\n- {kind: relay, address: '127.0.0.1:1'}\n- {kind: relay, address: '127.0.0.1:2'}",
      "t.yaml:3: listeners: two named relay" },
    { "IPv4 and IPv6 on a port",
      "listeners: [{kind: relay, address: '127.0.0.1:1'}, {name: b, kind: relay, address: '[::1]:1'}]",
      NULL },
    { "local domain without route", RELAY "local_domains: [a.example]",
      "t.yaml:2: local_domains: a.example goes by mx, back to this machine" },
    { "local domain by mx",
      RELAY "local_domains: [a.example]\nroutes: [{domain: a.example, via: mx}]",
      "t.yaml:2: local_domains: a.example goes by mx" },
    { "local domain by lmtp",
      RELAY "local_domains: [a.example]\nroutes: [{domain: a.example, via: lmtp, host: /s}]",
      NULL },
    { "local domain twice",
      RELAY "local_domains: [a.example, A.example]\nroutes: [{domain: '*', via: sandbox}]",
      "t.yaml:2: local_domains: a.example given twice" },
    { "sandbox as local domain", RELAY "local_domains: [sandbox.test]",
      "t.yaml:2: local_domains: sandbox.test is sandbox.domain" },
    { "sandbox routed away", RELAY "routes: [{domain: sandbox.test, via: mx}]",
      "t.yaml:2: routes: sandbox.test is sandbox.domain" },
    { "route twice", RELAY "routes: [{domain: a.b, via: mx},\n{domain: a.b, via: refuse}]",
      "t.yaml:3: routes: a.b given twice" },
    { "route to ourselves",
      RELAY "routes: [{domain: '*', via: smarthost, host: 127.0.0.1, port: 2525}]",
      "t.yaml:2: routes: * leads to our own listener relay" },
    { "expires at once", RELAY "retry: {expire: 1m, delay_warning: 0}",
      "t.yaml:2: retry.expire: " },
    { "warned after expiry", RELAY "retry: {expire: 4h}",
      "t.yaml: retry.delay_warning: expected less" },
    { "first over most", RELAY "delivery: {connections_per_site: 2}",
      "t.yaml: delivery.connections_per_site_first: 5: expected at most" },
    { "no address family", RELAY "delivery: {ipv4: false, ipv6: false}",
      "t.yaml:2: delivery.ipv4: " },
    { "source4 is IPv6", RELAY "delivery: {source4: '2001:db8::1'}",
      "t.yaml:2: delivery.source4: " },
    { "source6 is IPv4", RELAY "delivery: {source6: '192.0.2.1'}", "t.yaml:2: delivery.source6: " },
    { "spool without room", RELAY "spool: {disk_max_bytes: 100M}",
      "t.yaml:2: spool.disk_max_bytes: " },
    { "header over message", RELAY "limits: {message_bytes: 64K}",
      "t.yaml: limits.header_bytes: " },
};

static struct config *parse(const char *name, const char *yaml)
{
    struct config *c = NULL;
    struct err err = { 0 };

    if (!config_parse(STR("t.yaml"), str_of(yaml), &c, &err))
        fail_msg("%s: %s", name, err.text);
    return c;
}

static void expect(const char *name, bool ok, const struct err *err, const char *want)
{
    if (ok != (want == NULL))
        fail_msg("%s: %s", name, ok ? "was taken" : err->text);
    if (ok)
        return;
    assert_int_equal(err->kind, ERR_CONFIG);
    if (!str_starts(str_of(err->text), str_of(want)))
        fail_msg("%s: \"%s\", wanted \"%s\"", name, err->text, want);
}

static void test_check_R11_R94(void **state)
{
    struct ip gateway;

    (void)state;
    assert_true(ip_parse(STR("192.168.1.1"), &gateway, NULL));
    for (size_t i = 0; i < ARRAY_LEN(check_cases); i++) {
        const struct check_case *t = &check_cases[i];
        struct config *c = parse(t->name, t->yaml);
        struct err err = { 0 };

        bool ok = config_check(c, &gateway, 1, &err);
        expect(t->name, ok, &err, t->want);
        config_free(c);
    }
}

/* Files ---------------------------------------------------------------------------------------- */

/* The name says what the file is like. */
static bool look(void *arg, const char *path, struct config_file_facts *ret, struct err *err)
{
    struct str name = str_of(path);

    (void)arg;
    if (str_starts(name, STR("/absent")))
        return err_set(err, ERR_IO, "open %s: No such file or directory", path);
    ret->is_file = !str_starts(name, STR("/folder"));
    ret->is_open_to_others = str_starts(name, STR("/open"));
    return true;
}

static const struct check_case file_cases[] = {
    { "none", "", NULL },
    { "good", "tls: {cert_file: /open, key_file: /closed}", NULL },
    { "absent certificate", "tls: {cert_file: /absent, key_file: /closed}",
      "t.yaml:1: tls.cert_file: open /absent: No such file" },
    { "B16 open key", "tls: {cert_file: /open, key_file: /open.key}",
      "t.yaml:1: tls.key_file: /open.key can be read or written by others: expected mode 0600" },
    { "key is a folder", "tls: {cert_file: /open, key_file: /folder}",
      "t.yaml:1: tls.key_file: /folder: expected a regular file" },
    { "absent anchor", "dns: {trust_anchor_file: /absent}", "t.yaml:1: dns.trust_anchor_file: " },
    { "absent authorities", "delivery: {tls_ca_file: /absent}",
      "t.yaml:1: delivery.tls_ca_file: " },
    { "B16 open password",
      "routes:\n- {domain: '*', via: smarthost, host: h, tls: must, user: u, password_file: /open}",
      "t.yaml:2: routes.password_file: /open can be read" },
};

static void test_files_B16(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(file_cases); i++) {
        const struct check_case *t = &file_cases[i];
        struct config *c = parse(t->name, t->yaml);
        struct err err = { 0 };

        bool ok = config_check_files(c, look, NULL, &err);
        expect(t->name, ok, &err, t->want);
        config_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_R11_R94),
        cmocka_unit_test(test_files_B16),
    };
    return cmocka_run_group_tests_name("config/check", tests, NULL, NULL);
}
