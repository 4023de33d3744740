// SPDX-License-Identifier: Apache-2.0
/* base/arena_test.c - alignment, zeroing, reset; and that what was reset is poisoned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#endif

static void aligned_and_zeroed(void **state)
{
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 255, 256, 257, 5000 };
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            unsigned char *ptr = arena_alloc(&a, sizes[i]);

            assert_int_equal((uintptr_t)ptr % 16, 0);
            for (size_t at = 0; at < sizes[i]; at++)
                assert_int_equal(ptr[at], 0);
            memset(ptr, 0xaa, sizes[i]);
        }
        assert_true(a.total >= 5817);
        arena_reset(&a);
        assert_int_equal(a.total, 0);
    }
    arena_done(&a);
    arena_done(&a);
}

static void copies_text(void **state)
{
    struct arena a;
    struct str copy, empty, made;

    (void)state;
    arena_init(&a, 64);
    copy = arena_str(&a, STR("a\0b"));
    empty = arena_str(&a, STR_NONE);
    made = arena_strf(&a, "%s-%d", "this is longer than one block of the arena, which is no matter",
                      7);
    assert_true(str_eq(copy, STR("a\0b")));
    assert_int_equal(copy.ptr[3], 0);
    assert_int_equal(empty.len, 0);
    assert_int_equal(empty.ptr[0], 0);
    assert_int_equal(strlen(made.ptr), made.len);
    assert_true(str_ends_nocase(made, STR("matter-7")));
    arena_done(&a);
}

static void a_large_piece_does_not_waste_the_block(void **state)
{
    struct arena a;
    char *first, *second;

    (void)state;
    arena_init(&a, 1024);
    first = arena_alloc(&a, 16);
    (void)arena_alloc(&a, 4096);
    second = arena_alloc(&a, 16);
    assert_ptr_equal(second, first + 16);
    arena_done(&a);
}

static void reset_keeps_one_usual_block(void **state)
{
    struct arena a;
    struct arena_block *first;

    (void)state;
    arena_init(&a, 128);
    (void)arena_alloc(&a, 4096); /* first of all: only this block, which isn't kept */
    arena_reset(&a);
    assert_null(a.blocks);
    (void)ARENA_ARRAY(&a, uint64_t, 10);
    first = a.blocks;
    arena_reset(&a);
    assert_ptr_equal(a.blocks, first);
    (void)ARENA_NEW(&a, uint64_t);
    assert_ptr_equal(a.blocks, first);
    arena_done(&a);
}

static void reset_poisons(void **state)
{
#ifdef HAVE_ASAN
    struct arena a;
    char *ptr;

    (void)state;
    arena_init(&a, 256);
    ptr = arena_alloc(&a, 20);
    assert_int_equal(__asan_address_is_poisoned(ptr + 19), 0);
    assert_int_not_equal(__asan_address_is_poisoned(ptr + 20), 0); /* padding */
    arena_reset(&a);
    assert_int_not_equal(__asan_address_is_poisoned(ptr), 0);
    arena_done(&a);
#else
    (void)state;
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligned_and_zeroed),
        cmocka_unit_test(copies_text),
        cmocka_unit_test(a_large_piece_does_not_waste_the_block),
        cmocka_unit_test(reset_keeps_one_usual_block),
        cmocka_unit_test(reset_poisons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
