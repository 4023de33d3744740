// SPDX-License-Identifier: Apache-2.0
/* wire/role.h - what a role is to the one that starts it: super in processes of their own, or
 * `serve --single` and the simulator in one. */
#pragma once

#include "base/err.h"
#include "config/config.h"
#include "io/channel.h"
#include "io/ring.h"

enum role_kind {
    ROLE_SUPER,
    ROLE_ACCEPT,
    ROLE_WEB,
    ROLE_CORE,
    ROLE_VAULT,
    ROLE_RESOLVE,
    ROLE_DELIVER,
    ROLE_REPORT,
    ROLE_KINDS
};

#define ROLE_INSTANCES_MAX 16

/* A link as a role gets it: the channel, who is at the other end, and the rings that go with it. */
struct role_link {
    enum role_kind peer;
    unsigned instance;       /* of the peer */
    uint32_t generation;     /* rises when the peer is restarted */
    struct channel *channel; /* no owner yet: the role sets events and owner */
    struct ring *ring_out; /* we write bodies: accept towards core, core towards deliver and report;
                              else NULL */
    struct ring *ring_in;  /* we read bodies; else NULL */
};

struct role_start {
    enum role_kind kind;
    unsigned instance;
    const struct config *config;
    struct listener *
        *listeners; /* accept: one per config->listeners, in its order; web: one, the UNIX socket */
    size_t listener_count;
    int unix_fd;                           /* web: the listening UNIX socket, -1 otherwise */
    struct str tls_chain_pem, tls_key_pem; /* accept only */
    struct str secret; /* vault only: the key under which credentials are hashed, 32 bytes */
};

/* Every role defines one of these (accept_role, core_role, …). All calls on the loop. */
struct role_ops {
    enum role_kind kind;
    const char *name;
    unsigned sandbox_needs; /* enum sandbox_need */
    /* Makes the role's state; starts its helper threads; may wait. Links come afterwards. */
    bool (*start)(const struct role_start *s, void **ret_role, struct err *err);
    /* A link is there: at start, or again after the peer was restarted (a new generation; the old
     * one's closed event has come or comes first). */
    void (*link)(void *role, const struct role_link *l);
    /* A new configuration. Optional. The old one stays valid until the call after the next. */
    void (*reload)(void *role, const struct config *config, const struct role_start *s);
    /* Finish what is in hand, take nothing new; call done(arg) when the role may end. */
    void (*drain)(void *role, void (*done)(void *arg), void *arg);
    /* A few facts as JSON members for `baton status`. Optional. */
    void (*status)(void *role, struct buf *to);
    void (*free)(void *role);
};

const char *role_name(enum role_kind kind);

/* Which roles are joined; rings: 'a' means first writes to second. One table for super and the
 * simulator. */
struct role_pair {
    enum role_kind a, b;
    bool ring_a_to_b;
};
extern const struct role_pair role_pairs[];
extern const size_t role_pair_count;
