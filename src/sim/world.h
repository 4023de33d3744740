// SPDX-License-Identifier: Apache-2.0
/* sim/world.h - what the files of sim share: the memory in which a world lies. */
#pragma once

#include "sim/disk_image.h"
#include "sim/sim.h"

#define SIM_LATENCY_MS_MAX 4

struct world {
    int64_t now_ms; /* monotonic; the wall clock is WALL_START_MS later */
    uint64_t generator;
    uint64_t hash;
    uint64_t events, changes; /* of this process */
    bool prints, sync_lies;
    struct sim_faults faults;
    struct disk_image disk;
};

/* Never NULL: without sim_new() there is the world of seed 1. */
struct world *world_get(void);
/* A point at which the process may die: before and after whatever others can see. */
void sim_event(void);
/* The same for the disk. */
void sim_change(void);
/* 0 … SIM_LATENCY_MS_MAX, mostly little. */
int64_t sim_latency_ms(void);
/* sim_net_silence() was said of it. */
bool sim_net_is_silent(const struct ip *ip);
