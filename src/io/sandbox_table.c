// SPDX-License-Identifier: Apache-2.0
/* io/sandbox_table.c - the allow-list, with the reason beside each group (design.md §2).
 *
 * It must live with normal libraries: glibc's allocator and threads, OpenSSL, libunbound, libcurl,
 * libevent, SQLite. A call that stands here but is not allowed to this role returns EPERM; one that
 * stands nowhere kills the process. */
#include "io/sandbox_table.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/mem.h"

#define CALL(name) SCMP_SYS(name)
#define ALWAYS SANDBOX_ALWAYS
#define FILES SANDBOX_FILES
#define READS (SANDBOX_FILES | SANDBOX_FILES_READ)
#define ACCEPTS (SANDBOX_ACCEPT | SANDBOX_UNIX_ACCEPT)

const struct sandbox_call sandbox_calls[] = {
    /* bytes through descriptors that it has */
    { CALL(read), ALWAYS },
    { CALL(readv), ALWAYS },
    { CALL(write), ALWAYS },
    { CALL(writev), ALWAYS },
    { CALL(pread64), ALWAYS },
    { CALL(preadv), ALWAYS },
    { CALL(preadv2), ALWAYS },
    { CALL(lseek), ALWAYS },
    { CALL(close), ALWAYS },
    { CALL(close_range), ALWAYS },
    { CALL(fcntl), ALWAYS },
    { CALL(fstat), ALWAYS },
    { CALL(dup), ALWAYS },
    { CALL(dup2), ALWAYS },
    { CALL(dup3), ALWAYS },
    { CALL(recvfrom), ALWAYS },
    { CALL(recvmsg), ALWAYS },
    { CALL(recvmmsg), ALWAYS },
    { CALL(sendto), ALWAYS },
    { CALL(sendmsg), ALWAYS },
    { CALL(sendmmsg), ALWAYS },
    { CALL(shutdown), ALWAYS },
    { CALL(getsockopt), ALWAYS },
    { CALL(setsockopt), ALWAYS },
    { CALL(getsockname), ALWAYS },
    { CALL(getpeername), ALWAYS },
    /* waiting: our loop, libevent's, libcurl's */
    { CALL(epoll_create1), ALWAYS },
    { CALL(epoll_ctl), ALWAYS },
    { CALL(epoll_wait), ALWAYS },
    { CALL(epoll_pwait), ALWAYS },
    { CALL(epoll_pwait2), ALWAYS },
    { CALL(poll), ALWAYS },
    { CALL(ppoll), ALWAYS },
    { CALL(select), ALWAYS },
    { CALL(pselect6), ALWAYS },
    { CALL(eventfd2), ALWAYS },
    { CALL(pipe2), ALWAYS },
    { CALL(timerfd_create), ALWAYS },
    { CALL(timerfd_settime), ALWAYS },
    { CALL(signalfd4), ALWAYS },
    { CALL(nanosleep), ALWAYS },
    { CALL(clock_nanosleep), ALWAYS },
    { CALL(restart_syscall), ALWAYS },
    /* time, randomness, who am I */
    { CALL(clock_gettime), ALWAYS },
    { CALL(clock_getres), ALWAYS },
    { CALL(gettimeofday), ALWAYS },
    { CALL(time), ALWAYS },
    { CALL(getrandom), ALWAYS },
    { CALL(getpid), ALWAYS },
    { CALL(gettid), ALWAYS },
    { CALL(getppid), ALWAYS },
    { CALL(getuid), ALWAYS },
    { CALL(geteuid), ALWAYS },
    { CALL(getgid), ALWAYS },
    { CALL(getegid), ALWAYS },
    { CALL(getrusage), ALWAYS },
    { CALL(getrlimit), ALWAYS },
    { CALL(sysinfo), ALWAYS },
    { CALL(uname), ALWAYS },
    { CALL(times), ALWAYS },
    /* memory: mmap and mprotect stand below. 102 and 103 of madvise are the guards of fiber stacks.
     */
    { CALL(brk), ALWAYS },
    { CALL(munmap), ALWAYS },
    { CALL(mremap), ALWAYS },
    { CALL(madvise), ALWAYS },
    { CALL(mlock), ALWAYS },
    { CALL(mlock2), ALWAYS },
    { CALL(munlock), ALWAYS },
    { CALL(mincore), ALWAYS },
    /* threads and their signals */
    { CALL(futex), ALWAYS },
    { CALL(set_robust_list), ALWAYS },
    { CALL(rseq), ALWAYS },
    { CALL(set_tid_address), ALWAYS },
    { CALL(sched_yield), ALWAYS },
    { CALL(sched_getaffinity), ALWAYS },
    { CALL(getcpu), ALWAYS },
    { CALL(membarrier), ALWAYS },
    { CALL(sigaltstack), ALWAYS },
    { CALL(rt_sigaction), ALWAYS },
    { CALL(rt_sigprocmask), ALWAYS },
    { CALL(rt_sigreturn), ALWAYS },
    { CALL(rt_sigtimedwait), ALWAYS },
    { CALL(rt_sigpending), ALWAYS },
    { CALL(exit), ALWAYS },
    { CALL(exit_group), ALWAYS },
    /* connections in, connections out */
    { CALL(accept), ACCEPTS },
    { CALL(accept4), ACCEPTS },
    { CALL(connect), SANDBOX_CONNECT },
    { CALL(bind), SANDBOX_CONNECT },
    /* finding files; Landlock says which */
    { CALL(stat), READS },
    { CALL(lstat), READS },
    { CALL(newfstatat), READS },
    { CALL(statx), READS },
    { CALL(access), READS },
    { CALL(faccessat), READS },
    { CALL(faccessat2), READS },
    { CALL(readlink), READS },
    { CALL(readlinkat), READS },
    { CALL(getdents64), READS },
    { CALL(getcwd), READS },
    { CALL(statfs), READS },
    { CALL(fstatfs), READS },
    { CALL(fadvise64), READS },
    { CALL(flock), READS },
    /* changing them: the spool's log, SQLite with its WAL */
    { CALL(open), FILES },
    { CALL(openat), FILES },
    { CALL(pwrite64), FILES },
    { CALL(pwritev), FILES },
    { CALL(pwritev2), FILES },
    { CALL(fsync), FILES },
    { CALL(fdatasync), FILES },
    { CALL(sync_file_range), FILES },
    { CALL(msync), FILES },
    { CALL(fallocate), FILES },
    { CALL(ftruncate), FILES },
    { CALL(mkdir), FILES },
    { CALL(mkdirat), FILES },
    { CALL(unlink), FILES },
    { CALL(unlinkat), FILES },
    { CALL(rmdir), FILES },
    { CALL(rename), FILES },
    { CALL(renameat), FILES },
    { CALL(renameat2), FILES },
    { CALL(fchmod), FILES },
    { CALL(umask), FILES },
};
const size_t sandbox_call_count = ARRAY_LEN(sandbox_calls);

const struct sandbox_call_if sandbox_calls_if[] = {
    /* no memory becomes code */
    { CALL(mmap), ALWAYS, 2, PROT_EXEC, 0 },
    { CALL(mprotect), ALWAYS, 2, PROT_EXEC, 0 },
    /* threads, no processes: libraries start some late (libcurl's look-ups) */
    { CALL(clone), ALWAYS, 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM },
    /* fstat() of glibc is newfstatat() with an empty path */
    { CALL(newfstatat), ALWAYS, 3, AT_EMPTY_PATH, AT_EMPTY_PATH },
    { CALL(socketpair), ALWAYS, 0, UINT64_MAX, AF_UNIX },
    { CALL(prctl), ALWAYS, 0, UINT64_MAX, PR_SET_NAME },
    { CALL(prctl), ALWAYS, 0, UINT64_MAX, PR_GET_NAME },
    { CALL(prctl), ALWAYS, 0, UINT64_MAX, PR_GET_DUMPABLE },
    { CALL(prctl), ALWAYS, 0, UINT64_MAX, PR_GET_NO_NEW_PRIVS },
    { CALL(prctl), ALWAYS, 0, UINT64_MAX, 0x53564d41 /* PR_SET_VMA: glibc names its arenas */ },
    { CALL(ioctl), ALWAYS, 1, UINT64_MAX, FIONREAD },
    { CALL(ioctl), ALWAYS, 1, UINT64_MAX, FIONBIO },
    { CALL(ioctl), ALWAYS, 1, UINT64_MAX, TCGETS /* isatty() */ },
    /* looking at limits, not setting them */
    { CALL(prlimit64), ALWAYS, 2, UINT64_MAX, 0 },
    { CALL(socket), SANDBOX_CONNECT, 0, UINT64_MAX, AF_INET },
    { CALL(socket), SANDBOX_CONNECT, 0, UINT64_MAX, AF_INET6 },
    { CALL(socket), SANDBOX_UNIX_CONNECT, 0, UINT64_MAX, AF_UNIX },
    { CALL(open), SANDBOX_FILES_READ, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY },
    { CALL(openat), SANDBOX_FILES_READ, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY },
};
const size_t sandbox_call_if_count = ARRAY_LEN(sandbox_calls_if);

const int sandbox_soft_calls[] = {
    CALL(execve),
    CALL(execveat),
    CALL(fork),
    CALL(vfork),
    CALL(wait4),
    CALL(kill),
    CALL(tkill),
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(pidfd_open),
    CALL(memfd_create),
    CALL(io_uring_setup),
    CALL(seccomp),
    CALL(landlock_create_ruleset),
    CALL(landlock_add_rule),
    CALL(landlock_restrict_self),
    CALL(creat),
    CALL(openat2),
    CALL(listen),
    CALL(link),
    CALL(linkat),
    CALL(symlink),
    CALL(symlinkat),
    CALL(chmod),
    CALL(fchmodat),
    CALL(chown),
    CALL(fchown),
    CALL(fchownat),
    CALL(utimensat),
    CALL(truncate),
    CALL(chdir),
    CALL(getdents),
    CALL(copy_file_range),
    CALL(inotify_init1),
    CALL(setrlimit),
    CALL(sched_setscheduler),
    CALL(sched_getscheduler),
    CALL(sched_getparam),
    CALL(setpriority),
    CALL(getpriority),
};
const size_t sandbox_soft_call_count = ARRAY_LEN(sandbox_soft_calls);
