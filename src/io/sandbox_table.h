// SPDX-License-Identifier: Apache-2.0
/* io/sandbox_table.h - which system calls a role may make: data for sandbox.c. */
#pragma once

#include <stddef.h>

#include "io/sandbox.h"

#define SANDBOX_ALWAYS 0u /* in a row's needs: every role may; else any one of them unlocks it */

struct sandbox_call {
    int nr; /* as libseccomp resolves it; negative where this machine has no such call */
    unsigned needs;
};

/* A call that depends on one argument: allowed when (argument & mask) == value. */
struct sandbox_call_if {
    int nr;
    unsigned needs;
    unsigned argument;
    uint64_t mask, value;
};

extern const struct sandbox_call sandbox_calls[];
extern const size_t sandbox_call_count;
extern const struct sandbox_call_if sandbox_calls_if[];
extern const size_t sandbox_call_if_count;
/* Besides the calls above: refused with EPERM where everything unnamed is death, since libraries
 * try them and live without, or the self-test does. */
extern const int sandbox_soft_calls[];
extern const size_t sandbox_soft_call_count;
