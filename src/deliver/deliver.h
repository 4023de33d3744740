// SPDX-License-Identifier: Apache-2.0
/* deliver/deliver.h - the role's own state, which its files share.
 *
 *     role.c        links and frames
 *       job.c         a job gathers
 *       site.c          it waits in the queue of its site
 *       connection.c      a fiber takes it; opening.c gets it a dialogue
 *       attempt.c           the job is offered on that dialogue: dialogue.c, offer.c
 *         render.c, sign.c    what is offered: edits, conversion, signatures
 *       result.c      outcomes go back to core
 */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "config/config.h"
#include "io/fiber.h"
#include "io/tls.h"
#include "mail/dkim.h"
#include "wire/wire.h"

struct deliver;

/* One link to another role; owner of its channel. */
struct deliver_link {
    struct list link;
    struct deliver *role;
    enum role_kind peer;
    struct channel *channel;
    struct ring *ring_in;
    uint64_t credited; /* core: position last told */
};

struct deliver {
    const struct config *config;
    struct list links;
    struct deliver_link *core, *resolve; /* NULL while away */

    struct idmap jobs;      /* by job number: all that core has not had a result of */
    struct list spare_jobs; /* recycled */
    size_t spare_job_count;
    struct buf skipped; /* where content goes that no job waits for any more */

    struct map sites;      /* by site_key() */
    struct list old_sites; /* of an earlier configuration; end with their last connection */
    struct list hungry;    /* sites whose queue waits for a connection to be free */
    struct list idle;      /* connections, longest idle first */
    unsigned open;         /* connections */
    struct gate all_closed;

    struct tls_client *tls_any;   /* encrypts, believes nothing (RFC 7435) */
    struct tls_client *tls_named; /* checks the name; NULL when no route asks for it */
    struct tls_client
        *tls_before[2];     /* of the configuration before: handshakes in hand still use them */
    struct map plain_hosts; /* hosts whose STARTTLS broke: downgrade.h */

    struct idmap questions; /* asked of resolve */
    uint64_t question_last;

    size_t converting_bytes; /* held by content that is converted whole: render.h */
    struct gate converting;
    struct dkim_body body; /* its hash, where core did not tell it; no wait in between */

    struct list trials; /* live.h */
    unsigned stories;   /* fibers that hold on to this besides connections */
    bool draining, ending;
    void (*drained)(void *arg);
    void *drained_arg;
};

/* A fiber that uses the role has ended: lets drain and free go on. */
void deliver_story_ended(struct deliver *d);
