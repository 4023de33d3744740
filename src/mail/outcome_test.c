// SPDX-License-Identifier: Apache-2.0
/* mail/outcome_test.c - what replies mean for a recipient, and the words for it. */
#include "mail/outcome.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct outcome_case {
    uint16_t code;
    enum outcome_kind want;
    const char *name;
} outcome_cases[] = {
    { 250, OUTCOME_DELIVERED, "delivered" }, { 252, OUTCOME_DELIVERED, "delivered" },
    { 0, OUTCOME_DEFERRED, "deferred" },     { 354, OUTCOME_DEFERRED, "deferred" },
    { 421, OUTCOME_DEFERRED, "deferred" },   { 451, OUTCOME_DEFERRED, "deferred" },
    { 500, OUTCOME_BOUNCED, "bounced" },     { 599, OUTCOME_BOUNCED, "bounced" },
};

static void outcome_follows_first_digit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(outcome_cases); i++) {
        const struct outcome_case *c = &outcome_cases[i];
        struct reply r = { .code = c->code };

        assert_int_equal(outcome_of_reply(&r), c->want);
        assert_string_equal(outcome_kind_name(c->want), c->name);
    }
}

static void names_exist_for_all_and_nothing_else(void **state)
{
    (void)state;
    for (int kind = OUTCOME_DELIVERED; kind <= OUTCOME_UNKNOWN; kind++)
        assert_string_not_equal(outcome_kind_name((enum outcome_kind)kind), "none");
    for (int scope = SCOPE_RECIPIENT; scope <= SCOPE_DESTINATION; scope++)
        assert_string_not_equal(outcome_scope_name((enum outcome_scope)scope), "none");
    assert_string_equal(outcome_kind_name((enum outcome_kind)0), "none");
    assert_string_equal(outcome_kind_name((enum outcome_kind)99), "none");
    assert_string_equal(outcome_scope_name((enum outcome_scope)0), "none");
    assert_string_equal(outcome_scope_name((enum outcome_scope)99), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome_follows_first_digit),
        cmocka_unit_test(names_exist_for_all_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
