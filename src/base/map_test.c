// SPDX-License-Identifier: Apache-2.0
/* base/map_test.c - both tables against a plain array, the hash against published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"

enum { KEYS = 500, STEPS = 20000 };

static char names[KEYS][12];
static int values[2][KEYS];

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return *seed >> 33;
}

static void siphash_vectors_O08(void **state)
{
    /* The reference implementation's vectors: key 00..0f, input 00, 00 01, … */
    static const struct {
        size_t len;
        uint64_t want;
    } cases[] = {
        { 0, 0x726fdb47dd0e0e31U }, { 1, 0x74f839c593dc67fdU },  { 7, 0xab0200f58b01d137U },
        { 8, 0x93f5f5799a932462U }, { 15, 0xa129ca6149be45e5U },
    };
    uint8_t key[16], text[16];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        key[i] = text[i] = i;
    hash_set_key(key);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(hash_str(str_make(text, cases[i].len)) == cases[i].want);
    key[0] ^= 1;
    hash_set_key(key);
    assert_false(hash_str(STR("")) == cases[0].want);
    key[0] ^= 1;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(hash_str_nocase_by(key, str_make(text, cases[i].len)) == cases[i].want);
}

static void folding_is_ascii_only(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[9], lower[9];

        memset(text, c, sizeof(text));
        memset(lower, ascii_lower((char)c), sizeof(lower));
        for (size_t len = 1; len <= sizeof(text); len += 4)
            assert_true(hash_str_nocase(str_make(text, len)) == hash_str(str_make(lower, len)));
    }
}

static void map_as_an_array_would(void **state)
{
    int *model[KEYS] = { NULL };
    uint64_t seed = 1;
    size_t count = 0;
    struct map m;

    (void)state;
    map_init(&m);
    for (int step = 0; step < STEPS; step++) {
        size_t key = next_random(&seed) % KEYS, how = next_random(&seed) % 8;
        /* Grows in the first half, shrinks in the second. */
        bool put = step < STEPS / 2 ? how < 5 : how < 2;
        int *value = put ? &values[how % 2][key] : NULL;
        void *old = put ? map_put(&m, str_of(names[key]), value) : map_take(&m, str_of(names[key]));

        assert_ptr_equal(old, model[key]);
        count += (put && !old);
        count -= (!put && old);
        model[key] = value;
        assert_int_equal(m.count, count);
    }
    for (size_t key = 0; key < KEYS; key++)
        assert_ptr_equal(map_find(&m, str_of(names[key])), model[key]);
    map_done(&m);
    assert_null(map_find(&m, STR("k1")));
}

static void idmap_as_an_array_would(void **state)
{
    int *model[KEYS] = { NULL };
    uint64_t seed = 2;
    struct idmap m;

    (void)state;
    idmap_init(&m);
    for (int step = 0; step < STEPS; step++) {
        size_t key = next_random(&seed) % KEYS, how = next_random(&seed) % 8;
        bool put = step < STEPS / 2 ? how < 5 : how < 2;
        int *value = put ? &values[how % 2][key] : NULL;
        void *old = put ? idmap_put(&m, key, value) : idmap_take(&m, key);

        assert_ptr_equal(old, model[key]);
        model[key] = value;
    }
    for (size_t key = 0; key < KEYS; key++)
        assert_ptr_equal(idmap_find(&m, key), model[key]);
    assert_null(idmap_find(&m, UINT64_MAX));
    assert_null(idmap_put(&m, UINT64_MAX, &values[0][0]));
    assert_ptr_equal(idmap_find(&m, UINT64_MAX), &values[0][0]);
    idmap_done(&m);
}

static void walking_and_removing(void **state)
{
    struct idmap ids;
    struct map m;
    struct str key;
    uint64_t id;
    void *value;
    size_t at = 0, seen = 0;

    (void)state;
    map_init(&m);
    idmap_init(&ids);
    for (size_t i = 0; i < KEYS; i++) {
        (void)map_put(&m, str_of(names[i]), &values[0][i]);
        (void)idmap_put(&ids, i, &values[0][i]);
    }
    for (; map_each(&m, &at, &key, &value); seen++)
        assert_ptr_equal(map_take(&m, key), value);
    assert_int_equal(seen, KEYS);
    assert_int_equal(m.count, 0);
    for (at = seen = 0; idmap_each(&ids, &at, &id, &value); seen++)
        assert_ptr_equal(idmap_take(&ids, id), value);
    assert_int_equal(seen, KEYS);
    map_done(&m);
    idmap_done(&ids);
}

static void domains_ignore_case(void **state)
{
    struct map m;

    (void)state;
    map_init_nocase(&m);
    assert_null(map_put(&m, STR("Example.ORG"), &values[0][1]));
    assert_ptr_equal(map_find(&m, STR("example.org")), &values[0][1]);
    assert_ptr_equal(map_put(&m, STR("EXAMPLE.org"), &values[0][2]), &values[0][1]);
    assert_int_equal(m.count, 1);
    assert_null(map_find(&m, STR("example.org\0")));
    assert_ptr_equal(map_take(&m, STR("eXample.org")), &values[0][2]);
    assert_null(map_take(&m, STR("eXample.org")));
    map_done(&m);
}

static void a_steady_number_does_not_grow_the_table(void **state)
{
    struct idmap m;

    (void)state;
    idmap_init(&m);
    for (uint64_t id = 0; id < 100000; id++) {
        (void)idmap_put(&m, id, &values[0][0]);
        if (id >= 10)
            (void)idmap_take(&m, id - 10);
    }
    assert_true(m.cap <= 64);
    idmap_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_vectors_O08),
        cmocka_unit_test(folding_is_ascii_only),
        cmocka_unit_test(map_as_an_array_would),
        cmocka_unit_test(idmap_as_an_array_would),
        cmocka_unit_test(walking_and_removing),
        cmocka_unit_test(domains_ignore_case),
        cmocka_unit_test(a_steady_number_does_not_grow_the_table),
    };

    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(names[i], sizeof(names[i]), "k%zu", i);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
