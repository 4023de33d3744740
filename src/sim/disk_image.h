// SPDX-License-Identifier: Apache-2.0
/* sim/disk_image.h - a disk as two pictures of itself: what processes see, and what would still be
 * there without power. Plain memory without pointers, so that forked processes share it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_FILES_MAX 96
#define IMAGE_FILE_BYTES_MAX (8u * 1024 * 1024)
#define IMAGE_SECTOR_BYTES 512u
#define IMAGE_SECTORS (IMAGE_FILE_BYTES_MAX / IMAGE_SECTOR_BYTES)
#define IMAGE_NAMES_MAX 128
#define IMAGE_CHANGES_MAX 256
#define IMAGE_FOLDER_MAX 128
#define IMAGE_NAME_MAX 64

/* One entry of a folder; folder "" is none. */
struct image_name {
    char folder[IMAGE_FOLDER_MAX];
    char name[IMAGE_NAME_MAX];
    uint32_t file;
};

/* A change of names that no folder sync has covered: adds `to` (unless its folder is ""), after
 * `from` is taken away (the same). */
struct image_change {
    struct image_name from, to;
};

struct image_file {
    bool used;
    uint32_t opens; /* by the process that runs now */
    uint64_t size, durable_size;
    uint8_t dirty[IMAGE_SECTORS / 8]; /* sectors written and not synced */
};

struct disk_image {
    uint64_t capacity_bytes;
    struct image_name names[IMAGE_NAMES_MAX], durable_names[IMAGE_NAMES_MAX];
    struct image_change changes[IMAGE_CHANGES_MAX];
    size_t change_count;
    struct image_file files[IMAGE_FILES_MAX];
    char bytes[IMAGE_FILES_MAX][IMAGE_FILE_BYTES_MAX];
    char durable_bytes[IMAGE_FILES_MAX][IMAGE_FILE_BYTES_MAX];
};

void disk_image_init(struct disk_image *d);
/* Of all files that can be reached. */
uint64_t disk_image_used(const struct disk_image *d);

/* Names: NULL when there is none. */
struct image_name *image_find(struct disk_image *d, const char *folder, const char *name);
/* An empty file under a new name; false when there is no room for one more. */
bool image_create(struct disk_image *d, const char *folder, const char *name, uint32_t *ret_file);
/* `to` with an empty folder: removes. What stood at `to` before is replaced. */
bool image_move(struct disk_image *d, const struct image_name *from, const char *folder,
                const char *name);
void image_sync_names(struct disk_image *d);

/* Files. Writes grow it; the caller has looked at IMAGE_FILE_BYTES_MAX. */
void image_write(struct disk_image *d, uint32_t file, uint64_t at, const void *from, size_t len);
void image_grow(struct disk_image *d, uint32_t file, uint64_t size);
void image_sync(struct disk_image *d, uint32_t file);
/* A sync that failed: `keeps` says of each dirty sector whether it got there; the rest is lost
 * unless it is written again. */
void image_sync_in_part(struct disk_image *d, uint32_t file, bool (*keeps)(void));
/* The machine lost its power: of what was not synced remains what `keeps` says, and of the changes
 * of names the first `changes_kept`. */
void image_forget(struct disk_image *d, bool (*keeps)(void), size_t changes_kept);
/* The process died, the machine did not. */
void image_close_all(struct disk_image *d);
