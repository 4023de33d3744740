// SPDX-License-Identifier: Apache-2.0
/* sim/trial/plan.c - the domains as a table, the messages by chance. */
#include "sim/trial/plan.h"

#include <stdio.h>

#include "base/mem.h"
#include "sim/sim.h"

const struct plan_domain plan_domains[] = {
    { "good.test", { "mx1.good.test", "mx2.good.test" }, { 1, 2 }, TEMPER_CALM },
    { "sister.test", { "mx1.good.test", "mx2.good.test" }, { 1, 2 }, TEMPER_CALM }, /* one site */
    { "moody.test", { "mx.moody.test" }, { 3 }, TEMPER_MOODY },
    { "moods.test", { "mx.moody.test", "mx2.moods.test" }, { 3, 8 }, TEMPER_MOODY },
    { "slow.test", { "mx.slow.test" }, { 4 }, TEMPER_SLOW },
    { SENDER_DOMAIN, { "mx." SENDER_DOMAIN }, { 7 }, TEMPER_MAILBOX },
    { "silent.test", { "mx.silent.test" }, { 5 }, TEMPER_SILENT },
    { "closed.test", { "mx.closed.test" }, { 6 }, TEMPER_CLOSED },
    { "broken.test", { NULL }, { 0 }, TEMPER_BROKEN },
    { "absent.test", { NULL }, { 0 }, TEMPER_ABSENT },
};
const size_t plan_domain_count = ARRAY_LEN(plan_domains);

struct ip plan_server_ip(uint8_t last)
{
    return ip_make4((const uint8_t[4]){ 10, 1, 0, last });
}

struct ip plan_client_ip(uint8_t last)
{
    return ip_make4((const uint8_t[4]){ 10, 9, 0, last });
}

/* Messages ------------------------------------------------------------------------------------- */

/* Most mail goes to domains that work. */
static const struct plan_domain *pick_domain(void)
{
    size_t i = sim_draw(4) ? sim_draw(5) : sim_draw(plan_domain_count);

    return plan_domains[i].temper == TEMPER_MAILBOX ? &plan_domains[0] : &plan_domains[i];
}

/* What the servers make of it stands in the local part (server.c). */
static const char *pick_wish(void)
{
    uint64_t n = sim_draw(20);

    return n == 0 ? "-bad" : n < 3 ? "-grey" : "";
}

static uint32_t pick_size(bool bulky)
{
    if (bulky)
        return (uint32_t)sim_draw(400 * 1024);
    switch (sim_draw(12)) {
    case 0:
        return (uint32_t)sim_draw(400 * 1024);
    case 1:
        return (uint32_t)sim_draw(70 * 1024);
    default:
        return (uint32_t)sim_draw(4096);
    }
}

static void plan_message(struct ledger *l, uint32_t n, uint64_t within_ms, bool bulky)
{
    struct ledger_message *m = &l->messages[n];

    (void)snprintf(m->sender, sizeof m->sender, "s%u@" SENDER_DOMAIN, n);
    m->content_seed = sim_draw(UINT64_MAX);
    m->body_bytes = pick_size(bulky);
    m->from_ms = sim_now_ms() + (int64_t)sim_draw(within_ms);
    m->rcpt_count = 1 + (uint32_t)sim_draw(sim_draw(2) ? 1 : RCPTS_MAX);
    for (uint32_t r = 0; r < m->rcpt_count; r++)
        (void)snprintf(m->rcpts[r].address, sizeof m->rcpts[r].address, "m%ur%u%s@%s", n, r,
                       pick_wish(), pick_domain()->name);
}

void plan_messages(struct ledger *l)
{
    static const uint64_t paces_ms[] = { 1000, 30 * 1000, 10 * 60 * 1000 };
    uint64_t within_ms = paces_ms[sim_draw(ARRAY_LEN(paces_ms))];
    bool bulky = sim_draw(5) == 0; /* segments fill, are emptied and used again */

    l->message_count = 4 + (uint32_t)sim_draw(MESSAGES_MAX - 3);
    for (uint32_t n = 0; n < l->message_count; n++)
        plan_message(l, n, within_ms, bulky);
}

/* The world ------------------------------------------------------------------------------------ */

static void add_host(const struct plan_domain *d, size_t i)
{
    struct dns_record mx = { .preference = (uint16_t)(10 * (i + 1)), .name = str_of(d->mx[i]) };
    struct dns_record a = { .ip = plan_server_ip(d->last[i]) };

    sim_dns_add(d->name, DNS_MX, &mx);
    for (const struct plan_domain *before = plan_domains; before < d; before++)
        for (size_t j = 0; j < ARRAY_LEN(before->mx) && before->mx[j] != NULL; j++)
            if (strcmp(before->mx[j], d->mx[i]) == 0)
                return; /* a host of two domains has its address once */
    sim_dns_add(d->mx[i], DNS_A, &a);
    if (d->temper == TEMPER_SILENT)
        sim_net_silence(&a.ip);
}

void plan_world(void)
{
    for (const struct plan_domain *d = plan_domains; d < plan_domains + plan_domain_count; d++) {
        if (d->temper == TEMPER_BROKEN)
            sim_dns_break(d->name);
        for (size_t i = 0; i < ARRAY_LEN(d->mx) && d->mx[i] != NULL; i++)
            add_host(d, i);
    }
}
