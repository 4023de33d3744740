// SPDX-License-Identifier: Apache-2.0
/* accept/session.h - one client's connection, from connect to close: a story on a fiber of its own
 * (session.c), told with the handlers of its commands (cmd_*.c). */
#pragma once

#include "accept/replies.h"
#include "accept/transaction.h"
#include "accept/workspace.h"
#include "config/config.h"
#include "io/stream.h"
#include "wire/wire.h"

struct accept;

/* What another role says to a question of ours. One at a time. */
struct answer {
    struct gate gate;
    bool waiting, here;
    bool of_vault; /* it comes by way of vault, else from core alone */
    uint16_t code; /* 0 or 250: yes */
    struct status status;
    uint64_t id;
    struct str text; /* in the workspace */
};

struct session {
    struct accept *role;
    struct stream *stream;
    struct fiber *fiber;
    struct workspace *work; /* NULL while it idles */
    uint64_t id;
    int64_t started_ms;
    struct endpoint client;
    uint32_t listener; /* its index, for vault */
    enum listener_kind kind;
    uint32_t flags; /* enum bind_flag, as core said */
    uint32_t core_generation, vault_generation;

    struct buf helo, login;
    bool esmtp;
    struct transaction tx;
    struct answer answer;

    uint32_t messages;
    uint16_t bad_commands, auth_failures;
    uint8_t streak;    /* commands since others had a turn */
    bool signed_in;    /* by AUTH, which is then refused (RFC 4954 §4) */
    bool idle;         /* between transactions, waiting for a command: may be sent away */
    bool opened;       /* vault has heard of it */
    bool held_by_core; /* or may be, when its answer has not come */
    bool over;         /* the story ends after what is piled was sent */
    size_t piled;      /* octets of replies not flushed */
};

/* Begins the story; owns the stream. */
void session_start(struct accept *role, struct stream *stream, uint32_t listener);

/* Is an account's: may send anywhere that admission allows. */
bool session_is_authorised(const struct session *s);
/* Forgets what the client has said of itself and of a message: after EHLO and STARTTLS. */
void session_forget(struct session *s);

/* Piles up a reply. Waits when the pile is large. */
void session_reply(struct session *s, enum reply_id id);
void session_reply1(struct session *s, enum reply_id id, struct str arg);
void session_reply_num(struct session *s, enum reply_id id, uint64_t arg);
void session_reply_raw(struct session *s, const struct reply *r);
/* The same, and the story ends. */
void session_end(struct session *s, enum reply_id id);
void session_end_num(struct session *s, enum reply_id id, uint64_t arg);
/* A refusal of what the client tried: piled up, logged, and when it is a permanent one counted
 * towards limits.bad_commands. Unused arguments are STR_NONE. */
void session_refuse(struct session *s, enum reply_id id);
void session_refuse_args(struct session *s, enum reply_id id, struct str arg1, struct str arg2);
void session_refuse_num(struct session *s, enum reply_id id, uint64_t arg);
/* By policy, not for a mistake: counted only when the session is nobody's. */
void session_refuse_raw(struct session *s, const struct reply *r);
/* The stream is lost, or this fiber was told to stop. */
void session_lost(struct session *s, const struct err *why);
/* Sends the pile. False: lost. Waits. */
MUST_USE bool session_flush(struct session *s);

/* Its memory, from the first octet of a command to the end of what that began. */
struct workspace *session_work(struct session *s);

/* The next line, in the workspace until the next one. LINE_REFUSED: answered already (`too_long`
 * gets the limit as its argument). Waits. */
enum line_read { LINE_READ, LINE_REFUSED, LINE_LOST };
enum line_read session_line(struct session *s, size_t max, enum reply_id too_long, struct str *ret);

/* Waits for what `answer` was made ready for by session_ask(). False when the link it must come by
 * was lost, or the deadline passed, or we stop. Waits. */
void session_ask(struct session *s, bool of_vault);
MUST_USE bool session_await(struct session *s, int64_t deadline_ms);
/* For the links: the answer is here. `text` is copied. */
void session_answered(struct session *s, uint16_t code, struct str text);
