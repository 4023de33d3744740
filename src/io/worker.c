// SPDX-License-Identifier: Apache-2.0
/* io/worker.c - helper threads, and the way back from them to the loop. */
#include "io/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "io/loop_backend.h"

struct job {
    struct list link;
    void (*fn)(void *arg);
    void *arg;
    struct post done; /* what the thread posts afterwards */
    void (*done_fn)(void *arg);
    void *done_arg;
};

struct worker_pool {
    const char *name;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more;
    struct list queue;
    size_t queued, queue_max;
    bool ends;
    unsigned thread_count;
    pthread_t threads[];
};

/* The next job; NULL when the pool ends. */
static struct job *job_next(struct worker_pool *p)
{
    struct job *j;

    pthread_mutex_lock(&p->lock);
    while (list_empty(&p->queue) && !p->ends)
        pthread_cond_wait(&p->more, &p->lock);
    j = LIST_FIRST(&p->queue, struct job, link);
    if (j != NULL) {
        list_remove(&j->link);
        p->queued--;
    }
    pthread_mutex_unlock(&p->lock);
    return j;
}

static void *worker_main(void *arg)
{
    struct worker_pool *p = arg;
    struct job *j;

    while ((j = job_next(p)) != NULL) {
        j->fn(j->arg);
        loop_post_in(&j->done, j->done_fn, j->done_arg);
    }
    return NULL;
}

/* Helpers take no signals: those are for the loop. */
static int thread_start(struct worker_pool *p, pthread_t *ret)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(ret, NULL, worker_main, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        (void)pthread_setname_np(*ret, p->name);
    return failed;
}

bool worker_pool_new(const char *name, unsigned threads, size_t queue_max, struct worker_pool **ret,
                     struct err *err)
{
    struct worker_pool *p = mem_new(sizeof *p + threads * sizeof p->threads[0]);

    p->name = name;
    p->queue_max = queue_max;
    list_init(&p->queue);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    for (; p->thread_count < threads; p->thread_count++) {
        int failed = thread_start(p, &p->threads[p->thread_count]);

        if (failed != 0) {
            worker_pool_free(p);
            errno = failed;
            return err_sys(err, "thread for %s", name);
        }
    }
    *ret = p;
    return true;
}

unsigned worker_cores(void)
{
    cpu_set_t set;

    /* More than CPU_SETSIZE of them: it fails, and so many threads will do. */
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return CPU_SETSIZE;
    return (unsigned)CPU_COUNT(&set);
}

void worker_pool_free(struct worker_pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->ends = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static bool job_give(struct worker_pool *p, struct job *j, struct err *err)
{
    bool full;

    pthread_mutex_lock(&p->lock);
    full = p->queued >= p->queue_max;
    if (!full) {
        list_append(&p->queue, &j->link);
        p->queued++;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    if (full)
        return err_set(err, ERR_FULL, "%s: %zu pieces of work wait already", p->name, p->queue_max);
    return true;
}

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
