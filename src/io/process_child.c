// SPDX-License-Identifier: Apache-2.0
/* io/process_child.c - children and signals: starting a role by re-exec, its end, and the signals
 * of an operator, all told on the loop through one signalfd. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/process.h"
#include "io/watch.h"

#define FIRST_FD 3

extern char **environ;

/* Starting
 * -------------------------------------------------------------------------------------------------------
 */

struct spawn {
    const char *const *argv;
    const int *fds;
    int count;
    int report_fd; /* the child writes its errno here when exec fails; exec closes it */
    int parent;
};

/* Puts fds[i] at FIRST_FD + i, and report_fd behind them. Copies go high first, since a source may
 * stand where another one belongs. Only calls that are safe between fork and exec. */
static bool child_place_fds(struct spawn *s)
{
    int high = FIRST_FD + s->count + 1;
    int copies[64];

    if ((size_t)s->count > ARRAY_LEN(copies)) {
        errno = EMFILE;
        return false;
    }
    for (int i = 0; i < s->count; i++)
        if ((copies[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, high)) < 0)
            return false;
    int report = fcntl(s->report_fd, F_DUPFD_CLOEXEC, high);
    if (report < 0)
        return false;
    for (int i = 0; i < s->count; i++)
        if (dup2(copies[i], FIRST_FD + i) < 0)
            return false;
    s->report_fd = FIRST_FD + s->count;
    if (dup3(report, s->report_fd, O_CLOEXEC) < 0)
        return false;
    return close_range((unsigned)high, ~0u, 0) == 0;
}

static bool child_reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static _Noreturn void child_run(struct spawn *s)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && child_reset_signals() && child_place_fds(s)) {
        /* It may have died before we could ask to be told. */
        if (getppid() != s->parent)
            _exit(127);
        execve("/proc/self/exe", (char *const *)s->argv, environ);
    }
    int error = errno;
    (void)!write(s->report_fd, &error, sizeof error);
    _exit(127);
}

/* Nothing comes when exec has closed the pipe. */
static bool child_started(int report_fd, int pid, struct err *err)
{
    int error = 0;
    ssize_t n;

    do
        n = read(report_fd, &error, sizeof error);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return true;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = n == sizeof error ? error : EIO;
    return err_sys(err, "exec");
}

bool process_spawn(const char *const argv[], const int *fds, size_t fd_count, int *ret_pid,
                   struct err *err)
{
    int report[2];

    if (pipe2(report, O_CLOEXEC) < 0)
        return err_sys(err, "pipe");
    struct spawn s = {
        .argv = argv,
        .fds = fds,
        .count = (int)fd_count,
        .report_fd = report[1],
        .parent = getpid(),
    };
    int pid = fork();
    if (pid == 0)
        child_run(&s);
    bool ok = pid > 0 || err_sys(err, "fork");
    close(report[1]);
    ok = ok && child_started(report[0], pid, err);
    close(report[0]);
    if (!ok)
        return err_at(err, "starting %s", argv[0]);
    *ret_pid = pid;
    return true;
}

void process_kill(int pid, int signo)
{
    assert(pid > 1);
    (void)kill(pid, signo);
}

/* Being told
 * -----------------------------------------------------------------------------------------------------
 */

/* One for the process, since signals are. */
static struct {
    bool started;
    sigset_t mask;
    int fd;
    struct watch watch;
    void (*on_exit)(void *arg, int pid, int wait_status);
    void *on_exit_arg;
    void (*on_signal)(void *arg, int signo);
    void *on_signal_arg;
} told = { .fd = -1 };

/* One SIGCHLD may stand for several ends. */
static void reap(void)
{
    int status, pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (told.on_exit)
            told.on_exit(told.on_exit_arg, pid, status);
}

static void signals_ready(void *arg, uint32_t events)
{
    struct signalfd_siginfo info;

    (void)arg;
    (void)events;
    while (read(told.fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            reap();
        else if (told.on_signal)
            told.on_signal(told.on_signal_arg, (int)info.ssi_signo);
    }
}

/* Blocks the signals and reads them from a descriptor. Threads started later inherit the mask. */
static void tell(const int *signals, size_t count)
{
    struct err err;

    if (!told.started)
        sigemptyset(&told.mask);
    for (size_t i = 0; i < count; i++)
        sigaddset(&told.mask, signals[i]);
    (void)pthread_sigmask(SIG_BLOCK, &told.mask, NULL);
    told.fd = signalfd(told.fd, &told.mask, SFD_CLOEXEC | SFD_NONBLOCK);
    /* Without signals super could neither be stopped nor notice a dead role. */
    if (told.fd < 0 ||
        (!told.started && !watch_add(&told.watch, told.fd, EPOLLIN, signals_ready, NULL, &err)))
        abort();
    told.started = true;
}

void process_on_exit(void (*fn)(void *arg, int pid, int wait_status), void *arg)
{
    static const int signals[] = { SIGCHLD };

    told.on_exit = fn;
    told.on_exit_arg = arg;
    tell(signals, ARRAY_LEN(signals));
}

void process_on_signal(void (*fn)(void *arg, int signo), void *arg)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file over its limit is EFBIG at the write, not a death */
    told.on_signal = fn;
    told.on_signal_arg = arg;
    tell(signals, ARRAY_LEN(signals));
}
