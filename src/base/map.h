// SPDX-License-Identifier: Apache-2.0
/* base/map.h - hash tables: `map` from text, `idmap` from a 64-bit id, each to a pointer.
 *
 * Text is hashed by SipHash-2-4 under a key drawn once per process, so that nobody outside can
 * build collisions (fault O08). Open addressing; removing while walking is allowed only for the
 * entry at hand. */
#pragma once

#include "base/str.h"

/* Called once at start, before the first map, with 16 random bytes. */
void hash_set_key(const uint8_t key[16]);
uint64_t hash_str(struct str text);
/* Folds ASCII case: for domains. */
uint64_t hash_str_nocase(struct str text);
/* The same under a key of the caller's: for what outlives the process. */
uint64_t hash_str_nocase_by(const uint8_t key[16], struct str text);

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t cap, count, used;
    bool nocase;
};

void map_init(struct map *m);
/* Keys equal but for ASCII case are the same. */
void map_init_nocase(struct map *m);
void map_done(struct map *m);
/* NULL when absent. */
void *map_find(const struct map *m, struct str key);
/* The key is borrowed: it lives as long as the entry (normally inside the value). An equal key is
 * replaced; returns the old value or NULL. A value is never NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes and returns; NULL when absent. */
void *map_take(struct map *m, struct str key);
/* Walks: start with *at = 0; false at the end. */
bool map_each(const struct map *m, size_t *at, struct str *ret_key, void **ret_value);

struct idmap_slot;
struct idmap {
    struct idmap_slot *slots;
    size_t cap, count, used;
};

void idmap_init(struct idmap *m);
void idmap_done(struct idmap *m);
void *idmap_find(const struct idmap *m, uint64_t key);
void *idmap_put(struct idmap *m, uint64_t key, void *value);
void *idmap_take(struct idmap *m, uint64_t key);
bool idmap_each(const struct idmap *m, size_t *at, uint64_t *ret_key, void **ret_value);
