// SPDX-License-Identifier: Apache-2.0
/* io/fiber_stack.h - memory for fibers' stacks: many in one mapping, each above a guard page, given
 * out again and again. Knows nothing of fibers. */
#pragma once

#include <stddef.h>

/* What one stack holds, guard page not counted. */
size_t fiber_stack_bytes(void);
/* Its lowest usable byte; what it holds is undefined. Never NULL: no memory aborts. */
void *fiber_stack_take(void);
void fiber_stack_give(void *bottom);
/* How many the kernel lets us have. */
size_t fiber_stack_count_max(void);
