// SPDX-License-Identifier: Apache-2.0
/* vault/control_test.c - rows are there after the file was closed and opened again, those of an
 * older schema as well; what refers to another keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "vault/control_sql.h"
#include "vault/version_1_test.h"

/* The last row of each kind, and how many there were. */
struct seen {
    size_t accounts, streams, users, credentials, audits;
    struct arena arena;
    struct account_row account;
    struct stream_row stream;
    struct user_row user;
    struct credential_row credential;
    struct audit_row audit;
    uint8_t hash[SECRET_HASH_BYTES];
};

static void see_account(void *arg, const struct account_row *row)
{
    struct seen *s = arg;

    s->accounts++;
    s->account = *row;
    s->account.name = arena_str(&s->arena, row->name);
    s->account.settings = arena_str(&s->arena, row->settings);
}

static void see_stream(void *arg, const struct stream_row *row)
{
    struct seen *s = arg;

    s->streams++;
    s->stream = *row;
    s->stream.name = arena_str(&s->arena, row->name);
    s->stream.settings = arena_str(&s->arena, row->settings);
}

static void see_user(void *arg, const struct user_row *row)
{
    struct seen *s = arg;

    s->users++;
    s->user = *row;
    s->user.name = arena_str(&s->arena, row->name);
    s->user.settings = arena_str(&s->arena, row->settings);
    s->user.password = arena_str(&s->arena, row->password);
}

static void see_credential(void *arg, const struct credential_row *row)
{
    struct seen *s = arg;

    s->credentials++;
    s->credential = *row;
    s->credential.user = arena_str(&s->arena, row->user);
    s->credential.kind = arena_str(&s->arena, row->kind);
    s->credential.settings = arena_str(&s->arena, row->settings);
    memcpy(s->hash, row->hash, sizeof s->hash);
}

static void see_audit(void *arg, const struct audit_row *row)
{
    struct seen *s = arg;

    s->audits++;
    s->audit = *row;
    s->audit.detail = arena_str(&s->arena, row->detail);
}

static void look(struct control *c, struct seen *s)
{
    const struct control_reader reader = { see_account, see_stream, see_user, see_credential, s };
    const struct audit_ask ask = { .limit = 100 };

    *s = (struct seen){ 0 };
    arena_init(&s->arena, 4096);
    assert_true(control_load(c, &reader, NULL));
    assert_true(control_read_audit(c, &ask, see_audit, s, NULL));
}

static void look_away(struct seen *s)
{
    arena_done(&s->arena);
}

static size_t count_credentials(struct control *c)
{
    struct seen s;

    look(c, &s);
    look_away(&s);
    return s.credentials;
}

static struct control *open_at(const char *path)
{
    struct control *c = NULL;
    struct err err = { 0 };

    if (!control_open(str_of(path), &c, &err))
        fail_msg("%s", err.text);
    return c;
}

static const uint8_t some_hash[SECRET_HASH_BYTES] = { 1, 2, 3 };

static struct scram_verifier some_verifier(void)
{
    struct scram_verifier v = { .iterations = 0x01020304 };

    memset(v.salt, 7, sizeof v.salt);
    memset(v.stored_key, 8, sizeof v.stored_key);
    memset(v.server_key, 9, sizeof v.server_key);
    return v;
}

/* One of each kind; ids are 1, but for the account below, which is 2. */
static void fill(struct control *c)
{
    struct account_row account = { .name = STR("office"),
                                   .settings = STR("state=active\n"),
                                   .created_wall_ms = 1000 };
    const struct stream_row stream = { .account = 2,
                                       .name = STR("news"),
                                       .settings = STR("kind=marketing\n"),
                                       .created_wall_ms = 1001 };
    const struct user_row user = { .account = 2,
                                   .name = STR("ann"),
                                   .password = STR("$argon2id$"),
                                   .settings = STR("role=developer\n"),
                                   .created_wall_ms = 1002 };
    const struct credential_row credential = { .account = 2,
                                               .user = STR("shop"),
                                               .kind = STR("api"),
                                               .hash = some_hash,
                                               .scram = some_verifier(),
                                               .settings = STR("kind=api\n"),
                                               .created_wall_ms = 1003 };
    uint64_t id;

    assert_true(control_add_account(c, &account, &account.parent, NULL));
    account.name = STR("shop");
    assert_true(control_add_account(c, &account, &id, NULL));
    assert_true(control_add_stream(c, &stream, &id, NULL));
    assert_true(control_add_user(c, &user, &id, NULL));
    assert_true(control_add_credential(c, &credential, &id, NULL));
    assert_int_equal(id, 1);
}

static void rows_last(void **state)
{
    const struct last_use uses[] = { { 1, false, 77 }, { 1, true, 78 } };
    const struct scram_verifier verifier = some_verifier();
    struct control *c = open_at(*state);
    struct seen s;
    bool live = true;

    fill(c);
    assert_true(control_note_uses(c, uses, ARRAY_LEN(uses), NULL));
    assert_true(control_read_flag(c, "live", &live, NULL));
    assert_false(live);
    assert_true(control_write_flag(c, "live", true, NULL));
    control_free(c);

    c = open_at(*state);
    look(c, &s);
    assert_int_equal(s.accounts, 2);
    assert_true(str_eq(s.account.name, STR("shop")));
    assert_int_equal(s.account.parent, 1);
    assert_true(str_eq(s.account.settings, STR("state=active\n")));
    assert_int_equal(s.account.created_wall_ms, 1000);
    assert_int_equal(s.streams, 1);
    assert_true(str_eq(s.stream.name, STR("news")));
    assert_int_equal(s.stream.account, 2);
    assert_true(str_eq(s.stream.settings, STR("kind=marketing\n")));
    assert_int_equal(s.users, 1);
    assert_true(str_eq(s.user.name, STR("ann")));
    assert_int_equal(s.user.account, 2);
    assert_true(str_eq(s.user.password, STR("$argon2id$")));
    assert_int_equal(s.user.last_used_wall_ms, 78);
    assert_int_equal(s.credentials, 1);
    assert_true(str_eq(s.credential.user, STR("shop")));
    assert_true(str_eq(s.credential.kind, STR("api")));
    assert_memory_equal(s.hash, some_hash, sizeof s.hash);
    assert_memory_equal(&s.credential.scram, &verifier, sizeof verifier);
    assert_int_equal(s.credential.last_used_wall_ms, 77);
    assert_true(control_read_flag(c, "live", &live, NULL));
    assert_true(live);
    look_away(&s);
    control_free(c);
}

static void rows_are_changed(void **state)
{
    const uint8_t other[SECRET_HASH_BYTES] = { 9 };
    struct control *c = open_at("");
    struct seen s;

    (void)state;
    fill(c);
    assert_true(control_set_account(c, 2, STR("state=suspended\n"), NULL));
    assert_true(control_set_stream(c, 1, STR("kind=internal\n"), NULL));
    assert_true(control_set_user(c, 1, STR(""), NULL));
    assert_true(control_set_password(c, 1, STR("$other$"), NULL));
    assert_true(control_set_credential(c, 1, STR("note=x\n"), NULL));
    assert_true(control_set_secret(c, 1, &(struct credential_row){ .hash = other }, NULL));
    look(c, &s);
    assert_true(str_eq(s.account.settings, STR("state=suspended\n")));
    assert_true(str_eq(s.stream.settings, STR("kind=internal\n")));
    assert_true(str_eq(s.user.settings, STR("")));
    assert_true(str_eq(s.user.password, STR("$other$")));
    assert_true(str_eq(s.credential.settings, STR("note=x\n")));
    assert_memory_equal(s.hash, other, sizeof other);
    assert_int_equal(s.credential.scram.iterations, 0);
    look_away(&s);
    control_free(c);
}

static void run_sql(struct control *c, const char *sql)
{
    struct err err = { 0 };

    if (!database_run(c->db, sql, &err))
        fail_msg("%s: %s", sql, err.text);
}

static void what_is_referred_to_stays(void **state)
{
    struct control *c = open_at("");
    struct err err = { 0 };
    struct seen s;

    (void)state;
    fill(c);
    assert_false(control_remove_account(c, 1, &err)); /* another is below */
    assert_int_equal(err.kind, ERR_EXISTS);
    assert_false(control_remove_account(c, 2, NULL)); /* a user */
    assert_true(control_remove_user(c, 1, NULL));
    assert_false(control_remove_account(c, 2, NULL)); /* a credential */
    assert_true(control_revoke(c, 1, 5, NULL));
    run_sql(c, "INSERT INTO grant_(account, domain, method, created)"
               " VALUES (2, 'a.example', 'dns', 1);"
               "INSERT INTO dkim_key(grant_, stream, selector, algorithm, sealed, record, created)"
               " VALUES (1, NULL, 's', 'rsa', x'00', '', 1)");
    assert_true(control_remove_stream(c, 1, NULL));
    assert_true(control_remove_account(c, 2, NULL)); /* its grants and their keys go with it */
    assert_true(control_remove_account(c, 1, NULL));
    look(c, &s);
    assert_int_equal(s.accounts + s.streams + s.users + s.credentials, 0);
    look_away(&s);
    control_free(c);
}

static void a_stream_with_keys_of_its_own_stays(void **state)
{
    struct control *c = open_at("");
    struct err err = { 0 };

    (void)state;
    fill(c);
    run_sql(c, "INSERT INTO grant_(account, domain, method, created)"
               " VALUES (2, 'a.example', 'dns', 1);"
               "INSERT INTO dkim_key(grant_, stream, selector, algorithm, sealed, record, created)"
               " VALUES (1, 1, 's', 'rsa', x'00', '', 1)");
    assert_false(control_remove_stream(c, 1, &err));
    assert_int_equal(err.kind, ERR_EXISTS);
    control_free(c);
}

static void changes_are_one_or_none(void **state)
{
    const struct audit_row audit = { .verb = STR("account-changed"), .detail = STR("why") };
    struct control *c = open_at("");
    struct seen s;

    (void)state;
    fill(c);
    assert_true(control_begin(c, NULL));
    assert_true(control_set_account(c, 2, STR("x"), NULL));
    assert_true(control_add_audit(c, &audit, NULL));
    control_abort(c);
    look(c, &s);
    assert_true(str_eq(s.account.settings, STR("state=active\n")));
    assert_int_equal(s.audits, 0);
    look_away(&s);
    assert_true(control_begin(c, NULL));
    assert_true(control_set_account(c, 2, STR("x"), NULL));
    assert_true(control_add_audit(c, &audit, NULL));
    assert_true(control_commit(c, NULL));
    look(c, &s);
    assert_true(str_eq(s.account.settings, STR("x")));
    assert_int_equal(s.audits, 1);
    assert_true(str_eq(s.audit.detail, STR("why")));
    look_away(&s);
    control_free(c);
}

static void the_audit_log_is_only_ever_added_to(void **state)
{
    static const char *const tries[] = {
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE audit SET detail = '' WHERE id = 1",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
        "REPLACE INTO audit VALUES (1, 0, '', '', '', '', '')",
        "INSERT OR REPLACE INTO audit SELECT 1, 0, '', '', '', '', ''",
    };
    struct control *c = open_at("");
    struct seen s;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(control_add_audit(c, &(struct audit_row){ .detail = STR("kept") }, NULL));
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        struct err err = { 0 };
        if (database_run(c->db, tries[i], &err))
            fail_msg("%s", tries[i]);
        assert_non_null(strstr(err.text, "only ever added to"));
    }
    look(c, &s);
    assert_int_equal(s.audits, 3);
    assert_true(str_eq(s.audit.detail, STR("kept")));
    look_away(&s);
    control_free(c);
}

static void R103_accounts_from_before_are_observed(void **state)
{
    struct control *c;
    struct seen s;
    sqlite3 *db;
    bool live = false;

    assert_true(database_open(str_of(*state), &db, NULL));
    assert_true(database_run(db, version_1, NULL));
    database_free(db);
    c = open_at(*state);
    look(c, &s);
    assert_int_equal(s.accounts, 2);
    assert_true(str_eq(s.account.name, STR("shop")));
    assert_true(str_eq(s.account.settings, STR("state=active\nidentity=observe\n")));
    assert_int_equal(s.account.parent, 0);
    assert_int_equal(s.credentials, 1);
    assert_true(str_eq(s.credential.user, STR("till")));
    assert_true(str_eq(s.credential.kind, STR("smtp")));
    assert_true(str_eq(s.credential.settings, STR("normalize=true\n")));
    assert_int_equal(s.credential.scram.iterations, 0);
    assert_int_equal(s.credential.last_used_wall_ms, 7);
    assert_true(control_read_flag(c, "live", &live, NULL));
    assert_true(live);
    look_away(&s);
    control_free(c);
    control_free(open_at(*state)); /* once */
}

static void a_name_is_taken_once(void **state)
{
    const struct account_row account = { .name = STR("office") };
    struct credential_row credential = { .user = STR("shop"),
                                         .kind = STR("smtp"),
                                         .hash = some_hash };
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
    assert_int_equal(count_credentials(c), 0);
    assert_true(control_add_credential(c, &credential, &id, NULL));
    assert_int_equal(count_credentials(c), 1);
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
        TEST(rows_are_changed),
        TEST(what_is_referred_to_stays),
        TEST(a_stream_with_keys_of_its_own_stays),
        TEST(changes_are_one_or_none),
        TEST(the_audit_log_is_only_ever_added_to),
        TEST(R103_accounts_from_before_are_observed),
        TEST(a_name_is_taken_once),
        TEST(a_newer_schema_is_refused),
        TEST(C17_a_second_opener_is_refused),
        TEST(a_file_that_is_no_database_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
