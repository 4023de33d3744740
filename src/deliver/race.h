// SPDX-License-Identifier: Apache-2.0
/* deliver/race.h - a TCP connection to the first of several hosts that answers. */
#pragma once

#include "deliver/host.h"
#include "io/stream.h"

/* Between two addresses of one host (RFC 8305 §5), and between one host and the next less preferred
 * one: a dead address family costs a moment, a dead host some seconds (fault N08). */
#define RACE_ADDRESS_STAGGER_MS 300
#define RACE_HOST_STAGGER_MS 5000

/* Connects to the hosts that are not HOST_FAILED: one after the other, beginning with the next when
 * one fails or has been silent for the stagger; the first one wins and the others are given up,
 * untried. Those that failed on the way are marked. False when all have: err is the last one's
 * failure, *ret_index whose. Waits. */
MUST_USE bool race_connect(struct deliver *d, struct hosts *hosts, uint16_t port, size_t *ret_index,
                           struct stream **ret, struct err *err);
