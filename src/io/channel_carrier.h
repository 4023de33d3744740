// SPDX-License-Identifier: Apache-2.0
/* io/channel_carrier.h - what carries a channel's packets: a socket, a joined end in this process,
 * or the simulator's wire. channel.c piles, cuts, checks and hands over; a carrier only moves whole
 * packets, in order, and says when it can't. */
#pragma once

#include "io/channel.h"

/* Descriptors in one packet; a packet with more is not sent. */
#define PACKET_FDS_MAX 16

struct packet {
    struct str bytes; /* aligned to 8 */
    const int *fds;   /* whoever holds the packet closes what nobody took */
    size_t fd_count;
};

struct channel_carrier {
    /* True: gone, with its descriptors. False: no room now; channel_carrier_ready() follows. A
     * carrier whose peer is gone takes and drops. */
    bool (*send)(void *carrier, const struct packet *p);
    /* No call to the channel after it; what was sent still arrives. */
    void (*free)(void *carrier);
};

/* A channel on `carrier`; its turn end is in place. */
struct channel *channel_on(const struct channel_carrier *ops, void *carrier, int order);

/* The carrier's calls, on the loop. A packet came: false when the carrier was freed meanwhile, by
 * what a frame made happen or because the packet was wrong. */
MUST_USE bool channel_carrier_packet(struct channel *c, const struct packet *p);
/* There is room again. */
void channel_carrier_ready(struct channel *c);
/* The peer is gone, `why` for the owner. Frees the carrier, perhaps the channel. */
void channel_carrier_lost(struct channel *c, const struct err *why);
