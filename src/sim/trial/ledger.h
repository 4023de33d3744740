// SPDX-License-Identifier: Apache-2.0
/* sim/trial/ledger.h - the oracle's book: what the relay has promised, and what the world has seen
 * come out of it. Kept by the scripted clients and servers, never by the relay, in memory that
 * survives the relay's death (faults.md §1, "Oracle").
 *
 * What must hold in the end:
 *   L1  each recipient of a message that was answered 250 got it, or its sender got a notification
 *       of failure that names it
 *   L2  nothing was delivered that the relay had refused, and nothing that nobody sent
 *   L3  nothing was delivered altered
 *   L4  a recipient got no more copies than were handed over, and one more for each time that the
 *       relay could not know: the reply to its end of data was lost, or had not come when the relay
 *       stopped, or the relay was killed before the outcome was settled
 *   L5  no recipient got it and is named as failed too, unless the relay could not know
 *   L6  the queue is empty: nothing waits for ever
 *   L7  the relay died only when it was killed */
#pragma once

#include "base/buf.h"

#define MESSAGES_MAX 48
#define RCPTS_MAX 5
#define SENDER_DOMAIN "senders.test"
#define VIOLATIONS_MAX 20

enum submission {
    SUBMISSION_WAITS, /* to be sent, perhaps once more */
    SUBMISSION_RUNS,  /* a client holds it */
    SUBMISSION_OVER,  /* answered 250, or left alone */
};

struct ledger_rcpt {
    char address[64];
    unsigned asked; /* RCPT commands heard */
    unsigned deliveries;
    unsigned open;             /* deliveries that the relay has not reported since */
    unsigned unheard;          /* deliveries whose 250 the relay may not have heard yet */
    unsigned uncertain;        /* times that the relay could not know (L4) */
    unsigned failures, delays; /* notifications that name it */
};

struct ledger_message {
    char sender[64];
    uint64_t content_seed;
    uint32_t body_bytes;
    int64_t from_ms; /* no client sends it before */
    enum submission submission;
    bool in_doubt;          /* its last octet may have been sent, no answer yet */
    unsigned deaths_before; /* of roles, when that began */
    unsigned accepted;      /* times answered 250 */
    unsigned doubts;        /* times that the answer was lost */
    uint32_t rcpt_count;
    struct ledger_rcpt rcpts[RCPTS_MAX];
};

struct ledger {
    bool storm; /* the world misbehaves */
    unsigned role_deaths;
    uint32_t message_count;
    struct ledger_message messages[MESSAGES_MAX];
    uint32_t violation_count;
    char violations[VIOLATIONS_MAX][200];
};

/* In memory that forked processes share; one a process. */
struct ledger *ledger_new(void);
void ledger_free(struct ledger *l);

__attribute__((format(printf, 2, 3))) void ledger_violation(struct ledger *l, const char *fmt, ...);

/* The message whose recipient this is; NULL when nobody sent it. */
struct ledger_rcpt *ledger_find(struct ledger *l, struct str address,
                                struct ledger_message **ret_message);
bool ledger_is_sender(const struct ledger *l, struct str address);
/* The message exactly as its client sends it, before dot-stuffing. */
void ledger_content(const struct ledger *l, const struct ledger_message *m, struct buf *to);

/* A server has taken it for these recipients, and says so next. */
void ledger_delivered(struct ledger *l, struct str address, struct str content);
/* The reply to that was heard, or was lost. */
void ledger_replied(struct ledger *l, struct str address, bool was_heard);
/* The relay has told of it: its settle record is durable. */
void ledger_reported(struct ledger *l, struct str address);
/* A notification came in. */
void ledger_notified(struct ledger *l, struct str content);

/* A role was killed, not the whole relay: what deliver had heard may not have reached core, and
 * accept may have had to answer 451 for what core had taken. */
void ledger_role_died(struct ledger *l);
/* The relay's process ended, by our hand or not. */
void ledger_relay_ended(struct ledger *l, bool was_killed);
/* Everything that clients had to send has been answered, or given up. */
bool ledger_all_sent(const struct ledger *l);
/* The verdict: adds violations. */
void ledger_judge(struct ledger *l);
