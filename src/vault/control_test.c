// SPDX-License-Identifier: Apache-2.0
/* vault/control_test.c - rows are there after the file was closed and opened again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "vault/control.h"
#include "vault/database.h"

struct seen {
    size_t accounts, credentials;
    struct account_row account;
    struct credential_row credential;
    char name[64], user[64];
    uint8_t hash[SECRET_HASH_BYTES];
};

static void see_account(void *arg, const struct account_row *row)
{
    struct seen *s = arg;

    s->accounts++;
    s->account = *row;
    (void)snprintf(s->name, sizeof s->name, "%.*s", STR_FMT(row->name));
}

static void see_credential(void *arg, const struct credential_row *row)
{
    struct seen *s = arg;

    s->credentials++;
    s->credential = *row;
    (void)snprintf(s->user, sizeof s->user, "%.*s", STR_FMT(row->user));
    memcpy(s->hash, row->hash, sizeof s->hash);
}

static struct seen load(struct control *c)
{
    struct seen seen = { 0 };
    const struct control_reader reader = { .account = see_account,
                                           .credential = see_credential,
                                           .arg = &seen };

    assert_true(control_load(c, &reader, NULL));
    return seen;
}

static struct control *open_at(const char *path)
{
    struct control *c = NULL;
    struct err err = { 0 };

    if (!control_open(str_of(path), &c, &err))
        fail_msg("%s", err.text);
    return c;
}

static void rows_last(void **state)
{
    const uint8_t hash[SECRET_HASH_BYTES] = { 1, 2, 3 };
    const struct account_row account = { .name = STR("office"), .created_wall_ms = 1000 };
    struct credential_row credential = {
        .user = STR("shop"), .kind = STR("smtp"), .hash = hash, .settings = STR("normalize=true\n")
    };
    struct control *c = open_at(*state);
    uint64_t account_id, credential_id;
    bool live = true;

    assert_true(control_add_account(c, &account, &account_id, NULL));
    credential.account = account_id;
    assert_true(control_add_credential(c, &credential, &credential_id, NULL));
    assert_true(control_note_uses(c, &(struct last_use){ credential_id, false, 77 }, 1, NULL));
    assert_true(control_read_flag(c, "live", &live, NULL));
    assert_false(live);
    assert_true(control_write_flag(c, "live", true, NULL));
    control_free(c);

    c = open_at(*state);
    struct seen s = load(c);
    assert_int_equal(s.accounts, 1);
    assert_string_equal(s.name, "office");
    assert_int_equal(s.account.created_wall_ms, 1000);
    assert_int_equal(s.credentials, 1);
    assert_string_equal(s.user, "shop");
    assert_memory_equal(s.hash, hash, sizeof hash);
    assert_int_equal(s.credential.last_used_wall_ms, 77);
    assert_true(control_read_flag(c, "live", &live, NULL));
    assert_true(live);
    control_free(c);
}

static void a_name_is_taken_once(void **state)
{
    const uint8_t hash[SECRET_HASH_BYTES] = { 0 };
    const struct account_row account = { .name = STR("office") };
    struct credential_row credential = { .user = STR("shop"), .hash = hash };
    struct control *c = open_at("");
    struct err err = { 0 };
    uint64_t id, first;

    (void)state;
    assert_true(control_add_account(c, &account, &credential.account, NULL));
    assert_false(control_add_account(c, &account, &id, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    assert_true(control_add_credential(c, &credential, &first, NULL));
    assert_false(control_add_credential(c, &credential, &id, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    assert_true(control_revoke(c, first, 5, NULL));
    assert_int_equal(load(c).credentials, 0);
    assert_true(control_add_credential(c, &credential, &id, NULL));
    assert_int_equal(load(c).credentials, 1);
    credential.account = 99;
    credential.user = STR("other");
    assert_false(control_add_credential(c, &credential, &id, &err)); /* of no account */
    control_free(c);
}

static void a_newer_schema_is_refused(void **state)
{
    struct err err = { 0 };
    struct control *c;
    sqlite3 *db;

    control_free(open_at(*state));
    assert_true(database_open(str_of(*state), &db, NULL));
    assert_true(database_run(db, "PRAGMA user_version=99", NULL));
    database_free(db);
    assert_false(control_open(str_of(*state), &c, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
}

static void C17_a_second_opener_is_refused(void **state)
{
    struct control *c = open_at(*state), *second;
    struct err err = { 0 };

    assert_false(control_open(str_of(*state), &second, &err));
    control_free(c);
}

static void a_file_that_is_no_database_is_damaged(void **state)
{
    struct err err = { 0 };
    struct control *c;
    FILE *f = fopen(*state, "w");

    for (int i = 0; i < 200; i++)
        (void)fputs("this is not a database\n", f);
    (void)fclose(f);
    assert_false(control_open(str_of(*state), &c, &err));
    assert_int_equal(err.kind, ERR_DAMAGED);
}

static void remove_at(const char *path, const char *end)
{
    char name[96];

    (void)snprintf(name, sizeof name, "%s%s", path, end);
    (void)unlink(name);
}

static int set_up(void **state)
{
    char path[] = "/tmp/control-XXXXXX";
    int fd = mkstemp(path);

    (void)close(fd);
    *state = strdup(path);
    return fd < 0;
}

static int tear_down(void **state)
{
    remove_at(*state, "");
    remove_at(*state, "-wal");
    remove_at(*state, "-shm");
    free(*state);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_last),
        TEST(a_name_is_taken_once),
        TEST(a_newer_schema_is_refused),
        TEST(C17_a_second_opener_is_refused),
        TEST(a_file_that_is_no_database_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
