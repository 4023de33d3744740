// SPDX-License-Identifier: Apache-2.0
/* mail/outcome.c - the stable words for outcomes, and what a reply's first digit means. */
#include "mail/outcome.h"

#include "base/mem.h"

const char *outcome_kind_name(enum outcome_kind kind)
{
    static const char *const names[] = {
        [OUTCOME_DELIVERED] = "delivered", [OUTCOME_RELAYED] = "relayed",
        [OUTCOME_DEFERRED] = "deferred",   [OUTCOME_BOUNCED] = "bounced",
        [OUTCOME_EXPIRED] = "expired",     [OUTCOME_CANCELLED] = "cancelled",
        [OUTCOME_UNKNOWN] = "unknown",
    };

    return (size_t)kind < ARRAY_LEN(names) && names[kind] ? names[kind] : "none";
}

const char *outcome_scope_name(enum outcome_scope scope)
{
    static const char *const names[] = {
        [SCOPE_RECIPIENT] = "recipient",
        [SCOPE_MESSAGE] = "message",
        [SCOPE_SESSION] = "session",
        [SCOPE_DESTINATION] = "destination",
    };

    return (size_t)scope < ARRAY_LEN(names) && names[scope] ? names[scope] : "none";
}

enum outcome_kind outcome_of_reply(const struct reply *r)
{
    if (reply_ok(r))
        return OUTCOME_DELIVERED;
    /* No answer, or one that makes no sense here (3yz): a later attempt may fare better. */
    return reply_is_permanent(r) ? OUTCOME_BOUNCED : OUTCOME_DEFERRED;
}
