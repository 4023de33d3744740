// SPDX-License-Identifier: Apache-2.0
/* base/mem_test.c - memory is there, zeroed, and wiped when told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void zeroed(void **state)
{
    uint64_t *numbers = NEW_ARRAY(uint64_t, 100);
    int *one = NEW(int);

    (void)state;
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(numbers[i], 0);
    assert_int_equal(*one, 0);
    free(one);
    free(numbers);
    free(mem_new(0)); /* an address of its own */
}

static void grows(void **state)
{
    char *text = mem_grow(NULL, 3, 1);

    (void)state;
    memcpy(text, "abc", 3);
    text = mem_grow(text, 1000, 8);
    assert_memory_equal(text, "abc", 3);
    free(text);
}

static void wipes(void **state)
{
    char secret[] = "password";

    (void)state;
    mem_wipe(secret, sizeof(secret));
    for (size_t i = 0; i < sizeof(secret); i++)
        assert_int_equal(secret[i], 0);
    mem_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed),
        cmocka_unit_test(grows),
        cmocka_unit_test(wipes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
