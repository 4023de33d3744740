// SPDX-License-Identifier: Apache-2.0
/* sim/sim.h - the simulated world as whoever runs it sees it: made from a seed, with faults that
 * can be turned on and off, a power cut, tables for DNS, and a trace. What lives in the world sees
 * only io's headers.
 *
 * Invariants
 *  1. Everything that is random comes from one generator (sim_draw), so a seed tells the whole run.
 *  2. Time moves only inside backend_wait(), to the next timer, and never back.
 *  3. Clock, generator, trace and disk lie in memory that forked processes share: a process of the
 *     world may die anywhere, and the next one goes on where it stopped. Everything else (streams,
 *     channels, DNS tables) dies with the process, as it does in the real world.
 *  4. What was not synced is gone, in part or as a whole, after sim_cut_power(). */
#pragma once

#include "base/ip.h"
#include "io/dns.h"
#include "io/tls.h"

struct channel;

struct sim_options {
    uint64_t seed;
    bool prints;    /* the trace goes to standard output as it comes */
    bool sync_lies; /* mutant: disk_file_sync() and disk_sync_folder() only say that they did (C06)
                     */
};

/* Chances are in 1,000,000; 0 is never. */
struct sim_faults {
    unsigned sync_fails; /* EIO; what was not synced is lost in part (fault D04) */
    unsigned write_full; /* ENOSPC of a write or an allocation (D01) */
    unsigned read_fails; /* EIO of a read (D05) */
    unsigned reset;      /* of a connection, at a random octet of either direction (N01) */
    unsigned refused;    /* of a connection attempt */
    unsigned stall;      /* of one parcel of octets: stall_ms_max instead of latency_ms_max (N02) */
    unsigned dns_fails;  /* DNS_TEMP (S01) */
    int64_t stall_ms_max;
    /* Once: the so manyeth from now on fails; counts down to 0, which is none. */
    unsigned sync_fails_in, write_full_in, read_fails_in;
    /* Mutant: syncs of files whose names begin so, or of folders ("/"), only say that they did
     * (C06). NULL: none. */
    const char *sync_lies_of;
    /* The process dies at its so-many-th event, or change of the disk; 0: not. */
    uint64_t die_at_event, die_at_change;
};

/* The world of this seed, in place of the one before. Before loop_init(). */
void sim_new(const struct sim_options *o);
void sim_free(void);
/* Changed in place. None at first. */
struct sim_faults *sim_faults(void);
/* Called when the process is to die; does not return. */
void sim_on_death(void (*die)(void));

/* 0 … below-1. */
uint64_t sim_draw(uint64_t below);
bool sim_chance(unsigned in_a_million);

/* One line of what happened: hashed, and printed if the options say so. */
__attribute__((format(printf, 1, 2))) void sim_trace(const char *fmt, ...);
uint64_t sim_trace_hash(void);
int64_t sim_now_ms(void);

/* What the disk still knows after the machine lost its power. Between two processes. */
void sim_cut_power(void);
/* It only died: all that it wrote is still there. */
void sim_process_gone(void);
/* What it may hold in all; a file holds at most 8 MiB. */
void sim_disk_capacity(uint64_t bytes);

/* DNS of this process. A name without any record does not exist. */
void sim_dns_add(const char *name, enum dns_type type, const struct dns_record *record);
/* Every look-up of the name is DNS_TEMP. */
void sim_dns_break(const char *name);
/* Attempts to connect to it are never answered. */
void sim_net_silence(const struct ip *ip);
/* The link breaks: both ends hear of it. */
void sim_channel_cut(struct channel *c);
