// SPDX-License-Identifier: Apache-2.0
/* io/disk_real.h - what disk.c (folders) and disk_file.c (files) share. */
#pragma once

#include "io/disk.h"

struct disk {
    int fd; /* of the folder; holds the lock */
    char *path;
};

/* From errno, as err_sys(), but with the kinds that callers of io/disk.h act on. */
bool err_disk(struct err *err, const char *what, const char *name);
/* One component of a path, and not the folder itself: anything else is our own bug. */
bool disk_name_ok(const char *name);
