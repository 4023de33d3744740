// SPDX-License-Identifier: Apache-2.0
/* io/fiber_switch.c - the first frame of a fiber's stack, as fiber_switch.S expects it; and the
 * ucontext form of both for machines that have no assembly of ours. */
#include "io/fiber_switch.h"

#include <stdint.h>
#include <string.h>

#if defined(FIBER_UCONTEXT)

/* makecontext() hands over ints: the two pointers travel as four halves. */
static void context_start(unsigned fn_high, unsigned fn_low, unsigned arg_high, unsigned arg_low)
{
    uintptr_t fn = (uintptr_t)((uint64_t)fn_high << 32 | fn_low);
    uintptr_t arg = (uintptr_t)((uint64_t)arg_high << 32 | arg_low);

    ((void (*)(void *))fn)((void *)arg);
}

void fiber_context_init(struct fiber_context *c, void *bottom, size_t size, void (*fn)(void *),
                        void *arg)
{
    uint64_t fn_bits = (uintptr_t)fn, arg_bits = (uintptr_t)arg;

    getcontext(&c->saved);
    c->saved.uc_stack.ss_sp = bottom;
    c->saved.uc_stack.ss_size = size;
    c->saved.uc_link = NULL;
    makecontext(&c->saved, (void (*)(void))context_start, 4, (unsigned)(fn_bits >> 32),
                (unsigned)fn_bits, (unsigned)(arg_bits >> 32), (unsigned)arg_bits);
}

void fiber_context_switch(struct fiber_context *from, struct fiber_context *to)
{
    swapcontext(&from->saved, &to->saved);
}

#else

void fiber_context_start(void); /* in fiber_switch.S; never called from C */

#if defined(__x86_64__)

/* In the order in which fiber_context_switch() takes them off the stack. */
struct first_frame {
    void *r15, *r14, *r13, *r12, *rbx, *rbp;
    void *return_to;
    void *unused[2]; /* leaves the stack aligned to 16 where fiber_context_start() calls fn */
};

static struct first_frame frame_make(void (*fn)(void *), void *arg)
{
    return (struct first_frame){
        .r13 = (void *)(uintptr_t)fn,
        .r12 = arg,
        .return_to = (void *)(uintptr_t)fiber_context_start,
    };
}

#elif defined(__aarch64__)

struct first_frame {
    void *x19, *x20, *x21_to_x28[8], *x29, *x30;
    double d8_to_d15[8];
};

static struct first_frame frame_make(void (*fn)(void *), void *arg)
{
    return (struct first_frame){
        .x19 = (void *)(uintptr_t)fn,
        .x20 = arg,
        .x30 = (void *)(uintptr_t)fiber_context_start,
    };
}

#endif

void fiber_context_init(struct fiber_context *c, void *bottom, size_t size, void (*fn)(void *),
                        void *arg)
{
    struct first_frame frame = frame_make(fn, arg);
    char *top = (char *)bottom + size;

    top -= (uintptr_t)top % 16;
    c->sp = memcpy(top - sizeof frame, &frame, sizeof frame);
}

#endif
