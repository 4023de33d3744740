// SPDX-License-Identifier: Apache-2.0
/* sim/trial/relay.c - starts the roles, joins them as wire's table says, ends them in order. */
#include "sim/trial/relay.h"

#include <assert.h>
#include <stdlib.h>

#include "accept/role.h"
#include "core/role.h"
#include "deliver/role.h"
#include "io/loop.h"
#include "io/stream.h"
#include "report/role.h"
#include "resolve/role.h"
#include "sim/sim.h"
#include "sim/trial/plan.h"
#include "vault/role.h"

#define DRAIN_MS 30000

static const char yaml[] =
    "hostname: relay.sim.test\n"
    "state_folder: \"\"\n"
    "postmaster: postmaster@" SENDER_DOMAIN "\n"
    "sandbox: {gate: open}\n"
    "listeners: [{kind: relay, address: \"" PLAN_RELAY_ADDRESS ":25\"}]\n"
    "trusted_networks: [{network: 10.9.0.0/16, account: customer}]\n"
    "retry: {steps: [1m, 5m, 20m, 1h], expire: 6h, delay_warning: 1h}\n"
    "delivery: {allow_networks: [10.1.0.0/16], ipv6: false, tls: never}\n"
    "spool: {segment_bytes: 1M, reserve_bytes: 2M, events_disk_max_bytes: 8M,\n"
    "        content_memory_bytes: 1M}\n";

/* In the order in which they end; they start in the opposite one. */
static const struct role_ops *const cast[] = { &accept_role, &deliver_role, &core_role,
                                               &report_role, &vault_role,   &resolve_role };

struct relay {
    struct config *config;
    void *roles[ROLE_KINDS];
    struct channel *links[ROLE_KINDS][ROLE_KINDS]; /* the first one's end */
    uint32_t generation;
    unsigned draining;
};

static const struct role_ops *ops_of(enum role_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(cast); i++)
        if (cast[i]->kind == kind)
            return cast[i];
    return NULL;
}

/* Starting ------------------------------------------------------------------------------------- */

static bool start_role(struct relay *r, const struct role_ops *ops, struct err *err)
{
    static const char key[32] = "a key that protects nothing here";
    struct role_start start = { .kind = ops->kind, .config = r->config, .unix_fd = -1 };
    struct listener *listener;

    if (ops->kind == ROLE_VAULT)
        start.secret = str_make(key, sizeof key);
    if (ops->kind == ROLE_ACCEPT) {
        if (!listener_new(&r->config->listeners[0].at, &listener, err))
            return false;
        start.listeners = &listener; /* the role keeps the listener, not the list */
        start.listener_count = 1;
    }
    return ops->start(&start, &r->roles[ops->kind], err) || err_at(err, "%s", ops->name);
}

/* As single.c has it: core answers accept before it feeds the others (design.md §3, "Turn"). */
static int link_order(enum role_kind kind, enum role_kind peer)
{
    if (kind != ROLE_CORE || peer == ROLE_ACCEPT)
        return 20;
    return peer == ROLE_DELIVER ? 30 : 40;
}

static bool join(struct relay *r, const struct role_pair *p, struct err *err)
{
    const struct role_ops *ops_a = ops_of(p->a), *ops_b = ops_of(p->b);
    struct role_link a = { .peer = p->b, .generation = r->generation };
    struct role_link b = { .peer = p->a, .generation = r->generation };

    if (ops_a == NULL || ops_b == NULL)
        return true; /* no web, no super */
    if (p->ring_a_to_b) {
        if (!ring_new(RING_BYTES, &a.ring_out, NULL, err))
            return false;
        b.ring_in = ring_share(a.ring_out);
    }
    channel_pair(link_order(p->a, p->b), &a.channel, link_order(p->b, p->a), &b.channel);
    r->links[p->a][p->b] = a.channel;
    r->links[p->b][p->a] = b.channel;
    ops_b->link(r->roles[p->b], &b);
    ops_a->link(r->roles[p->a], &a);
    return true;
}

static bool start_all(struct relay *r, struct err *err)
{
    if (!config_parse(STR("sim"), str_of(yaml), &r->config, err))
        return false;
    r->generation = 1;
    for (size_t i = ARRAY_LEN(cast); i-- > 0;)
        if (!start_role(r, cast[i], err))
            return false;
    for (size_t i = 0; i < role_pair_count; i++)
        if (!join(r, &role_pairs[i], err))
            return false;
    return true;
}

bool relay_start(struct relay **ret, struct err *err)
{
    struct relay *r = NEW(struct relay);

    *ret = r;
    return start_all(r, err); /* one that could not start is left to the end of the process */
}

/* Dying ---------------------------------------------------------------------------------------- */

static void turn_for(int64_t ms)
{
    int64_t until_ms = loop_now_ms() + ms;

    while (loop_now_ms() < until_ms)
        loop_turn(until_ms - loop_now_ms());
}

/* Rings stay as long as this process: the other end may still look into its own. */
bool relay_kill_role(struct relay *r, enum role_kind kind, struct err *err)
{
    const struct role_ops *ops = ops_of(kind);

    assert(kind != ROLE_CORE && ops != NULL);
    sim_trace("role %s dies", ops->name);
    for (size_t peer = 0; peer < ROLE_KINDS; peer++)
        if (r->links[kind][peer] != NULL)
            sim_channel_cut(r->links[kind][peer]);
    ops->free(r->roles[kind]);
    turn_for(1 + (int64_t)sim_draw(3000));
    r->generation++;
    if (!start_role(r, ops, err))
        return false;
    for (size_t i = 0; i < role_pair_count; i++)
        if ((role_pairs[i].a == kind || role_pairs[i].b == kind) && !join(r, &role_pairs[i], err))
            return false;
    return true;
}

/* Asking and ending ---------------------------------------------------------------------------- */

uint64_t relay_queued(struct relay *r)
{
    static const struct str key = { "\"messages\":", 11 };
    struct buf facts;
    struct str rest;
    uint64_t messages;

    buf_init(&facts, 64 * 1024);
    core_role.status(r->roles[ROLE_CORE], &facts);
    rest = str_skip(buf_str(&facts), str_find(buf_str(&facts), key) + key.len);
    if (!str_eat_u64(&rest, &messages))
        messages = UINT64_MAX;
    buf_done(&facts);
    return messages;
}

static void drained(void *arg)
{
    struct relay *r = arg;

    r->draining--;
}

static void end_role(struct relay *r, const struct role_ops *ops)
{
    int64_t until_ms = loop_now_ms() + DRAIN_MS;

    r->draining = 1;
    ops->drain(r->roles[ops->kind], drained, r);
    while (r->draining > 0 && loop_now_ms() < until_ms)
        loop_turn(100);
    ops->free(r->roles[ops->kind]);
}

void relay_stop(struct relay *r)
{
    for (size_t i = 0; i < ARRAY_LEN(cast); i++)
        end_role(r, cast[i]);
}
