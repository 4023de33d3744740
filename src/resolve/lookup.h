// SPDX-License-Identifier: Apache-2.0
/* resolve/lookup.h - questions to DNS, many at a time: from the cache when it knows, else one
 * flight for all who ask the same. */
#pragma once

#include "resolve/cache.h"

struct lookups;

/* Takes `dns`. */
struct lookups *lookups_new(struct dns *dns);
/* Ends all flights; what they hold goes when the last of them has landed. Nobody may be waiting. */
void lookups_free(struct lookups *l);
size_t lookups_flying(const struct lookups *l);
size_t lookups_cached(const struct lookups *l);

struct flight;
struct lookup {
    struct lookups *of;
    struct flight *flight; /* NULL: the answer is here */
    struct dns_answer answer;
};

/* Asks; the answer is fetched by lookup_await(), or given up by lookup_drop(). Too many at once:
 * DNS_TEMP. */
void lookup_begin(struct lookups *l, enum dns_type type, struct str name, struct arena *a,
                  struct lookup *ret);
/* ERR_CANCELLED only: a look-up has a deadline of its own, past which it is DNS_TEMP. Drops it
 * either way. Waits. */
MUST_USE bool lookup_await(struct lookup *l, struct arena *a, struct dns_answer *ret,
                           struct err *err);
void lookup_drop(struct lookup *l);
/* Both in one. Waits. */
MUST_USE bool lookup_one(struct lookups *l, enum dns_type type, struct str name, struct arena *a,
                         struct dns_answer *ret, struct err *err);
