// SPDX-License-Identifier: Apache-2.0
/* vault/published.h - is a key's record published, and what follows for the key? What name servers
 * said goes in, the verdict comes out. Pure. */
#pragma once

#include "vault/control_domains.h"

struct published_sight {
    struct proof_sight servers; /* `with`: exactly this record stands there, and no other */
    bool replaced;              /* a server shows something else at the name */
};
struct published_sight published_see(const struct proof_look *l, struct str record);
/* For proof_name_servers(); `record` is a struct str. */
bool published_at(const struct proof_server *s, const void *record);

struct published_rules {
    int64_t now_ms, lost_ms, retire_ms;
    int64_t gap_max_ms, checked_ms; /* of the look before */
};
enum published_verdict {
    PUBLISHED_AS_BEFORE,
    PUBLISHED_NOW,  /* a pending key may sign */
    PUBLISHED_LOST, /* an active key's record is gone, or another: receivers would refuse */
    PUBLISHED_OVER, /* a retired key is no longer wanted by anybody */
};
/* The dates and state of `k` after this look.
 *
 * pending -> active: every server that answers shows exactly the record. One that is silent holds
 * the key up for a day, since it may serve the old zone when it is back; a server that is dead for
 * longer is its owner's matter, and nobody's mail should stay unsigned for it.
 * active -> pending: at once when a server shows something else there; or when all of them have
 * answered without it for lost_ms.
 * retiring -> over: retire_ms after it signed last, once the record is gone; in a year anyhow. */
enum published_verdict published_judge(struct key_row *k, const struct published_sight *s,
                                       const struct published_rules *r);
/* A retired key's record may be taken away now. */
bool published_may_go(const struct key_row *k, int64_t now_ms, int64_t retire_ms);
