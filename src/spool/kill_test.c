// SPDX-License-Identifier: Apache-2.0
/* spool/kill_test.c - a child works on a spool and tells each acknowledgement through a pipe; it is
 * killed at the entry and at the exit of its Nth call that changes the disk, for every N, and what
 * it was told must be there afterwards (C01). So is recovery itself, three times in a row (C07);
 * and a child under load at random moments (C02). Instead of killing it, the Nth call may be made
 * to fail: what is refused then must never be seen again (D01, D04, D12). */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "spool/fixture.h"

/* The ledger: one line for each acknowledgement. */
enum told {
    TOLD_COMMIT = 1,
    TOLD_REFUSED,
    TOLD_SETTLE_BEGINS,
    TOLD_SETTLE,
    TOLD_SETTLE_REFUSED,
    TOLD_END
};
struct line {
    uint64_t id;
    uint32_t seed;
    uint16_t rcpt;
    uint8_t what;
    uint8_t state;
};
enum { LINES_MAX = 20000, SEED_OF_JUDGE = 99999000 /* none of a child */ };

static void tell(int fd, struct line l)
{
    if (write(fd, &l, sizeof(l)) != (ssize_t)sizeof(l))
        _exit(3);
}

static void child_settle(struct fixture *f, int fd, struct spool_message *m, uint32_t rcpt,
                         enum rcpt_state state)
{
    struct line l = { .id = spool_message_id(m),
                      .rcpt = (uint16_t)rcpt,
                      .what = TOLD_SETTLE_BEGINS,
                      .state = (uint8_t)state };
    struct err err;

    tell(fd, l);
    l.what = fixture_settle(f, m, rcpt, state, &err) ? TOLD_SETTLE : TOLD_SETTLE_REFUSED;
    tell(fd, l);
}

/* Commits of several sizes, settles, housekeeping, a close: every kind of write the spool has. */
static void child_work(struct fixture *f, int fd, unsigned rounds, unsigned salt)
{
    struct err why;

    if (!spool_open(&f->options, &f->spool, &f->found, &why))
        return;
    for (unsigned i = 0; i < rounds; i++) {
        static const size_t sizes[] = { 300, 70000, 5000, 0, 140000, 20000 };
        uint32_t seed = salt * 100000 + i + 1;
        struct spool_message *m = NULL;
        bool did;
        struct err err;
        uint64_t id;

        if (!fixture_commit(f, seed, sizes[(i + salt) % ARRAY_LEN(sizes)], 2, &id, &m, &err)) {
            tell(fd, (struct line){ .seed = seed, .what = TOLD_REFUSED });
            continue;
        }
        tell(fd, (struct line){ .id = id, .seed = seed, .what = TOLD_COMMIT });
        if (m && i % 3 != 0)
            child_settle(f, fd, m, 0, i % 2 == 0 ? RCPT_DONE : RCPT_QUEUED);
        if (m && i % 5 != 0)
            child_settle(f, fd, m, 1, RCPT_DONE);
        spool_events_ack(f->spool, UINT64_MAX);
        if (i % 4 == 3 && !spool_tend(f->spool, &did, &err))
            continue;
    }
    spool_close(f->spool);
    tell(fd, (struct line){ .what = TOLD_END });
}

/* Running it ---------------------------------------------------------------------------------- */

static bool changes_disk(long call)
{
    switch (call) {
    case SYS_pwrite64:
    case SYS_pwritev:
    case SYS_pwritev2:
    case SYS_fdatasync:
    case SYS_fsync:
    case SYS_fallocate:
    case SYS_ftruncate:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_unlinkat:
    case SYS_mkdirat:
        return true;
    default:
        return false;
    }
}

struct plan;
static void follow(pid_t child, const struct plan *p, unsigned *ret_calls);

struct run {
    struct line lines[LINES_MAX];
    size_t count;
    unsigned calls; /* that change the disk, until it ended */
};

static void ledger_read(struct run *r, int fd)
{
    struct line l;

    while (r->count < LINES_MAX && read(fd, &l, sizeof(l)) == (ssize_t)sizeof(l))
        r->lines[r->count++] = l;
}

struct plan {
    unsigned rounds, salt;
    unsigned stop_at; /* 0: never; else the Nth call */
    bool at_exit;
    unsigned kill_after_us; /* instead of counting; 0: no */
    int fail_errno;         /* instead of killing, that call fails; 0: no */
};

static void child_main(struct fixture *f, const struct plan *p, int fd)
{
    if (p->kill_after_us == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
    }
    child_work(f, fd, p->rounds, p->salt);
    _exit(0);
}

/* Adds to the ledger. */
static void run_child(struct fixture *f, const struct plan *p, struct run *r)
{
    int fds[2];
    pid_t child;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1024 * 1024) > 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_main(f, p, fds[1]);
    (void)close(fds[1]);
    if (p->kill_after_us > 0) {
        (void)usleep(p->kill_after_us);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    } else {
        follow(child, p, &r->calls);
    }
    ledger_read(r, fds[0]);
    (void)close(fds[0]);
}

#ifdef __x86_64__
/* At its entry the call becomes none; at its exit it gets its result. */
static void fail_call(pid_t who, bool at_exit, int sys)
{
    struct user_regs_struct regs;

    assert_int_equal(ptrace(PTRACE_GETREGS, who, NULL, &regs), 0);
    if (at_exit)
        regs.rax = (unsigned long long)-sys;
    else
        regs.orig_rax = (unsigned long long)-1;
    assert_int_equal(ptrace(PTRACE_SETREGS, who, NULL, &regs), 0);
}
#else
static void fail_call(pid_t who, bool at_exit, int sys)
{
    (void)who, (void)at_exit, (void)sys;
}
#endif

/* Kills it or lets the call fail, if it is the one; *stopped: this thread is inside the one. */
static void act(pid_t child, pid_t who, const struct plan *p, unsigned call, bool *stopped,
                bool at_exit)
{
    if (p->stop_at == 0 || (call != p->stop_at && !*stopped))
        return;
    if (!at_exit)
        *stopped = true;
    if (!*stopped)
        return;
    if (p->fail_errno != 0)
        fail_call(who, at_exit, p->fail_errno);
    else if (p->at_exit == at_exit)
        (void)kill(child, SIGKILL);
}

/* Counts the child's calls over all its threads, and kills it at the one asked for. */
static void follow(pid_t child, const struct plan *p, unsigned *ret_calls)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    struct {
        pid_t id;
        bool inside, stopped;
    } threads[16] = { { .id = child } };
    size_t thread_count = 1;
    unsigned calls = 0;
    int status;
    pid_t who;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, options), 0);
    (void)ptrace(PTRACE_SYSCALL, child, NULL, NULL);
    while ((who = waitpid(-1, &status, __WALL)) > 0) {
        struct __ptrace_syscall_info info;
        size_t i = 0;

        if (!WIFSTOPPED(status)) {
            if (who == child)
                break;
            continue;
        }
        while (i < thread_count && threads[i].id != who)
            i++;
        if (i == thread_count && thread_count < ARRAY_LEN(threads))
            threads[thread_count++].id = who;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) &&
            ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof(info), &info) > 0) {
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
                threads[i].inside = changes_disk((long)info.entry.nr) && ++calls > 0;
            act(child, who, p, threads[i].inside ? calls : 0, &threads[i].stopped,
                info.op == PTRACE_SYSCALL_INFO_EXIT);
            if (info.op == PTRACE_SYSCALL_INFO_EXIT)
                threads[i].inside = threads[i].stopped = false;
        }
        (void)ptrace(PTRACE_SYSCALL, who, NULL, NULL);
    }
    *ret_calls = calls;
}

/* Judging it ---------------------------------------------------------------------------------- */

/* The last that was told of this recipient: 0 when nothing; *ret_unsure: a settle was begun and not
 * told as done. */
static uint8_t state_told(const struct run *r, uint64_t id, uint16_t rcpt, uint8_t *ret_unsure)
{
    uint8_t state = 0;

    *ret_unsure = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];

        if (l->id != id || l->rcpt != rcpt || l->what == TOLD_COMMIT)
            continue;
        if (l->what == TOLD_SETTLE_REFUSED) {
            *ret_unsure = 0;
        } else if (l->what == TOLD_SETTLE) {
            state = l->state;
            *ret_unsure = 0;
        } else {
            *ret_unsure = l->state;
        }
    }
    return state;
}

static void judge_rcpt(const struct run *r, const struct line *l, const struct spool_message *m,
                       uint16_t rcpt)
{
    uint8_t unsure, told = state_told(r, l->id, rcpt, &unsure);
    uint8_t is = m ? spool_message_rcpt(m, rcpt)->state : RCPT_DONE;

    if (told == 0)
        told = RCPT_QUEUED;
    if (is != told && is != unsure)
        fail_msg("message %u recipient %u is %u, told %u, begun %u", l->seed, rcpt, is, told,
                 unsure);
}

static void judge_refused(struct fixture *f, uint32_t seed)
{
    struct spool_message *m;

    for (size_t at = 0; (m = spool_each(f->spool, &at)) != NULL;)
        if (spool_message_account(m) == seed)
            fail_msg("message %u was refused, and is there", seed);
}

/* Told as committed: counted once. Told as refused: never. What was begun and not told may be
 * either, as long as it is one of the two (fault A10). */
static void judge_counts(const struct fixture *f, const struct run *r)
{
    uint64_t seed;
    size_t at = 0;
    void *count;

    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];
        size_t is = fixture_counted(f, l->seed);

        if ((l->what == TOLD_COMMIT && is != 1) || (l->what == TOLD_REFUSED && is != 0))
            fail_msg("message %u is counted %zu times", l->seed, is);
    }
    while (idmap_each(&f->counted, &at, &seed, &count))
        if ((uintptr_t)count != 1)
            fail_msg("message %llu is counted more than once", (unsigned long long)seed);
}

static void judge(struct fixture *f, const struct run *r)
{
    struct spool_message *m;
    struct err err;

    for (size_t i = 0; i < r->count; i++) {
        const struct line *l = &r->lines[i];

        if (l->what == TOLD_REFUSED)
            judge_refused(f, l->seed);
        if (l->what != TOLD_COMMIT)
            continue;
        m = spool_find(f->spool, l->id);
        judge_rcpt(r, l, m, 0);
        judge_rcpt(r, l, m, 1);
        if (m && (spool_message_account(m) != l->seed || !fixture_check(f, m, &err)))
            fail_msg("message %u: %s", l->seed, err.text);
    }
    for (size_t at = 0; (m = spool_each(f->spool, &at)) != NULL;)
        assert_int_equal(fixture_counted(f, spool_message_account(m)), 1);
    judge_counts(f, r);
    assert_int_equal(fixture_alarms(f, "record-damaged"), 0);
    assert_int_equal(fixture_alarms(f, "message-lost"), 0);
    assert_int_equal(fixture_alarms(f, "segment-missing"), 0);
}

static struct fixture *small_fixture(void)
{
    struct fixture *f = fixture_new();

    f->options.disk_max_bytes = 24 * SEGMENT;
    return f;
}

static void judge_and_free(struct fixture *f, struct run *r)
{
    for (int turn = 0; turn < 2; turn++) { /* opening once more finds the same */
        fixture_open(f);
        judge(f, r);
        fixture_message(f, SEED_OF_JUDGE + (uint64_t)turn, 100, 1);
        spool_close(f->spool);
    }
    fixture_free(f);
}

static void test_c01_killed_at_each_call(void **state)
{
    struct run *r = NEW(struct run);
    struct plan p = { .rounds = 10 };
    struct fixture *f = small_fixture();
    unsigned calls;

    (void)state;
    run_child(f, &p, r);
    calls = r->calls;
    assert_true(calls > 50);
    assert_int_equal(r->lines[r->count - 1].what, TOLD_END);
    judge_and_free(f, r);
    for (p.stop_at = 1; p.stop_at <= calls; p.stop_at++)
        for (int at_exit = 0; at_exit < 2; at_exit++) {
            r->count = 0;
            f = small_fixture();
            p.at_exit = at_exit;
            run_child(f, &p, r);
            judge_and_free(f, r);
        }
    free(r);
}

static void test_c07_killed_inside_recovery_three_times(void **state)
{
    struct run *r = NEW(struct run);

    (void)state;
    for (unsigned at = 1; at <= 40; at++) {
        struct fixture *f = small_fixture();
        struct plan p = { .rounds = 12, .stop_at = 20 + at * 2 };

        r->count = 0;
        for (unsigned life = 0; life < 4; life++) {
            run_child(f, &p, r);
            p.salt = life + 1;
            p.at_exit = life % 2 == 0;
            p.stop_at = 1 + (at + life * 3) % 12; /* opening makes about as many */
        }
        judge_and_free(f, r);
    }
    free(r);
}

static void test_c02_killed_at_random(void **state)
{
    struct run *r = NEW(struct run);
    unsigned random = 12345;

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        struct fixture *f = small_fixture();

        r->count = 0;
        for (unsigned life = 0; life < 4; life++) {
            struct plan p = { .rounds = 1000, .salt = life };

            random = random * 1103515245 + 12345;
            p.kill_after_us = 5000 + random / 65536 % 60000;
            run_child(f, &p, r);
        }
        judge_and_free(f, r);
    }
    free(r);
}

/* Each call in turn fails; the client was told 4xx, so nothing of it may come back. */
static void test_d01_d04_d12_each_call_fails(void **state)
{
    static const int errors[] = { EIO, ENOSPC };
    struct run *r = NEW(struct run);
    unsigned ended = 0, calls = 1;

    (void)state;
#ifndef __x86_64__
    skip();
#endif
    for (unsigned n = 0; n <= calls; n++) {
        struct fixture *f = small_fixture();
        struct plan p = { .rounds = 10, .stop_at = n, .fail_errno = errors[n % 2] };

        r->count = 0;
        run_child(f, &p, r);
        calls = n == 0 ? r->calls : calls;
        ended += r->count > 0 && r->lines[r->count - 1].what == TOLD_END;
        judge_and_free(f, r);
    }
    assert_true(ended > calls / 2); /* most lives went on to their end */
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c01_killed_at_each_call),
        cmocka_unit_test(test_c07_killed_inside_recovery_three_times),
        cmocka_unit_test(test_c02_killed_at_random),
        cmocka_unit_test(test_d01_d04_d12_each_call_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
