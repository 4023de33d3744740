// SPDX-License-Identifier: Apache-2.0
/* guard/quota_set.h - the distinct recipients of one window: those counted, and those only held,
 * each by a hash that nobody outside can choose. Private to guard. */
#pragma once

#include "base/map.h"

struct quota_set {
    uint64_t *slots; /* open addressing; 0: empty */
    size_t cap, count;
    struct idmap held; /* hash -> how many messages on their way hold it; none of them counted */
};

struct quota_set *quota_set_new(void);
void quota_set_free(struct quota_set *s);
bool quota_set_has(const struct quota_set *s, uint64_t hash);
/* False: it was counted before. */
bool quota_set_count(struct quota_set *s, uint64_t hash);
void quota_set_hold(struct quota_set *s, uint64_t hash);
void quota_set_unhold(struct quota_set *s, uint64_t hash);
/* How many of these are neither counted nor held. */
size_t quota_set_missing(const struct quota_set *s, const uint64_t *hashes, size_t count);
