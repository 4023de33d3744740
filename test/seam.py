#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test/seam.py BUILD - no system calls outside src/io and src/sim.

Runs nm over the objects of every other folder and over src/main.c's, and fails, naming object and symbol, on a
reference to an interface of the system (SYSTEM) that ALLOWED does not grant to its folder, and in every folder on
a function that style.md bans (BANNED). Only our own objects are judged, so what a library does inside is its own
matter. Unit tests and fuzz targets are not judged.
"""

import pathlib
import re
import subprocess
import sys

SYSTEM = set(
    """
    open openat openat2 creat fopen fdopen freopen opendir fdopendir readdir closedir scandir nftw fts_open glob
    close close_range dup dup2 dup3 fcntl ioctl flock lockf
    read readv pread preadv preadv2 write writev pwrite pwritev pwritev2 sendfile splice tee vmsplice copy_file_range
    fread fwrite fputs fputc fgets fgetc fgetln getline getdelim fscanf fprintf vfprintf dprintf vdprintf fflush
    printf vprintf puts putchar putc perror
    fsync fdatasync sync syncfs sync_file_range fallocate posix_fallocate ftruncate truncate lseek posix_fadvise
    stat lstat fstat fstatat statx statfs fstatfs statvfs fstatvfs access faccessat
    unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat readlink readlinkat mkdir mkdirat rmdir
    remove mkstemp mkostemp mkdtemp tmpfile mkfifo mknod chmod fchmod fchmodat chown fchown lchown umask utimensat
    futimens inotify_init inotify_init1 inotify_add_watch realpath chdir fchdir chroot getcwd
    socket socketpair bind listen accept accept4 connect shutdown send sendto sendmsg sendmmsg recv recvfrom recvmsg
    recvmmsg getsockopt setsockopt getsockname getpeername getaddrinfo getnameinfo gethostbyname gethostbyaddr
    gethostname res_query res_search getifaddrs if_nametoindex
    poll ppoll select pselect epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd
    timerfd_create timerfd_settime signalfd io_uring_setup io_uring_enter
    clock_gettime clock_getres clock_nanosleep time gettimeofday ftime timespec_get clock times getrusage
    nanosleep usleep sleep alarm setitimer timer_create timer_settime pause
    rand rand_r srand random srandom random_r drand48 lrand48 mrand48 getrandom getentropy arc4random
    arc4random_buf arc4random_uniform RAND_bytes RAND_priv_bytes RAND_pseudo_bytes randombytes_buf
    randombytes_random randombytes_uniform
    pthread_create pthread_mutex_lock pthread_cond_wait pthread_cond_timedwait thrd_create sem_wait sem_timedwait
    fork vfork clone clone3 posix_spawn posix_spawnp system popen execl execle execlp execv execve execvp execvpe
    fexecve execveat wait waitpid waitid wait3 wait4 kill killpg tgkill pidfd_open pidfd_send_signal raise
    sigaction signal sigprocmask pthread_sigmask sigwait sigwaitinfo sigtimedwait sigsuspend
    mmap mmap64 munmap mremap mprotect madvise mlock mlockall memfd_create shm_open shmget
    syscall prctl seccomp ptrace getpid getppid gettid getuid geteuid getgid getegid setuid setgid setresuid
    setresgid setgroups setsid setrlimit getrlimit prlimit sched_setscheduler sched_yield sched_setaffinity
    getpwnam getpwnam_r getpwuid getgrnam getgrnam_r getenv secure_getenv setenv unsetenv putenv
    isatty tcgetattr tcsetattr getpass openlog syslog exit _exit quick_exit
    sqlite3_open sqlite3_open_v2 curl_easy_perform curl_multi_perform ub_resolve ub_resolve_async
    """.split()
)
BANNED = set(
    """
    strcpy strcat strncpy strncat stpcpy sprintf vsprintf strtok strtok_r atoi atol atoll atof gets alloca
    gmtime localtime ctime asctime
    """.split()
)

# What a folder may call all the same, and why.
STDIO = set("printf vprintf puts putchar putc fprintf vfprintf fputs fputc fwrite fflush perror".split())
ALLOWED = {
    # A command reads standard input, prints, looks whether it prints on a terminal, asks the relay over HTTP or SMTP as
    # any client would, and ends with an exit code.
    "cli": STDIO | {"fread", "isatty", "getenv", "secure_getenv", "exit", "curl_easy_perform"},
    # Before there is a log, and of `check-config`, it tells whoever has started it; all else is io/process.h's.
    "super": set("printf fprintf fwrite".split()),
    # The seam of SQLite is the database handle (design.md §4): the simulator takes ":memory:".
    "vault": {"sqlite3_open_v2"},
    "report": {"sqlite3_open_v2"},
    # main.c hands arguments on.
    "main": STDIO | {"exit"},
}
FREE = {"io", "sim"}  # they are the seam

# FORTIFY's and the C library's other names for the same call: __read_chk, __open_2, pread64, __isoc99_fscanf.
OTHER_NAME = re.compile(r"^(?:__isoc(?:99|23)_)?_*(?P<name>[A-Za-z0-9_]+?)(?:_chk(?:_warn|_alias)?|_2|_time64)?$")


def plain_name(symbol):
    """The name that the source has for `symbol`, which may carry a version or a decoration."""
    symbol = symbol.split("@")[0]
    if symbol in SYSTEM or symbol in BANNED:
        return symbol
    name = OTHER_NAME.match(symbol).group("name")
    if name.startswith("xstat") or name in ("fxstat", "lxstat"):
        return "stat"
    for candidate in (name, name.removesuffix("64")):
        if candidate in SYSTEM or candidate in BANNED:
            return candidate
    return symbol


def folder_of(obj):
    """The folder of src/ that an object of a library or of a program was built from, or None."""
    if obj.parent.name == "baton.p":
        return "main"
    library = re.match(r"lib(\w+)\.a\.p$", obj.parent.name)
    if not library:
        return None
    return "io" if library.group(1) == "io_common" else library.group(1)


def undefined(obj):
    command = ["nm", "--undefined-only", "--format=posix", obj]
    listing = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.split()[0] for line in listing.stdout.splitlines() if line.strip()]


def complaints(build):
    """Pairs of (objects judged, complaints)."""
    found, judged = [], 0
    for obj in sorted(build.rglob("*.o")):
        folder = folder_of(obj)
        if folder is None:
            continue
        judged += 1
        for symbol in undefined(obj):
            name = plain_name(symbol)
            where = f"{obj.relative_to(build)}: {symbol}"
            if name in BANNED:
                found.append(f"{where}: banned everywhere (style.md)")
            elif name in SYSTEM and folder not in FREE and name not in ALLOWED.get(folder, ()):
                found.append(f"{where}: {folder} may not call the system; src/io does")
    return judged, found


def main(args):
    if len(args) != 1:
        print("usage: seam.py BUILD", file=sys.stderr)
        return 2
    judged, found = complaints(pathlib.Path(args[0]))
    for line in found:
        print(line, file=sys.stderr)
    if judged == 0:
        print("no objects of ours there: build first", file=sys.stderr)
        return 2
    print(f"{judged} objects, {len(found)} calls past the seam")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
