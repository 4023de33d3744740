// SPDX-License-Identifier: Apache-2.0
/* resolve/cache.h - answers kept for as long as they live: a table in front of the library's own
 * cache, which costs a hop to its thread for each question. Takes `now`, never waits. */
#pragma once

#include "io/dns.h"

struct cache;

struct cache *cache_new(size_t entries_max);
void cache_free(struct cache *c);
/* Copied into the arena; its ttl_s is what is left. */
bool cache_find(struct cache *c, enum dns_type type, struct str name, int64_t now_ms,
                struct arena *a, struct dns_answer *ret);
/* Keeps a copy for cache_ttl_s(answer); when full, in place of the answer that was not used for
 * longest. */
void cache_put(struct cache *c, enum dns_type type, struct str name, int64_t now_ms,
               const struct dns_answer *answer);
size_t cache_count(const struct cache *c);

/* How long an answer may be kept (fault S06): records 1 s to 1 day, what does not exist 1 s to 5
 * min (RFC 2308 §5), no answer 5 s. A TTL with its top bit set is 0 (RFC 2181 §8). */
uint32_t cache_ttl_s(const struct dns_answer *answer);

struct dns_answer answer_copy(struct arena *a, const struct dns_answer *from);
