// SPDX-License-Identifier: Apache-2.0
/* deliver/talk.h - commands and replies over one stream, with pipelining underneath (RFC 2920).
 *
 *     talk_begin() … talk_say() queues a command. talk_hear() sends what may be sent (all that is
 * queued, or the next one if the peer lacks PIPELINING) and returns the oldest reply.
 *
 * Invariant: every command sent is heard exactly once, in order. What the peer says unasked is no
 * reply of ours: at the points where nothing is awaited talk_is_quiet() finds it, and the caller
 * ends the dialogue (fault N11). */
#pragma once

#include "base/arena.h"
#include "io/stream.h"
#include "mail/reply.h"

/* So that neither side blocks on a full socket while the other waits to be read (RFC 2920 §3.1). */
#define TALK_UNHEARD_MAX 100

struct said {
    const char *name; /* "RCPT": for errors */
    int64_t timeout_ms;
    size_t bytes; /* of the command with CRLF; 0: a further reply to what was sent */
};

struct talk {
    struct stream *stream;
    bool pipelining;
    bool broken; /* the stream takes no more, for this reason; what it still holds is heard */
    struct err broken_why;
    struct buf commands; /* those said; the first `gone` bytes were sent */
    size_t gone, said;   /* bytes; what lies behind `said` is being written */
    struct said *queue;  /* awaited replies, oldest at `head`; the first `sent` of them were sent */
    size_t head, count, sent, cap;
    struct reply_reader reader;
    /* Called with each line of the next reply behind its code; for EHLO, whose lines mean something
     * each. */
    void (*on_line)(void *arg, struct str text, unsigned number);
    void *on_line_arg;
};

/* The stream stays the caller's. */
void talk_init(struct talk *t, struct stream *s);
void talk_done(struct talk *t);

/* Where to write the next command, without CRLF; talk_say() ends it. */
struct buf *talk_begin(struct talk *t);
void talk_say(struct talk *t, const char *name, int64_t timeout_ms);
/* A further reply to what was said already (LMTP, RFC 2033 §4.2), or a greeting. */
void talk_expect(struct talk *t, const char *name, int64_t timeout_ms);
/* Forgets what was said and not sent yet. */
void talk_drop_unsent(struct talk *t);
static inline size_t talk_awaited(const struct talk *t)
{
    return t->count;
}

/* The oldest reply, its text in the arena. ERR_SYNTAX: no SMTP reply; ERR_LIMIT: an endless one
 * (fault N05); else as stream_fill() and stream_flush(). Waits. */
MUST_USE bool talk_hear(struct talk *t, struct arena *a, struct reply *ret, struct err *err);

/* False when nothing is awaited and yet something has been read. Does not wait. */
bool talk_is_quiet(const struct talk *t);
/* The same, but looks at the socket too: also false when the peer has ended the flow. Does not
 * wait. */
bool talk_is_idle(struct talk *t);
