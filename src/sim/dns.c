// SPDX-License-Identifier: Apache-2.0
/* sim/dns.c - look-ups in tables, with the delays and the failures of the network. Every name
 * server says the same, except those that sim_net_silence() has made say nothing. */
#include "io/dns.h"
#include "io/dns_direct.h"

#include <stdlib.h>

#include "io/loop.h"
#include "sim/world.h"

#define RECORDS_MAX 256
#define TTL_S 300

static struct {
    struct row {
        const char *name;
        bool broken; /* every look-up fails; type and record mean nothing */
        enum dns_type type;
        struct dns_record record;
    } rows[RECORDS_MAX];
    size_t count;
} table;

struct dns {
    char nothing;
};

static struct row *row_add(const char *name)
{
    if (table.count == RECORDS_MAX)
        abort();
    table.rows[table.count].name = name;
    return &table.rows[table.count++];
}

void sim_dns_add(const char *name, enum dns_type type, const struct dns_record *record)
{
    struct row *r = row_add(name);

    r->type = type;
    r->record = *record;
}

void sim_dns_break(const char *name)
{
    row_add(name)->broken = true;
}

bool dns_new(const struct dns_options *o, struct dns **ret, struct err *err)
{
    (void)o, (void)err;
    *ret = NEW(struct dns);
    return true;
}

void dns_free(struct dns *d)
{
    free(d);
}

static void look(struct str name, enum dns_type type, struct arena *a, struct dns_answer *answer)
{
    *answer = (struct dns_answer){ .status = DNS_NO_NAME, .ttl_s = TTL_S };
    answer->records = ARENA_ARRAY(a, struct dns_record, DNS_RECORDS_MAX);
    for (size_t i = 0; i < table.count; i++) {
        const struct row *r = &table.rows[i];

        if (!str_eq_nocase(str_of(r->name), name))
            continue;
        if (r->broken) {
            *answer = (struct dns_answer){ .status = DNS_TEMP, .why = STR("SERVFAIL") };
            return;
        }
        answer->status = DNS_OK;
        if (r->type == type && answer->count < DNS_RECORDS_MAX)
            answer->records[answer->count++] = r->record;
    }
}

bool dns_lookup(struct dns *d, struct str name, enum dns_type type, int64_t deadline_ms,
                struct arena *a, struct dns_answer *ret, struct err *err)
{
    int64_t takes_ms = sim_latency_ms();

    (void)d;
    if (loop_now_ms() + takes_ms > deadline_ms) {
        if (!fiber_sleep(deadline_ms - loop_now_ms(), err))
            return err_at(err, "DNS");
        return err_set(err, ERR_TIMEOUT, "DNS: timed out");
    }
    if (!fiber_sleep(takes_ms, err))
        return err_at(err, "DNS");
    sim_event();
    if (sim_chance(sim_faults()->dns_fails))
        *ret = (struct dns_answer){ .status = DNS_TEMP, .why = STR("timeout") };
    else
        look(name, type, a, ret);
    sim_trace("dns %.*s type %d: status %d, %zu records", STR_FMT(name), type, ret->status,
              ret->count);
    return true;
}

/* Questions to one server -----------------------------------------------------------------------
 */

static void look_direct(const struct dns_direct_question *q, struct arena *a,
                        struct dns_direct_answer *ret)
{
    struct dns_answer alias;

    look(q->name, DNS_CNAME, a, &alias);
    look(q->name, q->type, a, &ret->answer);
    if (ret->answer.status == DNS_TEMP)
        *ret = (struct dns_direct_answer){ .end = DNS_DIRECT_FAILED, .why = ret->answer.why };
    else if (q->type != DNS_CNAME && alias.count > 0)
        ret->alias = alias.records[0].name;
}

bool dns_direct_ask(const struct dns_direct_question *q, struct arena *a,
                    struct dns_direct_answer *ret, struct err *err)
{
    int64_t now_ms = loop_now_ms(), takes_ms = sim_latency_ms();
    bool late = now_ms + takes_ms > q->deadline_ms || sim_net_is_silent(&q->server.ip) ||
                sim_chance(sim_faults()->dns_fails);

    *ret = (struct dns_direct_answer){ 0 };
    if (!fiber_sleep(late && q->deadline_ms > now_ms ? q->deadline_ms - now_ms : takes_ms, err))
        return err_at(err, "DNS");
    sim_event();
    if (late)
        *ret = (struct dns_direct_answer){ .end = DNS_DIRECT_SILENT, .why = STR("no answer") };
    else
        look_direct(q, a, ret);
    sim_trace("dns direct %.*s type %d: end %d", STR_FMT(q->name), q->type, ret->end);
    return true;
}
