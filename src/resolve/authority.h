// SPDX-License-Identifier: Apache-2.0
/* resolve/authority.h - what does each authoritative server of a name say by itself? (F27)
 *
 * A record counts as published only when all of them show it, and as gone only when all of them say
 * so; a resolver would tell what one of them said some time ago. */
#pragma once

#include "resolve/silence.h"
#include "resolve/zone.h"

/* Of one question, aliases included. */
#define AUTHORITY_SERVERS_MAX 64

struct authority_question {
    struct str name; /* A-labels */
    enum dns_type type;
    uint16_t port; /* of the servers: 53 */
    const struct target_policy *policy;
    struct silence *silence; /* of all questions */
    int64_t deadline_ms;
};

enum authority_said {
    AUTHORITY_RECORDS, /* perhaps none */
    AUTHORITY_NO_NAME,
    AUTHORITY_SILENT,
    AUTHORITY_FAILED,
};

/* One server. Where it says that the name is an alias, the servers of what it leads to stand in its
 * place: what they say is what the world sees. */
struct authority_server {
    struct str name;
    struct ip ip; /* family 0: it has no address, so it could not be asked */
    enum authority_said said;
    struct dns_answer answer;
    struct str why; /* for people: SILENT, FAILED */
};

struct authority_answer {
    enum zone_found found; /* of the name's own zone */
    struct str why;        /* for people, unless FOUND */
    struct authority_server servers[AUTHORITY_SERVERS_MAX];
    size_t count;
    uint32_t ttl_s; /* least of all answers; 0: none had any */
};

/* Values lie in the arena. A server at an address that is not public is not asked but FAILED,
 * unless the policy allows it (fault S02). An address family in which no server at all is heard is
 * this machine's own lack: a server that was heard in the other one is told of once. ERR_CANCELLED.
 * Waits. */
MUST_USE bool authority_ask(struct lookups *l, const struct authority_question *q, struct arena *a,
                            struct authority_answer *ret, struct err *err);
