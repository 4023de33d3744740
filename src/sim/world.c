// SPDX-License-Identifier: Apache-2.0
/* sim/world.c - one world: its memory, its generator, its clock, its trace and its deaths. */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "io/clock.h"

/* An ordinary Thursday: 2026-01-01. */
#define WALL_START_MS INT64_C(1767225600000)
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* Of this process; the world itself is shared. */
static struct world *world;
static void (*on_death)(void);

void sim_new(const struct sim_options *o)
{
    sim_free();
    /* Most of it is the room for files and is never touched. */
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (world == MAP_FAILED) {
        perror("sim");
        abort();
    }
    world->generator = o->seed;
    world->hash = FNV_START;
    world->prints = o->prints;
    world->sync_lies = o->sync_lies;
    world->now_ms = 1000;
    disk_image_init(&world->disk);
}

void sim_free(void)
{
    if (world != NULL)
        munmap(world, sizeof *world);
    world = NULL;
}

struct world *world_get(void)
{
    if (world == NULL)
        sim_new(&(struct sim_options){ .seed = 1 });
    return world;
}

struct sim_faults *sim_faults(void)
{
    return &world_get()->faults;
}

/* Chance --------------------------------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014): any seed will do, 0 too. */
static uint64_t draw_u64(void)
{
    uint64_t z = world_get()->generator += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_draw(uint64_t below)
{
    return below > 0 ? draw_u64() % below : 0;
}

bool sim_chance(unsigned in_a_million)
{
    return in_a_million > 0 && sim_draw(1000000) < in_a_million;
}

int64_t sim_latency_ms(void)
{
    return (int64_t)sim_draw(sim_draw(SIM_LATENCY_MS_MAX + 1) + 1);
}

void random_bytes(void *to, size_t len)
{
    char *at = to;

    for (; len > 0; at++, len--)
        *at = (char)draw_u64();
}

uint64_t random_u64(void)
{
    return draw_u64();
}

uint64_t random_below(uint64_t below)
{
    return sim_draw(below);
}

/* Time ----------------------------------------------------------------------------------------- */

int64_t sim_now_ms(void)
{
    return world_get()->now_ms;
}

int64_t clock_mono_ms(void)
{
    return world_get()->now_ms;
}

int64_t clock_mono_us(void)
{
    return world_get()->now_ms * 1000;
}

int64_t clock_wall_ms(void)
{
    return WALL_START_MS + world_get()->now_ms;
}

/* Trace ---------------------------------------------------------------------------------------- */

void sim_trace(const char *fmt, ...)
{
    struct world *w = world_get();
    char line[2400];
    va_list args;
    int at = snprintf(line, sizeof line, "%lld ", (long long)w->now_ms);

    va_start(args, fmt);
    (void)vsnprintf(line + at, sizeof line - (size_t)at, fmt, args);
    va_end(args);
    for (const char *c = line; *c != '\0'; c++)
        w->hash = (w->hash ^ (unsigned char)*c) * FNV_PRIME;
    if (w->prints) {
        puts(line);
        fflush(stdout); /* the process may die any moment without a word */
    }
}

uint64_t sim_trace_hash(void)
{
    return world_get()->hash;
}

/* Death ---------------------------------------------------------------------------------------- */

void sim_on_death(void (*die)(void))
{
    on_death = die;
    world_get()->events = world_get()->changes = 0;
}

void sim_event(void)
{
    struct world *w = world_get();

    if (++w->events == w->faults.die_at_event && on_death != NULL)
        on_death();
}

void sim_change(void)
{
    struct world *w = world_get();

    if (++w->changes == w->faults.die_at_change && on_death != NULL)
        on_death();
    sim_event();
}
