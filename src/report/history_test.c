// SPDX-License-Identifier: Apache-2.0
/* report/history_test.c - what the database holds after it was closed and opened again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "report/history.h"

static struct history *open_at(const char *path, uint64_t *position)
{
    struct history *h = NULL;
    struct err err = { 0 };

    if (!history_open(str_of(path), &h, position, &err))
        fail_msg("%s", err.text);
    return h;
}

static void position_and_counts_move_together(void **state)
{
    const struct tally tallies[] = { { 20000, 1, 5 }, { 20000, 2, 4 }, { 20001, 1, 1 } };
    uint64_t position = 7, count;
    struct history *h = open_at(*state, &position);

    assert_int_equal(position, 0);
    assert_true(history_take_in(h, 0x100000040, tallies, ARRAY_LEN(tallies), NULL));
    assert_true(history_take_in(h, 0x100000080, tallies, 1, NULL));
    history_free(h);
    h = open_at(*state, &position);
    assert_int_equal(position, 0x100000080);
    assert_true(history_count(h, 1, &count, NULL));
    assert_int_equal(count, 11);
    assert_true(history_count(h, 3, &count, NULL));
    assert_int_equal(count, 0);
    history_free(h);
}

static uint64_t put(struct history *h, const char *subject, unsigned keep)
{
    const struct sandbox_entry e = { .id = 42,
                                     .from = STR("a@example.org"),
                                     .to = STR("b@sandbox.example"),
                                     .subject = str_of(subject),
                                     .size_bytes = 20,
                                     .received_wall_ms = 1000,
                                     .whole = true };
    uint64_t n = 0;

    assert_true(history_put_message(h, &e, STR("Subject: x\r\n\r\nhi\0\xff\r\n"), keep, &n, NULL));
    return n;
}

static void the_newest_are_kept(void **state)
{
    uint64_t position;
    struct history *h = open_at(*state, &position);
    struct sandbox_entry *entries, e;
    struct str content;
    struct arena a;
    struct err err = { 0 };
    size_t count;

    arena_init(&a, 1024);
    for (uint64_t n = 1; n <= 5; n++)
        assert_int_equal(put(h, n == 5 ? "the last" : "earlier", 3), n);
    assert_true(history_list_messages(h, 0, 10, &a, &entries, &count, NULL));
    assert_int_equal(count, 3);
    assert_int_equal(entries[0].n, 5);
    assert_true(str_eq(entries[0].subject, STR("the last")));
    assert_true(history_list_messages(h, 5, 1, &a, &entries, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(entries[0].n, 4);
    assert_false(history_read_message(h, 2, &a, &e, &content, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    history_free(h);

    h = open_at(*state, &position);
    assert_true(history_read_message(h, 5, &a, &e, &content, NULL));
    assert_true(str_eq(content, STR("Subject: x\r\n\r\nhi\0\xff\r\n")));
    assert_true(e.whole && e.id == 42 && e.size_bytes == 20 && e.received_wall_ms == 1000);
    assert_true(str_eq(e.from, STR("a@example.org")));
    assert_int_equal(put(h, "", 1), 6);
    assert_true(history_list_messages(h, 0, 10, &a, &entries, &count, NULL));
    assert_int_equal(count, 1);
    history_free(h);
    arena_done(&a);
}

static void C17_a_second_opener_is_refused(void **state)
{
    uint64_t position;
    struct history *h = open_at(*state, &position), *second;
    struct err err = { 0 };

    assert_false(history_open(str_of(*state), &second, &position, &err));
    history_free(h);
}

static void a_file_that_is_no_database_is_damaged(void **state)
{
    FILE *f = fopen(*state, "w");
    struct err err = { 0 };
    struct history *h;
    uint64_t position;

    for (int i = 0; i < 200; i++)
        (void)fputs("this is not a database\n", f);
    (void)fclose(f);
    assert_false(history_open(str_of(*state), &h, &position, &err));
    assert_int_equal(err.kind, ERR_DAMAGED);
}

static int set_up(void **state)
{
    char path[] = "/tmp/history-XXXXXX";
    int fd = mkstemp(path);

    (void)close(fd);
    *state = strdup(path);
    return fd < 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = { "", "-wal", "-shm" };

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char name[96];
        (void)snprintf(name, sizeof name, "%s%s", (char *)*state, ends[i]);
        (void)unlink(name);
    }
    free(*state);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(position_and_counts_move_together),
        TEST(the_newest_are_kept),
        TEST(C17_a_second_opener_is_refused),
        TEST(a_file_that_is_no_database_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
