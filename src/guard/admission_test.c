// SPDX-License-Identifier: Apache-2.0
/* guard/admission_test.c - who may reach whom (R09, R11, R31, R32, fault A01). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guard/admission.h"

static const char yaml[] =
    "hostname: relay.example.net\n"
    "sandbox:\n"
    "  domain: sandbox.example\n"
    "local_domains: [home.example, xn--bcher-kva.example]\n"
    "routes:\n"
    "  - { domain: home.example, via: smarthost, host: 192.0.2.7 }\n"
    "  - { domain: xn--bcher-kva.example, via: smarthost, host: 192.0.2.7 }\n"
    "  - { domain: never.example, via: refuse }\n";

enum who { STRANGER, CUSTOMER };
enum gate { CLOSED, OPEN };

static const struct admission_case {
    const char *name;
    enum who who;
    enum gate gate;
    struct str rcpt;
    const char *want; /* NULL: yes; else the tag of the refusal */
} cases[] = {
    { "stranger to a local domain", STRANGER, OPEN, STR("ann@home.example"), NULL },
    { "stranger, other case and final dot", STRANGER, OPEN, STR("ann@HOME.Example"), NULL },
    { "stranger to a local U-label", STRANGER, OPEN,
      STR("ann@b\xc3\xbc"
          "cher.example"),
      NULL },
    { "stranger to a local domain, gate closed", STRANGER, CLOSED, STR("ann@home.example"), NULL },
    { "A01 stranger elsewhere", STRANGER, OPEN, STR("ann@other.example"), "[RELAY]" },
    { "A01 stranger below a local domain", STRANGER, OPEN, STR("a@x.home.example"), "[RELAY]" },
    { "A01 stranger, percent hack", STRANGER, OPEN, STR("a%b.example@other.example"), "[RELAY]" },
    { "A01 stranger to a literal", STRANGER, OPEN, STR("ann@[192.0.2.1]"), "[RELAY]" },
    { "A01 stranger to the sandbox", STRANGER, OPEN, STR("a@sandbox.example"), "[RELAY]" },
    { "customer anywhere", CUSTOMER, OPEN, STR("ann@other.example"), NULL },
    { "customer to the sandbox, gate closed", CUSTOMER, CLOSED, STR("a@sandbox.example"), NULL },
    { "customer to a local domain, gate closed", CUSTOMER, CLOSED, STR("a@home.example"), NULL },
    { "customer elsewhere, gate closed", CUSTOMER, CLOSED, STR("a@other.example"), "[SANDBOX]" },
    { "customer to a literal, gate closed", CUSTOMER, CLOSED, STR("a@[192.0.2.1]"), "[SANDBOX]" },
    { "customer to a literal", CUSTOMER, OPEN, STR("a@[192.0.2.1]"), "[LITERAL]" },
    { "customer by a refusing rule", CUSTOMER, OPEN, STR("a@never.example"), "[ROUTE]" },
};

static void test_admission(void **state)
{
    struct config *config;
    struct err err;
    struct arena arena;

    (void)state;
    if (!config_parse(STR("test"), str_of(yaml), &config, &err))
        fail_msg("%s", err.text);
    arena_init(&arena, 1024);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct admission_case *c = &cases[i];
        struct admission_facts facts = { .listener = LISTENER_RELAY,
                                         .authorised = c->who == CUSTOMER,
                                         .gate_open = c->gate == OPEN };
        struct address rcpt;
        struct reply reply = { 0 };

        print_message("%s\n", c->name);
        assert_true(address_parse(c->rcpt, &rcpt, &err));
        assert_int_equal(admission_rcpt(config, &facts, &rcpt, &arena, &reply), c->want == NULL);
        if (c->want != NULL) {
            assert_int_equal(reply.code, 550);
            assert_int_equal(reply.status.klass, 5);
            assert_true(str_starts(reply.text, str_of(c->want)));
        }
    }
    arena_done(&arena);
    config_free(config);
}

static void test_postmaster_is_reachable(void **state)
{
    struct config config = { .gate = GATE_CLOSED_UNTIL_LIVE };
    struct admission_facts facts = { .listener = LISTENER_RELAY };
    struct address postmaster;
    struct str path = STR("<PostMaster>");
    struct reply reply;
    struct arena arena;

    (void)state;
    arena_init(&arena, 256);
    assert_true(path_parse(&path, PATH_FORWARD, &postmaster, NULL));
    assert_true(admission_rcpt(&config, &facts, &postmaster, &arena, &reply));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_postmaster_is_reachable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
