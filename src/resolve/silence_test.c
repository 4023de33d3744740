// SPDX-License-Identifier: Apache-2.0
/* resolve/silence_test.c - who is remembered, for how long, and how many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolve/silence.h"

static struct ip ip_number(unsigned n)
{
    return ip_make4((const uint8_t[4]){ 192, 0, (uint8_t)(n >> 8), (uint8_t)n });
}

static void f27_a_silent_server_is_remembered_for_a_while(void **state)
{
    const struct ip one = ip_number(1), other = ip_number(2);
    struct silence s = { 0 };

    (void)state;
    assert_false(silence_has(&s, &one, 1000));
    silence_note(&s, &one, 1000);
    assert_true(silence_has(&s, &one, 1000 + SILENT_MS - 1));
    assert_false(silence_has(&s, &one, 1000 + SILENT_MS));
    assert_false(silence_has(&s, &other, 1000));
    silence_note(&s, &one, 2000);
    assert_int_equal(s.count, 1);
    assert_true(silence_has(&s, &one, 2000 + SILENT_MS - 1));
    silence_forget(&s, &other);
    silence_forget(&s, &one);
    assert_false(silence_has(&s, &one, 2000));
}

static void the_oldest_goes_when_there_are_too_many(void **state)
{
    struct silence s = { 0 };
    struct ip ip;

    (void)state;
    for (unsigned i = 0; i <= SILENT_MAX; i++) {
        ip = ip_number(i);
        silence_note(&s, &ip, 0);
    }
    for (unsigned i = 0; i <= SILENT_MAX; i++) {
        ip = ip_number(i);
        assert_int_equal(silence_has(&s, &ip, 1), i > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f27_a_silent_server_is_remembered_for_a_while),
        cmocka_unit_test(the_oldest_goes_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
