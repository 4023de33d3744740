// SPDX-License-Identifier: Apache-2.0
/* io/disk.c - one folder: its lock, its names, and their durability. The bytes of files are
 * disk_file.c's. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/disk_real.h"

bool err_disk(struct err *err, const char *what, const char *name)
{
    switch (errno) {
    case ENOENT:
        return err_set(err, ERR_NOT_FOUND, "%s %s: not there", what, name);
    case EEXIST:
        return err_set(err, ERR_EXISTS, "%s %s: exists", what, name);
    case EACCES:
    case EPERM:
        return err_set(err, ERR_DENIED, "%s %s: not permitted", what, name);
    default:
        return err_sys(err, "%s %s", what, name);
    }
}

bool disk_name_ok(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int sync_fd(int fd)
{
    int failed;

    do
        failed = fsync(fd);
    while (failed != 0 && errno == EINTR);
    return failed;
}

/* Opening -------------------------------------------------------------------------------------- */

/* A folder that was just made: its own name lies in the folder above. */
static bool sync_parent(int fd, const char *path, struct err *err)
{
    int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = parent >= 0 && sync_fd(parent) == 0;

    if (!ok)
        err_disk(err, "sync the folder above", path);
    if (parent >= 0)
        close(parent);
    return ok;
}

/* The lock lies on the folder itself and goes with the descriptor: none is stale after a crash. */
static bool lock_folder(int fd, const char *path, struct err *err)
{
    int failed;

    do
        failed = flock(fd, LOCK_EX | LOCK_NB);
    while (failed != 0 && errno == EINTR);
    if (failed == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return err_set(err, ERR_EXISTS, "%s: another process uses it", path);
    return err_disk(err, "lock", path);
}

bool disk_open(const char *path, struct disk **ret, struct err *err)
{
    bool made = mkdir(path, 0700) == 0;
    struct disk *d;
    int fd;

    if (!made && errno != EEXIST)
        return err_disk(err, "make", path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_disk(err, "open", path);
    if ((made && !sync_parent(fd, path, err)) || !lock_folder(fd, path, err)) {
        close(fd);
        return false;
    }
    d = NEW(struct disk);
    d->fd = fd;
    d->path = mem_new(strlen(path) + 1);
    memcpy(d->path, path, strlen(path) + 1);
    *ret = d;
    return true;
}

void disk_free(struct disk *d)
{
    if (d == NULL)
        return;
    close(d->fd);
    free(d->path);
    free(d);
}

/* Listing -------------------------------------------------------------------------------------- */

struct listing {
    struct disk_entry *entries;
    size_t count, cap;
};

static void listing_add(struct listing *l, struct disk_entry entry)
{
    if (l->count == l->cap) {
        l->cap = l->cap > 0 ? l->cap * 2 : 64;
        l->entries = mem_grow(l->entries, l->cap, sizeof *l->entries);
    }
    l->entries[l->count++] = entry;
}

static bool list_one(struct disk *d, const char *name, struct arena *a, struct listing *l,
                     struct err *err)
{
    struct stat st;

    if (!disk_name_ok(name))
        return true; /* . and .. */
    if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || err_disk(err, "look at", name);
    listing_add(l, (struct disk_entry){ .name = arena_str(a, str_of(name)),
                                        .size_bytes = (uint64_t)st.st_size,
                                        .is_file = S_ISREG(st.st_mode) });
    return true;
}

static bool list_all(struct disk *d, DIR *dir, struct arena *a, struct listing *l, struct err *err)
{
    struct dirent *e;

    while (errno = 0, (e = readdir(dir)) != NULL)
        if (!list_one(d, e->d_name, a, l, err))
            return false;
    return errno == 0 || err_disk(err, "list", d->path);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct disk_entry *)a)->name, ((const struct disk_entry *)b)->name);
}

bool disk_list(struct disk *d, struct arena *a, struct disk_entry **ret, size_t *ret_count,
               struct err *err)
{
    struct listing l = { .count = 0 };
    int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool ok;

    if (dir == NULL) {
        err_disk(err, "list", d->path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    ok = list_all(d, dir, a, &l, err);
    closedir(dir);
    if (ok) {
        *ret = ARENA_ARRAY(a, struct disk_entry, l.count);
        *ret_count = l.count;
        if (l.count > 0) {
            memcpy(*ret, l.entries, l.count * sizeof *l.entries);
            qsort(*ret, l.count, sizeof **ret, by_name);
        }
    }
    free(l.entries);
    return ok;
}

/* Names ---------------------------------------------------------------------------------------- */

bool disk_rename(struct disk *d, const char *from, const char *to, struct err *err)
{
    assert(disk_name_ok(from) && disk_name_ok(to));
    return renameat(d->fd, from, d->fd, to) == 0 || err_disk(err, "rename", from);
}

bool disk_remove(struct disk *d, const char *name, struct err *err)
{
    assert(disk_name_ok(name));
    return unlinkat(d->fd, name, 0) == 0 || err_disk(err, "remove", name);
}

bool disk_move_into(struct disk *d, const char *name, const char *folder, struct err *err)
{
    bool ok;
    int fd;

    assert(disk_name_ok(name) && disk_name_ok(folder));
    if (mkdirat(d->fd, folder, 0700) != 0 && errno != EEXIST)
        return err_disk(err, "make", folder);
    fd = openat(d->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_disk(err, "open", folder);
    /* What is there already is somebody's evidence: never replaced. */
    ok = renameat2(d->fd, name, fd, name, RENAME_NOREPLACE) == 0 || err_disk(err, "move", name);
    /* Our caller can sync only the folder above. */
    ok = ok && (sync_fd(fd) == 0 || err_disk(err, "sync", folder));
    close(fd);
    return ok;
}

bool disk_sync_folder(struct disk *d, struct err *err)
{
    return sync_fd(d->fd) == 0 || err_disk(err, "sync", d->path);
}

bool disk_free_bytes(struct disk *d, uint64_t *ret, struct err *err)
{
    struct statvfs st;

    if (fstatvfs(d->fd, &st) != 0)
        return err_disk(err, "look at", d->path);
    *ret = (uint64_t)st.f_bavail * st.f_frsize;
    return true;
}
