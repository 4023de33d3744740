// SPDX-License-Identifier: Apache-2.0
/* io/timer.h - what the loop asks of the timers: io_common's own matter. */
#pragma once

#include <stdint.h>

/* When the earliest is due; NO_DEADLINE without one. */
int64_t timer_next_ms(void);
/* Runs those that are due, earliest first, equals in the order in which they were set. One that is
 * set while this runs waits for the next turn. */
void timer_run_due(int64_t now_ms);
