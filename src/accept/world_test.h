// SPDX-License-Identifier: Apache-2.0
/* accept/world_test.h - for tests: the real role between a client of ours on loopback and a core
 * and a vault that are tables. All in one process on one loop. */
#pragma once

#include "accept/accept.h"
#include "accept/role.h"
#include "base/buf.h"

#define WORLD_MESSAGES_MAX 256

/* What core was given. */
struct taken {
    bool begun, ended, aborted;
    uint64_t session, tx, number;
    char reverse_path[400], rcpts[4000]; /* each followed by a blank */
    unsigned rcpt_count;
    struct buf content, rendered; /* as received; with the edits and the id 1 + its place */
    struct header_edit edits[EDITS_MAX];
    size_t edit_count;
    uint32_t header_bytes, facts, body;
    struct str body_hash; /* in the arena */
    struct arena arena;
};

struct world {
    struct config *config;
    struct listener *listeners[5]; /* by enum door_kind */
    struct accept *accept;
    struct channel *core, *vault; /* their ends */
    struct ring *ring_out, *ring_in;
    uint32_t generation;

    /* How vault and core behave. */
    unsigned client_flags;      /* enum bind_flag for who comes in */
    unsigned certificate_flags; /* for who shows a certificate */
    uint16_t certificate_code;
    uint16_t ready_code;
    uint16_t answer_code;    /* 0: 250 */
    const char *warning;     /* that a 250 brings; NULL: none */
    bool core_refuses_early; /* at the first chunk, by 452 */
    bool core_silent;        /* never answers a message */
    bool core_takes_nothing; /* leaves the ring full */

    struct taken *messages; /* at most WORLD_MESSAGES_MAX */
    unsigned begun;         /* transactions */
    uint64_t client;        /* the latest session */
    unsigned auths, closes;
    unsigned certificates; /* shown, and the last one's fingerprint */
    uint8_t sha256[32];
    char steps[512];        /* of SCRAM, as "0:first " */
    uint64_t held_position; /* credit not given */
};

enum door_kind {
    DOOR_SUBMISSION,
    DOOR_SUBMISSIONS,
    DOOR_RELAY,
    DOOR_PROXIED,
    DOOR_PROXIED_TLS,
    DOORS
};

/* `yaml`: options besides the world's own, or "". */
void world_start(struct world *w, const char *yaml);
void world_end(struct world *w);
/* Core and vault die; come back with a new generation. */
void world_cut(struct world *w);
void world_join(struct world *w);
void world_gate(struct world *w, bool open);
/* Core says where senders are rewritten: "name\nname\n", as a piece of the list. */
void world_forwards(struct world *w, bool begins, const char *names);
void world_give_credit(struct world *w);
/* Core forgets what it was given. */
void world_forget(struct world *w);
/* How many messages core has wholly, not aborted. */
unsigned world_whole(const struct world *w);
/* The only session's state, as it is between two commands. */
struct session *world_session(struct world *w);

/* One that signs itself, as PEM; both are made. */
void world_make_certificate(struct buf *chain, struct buf *key);

/* A client that says what it is told. */
struct client {
    struct stream *stream;
    unsigned code;   /* of the last reply */
    char text[8192]; /* all its lines */
};
void client_connect(struct client *c, struct world *w, enum door_kind door);
void client_close(struct client *c);
void client_say(struct client *c, struct str bytes);
/* In two pieces, the server having read the first. */
void client_say_split(struct client *c, struct str bytes, size_t at);
/* The next reply's code; 0: the connection has ended. */
unsigned client_hear(struct client *c);
void client_start_tls(struct client *c);
/* Turns the loop until nothing is left to do. */
void world_settle(void);
