// SPDX-License-Identifier: Apache-2.0
/* super/doors.h - the listening sockets: bound once by super, inherited by the roles that serve
 * them. */
#pragma once

#include "config/config.h"

struct doors {
    int *listeners; /* one per config->listeners, in its order */
    size_t count;
    int api; /* the UNIX socket state_folder/api.sock */
};

MUST_USE bool doors_open(const struct config *c, struct doors *ret, struct err *err);
void doors_close(struct doors *d);
