// SPDX-License-Identifier: Apache-2.0
/* io/fiber_switch.h - leaving one stack for another: the one thing about fibers that C cannot say.
 *
 * Assembly for x86-64 and aarch64 (fiber_switch.S); ucontext elsewhere, and wherever the build says
 * -DFIBER_UCONTEXT=1, which costs two system calls a switch. Knows nothing of scheduling. */
#pragma once

#include <stddef.h>

#if !defined(FIBER_UCONTEXT) && !defined(__x86_64__) && !defined(__aarch64__)
#define FIBER_UCONTEXT 1
#endif

#ifdef FIBER_UCONTEXT
#include <ucontext.h>
struct fiber_context {
    ucontext_t saved;
};
#else
struct fiber_context {
    void *sp; /* must stay first: fiber_switch.S stores here */
};
#endif

/* Lets the first switch to `c` call fn(arg) on the stack bottom[0…size). fn never returns. */
void fiber_context_init(struct fiber_context *c, void *bottom, size_t size, void (*fn)(void *),
                        void *arg);
/* Saves where we are in `from`, goes on where `to` was saved. */
void fiber_context_switch(struct fiber_context *from, struct fiber_context *to);
