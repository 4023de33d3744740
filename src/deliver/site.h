// SPDX-License-Identifier: Apache-2.0
/* deliver/site.h - one destination by one route: the jobs that wait for it and the connections that
 * it has.
 *
 * Connections are kept and reused inside a site only, and a site is one route of one configuration:
 * so a connection never serves another TLS policy or other credentials than those it was opened
 * with (fault T09). */
#pragma once

#include "deliver/job.h"
#include "deliver/route.h"

struct connection;

struct site {
    struct deliver *role;
    struct str key, name; /* key: route and name, in the arena */
    struct arena arena;
    struct list link;   /* in old_sites, else a list of its own */
    struct list hungry; /* in deliver's list of that name, else of its own */
    struct list queue;  /* jobs */
    size_t queued;
    struct list connections;
    struct list idle;        /* those without a job */
    unsigned open, starting; /* connections; those that have not looked for a job yet */
    unsigned limit;
    bool old; /* its configuration is gone: ends when its queue is empty */
    struct route route;
    /* Of the configuration that it was made by. */
    struct str helo;
    struct config_timeouts timeouts;
    unsigned messages_max; /* per connection; 0: no limit */
    unsigned rcpts_max;    /* per transaction; 0: no limit */
};

/* Queues a complete job at its site, and sees to it that somebody takes it. */
void site_push(struct deliver *d, struct job *j);
/* The next job, or NULL. */
struct job *site_pop(struct site *s);
/* Takes the job out of the queue; false when it is not there (a connection holds it). */
bool site_forget(struct job *j);
void site_limit(struct deliver *d, const struct wire_site_limit *f);
/* Whether one connection should end since there are too many. */
bool site_is_over(const struct site *s);
/* A connection has ended and is in no list: the site goes with its last one when nothing waits. */
void site_connection_ended(struct site *s);
/* After a reload: new jobs get sites by the new configuration. */
void site_retire_all(struct deliver *d);
/* Forgets all queued jobs, without results. */
void site_clear_all(struct deliver *d);
/* Tells every connection's fiber to stop where it waits. */
void site_cancel_all(struct deliver *d);
