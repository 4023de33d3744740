// SPDX-License-Identifier: Apache-2.0
/* mail/outcome.h - what became of one attempt for one recipient: the kind, the peer's words, and
 * how far they reach. */
#pragma once

#include "base/ip.h"
#include "mail/reply.h"

/* Numbers stand on disk and on the wire: never reuse one. */
enum outcome_kind {
    OUTCOME_DELIVERED = 1, /* the final server took it */
    OUTCOME_RELAYED = 2,   /* a next hop took it */
    OUTCOME_DEFERRED = 3,  /* 4yz or no answer: again later */
    OUTCOME_BOUNCED = 4,   /* 5yz */
    OUTCOME_EXPIRED = 5,   /* too old */
    OUTCOME_CANCELLED = 6, /* by a named person */
    OUTCOME_UNKNOWN = 7,   /* lost after the last octet was sent (RFC 1047): deferred, may repeat */
};

/* Decides what else must wait; nothing else should guess it from text. */
enum outcome_scope {
    SCOPE_RECIPIENT = 1,
    SCOPE_MESSAGE = 2,
    SCOPE_SESSION = 3,
    SCOPE_DESTINATION = 4
};

struct outcome {
    enum outcome_kind kind;
    enum outcome_scope scope;
    struct reply reply; /* code 0: the peer said nothing, text is ours */
    struct str host;    /* name of the remote host, or "" */
    struct ip ip;
    bool tls;
    uint32_t waited_ms;   /* due … connection at hand */
    uint32_t dialogue_ms; /* MAIL … end */
};

const char *outcome_kind_name(enum outcome_kind kind);
const char *outcome_scope_name(enum outcome_scope scope);
/* By the first digit: 2 delivered, 4 deferred, 5 bounced. */
enum outcome_kind outcome_of_reply(const struct reply *r);
