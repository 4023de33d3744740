// SPDX-License-Identifier: Apache-2.0
/* io/clock.h - time and randomness of the world. */
#pragma once

#include "base/str.h"

/* For waiting and for ages: never goes back. loop_now_ms() is the cheaper one, taken once a turn.
 */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/* For dates, since 1970. */
int64_t clock_wall_ms(void);

/* From the kernel; aborts when it has none (fault Y10). */
void random_bytes(void *to, size_t len);
uint64_t random_u64(void);
/* Evenly among 0 … below-1. */
uint64_t random_below(uint64_t below);
