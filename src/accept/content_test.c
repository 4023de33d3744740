// SPDX-License-Identifier: Apache-2.0
/* accept/content_test.c - where a header section ends, with more to come and without (fault B09).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "accept/content.h"

enum { NOT_YET = -1 };

static const struct end_case {
    const char *name;
    struct str bytes;
    bool whole; /* nothing more comes */
    int want;   /* length */
    bool bare;
} cases[] = {
    { "fields and an empty line", STR("A: 1\r\nB: 2\r\n\r\nbody"), false, 14, false },
    { "an empty line at once", STR("\r\nbody"), false, 2, false },
    { "folded", STR("A: 1\r\n 2\r\n\r\n"), false, 12, false },
    { "no header", STR("Hello you\r\nA: 1\r\n\r\n"), false, 0, true },
    { "body behind a field without an empty line", STR("A: 1\r\nHello you\r\n"), false, 6, true },
    { "only fields", STR("A: 1\r\n"), true, 6, false },
    { "only half a field", STR("A: 1"), true, 4, false },
    { "nothing", STR(""), true, 0, false },
    { "half a line that is no field", STR("A: 1\r\nHello"), true, 6, true },
    { "B09 a field may go on", STR("A: 1\r\n"), false, NOT_YET, false },
    { "B09 a field name may go on", STR("A: 1\r\nSubj"), false, NOT_YET, false },
    { "B09 the empty line may come", STR("A: 1\r\n\r"), false, NOT_YET, false },
    { "B09 nothing yet", STR(""), false, NOT_YET, false },
    { "B09 a name with a blank within is none", STR("A B: 1\r\n\r\n"), false, 0, true },
    { "B09 a first line that is a fold is none", STR(" A: 1\r\n\r\n"), false, 0, true },
};

static void test_header_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct end_case *c = &cases[i];
        size_t len = 0;
        bool bare = false;

        print_message("%s\n", c->name);
        assert_int_equal(content_header_end(c->bytes, c->whole, &len, &bare), c->want != NOT_YET);
        if (c->want == NOT_YET)
            continue;
        assert_int_equal(len, c->want);
        assert_int_equal(bare, c->bare);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_header_end) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
