// SPDX-License-Identifier: Apache-2.0
/* report/history.h - report's database: how far the events were taken in, what was counted of them,
 * and the sandbox inbox. Every call blocks and runs on report's one worker.
 *
 * Invariant: the position and all that was derived from the events before it change in one
 * transaction, so that a crash neither loses nor doubles anything. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct history;

/* Opens or makes the database at `path`; empty: in memory, as the simulator wants it. *ret_position
 * is that of the last event taken in. ERR_IO, ERR_FULL, ERR_DAMAGED; ERR_CONFIG: a newer program's.
 */
MUST_USE bool history_open(struct str path, struct history **ret, uint64_t *ret_position,
                           struct err *err);
void history_free(struct history *h);

/* So many events of one kind on one day (days since 1970, UTC). */
struct tally {
    int64_t day;
    int kind;
    uint64_t count;
};
/* Adds the tallies and moves the position. */
MUST_USE bool history_take_in(struct history *h, uint64_t position, const struct tally *tallies,
                              size_t count, struct err *err);
/* All events of one kind so far. */
MUST_USE bool history_count(struct history *h, int kind, uint64_t *ret, struct err *err);

/* One message in the sandbox inbox. */
struct sandbox_entry {
    uint64_t n; /* counts up, never reused */
    uint64_t id;
    struct str from, to, subject;
    uint64_t size_bytes; /* of the whole message */
    int64_t received_wall_ms;
    bool whole; /* its content was not cut */
};
/* entry->n is not read. Keeps the newest `keep`. Synced when it returns true. */
MUST_USE bool history_put_message(struct history *h, const struct sandbox_entry *entry,
                                  struct str content, unsigned keep, uint64_t *ret_n,
                                  struct err *err);
/* Those below number `before` (0: all), newest first, at most `max`. */
MUST_USE bool history_list_messages(struct history *h, uint64_t before, size_t max, struct arena *a,
                                    struct sandbox_entry **ret, size_t *ret_count, struct err *err);
/* ERR_NOT_FOUND. */
MUST_USE bool history_read_message(struct history *h, uint64_t n, struct arena *a,
                                   struct sandbox_entry *ret, struct str *ret_content,
                                   struct err *err);
