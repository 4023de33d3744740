// SPDX-License-Identifier: Apache-2.0
/* io/fiber.c - fibers: their lives, and whose turn it is to run.
 *
 * A fiber is resumed only by fiber_run_ready(), from the loop's own stack, and always switches back
 * to it: never from one fiber to another. What fibers wait on is gate.c's; memory for their stacks
 * is fiber_stack.c's.
 *
 * The struct lies at the top of its own stack, so that a fiber that has done little has touched one
 * page in all. */
#include "io/fiber.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/fiber_run.h"
#include "io/fiber_sanitize.h"
#include "io/fiber_stack.h"
#include "io/fiber_switch.h"
#include "io/loop.h"

/* Fibers that wake each other may go on for so many rounds before the loop looks outside again. */
#define ROUNDS_A_TURN 8

struct fiber {
    struct fiber_context context;
    struct list live; /* among all: for fiber-gdb.py */
    struct list link; /* among the ready, while it is ready */
    const char *name;
    fiber_fn *fn;
    void *arg;
    struct waiter *waiter;
    bool cancelled;
    bool finished;
    struct sanitize_stack sanitize;
};

static struct {
    struct list live;
    struct list ready;
    struct list yielded; /* ready in the next turn */
    size_t count, count_max;
    struct fiber *running; /* NULL: on the loop's stack */
    struct fiber_context loop;
    struct sanitize_stack loop_sanitize;
} fibers;

void fiber_init(void)
{
    list_init(&fibers.live);
    list_init(&fibers.ready);
    list_init(&fibers.yielded);
    fibers.count_max = fiber_stack_count_max();
}

static void *stack_of(struct fiber *f)
{
    return (char *)(f + 1) - fiber_stack_bytes();
}

static void switch_to_loop(struct fiber *f)
{
    sanitize_leave(&f->sanitize, &fibers.loop_sanitize, f->finished);
    fiber_context_switch(&f->context, &fibers.loop);
    sanitize_arrive(&f->sanitize, &fibers.loop_sanitize);
}

/* The first function on each fiber's stack. */
static void fiber_main(void *arg)
{
    struct fiber *f = arg;

    sanitize_arrive(&f->sanitize, &fibers.loop_sanitize);
    f->fn(f->arg);
    f->finished = true;
    switch_to_loop(f);
    abort();
}

struct fiber *fiber_spawn(const char *name, fiber_fn *fn, void *arg)
{
    char *bottom;
    struct fiber *f;

    if (fibers.count >= fibers.count_max) {
        fprintf(stderr, "fiber %s: %zu live already: raise vm.max_map_count\n", name, fibers.count);
        abort();
    }
    bottom = fiber_stack_take();
    f = (struct fiber *)(void *)(bottom + fiber_stack_bytes()) - 1;
    *f = (struct fiber){ .name = name, .fn = fn, .arg = arg };
    fiber_context_init(&f->context, bottom, (size_t)((char *)f - bottom), fiber_main, f);
    sanitize_fiber_new(&f->sanitize, bottom, (size_t)((char *)f - bottom));
    list_append(&fibers.live, &f->live);
    list_append(&fibers.ready, &f->link);
    fibers.count++;
    return f;
}

static void fiber_end(struct fiber *f)
{
    list_remove(&f->live);
    fibers.count--;
    sanitize_fiber_free(&f->sanitize);
    fiber_stack_give(stack_of(f));
}

static void resume(struct fiber *f)
{
    fibers.running = f;
    sanitize_leave(&fibers.loop_sanitize, &f->sanitize, false);
    fiber_context_switch(&fibers.loop, &f->context);
    sanitize_arrive(&fibers.loop_sanitize, &f->sanitize);
    fibers.running = NULL;
    if (f->finished)
        fiber_end(f);
}

void fiber_run_ready(void)
{
    struct list batch;
    struct fiber *f;

    for (int round = 0; round < ROUNDS_A_TURN && !list_empty(&fibers.ready); round++) {
        list_move(&batch, &fibers.ready);
        while ((f = LIST_FIRST(&batch, struct fiber, link)) != NULL) {
            list_remove(&f->link);
            resume(f);
        }
    }

    list_move(&batch, &fibers.yielded);
    while ((f = LIST_FIRST(&batch, struct fiber, link)) != NULL) {
        list_remove(&f->link);
        list_append(&fibers.ready, &f->link);
    }
}

bool fiber_any_ready(void)
{
    return !list_empty(&fibers.ready);
}

void fiber_make_ready(struct fiber *f)
{
    list_append(&fibers.ready, &f->link);
}

void fiber_park(void)
{
    assert(fibers.running != NULL);
    switch_to_loop(fibers.running);
}

void fiber_set_waiter(struct fiber *f, struct waiter *w)
{
    f->waiter = w;
}

bool fiber_is_cancelled(const struct fiber *f)
{
    return f->cancelled;
}

struct fiber *fiber_self(void)
{
    return fibers.running;
}

const char *fiber_name(const struct fiber *f)
{
    return f->name;
}

void fiber_cancel(struct fiber *f)
{
    f->cancelled = true;
    if (f->waiter != NULL)
        waiter_cancel(f->waiter);
}

void fiber_yield(void)
{
    if (fibers.running == NULL) {
        loop_turn(0);
        return;
    }
    list_append(&fibers.yielded, &fibers.running->link);
    fiber_park();
}

size_t fiber_count(void)
{
    return fibers.count;
}

size_t fiber_count_max(void)
{
    return fibers.count_max;
}
