// SPDX-License-Identifier: Apache-2.0
/* sim/trial/relay.h - the whole relay in this process, as `serve --single` has it, over the
 * simulated seam. */
#pragma once

#include "wire/role.h"

struct relay;

/* Waits. */
MUST_USE bool relay_start(struct relay **ret, struct err *err);
/* What core says of itself: messages that are not ended. */
uint64_t relay_queued(struct relay *r);
/* One role other than core dies without a word and is started anew, with new links. Turns the loop.
 */
MUST_USE bool relay_kill_role(struct relay *r, enum role_kind kind, struct err *err);
/* Drains, and ends all roles. */
void relay_stop(struct relay *r);
