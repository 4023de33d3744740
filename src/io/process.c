// SPDX-License-Identifier: Apache-2.0
/* io/process.c - what only super does (starting roles, binding sockets, signals, dropping to a
 * user), and what every role does once at its start. Confinement itself is sandbox.c. */
#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/sockaddr.h"

#define SOCKET_BUFFER_BYTES (1024 * 1024)
#define LISTEN_BACKLOG 1024
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Sockets
 * --------------------------------------------------------------------------------------------------------
 */

static void set_buffer(int fd, int option)
{
    int size = SOCKET_BUFFER_BYTES;

    /* The smaller limit of the system is fine too: batches just get smaller. */
    (void)setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

bool process_socketpair(int ret_fds[2], struct err *err)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
        return err_sys(err, "socketpair");
    for (int i = 0; i < 2; i++) {
        set_buffer(fds[i], SO_SNDBUF);
        set_buffer(fds[i], SO_RCVBUF);
        ret_fds[i] = fds[i];
    }
    return true;
}

/* Closes and keeps errno for the words about it. */
static bool socket_failed(int fd, struct err *err, const char *verb, const char *where)
{
    (void)err_sys(err, "%s %s", verb, where);
    if (fd >= 0)
        close(fd);
    return false;
}

bool process_listen_tcp(const struct endpoint *at, int *ret_fd, struct err *err)
{
    struct sockaddr_storage address;
    char where[ENDPOINT_TEXT_MAX];
    const int on = 1;

    endpoint_format(at, where);
    socklen_t len = sockaddr_make(at, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return socket_failed(fd, err, "socket for", where);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "::" is not also 0.0.0.0: each address that is bound is one that was configured. */
    if (address.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    /* Inherited by what is accepted: nothing waits for Nagle and delayed acknowledgements. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, len) < 0)
        return socket_failed(fd, err, "bind to", where);
    if (listen(fd, LISTEN_BACKLOG) < 0)
        return socket_failed(fd, err, "listen on", where);
    *ret_fd = fd;
    return true;
}

/* A socket that nobody listens on any more is in the way; one that answers belongs to a running
 * instance. */
static bool remove_stale_socket(const struct sockaddr_un *address, struct err *err)
{
    struct stat st;

    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT || err_sys(err, "stat %s", address->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_EXISTS, "%s exists and is not a socket", address->sun_path);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, "socket");
    bool refused =
        connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
    close(fd);
    if (!refused)
        return err_set(err, ERR_EXISTS, "%s: another process listens there", address->sun_path);
    return unlink(address->sun_path) == 0 || err_sys(err, "unlink %s", address->sun_path);
}

/* Bound without any permission for others, so that there is no moment in which they have one. */
static bool bind_unix(int fd, const struct sockaddr_un *address, int group_id, struct err *err)
{
    mode_t old = umask(0777);
    int bound = bind(fd, (const struct sockaddr *)address, sizeof *address);
    umask(old);

    if (bound < 0)
        return err_sys(err, "bind to %s", address->sun_path);
    if (group_id >= 0 && lchown(address->sun_path, (uid_t)-1, (gid_t)group_id) < 0)
        return err_sys(err, "group %d for %s", group_id, address->sun_path);
    if (chmod(address->sun_path, 0660) < 0)
        return err_sys(err, "mode of %s", address->sun_path);
    return listen(fd, LISTEN_BACKLOG) == 0 || err_sys(err, "listen on %s", address->sun_path);
}

bool process_listen_unix(const char *path, int group_id, int *ret_fd, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof address.sun_path)
        return err_set(err, ERR_CONFIG, "socket path of %zu octets; at most %zu", len,
                       sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, len);
    if (!remove_stale_socket(&address, err))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, "socket");
    if (!bind_unix(fd, &address, group_id, err)) {
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

bool process_peer_ids(int fd, int *ret_uid, int *ret_gid, struct err *err)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return err_sys(err, "SO_PEERCRED");
    *ret_uid = (int)peer.uid;
    *ret_gid = (int)peer.gid;
    return true;
}

bool process_look_file(const char *path, bool *ret_is_file, unsigned *ret_mode, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return err_sys(err, "%s", path);
    *ret_is_file = S_ISREG(st.st_mode);
    *ret_mode = (unsigned)st.st_mode & 07777;
    return true;
}

/* Sealed bytes
 * ---------------------------------------------------------------------------------------------------
 */

static bool write_all(int fd, struct str bytes, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR)
            return err_sys(err, "write");
        if (n > 0)
            bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

bool process_seal(const char *name, struct str bytes, int *ret_fd, struct err *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_sys(err, "memfd %s", name);

    bool ok = write_all(fd, bytes, err);
    if (ok && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        ok = err_sys(err, "seals");
    if (!ok) {
        close(fd);
        return err_at(err, "memfd %s", name);
    }
    *ret_fd = fd;
    return true;
}

static bool read_all(int fd, char *to, size_t len, struct err *err)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = pread(fd, to + at, len - at, (off_t)at);
        if (n == 0)
            return err_set(err, ERR_DAMAGED, "ends after %zu of %zu octets", at, len);
        if (n < 0 && errno != EINTR)
            return err_sys(err, "read");
        if (n > 0)
            at += (size_t)n;
    }
    return true;
}

bool process_read_sealed(int fd, size_t max, char **ret, size_t *ret_len, struct err *err)
{
    struct stat st;

    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0)
        return err_sys(err, "seals");
    if ((seals & SEALS) != SEALS)
        return err_set(err, ERR_DENIED, "memfd may still change");
    if (fstat(fd, &st) < 0)
        return err_sys(err, "stat");
    if (st.st_size < 0 || (size_t)st.st_size > max)
        return err_set(err, ERR_LIMIT, "memfd of %lld octets; at most %zu", (long long)st.st_size,
                       max);

    size_t len = (size_t)st.st_size;
    char *bytes = mem_new(len + 1); /* a NUL behind the end */
    if (!read_all(fd, bytes, len, err)) {
        free(bytes);
        return false;
    }
    *ret = bytes;
    *ret_len = len;
    return true;
}

/* Once, at start
 * -------------------------------------------------------------------------------------------------
 */

/* The kernel forgets PR_SET_PDEATHSIG when ids change; a role without super must still end. */
static bool become(const struct passwd *pw, struct err *err)
{
    int death_signal = 0;

    (void)prctl(PR_GET_PDEATHSIG, &death_signal);
    if (initgroups(pw->pw_name, pw->pw_gid) < 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
        return err_sys(err, "becoming user %s", pw->pw_name);
    return prctl(PR_SET_PDEATHSIG, death_signal) == 0 || err_sys(err, "death signal");
}

static bool find_user(const char *user, const struct passwd **ret, struct err *err)
{
    errno = 0;
    *ret = getpwnam(user);
    if (*ret)
        return true;
    return errno ? err_sys(err, "user %s", user)
                 : err_set(err, ERR_CONFIG, "no user %s on this machine", user);
}

bool process_give_file(const char *path, const char *user, struct err *err)
{
    const struct passwd *pw;

    return find_user(user, &pw, err) &&
           (lchown(path, pw->pw_uid, (gid_t)-1) == 0 || err_sys(err, "chown %s", path));
}

bool process_drop_to_user(const char *user, struct err *err)
{
    const struct passwd *pw;

    if (!find_user(user, &pw, err))
        return false;

    if (geteuid() == pw->pw_uid && getuid() == pw->pw_uid)
        return true;
    if (!become(pw, err))
        return false;
    /* A kernel or container that only pretended would be worse than one that refused. */
    if (pw->pw_uid != 0 && (setuid(0) == 0 || geteuid() != pw->pw_uid || getegid() != pw->pw_gid))
        return err_set(err, ERR_DENIED, "still root after becoming user %s", user);
    return true;
}

void process_prepare(bool sched_batch)
{
    const struct rlimit no_core = { 0, 0 };
    const struct sched_param param = { 0 };
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    /* Neither in a core file nor for a debugger of the same user: keys and other people's mail are
     * in our memory. */
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (sched_batch)
        (void)sched_setscheduler(0, SCHED_BATCH, &param);
}

/* --- small things that super and the roles need of the system --- */

bool process_group_id(const char *name, int *ret, struct err *err)
{
    struct group *g = getgrnam(name);

    if (!g)
        return err_set(err, ERR_NOT_FOUND, "there is no group %s on this system", name);
    *ret = (int)g->gr_gid;
    return true;
}

int process_user_id(void)
{
    return (int)geteuid();
}

int process_self(void)
{
    return (int)getpid();
}

void process_name(const char *name)
{
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

void process_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

int process_duplicate(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

bool process_signal_is_reload(int signo)
{
    return signo == SIGHUP;
}

bool process_signal_is_reopen(int signo)
{
    return signo == SIGUSR1;
}
