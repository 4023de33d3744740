// SPDX-License-Identifier: Apache-2.0
/* deliver/site.c - gives waiting jobs to connections, and opens as many of those as core allows.
 *
 * How many a site may have is core's decision (schedule/); how many the role may have is
 * configured. */
#include "deliver/site.h"

#include <stdlib.h>

#include "deliver/connection.h"
#include "deliver/result.h"

/* Left for what connections start themselves: attempts to connect. */
#define FIBERS_SPARE 64

/* Two routes may lead to the same place with different credentials: the route is part of the key.
 */
static void make_key(struct buf *to, uint32_t route, struct str name)
{
    buf_init(to, FRAME_BYTES_MAX);
    buf_addf(to, "%u ", route);
    buf_add(to, name);
}

static struct site *site_find(struct deliver *d, uint32_t route, struct str name)
{
    struct buf key;
    struct site *s;

    make_key(&key, route, name);
    s = map_find(&d->sites, buf_str(&key));
    buf_done(&key);
    return s;
}

static struct site *site_new(struct deliver *d, const struct job *j, struct err *err)
{
    struct site *s = NEW(struct site);
    struct buf key;

    s->role = d;
    arena_init(&s->arena, 512);
    if (!route_find(d->config, j->route, j->site_name, &s->arena, &s->route, err)) {
        arena_done(&s->arena);
        free(s);
        return NULL;
    }
    make_key(&key, j->route, j->site_name);
    s->key = arena_str(&s->arena, buf_str(&key));
    buf_done(&key);
    s->name = arena_str(&s->arena, j->site_name);
    s->helo = arena_str(&s->arena, d->config->hostname);
    s->timeouts = d->config->timeouts;
    s->messages_max = d->config->delivery.messages_per_connection;
    s->rcpts_max = d->config->delivery.recipients_per_transaction;
    list_init(&s->link);
    list_init(&s->hungry);
    list_init(&s->queue);
    list_init(&s->connections);
    list_init(&s->idle);
    map_put(&d->sites, s->key, s);
    return s;
}

static void site_free(struct site *s)
{
    list_remove(&s->link);
    list_remove(&s->hungry);
    if (!s->old)
        map_take(&s->role->sites, s->key);
    arena_done(&s->arena);
    free(s);
}

static void free_if_unused(struct site *s)
{
    if (s->open == 0 && list_empty(&s->queue))
        site_free(s);
}

/* Connections --------------------------------------------------------------------------------- */

/* Room for one more in the role: the connection that has idled longest makes it. */
static bool role_has_room(struct deliver *d)
{
    struct connection *idlest;

    if (d->open < d->config->delivery.connections &&
        fiber_count() + FIBERS_SPARE < fiber_count_max())
        return true;
    idlest = LIST_FIRST(&d->idle, struct connection, idle_of_role);
    if (idlest) {
        idlest->quit = true;
        connection_wake(idlest);
    }
    return false;
}

/* Sees to it that somebody takes the jobs that wait. */
static void site_feed(struct site *s)
{
    struct deliver *d = s->role;
    struct connection *c;

    if (s->queued == 0)
        return;
    c = LIST_FIRST(&s->idle, struct connection, idle);
    if (c) {
        connection_wake(c);
        return;
    }
    if (s->open >= s->limit || s->starting >= s->queued)
        return; /* those that are open take the next one themselves */
    if (role_has_room(d))
        connection_start(s);
    else if (list_empty(&s->hungry))
        list_append(&d->hungry, &s->hungry);
}

static void set_limit(struct site *s, unsigned connections)
{
    s->limit = connections > 0 ? connections : 1;
}

void site_push(struct deliver *d, struct job *j)
{
    struct err err = { 0 };
    struct site *s = site_find(d, j->route, j->site_name);

    if (!s)
        s = site_new(d, j, &err);
    if (!s) {
        result_defer_all(j, (struct status){ 4, 3, 5 }, str_of(err.text));
        result_send(j, 0);
        return;
    }
    set_limit(s, j->connections);
    j->site = s;
    list_append(&s->queue, &j->link);
    s->queued++;
    site_feed(s);
}

struct job *site_pop(struct site *s)
{
    struct job *j = LIST_FIRST(&s->queue, struct job, link);

    if (j) {
        list_remove(&j->link);
        s->queued--;
    }
    return j;
}

/* A queue that becomes empty here has connections still, or never had the chance to get one. */
bool site_forget(struct job *j)
{
    struct site *s = j->site;

    if (!s || list_empty(&j->link))
        return false;
    list_remove(&j->link);
    s->queued--;
    free_if_unused(s);
    return true;
}

static void limit_by_route(struct deliver *d, uint32_t route, const struct wire_site_limit *f)
{
    struct site *s = site_find(d, route, wire_get(f, f->site));

    if (!s)
        return;
    set_limit(s, f->connections);
    for (size_t more = s->queued; more > 0 && s->open < s->limit; more--)
        site_feed(s);
}

void site_limit(struct deliver *d, const struct wire_site_limit *f)
{
    limit_by_route(d, ROUTE_BY_MX, f);
    for (size_t i = 0; i < d->config->route_count; i++)
        limit_by_route(d, (uint32_t)i, f);
}

bool site_is_over(const struct site *s)
{
    return s->open > s->limit || s->role->draining || (s->old && s->queued == 0);
}

void site_connection_ended(struct site *s)
{
    struct deliver *d = s->role;
    struct site *hungry;

    s->open--;
    d->open--;
    if (s->queued > 0 && !d->draining)
        site_feed(s);
    free_if_unused(s);
    hungry = LIST_FIRST(&d->hungry, struct site, hungry);
    if (hungry && !d->draining) {
        list_remove(&hungry->hungry);
        site_feed(hungry);
    }
    deliver_story_ended(d);
}

/* Ends ---------------------------------------------------------------------------------------- */

static void quit_idle(struct site *s)
{
    LIST_EACH (&s->idle, struct connection, c, idle) {
        c->quit = true;
        connection_wake(c);
    }
}

void site_retire_all(struct deliver *d)
{
    struct str key;
    void *value;

    for (size_t at = 0; map_each(&d->sites, &at, &key, &value);) {
        struct site *s = value;

        map_take(&d->sites, key);
        s->old = true;
        list_append(&d->old_sites, &s->link);
        quit_idle(s);
    }
}

static void clear(struct site *s)
{
    struct job *j;

    quit_idle(s);
    while ((j = site_pop(s))) {
        idmap_take(&s->role->jobs, j->number);
        job_free(j);
    }
    free_if_unused(s);
}

void site_clear_all(struct deliver *d)
{
    struct str key;
    void *value;

    for (size_t at = 0; map_each(&d->sites, &at, &key, &value);)
        clear(value);
    LIST_EACH (&d->old_sites, struct site, s, link)
        clear(s);
}

static void cancel(struct site *s)
{
    LIST_EACH (&s->connections, struct connection, c, link)
        fiber_cancel(c->fiber);
}

void site_cancel_all(struct deliver *d)
{
    struct str key;
    void *value;

    for (size_t at = 0; map_each(&d->sites, &at, &key, &value);)
        cancel(value);
    LIST_EACH (&d->old_sites, struct site, s, link)
        cancel(s);
}
