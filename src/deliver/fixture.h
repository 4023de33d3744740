// SPDX-License-Identifier: Apache-2.0
/* deliver/fixture.h - for tests: the real deliver role between a core and a resolver that are
 * played here. */
#pragma once

#include "deliver/role.h"
#include "mail/dkim.h"
#include "mail/outcome.h"
#include "wire/wire.h"

#define FIXTURE_RCPTS_MAX 8
#define FIXTURE_MANY 250

/* A job to hand out; what is left out is plain. */
struct errand {
    struct str site;                      /* default "example.test" */
    struct str domain;                    /* default "example.test" */
    uint32_t route;                       /* index */
    const char *from;                     /* default "ann@client.test" */
    const char *rcpts[FIXTURE_RCPTS_MAX]; /* default one, "bob@example.test" */
    struct str content;                   /* default a short message */
    bool many;                            /* FIXTURE_MANY recipients, all the default one */
    bool eight_bit, binary, smtputf8;
    const char *envid, *orcpt;
    unsigned notify;
    unsigned connections; /* default 2 */
    unsigned signs;       /* by keys 1 (RSA) and 2 (Ed25519) */
    const uint8_t *body_hash;
};

struct fixture {
    struct config config;
    struct config_route routes[2];
    void *role;
    struct channel *core, *resolve;
    struct ring *ring, *ring_in; /* the writer's end, and the role's */
    struct str hosts[4];         /* what resolve says: addresses, in order; none: 5yz */
    uint64_t jobs;               /* handed out */
    unsigned results;            /* RESULT frames that came */
    struct buf told;             /* "delivered recipient 250; …" of all results, in order */
    struct wire_result last;
    struct errand errands[64];
    uint64_t sent[64]; /* content handed out of each */
    /* How core answers a hash; NULL: not at all. Returns the length, or 0 and a code. */
    size_t (*sign)(uint64_t key, struct str hash, unsigned char to[512], uint16_t *ret_code);
    unsigned sign_asks;
    uint64_t last_asked; /* job */
    char failure[300];
    struct channel *web;
    bool live_answered;
    char live[200]; /* the last answer to a question of `baton live`: status, then the row from
                       "reached" on */
};

void fixture_start(struct fixture *f, uint16_t port);
/* The configuration was changed: the role gets it. */
void fixture_reload(struct fixture *f);
void fixture_send(struct fixture *f, const struct errand *e);
/* Takes back the job that was handed out as that many-th. */
void fixture_cancel(struct fixture *f, uint64_t job);
/* Core has signed for key 1 of that job, asked or not. */
void fixture_sign(struct fixture *f, uint64_t job);
/* Core dies. */
void fixture_cut(struct fixture *f);
/* Until so many results came. */
void fixture_await(struct fixture *f, unsigned results);
/* Asks as `baton live` does. "200 \"reached\":…", up to the words of an error. */
const char *fixture_ask_live(struct fixture *f, const char *target);
void fixture_stop(struct fixture *f);
