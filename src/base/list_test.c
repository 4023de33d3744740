// SPDX-License-Identifier: Apache-2.0
/* base/list_test.c - members in, out, and removed while walking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct list link;
};

static int sum_in_order(struct list *head)
{
    int digits = 0;

    LIST_EACH (head, struct item, it, link)
        digits = digits * 10 + it->number;
    return digits;
}

static void order(void **state)
{
    struct item items[4] = { { .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 } };
    struct list head;

    (void)state;
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(LIST_FIRST(&head, struct item, link));
    assert_int_equal(sum_in_order(&head), 0);
    list_append(&head, &items[1].link);
    list_append(&head, &items[2].link);
    list_prepend(&head, &items[0].link);
    list_add_before(&items[0].link, &items[3].link);
    assert_int_equal(sum_in_order(&head), 4123);
    assert_ptr_equal(LIST_FIRST(&head, struct item, link), &items[3]);
    list_remove(&items[0].link);
    list_remove(&items[0].link); /* harmless */
    assert_int_equal(sum_in_order(&head), 423);
}

static void removing_while_walking(void **state)
{
    struct item items[5];
    struct list head;

    (void)state;
    list_init(&head);
    for (int i = 0; i < 5; i++) {
        items[i].number = i + 1;
        list_append(&head, &items[i].link);
    }
    LIST_EACH (&head, struct item, it, link)
        if (it->number % 2 == 1)
            list_remove(&it->link);
    assert_int_equal(sum_in_order(&head), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),
        cmocka_unit_test(removing_while_walking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
