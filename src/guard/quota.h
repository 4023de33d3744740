// SPDX-License-Identifier: Apache-2.0
/* guard/quota.h - how much each account and stream has sent in the minute, hour, day and month that
 * run (UTC), and whether one more message fits (R96, fault A10). Never waits, asks no clock: a
 * message is counted in the windows of the moment at which it was accepted. The whole table can be
 * written to and read from bytes, so that a crash neither loses nor doubles a count.
 *
 * What is judged and not yet durable is held: it takes room like what is counted, and is no part of
 * the bytes. A message is held for each of its holders, then either let go, or let go and counted.
 */
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

/* One message. `distinct`: its recipients, each once, as 64-bit hashes under a secret key; none
 * where nobody remembers them. */
struct quota_use {
    uint64_t bytes, recipients;
    const uint64_t *distinct;
    size_t distinct_count;
    int64_t wall_ms; /* when it was accepted */
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
    uint64_t limit, used, after; /* used before this message, and with it */
    int64_t ends_wall_ms;        /* of the window */
    bool alone;                  /* the message would not fit an unused window either */
};
/* Would it fit all of them? Nothing is held. Of several reasons against it the one that holds
 * longest is told. */
void quota_judge(struct quota *q, const struct quota_holder *holders, size_t count,
                 const struct quota_use *use, struct quota_verdict *ret);

/* Windows (1 << enum quota_window) in which these limits make distinct recipients be remembered;
 * elsewhere they cost nothing, and are not known. */
unsigned quota_remembers(const uint64_t *limits);
/* It fits, and is on its way to the disk. `remembers`: the same in all three calls of a message. */
void quota_hold(struct quota *q, uint64_t who, const struct quota_use *use, unsigned remembers);
/* It is not on its way any more. */
void quota_unhold(struct quota *q, uint64_t who, const struct quota_use *use, unsigned remembers);
/* It is durable. A message of a window that is over when it comes is not counted there. */
void quota_count(struct quota *q, uint64_t who, const struct quota_use *use, unsigned remembers);

/* What `who` has used, with what is held, of the window that runs. */
uint64_t quota_used(const struct quota *q, uint64_t who, enum quota_window w, enum quota_measure m,
                    int64_t wall_ms);
/* When the window that runs ends. */
int64_t quota_ends_ms(enum quota_window w, int64_t wall_ms);
/* Windows that are over are forgotten, and those that have not begun: the clock was set back. */
void quota_tidy(struct quota *q, int64_t wall_ms);
/* What is counted, as bytes, and back. ERR_DAMAGED: they are not what was written; then the table
 * is empty. */
bool quota_write(const struct quota *q, struct buf *to);
MUST_USE bool quota_read(struct quota *q, struct str bytes, struct err *err);
