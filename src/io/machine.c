// SPDX-License-Identifier: Apache-2.0
/* io/machine.c - statvfs and adjtimex. */
#include "io/machine.h"

#include <sys/statvfs.h>
#include <sys/timex.h>

bool machine_disk(const char *path, struct machine_disk *ret, struct err *err)
{
    struct statvfs v;

    if (statvfs(path, &v) < 0)
        return err_sys(err, "%s", path);
    *ret = (struct machine_disk){ .bytes = (uint64_t)v.f_blocks * v.f_frsize,
                                  .free_bytes = (uint64_t)v.f_bavail * v.f_frsize,
                                  .files = v.f_files,
                                  .free_files = v.f_favail };
    return true;
}

bool machine_clock(struct machine_clock *ret, struct err *err)
{
    struct timex t = { .modes = 0 }; /* asks, sets nothing */
    int state = adjtimex(&t);

    if (state < 0)
        return err_sys(err, "adjtimex");
    *ret = (struct machine_clock){ .is_synced = state != TIME_ERROR && !(t.status & STA_UNSYNC),
                                   .error_max_us = t.maxerror };
    return true;
}
