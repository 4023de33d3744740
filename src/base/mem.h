// SPDX-License-Identifier: Apache-2.0
/* base/mem.h - heap memory that never fails: out of memory ends the role, which restarts; the spool
 * holds every promise, and sizes from outside met a limit long before (style.md §5). */
#pragma once

#include <stddef.h>

/* Zeroed. */
__attribute__((malloc, alloc_size(1), returns_nonnull)) void *mem_new(size_t size);
__attribute__((malloc, alloc_size(1, 2), returns_nonnull)) void *mem_new_array(size_t count,
                                                                               size_t size);
__attribute__((alloc_size(2, 3), returns_nonnull)) void *mem_grow(void *old, size_t count,
                                                                  size_t size);
/* Overwrites before it is given back: for secrets. */
void mem_wipe(void *ptr, size_t size);

#define NEW(type) ((type *)mem_new(sizeof(type)))
#define NEW_ARRAY(type, count) ((type *)mem_new_array((count), sizeof(type)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
