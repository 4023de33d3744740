// SPDX-License-Identifier: Apache-2.0
/* super/doors.h - the listening sockets: bound once by super, inherited by the roles that serve
 * them. */
#pragma once

#include "config/config.h"
#include "wire/role.h"

struct door_row {
    int *fds;
    size_t count;
};
struct doors {
    struct door_row smtp; /* one per config->listeners, in its order */
    struct door_row web;  /* one per config->web_listeners */
    int api;              /* the UNIX socket state_folder/api.sock */
};

MUST_USE bool doors_open(const struct config *c, struct doors *ret, struct err *err);
void doors_close(struct doors *d);
/* What a role listens at over TCP; most roles nowhere. */
const struct door_row *doors_of(const struct doors *d, enum role_kind kind);
