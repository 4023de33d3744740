// SPDX-License-Identifier: Apache-2.0
/* sim/trial/plan.h - the cast: which domains there are, how their servers behave, who sends what to
 * whom. Domains are always the same; all else comes from the seed. */
#pragma once

#include "sim/trial/ledger.h"

enum temper {
    TEMPER_CALM,    /* an ordinary server */
    TEMPER_MOODY,   /* puts off, refuses, hangs up, loses replies */
    TEMPER_SLOW,    /* a tarpit */
    TEMPER_MAILBOX, /* where notifications go; calm */
    TEMPER_SILENT,  /* never answers */
    TEMPER_CLOSED,  /* nobody listens */
    TEMPER_BROKEN,  /* DNS always fails */
    TEMPER_ABSENT,  /* no such domain */
};

struct plan_domain {
    const char *name;
    const char *mx[2]; /* host names; NULL: no more */
    uint8_t last[2];   /* of the hosts' addresses: 10.1.0.x */
    enum temper temper;
};
extern const struct plan_domain plan_domains[];
extern const size_t plan_domain_count;

#define PLAN_RELAY_ADDRESS "10.0.0.1"

struct ip plan_server_ip(uint8_t last);
struct ip plan_client_ip(uint8_t last);

/* Fills the ledger with messages to be sent. */
void plan_messages(struct ledger *l);
/* Into this process' DNS and network. */
void plan_world(void);
