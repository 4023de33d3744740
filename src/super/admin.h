// SPDX-License-Identifier: Apache-2.0
/* super/admin.h - what web asks super for: status of all roles, reload, drain. */
#pragma once

#include "base/buf.h"
#include "wire/wire.h"

#define ADMIN_STATUS_MAX 3000

struct admin_status; /* an answer that is being gathered */

struct admin_ops {
    /* Calls admin_status_row() for each role, now or later, then admin_status_end(). */
    void (*status)(void *arg, struct admin_status *to);
    bool (*reload)(void *arg, struct err *err);
    bool (*exchange_secret)(void *arg, struct err *err);
    void (*stop)(void *arg);
};

struct admin {
    const struct admin_ops *ops;
    void *arg;
    struct channel *channel; /* to web; NULL while it is away */
    uint32_t generation;
    bool secret_exchanged; /* since our start */
};

void admin_init(struct admin *a, const struct admin_ops *ops, void *arg);
void admin_link(struct admin *a, struct channel *c);
void admin_done(struct admin *a);

/* `facts`: the role's own, a JSON members or nothing; `state`: what confinement is in force. */
void admin_status_row(struct admin_status *s, enum role_kind kind, unsigned instance,
                      struct str state, struct str facts);
void admin_status_end(struct admin_status *s);
