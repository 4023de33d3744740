// SPDX-License-Identifier: Apache-2.0
/* deliver/dialogue.h - the SMTP or LMTP conversation with one peer, from greeting to QUIT. */
#pragma once

#include "config/config.h"
#include "deliver/extensions.h"
#include "deliver/talk.h"
#include "mail/address.h"
#include "mail/xtext.h"

/* How far an offer came. What was heard up to there stands in the batch. */
enum stage { STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_CONTENT, STAGE_END };

/* The octets of a message, piece by piece. */
struct content_source {
    /* The next piece, valid until the next call; *ret_last with the last one. Waits. */
    bool (*next)(void *arg, struct str *ret, bool *ret_last, struct err *err);
    void *arg;
};

struct batch_rcpt {
    struct address address;
    struct rcpt_params params;
    /* Filled in. */
    bool heard;         /* the peer answered RCPT */
    bool ended;         /* LMTP: it answered the content for this recipient */
    struct reply reply; /* to RCPT, then, when `ended`, to the content */
};

/* One message and some recipients: what a dialogue offers, and what the peer said of it. */
struct batch {
    struct address reverse_path;
    struct mail_params params; /* size_bytes: as it will be sent, without dot-stuffing */
    struct batch_rcpt *rcpts;
    size_t rcpt_count;
    struct content_source content;
    /* Filled in. */
    enum stage stage;
    bool mail_heard; /* the peer answered MAIL */
    bool all_sent; /* the last octet of the content has left: from here on it may be delivered (RFC
                      1047) */
    size_t accepted;    /* recipients */
    struct reply reply; /* what decided about all of it: to MAIL, DATA or the content; code 0 when
                           nothing did */
};

struct dialogue {
    struct talk talk;
    struct arena *arena; /* texts of replies; the owner resets it between offers */
    const struct config_timeouts *timeouts;
    struct str helo; /* our name */
    bool lmtp;
    struct extensions ext;
    struct str peer_name; /* as it calls itself; in `names`, for the life of the dialogue */
    struct arena names;
    bool needs_reset;   /* a transaction was begun and not ended */
    bool closing;       /* the peer said 421: nothing more is said to it */
    struct buf stuffed; /* recycled */
};

struct dialogue_options {
    struct str helo;
    bool lmtp;
    const struct config_timeouts *timeouts;
};

/* The stream becomes the dialogue's. */
void dialogue_init(struct dialogue *d, struct stream *s, const struct dialogue_options *o,
                   struct arena *a);
/* Closes without a word. */
void dialogue_done(struct dialogue *d);

/* Each of these fills *ret with the peer's reply; a refusal is in it. False only when the stream is
 * lost or the peer speaks no SMTP. Waits. */

/* The greeting. RFC 5321 §3.1. */
MUST_USE bool dialogue_greeting(struct dialogue *d, struct reply *ret, struct err *err);
/* EHLO, then HELO where EHLO is refused (LHLO alone in LMTP), and what it offers. §3.2. */
MUST_USE bool dialogue_hello(struct dialogue *d, struct reply *ret, struct err *err);
/* STARTTLS and the handshake; then what was offered is forgotten and dialogue_hello() comes again.
 * ERR_TLS also when the peer's reply came with plaintext behind it (fault B04). A refusal leaves
 * the dialogue as it was. RFC 3207. */
MUST_USE bool dialogue_starttls(struct dialogue *d, struct tls_client *tls, struct str name,
                                struct reply *ret, struct err *err);
/* AUTH PLAIN, else LOGIN. The caller sees to it that the stream has TLS and one of them is offered.
 * RFC 4954. */
MUST_USE bool dialogue_auth(struct dialogue *d, struct str user, struct str password,
                            struct reply *ret, struct err *err);

/* Offers `batch` and fills in what the peer said of each recipient and of the whole. False only
 * when the stream is lost, the peer's replies do not fit our commands, or the content fails;
 * batch->stage says where. RFC 5321 §3.3, RFC 2920, RFC 3030. Waits. */
MUST_USE bool dialogue_offer(struct dialogue *d, struct batch *batch, struct err *err);

/* Whether a dialogue that was left alone can still be used. Does not wait. */
bool dialogue_is_alive(struct dialogue *d);
/* QUIT, unless the peer is gone or leaving. `wait` for its reply (RFC 5321 §4.1.1.10) where nobody
 * waits for us: that takes up to quit_ms. Waits. */
void dialogue_quit(struct dialogue *d, bool wait);
