// SPDX-License-Identifier: Apache-2.0
/* vault/sealing_test.c - the keys under the role's secret, and what becomes of them when it is
 * exchanged (fault Y12). */
#include "vault/sealing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#define SECRET(letter) letter letter letter letter letter letter letter letter
#define A SECRET("aaaa")
#define B SECRET("bbbb")
#define C SECRET("cccc")

static int set_up(void **state)
{
    struct control *c;

    assert_true(secret_init(NULL));
    assert_true(control_open(STR(""), &c, NULL));
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    control_free(*state);
    return 0;
}

static struct sealing opened(struct control *c, const char *secret)
{
    struct sealing s;
    struct err err = { 0 };

    if (!sealing_open(c, str_of(secret), 1, &s, &err))
        fail_msg("%s: %s", secret, err.text);
    return s;
}

static void refused(struct control *c, const char *secret)
{
    struct sealing s;
    struct err err = { 0 };

    assert_false(sealing_open(c, str_of(secret), 1, &s, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_null(s.box);
}

/* Something that this box alone can have sealed. */
static const struct keybox_place place = { 7, STR("b1e") };

static bool opens(const struct keybox *box, struct str sealed)
{
    struct buf plain;

    buf_init(&plain, 256);
    bool ok =
        keybox_unseal(box, &place, sealed, &plain, NULL) && str_eq(buf_str(&plain), STR("private"));
    buf_done(&plain);
    return ok;
}

static void both_keys_stay_when_the_secret_is_exchanged_Y12(void **state)
{
    struct control *c = *state;
    struct sealing first = opened(c, A), again;
    struct buf sealed;

    buf_init(&sealed, 256);
    keybox_seal(first.box, &place, STR("private"), &sealed);
    assert_false(first.exchanged);
    keybox_free(first.box);

    again = opened(c, B A);
    assert_true(again.exchanged);
    assert_memory_equal(again.hash_key, first.hash_key, sizeof first.hash_key);
    assert_true(opens(again.box, buf_str(&sealed)));
    keybox_free(again.box);

    again = opened(c, B A); /* the next start finds it done */
    assert_false(again.exchanged);
    keybox_free(again.box);
    again = opened(c, C B);
    assert_true(again.exchanged);
    assert_memory_equal(again.hash_key, first.hash_key, sizeof first.hash_key);
    assert_true(opens(again.box, buf_str(&sealed)));
    keybox_free(again.box);
    buf_done(&sealed);
}

static void the_old_secret_opens_nothing_afterwards_Y12(void **state)
{
    struct control *c = *state;

    keybox_free(opened(c, A).box);
    keybox_free(opened(c, B A).box);
    refused(c, A);
    refused(c, C A);
    keybox_free(opened(c, B).box);
}

static void another_secret_opens_nothing_Y12(void **state)
{
    struct control *c = *state;

    keybox_free(opened(c, A).box);
    refused(c, B);
    refused(c, B C);
    keybox_free(opened(c, A).box);
}

/* Credentials that were hashed under the secret itself still fit. */
static void a_first_start_takes_the_secret_for_credentials(void **state)
{
    struct sealing s = opened(*state, A);

    assert_memory_equal(s.hash_key, A, sizeof s.hash_key);
    keybox_free(s.box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(both_keys_stay_when_the_secret_is_exchanged_Y12),
        TEST(the_old_secret_opens_nothing_afterwards_Y12),
        TEST(another_secret_opens_nothing_Y12),
        TEST(a_first_start_takes_the_secret_for_credentials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
