// SPDX-License-Identifier: Apache-2.0
/* guard/quota_table.h - the table behind quota.h, shared by what counts in it (quota.c) and what
 * writes and reads it (quota_bytes.c). Private to guard. */
#pragma once

#include "guard/quota.h"
#include "guard/quota_set.h"

#define QUOTA_NEVER INT64_MIN

/* One window of one holder. */
struct quota_span {
    int64_t begins; /* QUOTA_NEVER: nothing was counted */
    uint64_t used[QUOTA_MEASURES], held[QUOTA_MEASURES];
    struct quota_set *set; /* NULL: distinct recipients are not remembered */
};
struct quota_entry {
    uint64_t who;
    struct quota_span spans[QUOTA_WINDOWS];
};
/* The windows of one moment. */
struct quota_bounds {
    int64_t begins[QUOTA_WINDOWS], ends[QUOTA_WINDOWS];
};
struct quota {
    struct idmap entries;
    struct quota_bounds latest; /* of the last message: most come in the same minute */
};

struct quota_bounds quota_bounds_of(int64_t wall_ms);
/* Empty, and not yet in the table. */
struct quota_entry *quota_entry_new(uint64_t who);
void quota_entry_free(struct quota_entry *e);
void quota_span_forget(struct quota_span *s);
/* Nobody has used anything. */
void quota_clear(struct quota *q);
