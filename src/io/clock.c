// SPDX-License-Identifier: Apache-2.0
/* io/clock.c - the kernel's clocks and its randomness. */
#include "io/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0)
        abort();
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

void random_bytes(void *to, size_t len)
{
    char *at = to;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            perror("getrandom"); /* fault Y10: no key, id or token without it */
            abort();
        }
        at += got;
        len -= (size_t)got;
    }
}

uint64_t random_u64(void)
{
    uint64_t n;

    random_bytes(&n, sizeof n);
    return n;
}

uint64_t random_below(uint64_t below)
{
    uint64_t n, skip;

    assert(below > 0);
    skip = -below % below; /* 2^64 mod below: those few would come twice as often */
    do
        n = random_u64();
    while (n < skip);
    return n % below;
}
