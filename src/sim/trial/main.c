// SPDX-License-Identifier: Apache-2.0
/* sim/trial/main.c - baton-sim: runs seeds, one line each, and fails with the first that is red.
 *
 *     baton-sim [--seed N] [--seeds COUNT] [--trace] [--twice] [--mutate nosync] [--expect-red]
 *
 * --twice runs each seed again and compares the traces. --expect-red turns the result round: for
 * mutants, which the oracle must find (fault C06). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sim/trial/trial.h"

struct wish {
    struct sim_options options;
    uint64_t seeds;
    bool twice, expect_red;
};

static int usage(void)
{
    fprintf(stderr, "usage: baton-sim [--seed N] [--seeds COUNT] [--trace] [--twice] "
                    "[--mutate nosync] [--expect-red]\n");
    return 2;
}

static bool read_number(const char *text, uint64_t *ret)
{
    return str_to_u64(str_of(text), UINT64_MAX, ret);
}

static bool read_args(int argc, char **argv, struct wish *w)
{
    static const struct option options[] = {
        { "seed", required_argument, NULL, 's' },
        { "seeds", required_argument, NULL, 'n' },
        { "trace", no_argument, NULL, 't' },
        { "twice", no_argument, NULL, '2' },
        { "mutate", required_argument, NULL, 'm' },
        { "expect-red", no_argument, NULL, 'r' },
        { NULL, 0, NULL, 0 },
    };
    bool ok = true;
    int c;

    *w = (struct wish){ .options = { .seed = 1 }, .seeds = 1 };
    while (ok && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 's')
            ok = read_number(optarg, &w->options.seed);
        else if (c == 'n')
            ok = read_number(optarg, &w->seeds);
        else if (c == 't')
            w->options.prints = true;
        else if (c == '2')
            w->twice = true;
        else if (c == 'r')
            w->expect_red = true;
        else if (c == 'm')
            ok = w->options.sync_lies = strcmp(optarg, "nosync") == 0;
        else
            ok = false;
    }
    return ok && optind == argc;
}

/* True when the seed is green. */
static bool run_seed(const struct wish *w)
{
    struct trial t, again;

    trial_run(&w->options, &t);
    printf("seed %" PRIu64 ": %s, %u messages, %u lives, %" PRId64
           " virtual minutes, trace %016" PRIx64 "\n",
           w->options.seed, t.violations ? "RED" : "green", t.messages, t.lives,
           t.virtual_ms / 60000, t.trace_hash);
    if (!w->twice)
        return t.violations == 0;
    trial_run(&w->options, &again);
    if (again.trace_hash != t.trace_hash)
        printf("  RED: a second run of the seed went another way\n");
    return t.violations == 0 && again.trace_hash == t.trace_hash;
}

int main(int argc, char **argv)
{
    struct wish w;
    uint64_t red = 0;

    if (!read_args(argc, argv, &w))
        return usage();
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (uint64_t i = 0; i < w.seeds && (red == 0 || !w.expect_red); i++, w.options.seed++)
        red += !run_seed(&w);
    printf("%" PRIu64 " red\n", red);
    return (red > 0) != w.expect_red;
}
