// SPDX-License-Identifier: Apache-2.0
/* sim/trial/trial.h - one seed: the lives and deaths of one relay, and the verdict. */
#pragma once

#include "sim/sim.h"

/* What the run came to. */
struct trial {
    uint64_t trace_hash;
    unsigned lives, messages, violations;
    int64_t virtual_ms;
};

/* Runs the seed; tells on standard output what the ledger complains of. */
void trial_run(const struct sim_options *o, struct trial *ret);
