// SPDX-License-Identifier: Apache-2.0
/* io/machine.h - what the system says of this machine, for whoever looks whether it is fit. Not
 * simulated. */
#pragma once

#include "base/err.h"

struct machine_disk {
    uint64_t bytes, free_bytes; /* free: for others than root */
    uint64_t files, free_files; /* files 0: the file system does not count them */
};
/* Of the file system that holds the path. ERR_IO. */
MUST_USE bool machine_disk(const char *path, struct machine_disk *ret, struct err *err);

struct machine_clock {
    bool is_synced;       /* something keeps the kernel's clock right */
    int64_t error_max_us; /* at most, as the kernel estimates */
};
/* ERR_IO. */
MUST_USE bool machine_clock(struct machine_clock *ret, struct err *err);
