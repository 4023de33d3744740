// SPDX-License-Identifier: Apache-2.0
/* accept/replies_test.c - every row of the table is fit to be sent (R05). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "accept/replies.h"

static size_t holes(struct str text)
{
    size_t count = 0, at;

    while ((at = str_find(text, STR("{}"))) < text.len) {
        text = str_skip(text, at + 2);
        count++;
    }
    return count;
}

/* RFC 2034 §4: all but these say an enhanced code, and its class is the code's. */
static bool may_lack_status(uint16_t code)
{
    return code == 220 || code == 334 || code == 354;
}

static void test_rows(void **state)
{
    const struct str args[] = { STR("first"), STR("second") };
    struct buf words;

    (void)state;
    buf_init(&words, 4096);
    for (enum reply_id id = 0; id < REPLY_IDS; id++) {
        struct reply bare = replies_make(id, NULL, 0, &words), r;

        assert_true(bare.code >= 200 && bare.code < 600);
        assert_true(holes(bare.text) <= 2);
        assert_true(bare.text.len > 0);
        if (bare.status.klass == 0)
            assert_true(may_lack_status(bare.code));
        else
            assert_int_equal(bare.status.klass, bare.code / 100);
        r = replies_make(id, args, holes(bare.text), &words);
        assert_int_equal(holes(r.text), 0);
    }
    buf_done(&words);
}

static void test_arguments_stand_in_order(void **state)
{
    const struct str args[] = { STR("70"), STR("64") };
    struct buf words;
    struct reply r;

    (void)state;
    buf_init(&words, 4096);
    r = replies_make(REPLY_SIZE_DECLARED, args, 2, &words);
    assert_int_equal(r.code, 552);
    assert_true(str_starts(r.text, STR("[SIZE] the message has 70 octets, 64 are the limit")));
    buf_done(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_arguments_stand_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
