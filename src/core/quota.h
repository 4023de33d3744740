// SPDX-License-Identifier: Apache-2.0
/* core/quota.h - one message against the quotas of its account, of all above that, and of its
 * stream: asked at the end of data, held while it is on its way to the disk, counted when it is
 * durable (R96, fault A10).
 *
 * Which holders a message counts for is decided once and stands as its mark in the spool, so that
 * counting again after a crash needs nobody: neither vault nor the limits of that day. */
#pragma once

#include "core/core.h"
#include "guard/directory.h"
#include "guard/quota.h"

/* The table, and how the spool keeps it: *ret_tally goes into its options. `quota_end` when the
 * spool is closed. */
void quota_start(struct core *c, struct spool_tally *ret_tally);
void quota_end(struct core *c);

struct quota_facts {
    const struct dir_account *account; /* NULL: nobody's, or our own; not counted */
    const struct dir_stream *stream;   /* NULL: none */
    const struct envelope *envelope;   /* whole, as it will be committed */
};
struct reservation {
    struct str mark;    /* for spool_mark(); empty: nothing is held */
    struct str warning; /* for the text of the 250: a soft limit was crossed; empty: none */
};
/* False: *ret is the refusal; nothing is held. True: the room is held until the spool tells that
 * the message is durable, which it does before spool_commit() returns true, or until it is released
 * after a commit that failed. Texts in the arena. */
MUST_USE bool quota_reserve(struct core *c, const struct quota_facts *f, struct arena *a,
                            struct reservation *ret_held, struct reply *ret);
void quota_release(struct core *c, const struct envelope *e, const struct reservation *held);

/* Used by `who` now, with what is on its way. */
uint64_t quota_used_now(const struct core *c, uint64_t who, enum quota_window w,
                        enum quota_measure m);
