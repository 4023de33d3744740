// SPDX-License-Identifier: Apache-2.0
/* sim/disk.c - io/disk.h over a disk image, with the faults of disks. */
#include "io/disk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/world.h"

struct disk {
    struct list link; /* among those of this process: the lock */
    char path[IMAGE_FOLDER_MAX];
};

struct disk_file {
    uint32_t file;
    char name[IMAGE_NAME_MAX];
};

static struct list open_disks;

static struct disk_image *image(void)
{
    return &world_get()->disk;
}

void sim_disk_capacity(uint64_t bytes)
{
    image()->capacity_bytes = bytes;
}

static bool coin(void)
{
    return sim_draw(2) == 0;
}

static bool never(void)
{
    return false;
}

/* The chance of a fault, or its turn. */
static bool strikes(unsigned in_a_million, unsigned *in)
{
    return (*in > 0 && --*in == 0) || sim_chance(in_a_million);
}

static bool sync_strikes(void)
{
    return strikes(sim_faults()->sync_fails, &sim_faults()->sync_fails_in);
}

static bool read_strikes(void)
{
    return strikes(sim_faults()->read_fails, &sim_faults()->read_fails_in);
}

static bool sync_lies(const char *name)
{
    const char *of = sim_faults()->sync_lies_of;

    return world_get()->sync_lies || (of != NULL && strncmp(name, of, strlen(of)) == 0);
}

void sim_cut_power(void)
{
    struct disk_image *d = image();
    size_t kept = (size_t)sim_draw(d->change_count + 1);
    bool tears = coin();

    sim_trace("power cut: %zu of %zu changes of names kept, unsynced sectors %s", kept,
              d->change_count, tears ? "torn" : "lost");
    image_forget(d, tears ? coin : never, kept);
}

void sim_process_gone(void)
{
    image_close_all(image());
}

/* Folders -------------------------------------------------------------------------------------- */

static bool fail(struct err *err, int sys, const char *what, const char *name)
{
    sim_trace("disk %s %s fails: %d", what, name, sys);
    errno = sys;
    return err_sys(err, "%s %s", what, name);
}

static bool absent(struct err *err, const char *what, const char *name)
{
    return err_set(err, ERR_NOT_FOUND, "%s %s: not there", what, name);
}

bool disk_open(const char *path, struct disk **ret, struct err *err)
{
    if (open_disks.next == NULL)
        list_init(&open_disks);
    LIST_EACH (&open_disks, struct disk, other, link)
        if (strcmp(other->path, path) == 0)
            return err_set(err, ERR_EXISTS, "%s: another process uses it", path);
    if (strlen(path) >= IMAGE_FOLDER_MAX)
        return err_set(err, ERR_LIMIT, "%s: too long", path);
    *ret = NEW(struct disk);
    (void)snprintf((*ret)->path, sizeof(*ret)->path, "%s", path);
    list_append(&open_disks, &(*ret)->link);
    return true;
}

void disk_free(struct disk *d)
{
    if (d == NULL)
        return;
    list_remove(&d->link);
    free(d);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct disk_entry *)a)->name, ((const struct disk_entry *)b)->name);
}

/* The folder below `path` that this name lies in, or NULL. */
static const char *sub_folder(const char *path, const struct image_name *n)
{
    size_t len = strlen(path);

    return strncmp(n->folder, path, len) == 0 && n->folder[len] == '/' ? n->folder + len + 1 : NULL;
}

bool disk_list(struct disk *d, struct arena *a, struct disk_entry **ret, size_t *ret_count,
               struct err *err)
{
    struct disk_entry *list = ARENA_ARRAY(a, struct disk_entry, IMAGE_NAMES_MAX);
    struct disk_image *im = image();
    size_t count = 0;
    bool below = false;

    if (read_strikes())
        return fail(err, EIO, "list", d->path);
    for (size_t i = 0; i < IMAGE_NAMES_MAX; i++) {
        const struct image_name *n = &im->names[i];
        const char *sub = sub_folder(d->path, n);

        if (strcmp(n->folder, d->path) == 0)
            list[count++] =
                (struct disk_entry){ arena_str(a, str_of(n->name)), im->files[n->file].size, true };
        else if (sub != NULL && !below)
            list[count++] = (struct disk_entry){ arena_str(a, str_of(sub)), 0, false };
        below = below || sub != NULL;
    }
    qsort(list, count, sizeof *list, by_name);
    *ret = list;
    *ret_count = count;
    return true;
}

static bool change_fails(const char *what, const char *name, struct err *err)
{
    sim_change();
    return strikes(sim_faults()->write_full, &sim_faults()->write_full_in) &&
           !fail(err, ENOSPC, what, name);
}

bool disk_rename(struct disk *d, const char *from, const char *to, struct err *err)
{
    struct image_name *n = image_find(image(), d->path, from), was;

    if (n == NULL)
        return absent(err, "rename", from);
    if (change_fails("rename", from, err))
        return false;
    was = *n;
    if (!image_move(image(), &was, d->path, to))
        return fail(err, ENOSPC, "rename", from);
    sim_trace("disk rename %s %s", from, to);
    sim_change();
    return true;
}

bool disk_remove(struct disk *d, const char *name, struct err *err)
{
    struct image_name *n = image_find(image(), d->path, name), was;

    if (n == NULL)
        return absent(err, "remove", name);
    sim_change();
    was = *n;
    (void)image_move(image(), &was, "", "");
    sim_trace("disk remove %s", name);
    sim_change();
    return true;
}

bool disk_move_into(struct disk *d, const char *name, const char *folder, struct err *err)
{
    struct image_name *n = image_find(image(), d->path, name), was;
    char path[IMAGE_FOLDER_MAX];

    if (n == NULL)
        return absent(err, "move", name);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", d->path, folder) >= sizeof path)
        return err_set(err, ERR_LIMIT, "%s/%s: too long", d->path, folder);
    if (image_find(image(), path, name) != NULL)
        return err_set(err, ERR_EXISTS, "move %s: exists", name);
    was = *n;
    if (!image_move(image(), &was, path, name))
        return fail(err, ENOSPC, "move", name);
    sim_trace("disk move %s %s", name, folder);
    sim_change();
    return true;
}

bool disk_sync_folder(struct disk *d, struct err *err)
{
    sim_change();
    if (sync_strikes())
        return fail(err, EIO, "sync", d->path);
    if (!sync_lies("/"))
        image_sync_names(image());
    sim_trace("disk sync folder %s", d->path);
    sim_change();
    return true;
}

bool disk_free_bytes(struct disk *d, uint64_t *ret, struct err *err)
{
    uint64_t used = disk_image_used(image());

    (void)d, (void)err;
    *ret = image()->capacity_bytes > used ? image()->capacity_bytes - used : 0;
    return true;
}

/* Files ---------------------------------------------------------------------------------------- */

bool disk_file_open(struct disk *d, const char *name, enum disk_mode mode, struct disk_file **ret,
                    struct err *err)
{
    struct image_name *n = image_find(image(), d->path, name);
    uint32_t file;

    if (mode == DISK_CREATE && n != NULL)
        return err_set(err, ERR_EXISTS, "create %s: exists", name);
    if (mode != DISK_CREATE && n == NULL)
        return absent(err, "open", name);
    if (mode != DISK_CREATE)
        file = n->file;
    else if (change_fails("create", name, err))
        return false;
    else if (!image_create(image(), d->path, name, &file))
        return fail(err, ENOSPC, "create", name);
    sim_trace("disk open %s", name);
    image()->files[file].opens++;
    *ret = NEW(struct disk_file);
    (*ret)->file = file;
    (void)snprintf((*ret)->name, sizeof(*ret)->name, "%s", name);
    return true;
}

void disk_file_free(struct disk_file *f)
{
    if (f == NULL)
        return;
    assert(image()->files[f->file].opens > 0);
    image()->files[f->file].opens--;
    free(f);
}

/* Would it fit if the file were that long? */
static bool has_room(const struct disk_file *f, uint64_t size)
{
    struct disk_image *d = image();
    uint64_t used = disk_image_used(d), now = d->files[f->file].size;

    return size <= IMAGE_FILE_BYTES_MAX &&
           (size <= now || used + (size - now) <= d->capacity_bytes);
}

bool disk_file_allocate(struct disk_file *f, uint64_t size_bytes, struct err *err)
{
    if (change_fails("allocate", f->name, err))
        return false;
    if (!has_room(f, size_bytes))
        return fail(err, ENOSPC, "allocate", f->name);
    image_grow(image(), f->file, size_bytes);
    return true;
}

bool disk_file_size(struct disk_file *f, uint64_t *ret, struct err *err)
{
    (void)err;
    *ret = image()->files[f->file].size;
    return true;
}

static size_t iov_bytes(const struct iovec *iov, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += iov[i].iov_len;
    return sum;
}

/* A write that fails, or that the process does not survive, may have been done in part. */
bool disk_file_write(struct disk_file *f, uint64_t at, struct iovec *iov, size_t iov_count,
                     struct err *err)
{
    size_t len = iov_bytes(iov, iov_count);

    sim_trace("disk write %s %llu+%zu", f->name, (unsigned long long)at, len);
    if (at > IMAGE_FILE_BYTES_MAX || len > IMAGE_FILE_BYTES_MAX - at || !has_room(f, at + len))
        return fail(err, ENOSPC, "write", f->name);
    for (size_t i = 0; i < iov_count; i++) {
        if (change_fails("write", f->name, err))
            return false;
        image_write(image(), f->file, at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    sim_change();
    return true;
}

bool disk_file_read(struct disk_file *f, uint64_t at, void *to, size_t len, struct err *err)
{
    struct disk_image *d = image();
    uint64_t size = d->files[f->file].size;

    if (read_strikes())
        return fail(err, EIO, "read", f->name);
    if (at > size || len > size - at)
        return err_set(err, ERR_DAMAGED, "read %s: it ends too early", f->name);
    memcpy(to, d->bytes[f->file] + at, len);
    return true;
}

bool disk_file_sync(struct disk_file *f, struct err *err)
{
    sim_change();
    if (sync_strikes()) {
        image_sync_in_part(image(), f->file, coin);
        return fail(err, EIO, "sync", f->name);
    }
    if (!sync_lies(f->name))
        image_sync(image(), f->file);
    sim_trace("disk sync %s", f->name);
    sim_change();
    return true;
}

bool disk_read_file(const char *path, size_t max, struct arena *a, struct str *ret, struct err *err)
{
    (void)max, (void)a, (void)ret;
    return absent(err, "read", path);
}
