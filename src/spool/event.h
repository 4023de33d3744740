// SPDX-License-Identifier: Apache-2.0
/* spool/event.h - what happened to a message or one of its recipients, complete enough to be
 * reported without looking anything up. Events lie inside message and settle records, so each is
 * durable exactly when its cause is. */
#pragma once

#include "mail/outcome.h"

/* Numbers stand on disk: never reuse one. Names: interfaces.md §3.4. */
enum event_kind {
    EVENT_ACCEPTED = 1,
    EVENT_DELIVERED = 2,
    EVENT_RELAYED = 3,
    EVENT_DEFERRED = 4,
    EVENT_BOUNCED = 5,
    EVENT_EXPIRED = 6,
    EVENT_CANCELLED = 7, /* by actor, for reason */
    EVENT_HELD = 8,
    EVENT_RELEASED = 9,
    EVENT_RETRIED = 10, /* made due by actor */
    EVENT_DELAY_WARNED = 11,
};

struct event {
    uint64_t position; /* where it stands in the log: its identity and the cursor behind it */
    enum event_kind kind;
    uint64_t message; /* id */
    uint64_t account;
    uint64_t dsn; /* id of the notification that was made with it, 0: none */
    int64_t wall_ms;
    int64_t accepted_wall_ms;
    int64_t due_wall_ms; /* next attempt, 0: none */
    uint64_t size_bytes;
    uint32_t rcpt;       /* number in the envelope */
    uint32_t rcpt_count; /* EVENT_ACCEPTED */
    uint16_t tries;
    struct str reverse_path;
    struct str address;     /* of the recipient; EVENT_ACCEPTED: empty */
    struct str destination; /* site */
    struct str source;      /* local address used, or empty */
    struct str client;      /* EVENT_ACCEPTED: address of the client */
    struct str helo;
    struct str login;
    struct str actor; /* operator's name */
    struct str reason;
    struct outcome outcome;
};

const char *event_kind_name(enum event_kind kind); /* "email.delivered" */

bool event_write(struct buf *to, const struct event *e);
/* Reads one event at the front of *bytes and removes it; borrows. ERR_DAMAGED. */
MUST_USE bool event_read(struct str *bytes, struct event *ret, struct err *err);
