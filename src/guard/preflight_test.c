// SPDX-License-Identifier: Apache-2.0
/* guard/preflight_test.c - what is foretold, and that nothing is concluded from what is not known
 * (F14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guard/people.h"
#include "guard/preflight.h"

#define PLAIN "From: a@own.example\r\nTo: x@y.example\r\n\r\n"

static const struct preflight_case {
    const char *name;
    uint32_t from_facts, sender_facts;
    const char *from, *sender; /* addresses' domains; sender "" is null */
    bool signs_aligned;
    enum policy_code want[3];
} preflight_cases[] = {
    { "F14 all is well",
      FACT_SPF_PASS | FACT_DMARC | FACT_MX,
      0,
      "own.example",
      "own.example",
      true,
      { CODE_NONE } },
    { "F14 nothing is known", 0, 0, "own.example", "own.example", true, { CODE_NONE } },
    { "F14 nothing is known, no key",
      0,
      0,
      "own.example",
      "own.example",
      false,
      { CODE_PREFLIGHT_DKIM } },
    { "F14 a key that is not published",
      FACT_DKIM_PENDING,
      0,
      "own.example",
      "own.example",
      false,
      { CODE_PREFLIGHT_DKIM_PENDING } },
    { "F14 a key that no server was heard about",
      FACT_DKIM_UNKNOWN,
      0,
      "own.example",
      "own.example",
      false,
      { CODE_NONE } },
    { "F14 SPF leaves us out",
      FACT_SPF_FAIL,
      0,
      "own.example",
      "own.example",
      true,
      { CODE_PREFLIGHT_SPF } },
    { "F14 no SPF", FACT_SPF_NONE, 0, "own.example", "own.example", true, { CODE_PREFLIGHT_SPF } },
    { "F14 SPF of the return path's domain",
      0,
      FACT_SPF_FAIL,
      "own.example",
      "second.example",
      true,
      { CODE_PREFLIGHT_SPF } },
    { "F14 From's SPF does not count with another return path",
      FACT_SPF_FAIL,
      FACT_SPF_PASS,
      "own.example",
      "second.example",
      true,
      { CODE_NONE } },
    { "F14 no MX", FACT_MX_NONE, 0, "own.example", "own.example", true, { CODE_PREFLIGHT_MX } },
    { "F14 no DMARC",
      FACT_DMARC_NONE,
      0,
      "own.example",
      "own.example",
      true,
      { CODE_PREFLIGHT_DMARC_MISSING } },
    { "F14 reject, unsigned, SPF passes",
      FACT_DMARC | FACT_DMARC_REJECT | FACT_SPF_PASS,
      0,
      "own.example",
      "own.example",
      false,
      { CODE_PREFLIGHT_DKIM } },
    { "F14 reject, unsigned, SPF unknown",
      FACT_DMARC | FACT_DMARC_REJECT,
      0,
      "own.example",
      "own.example",
      false,
      { CODE_PREFLIGHT_DKIM } },
    { "F14 reject, unsigned, SPF fails",
      FACT_DMARC_REJECT | FACT_SPF_FAIL,
      0,
      "own.example",
      "own.example",
      false,
      { CODE_PREFLIGHT_DMARC, CODE_PREFLIGHT_SPF, CODE_PREFLIGHT_DKIM } },
    { "F14 reject, unsigned, another return path",
      FACT_DMARC_REJECT,
      FACT_SPF_PASS,
      "own.example",
      "second.example",
      false,
      { CODE_PREFLIGHT_DMARC, CODE_PREFLIGHT_DKIM } },
    { "F14 reject, unsigned, null return path",
      FACT_DMARC_REJECT,
      0,
      "own.example",
      "",
      false,
      { CODE_PREFLIGHT_DMARC, CODE_PREFLIGHT_DKIM } },
    { "F14 reject, signed, another return path",
      FACT_DMARC_REJECT,
      FACT_SPF_PASS,
      "own.example",
      "second.example",
      true,
      { CODE_NONE } },
    { "F14 reject, a return path below",
      FACT_DMARC_REJECT | FACT_SPF_PASS,
      0,
      "own.example",
      "b.own.example",
      false,
      { CODE_PREFLIGHT_DKIM } },
    { "F14 reject and strict, a return path below",
      FACT_DMARC_REJECT | FACT_SPF_PASS | FACT_DMARC_STRICT_SPF,
      0,
      "own.example",
      "b.own.example",
      false,
      { CODE_PREFLIGHT_DMARC, CODE_PREFLIGHT_DKIM } },
    { "F14 reject, a neighbour's return path: perhaps of one organisation",
      FACT_DMARC_REJECT | FACT_SPF_PASS,
      0,
      "a.own.example",
      "b.own.example",
      false,
      { CODE_PREFLIGHT_DKIM } },
};

static void tell_all(struct directory *d, uint32_t facts, uint32_t second_facts)
{
    directory_init(d);
    assert_true(people_tell(d, people_account(&(struct person){ .id = 1 })));
    assert_true(people_tell(d, people_domain(1, 1, "own.example", DOMAIN_SUBDOMAINS, facts, "")));
    assert_true(people_tell(d, people_domain(2, 1, "second.example", 0, second_facts, "")));
    assert_true(people_tell(d, people_stream(1, 1, STREAM_MARKETING, "news", "", "")));
}

static void check(const struct preflight_case *c)
{
    struct directory d;
    struct arena a;
    struct preflight got;
    size_t want = 0;

    tell_all(&d, c->from_facts, c->sender_facts);
    arena_init(&a, 1024);
    struct dir_account *account = directory_account(&d, 1);
    struct identity identity = {
        .from = { .local = STR("a"), .domain = str_of(c->from) },
        .from_grant = directory_grant(&d, account, str_of(c->from)),
        .sender_grant = directory_grant(&d, account, str_of(c->sender)),
        .may_sign = true,
    };
    preflight_judge(&(struct preflight_ask){ .identity = &identity,
                                             .signs_aligned = c->signs_aligned,
                                             .sender_domain = str_of(c->sender),
                                             .section = STR(PLAIN) },
                    &a, &got);
    while (want < ARRAY_LEN(c->want) && c->want[want] != CODE_NONE)
        want++;
    if (got.count != want)
        fail_msg("%s: %zu findings, first %s", c->name, got.count,
                 got.count ? policy_codes[got.findings[0].code].word : "");
    for (size_t i = 0; i < want; i++)
        if (got.findings[i].code != c->want[i])
            fail_msg("%s: %s", c->name, policy_codes[got.findings[i].code].word);
    arena_done(&a);
    directory_done(&d);
}

static void test_f14_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(preflight_cases); i++)
        check(&preflight_cases[i]);
}

#define ADDRESS "List-Unsubscribe: <mailto:u@own.example>, <https://own.example/u>\r\n"
#define MAILTO "List-Unsubscribe: <mailto:u@own.example>\r\n"
#define POST "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"

static void test_f14_marketing_can_be_unsubscribed(void **state)
{
    static const struct {
        const char *name;
        const char *section;
        uint64_t stream;
        bool warned;
    } cases[] = {
        { "both", "From: a@own.example\r\n" ADDRESS POST "\r\n", 1, false },
        { "no address", "From: a@own.example\r\n" POST "\r\n", 1, true },
        { "by mail alone", "From: a@own.example\r\n" MAILTO POST "\r\n", 1, true },
        { "no post", "From: a@own.example\r\n" ADDRESS "\r\n", 1, true },
        { "neither", PLAIN, 1, true },
        { "neither, and not marketing", PLAIN, 0, false },
    };
    struct directory d;
    struct arena a;

    (void)state;
    tell_all(&d, 0, 0);
    arena_init(&a, 1024);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct preflight got;
        struct identity identity = {
            .from = { .local = STR("a"), .domain = STR("own.example") },
            .from_grant = directory_grant(&d, directory_account(&d, 1), STR("own.example")),
        };
        preflight_judge(&(struct preflight_ask){ .identity = &identity,
                                                 .stream = directory_stream(&d, cases[i].stream),
                                                 .signs_aligned = true,
                                                 .sender_domain = STR("own.example"),
                                                 .section = str_of(cases[i].section) },
                        &a, &got);
        if (got.count != cases[i].warned ||
            (got.count && got.findings[0].code != CODE_PREFLIGHT_UNSUBSCRIBE))
            fail_msg("%s", cases[i].name);
    }
    arena_done(&a);
    directory_done(&d);
}

static void test_f14_of_a_stranger_nothing_is_known(void **state)
{
    struct preflight got;
    struct identity identity = { .from = { .local = STR("a"), .domain = STR("free.example") } };
    struct arena a;

    (void)state;
    arena_init(&a, 1024);
    preflight_judge(&(struct preflight_ask){ .identity = &identity,
                                             .sender_domain = STR("free.example"),
                                             .section = STR(PLAIN) },
                    &a, &got);
    assert_int_equal(got.count, 0);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f14_findings),
        cmocka_unit_test(test_f14_marketing_can_be_unsubscribed),
        cmocka_unit_test(test_f14_of_a_stranger_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
