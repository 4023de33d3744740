// SPDX-License-Identifier: Apache-2.0
/* io/fiber_sanitize.h - tells ASan, TSan and valgrind which stack we are on; nothing elsewhere. */
#pragma once

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#endif

#if defined(FIBER_ASAN) || defined(FIBER_TSAN)
#define FIBER_SANITIZED 1
#else
#define FIBER_SANITIZED 0
#endif

#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif

/* What a sanitizer knows of one stack; the loop's own has one too. */
struct sanitize_stack {
#ifdef FIBER_ASAN
    void *fake;         /* ASan's, while we are elsewhere */
    const void *bottom; /* of the loop's own stack: learnt at the first switch */
    size_t size;
#endif
#ifdef FIBER_TSAN
    void *tsan;
#endif
    char unused; /* a struct has a member */
};

/* Once for each piece of memory that will be a stack. Never taken back: the pool keeps it. */
static inline void sanitize_stack_new(void *bottom, size_t size)
{
#ifdef VALGRIND_STACK_REGISTER
    (void)VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size);
#endif
    (void)bottom, (void)size;
}

/* The frames that lay on it are gone, and with them the red zones between their variables. */
static inline void sanitize_stack_clean(void *bottom, size_t size)
{
#ifdef FIBER_ASAN
    ASAN_UNPOISON_MEMORY_REGION(bottom, size);
#endif
    (void)bottom, (void)size;
}

static inline void sanitize_fiber_new(struct sanitize_stack *s, const void *bottom, size_t size)
{
#ifdef FIBER_ASAN
    s->bottom = bottom;
    s->size = size;
#endif
#ifdef FIBER_TSAN
    s->tsan = __tsan_create_fiber(0);
#endif
    (void)s, (void)bottom, (void)size;
}

static inline void sanitize_fiber_free(struct sanitize_stack *s)
{
#ifdef FIBER_TSAN
    __tsan_destroy_fiber(s->tsan);
#endif
    (void)s;
}

/* Before a switch. `ends`: nobody comes back to `from`. */
static inline void sanitize_leave(struct sanitize_stack *from, struct sanitize_stack *to, int ends)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(ends ? NULL : &from->fake, to->bottom, to->size);
#endif
#ifdef FIBER_TSAN
    if (from->tsan == NULL)
        from->tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
    (void)from, (void)to, (void)ends;
}

/* After it, on the stack arrived at; `from` is the one we came from. */
static inline void sanitize_arrive(struct sanitize_stack *here, struct sanitize_stack *from)
{
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(here->fake, &from->bottom, &from->size);
#endif
    (void)here, (void)from;
}
