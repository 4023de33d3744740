// SPDX-License-Identifier: Apache-2.0
/* resolve/authority.c - asks the servers of a zone, a few at once, and those of where aliases lead.
 *
 * A customer's selector is often an alias of a record that the relay's operator publishes: then one
 * zone says where to look, and another one says what. */
#include "resolve/authority.h"

#include "base/mem.h"
#include "io/dns_direct.h"
#include "io/loop.h"

#define AT_ONCE_MAX 8
#define NAMES_MAX 4 /* in all that one question may lead to */
#define FIBERS_SPARE 200

/* One zone's servers while they are asked. */
struct asking {
    const struct authority_question *question;
    struct str name; /* the question's, or what an alias leads to */
    struct arena *arena;
    struct zone *zone;
    struct dns_direct_answer answers[ZONE_SERVERS_MAX];
    size_t next;
    struct fiber *workers[AT_ONCE_MAX];
    size_t running;
    struct gate ended;
};

/* The names still to be asked about, the question's first. */
struct names {
    struct str names[NAMES_MAX];
    size_t count;
};

/* Asking
 * ----------------------------------------------------------------------------------------------
 */

/* Waits. */
static void ask_server(struct asking *k, size_t i)
{
    const struct zone_server *server = &k->zone->servers[i];
    struct silence *silence = k->question->silence;
    struct dns_direct_answer *answer = &k->answers[i];
    const struct dns_direct_question q = { .server = { server->ip, k->question->port },
                                           .name = k->name,
                                           .type = k->question->type,
                                           .once = silence_has(silence, &server->ip, loop_now_ms()),
                                           .deadline_ms = k->question->deadline_ms };

    *answer = (struct dns_direct_answer){ .end = DNS_DIRECT_FAILED };
    if (server->ip.family == 0)
        answer->why = STR("it has no address");
    else if (server->refused)
        answer->why = STR("its address is not public");
    else if (!dns_direct_ask(&q, k->arena, answer, NULL))
        answer->end = DNS_DIRECT_SILENT; /* cancelled: nobody will look */
    else if (answer->end != DNS_DIRECT_SILENT)
        silence_forget(silence, &server->ip);
    else if (loop_now_ms() < q.deadline_ms) /* it had all the time that it gets */
        silence_note(silence, &server->ip, loop_now_ms());
}

static void ask_rest(struct asking *k)
{
    while (k->next < k->zone->count)
        ask_server(k, k->next++);
}

static void worker_run(void *arg)
{
    struct asking *k = arg;

    ask_rest(k);
    for (size_t i = 0; i < AT_ONCE_MAX; i++)
        if (k->workers[i] == fiber_self())
            k->workers[i] = NULL;
    k->running--;
    gate_wake_all(&k->ended);
}

static void workers_cancel(struct asking *k)
{
    k->next = k->zone->count;
    for (size_t i = 0; i < AT_ONCE_MAX; i++)
        if (k->workers[i])
            fiber_cancel(k->workers[i]);
    while (k->running > 0)
        gate_wait_always(&k->ended);
}

/* Fills k->answers. Waits. */
static bool ask_all(struct asking *k, struct err *err)
{
    size_t wanted = k->zone->count < AT_ONCE_MAX ? k->zone->count : AT_ONCE_MAX;

    gate_init(&k->ended);
    while (k->running < wanted && fiber_count() + FIBERS_SPARE < fiber_count_max()) {
        k->workers[k->running] = fiber_spawn("authority", worker_run, k);
        k->running++;
    }
    if (k->running == 0) /* no fiber is left: one after the other, on this one */
        ask_rest(k);
    while (k->running > 0)
        if (!gate_wait(&k->ended, NO_DEADLINE, err)) {
            workers_cancel(k);
            return false;
        }
    return true;
}

/* What was said
 * ---------------------------------------------------------------------------------------
 */

static bool is_silent(const struct dns_direct_answer *answer)
{
    return answer->end == DNS_DIRECT_SILENT || answer->end == DNS_DIRECT_UNREACHABLE;
}

static bool family_is_silent(const struct asking *k, uint8_t family)
{
    for (size_t i = 0; i < k->zone->count; i++)
        if (k->zone->servers[i].ip.family == family && !is_silent(&k->answers[i]))
            return false;
    return true;
}

/* The server was heard at another of its addresses. */
static bool heard_elsewhere(const struct asking *k, size_t at)
{
    for (size_t i = 0; i < k->zone->count; i++)
        if (str_eq(k->zone->servers[i].name, k->zone->servers[at].name) &&
            !is_silent(&k->answers[i]))
            return true;
    return false;
}

static enum authority_said said_of(const struct dns_direct_answer *answer)
{
    if (is_silent(answer))
        return AUTHORITY_SILENT;
    if (answer->end == DNS_DIRECT_FAILED)
        return AUTHORITY_FAILED;
    return answer->answer.status == DNS_NO_NAME ? AUTHORITY_NO_NAME : AUTHORITY_RECORDS;
}

static void answer_add(struct authority_answer *ret, const struct authority_server *server)
{
    if (ret->count < AUTHORITY_SERVERS_MAX)
        ret->servers[ret->count++] = *server;
    if (server->said <= AUTHORITY_NO_NAME && (ret->ttl_s == 0 || server->answer.ttl_s < ret->ttl_s))
        ret->ttl_s = server->answer.ttl_s;
}

/* An alias of a name that comes later is told of by that name's servers. False: it leads back, or
 * to too many names. */
static bool names_add(struct names *n, size_t at, struct str name)
{
    for (size_t i = 0; i < n->count; i++)
        if (str_eq_nocase(n->names[i], name))
            return i > at;
    if (n->count == NAMES_MAX)
        return false;
    n->names[n->count++] = name;
    return true;
}

static void server_take(const struct asking *k, size_t i, struct names *names, size_t at,
                        struct authority_answer *ret)
{
    const struct dns_direct_answer *answer = &k->answers[i];
    struct authority_server server = { .name = k->zone->servers[i].name,
                                       .ip = k->zone->servers[i].ip,
                                       .said = said_of(answer),
                                       .answer = answer->answer,
                                       .why = answer->why };

    if (is_silent(answer) && family_is_silent(k, server.ip.family) && heard_elsewhere(k, i))
        return;
    if (answer->alias.len > 0) {
        if (names_add(names, at, answer->alias))
            return;
        server.said = AUTHORITY_FAILED;
        server.why = STR("its aliases lead too far, or in a circle");
    }
    answer_add(ret, &server);
}

/* What an alias leads to has no zone: nobody stands there to be asked. */
static void nowhere_take(struct str name, const struct zone *zone, struct authority_answer *ret)
{
    const struct authority_server server = { .name = name,
                                             .said = zone->found == ZONE_NONE ? AUTHORITY_NO_NAME
                                                                              : AUTHORITY_FAILED,
                                             .why = zone->why };

    answer_add(ret, &server);
}

/* About names->names[at]. Waits. */
static bool ask_about(struct lookups *l, const struct authority_question *q, struct names *names,
                      size_t at, struct arena *a, struct authority_answer *ret, struct err *err)
{
    struct asking *k = ARENA_NEW(a, struct asking);
    struct zone *zone = ARENA_NEW(a, struct zone);
    const struct str name = names->names[at];

    if (!zone_find(l, q->policy, name, q->deadline_ms, a, zone, err))
        return false;
    *k = (struct asking){ .question = q, .name = name, .arena = a, .zone = zone };
    if (zone->found == ZONE_FOUND && !ask_all(k, err))
        return false;
    for (size_t i = 0; i < zone->count; i++)
        server_take(k, i, names, at, ret);
    if (at == 0) {
        ret->found = zone->found;
        ret->why = zone->why;
    } else if (zone->found != ZONE_FOUND) {
        nowhere_take(name, zone, ret);
    }
    return true;
}

bool authority_ask(struct lookups *l, const struct authority_question *q, struct arena *a,
                   struct authority_answer *ret, struct err *err)
{
    struct names names = { .names = { q->name }, .count = 1 };

    *ret = (struct authority_answer){ 0 };
    for (size_t i = 0; i < names.count; i++)
        if (!ask_about(l, q, &names, i, a, ret, err))
            return false;
    return true;
}
