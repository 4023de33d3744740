// SPDX-License-Identifier: Apache-2.0
/* io/disk_file.c - the bytes of files: whole or an error, whatever the system does in between. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/disk_real.h"

struct disk_file {
    int fd;
    char name[NAME_MAX + 1];
};

/* Nothing happened yet, and asking again is right (fault D06). */
static bool again(void)
{
    return errno == EINTR || errno == EAGAIN;
}

bool disk_file_open(struct disk *d, const char *name, enum disk_mode mode, struct disk_file **ret,
                    struct err *err)
{
    static const int flags[] = {
        [DISK_READ] = O_RDONLY,
        [DISK_WRITE] = O_RDWR,
        [DISK_CREATE] = O_RDWR | O_CREAT | O_EXCL,
    };
    struct disk_file *f;
    int fd;

    assert(disk_name_ok(name) && strlen(name) <= NAME_MAX);
    do
        fd = openat(d->fd, name, flags[mode] | O_CLOEXEC | O_NOFOLLOW, 0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return err_disk(err, mode == DISK_CREATE ? "create" : "open", name);
    f = NEW(struct disk_file);
    f->fd = fd;
    memcpy(f->name, name, strlen(name) + 1);
    *ret = f;
    return true;
}

void disk_file_free(struct disk_file *f)
{
    if (f == NULL)
        return;
    close(f->fd);
    free(f);
}

bool disk_file_allocate(struct disk_file *f, uint64_t size_bytes, struct err *err)
{
    int failed;

    if (size_bytes == 0)
        return true;
    if (size_bytes > INT64_MAX)
        return err_set(err, ERR_LIMIT, "allocate %s: too large", f->name);
    do
        failed = posix_fallocate(f->fd, 0, (off_t)size_bytes);
    while (failed == EINTR || failed == EAGAIN);
    errno = failed;
    return failed == 0 || err_disk(err, "allocate", f->name);
}

bool disk_file_size(struct disk_file *f, uint64_t *ret, struct err *err)
{
    struct stat st;

    if (fstat(f->fd, &st) != 0)
        return err_disk(err, "look at", f->name);
    *ret = (uint64_t)st.st_size;
    return true;
}

/* Removes the first n bytes from what is to be written. */
static void iov_advance(struct iovec **iov, size_t *count, size_t n)
{
    while (*count > 0 && n >= (*iov)->iov_len) {
        n -= (*iov)->iov_len;
        ++*iov;
        --*count;
    }
    if (*count == 0)
        return;
    (*iov)->iov_base = (char *)(*iov)->iov_base + n;
    (*iov)->iov_len -= n;
}

bool disk_file_write(struct disk_file *f, uint64_t at, struct iovec *iov, size_t iov_count,
                     struct err *err)
{
    iov_advance(&iov, &iov_count, 0); /* empty ones in front */
    while (iov_count > 0) {
        int count = iov_count > IOV_MAX ? IOV_MAX : (int)iov_count;
        ssize_t done = pwritev(f->fd, iov, count, (off_t)at);

        if (done < 0 && again())
            continue;
        if (done == 0)
            errno = ENOSPC; /* no progress and no word why */
        if (done <= 0)
            return err_disk(err, "write", f->name);
        at += (uint64_t)done;
        iov_advance(&iov, &iov_count, (size_t)done);
    }
    return true;
}

bool disk_file_read(struct disk_file *f, uint64_t at, void *to, size_t len, struct err *err)
{
    char *into = to;

    while (len > 0) {
        ssize_t got = pread(f->fd, into, len, (off_t)at);

        if (got < 0 && again())
            continue;
        if (got < 0)
            return err_disk(err, "read", f->name);
        if (got == 0)
            return err_set(err, ERR_DAMAGED, "read %s: it ends %zu bytes too early", f->name, len);
        into += got;
        at += (uint64_t)got;
        len -= (size_t)got;
    }
    return true;
}

bool disk_file_sync(struct disk_file *f, struct err *err)
{
    int failed;

    do
        failed = fdatasync(f->fd);
    while (failed != 0 && errno == EINTR);
    return failed == 0 || err_disk(err, "sync", f->name);
}

/* Small files elsewhere ------------------------------------------------------------------------ */

/* At most max + 1 bytes, by which the caller sees that there are too many. */
static bool read_up_to(int fd, const char *path, size_t max, struct buf *to, struct err *err)
{
    while (to->len <= max) {
        size_t room = max + 1 - to->len < 65536 ? max + 1 - to->len : 65536;
        ssize_t got = read(fd, buf_room(to, room), room);

        if (got < 0 && again())
            continue;
        if (got < 0)
            return err_disk(err, "read", path);
        if (got == 0)
            return true;
        to->len += (size_t)got;
    }
    return err_set(err, ERR_LIMIT, "%s: more than %zu bytes", path, max);
}

bool disk_read_file(const char *path, size_t max, struct arena *a, struct str *ret, struct err *err)
{
    struct buf text;
    struct stat st;
    bool ok;
    /* A FIFO would otherwise wait for somebody to write. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return err_disk(err, "open", path);
    buf_init(&text, max + 1);
    if (fstat(fd, &st) != 0)
        ok = err_disk(err, "look at", path);
    else if (!S_ISREG(st.st_mode))
        ok = err_set(err, ERR_CONFIG, "%s: not a file", path);
    else
        ok = read_up_to(fd, path, max, &text, err);
    if (ok)
        *ret = arena_str(a, buf_str(&text));
    close(fd);
    if (text.len > 0)
        mem_wipe(text.ptr, text.len); /* often a key */
    buf_done(&text);
    return ok;
}
