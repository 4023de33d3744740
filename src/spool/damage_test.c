// SPDX-License-Identifier: Apache-2.0
/* spool/damage_test.c - bytes that changed on disk: found, told, and nothing else suffers (C12);
 * strangers and copies in the folder (C13); lost, doubled and old segments (C14). */
#include "spool/fixture.h"
#include "spool/format.h"

enum { COUNT = 12, SIZE = 20000 };

struct known {
    uint64_t ids[COUNT];
};

static void path_of(const struct fixture *f, const char *name, char path[128])
{
    (void)snprintf(path, 128, "%.63s/%.60s", f->folder, name);
}

/* What the spool does at its end, without the snapshot: as if it had been killed. */
static void fixture_kill(struct fixture *f)
{
    char name[32], path[128];

    spool_close(f->spool);
    for (unsigned i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof(name), "snapshot-%08u", i);
        path_of(f, name, path);
        (void)unlink(path);
    }
}

static struct fixture *filled(struct known *k, bool killed)
{
    struct fixture *f = fixture_new();

    fixture_open(f);
    for (uint64_t i = 0; i < COUNT; i++)
        k->ids[i] =
            spool_message_id(fixture_message(f, i + 1, i == 3 ? 3 * SIZE + 10000 : SIZE, 1));
    fixture_done(f, fixture_message(f, 1000, 100, 1)); /* so that what is damaged is not the tail */
    if (killed)
        fixture_kill(f);
    else
        spool_close(f->spool);
    return f;
}

static size_t find_bytes(const char *in, size_t len, const void *what, size_t what_len, size_t from)
{
    for (size_t at = from; at + what_len <= len; at++)
        if (memcmp(in + at, what, what_len) == 0)
            return at;
    return len;
}

static char *file_read(const char *path, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes;
    struct stat st;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    bytes = mem_new((size_t)st.st_size + 1);
    assert_int_equal(pread(fd, bytes, (size_t)st.st_size, 0), st.st_size);
    (void)close(fd);
    *ret_len = (size_t)st.st_size;
    return bytes;
}

static void file_write(const char *path, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, 0), (ssize_t)len);
    (void)close(fd);
}

enum where { GROUP_HEAD, RECORD_HEAD, ENVELOPE, CONTENT, SEGMENT_HEADER };
enum how { FLIP, ZERO, GARBAGE };

/* Into the segment that holds message 5: at the place told, relative to its record. */
static void damage(struct fixture *f, enum where where, enum how how)
{
    char path[128], *want = fixture_content(6, SIZE), *bytes;
    size_t len, content, record, at, n = how == FLIP ? 1 : 16;

    path_of(f, "seg-00000000", path);
    bytes = file_read(path, &len);
    content = find_bytes(bytes, len, want, 64, 0);
    assert_true(content < len);
    record =
        content / BLOCK_BYTES * BLOCK_BYTES; /* one record a group: it lies in the first block */
    at = where == GROUP_HEAD    ? record + 8
         : where == RECORD_HEAD ? record + sizeof(struct group_head) + 16
         : where == ENVELOPE ? record + sizeof(struct group_head) + sizeof(struct record_head) + 20
         : where == SEGMENT_HEADER ? 8
                                   : content + 300;
    for (size_t i = at; i < at + n; i++)
        bytes[i] = how == FLIP ? (char)(bytes[i] ^ 4) : how == ZERO ? 0 : (char)(i * 37 + 1);
    file_write(path, bytes, len);
    free(bytes);
    free(want);
}

static const struct damage_case {
    const char *name;
    enum where where;
    enum how how;
    bool message_stays, content_stays;
} damage_cases[] = {
    { "group head, a bit", GROUP_HEAD, FLIP, true, true },
    { "group head, zeros", GROUP_HEAD, ZERO, true, true },
    { "group head, garbage", GROUP_HEAD, GARBAGE, true, true },
    { "record head, a bit", RECORD_HEAD, FLIP, false, false },
    { "record head, garbage", RECORD_HEAD, GARBAGE, false, false },
    { "envelope, a bit", ENVELOPE, FLIP, false, false },
    { "envelope, garbage", ENVELOPE, GARBAGE, false, false },
    { "content, a bit", CONTENT, FLIP, true, false },
    { "content, zeros", CONTENT, ZERO, true, false },
    { "content, garbage", CONTENT, GARBAGE, true, false },
    { "segment header, a bit", SEGMENT_HEADER, FLIP, true, true },
    { "segment header, garbage", SEGMENT_HEADER, GARBAGE, true, true },
};

static void check_others(struct fixture *f, const struct known *k)
{
    for (size_t i = 0; i < COUNT; i++)
        if (i != 5)
            fixture_assert(f, k->ids[i]);
}

static void check_case(struct fixture *f, const struct known *k, const struct damage_case *row)
{
    struct spool_message *m = spool_find(f->spool, k->ids[5]);
    struct err err;

    check_others(f, k);
    if (f->alarm_count == 0)
        fail_msg("%s: nobody was told", row->name);
    if ((m != NULL) != row->message_stays)
        fail_msg("%s: the message is %s", row->name, m ? "there" : "gone");
    if (fixture_counted(f, 6) != row->message_stays) /* A10 */
        fail_msg("%s: counted %zu times", row->name, fixture_counted(f, 6));
    if (m && fixture_check(f, m, &err) != row->content_stays)
        fail_msg("%s: %s", row->name, err.text);
    if (m && !row->content_stays)
        assert_int_equal(err.kind, ERR_DAMAGED);
}

static void test_c12_each_kind_of_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damage_cases); i++) {
        struct known k;
        struct fixture *f = filled(&k, true);

        damage(f, damage_cases[i].where, damage_cases[i].how);
        fixture_open(f);
        check_case(f, &k, &damage_cases[i]);
        spool_close(f->spool);
        fixture_free(f);
    }
}

static void test_c12_content_under_a_snapshot(void **state)
{
    struct known k;
    struct fixture *f = filled(&k, false);
    struct err err;

    (void)state;
    damage(f, CONTENT, FLIP);
    fixture_open(f);
    check_others(f, &k);
    assert_false(fixture_check(f, spool_find(f->spool, k.ids[5]), &err));
    assert_int_equal(err.kind, ERR_DAMAGED);
    assert_true(fixture_alarms(f, "record-damaged") > 0);
    spool_close(f->spool);
    fixture_free(f);
}

/* C12: a bounce for a message whose content is damaged goes out without the original. */
static void test_c12_notification_without_the_original(void **state)
{
    struct envelope_rcpt back = { .address = STR("a@example.org") };
    struct settle_dsn dsn = { .envelope = { .rcpts = &back, .rcpt_count = 1 },
                              .head = STR("H: h\r\n\r\n"),
                              .tail = STR("tail"),
                              .original_full = true };
    struct settle_rcpt r = { .now = { .state = RCPT_DONE }, .event = { .kind = EVENT_BOUNCED } };
    struct known k;
    struct fixture *f = filled(&k, false);
    struct spool_message *made;
    char text[12];
    struct err err;
    uint64_t id;

    (void)state;
    damage(f, CONTENT, FLIP);
    fixture_open(f);
    assert_true(
        spool_settle(f->spool, spool_find(f->spool, k.ids[5]), &r, 1, &dsn, &id, &made, &err));
    assert_int_equal(spool_message_size(made), 12);
    assert_true(spool_content(f->spool, made, 0, 12, text, &err));
    assert_memory_equal(text, "H: h\r\n\r\ntail", 12);
    spool_close(f->spool);
    fixture_free(f);
}

static void test_c12_snapshots(void **state)
{
    (void)state;
    for (size_t at = 0; at < 2000; at += 37) {
        struct known k;
        struct fixture *f = filled(&k, false);
        char path[128], *bytes;
        size_t len;

        path_of(f, "snapshot-00000001", path);
        bytes = file_read(path, &len);
        if (at < len) {
            bytes[at] = (char)(bytes[at] ^ 1);
            file_write(path, bytes, at % 2 == 0 ? len : at);
        }
        free(bytes);
        fixture_open(f);
        assert_int_equal(fixture_alarms(f, "snapshot-damaged"), at < len);
        assert_int_equal(f->found.messages, COUNT); /* the log alone says the same */
        check_others(f, &k);
        spool_close(f->spool);
        fixture_free(f);
    }
}

/* The older snapshot and the log since. */
static void test_c12_older_snapshot(void **state)
{
    struct known k;
    struct fixture *f = filled(&k, false);
    char path[128];
    uint64_t id;

    (void)state;
    fixture_open(f);
    id = spool_message_id(fixture_message(f, 50, 100, 1));
    fixture_done(f, spool_find(f->spool, k.ids[5]));
    spool_close(f->spool);
    path_of(f, "snapshot-00000002", path);
    assert_int_equal(truncate(path, 100), 0);
    fixture_open(f);
    fixture_assert(f, id);
    assert_null(spool_find(f->spool, k.ids[5]));
    check_others(f, &k);
    spool_close(f->spool);
    fixture_free(f);
}

static void test_c12_random_damage(void **state)
{
    unsigned random = 99;

    (void)state;
    for (unsigned turn = 0; turn < 60; turn++) {
        struct known k;
        struct fixture *f = filled(&k, turn % 2 == 0);
        char path[128], *bytes;
        size_t len, lost = 0;
        struct err err;

        path_of(f, "seg-00000000", path);
        bytes = file_read(path, &len);
        for (unsigned i = 0; i < 3; i++) {
            random = random * 1103515245 + 12345;
            memset(bytes + random / 16 % (len - 600), (int)turn, random / 7 % 600);
        }
        file_write(path, bytes, turn % 10 == 9 ? len / 2 : len);
        free(bytes);
        fixture_open(f);
        for (size_t i = 0; i < COUNT; i++) {
            struct spool_message *m = spool_find(f->spool, k.ids[i]);

            lost += !m || !fixture_check(f, m, &err);
        }
        if (turn % 10 != 9 && lost > 2 * 3) /* each may reach from the end of one into the next */
            fail_msg("turn %u: %zu messages lost to three damages", turn, lost);
        if (lost > 0 && f->alarm_count == 0)
            fail_msg("turn %u: nobody was told", turn);
        spool_close(f->spool);
        fixture_free(f);
    }
}

static void test_c13_strangers_are_quarantined(void **state)
{
    static const char *const names[] = { "core",       "seg-1",   "seg-0000000x",
                                         "snapshot-2", ".hidden", "seg-00000090" };
    struct known k;
    struct fixture *f = filled(&k, false);
    char path[128], name[64];
    size_t len;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path_of(f, names[i], path);
        file_write(path, "precious", 8);
    }
    path_of(f, "prepare-00000077", path);
    file_write(path, "half", 4);
    fixture_open(f);
    assert_int_equal(f->found.files_quarantined, ARRAY_LEN(names));
    assert_int_equal(fixture_alarms(f, "quarantined"), ARRAY_LEN(names));
    check_others(f, &k);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *bytes;

        (void)snprintf(name, sizeof(name), "quarantine/%.40s", names[i]);
        path_of(f, name, path);
        bytes = file_read(path, &len);
        assert_int_equal(len, 8);
        free(bytes);
    }
    fixture_reopen(f);
    assert_int_equal(f->found.files_quarantined, 0);
    spool_close(f->spool);
    fixture_free(f);
}

static void test_c14_lost_doubled_and_old_segments(void **state)
{
    struct known k;
    struct fixture *f = filled(&k, false);
    char path[128], copy[128], *bytes;
    size_t len;
    uint64_t id;

    (void)state;
    path_of(f, "seg-00000000", path);
    path_of(f, "seg-00000044", copy);
    bytes = file_read(path, &len);
    file_write(copy, bytes, len); /* doubled: told by its slot */
    fixture_open(f);
    assert_int_equal(f->found.files_quarantined, 1);
    check_others(f, &k);
    id = spool_message_id(fixture_message(f, 60, 300000, 1));
    spool_close(f->spool);

    assert_int_equal(unlink(path), 0); /* lost: its messages are named, the others stay */
    fixture_open(f);
    assert_int_equal(fixture_alarms(f, "message-lost"), COUNT);
    assert_int_equal(f->found.messages_damaged, COUNT);
    fixture_assert(f, id);
    spool_close(f->spool);

    file_write(path, bytes, len); /* old and restored: nothing is taken from it that was given up */
    free(bytes);
    fixture_open(f);
    fixture_assert(f, id);
    fixture_message(f, 61, 100, 1);
    spool_close(f->spool);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c12_each_kind_of_block),
        cmocka_unit_test(test_c12_content_under_a_snapshot),
        cmocka_unit_test(test_c12_notification_without_the_original),
        cmocka_unit_test(test_c12_snapshots),
        cmocka_unit_test(test_c12_older_snapshot),
        cmocka_unit_test(test_c12_random_damage),
        cmocka_unit_test(test_c13_strangers_are_quarantined),
        cmocka_unit_test(test_c14_lost_doubled_and_old_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
