// SPDX-License-Identifier: Apache-2.0
/* vault/zone_test.h - for tests: resolve played from a table of what each name server says. */
#pragma once

#include "io/dns.h"
#include "vault/world_test.h"

#define ZONE_NAMES_MAX 64
#define ZONE_SERVERS_MAX 4
#define ZONE_VALUES_MAX 3
#define ZONE_QUESTIONS_MAX 8192

struct zone {
    struct world *world;
    struct zone_name {
        char name[256];
        uint16_t rrtype;
        size_t count;
        struct zone_server {
            const char *server;
            enum dns_said said;
            size_t value_count;
            char values[ZONE_VALUES_MAX][700];
        } servers[ZONE_SERVERS_MAX];
    } names[ZONE_NAMES_MAX];
    size_t count;
    uint32_t spf_result; /* of every domain */
    bool deaf;           /* questions are kept and not answered */
    /* Instead of the table: every TXT, MX … question is answered by this one value. */
    const char *(*any)(struct str name, uint16_t rrtype);
    struct zone_question {
        uint64_t id;
        bool is_spf;
        uint16_t rrtype;
        char name[256];
    } questions[ZONE_QUESTIONS_MAX];
    size_t waiting, waiting_most, asked;
};

void zone_init(struct zone *z, struct world *w);
/* What one server says of a name: a value more, or with an empty one the name without records.
 * Names that nobody has said anything of do not exist at ns1. */
void zone_say(struct zone *z, const char *name, uint16_t rrtype, const char *server,
              const char *value);
void zone_fail(struct zone *z, const char *name, uint16_t rrtype, const char *server,
               enum dns_said said);
void zone_forget(struct zone *z, const char *name);
/* Answers what waits; called by itself unless deaf. */
void zone_answer(struct zone *z);
