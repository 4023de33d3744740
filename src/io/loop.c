// SPDX-License-Identifier: Apache-2.0
/* io/loop.c - the turning of a process, the same over the real world and the simulated one.
 *
 * One turn: wait (backend_wait handles what happened), calls posted by threads, timers, fibers, the
 * ends of the turn. It does not wait while a fiber is ready or a post is pending. */
#include "io/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "io/clock.h"
#include "io/fiber_run.h"
#include "io/loop_backend.h"
#include "io/timer.h"

static struct {
    bool ready;
    bool stopped;
    bool turning;
    int64_t now_ms;
    struct list ends;     /* struct turn_end, by order */
    struct list *next;    /* the one that runs next, while they run */
    pthread_mutex_t lock; /* guards posts */
    struct list posts;
} loop = { .lock = PTHREAD_MUTEX_INITIALIZER };

void loop_init(void)
{
    if (loop.ready)
        return;
    loop.ready = true;
    list_init(&loop.ends);
    list_init(&loop.posts);
    loop.now_ms = clock_mono_ms();
    fiber_init();
    backend_init();
}

int64_t loop_now_ms(void)
{
    assert(loop.ready);
    return loop.now_ms;
}

/* Posts ---------------------------------------------------------------------------------------- */

void loop_post_in(struct post *p, void (*fn)(void *arg), void *arg)
{
    bool first;

    p->fn = fn;
    p->arg = arg;
    pthread_mutex_lock(&loop.lock);
    first = list_empty(&loop.posts);
    list_append(&loop.posts, &p->link);
    pthread_mutex_unlock(&loop.lock);
    if (first)
        backend_wake();
}

struct owned_post {
    struct post post;
    void (*fn)(void *arg);
    void *arg;
};

static void owned_post_run(void *arg)
{
    struct owned_post own = *(struct owned_post *)arg;

    free(arg);
    own.fn(own.arg);
}

void loop_post(void (*fn)(void *arg), void *arg)
{
    struct owned_post *p = NEW(struct owned_post);

    p->fn = fn;
    p->arg = arg;
    loop_post_in(&p->post, owned_post_run, p);
}

static bool post_any(void)
{
    bool any;

    pthread_mutex_lock(&loop.lock);
    any = !list_empty(&loop.posts);
    pthread_mutex_unlock(&loop.lock);
    return any;
}

/* Those that are there now; what they post runs in the next turn. */
static void post_run_all(void)
{
    struct list batch;
    struct post *p;

    pthread_mutex_lock(&loop.lock);
    list_move(&batch, &loop.posts);
    pthread_mutex_unlock(&loop.lock);
    while ((p = LIST_FIRST(&batch, struct post, link)) != NULL) {
        list_remove(&p->link);
        p->fn(p->arg);
    }
}

/* Ends of the turn ----------------------------------------------------------------------------- */

void turn_end_add(struct turn_end *t, int order, void (*fn)(void *arg), void *arg)
{
    struct list *at = loop.ends.next;

    assert(loop.ready);
    while (at != &loop.ends && CONTAINER_OF(at, struct turn_end, link)->order <= order)
        at = at->next;
    *t = (struct turn_end){ .order = order, .fn = fn, .arg = arg };
    list_add_before(at, &t->link);
}

void turn_end_remove(struct turn_end *t)
{
    if (loop.next == &t->link)
        loop.next = t->link.next;
    list_remove(&t->link);
}

static void turn_end_run_all(void)
{
    loop.next = loop.ends.next;
    while (loop.next != &loop.ends) {
        struct turn_end *t = CONTAINER_OF(loop.next, struct turn_end, link);

        loop.next = t->link.next;
        t->fn(t->arg);
    }
    loop.next = NULL;
}

/* The turn ------------------------------------------------------------------------------------- */

static int64_t wait_until(int64_t max_wait_ms)
{
    int64_t next = timer_next_ms(), limit;

    if (fiber_any_ready() || post_any())
        return loop.now_ms;
    if (__builtin_add_overflow(loop.now_ms, max_wait_ms, &limit))
        limit = NO_DEADLINE;
    return next < limit ? next : limit;
}

void loop_turn(int64_t max_wait_ms)
{
    /* Waiting in a callback, or turning the loop from a fiber, would turn it inside its own turn.
     */
    assert(loop.ready && !loop.turning && fiber_self() == NULL);
    loop.turning = true;
    loop.now_ms = clock_mono_ms();
    backend_wait(wait_until(max_wait_ms));
    loop.now_ms = clock_mono_ms();
    post_run_all();
    timer_run_due(loop.now_ms);
    fiber_run_ready();
    turn_end_run_all();
    loop.turning = false;
}

void loop_run(void)
{
    loop.stopped = false;
    while (!loop.stopped)
        loop_turn(NO_DEADLINE);
}

void loop_stop(void)
{
    loop.stopped = true;
}
