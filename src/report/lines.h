// SPDX-License-Identifier: Apache-2.0
/* report/lines.h - an event as what people and log tools read: one key=value line per recipient and
 * attempt, or the lines that Postfix would have written, or JSON for live readers. Pure: no I/O
 * beyond handing lines to base/log.h. */
#pragma once

#include "base/map.h"
#include "config/config.h"
#include "spool/event.h"

/* Recipients that are not settled yet, per message: only so that the Postfix form can say
 * "removed". In memory and bounded: after a restart the line is missing for what was underway. */
struct lines {
    const struct config *config;
    struct idmap open; /* message -> count, as a pointer */
    uint64_t written;
};

void lines_init(struct lines *l, const struct config *config);
void lines_done(struct lines *l);
/* Writes the line or lines of `e` in the configured form. Whatever came from outside is escaped and
 * stays within its line (fault W07). */
void lines_write(struct lines *l, const struct event *e);

/* One JSON object of at most EVENT_JSON_MAX bytes; what would be longer is cut to type, time and
 * ids, with "cut":true. */
#define EVENT_JSON_MAX 3500
void event_json(const struct event *e, struct buf *to);
