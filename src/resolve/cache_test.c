// SPDX-License-Identifier: Apache-2.0
/* resolve/cache_test.c - how long answers live (S06), on a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolve/cache.h"

static struct dns_record mx_record = { .preference = 10, .name = { "mx.example.org", 14 } };

static const struct ttl_case {
    const char *name;
    enum dns_status status;
    size_t count;
    uint32_t ttl_s, want_s;
} ttl_cases[] = {
    { "as it is", DNS_OK, 1, 300, 300 },         { "0", DNS_OK, 1, 0, 1 },
    { "a day", DNS_OK, 1, 86400, 86400 },        { "over a day", DNS_OK, 1, 86401, 86400 },
    { "2^31-1", DNS_OK, 1, INT32_MAX, 86400 },   { "2^31 is 0", DNS_OK, 1, 0x80000000u, 1 },
    { "2^32-1 is 0", DNS_OK, 1, UINT32_MAX, 1 }, { "no records", DNS_OK, 0, 3600, 300 },
    { "no records, short", DNS_OK, 0, 20, 20 },  { "no name", DNS_NO_NAME, 0, 86400, 300 },
    { "no name, 0", DNS_NO_NAME, 0, 0, 1 },      { "no answer", DNS_TEMP, 0, 3600, 5 },
};

static void s06_ttl_is_clamped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ttl_cases); i++) {
        const struct ttl_case *c = &ttl_cases[i];
        const struct dns_answer answer = {
            .status = c->status, .ttl_s = c->ttl_s, .records = &mx_record, .count = c->count
        };
        if (cache_ttl_s(&answer) != c->want_s)
            fail_msg("%s: %u", c->name, cache_ttl_s(&answer));
    }
}

static void s06_answers_live_their_time(void **state)
{
    const struct dns_answer answer = {
        .status = DNS_OK, .ttl_s = 60, .records = &mx_record, .count = 1
    };
    struct cache *c = cache_new(10);
    struct dns_answer got;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    assert_false(cache_find(c, DNS_MX, STR("example.org"), 0, &arena, &got));
    cache_put(c, DNS_MX, STR("example.org"), 1000, &answer);
    assert_true(cache_find(c, DNS_MX, STR("Example.ORG"), 1000, &arena, &got));
    assert_int_equal(got.ttl_s, 60);
    assert_int_equal(got.count, 1);
    assert_true(str_eq(got.records[0].name, mx_record.name));
    assert_ptr_not_equal(got.records[0].name.ptr, mx_record.name.ptr);
    assert_false(cache_find(c, DNS_A, STR("example.org"), 1000, &arena, &got));
    assert_true(cache_find(c, DNS_MX, STR("example.org"), 60999, &arena, &got));
    assert_int_equal(got.ttl_s, 1);
    assert_false(cache_find(c, DNS_MX, STR("example.org"), 61000, &arena, &got));
    assert_int_equal(cache_count(c), 0);
    arena_done(&arena);
    cache_free(c);
}

static void s06_a_newer_answer_replaces(void **state)
{
    const struct dns_answer old = { .status = DNS_NO_NAME, .ttl_s = 300 };
    const struct dns_answer new = {
        .status = DNS_OK, .ttl_s = 10, .records = &mx_record, .count = 1
    };
    struct cache *c = cache_new(10);
    struct dns_answer got;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    cache_put(c, DNS_MX, STR("example.org"), 0, &old);
    cache_put(c, DNS_MX, STR("example.org"), 0, &new);
    assert_int_equal(cache_count(c), 1);
    assert_true(cache_find(c, DNS_MX, STR("example.org"), 0, &arena, &got));
    assert_int_equal(got.status, DNS_OK);
    arena_done(&arena);
    cache_free(c);
}

static void full_cache_drops_the_least_used(void **state)
{
    const struct dns_answer answer = {
        .status = DNS_OK, .ttl_s = 60, .records = &mx_record, .count = 1
    };
    struct cache *c = cache_new(3);
    struct dns_answer got;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    cache_put(c, DNS_MX, STR("a.example"), 0, &answer);
    cache_put(c, DNS_MX, STR("b.example"), 0, &answer);
    cache_put(c, DNS_MX, STR("c.example"), 0, &answer);
    assert_true(cache_find(c, DNS_MX, STR("a.example"), 1, &arena, &got));
    cache_put(c, DNS_MX, STR("d.example"), 1, &answer);
    assert_int_equal(cache_count(c), 3);
    assert_true(cache_find(c, DNS_MX, STR("a.example"), 2, &arena, &got));
    assert_false(cache_find(c, DNS_MX, STR("b.example"), 2, &arena, &got));
    arena_done(&arena);
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s06_ttl_is_clamped),
        cmocka_unit_test(s06_answers_live_their_time),
        cmocka_unit_test(s06_a_newer_answer_replaces),
        cmocka_unit_test(full_cache_drops_the_least_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
