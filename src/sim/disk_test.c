// SPDX-License-Identifier: Apache-2.0
/* sim/disk_test.c - the simulated disk forgets what was not synced, and only that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/disk.h"
#include "sim/sim.h"

#define SECTORS 64
#define SECTOR 512

static struct disk *open_disk(void)
{
    struct disk *d;

    assert_true(disk_open("/spool", &d, NULL));
    return d;
}

static void write_at(struct disk_file *f, uint64_t at, const void *bytes, size_t len)
{
    struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };

    assert_true(disk_file_write(f, at, &iov, 1, NULL));
}

/* The machine loses power while `d` is open; the next process opens the folder again. */
static struct disk *cut_power(struct disk *d)
{
    disk_free(d);
    sim_cut_power();
    return open_disk();
}

static bool has(struct disk *d, const char *name)
{
    struct disk_file *f;

    if (!disk_file_open(d, name, DISK_READ, &f, NULL))
        return false;
    disk_file_free(f);
    return true;
}

static uint64_t size_of(struct disk *d, const char *name)
{
    struct disk_file *f;
    uint64_t size;

    assert_true(disk_file_open(d, name, DISK_READ, &f, NULL));
    assert_true(disk_file_size(f, &size, NULL));
    disk_file_free(f);
    return size;
}

static struct disk_file *create(struct disk *d, const char *name)
{
    struct disk_file *f;

    assert_true(disk_file_open(d, name, DISK_CREATE, &f, NULL));
    return f;
}

/* A name, bytes, both or neither were synced before the cut: what may be there after it. */
static const struct forget_case {
    const char *name;
    bool sync_file, sync_folder;
    bool name_stays, bytes_stay;
} forget_cases[] = {
    { "C04 both synced", true, true, true, true },
    { "C04 only the folder", false, true, true, false },
    { "C04 only the file: its name may go", true, false, false, false },
    { "C04 neither", false, false, false, false },
};

static unsigned count_survivals(const struct forget_case *c, bool *ret_bytes_always)
{
    unsigned stayed = 0;

    *ret_bytes_always = true;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct disk *d;
        struct disk_file *f;

        sim_new(&(struct sim_options){ .seed = seed });
        d = open_disk();
        f = create(d, "a");
        write_at(f, 0, "hello", 5);
        assert_true(!c->sync_file || disk_file_sync(f, NULL));
        assert_true(!c->sync_folder || disk_sync_folder(d, NULL));
        disk_file_free(f);
        d = cut_power(d);
        stayed += has(d, "a");
        *ret_bytes_always = *ret_bytes_always && has(d, "a") && size_of(d, "a") == 5;
        disk_free(d);
    }
    return stayed;
}

static void test_forgets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forget_cases / sizeof *forget_cases; i++) {
        const struct forget_case *c = &forget_cases[i];
        bool bytes_always;
        unsigned stayed = count_survivals(c, &bytes_always);

        if ((stayed == 40) != c->name_stays || bytes_always != c->bytes_stay)
            fail_msg("%s: the name stayed %u times of 40", c->name, stayed);
    }
}

/* Unsynced sectors of a file that was there before: some are new, some are as they were. */
static void test_tears(void **state)
{
    static char old[SECTORS * SECTOR], new[SECTORS * SECTOR], now[SECTORS * SECTOR];
    unsigned kept = 0, runs_torn = 0;

    (void)state;
    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct disk_file *f;
        struct disk *d;
        unsigned before = kept;

        sim_new(&(struct sim_options){ .seed = seed });
        d = open_disk();
        f = create(d, "a");
        write_at(f, 0, old, sizeof old);
        assert_true(disk_file_sync(f, NULL) && disk_sync_folder(d, NULL));
        write_at(f, 0, new, sizeof new);
        disk_file_free(f);
        d = cut_power(d);
        assert_true(disk_file_open(d, "a", DISK_READ, &f, NULL));
        assert_true(disk_file_read(f, 0, now, sizeof now, NULL));
        for (size_t s = 0; s < SECTORS; s++) {
            bool is_new = memcmp(now + s * SECTOR, new, SECTOR) == 0;

            assert_true(is_new || memcmp(now + s * SECTOR, old, SECTOR) == 0);
            kept += is_new;
        }
        runs_torn += kept > before && kept < before + SECTORS;
        disk_file_free(f);
        disk_free(d);
    }
    assert_true(runs_torn > 0 && kept < 20 * SECTORS);
}

static void test_sync_failed(void **state)
{
    struct disk *d;
    struct disk_file *f;
    struct err err;
    char now[4096], new[4096];

    (void)state;
    sim_new(&(struct sim_options){ .seed = 3 });
    memset(new, 'n', sizeof new);
    d = open_disk();
    f = create(d, "a");
    assert_true(disk_file_allocate(f, sizeof new, NULL) && disk_file_sync(f, NULL) &&
                disk_sync_folder(d, NULL));
    write_at(f, 0, new, sizeof new);
    sim_faults()->sync_fails = 1000000;
    assert_false(disk_file_sync(f, &err));
    assert_int_equal(err.kind, ERR_IO);
    sim_faults()->sync_fails = 0;
    /* The next one succeeds and has nothing to write: what was lost stays lost (fault D04). */
    assert_true(disk_file_sync(f, NULL));
    assert_true(disk_file_read(f, 0, now, sizeof now, NULL));
    assert_memory_equal(now, new, sizeof now);
    disk_file_free(f);
    d = cut_power(d);
    assert_true(disk_file_open(d, "a", DISK_READ, &f, NULL));
    assert_true(disk_file_read(f, 0, now, sizeof now, NULL));
    assert_memory_not_equal(now, new, sizeof now);
    disk_file_free(f);
    disk_free(d);
}

static void test_kill_keeps(void **state)
{
    struct disk *d;
    struct disk_file *f;

    (void)state;
    sim_new(&(struct sim_options){ .seed = 4 });
    d = open_disk();
    f = create(d, "a");
    write_at(f, 0, "hello", 5);
    disk_file_free(f);
    disk_free(d);
    sim_process_gone();
    d = open_disk();
    assert_true(has(d, "a") && size_of(d, "a") == 5);
    disk_free(d);
}

static void test_names(void **state)
{
    struct disk *d;
    struct arena a;
    struct disk_entry *list;
    size_t count;
    struct err err;

    (void)state;
    sim_new(&(struct sim_options){ .seed = 5 });
    arena_init(&a, 4096);
    d = open_disk();
    disk_file_free(create(d, "b"));
    disk_file_free(create(d, "a"));
    disk_file_free(create(d, "odd"));
    assert_true(disk_rename(d, "b", "c", NULL));
    assert_true(disk_move_into(d, "odd", "quarantine", NULL));
    assert_false(disk_remove(d, "b", &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_true(disk_list(d, &a, &list, &count, NULL));
    assert_int_equal(count, 3);
    assert_true(str_eq(list[0].name, STR("a")) && list[0].is_file);
    assert_true(str_eq(list[1].name, STR("c")) && list[1].is_file);
    assert_true(str_eq(list[2].name, STR("quarantine")) && !list[2].is_file);
    arena_done(&a);
    disk_free(d);
}

static void test_full(void **state)
{
    struct disk *d;
    struct disk_file *f;
    struct err err;
    uint64_t room;

    (void)state;
    sim_new(&(struct sim_options){ .seed = 6 });
    sim_disk_capacity(10000);
    d = open_disk();
    f = create(d, "a");
    assert_true(disk_file_allocate(f, 9000, NULL));
    assert_true(disk_free_bytes(d, &room, NULL));
    assert_int_equal(room, 1000);
    assert_false(disk_file_allocate(f, 10001, &err));
    assert_int_equal(err.kind, ERR_FULL);
    disk_file_free(f);
    disk_free(d);
}

static void test_lock(void **state)
{
    struct disk *d = open_disk(), *again;
    struct err err;

    (void)state;
    assert_false(disk_open("/spool", &again, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    disk_free(d);
    disk_free(open_disk());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forgets),     cmocka_unit_test(test_tears),
        cmocka_unit_test(test_sync_failed), cmocka_unit_test(test_kill_keeps),
        cmocka_unit_test(test_names),       cmocka_unit_test(test_full),
        cmocka_unit_test(test_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
