// SPDX-License-Identifier: Apache-2.0
/* io/log_file.c - the file behind standard error: opened, measured, put aside under a number. When
 * that happens is super's matter (super/log_keeper.c); what is written into it is log_sink.c's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/process.h"

#define PATH_BYTES_MAX 4096

bool process_stderr_take(int fd, struct err *err)
{
    bool ok = dup2(fd, 2) == 2 || err_sys(err, "standard error");

    process_close(fd);
    return ok;
}

bool process_stderr_to(const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (fd < 0)
        return err_sys(err, "log.file %s", path);
    return process_stderr_take(fd, err);
}

bool process_file_size(const char *path, uint64_t *ret, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s: there is no such file", path)
                               : err_sys(err, "%s", path);
    *ret = (uint64_t)st.st_size;
    return true;
}

/* PATH.<number>; PATH itself is number 0. */
static const char *numbered(struct buf *to, const char *path, unsigned number)
{
    buf_clear(to);
    buf_addf(to, "%s", path);
    if (number > 0)
        buf_addf(to, ".%u", number);
    return buf_cstr(to);
}

bool process_file_put_aside(const char *path, unsigned keep, struct err *err)
{
    struct buf from, to;
    bool ok = true;

    buf_init(&from, PATH_BYTES_MAX);
    buf_init(&to, PATH_BYTES_MAX);
    for (unsigned number = keep; ok && number > 0; number--) {
        const char *older = numbered(&to, path, number);
        const char *newer = numbered(&from, path, number - 1);
        if (!buf_ok(&to) || !buf_ok(&from))
            ok = err_set(err, ERR_LIMIT, "%s: the name is too long", path);
        else if (rename(newer, older) < 0 && errno != ENOENT)
            ok = err_sys(err, "renaming %s to %s", newer, older);
    }
    buf_done(&from);
    buf_done(&to);
    return ok;
}
