// SPDX-License-Identifier: Apache-2.0
/* vault/inquiry.h - questions to resolve, and its answers gathered from their frames. Many may be
 * under way at once; what is asked while resolve is away is asked when it comes back, and what it
 * took with it is asked again. */
#pragma once

#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "io/fiber.h"
#include "io/loop.h"
#include "vault/proof.h"

/* One question, in the caller's storage (large for a stack), which stays until the answer is there
 * or it is dropped. */
struct inquiry {
    struct list link;
    uint64_t id;
    struct inquiries *of;
    struct arena *arena; /* of the answer */
    bool is_spf;
    struct str name;
    uint16_t rrtype;
    enum dns_how how;
    bool done;
    /* the answer */
    uint16_t code; /* 0: asked. 4yz, 5yz: the servers could not be found; `text` says why */
    struct str text;
    uint32_t spf_result; /* enum spf_result */
    struct proof_look look;
    struct proof_server servers[PROOF_SERVERS_MAX];
    struct str *values; /* of the last server */
    size_t value_room;
};

struct inquiries {
    struct channel *channel; /* to resolve; NULL while it is away */
    struct list waiting;     /* struct inquiry */
    struct idmap by_id;
    uint64_t next;
    struct gate changed;
    bool closed;
};

void inquiries_init(struct inquiries *all);
void inquiries_done(struct inquiries *all);
/* Whoever waits is told ERR_CANCELLED. */
void inquiries_close(struct inquiries *all);
/* resolve is there (again), or gone: NULL. */
void inquiries_link(struct inquiries *all, struct channel *channel);
/* A checked frame from resolve. ERR_SYNTAX: it contradicts what came before. */
MUST_USE bool inquiries_on_frame(struct inquiries *all, const struct frame *f, struct err *err);

/* `name` is in the arena. */
void inquiry_ask_dns(struct inquiries *all, struct inquiry *q, struct str name,
                     uint16_t rrtype /* enum dns_type */, enum dns_how how, struct arena *arena);
/* May our addresses send for this domain? */
void inquiry_ask_spf(struct inquiries *all, struct inquiry *q, struct str domain,
                     struct arena *arena);
/* ERR_TIMEOUT, ERR_CANCELLED: no answer; the question is dropped. Waits. */
MUST_USE bool inquiry_await(struct inquiry *q, int64_t deadline_ms, struct err *err);
void inquiry_drop(struct inquiry *q);
