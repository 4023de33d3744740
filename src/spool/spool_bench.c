// SPDX-License-Identifier: Apache-2.0
/* spool/spool_bench.c - how many durable commits a second, and what one costs.
 *
 *     spool_bench FOLDER [fibers [seconds]]
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
#include "spool/spool.h"

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
    o.disk_max_bytes = UINT64_C(3) << 30;
    o.index_rcpts_max = 20000000;
    if (!spool_open(&o, &b.spool, &found, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    b.content = mem_new(64 * 1024);
    for (size_t i = 0; i < 64 * 1024; i++)
        b.content[i] = (char)(i * 131 >> 3);
    run(&b, 2048, true, fibers, seconds);
    run(&b, 20480, true, fibers, seconds);
    run(&b, 2048, true, fibers, seconds);
    run(&b, 20480, true, fibers, seconds);
    run(&b, 2048, true, 1, 1);
    spool_close(b.spool);
    free(b.content);
    return 0;
}
