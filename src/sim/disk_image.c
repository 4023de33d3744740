// SPDX-License-Identifier: Apache-2.0
/* sim/disk_image.c - the two pictures of a disk, and how the second follows the first.
 *
 * Contents become durable by sector, as disks write them; a file's size only with its contents'
 * sync; names in the order in which they were changed, as journaling file systems keep them. */
#include "sim/disk_image.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void disk_image_init(struct disk_image *d)
{
    d->capacity_bytes = 64u * 1024 * 1024;
}

/* Names ---------------------------------------------------------------------------------------- */

static struct image_name *name_in(struct image_name *names, const char *folder, const char *name)
{
    for (size_t i = 0; i < IMAGE_NAMES_MAX; i++)
        if (strcmp(names[i].folder, folder) == 0 && strcmp(names[i].name, name) == 0)
            return &names[i];
    return NULL;
}

struct image_name *image_find(struct disk_image *d, const char *folder, const char *name)
{
    return name_in(d->names, folder, name);
}

static struct image_name *name_free(struct image_name *names)
{
    for (size_t i = 0; i < IMAGE_NAMES_MAX; i++)
        if (names[i].folder[0] == '\0')
            return &names[i];
    return NULL;
}

static void change_apply(struct image_name *names, const struct image_change *c)
{
    struct image_name *from =
        c->from.folder[0] ? name_in(names, c->from.folder, c->from.name) : NULL;
    struct image_name *to;

    if (from != NULL)
        *from = (struct image_name){ .file = 0 };
    if (c->to.folder[0] == '\0')
        return;
    to = name_in(names, c->to.folder, c->to.name);
    if (to == NULL)
        to = name_free(names);
    assert(to != NULL);
    *to = c->to;
}

static bool is_named(const struct disk_image *d, uint32_t file)
{
    for (size_t i = 0; i < IMAGE_NAMES_MAX; i++)
        if ((d->names[i].folder[0] && d->names[i].file == file) ||
            (d->durable_names[i].folder[0] && d->durable_names[i].file == file))
            return true;
    for (size_t i = 0; i < d->change_count; i++)
        if (d->changes[i].to.folder[0] && d->changes[i].to.file == file)
            return true;
    return false;
}

/* Files that nothing leads to any more. */
static void collect(struct disk_image *d)
{
    for (uint32_t i = 0; i < IMAGE_FILES_MAX; i++)
        if (d->files[i].used && d->files[i].opens == 0 && !is_named(d, i))
            d->files[i].used = false;
}

static bool change_add(struct disk_image *d, const struct image_change *c)
{
    if (d->change_count == IMAGE_CHANGES_MAX)
        image_sync_names(d); /* a journal that is full is written out */
    if (c->to.folder[0] && name_free(d->names) == NULL)
        return false;
    d->changes[d->change_count++] = *c;
    change_apply(d->names, c);
    return true;
}

static void name_set(struct image_name *n, const char *folder, const char *name, uint32_t file)
{
    assert(strlen(folder) < IMAGE_FOLDER_MAX && strlen(name) < IMAGE_NAME_MAX);
    (void)snprintf(n->folder, sizeof n->folder, "%s", folder);
    (void)snprintf(n->name, sizeof n->name, "%s", name);
    n->file = file;
}

bool image_create(struct disk_image *d, const char *folder, const char *name, uint32_t *ret_file)
{
    struct image_change c = { .from = { .file = 0 } };
    uint32_t file = 0;

    collect(d);
    while (file < IMAGE_FILES_MAX && d->files[file].used)
        file++;
    if (file == IMAGE_FILES_MAX)
        return false;
    memset(d->bytes[file], 0, d->files[file].size);
    memset(d->durable_bytes[file], 0, d->files[file].durable_size);
    d->files[file] = (struct image_file){ .used = true };
    name_set(&c.to, folder, name, file);
    if (!change_add(d, &c))
        return false;
    *ret_file = file;
    return true;
}

bool image_move(struct disk_image *d, const struct image_name *from, const char *folder,
                const char *name)
{
    struct image_change c = { .from = *from };

    if (folder[0] != '\0')
        name_set(&c.to, folder, name, from->file);
    return change_add(d, &c);
}

void image_sync_names(struct disk_image *d)
{
    for (size_t i = 0; i < d->change_count; i++)
        change_apply(d->durable_names, &d->changes[i]);
    d->change_count = 0;
    collect(d);
}

uint64_t disk_image_used(const struct disk_image *d)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < IMAGE_FILES_MAX; i++)
        sum += d->files[i].used ? d->files[i].size : 0;
    return sum;
}

/* Contents ------------------------------------------------------------------------------------- */

static void mark(struct image_file *f, uint64_t at, uint64_t len)
{
    for (uint64_t s = at / IMAGE_SECTOR_BYTES; len > 0 && s <= (at + len - 1) / IMAGE_SECTOR_BYTES;
         s++)
        f->dirty[s / 8] |= (uint8_t)(1u << s % 8);
}

void image_write(struct disk_image *d, uint32_t file, uint64_t at, const void *from, size_t len)
{
    struct image_file *f = &d->files[file];

    assert(at <= IMAGE_FILE_BYTES_MAX && len <= IMAGE_FILE_BYTES_MAX - at);
    memcpy(d->bytes[file] + at, from, len);
    mark(f, at, len);
    if (at + len > f->size)
        f->size = at + len;
}

void image_grow(struct disk_image *d, uint32_t file, uint64_t size)
{
    struct image_file *f = &d->files[file];

    assert(size <= IMAGE_FILE_BYTES_MAX);
    if (size > f->size)
        f->size = size; /* what lies there is zeros already */
}

/* Each dirty sector is copied if `keeps`, and dirty no more. */
static void settle_sectors(struct disk_image *d, uint32_t file, bool (*keeps)(void))
{
    struct image_file *f = &d->files[file];

    for (uint32_t s = 0; s < IMAGE_SECTORS; s++) {
        size_t at = (size_t)s * IMAGE_SECTOR_BYTES;

        if (f->dirty[s / 8] == 0) {
            s |= 7; /* none of the eight */
            continue;
        }
        if (f->dirty[s / 8] & (1u << s % 8) && keeps())
            memcpy(d->durable_bytes[file] + at, d->bytes[file] + at, IMAGE_SECTOR_BYTES);
    }
    memset(f->dirty, 0, sizeof f->dirty);
}

static bool always(void)
{
    return true;
}

void image_sync(struct disk_image *d, uint32_t file)
{
    settle_sectors(d, file, always);
    d->files[file].durable_size = d->files[file].size;
}

void image_sync_in_part(struct disk_image *d, uint32_t file, bool (*keeps)(void))
{
    settle_sectors(d, file, keeps);
    if (keeps())
        d->files[file].durable_size = d->files[file].size;
}

/* Endings -------------------------------------------------------------------------------------- */

void image_close_all(struct disk_image *d)
{
    for (size_t i = 0; i < IMAGE_FILES_MAX; i++)
        d->files[i].opens = 0;
    collect(d);
}

/* What processes see is now what was durable. Zeros stand behind a file's end. */
static void file_forget(struct disk_image *d, uint32_t file, bool (*keeps)(void))
{
    struct image_file *f = &d->files[file];
    uint64_t durable, was = f->size;

    image_sync_in_part(d, file, keeps);
    durable = f->durable_size;
    if (durable < IMAGE_FILE_BYTES_MAX && was > durable)
        memset(d->durable_bytes[file] + durable, 0, was - durable);
    f->size = durable;
    memcpy(d->bytes[file], d->durable_bytes[file], was > durable ? was : durable);
}

void image_forget(struct disk_image *d, bool (*keeps)(void), size_t changes_kept)
{
    for (size_t i = 0; i < d->change_count && i < changes_kept; i++)
        change_apply(d->durable_names, &d->changes[i]);
    d->change_count = 0;
    for (uint32_t i = 0; i < IMAGE_FILES_MAX; i++)
        if (d->files[i].used)
            file_forget(d, i, keeps);
    memcpy(d->names, d->durable_names, sizeof d->names);
    image_close_all(d);
}
