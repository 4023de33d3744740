// SPDX-License-Identifier: Apache-2.0
/* io/disk.h - one folder of files, and what makes them durable. Every call blocks: at start, or on
 * a worker.
 *
 * Names are single path components inside the folder. A file's name is durable only after
 * disk_sync_folder(), its bytes only after disk_file_sync(); the simulator forgets everything else
 * at a power cut. Short writes, EINTR and EAGAIN are handled here (fault D06). */
#pragma once

#include <sys/uio.h>

#include "base/arena.h"
#include "base/err.h"

struct disk; /* a folder */
struct disk_file;

/* Opens the folder `path`, making it (0700) when absent, and locks it against a second instance:
 * ERR_EXISTS when another process holds it (fault C17). */
MUST_USE bool disk_open(const char *path, struct disk **ret, struct err *err);
void disk_free(struct disk *d);

struct disk_entry {
    struct str name;
    uint64_t size_bytes;
    bool is_file;
};
/* All entries but . and .., sorted by name, in the arena. */
MUST_USE bool disk_list(struct disk *d, struct arena *a, struct disk_entry **ret, size_t *ret_count,
                        struct err *err);
MUST_USE bool disk_rename(struct disk *d, const char *from, const char *to, struct err *err);
MUST_USE bool disk_remove(struct disk *d, const char *name, struct err *err);
/* Into the sub-folder, which is made when absent. */
MUST_USE bool disk_move_into(struct disk *d, const char *name, const char *folder, struct err *err);
MUST_USE bool disk_sync_folder(struct disk *d, struct err *err);
/* Bytes that we may still write, quota and reserve of the file system respected. */
MUST_USE bool disk_free_bytes(struct disk *d, uint64_t *ret, struct err *err);

enum disk_mode { DISK_READ, DISK_WRITE /* and read */, DISK_CREATE /* write; must not exist */ };
MUST_USE bool disk_file_open(struct disk *d, const char *name, enum disk_mode mode,
                             struct disk_file **ret, struct err *err);
void disk_file_free(struct disk_file *f);
/* Blocks for the whole range; the size grows to it. ERR_FULL. */
MUST_USE bool disk_file_allocate(struct disk_file *f, uint64_t size_bytes, struct err *err);
MUST_USE bool disk_file_size(struct disk_file *f, uint64_t *ret, struct err *err);
/* All of it or an error; iov is changed. */
MUST_USE bool disk_file_write(struct disk_file *f, uint64_t at, struct iovec *iov, size_t iov_count,
                              struct err *err);
/* Exactly `len` bytes: a shorter file is ERR_DAMAGED. */
MUST_USE bool disk_file_read(struct disk_file *f, uint64_t at, void *to, size_t len,
                             struct err *err);
/* fdatasync. After a failure the file's unsynced bytes are lost for good: never retry and trust
 * (fault D04). */
MUST_USE bool disk_file_sync(struct disk_file *f, struct err *err);

/* A whole small file outside the spool folder (certificates, configuration): at most `max` bytes
 * into the arena. */
MUST_USE bool disk_read_file(const char *path, size_t max, struct arena *a, struct str *ret,
                             struct err *err);
