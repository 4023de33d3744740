// SPDX-License-Identifier: Apache-2.0
/* io/fiber_stack.c - memory for fibers' stacks: many in one mapping, each above a guard page.
 *
 * Where the kernel has MADV_GUARD_INSTALL (Linux 6.13) a guard page is a mark in the page tables,
 * and a thousand stacks are one mapping. Elsewhere mprotect() splits the mapping in two for each
 * stack, so vm.max_map_count bounds how many there can be.
 *
 * A free stack keeps the pages it has touched while it is among the first in the free list; past
 * WARM_MAX they go back to the kernel. */
#include "io/fiber_stack.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/fiber.h"
#include "io/fiber_sanitize.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define SLAB_STACKS 32
#define WARM_MAX 256
/* Mappings left for libraries, arenas, threads and rings. */
#define MAPS_RESERVED 4096
#define MAPS_MAX_DEFAULT 65530
/* Sanitized frames are several times as large. */
#define STACK_BYTES (FIBER_SANITIZED ? 4 * FIBER_STACK_BYTES : FIBER_STACK_BYTES)

/* In the topmost bytes of a free stack, which were touched by whoever had it. */
struct free_stack {
    struct free_stack *next;
    bool warm;
};

static struct {
    struct free_stack *free;
    size_t warm_count;
    size_t page_bytes; /* 0 until the first use */
    bool guard_marks;  /* MADV_GUARD_INSTALL works */
} pool;

size_t fiber_stack_bytes(void)
{
    return STACK_BYTES;
}

static struct free_stack *free_of(char *bottom)
{
    return (struct free_stack *)(void *)(bottom + STACK_BYTES - sizeof(struct free_stack));
}

static char *bottom_of(struct free_stack *f)
{
    return (char *)f + sizeof *f - STACK_BYTES;
}

static void pool_probe(void)
{
    void *page;

    if (pool.page_bytes != 0)
        return;
    pool.page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    page = mmap(NULL, pool.page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    pool.guard_marks = madvise(page, pool.page_bytes, MADV_GUARD_INSTALL) == 0;
    munmap(page, pool.page_bytes);
}

static long maps_max(void)
{
    char text[32] = "";
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    return got > 0 ? strtol(text, NULL, 10) : MAPS_MAX_DEFAULT;
}

size_t fiber_stack_count_max(void)
{
    long maps;

    pool_probe();
    if (pool.guard_marks)
        return SIZE_MAX;
    maps = maps_max();
    return maps > 2 * MAPS_RESERVED ? (size_t)(maps - MAPS_RESERVED) / 2 : MAPS_RESERVED / 2;
}

static void guard_page(char *page)
{
    int failed = pool.guard_marks ? madvise(page, pool.page_bytes, MADV_GUARD_INSTALL)
                                  : mprotect(page, pool.page_bytes, PROT_NONE);

    if (failed != 0) {
        perror("fiber stack: guard page");
        abort();
    }
}

static void slab_add(void)
{
    size_t stride = pool.page_bytes + STACK_BYTES;
    char *slab = mmap(NULL, stride * SLAB_STACKS, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (slab == MAP_FAILED) {
        perror("fiber stack");
        abort();
    }
    /* A huge page would make the first touch of one stack pay for thirty. */
    (void)madvise(slab, stride * SLAB_STACKS, MADV_NOHUGEPAGE);

    for (size_t i = SLAB_STACKS; i-- > 0;) {
        char *bottom = slab + i * stride + pool.page_bytes;

        guard_page(bottom - pool.page_bytes);
        sanitize_stack_new(bottom, STACK_BYTES);
        *free_of(bottom) = (struct free_stack){ .next = pool.free };
        pool.free = free_of(bottom);
    }
}

void *fiber_stack_take(void)
{
    struct free_stack *f;

    pool_probe();
    if (pool.free == NULL)
        slab_add();
    f = pool.free;
    pool.free = f->next;
    pool.warm_count -= f->warm;
    return bottom_of(f);
}

void fiber_stack_give(void *bottom)
{
    struct free_stack *f = free_of(bottom);
    bool warm = pool.warm_count < WARM_MAX;

    sanitize_stack_clean(bottom, STACK_BYTES);
    /* The topmost page stays in either case: it holds the link, and the next user needs it. */
    if (!warm)
        (void)madvise(bottom, STACK_BYTES - pool.page_bytes, MADV_DONTNEED);
    *f = (struct free_stack){ .next = pool.free, .warm = warm };
    pool.warm_count += warm;
    pool.free = f;
}
