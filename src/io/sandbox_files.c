// SPDX-License-Identifier: Apache-2.0
/* io/sandbox_files.c - Landlock by raw system calls (neither glibc nor Debian 12 has a library for
 * it).
 *
 * Everything that this kernel's ABI can restrict is restricted, then the role's folders and files
 * are let through. What a newer ABI could add is asked for only where the kernel says that it knows
 * it. */
#include "io/sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* Of <linux/landlock.h>, spelled out because the build machine's header may be older than the
 * kernel. */
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_ABI_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,     /* ABI 2: rename into another folder */
    FS_TRUNCATE = 1 << 14,  /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
    NET_BIND_TCP = 1 << 0,  /* ABI 4 */
    NET_CONNECT_TCP = 1 << 1,
    SCOPE_ABSTRACT_UNIX = 1 << 0, /* ABI 6 */
    CREATE_VERSION = 1 << 0,
    RULE_PATH_BENEATH = 1,
};

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_ON_FILES (FS_READ_FILE | FS_WRITE_FILE | FS_EXECUTE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_WRITE                                                                            \
    (FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | \
     FS_REFER | FS_TRUNCATE)

struct ruleset_attr {
    uint64_t fs, net,
        scoped; /* older kernels accept the longer struct while what they do not know is zero */
};
struct path_beneath_attr {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

static int entered_abi = -1;

int sandbox_files_abi(void)
{
    return entered_abi;
}

static struct ruleset_attr restricted_by(int abi, unsigned needs)
{
    struct ruleset_attr attr = { .fs = FS_ABI_1 };

    attr.fs |=
        (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
    if (abi >= 4 && !(needs & SANDBOX_CONNECT))
        attr.net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (abi >= 6)
        attr.scoped = SCOPE_ABSTRACT_UNIX;
    return attr;
}

static bool add_path_fd(int ruleset, int fd, uint64_t allowed, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_sys(err, "stat %s", path);
    if (!S_ISDIR(st.st_mode))
        allowed &= FS_ON_FILES;
    struct path_beneath_attr attr = { .allowed = allowed, .parent_fd = fd };
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr, 0) < 0)
        return err_sys(err, "landlock rule for %s", path);
    return true;
}

static bool add_path(int ruleset, const char *path, uint64_t allowed, bool may_be_absent,
                     struct err *err)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return (may_be_absent && errno == ENOENT) || err_sys(err, "open %s", path);
    bool ok = add_path_fd(ruleset, fd, allowed, path, err);
    close(fd);
    return ok;
}

static bool add_paths(int ruleset, const struct sandbox_rule *rule, uint64_t handled,
                      struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rule->write_folders) && rule->write_folders[i]; i++)
        if (!add_path(ruleset, rule->write_folders[i], FS_WRITE & handled,
                      /* may_be_absent= */ false, err))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(rule->read_paths) && rule->read_paths[i]; i++)
        if (!add_path(ruleset, rule->read_paths[i], FS_READ & handled, /* may_be_absent= */ true,
                      err))
            return false;
    /* The sanitizers' run-time reads its own maps. */
    return !SANDBOX_LOGS_ONLY ||
           add_path(ruleset, "/proc", FS_READ & handled, /* may_be_absent= */ true, err);
}

static bool restrict_self(const struct sandbox_rule *rule, int abi, struct err *err)
{
    struct ruleset_attr attr = restricted_by(abi, rule->needs);

    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset < 0)
        return err_sys(err, "landlock ruleset");
    bool ok = add_paths(ruleset, rule, attr.fs, err);
    if (ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        ok = err_sys(err, "no_new_privs");
    if (ok && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        ok = err_sys(err, "landlock");
    close(ruleset);
    return ok;
}

bool sandbox_enter_files(const struct sandbox_rule *rule, struct err *err)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

    /* ENOSYS: not built in; EOPNOTSUPP: switched off at boot. Said in the state, not a failure
     * (fault P10). */
    if (abi < 0 && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM)
        return err_sys(err, "landlock version");
    if (abi > 0 && !restrict_self(rule, abi, err))
        return false;
    entered_abi = abi > 0 ? abi : 0;
    return true;
}
