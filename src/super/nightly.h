// SPDX-License-Identifier: Apache-2.0
/* super/nightly.h - once a night `baton doctor --nightly` runs by itself (doctor.nightly): a child
 * of super's own binary, which drops to the roles' user, looks, logs what got worse, and ends. */
#pragma once

#include "config/config.h"
#include "io/loop.h"

struct nightly {
    const struct config *config;
    struct timer timer;
    int pid; /* 0: it does not run */
};

void nightly_init(struct nightly *n, const struct config *config);
/* The configuration was read again. */
void nightly_use(struct nightly *n, const struct config *config);
/* True when it was ours. */
bool nightly_ended(struct nightly *n, int pid);
void nightly_done(struct nightly *n);
