// SPDX-License-Identifier: Apache-2.0
/* vault/control_kill_test.c - a child changes the control database and tells each change that is
 * durable through a pipe; it is killed in the middle of its work. What it told is there afterwards,
 * and every change has its row in the audit log and every row its change. Another brings an older
 * schema up to date and is killed at the Nth step of SQLite's machine, for N after N. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vault/control_sql.h"
#include "vault/version_1_test.h"

enum { ROUNDS = 24, ACCOUNTS_MAX = 4096 };

/* The child ------------------------------------------------------------------------------------ */

static bool add_one(struct control *c, uint64_t n)
{
    char name[32];
    uint64_t id;

    (void)snprintf(name, sizeof name, "account-%llu", (unsigned long long)n);
    const struct account_row account = { .name = str_of(name), .settings = STR("state=active\n") };
    const struct audit_row audit = { .verb = STR("account-added"), .account = str_of(name) };
    return control_begin(c, NULL) && control_add_account(c, &account, &id, NULL) &&
           control_add_audit(c, &audit, NULL) && control_commit(c, NULL);
}

static void work(const char *path, int to, uint64_t first)
{
    struct control *c;

    if (!control_open(str_of(path), &c, NULL))
        _exit(2);
    for (uint64_t n = first; n < first + ACCOUNTS_MAX; n++)
        if (!add_one(c, n) || write(to, &n, sizeof n) != sizeof n)
            _exit(3);
    _exit(0);
}

/* Kills it once `count` changes were told; the number of the last one. */
static uint64_t work_and_kill(const char *path, uint64_t first, unsigned count)
{
    uint64_t n = first, last = first - 1;
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        work(path, ends[1], first);
    }
    (void)close(ends[1]);
    for (unsigned i = 0; i < count && read(ends[0], &n, sizeof n) == sizeof n; i++)
        last = n;
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(ends[0], &n, sizeof n) == sizeof n) /* what it told before it died */
        last = n;
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status)); /* it had more to do */
    return last;
}

/* Afterwards ----------------------------------------------------------------------------------- */

struct found {
    bool account[ACCOUNTS_MAX * 2], audit[ACCOUNTS_MAX * 2];
    uint64_t accounts, audits;
};

static uint64_t number_of(struct str name)
{
    uint64_t n;

    assert_true(str_starts(name, STR("account-")));
    assert_true(str_to_u64(str_skip(name, 8), ACCOUNTS_MAX * 2 - 1, &n));
    return n;
}

static void find_account(void *arg, const struct account_row *row)
{
    struct found *f = arg;

    f->account[number_of(row->name)] = true;
    f->accounts++;
}

static void find_audit(void *arg, const struct audit_row *row)
{
    struct found *f = arg;

    f->audit[number_of(row->account)] = true;
    f->audits++;
}

/* The number behind the last account that is there. */
static uint64_t check(const char *path, uint64_t told, struct found *f)
{
    const struct control_reader reader = { .account = find_account, .arg = f };
    const struct audit_ask ask = { .limit = ACCOUNTS_MAX * 2 };
    struct control *c;
    struct err err = { 0 };

    *f = (struct found){ 0 };
    if (!control_open(str_of(path), &c, &err))
        fail_msg("%s", err.text);
    assert_true(control_load(c, &reader, NULL));
    assert_true(control_read_audit(c, &ask, find_audit, f, NULL));
    control_free(c);
    assert_true(f->accounts >= told); /* it may have died between being durable and telling */
    assert_true(f->accounts <= told + 1);
    assert_int_equal(f->audits, f->accounts);
    for (uint64_t n = 1; n <= f->accounts; n++)
        assert_true(f->account[n] && f->audit[n]);
    return f->accounts + 1;
}

static void what_was_told_outlives_a_kill(void **state)
{
    char folder[] = "/tmp/control-kill-XXXXXX", path[64], command[64];
    struct found *f = calloc(1, sizeof *f);
    uint64_t next = 1;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/control.db", folder);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t told = work_and_kill(path, next, round * round % 37);
        next = check(path, told, f);
    }
    assert_true(next > ROUNDS);
    free(f);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* A new schema ----------------------------------------------------------------------------------
 */

static int steps_left;

static int die(void *arg)
{
    (void)arg;
    (void)kill(getpid(), SIGKILL);
    return 0;
}

/* Of each connection that this process opens. */
static int arm(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    sqlite3_progress_handler(db, steps_left, die, NULL);
    return SQLITE_OK;
}

/* True when it came to its end. */
static bool open_and_die(const char *path, int steps)
{
    struct control *c;
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        steps_left = steps;
        (void)sqlite3_auto_extension((void (*)(void))arm);
        _exit(control_open(str_of(path), &c, NULL) ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

static void see_old_account(void *arg, const struct account_row *row)
{
    ++*(size_t *)arg;
    assert_true(str_eq(row->settings, STR("state=active\nidentity=observe\n")));
}

static void a_kill_while_the_schema_changes_loses_nothing(void **state)
{
    char folder[] = "/tmp/control-kill-XXXXXX", path[64], command[64];
    bool ended = false;
    size_t killed = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/control.db", folder);
    (void)snprintf(command, sizeof command, "rm -f %s/*", folder);
    for (int steps = 1; !ended; steps += 1 + steps / 8) {
        size_t accounts = 0;
        const struct control_reader reader = { .account = see_old_account, .arg = &accounts };
        struct control *c;
        struct err err = { 0 };
        sqlite3 *db;
        assert_true(database_open(str_of(path), &db, NULL));
        assert_true(database_run(db, version_1, NULL));
        database_free(db);
        ended = open_and_die(path, steps);
        killed += !ended;
        if (!control_open(str_of(path), &c, &err))
            fail_msg("after %d steps: %s", steps, err.text);
        assert_true(control_load(c, &reader, NULL));
        assert_int_equal(accounts, 2);
        control_free(c);
        assert_int_equal(system(command), 0);
    }
    assert_true(killed > 20);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_told_outlives_a_kill),
        cmocka_unit_test(a_kill_while_the_schema_changes_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
