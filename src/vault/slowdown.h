// SPDX-License-Identifier: Apache-2.0
/* vault/slowdown.h - how long those who guess secrets wait for an answer.
 *
 * Failures are counted by client address and by user name. Each doubles the wait of the next wrong
 * answer, up to some seconds. A right secret waits only for the failures of its own address, so
 * that nobody can lock another out by guessing at his name from elsewhere. Takes `now`, never
 * waits. */
#pragma once

#include "base/ip.h"
#include "base/list.h"
#include "base/map.h"

#define SLOWDOWN_FIRST_MS 250
#define SLOWDOWN_MOST_MS 4000
#define SLOWDOWN_FORGET_MS (15 * 60 * 1000)
#define SLOWDOWN_TALLIES_MAX 50000 /* past it the one that was quiet longest is forgotten */

struct slowdown {
    struct list tallies; /* quiet longest first */
    struct map by_key;
};

void slowdown_init(struct slowdown *s);
void slowdown_done(struct slowdown *s);

/* How long an attempt from there waits before work that costs much is done for it. */
int64_t slowdown_before(struct slowdown *s, const struct ip *client, int64_t now_ms);
/* Whether two clients count as one. */
bool slowdown_same(const struct ip *a, const struct ip *b);
/* One attempt was judged: counts it, and returns how many ms its answer waits, for the failures
 * before it. A success clears the address. IPv6 clients count by /64. */
int64_t slowdown_judged(struct slowdown *s, const struct ip *client, struct str user, bool right,
                        int64_t now_ms);
