// SPDX-License-Identifier: Apache-2.0
/* vault/proof.h - is a domain proved? What name servers said goes in, the verdict comes out. Pure:
 * no DNS, no clock, no database.
 *
 * The owner publishes `v=baton1; relay=<name>; account=<id>` as TXT at _baton.<domain>, once for
 * every account that may use it. Records of other relays are nothing to us. One that names this
 * relay and other accounts only is the owner's lock against everybody else.
 *
 * A wildcard (*.example.com) cannot be told from a record at the name itself by what it says. It
 * need not be: it proves only for the account that it names letter by letter, so nobody gains by it
 * but whom the owner of the zone has named; an `account=*` proves nothing. */
#pragma once

#include "base/buf.h"
#include "wire/wire.h"

enum grant_method { METHOD_DNS = 1, METHOD_HOST, METHOD_ATTESTED, METHOD_LEASE };
enum grant_state {
    GRANT_PENDING = 1, /* not proved yet */
    GRANT_PROVED,
    GRANT_LOST,   /* was proved */
    GRANT_LOCKED, /* the owner names others: their veto against host and attested */
};

#define PROOF_RECORD_MAX 512
#define PROOF_SERVERS_MAX 64

struct proof_record {
    struct str relay, account; /* borrowed */
};
/* Tags in any order, blanks around them as the owner likes, names without case; unknown tags are
 * for later versions. False: not a record of ours, which a tag given twice is not either. */
MUST_USE bool proof_record_read(struct str text, struct proof_record *ret);
bool proof_record_write(struct buf *to, const struct proof_record *r);

/* What one look at a name brought: one entry for each server asked. None: they could not even be
 * found. */
struct proof_server {
    struct str name; /* empty: the recursive resolver */
    struct ip ip;
    enum dns_said said;
    const struct str *values;
    size_t count;
};
struct proof_look {
    const struct proof_server *servers;
    size_t count;
};

/* How many servers show what is looked for, answer without it, say nothing (timeout, SERVFAIL). */
struct proof_sight {
    size_t with, without, silent;
};
enum proof_finding {
    PROOF_SHOWN,   /* by every server that answers, and at least one does */
    PROOF_MIXED,   /* by some: on its way, or on its way out */
    PROOF_ABSENT,  /* every server has answered without it */
    PROOF_UNKNOWN, /* those that answered are without it, but not all have answered */
};
enum proof_finding proof_finding_of(struct proof_sight s);

/* Is this account named? */
struct proof_sight proof_see_account(const struct proof_look *l, const struct proof_record *want);
/* Does any server show records that name this relay, and none of them this account? PROOF_SHOWN:
 * locked. PROOF_UNKNOWN: too few have answered to say. PROOF_ABSENT: not locked. */
enum proof_finding proof_see_lock(const struct proof_look *l, const struct proof_record *want);

/* What is kept of a grant between two looks. */
struct proof_standing {
    enum grant_state state;
    int64_t proved_ms;  /* since when; 0: never */
    int64_t missing_ms; /* since when every server answers without it; 0: they do not */
    int64_t checked_ms; /* the last look */
};
struct proof_rules {
    int64_t now_ms, lost_ms;
    int64_t gap_max_ms; /* the longest time between two looks that counts as "all along" */
};
/* The verdict of one more look. `lock` is PROOF_ABSENT where there is no veto (dns, lease).
 *
 * Proof is lost when all servers have answered without it for lost_ms. A look at which one of them
 * was silent does not count: the clock stands still for the time before it; it is not set back
 * either, else one flaky server would keep a domain for ever. Time that nobody looked does not
 * count, beyond gap_max_ms. */
void proof_judge(struct proof_standing *s, enum proof_finding found, enum proof_finding lock,
                 const struct proof_rules *r);

/* "ns1.example.net, ns2.example.net and 3 more": the servers that are not `shown`, for people. */
enum proof_side { PROOF_SIDE_WITHOUT, PROOF_SIDE_SILENT };
void proof_name_servers(struct buf *to, const struct proof_look *l, enum proof_side side,
                        bool (*shown)(const struct proof_server *s, const void *arg),
                        const void *arg);
bool proof_server_names(const struct proof_server *s, const void *want /* struct proof_record */);

const char *grant_method_name(enum grant_method m);
const char *grant_state_name(enum grant_state s);
/* False for an unknown word. */
MUST_USE bool grant_method_of(struct str word, enum grant_method *ret);
MUST_USE bool grant_state_of(struct str word, enum grant_state *ret);
