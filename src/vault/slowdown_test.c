// SPDX-License-Identifier: Apache-2.0
/* vault/slowdown_test.c - guesses wait longer and longer, victims do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vault/slowdown.h"

static struct ip ip_of(const char *text)
{
    struct ip ip;

    assert_true(ip_parse(str_of(text), &ip, NULL));
    return ip;
}

static int64_t judged(struct slowdown *s, const char *client, const char *user, bool right,
                      int64_t now_ms)
{
    struct ip ip = ip_of(client);
    return slowdown_judged(s, &ip, str_of(user), right, now_ms);
}

static void waits_double_up_to_a_bound(void **state)
{
    static const int64_t waits[] = { 0, 250, 500, 1000, 2000, 4000, 4000, 4000 };
    struct slowdown s;

    (void)state;
    slowdown_init(&s);
    for (size_t i = 0; i < ARRAY_LEN(waits); i++)
        assert_int_equal(judged(&s, "192.0.2.1", "u", false, 0), waits[i]);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(judged(&s, "192.0.2.1", "u", false, 0), SLOWDOWN_MOST_MS);
    slowdown_done(&s);
}

static void guesses_from_many_addresses_wait_by_user(void **state)
{
    struct slowdown s;

    (void)state;
    slowdown_init(&s);
    assert_int_equal(judged(&s, "192.0.2.1", "u", false, 0), 0);
    assert_int_equal(judged(&s, "192.0.2.2", "u", false, 0), 250);
    assert_int_equal(judged(&s, "192.0.2.3", "u", false, 0), 500);
    assert_int_equal(judged(&s, "192.0.2.4", "other", false, 0), 0);
    slowdown_done(&s);
}

static void a_right_secret_waits_for_its_own_address_only(void **state)
{
    struct slowdown s;

    (void)state;
    slowdown_init(&s);
    for (int i = 0; i < 100; i++)
        (void)judged(&s, "192.0.2.1", "victim", false, 0);
    assert_int_equal(judged(&s, "198.51.100.1", "victim", true, 0), 0);
    assert_int_equal(judged(&s, "192.0.2.1", "victim", true, 0), SLOWDOWN_MOST_MS);
    assert_int_equal(judged(&s, "192.0.2.1", "victim", true, 0), 0); /* success has cleared it */
    slowdown_done(&s);
}

static void addresses_of_one_ipv6_network_count_together(void **state)
{
    struct slowdown s;

    (void)state;
    slowdown_init(&s);
    assert_int_equal(judged(&s, "2001:db8::1", "a", false, 0), 0);
    assert_int_equal(judged(&s, "2001:db8::2", "b", false, 0), 250);
    assert_int_equal(judged(&s, "2001:db8:0:1::1", "c", false, 0), 0);
    slowdown_done(&s);
}

static void quiet_is_forgotten(void **state)
{
    struct slowdown s;

    (void)state;
    slowdown_init(&s);
    (void)judged(&s, "192.0.2.1", "u", false, 0);
    assert_int_equal(judged(&s, "192.0.2.1", "u", false, SLOWDOWN_FORGET_MS), 0);
    assert_int_equal(judged(&s, "192.0.2.1", "u", false, SLOWDOWN_FORGET_MS + 1), 250);
    slowdown_done(&s);
}

static void the_table_is_bounded(void **state)
{
    struct slowdown s;

    (void)state;
    slowdown_init(&s);
    for (unsigned i = 0; i < SLOWDOWN_TALLIES_MAX + 10; i++) {
        const uint8_t bytes[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
        struct ip ip = ip_make4(bytes);
        (void)slowdown_judged(&s, &ip, str_make(bytes, 4), false, 0);
    }
    assert_true(s.by_key.count <= SLOWDOWN_TALLIES_MAX);
    slowdown_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_a_bound),
        cmocka_unit_test(guesses_from_many_addresses_wait_by_user),
        cmocka_unit_test(a_right_secret_waits_for_its_own_address_only),
        cmocka_unit_test(addresses_of_one_ipv6_network_count_together),
        cmocka_unit_test(quiet_is_forgotten),
        cmocka_unit_test(the_table_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
