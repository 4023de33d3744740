// SPDX-License-Identifier: Apache-2.0
/* spool/index.c - live messages by id, and in rows for walking.
 *
 * Both tables grow by small steps, since a table of a million entries that is rebuilt at once would
 * stop the loop for a tenth of a second: buckets by linear hashing (one bucket is split per entry
 * added), places by chunks. */
#include "spool/internal.h"

#include <assert.h>
#include <stdlib.h>

/* Ids mostly count upwards: mixing spreads them (finalizer of MurmurHash3). */
static uint64_t mix(uint64_t id)
{
    id ^= id >> 33;
    id *= 0xff51afd7ed558ccdU;
    id ^= id >> 33;
    return id;
}

static struct spool_message **bucket(const struct index *x, size_t i)
{
    return &x->buckets[i / INDEX_CHUNK][i % INDEX_CHUNK];
}

/* bucket_count = 2^k + split: buckets under `split` were split with the next bit already. */
static size_t bucket_of(const struct index *x, uint64_t id)
{
    size_t base = x->bucket_count - x->split;
    size_t i = mix(id) & (base - 1);

    return i < x->split ? mix(id) & (2 * base - 1) : i;
}

static void add_chunk(struct spool_message ****chunks, size_t *count)
{
    *chunks = mem_grow(*chunks, *count + 1, sizeof(struct spool_message **));
    (*chunks)[(*count)++] = NEW_ARRAY(struct spool_message *, INDEX_CHUNK);
}

void index_init(struct index *x)
{
    *x = (struct index){ .bucket_count = INDEX_CHUNK };
    add_chunk(&x->buckets, &x->bucket_chunks);
}

void index_done(struct index *x)
{
    for (size_t i = 0; i < x->bucket_chunks; i++)
        free(x->buckets[i]);
    for (size_t i = 0; i < x->place_chunks; i++)
        free(x->places[i]);
    free(x->buckets);
    free(x->places);
    free(x->holes);
    *x = (struct index){ 0 };
}

static void split_one(struct index *x)
{
    struct spool_message *all, *next;
    size_t from = x->split;

    if (x->bucket_count == x->bucket_chunks * INDEX_CHUNK)
        add_chunk(&x->buckets, &x->bucket_chunks);
    all = *bucket(x, from);
    *bucket(x, from) = NULL;
    x->bucket_count++;
    x->split++;
    for (struct spool_message *m = all; m; m = next) {
        struct spool_message **to = bucket(x, bucket_of(x, m->id));

        next = m->next;
        m->next = *to;
        *to = m;
    }
    if (x->split * 2 == x->bucket_count)
        x->split = 0;
}

struct spool_message *index_find(const struct index *x, uint64_t id)
{
    struct spool_message *m = *bucket(x, bucket_of(x, id));

    while (m && m->id != id)
        m = m->next;
    return m;
}

static uint32_t place_take(struct index *x)
{
    if (x->hole_count > 0)
        return x->holes[--x->hole_count];
    if (x->place_end == x->place_chunks * INDEX_CHUNK)
        add_chunk(&x->places, &x->place_chunks);
    assert(x->place_end < UINT32_MAX);
    return (uint32_t)x->place_end++;
}

static void place_give(struct index *x, uint32_t place)
{
    x->places[place / INDEX_CHUNK][place % INDEX_CHUNK] = NULL;
    if (x->hole_count == x->hole_cap) {
        x->hole_cap = x->hole_cap ? x->hole_cap * 2 : 64;
        x->holes = mem_grow(x->holes, x->hole_cap, sizeof(*x->holes));
    }
    x->holes[x->hole_count++] = place;
}

void index_put(struct index *x, struct spool_message *m)
{
    struct spool_message **to;

    if (x->count >= x->bucket_count)
        split_one(x);
    to = bucket(x, bucket_of(x, m->id));
    m->next = *to;
    *to = m;
    m->place = place_take(x);
    x->places[m->place / INDEX_CHUNK][m->place % INDEX_CHUNK] = m;
    x->count++;
    x->rcpts += m->live_count;
    x->bytes += message_bytes(m);
}

void index_remove(struct index *x, struct spool_message *m)
{
    struct spool_message **at = bucket(x, bucket_of(x, m->id));

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    place_give(x, m->place);
    x->count--;
    x->rcpts -= m->live_count;
    x->bytes -= message_bytes(m);
}

struct spool_message *index_each(const struct index *x, size_t *at)
{
    while (*at < x->place_end) {
        struct spool_message *m = x->places[*at / INDEX_CHUNK][*at % INDEX_CHUNK];

        ++*at;
        if (m)
            return m;
    }
    return NULL;
}
