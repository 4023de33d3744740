// SPDX-License-Identifier: Apache-2.0
/* base/buf_test.c - growing up to the limit and not past it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static void adds_up_to_its_limit(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_true(buf_add(&b, STR("hello")));
    assert_true(buf_add(&b, STR_NONE));
    assert_true(buf_addf(&b, "%d", 1234));
    assert_true(buf_add_char(&b, '!'));
    assert_true(buf_ok(&b));
    assert_true(str_eq(buf_str(&b), STR("hello1234!")));
    assert_string_equal(buf_cstr(&b), "hello1234!");
    buf_done(&b);
}

static void over_the_limit_adds_nothing_for_good(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4);
    assert_true(buf_add(&b, STR("abc")));
    assert_false(buf_add(&b, STR("de")));
    assert_false(buf_ok(&b));
    assert_false(buf_add_char(&b, 'd')); /* it would fit, but a piece is missing before it */
    assert_false(buf_addf(&b, "%s", ""));
    assert_true(str_eq(buf_str(&b), STR("abc")));
    buf_clear(&b);
    assert_true(buf_ok(&b));
    assert_true(buf_addf(&b, "%s", "wxyz"));
    assert_false(buf_addf(&b, "%d", 1));
    assert_null(buf_room(&b, 1));
    buf_clear(&b);
    assert_null(buf_room(&b, SIZE_MAX));
    buf_done(&b);
}

static void room_is_written_by_others(void **state)
{
    struct buf b;
    char *to;

    (void)state;
    buf_init(&b, 100000);
    for (size_t i = 0; i < 100; i++) {
        to = buf_room(&b, 1000);
        assert_non_null(to);
        memset(to, 'a' + (int)(i % 26), 1000);
        b.len += 1000;
    }
    assert_null(buf_room(&b, 1));
    assert_int_equal(b.ptr[99999], 'a' + 99 % 26);
    assert_int_equal(b.ptr[1000], 'b');
    buf_done(&b);
    buf_done(&b);
}

static void drops_at_the_front(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    (void)buf_add(&b, STR("abcdef"));
    buf_drop(&b, 0);
    buf_drop(&b, 2);
    assert_true(str_eq(buf_str(&b), STR("cdef")));
    buf_drop(&b, 4);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_cstr(&b), "");
    buf_done(&b);
}

static void may_be_given_its_own_bytes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    (void)buf_add(&b, STR("0123456789"));
    while (b.len < 1280)
        assert_true(buf_add(&b, buf_str(&b)));
    assert_memory_equal(b.ptr + 1270, "0123456789", 10);
    buf_done(&b);
}

static void empty_without_memory(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    assert_string_equal(buf_cstr(&b), "");
    assert_true(buf_add(&b, STR("")));
    assert_non_null(buf_room(&b, 0));
    assert_false(buf_add_char(&b, 'x'));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_up_to_its_limit),
        cmocka_unit_test(over_the_limit_adds_nothing_for_good),
        cmocka_unit_test(room_is_written_by_others),
        cmocka_unit_test(drops_at_the_front),
        cmocka_unit_test(may_be_given_its_own_bytes),
        cmocka_unit_test(empty_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
