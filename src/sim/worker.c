// SPDX-License-Identifier: Apache-2.0
/* sim/worker.c - helper threads as steps of the one thread: each piece of work runs whole at a
 * moment of chance's choosing, and is told of at a later one. As many are under way at once as the
 * pool has threads, so their order is as loose as it is with threads, and no looser. */
#include "io/worker.h"

#include <stdlib.h>

#include "io/loop.h"
#include "io/loop_backend.h"
#include "sim/world.h"

struct job {
    struct list link; /* in the queue, or among those under way */
    struct worker_pool *pool;
    struct timer step;
    bool ran;
    void (*fn)(void *arg);
    void *arg;
    void (*done_fn)(void *arg);
    void *done_arg;
    struct post post;
};

struct worker_pool {
    const char *name;
    unsigned threads, busy;
    size_t queued, queue_max;
    struct list queue, running;
};

bool worker_pool_new(const char *name, unsigned threads, size_t queue_max, struct worker_pool **ret,
                     struct err *err)
{
    struct worker_pool *p = NEW(struct worker_pool);

    (void)err;
    *p = (struct worker_pool){ .name = name, .threads = threads, .queue_max = queue_max };
    list_init(&p->queue);
    list_init(&p->running);
    *ret = p;
    return true;
}

unsigned worker_cores(void)
{
    return 2;
}

/* As with threads: what is left is done, and told on the loop. */
static void finish_now(struct job *j)
{
    list_remove(&j->link);
    timer_clear(&j->step);
    if (!j->ran)
        j->fn(j->arg);
    loop_post_in(&j->post, j->done_fn, j->done_arg);
}

void worker_pool_free(struct worker_pool *p)
{
    if (p == NULL)
        return;
    LIST_EACH (&p->running, struct job, j, link)
        finish_now(j);
    LIST_EACH (&p->queue, struct job, j, link)
        finish_now(j);
    free(p);
}

static void pool_go_on(struct worker_pool *p)
{
    struct job *j;

    while (p->busy < p->threads && (j = LIST_FIRST(&p->queue, struct job, link)) != NULL) {
        list_remove(&j->link);
        list_append(&p->running, &j->link);
        p->queued--;
        p->busy++;
        timer_set(&j->step, loop_now_ms() + sim_latency_ms());
    }
}

static void job_step(void *arg)
{
    struct job *j = arg;
    struct worker_pool *p = j->pool;

    if (!j->ran) {
        j->ran = true;
        j->fn(j->arg);
        timer_set(&j->step, loop_now_ms() + sim_latency_ms());
        return;
    }
    list_remove(&j->link);
    p->busy--;
    pool_go_on(p);
    j->done_fn(j->done_arg);
}

static bool job_give(struct worker_pool *p, struct job *j, struct err *err)
{
    if (p->queued >= p->queue_max)
        return err_set(err, ERR_FULL, "%s: %zu pieces of work wait already", p->name, p->queue_max);
    j->pool = p;
    timer_init(&j->step, job_step, j);
    list_append(&p->queue, &j->link);
    p->queued++;
    pool_go_on(p);
    return true;
}

/* Waiting for it ------------------------------------------------------------------------------- */

struct run {
    struct job job;
    struct gate gate;
    bool done;
};

static void run_done(void *arg)
{
    struct run *r = arg;

    r->done = true;
    gate_wake_all(&r->gate);
}

bool worker_run(struct worker_pool *p, void (*fn)(void *arg), void *arg, struct err *err)
{
    struct run r = { .job = { .fn = fn, .arg = arg, .done_fn = run_done, .done_arg = &r } };

    gate_init(&r.gate);
    if (!job_give(p, &r.job, err))
        return false;
    while (!r.done)
        gate_wait_always(&r.gate);
    return true;
}

struct submitted {
    struct job job;
    void (*done)(void *arg);
};

static void submitted_done(void *arg)
{
    struct submitted *s = arg;
    void (*done)(void *arg) = s->done;
    void *done_arg = s->job.arg;

    free(s);
    done(done_arg);
}

bool worker_submit(struct worker_pool *p, void (*fn)(void *arg), void (*done)(void *arg), void *arg,
                   struct err *err)
{
    struct submitted *s = NEW(struct submitted);

    s->job = (struct job){ .fn = fn, .arg = arg, .done_fn = submitted_done, .done_arg = s };
    s->done = done;
    if (job_give(p, &s->job, err))
        return true;
    free(s);
    return false;
}
