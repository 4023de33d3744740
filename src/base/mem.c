// SPDX-License-Identifier: Apache-2.0
/* base/mem.c - the heap, asked so that it can't say no. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mem_new(size_t size)
{
    return mem_new_array(1, size);
}

void *mem_new_array(size_t count, size_t size)
{
    /* calloc looks after count * size; a size of 0 still gets an address of its own. */
    void *ptr = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (!ptr)
        abort();
    return ptr;
}

void *mem_grow(void *old, size_t count, size_t size)
{
    void *ptr = reallocarray(old, count > 0 ? count : 1, size > 0 ? size : 1);

    if (!ptr)
        abort();
    return ptr;
}

void mem_wipe(void *ptr, size_t size)
{
    if (size > 0)
        explicit_bzero(ptr, size); /* plain memset would be optimised away before free() */
}
