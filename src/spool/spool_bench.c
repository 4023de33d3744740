// SPDX-License-Identifier: Apache-2.0
/* spool/spool_bench.c - how many durable commits a second, and what one costs.
 *
 *     spool_bench FOLDER [fibers [seconds]]
 *     spool_bench FOLDER queue MESSAGES
 *
 * The second fills the queue with so many messages, times a snapshot of them, what the loop's
 * longest stall is meanwhile, and opening with them (C16).
 *
 * Each fiber commits a message, settles it at once and goes on; the folder is used again from run
 * to run, so the second run writes segments that were written before. CPU is that of the whole
 * process and of the loop's thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/loop.h"
#include "spool/internal.h"

struct bench {
    struct spool *spool;
    size_t size, running;
    bool settles, stop;
    uint64_t commits;
    int64_t end_us;
    char *content;
};

static void commit_on(void *arg)
{
    struct bench *b = arg;
    struct envelope_rcpt rcpt = { .address = STR("somebody@example.net") };
    struct envelope e = { .account = 1,
                          .size_bytes = b->size,
                          .header_bytes = 200,
                          .accepted_wall_ms = 1,
                          .reverse_path = STR("sender@example.org"),
                          .helo = STR("mail.example.org"),
                          .rcpts = &rcpt,
                          .rcpt_count = 1 };
    struct settle_rcpt done = { .now = { .state = RCPT_DONE },
                                .event = { .kind = EVENT_DELIVERED,
                                           .address = rcpt.address,
                                           .destination = STR("example.net") } };

    while (!b->stop) {
        struct spool_tx *tx = spool_begin(b->spool);
        struct spool_message *m = NULL;
        struct err err;
        uint64_t id;

        spool_add(tx, str_make(b->content, b->size));
        if (!spool_commit(tx, &e, &id, &m, &err) ||
            (b->settles && m && !spool_settle(b->spool, m, &done, 1, NULL, NULL, NULL, &err))) {
            (void)fprintf(stderr, "%s\n", err.text);
            break;
        }
        b->commits++;
        spool_events_ack(b->spool, UINT64_MAX);
        b->stop = b->stop || clock_mono_us() >= b->end_us;
    }
    if (--b->running == 0)
        loop_stop();
}

static void tend_on(void *arg)
{
    struct bench *b = arg;
    struct err err;
    bool did;

    while (!b->stop)
        if (!spool_tend(b->spool, &did, &err) || !fiber_sleep(20, &err))
            return;
    if (--b->running == 0)
        loop_stop();
}

static int64_t cpu_us(int who)
{
    struct rusage u;

    (void)getrusage(who, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static void run(struct bench *b, size_t size, bool settles, size_t fibers, int64_t seconds)
{
    struct spool_figures before, after;
    int64_t began = clock_mono_us(), process = cpu_us(RUSAGE_SELF), loop = cpu_us(RUSAGE_THREAD),
            took;

    b->size = size;
    b->settles = settles;
    b->stop = false;
    b->commits = 0;
    b->end_us = began + seconds * 1000000;
    b->running = fibers + 1;
    spool_figures(b->spool, &before);
    (void)fiber_spawn("tend", tend_on, b);
    for (size_t i = 0; i < fibers; i++)
        (void)fiber_spawn("commit", commit_on, b);
    loop_run();
    took = clock_mono_us() - began;
    process = cpu_us(RUSAGE_SELF) - process;
    loop = cpu_us(RUSAGE_THREAD) - loop;
    spool_figures(b->spool, &after);
    if (b->commits == 0)
        return;
    (void)printf(
        "%6zu B %s %4zu fibers: %7.0f messages/s, CPU %5.1f us each, loop %5.1f us, %6.0f syncs/s\n",
        size, settles ? "commit+settle" : "commit       ", fibers,
        (double)b->commits * 1e6 / (double)took, (double)process / (double)b->commits,
        (double)loop / (double)b->commits,
        (double)(after.syncs - before.syncs) * 1e6 / (double)took);
}

/* A full queue -------------------------------------------------------------------------------- */

static void fill_on(void *arg)
{
    struct bench *b = arg;
    struct envelope_rcpt rcpt = { .address = STR("somebody@example.net") };
    struct envelope e = { .account = 1,
                          .size_bytes = b->size,
                          .header_bytes = 200,
                          .accepted_wall_ms = 1,
                          .reverse_path = STR("sender@example.org"),
                          .rcpts = &rcpt,
                          .rcpt_count = 1 };

    while (b->commits > 0) {
        struct spool_tx *tx = spool_begin(b->spool);
        struct spool_message *m;
        struct err err;
        uint64_t id;

        b->commits--;
        spool_add(tx, str_make(b->content, b->size));
        if (!spool_commit(tx, &e, &id, &m, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            break;
        }
    }
    if (--b->running == 0)
        loop_stop();
}

/* The longest time between two turns of the loop. */
struct stall {
    struct turn_end end;
    int64_t last_us, longest_us;
};

static void stall_turn(void *arg)
{
    struct stall *t = arg;
    int64_t now = clock_mono_us();

    if (t->last_us > 0 && now - t->last_us > t->longest_us)
        t->longest_us = now - t->last_us;
    t->last_us = now;
}

static void stall_tick(void *arg)
{
    struct bench *b = arg;

    while (b->running > 0 && fiber_sleep(1, NULL)) /* no turn is longer than what is done in it */
        ;
    loop_stop();
}

static void snapshot_on(void *arg)
{
    struct bench *b = arg;
    struct err err;

    if (!snapshot_write(b->spool, &err))
        (void)fprintf(stderr, "%s\n", err.text);
    b->running = 0;
}

static void snapshot_time(struct bench *b)
{
    struct stall t = { .last_us = 0 };
    int64_t began = clock_mono_us();

    b->running = 1;
    turn_end_add(&t.end, 0, stall_turn, &t);
    (void)fiber_spawn("snapshot", snapshot_on, b);
    (void)fiber_spawn("tick", stall_tick, b);
    loop_run();
    turn_end_remove(&t.end);
    (void)printf("snapshot: %7.1f ms, longest stall of the loop %5.2f ms\n",
                 (double)(clock_mono_us() - began) / 1e3, (double)t.longest_us / 1e3);
}

static bool queue_run(struct bench *b, const struct spool_options *o, uint64_t count,
                      struct err *err)
{
    struct spool_recovery found;
    struct spool_figures now;
    int64_t began = clock_mono_us();

    b->size = 2048;
    b->commits = count;
    b->running = 256;
    for (size_t i = 0; i < 256; i++)
        (void)fiber_spawn("fill", fill_on, b);
    loop_run();
    spool_figures(b->spool, &now);
    (void)printf("%llu messages filled in at %.0f/s, index %.0f bytes each\n",
                 (unsigned long long)now.messages,
                 (double)count * 1e6 / (double)(clock_mono_us() - began),
                 (double)now.index_memory_bytes / (double)now.messages);
    snapshot_time(b);
    spool_close(b->spool);
    b->spool = NULL;
    began = clock_mono_us();
    if (!spool_open(o, &b->spool, &found, err))
        return false;
    (void)printf("opened with %llu messages in %.0f ms\n", (unsigned long long)found.messages,
                 (double)(clock_mono_us() - began) / 1e3);
    return true;
}

int main(int argc, char **argv)
{
    struct spool_options o;
    struct spool_recovery found;
    struct bench b = { 0 };
    struct err err;
    size_t fibers = argc > 2 ? strtoul(argv[2], NULL, 10) : 256;
    int64_t seconds = argc > 3 ? strtol(argv[3], NULL, 10) : 3;

    if (argc < 2)
        return 2;
    loop_init();
    spool_options_default(&o);
    o.folder = argv[1];
    o.disk_max_bytes = UINT64_C(8) << 30;
    o.index_rcpts_max = 20000000;
    if (!spool_open(&o, &b.spool, &found, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    b.content = mem_new(64 * 1024);
    for (size_t i = 0; i < 64 * 1024; i++)
        b.content[i] = (char)(i * 131 >> 3);
    if (argc > 3 && strcmp(argv[2], "queue") == 0) {
        if (!queue_run(&b, &o, strtoull(argv[3], NULL, 10), &err))
            (void)fprintf(stderr, "%s\n", err.text);
    } else {
        run(&b, 2048, true, fibers, seconds);
        run(&b, 20480, true, fibers, seconds);
        run(&b, 2048, true, fibers, seconds);
        run(&b, 20480, true, fibers, seconds);
        run(&b, 2048, true, 1, 1);
    }
    spool_close(b.spool);
    free(b.content);
    return 0;
}
