// SPDX-License-Identifier: Apache-2.0
/* guard/quota.h - how much each account and stream has sent in the minute, hour, day and month that
 * run (UTC), and whether one more message fits (R96, fault A10). Takes `now`, never waits; the
 * whole table can be written to and read from bytes, so that a crash neither loses nor doubles a
 * count. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "guard/codes.h"

enum quota_window { QUOTA_MINUTE, QUOTA_HOUR, QUOTA_DAY, QUOTA_MONTH, QUOTA_WINDOWS };
enum quota_measure {
    QUOTA_MESSAGES,
    QUOTA_RECIPIENTS,
    QUOTA_DISTINCT, /* recipients, each counted once in the window */
    QUOTA_BYTES,
    QUOTA_MEASURES
};
/* DIRECTORY_LIMITS is their product: limits[window * QUOTA_MEASURES + measure], 0: none. */

/* Who is counted: an account (its id) or a stream (its id, with this bit). */
#define QUOTA_STREAM (1ull << 63)

struct quota;
struct quota *quota_new(void);
void quota_free(struct quota *q);

/* One message. Recipients are named by a 64-bit hash of their address, lower-cased. */
struct quota_use {
    uint64_t bytes;
    const uint64_t *rcpts;
    size_t rcpt_count;
    int64_t wall_ms;
};
struct quota_holder {
    uint64_t who;
    const uint64_t *limits; /* [QUOTA_WINDOWS * QUOTA_MEASURES] */
    uint32_t soft_percent;  /* 0: no warning */
};
struct quota_verdict {
    enum policy_code code; /* CODE_NONE, CODE_QUOTA_…, or CODE_QUOTA_SOFT: it fits, and the soft
                              limit was crossed by this one */
    size_t holder;         /* which of those asked about */
    enum quota_window window;
    enum quota_measure measure;
    uint64_t limit, used;
    int64_t ends_wall_ms; /* of the window */
};
/* Would it fit all of them? Nothing is counted. */
void quota_judge(struct quota *q, const struct quota_holder *holders, size_t count,
                 const struct quota_use *use, struct quota_verdict *ret);
/* It was taken: counts it for one holder. Distinct recipients are remembered only where
 * `tracks_distinct` (a limit on them exists). */
void quota_count(struct quota *q, uint64_t who, const struct quota_use *use, bool tracks_distinct);
/* A message that was counted and not taken after all (the disk refused). */
void quota_uncount(struct quota *q, uint64_t who, const struct quota_use *use);
/* What `who` has used of a window that runs. */
uint64_t quota_used(const struct quota *q, uint64_t who, enum quota_window w, enum quota_measure m,
                    int64_t wall_ms);
/* Windows that are over are forgotten. */
void quota_tidy(struct quota *q, int64_t wall_ms);
/* The whole table as bytes, and back. ERR_DAMAGED. */
bool quota_write(const struct quota *q, struct buf *to);
MUST_USE bool quota_read(struct quota *q, struct str bytes, struct err *err);
