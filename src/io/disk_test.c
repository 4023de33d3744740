// SPDX-License-Identifier: Apache-2.0
/* io/disk_test.c - folders and files on the real file system, in a folder of our own. */
#include "io/disk.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static char top[] = "/tmp/disk_test_XXXXXX";
static char path[64];
static struct disk *disk;
static struct arena arena;

static int group_setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(top));
    (void)snprintf(path, sizeof path, "%s/spool", top);
    arena_init(&arena, 4096);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return rmdir(top);
}

static int setup(void **state)
{
    struct err err;

    (void)state;
    if (!disk_open(path, &disk, &err))
        fail_msg("%s", err.text);
    return 0;
}

static void remove_all(struct disk *d)
{
    struct disk_entry *e;
    struct err err;
    size_t count;

    assert_true(disk_list(d, &arena, &e, &count, &err));
    for (size_t i = 0; i < count; i++)
        if (e[i].is_file)
            assert_true(disk_remove(d, e[i].name.ptr, &err));
}

static int teardown(void **state)
{
    (void)state;
    remove_all(disk);
    disk_free(disk);
    disk = NULL;
    return rmdir(path);
}

static void make(const char *name, struct str bytes)
{
    struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len };
    struct disk_file *f;
    struct err err;

    if (!disk_file_open(disk, name, DISK_CREATE, &f, &err) ||
        !disk_file_write(f, 0, &iov, 1, &err) || !disk_file_sync(f, &err))
        fail_msg("%s", err.text);
    disk_file_free(f);
}

static void test_list_is_sorted(void **state)
{
    static const char *const want[] = { "a", "b", "b0", "c" };
    struct disk_entry *e;
    struct err err;
    size_t count;

    (void)state;
    assert_true(disk_list(disk, &arena, &e, &count, &err));
    assert_int_equal(count, 0);
    make("c", STR("ccc"));
    make("b0", STR(""));
    make("a", STR("a"));
    make("b", STR("bb"));
    assert_true(disk_sync_folder(disk, &err));
    assert_true(disk_list(disk, &arena, &e, &count, &err));
    assert_int_equal(count, ARRAY_LEN(want));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(e[i].name.ptr, want[i]);
        assert_true(e[i].is_file);
    }
    assert_int_equal(e[3].size_bytes, 3);
}

static void test_names_change(void **state)
{
    struct disk_file *f;
    struct err err;
    char byte;

    (void)state;
    make("old", STR("o"));
    make("target", STR("t"));
    assert_true(disk_rename(disk, "old", "target", &err)); /* replaces */
    assert_false(disk_file_open(disk, "old", DISK_READ, &f, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_true(disk_file_open(disk, "target", DISK_READ, &f, &err));
    assert_true(disk_file_read(f, 0, &byte, 1, &err));
    assert_int_equal(byte, 'o');
    disk_file_free(f);
    assert_false(disk_rename(disk, "old", "x", &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_true(disk_remove(disk, "target", &err));
    assert_false(disk_remove(disk, "target", &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void test_quarantine_replaces_nothing(void **state)
{
    char name[96];
    struct err err;

    (void)state;
    make("odd", STR("first"));
    assert_true(disk_move_into(disk, "odd", "quarantine", &err));
    make("odd", STR("second"));
    assert_false(disk_move_into(disk, "odd", "quarantine", &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    assert_false(disk_move_into(disk, "absent", "quarantine", &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    (void)snprintf(name, sizeof name, "%s/quarantine/odd", path);
    assert_int_equal(unlink(name), 0);
    (void)snprintf(name, sizeof name, "%s/quarantine", path);
    assert_int_equal(rmdir(name), 0);
}

static void test_C17_second_instance_is_refused(void **state)
{
    struct disk *second;
    struct err err;

    (void)state;
    assert_false(disk_open(path, &second, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    disk_free(disk);
    assert_true(disk_open(path, &disk, &err)); /* no stale lock */
    disk_free(NULL);
}

static void test_open_refuses(void **state)
{
    struct disk *d;
    struct disk_file *f;
    struct err err;
    char below[96];

    (void)state;
    make("file", STR("x"));
    (void)snprintf(below, sizeof below, "%s/file", path);
    assert_false(disk_open(below, &d, &err)); /* a file */
    (void)snprintf(below, sizeof below, "%s/no/such", path);
    assert_false(disk_open(below, &d, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_false(disk_file_open(disk, "file", DISK_CREATE, &f, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    assert_false(disk_file_open(disk, "absent", DISK_WRITE, &f, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_int_equal(chdir(path), 0);
    assert_int_equal(symlink("file", "link"), 0);
    assert_false(disk_file_open(disk, "link", DISK_READ, &f, &err)); /* never followed */
    assert_int_equal(unlink("link"), 0);
    assert_int_equal(chdir("/"), 0);
}

static void test_write_many_pieces(void **state)
{
    enum { PIECES = 3000 }; /* more than one call takes */
    static char bytes[PIECES], back[PIECES];
    static struct iovec iov[2 * PIECES];
    struct disk_file *f;
    struct err err;
    uint64_t size;

    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        bytes[i] = (char)(i % 127);
        iov[2 * i] = (struct iovec){ .iov_base = bytes, .iov_len = 0 }; /* and empty ones */
        iov[2 * i + 1] = (struct iovec){ .iov_base = &bytes[i], .iov_len = 1 };
    }
    assert_true(disk_file_open(disk, "pieces", DISK_CREATE, &f, &err));
    assert_true(disk_file_write(f, 100, iov, ARRAY_LEN(iov), &err));
    assert_true(disk_file_write(f, 0, NULL, 0, &err));
    assert_true(disk_file_size(f, &size, &err));
    assert_int_equal(size, 100 + PIECES);
    assert_true(disk_file_read(f, 100, back, PIECES, &err));
    assert_memory_equal(back, bytes, PIECES);
    assert_false(disk_file_read(f, 101, back, PIECES, &err));
    assert_int_equal(err.kind, ERR_DAMAGED);
    assert_true(disk_file_allocate(f, 10000, &err));
    assert_true(disk_file_size(f, &size, &err));
    assert_int_equal(size, 10000);
    disk_file_free(f);
    disk_file_free(NULL);
}

static void test_D10_file_size_limit_is_full(void **state)
{
    struct iovec iov = { .iov_base = path, .iov_len = sizeof path };
    struct rlimit before, small;
    struct disk_file *f;
    struct err err, err_allocate;
    bool wrote, allocated;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_true(disk_file_open(disk, "limited", DISK_CREATE, &f, &err));
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &small);
    wrote = disk_file_write(f, 990, &iov, 1, &err); /* ten bytes, then none */
    allocated = disk_file_allocate(f, 5000, &err_allocate);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(wrote || allocated);
    assert_int_equal(err.kind, ERR_FULL);
    assert_int_equal(err_allocate.kind, ERR_FULL);
    disk_file_free(f);
}

static void test_D01_full_file_system(void **state)
{
    static char block[64 * 1024];
    char mount_path[64];
    struct disk *full;
    struct disk_file *f;
    struct err err;
    uint64_t room;

    (void)state;
    (void)snprintf(mount_path, sizeof mount_path, "%s/full", top);
    assert_int_equal(mkdir(mount_path, 0700), 0);
    if (mount("none", mount_path, "tmpfs", 0, "size=256k") != 0) {
        rmdir(mount_path);
        skip();
    }
    assert_true(disk_open(mount_path, &full, &err));
    assert_true(disk_free_bytes(full, &room, &err));
    assert_true(room <= 256 * 1024);
    assert_true(disk_file_open(full, "f", DISK_CREATE, &f, &err));
    assert_false(disk_file_allocate(f, 1024 * 1024, &err));
    assert_int_equal(err.kind, ERR_FULL);
    for (uint64_t at = 0;; at += sizeof block) {
        struct iovec iov = { .iov_base = block, .iov_len = sizeof block };

        assert_true(at < 1024 * 1024);
        if (!disk_file_write(f, at, &iov, 1, &err))
            break;
    }
    assert_int_equal(err.kind, ERR_FULL);
    disk_file_free(f);
    disk_free(full);
    assert_int_equal(umount(mount_path), 0);
    assert_int_equal(rmdir(mount_path), 0);
}

static void test_read_file(void **state)
{
    char name[96];
    struct str text;
    struct err err;

    (void)state;
    make("config", STR("0123456789"));
    (void)snprintf(name, sizeof name, "%s/config", path);
    assert_true(disk_read_file(name, 10, &arena, &text, &err));
    assert_true(str_eq(text, STR("0123456789")));
    assert_false(disk_read_file(name, 9, &arena, &text, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_false(disk_read_file(path, 10, &arena, &text, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_false(disk_read_file("/no/such/file", 10, &arena, &text, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    make("empty", STR(""));
    (void)snprintf(name, sizeof name, "%s/empty", path);
    assert_true(disk_read_file(name, 10, &arena, &text, &err));
    assert_int_equal(text.len, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list_is_sorted),
        TEST(test_names_change),
        TEST(test_quarantine_replaces_nothing),
        TEST(test_C17_second_instance_is_refused),
        TEST(test_open_refuses),
        TEST(test_write_many_pieces),
        TEST(test_D10_file_size_limit_is_full),
        cmocka_unit_test(test_D01_full_file_system),
        TEST(test_read_file),
    };

    return cmocka_run_group_tests_name("io/disk", tests, group_setup, group_teardown);
}
