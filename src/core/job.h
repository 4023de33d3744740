// SPDX-License-Identifier: Apache-2.0
/* core/job.h - a batch in the hands of a peer: what handout.c begins and result.c ends. */
#pragma once

#include "core/core.h"

struct job {
    struct core *core;
    struct peer *peer;
    uint64_t id;
    struct batch batch;
    struct spool_message *message;
    struct arena arena;
    struct envelope envelope;
    struct settled *outcomes; /* one per recipient of the batch */
    uint64_t sent, upto;      /* content: put into the ring; may be put */
    bool streaming;           /* a story is putting content */
    struct job_sign {         /* keys that sign it: signing.c */
        uint64_t key, account;
    } signs[JOB_SIGNS_MAX];
    size_t sign_count;
    unsigned signs_asked; /* and not answered yet */
    bool over;            /* the result is in, or the peer is gone: no more content */
    unsigned stories;     /* that use this struct; the last one frees it once it is over */
};

/* signing.c: chooses the keys and sends their JOB_SIGNs. */
void signing_choose(struct job *j);

/* A story has done with it; the last one frees it once it is over. */
void job_leave(struct job *j);

/* result.c */
MUST_USE bool result_on_rcpt(struct core *c, struct peer *from, const struct wire_result_rcpt *m,
                             struct err *err);
void result_on_end(struct core *c, struct peer *from, const struct wire_result *m);
