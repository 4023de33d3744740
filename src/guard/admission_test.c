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
    bool null_sender; /* MAIL FROM:<> */
} cases[] = {
    { "stranger to a local domain", STRANGER, OPEN, STR("ann@home.example"), NULL, false },
    { "stranger, other case and final dot", STRANGER, OPEN, STR("ann@HOME.Example"), NULL, false },
    { "stranger to a local U-label", STRANGER, OPEN,
      STR("ann@b\xc3\xbc"
          "cher.example"),
      NULL, false },
    { "stranger to a local domain, gate closed", STRANGER, CLOSED, STR("ann@home.example"), NULL,
      false },
    { "A01 stranger elsewhere", STRANGER, OPEN, STR("ann@other.example"), "[RELAY]", false },
    { "A01 stranger below a local domain", STRANGER, OPEN, STR("a@x.home.example"), "[RELAY]",
      false },
    { "A01 stranger, percent hack", STRANGER, OPEN, STR("a%b.example@other.example"), "[RELAY]",
      false },
    { "A01 stranger to a literal", STRANGER, OPEN, STR("ann@[192.0.2.1]"), "[RELAY]", false },
    { "A01 stranger to the sandbox", STRANGER, OPEN, STR("a@sandbox.example"), "[RELAY]", false },
    { "A11 stranger to a rewritten address", STRANGER, OPEN,
      STR("SRS0=ABCDEFGH=AA=a.example=b@fwd.example"), NULL, true },
    { "A11 stranger to a rewritten address, with a sender", STRANGER, OPEN,
      STR("SRS0=ABCDEFGH=AA=a.example=b@fwd.example"), "[RELAY]", false },
    { "A11 stranger to such an address elsewhere", STRANGER, OPEN,
      STR("SRS0=ABCDEFGH=AA=a.example=b@other.example"), "[RELAY]", true },
    { "A11 stranger to another address, without sender", STRANGER, OPEN, STR("ann@other.example"),
      "[RELAY]", true },
    { "A11 stranger to a rewritten address, gate closed", STRANGER, CLOSED,
      STR("SRS0=ABCDEFGH=AA=a.example=b@fwd.example"), "[SANDBOX]", true },
    { "customer anywhere", CUSTOMER, OPEN, STR("ann@other.example"), NULL, false },
    { "customer to the sandbox, gate closed", CUSTOMER, CLOSED, STR("a@sandbox.example"), NULL,
      false },
    { "customer to a local domain, gate closed", CUSTOMER, CLOSED, STR("a@home.example"), NULL,
      false },
    { "customer elsewhere, gate closed", CUSTOMER, CLOSED, STR("a@other.example"), "[SANDBOX]",
      false },
    { "customer to a literal, gate closed", CUSTOMER, CLOSED, STR("a@[192.0.2.1]"), "[SANDBOX]",
      false },
    { "customer to a literal", CUSTOMER, OPEN, STR("a@[192.0.2.1]"), "[LITERAL]", false },
    { "customer by a refusing rule", CUSTOMER, OPEN, STR("a@never.example"), "[ROUTE]", false },
};

/* fwd.example is where senders are rewritten. */
static bool at_forward(struct str rcpt)
{
    return str_ends_nocase(rcpt, STR("@fwd.example"));
}

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
                                         .null_sender = c->null_sender,
                                         .is_forward = at_forward(c->rcpt),
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
