// SPDX-License-Identifier: Apache-2.0
/* sim/trial/relay.h - the whole relay in this process, as `serve --single` has it, over the
 * simulated seam. */
#pragma once

#include "base/err.h"

struct relay;

/* Waits. */
MUST_USE bool relay_start(struct relay **ret, struct err *err);
/* What core says of itself: messages that are not ended. */
uint64_t relay_queued(struct relay *r);
/* Drains, and ends all roles. */
void relay_stop(struct relay *r);
