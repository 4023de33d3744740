// SPDX-License-Identifier: Apache-2.0
/* io/sandbox.c - seccomp for a whole process, and the test that shows what is in force.
 *
 * Two filters are stacked, of whose verdicts the kernel takes the harsher: one kills at a call that
 * stands in no table, the other refuses with EPERM whatever this role was not allowed. So a library
 * that tries something and can live without it lives, and a call that only an intruder would make
 * ends the process. A sanitizer build has one filter, which only logs: the run-time needs calls
 * that no role has. */
#include "io/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/sandbox_files.h"
#include "io/sandbox_table.h"

#define FILE_NEEDS (SANDBOX_FILES | SANDBOX_FILES_READ)

/* Filters
 * --------------------------------------------------------------------------------------------------------
 */

static bool filter_failed(struct err *err, int code, const char *what, int nr)
{
    errno = -code;
    return err_sys(err, "seccomp %s (call %d)", what, nr);
}

/* Rows for calls that this machine does not have are passed over. */
static bool add_rule(scmp_filter_ctx filter, uint32_t action, int nr,
                     const struct scmp_arg_cmp *cmp, struct err *err)
{
    int code = nr < 0 ? 0 : seccomp_rule_add_array(filter, action, nr, cmp ? 1 : 0, cmp);
    return code == 0 || filter_failed(err, code, "rule", nr);
}

static bool unlocked(unsigned row_needs, unsigned needs)
{
    return row_needs == SANDBOX_ALWAYS || (row_needs & needs) != 0;
}

static bool allowed_whole(int nr, unsigned needs)
{
    for (size_t i = 0; i < sandbox_call_count; i++)
        if (sandbox_calls[i].nr == nr && unlocked(sandbox_calls[i].needs, needs))
            return true;
    return false;
}

static bool add_allowed(scmp_filter_ctx filter, unsigned needs, struct err *err)
{
    for (size_t i = 0; i < sandbox_call_count; i++)
        if (unlocked(sandbox_calls[i].needs, needs) &&
            !add_rule(filter, SCMP_ACT_ALLOW, sandbox_calls[i].nr, NULL, err))
            return false;
    for (size_t i = 0; i < sandbox_call_if_count; i++) {
        const struct sandbox_call_if *c = &sandbox_calls_if[i];
        struct scmp_arg_cmp cmp = SCMP_CMP64(c->argument, SCMP_CMP_MASKED_EQ, c->mask, c->value);
        if (unlocked(c->needs, needs) && !allowed_whole(c->nr, needs) &&
            !add_rule(filter, SCMP_ACT_ALLOW, c->nr, &cmp, err))
            return false;
    }
    /* abort() and assert() end this process, nobody else's. */
    struct scmp_arg_cmp self = SCMP_CMP64(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
    return add_rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), &self, err);
}

/* Everything that stands in a table, whoever may do it. */
static bool add_named(scmp_filter_ctx filter, struct err *err)
{
    for (size_t i = 0; i < sandbox_call_count; i++)
        if (!add_rule(filter, SCMP_ACT_ALLOW, sandbox_calls[i].nr, NULL, err))
            return false;
    for (size_t i = 0; i < sandbox_call_if_count; i++)
        if (!allowed_whole(sandbox_calls_if[i].nr, ~0u) &&
            !add_rule(filter, SCMP_ACT_ALLOW, sandbox_calls_if[i].nr, NULL, err))
            return false;
    for (size_t i = 0; i < sandbox_soft_call_count; i++)
        if (!add_rule(filter, SCMP_ACT_ALLOW, sandbox_soft_calls[i], NULL, err))
            return false;
    return add_rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), NULL, err) &&
           add_rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone3), NULL, err);
}

static bool filter_new(uint32_t action, scmp_filter_ctx *ret, struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(action);
    if (!filter)
        return err_set(err, ERR_IO, "seccomp: no filter for us");

    int code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (code == 0)
        code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (code == 0)
        code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, /* binary tree: */ 2);
    if (code != 0) {
        seccomp_release(filter);
        return filter_failed(err, code, "attribute", 0);
    }
    *ret = filter;
    return true;
}

static bool load_named(struct err *err)
{
    scmp_filter_ctx filter;

    if (!filter_new(SCMP_ACT_KILL_PROCESS, &filter, err))
        return false;
    bool ok = add_named(filter, err);
    int code = ok ? seccomp_load(filter) : 0;
    seccomp_release(filter);
    return code == 0 ? ok : filter_failed(err, code, "load", 0);
}

static bool load_allowed(unsigned needs, uint32_t otherwise, struct err *err)
{
    scmp_filter_ctx filter;

    if (!filter_new(otherwise, &filter, err))
        return false;
    /* Its flags lie in memory, where no filter sees them; glibc falls back to clone(), whose flags
     * are checked. */
    bool ok = add_allowed(filter, needs, err) &&
              add_rule(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), NULL, err);
    int code = ok ? seccomp_load(filter) : 0;
    seccomp_release(filter);
    return code == 0 ? ok : filter_failed(err, code, "load", 0);
}

/* The killing one first: the other refuses to load any more. */
static bool enter_seccomp(unsigned needs, struct err *err)
{
    if (SANDBOX_LOGS_ONLY)
        return load_allowed(needs, SCMP_ACT_LOG, err);
    return load_named(err) && load_allowed(needs, SCMP_ACT_ERRNO(EPERM), err);
}

/* Entering
 * -------------------------------------------------------------------------------------------------------
 */

static size_t thread_count(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/task");

    if (!dir)
        return 1;
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void say_missing(struct sandbox_state *state, const char *words)
{
    size_t len = strlen(state->missing);

    snprintf(state->missing + len, sizeof state->missing - len, "%s%s", len > 0 ? "; " : "", words);
}

static bool kernel_has_seccomp(void)
{
    uint32_t action = SCMP_ACT_KILL_PROCESS;

    return syscall(SYS_seccomp, /* SECCOMP_GET_ACTION_AVAIL */ 2, 0, &action) == 0;
}

bool sandbox_enter(const struct sandbox_rule *rule, struct sandbox_state *ret, struct err *err)
{
    struct sandbox_state state = { .seccomp = kernel_has_seccomp(),
                                   .seccomp_logs_only = SANDBOX_LOGS_ONLY };

    if (sandbox_files_abi() < 0) {
        /* Where seccomp lets nobody open anything, older threads need no Landlock. */
        if ((rule->needs & FILE_NEEDS) && thread_count() > 1)
            say_missing(&state, "older threads are not under Landlock");
        if (!sandbox_enter_files(rule, err))
            return false;
    }
    state.landlock_abi = sandbox_files_abi();
    if (state.landlock_abi == 0)
        say_missing(&state, "this kernel has no Landlock");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(err, "no_new_privs");
    if (!state.seccomp)
        say_missing(&state, "this kernel has no seccomp");
    else if (!enter_seccomp(rule->needs, err))
        return false;
    if (SANDBOX_LOGS_ONLY)
        say_missing(&state, "seccomp only logs in a sanitizer build");
    state.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    state.dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
    *ret = state;
    return true;
}

/* Self-test
 * ------------------------------------------------------------------------------------------------------
 */

/* Each returns what the kernel says; a harmless argument makes what an allowed call says differ
 * from EPERM. */
static long open_shadow(void)
{
    return open("/etc/shadow", O_RDONLY | O_CLOEXEC);
}
static long open_root(void)
{
    return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
static long create_file(void)
{
    return open("/tmp/.baton-self-test", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}
static long make_socket(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static long make_unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static long do_accept(void)
{
    return accept4(-1, NULL, NULL, SOCK_CLOEXEC);
}
static long do_exec(void)
{
    char *argv[] = { NULL };

    return execve("/nonexistent", argv, argv);
}
static long do_fork(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    return pid;
}
static long do_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, 0, NULL, NULL);
}
static long make_memfd(void)
{
    return memfd_create("self-test", MFD_CLOEXEC);
}
static long do_truncate(void)
{
    return ftruncate(-1, 0);
}
static long map_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? -1 : 0;
}

static const struct probe {
    const char *what;
    long (*try)(void);
    unsigned allowed_to; /* a role with one of these needs may */
    bool by_landlock;    /* for a role that may open files, Landlock must refuse it */
} probes[] = {
    { "opening /etc/shadow", open_shadow, 0, true },
    { "opening /", open_root, 0, true },
    { "creating a file in /tmp", create_file, 0, true },
    { "making a TCP socket", make_socket, SANDBOX_CONNECT, false },
    { "making a UNIX socket", make_unix_socket, SANDBOX_UNIX_CONNECT, false },
    { "accepting connections", do_accept, SANDBOX_ACCEPT | SANDBOX_UNIX_ACCEPT, false },
    { "exec", do_exec, 0, false },
    { "fork", do_fork, 0, false },
    { "ptrace", do_ptrace, 0, false },
    { "memfd_create", make_memfd, 0, false },
    { "resizing files", do_truncate, SANDBOX_FILES, false },
    { "executable memory", map_code, 0, false },
};

/* Whether anything in force could refuse it. */
static bool probe_applies(const struct probe *p, const struct sandbox_rule *rule,
                          const struct sandbox_state *state)
{
    bool seccomp = state->seccomp && !state->seccomp_logs_only;

    if (p->allowed_to & rule->needs)
        return false;
    if (p->by_landlock && state->landlock_abi > 0)
        return true;
    return seccomp && !(p->by_landlock && (rule->needs & FILE_NEEDS));
}

bool sandbox_self_test(const struct sandbox_rule *rule, const struct sandbox_state *state,
                       struct err *err)
{
    if (!state->no_new_privs)
        return err_set(err, ERR_DENIED, "self-test: no_new_privs is not set");
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        if (!probe_applies(&probes[i], rule, state))
            continue;
        errno = 0;
        long got = probes[i].try();
        if (got >= 0 || (errno != EPERM && errno != EACCES))
            return err_set(err, ERR_DENIED, "self-test: %s was allowed", probes[i].what);
    }
    return true;
}
