// SPDX-License-Identifier: Apache-2.0
/* io/ring_test.c - rings: that nothing wraps, and that neither side believes the other. */
#include "io/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define SIZE (64u * 1024)

static struct ring *writer, *reader;
static int kept_fd = -1; /* what a hostile reader would keep */

static int setup_mapped(void **state)
{
    struct err err;
    int fd;

    (void)state;
    if (!ring_new(SIZE, &writer, &fd, &err))
        fail_msg("%s", err.text);
    kept_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (!ring_map(fd, SIZE, &reader, &err))
        fail_msg("%s", err.text);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* ring_map() closed it */
    return 0;
}

static int setup_shared(void **state)
{
    struct err err;

    (void)state;
    assert_true(ring_new(SIZE, &writer, NULL, &err));
    reader = ring_share(writer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ring_free(writer);
    ring_free(reader);
    ring_free(NULL);
    if (kept_fd >= 0)
        close(kept_fd);
    kept_fd = -1;
    return 0;
}

/* Odd lengths, so that extents lie across the end of the memory. */
static void test_extents_do_not_wrap(void **state)
{
    static char in[9999], out[9999];
    struct err err;
    uint64_t at, expected = 0;

    (void)state;
    for (int round = 0; round < 200; round++) {
        size_t len = (size_t)round * 53 % sizeof in + 1;

        for (size_t i = 0; i < len; i++)
            in[i] = (char)(i * 7 + (size_t)round);
        assert_true(ring_put(writer, str_make(in, len), &at));
        assert_int_equal(at, expected);
        assert_true(ring_read(reader, at, len, out, &err));
        assert_memory_equal(in, out, len);
        expected += len;
        assert_int_equal(ring_taken(reader), expected);
        assert_true(ring_credit(writer, ring_taken(reader), &err));
        assert_int_equal(ring_room(writer), SIZE);
    }
}

static void test_full_ring_waits_for_credit(void **state)
{
    static char block[SIZE];
    struct err err;
    uint64_t at;

    (void)state;
    assert_true(ring_put(writer, str_make(block, SIZE), &at));
    assert_int_equal(ring_room(writer), 0);
    assert_false(ring_put(writer, STR("x"), &at));
    assert_true(ring_put(writer, STR(""), &at));
    assert_true(ring_credit(writer, 10, &err));
    assert_int_equal(ring_room(writer), 10);
    assert_false(ring_put(writer, STR("eleven byte"), &at));
    assert_true(ring_put(writer, STR("ten bytes!"), &at));
    assert_int_equal(at, SIZE);
}

static void test_reader_takes_only_the_next_extent(void **state)
{
    char out[16];
    struct err err;
    uint64_t at;

    (void)state;
    assert_true(ring_put(writer, STR("0123456789"), &at));
    const struct {
        uint64_t position;
        size_t len;
    } wrong[] = { { 1, 5 }, { SIZE, 5 }, { UINT64_MAX, 5 }, { 0, SIZE + 1 }, { 0, SIZE_MAX } };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_false(ring_read(reader, wrong[i].position, wrong[i].len, out, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
    assert_true(ring_read(reader, 0, 4, out, &err)); /* what was refused moved nothing */
    assert_memory_equal(out, "0123", 4);
    assert_false(ring_read(reader, 0, 4, out, &err));
    assert_true(ring_read(reader, 4, 6, out, &err));
    assert_memory_equal(out, "456789", 6);
}

static void test_writer_refuses_credit_that_is_nonsense(void **state)
{
    static const uint64_t wrong[] = { 2, 11, SIZE, UINT64_MAX };
    struct err err;
    uint64_t at;

    (void)state;
    assert_true(ring_put(writer, STR("0123456789"), &at));
    assert_true(ring_credit(writer, 3, &err));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_false(ring_credit(writer, wrong[i], &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
    assert_true(ring_credit(writer, 3, &err)); /* nothing new is fine */
    assert_true(ring_credit(writer, 10, &err));
}

static void test_reader_cannot_write_or_resize(void **state)
{
    void *map;

    (void)state;
    assert_int_equal(ftruncate(kept_fd, 0), -1);
    assert_int_equal(ftruncate(kept_fd, 2 * SIZE), -1);
    assert_int_equal(pwrite(kept_fd, "x", 1, 0), -1);
    assert_ptr_equal(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, kept_fd, 0), MAP_FAILED);
    map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, kept_fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mprotect(map, SIZE, PROT_READ | PROT_WRITE), -1);
    munmap(map, SIZE);
    assert_int_equal(fcntl(kept_fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static void test_wrong_memory_is_refused(void **state)
{
    struct ring *r;
    struct err err;
    int fd;

    (void)state;
    assert_false(ring_new(0, &r, NULL, &err));
    assert_false(ring_new(SIZE + 1, &r, NULL, &err));

    fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    assert_false(ring_map(fd, SIZE, &r, &err));
    assert_int_equal(err.kind, ERR_DENIED);

    assert_true(ring_new(SIZE, &writer, &fd, &err));
    assert_false(ring_map(fd, 2 * SIZE, &r, &err));
    assert_int_equal(err.kind, ERR_DENIED);

    assert_false(ring_map(open("/dev/null", O_RDWR | O_CLOEXEC), SIZE, &r, &err));
    assert_int_equal(err.kind, ERR_IO);
    reader = NULL;
}

#define MAPPED(f)                                       \
    {                                                   \
#f " (mapped)", f, setup_mapped, teardown, NULL \
    }
#define SHARED(f)                                       \
    {                                                   \
#f " (shared)", f, setup_shared, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAPPED(test_extents_do_not_wrap),
        SHARED(test_extents_do_not_wrap),
        MAPPED(test_full_ring_waits_for_credit),
        SHARED(test_full_ring_waits_for_credit),
        MAPPED(test_reader_takes_only_the_next_extent),
        SHARED(test_reader_takes_only_the_next_extent),
        MAPPED(test_writer_refuses_credit_that_is_nonsense),
        MAPPED(test_reader_cannot_write_or_resize),
        cmocka_unit_test_teardown(test_wrong_memory_is_refused, teardown),
    };

    return cmocka_run_group_tests_name("io/ring", tests, NULL, NULL);
}
