// SPDX-License-Identifier: Apache-2.0
/* io/sandbox_test.c - confinement from inside: each case confines a child of its own and tells by
 * its exit. What a sanitizer build only logs is tested in the release build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/sandbox.h"

/* Enough of io/sandbox_files.h to know whether this kernel and build refuse at all. */
static struct sandbox_state entered;
static char folder[] = "/tmp/baton-sandbox-test-XXXXXX";

#define CHECK(condition)                                                                      \
    do {                                                                                      \
        if (!(condition)) {                                                                   \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            _exit(1);                                                                         \
        }                                                                                     \
    } while (0)

/* The wait status of a child that runs fn. */
static int run_child(void (*fn)(unsigned needs), unsigned needs)
{
    int status = -1;

    int pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fn(needs);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_child_ok(void (*fn)(unsigned needs), unsigned needs, const char *name)
{
    int status = run_child(fn, needs);

    if (status != 0)
        fail_msg("%s: wait status %#x", name, (unsigned)status);
}

static struct sandbox_rule rule_of(unsigned needs)
{
    struct sandbox_rule rule = { .needs = needs };

    if (needs & SANDBOX_FILES)
        rule.write_folders[0] = folder;
    if (needs & SANDBOX_FILES_READ) {
        rule.read_paths[0] = "/etc/hosts";
        rule.read_paths[1] = "/nonexistent/is/fine";
    }
    return rule;
}

static void enter(unsigned needs)
{
    struct sandbox_rule rule = rule_of(needs);
    struct err err = { 0 };

    if (!sandbox_enter(&rule, &entered, &err)) {
        fprintf(stderr, "%s\n", err.text);
        _exit(2);
    }
}

static bool enforced(void)
{
    return entered.seccomp && !entered.seccomp_logs_only;
}

/* Every kind of role, by its needs
 * --------------------------------------------------------------------------------- */

static const struct role_case {
    const char *name;
    unsigned needs;
} role_cases[] = {
    { "accept", SANDBOX_ACCEPT },
    { "web", SANDBOX_UNIX_ACCEPT | SANDBOX_FILES_READ },
    { "core", SANDBOX_FILES },
    { "resolve", SANDBOX_CONNECT },
    { "deliver to an LMTP socket (R30)", SANDBOX_CONNECT | SANDBOX_UNIX_CONNECT },
    { "report", SANDBOX_CONNECT | SANDBOX_FILES | SANDBOX_FILES_READ },
    { "nothing", 0 },
};

static void self_test(unsigned needs)
{
    struct sandbox_rule rule = rule_of(needs);
    struct err err = { 0 };

    enter(needs);
    CHECK(entered.no_new_privs);
    if (!sandbox_self_test(&rule, &entered, &err)) {
        fprintf(stderr, "%s\n", err.text);
        _exit(2);
    }
}

static void self_test_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(role_cases); i++)
        assert_child_ok(self_test, role_cases[i].needs, role_cases[i].name);
}

static void unconfined(unsigned needs)
{
    struct sandbox_rule rule = rule_of(needs);
    struct sandbox_state claimed = { .no_new_privs = true, .seccomp = true, .landlock_abi = 1 };
    struct err err = { 0 };

    CHECK(!sandbox_self_test(&rule, &claimed, &err));
    CHECK(err.kind == ERR_DENIED && strstr(err.text, "was allowed"));
    claimed.no_new_privs = false;
    CHECK(!sandbox_self_test(&rule, &claimed, &err));
}

static void self_test_names_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(role_cases); i++)
        assert_child_ok(unconfined, role_cases[i].needs, role_cases[i].name);
}

/* What must go on working
 * ------------------------------------------------------------------------------------------ */

static void *thread_work(void *arg)
{
    unsigned char random[16];

    void *p = malloc(1 << 20);
    memset(p, 1, 1 << 20);
    free(p);
    *(bool *)arg = RAND_bytes(random, sizeof random) == 1;
    return NULL;
}

static void libraries(unsigned needs)
{
    pthread_t thread;
    bool ok = false;

    enter(needs);
    CHECK(pthread_create(&thread, NULL, thread_work, &ok) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(ok);
    CHECK(epoll_create1(EPOLL_CLOEXEC) >= 0);
    CHECK(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
          MAP_FAILED);
    CHECK(prctl(PR_SET_NAME, "confined") == 0);
    fprintf(stderr, "%s", "");
}

static void libraries_go_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(role_cases); i++)
        assert_child_ok(libraries, role_cases[i].needs, role_cases[i].name);
}

static void *sqlite_work(void *arg)
{
    sqlite3 *db = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s/control.db", folder);
    bool ok =
        sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_exec(
            db,
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t(x);"
            "INSERT INTO t VALUES(1); PRAGMA wal_checkpoint(TRUNCATE);",
            NULL, NULL, NULL) == SQLITE_OK;
    *(bool *)arg = sqlite3_close(db) == SQLITE_OK && ok;
    return NULL;
}

static void spool_work(void)
{
    char from[128], to[128];
    struct iovec iov = { from, 16 };

    snprintf(from, sizeof from, "%s/a", folder);
    snprintf(to, sizeof to, "%s/quarantine", folder);
    CHECK(mkdir(to, 0700) == 0 || errno == EEXIST);
    int fd = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(fallocate(fd, 0, 0, 65536) == 0);
    CHECK(pwritev(fd, &iov, 1, 0) == 16);
    CHECK(fdatasync(fd) == 0);
    CHECK(ftruncate(fd, 0) == 0);
    snprintf(to, sizeof to, "%s/quarantine/a", folder);
    CHECK(rename(from, to) == 0);
    CHECK(unlink(to) == 0);
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(dir >= 0 && fsync(dir) == 0);
}

static void files(unsigned needs)
{
    pthread_t thread;
    bool ok = false;

    enter(needs);
    spool_work();
    CHECK(pthread_create(&thread, NULL, sqlite_work, &ok) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(ok);
    if (entered.landlock_abi > 0) {
        CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
        CHECK(open("/tmp/baton-sandbox-outside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 &&
              errno == EACCES);
    }
}

static void spool_and_database_in_their_folder(void **state)
{
    (void)state;
    assert_child_ok(files, SANDBOX_FILES, "core or vault");
}

static void reading(unsigned needs)
{
    enter(needs);
    CHECK(open("/etc/hosts", O_RDONLY | O_CLOEXEC) >= 0);
    if (entered.landlock_abi > 0 || enforced())
        CHECK(open("/etc/hosts", O_RDWR | O_CLOEXEC) < 0);
    if (entered.landlock_abi > 0)
        CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
}

static void reads_only_what_was_given(void **state)
{
    (void)state;
    assert_child_ok(reading, SANDBOX_FILES_READ, "web");
}

/* A thread that was there before Landlock is named, unless Landlock came first. */
static void *wait_for_end(void *arg)
{
    char byte;

    return read(*(int *)arg, &byte, 1) < 0 ? arg : NULL;
}

static void older_thread(unsigned needs)
{
    int pipes[2];
    pthread_t thread;

    CHECK(pipe(pipes) == 0);
    CHECK(pthread_create(&thread, NULL, wait_for_end, &pipes[0]) == 0);
    enter(needs);
    CHECK((strstr(entered.missing, "older threads") != NULL) == ((needs & SANDBOX_FILES) != 0));
}

static void files_first(unsigned needs)
{
    struct sandbox_rule rule = rule_of(needs);
    struct err err = { 0 };

    CHECK(sandbox_enter_files(&rule, &err));
    older_thread(0);
}

static void older_threads_are_named(void **state)
{
    (void)state;
    assert_child_ok(older_thread, SANDBOX_FILES, "core without sandbox_enter_files()");
    assert_child_ok(older_thread, SANDBOX_CONNECT, "resolve opens nothing");
    assert_child_ok(files_first, SANDBOX_FILES, "core with it");
}

/* What must end the process
 * ---------------------------------------------------------------------------------------- */

static void unnamed_call(unsigned needs)
{
    enter(needs);
    if (!enforced())
        _exit(77);
    syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static void unnamed_call_in_thread(unsigned needs)
{
    (void)needs;
    syscall(SYS_unshare, 0);
}

static void *enter_and_stay(void *arg)
{
    enter(*(unsigned *)arg);
    return NULL;
}

/* The filter loaded by one thread holds for the one that was there before (TSYNC). */
static void other_thread(unsigned needs)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, enter_and_stay, &needs) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    if (!enforced())
        _exit(77);
    unnamed_call_in_thread(needs);
}

static void p10_unnamed_calls_kill(void **state)
{
    (void)state;
    int status = run_child(unnamed_call, SANDBOX_CONNECT);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    status = run_child(other_thread, SANDBOX_ACCEPT);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void aborting(unsigned needs)
{
    enter(needs);
    abort();
}

static void abort_still_aborts(void **state)
{
    (void)state;
    int status = run_child(aborting, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "control.db", "control.db-wal", "control.db-shm", "a" };
    char path[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/quarantine", folder);
    rmdir(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_test_passes),
        cmocka_unit_test(self_test_names_what_is_allowed),
        cmocka_unit_test(libraries_go_on),
        cmocka_unit_test(spool_and_database_in_their_folder),
        cmocka_unit_test(reads_only_what_was_given),
        cmocka_unit_test(older_threads_are_named),
        cmocka_unit_test(p10_unnamed_calls_kill),
        cmocka_unit_test(abort_still_aborts),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
