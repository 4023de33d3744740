// SPDX-License-Identifier: Apache-2.0
/* vault/users_test.c - people: made, listed, changed and removed. How they sign in is
 * auth_test.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vault/world_test.h"

#define ADD(who, of, what)                                                   \
    {                                                                        \
        .verb = ADMIN_USER_ADD, .name = who, .account = of, .settings = what \
    }
#define SET(who, what)                                        \
    {                                                         \
        .verb = ADMIN_USER_SET, .name = who, .settings = what \
    }
#define GOOD "password=correct horse\n"

static const struct admin_case cases[] = {
    { "of an account", ADD("ann", "office", "role=developer\n" GOOD), 200,
      "\"account\":\"office\"" },
    { "her role", { .verb = ADMIN_USER_LIST }, 200, "\"role\":\"developer\"" },
    { "with a password that is made", ADD("bob", "office", "role=marketer\n"), 200,
      "\"password\":\"" },
    { "an operator", ADD("op", "", "role=operator-admin\n" GOOD), 200,
      "\"role\":\"operator-admin\"" },
    { "an operator of an account", ADD("x", "office", "role=operator-admin\n" GOOD), 422,
      "belongs to no account" },
    { "an owner of nothing", ADD("x", "", "role=account-owner\n" GOOD), 422,
      "belongs to an account" },
    { "an auditor of an account", ADD("aud", "office", "role=auditor\n" GOOD), 200, "auditor" },
    { "an auditor of all", ADD("aud2", "", "role=auditor\n" GOOD), 200, "auditor" },
    { "an unknown role", ADD("x", "office", "role=king\n" GOOD), 422, "role" },
    { "an operator who submits", ADD("x", "", "role=auditor\nsubmits=true\n" GOOD), 422,
      "submits" },
    { "11 octets", ADD("x", "office", "role=developer\npassword=eleven-char\n"), 422, "12 to 256" },
    { "of no account", ADD("x", "none", "role=developer\n" GOOD), 404, "no account none" },
    { "without a name", ADD("", "office", "role=developer\n" GOOD), 422, "person: 1 to 64" },
    { "twice", ADD("ann", "office", "role=developer\n" GOOD), 409, "ann is there already" },
    { "submits", SET("ann", "submits=true\n"), 200, "\"submits\":true" },
    { "suspended", SET("ann", "state=suspended\n"), 200, "\"state\":\"suspended\"" },
    { "a short password", SET("ann", "password=short\n"), 422, "12 to 256" },
    { "a new password", SET("ann", "password=another good one\n"), 200, "\"name\":\"ann\"" },
    { "one is made", SET("ann", "password=\n"), 200, "\"password\":\"" },
    { "promoted out of his account", SET("ann", "role=operator-support\n"), 422, "no account" },
    { "set nobody", SET("none", "note=x\n"), 404, "no person none" },
    { "listed by account", { .verb = ADMIN_USER_LIST, .account = "printers" }, 200, "" },
    { "listed by no account", { .verb = ADMIN_USER_LIST, .account = "none" }, 404, "no account" },
    { "removed", { .verb = ADMIN_USER_REMOVE, .name = "ann" }, 200, "" },
    { "removed twice", { .verb = ADMIN_USER_REMOVE, .name = "ann" }, 404, "no person ann" },
};

static void R69_people_and_roles(void **state)
{
    admin_cases_run(*state, cases, ARRAY_LEN(cases));
}

static void A05_a_password_is_kept_by_argon2id_alone(void **state)
{
    struct world *w = *state;

    ask_for(w, 200, (struct ask)ADD("ann", "office", "role=developer\n" GOOD));
    assert_false(str_has(row(w, 0), "correct horse"));
    const struct user *u = roster_user(&w->vault->roster, STR("ann"));
    assert_true(str_starts(u->password, STR("$argon2id$")));
    assert_true(password_check(u->password, STR("correct horse"), NULL));
    assert_false(str_has(u->settings, "correct horse"));
}

static void A06_no_password_in_logs_audit_or_lists(void **state)
{
    struct world *w = *state;
    char made[PASSWORD_MADE_LEN + 1];

    ask_for(w, 200, (struct ask)ADD("ann", "office", "role=developer\n"));
    struct str mark = STR("\"password\":\"");
    size_t at = str_find(row(w, 0), mark);
    assert_true(at < row(w, 0).len);
    memcpy(made, row(w, 0).ptr + at + mark.len, PASSWORD_MADE_LEN);
    made[PASSWORD_MADE_LEN] = '\0';
    assert_true(
        password_check(roster_user(&w->vault->roster, STR("ann"))->password, str_of(made), NULL));
    ask_for(w, 200, (struct ask)SET("ann", "note=x\npassword=correct horse\n"));
    ask_for(w, 422, (struct ask)SET("ann", "password=short one\n"));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_USER_LIST });
    assert_false(str_has(row(w, 0), "password"));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_AUDIT_LIST, .name = "ann" });
    assert_int_equal(row_count(w), 2);
    assert_true(str_has(row(w, 0), "a new password"));
    for (size_t i = 0; i < 2; i++) {
        assert_false(str_has(row(w, i), "correct horse"));
        assert_false(str_has(row(w, i), made));
    }
    assert_false(log_has(w, "correct horse"));
    assert_false(log_has(w, "short one"));
    assert_false(log_has(w, made));
}

static void a_dry_run_changes_nothing(void **state)
{
    struct world *w = *state;
    struct ask add = ADD("bob", "office", "role=developer\n");
    struct ask set = SET("ann", "state=suspended\npassword=another good one\n");
    struct ask remove = { .verb = ADMIN_USER_REMOVE, .name = "ann", .flags = ADMIN_DRY_RUN };

    add.flags = set.flags = ADMIN_DRY_RUN;
    ask_for(w, 200, (struct ask)ADD("ann", "office", "role=developer\n" GOOD));
    ask_for(w, 200, add);
    assert_false(str_has(row(w, 0), "password"));
    ask_for(w, 200, set);
    ask_for(w, 200, remove);
    const struct user *u = roster_user(&w->vault->roster, STR("ann"));
    assert_non_null(u);
    assert_false(u->suspended);
    assert_true(password_check(u->password, STR("correct horse"), NULL));
    assert_null(roster_user(&w->vault->roster, STR("bob")));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R69_people_and_roles),
        TEST(A05_a_password_is_kept_by_argon2id_alone),
        TEST(A06_no_password_in_logs_audit_or_lists),
        TEST(a_dry_run_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
