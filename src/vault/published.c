// SPDX-License-Identifier: Apache-2.0
/* vault/published.c - sight of a key's record, and the states of a key. */
#include "vault/published.h"

#include "mail/dkim.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define SILENCE_MAX_MS DAY_MS
#define OVER_ANYHOW_MS (365 * DAY_MS)

bool published_at(const struct proof_server *s, const void *record)
{
    const struct str *want = record;

    return s->said == DNS_SAID_RECORDS && s->count == 1 && dkim_key_same(s->values[0], *want);
}

struct published_sight published_see(const struct proof_look *l, struct str record)
{
    struct published_sight sight = { 0 };

    for (size_t i = 0; i < l->count; i++) {
        const struct proof_server *s = &l->servers[i];
        if (s->said != DNS_SAID_RECORDS && s->said != DNS_SAID_NO_NAME) {
            sight.servers.silent++;
        } else if (published_at(s, &record)) {
            sight.servers.with++;
        } else {
            sight.servers.without++;
            sight.replaced = sight.replaced || s->count > 0;
        }
    }
    return sight;
}

static enum published_verdict judge_pending(struct key_row *k, const struct published_sight *s,
                                            const struct published_rules *r)
{
    if (proof_finding_of(s->servers) != PROOF_SHOWN)
        return PUBLISHED_AS_BEFORE;
    if (s->servers.silent > 0 && r->now_ms - k->created_wall_ms < SILENCE_MAX_MS)
        return PUBLISHED_AS_BEFORE;
    k->state = KEY_ACTIVE;
    k->published_wall_ms = r->now_ms;
    k->missing_wall_ms = 0;
    return PUBLISHED_NOW;
}

/* As proof_judge() keeps its clock: silence and unwatched time do not count. */
static bool missing_too_long(struct key_row *k, enum proof_finding found,
                             const struct published_rules *r)
{
    if (found == PROOF_ABSENT && k->missing_wall_ms == 0) {
        k->missing_wall_ms = r->now_ms;
    } else if (found == PROOF_ABSENT) {
        int64_t unseen = r->now_ms - r->checked_ms - r->gap_max_ms;
        k->missing_wall_ms += unseen > 0 ? unseen : 0;
    } else if (found != PROOF_UNKNOWN) {
        k->missing_wall_ms = 0;
    } else if (k->missing_wall_ms != 0) {
        k->missing_wall_ms += r->now_ms - r->checked_ms;
    }
    return found == PROOF_ABSENT && r->now_ms - k->missing_wall_ms >= r->lost_ms;
}

static enum published_verdict judge_active(struct key_row *k, const struct published_sight *s,
                                           const struct published_rules *r)
{
    if (!missing_too_long(k, proof_finding_of(s->servers), r) && !s->replaced)
        return PUBLISHED_AS_BEFORE;
    k->state = KEY_PENDING;
    k->missing_wall_ms = 0;
    return PUBLISHED_LOST;
}

bool published_may_go(const struct key_row *k, int64_t now_ms, int64_t retire_ms)
{
    return k->state == KEY_RETIRING && now_ms - k->retired_wall_ms >= retire_ms;
}

enum published_verdict published_judge(struct key_row *k, const struct published_sight *s,
                                       const struct published_rules *r)
{
    switch (k->state) {
    case KEY_PENDING:
        return judge_pending(k, s, r);
    case KEY_ACTIVE:
        return judge_active(k, s, r);
    case KEY_RETIRING:
        if (!published_may_go(k, r->now_ms, r->retire_ms))
            return PUBLISHED_AS_BEFORE;
        return (s->servers.with == 0 && s->servers.without > 0) ||
                       r->now_ms - k->retired_wall_ms >= r->retire_ms + OVER_ANYHOW_MS
                   ? PUBLISHED_OVER
                   : PUBLISHED_AS_BEFORE;
    }
    return PUBLISHED_AS_BEFORE;
}
