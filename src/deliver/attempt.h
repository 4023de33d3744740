// SPDX-License-Identifier: Apache-2.0
/* deliver/attempt.h - one job on one connection: from a dialogue at hand to an outcome for each
 * recipient. */
#pragma once

#include "deliver/connection.h"

/* Tries the job and sends its results; opens a dialogue when there is none that can be used. The
 * job is gone afterwards. Waits. */
void attempt_job(struct connection *c, struct job *j);
