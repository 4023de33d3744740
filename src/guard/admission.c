// SPDX-License-Identifier: Apache-2.0
/* guard/admission.c - may this session hand over mail for this recipient?
 *
 * Pure: configuration and facts in, yes or a refusal out. Whether the address is well formed was
 * settled when it was parsed; whether the mailbox exists is for the server that holds it. */
#include "guard/admission.h"

#include "guard/codes.h"
#include "guard/domain_name.h"
#include "mail/srs.h"

static bool refuse(const struct config *c, struct arena *a, enum policy_code code, struct str arg,
                   struct reply *ret)
{
    *ret = code_reply(a, code, &arg, 1, c->why_url);
    return false;
}

static bool is_postmaster(const struct address *rcpt)
{
    return rcpt->domain.len == 0 && str_eq_nocase(rcpt->local, STR("postmaster"));
}

/* A notification that comes back to a sender that we rewrote (R101). Whether we did is for core to
 * say, which has the secret; a message with a sender of its own never is one (fault A11). */
static bool may_return(const struct admission_facts *facts, const struct address *rcpt)
{
    return facts->listener == LISTENER_RELAY && facts->null_sender && facts->is_forward &&
           srs_is_local(rcpt->local);
}

bool admission_rcpt(const struct config *c, const struct admission_facts *facts,
                    const struct address *rcpt, struct arena *a, struct reply *ret)
{
    struct str domain;

    /* Everybody may reach who is responsible (RFC 5321 §4.5.1). */
    if (is_postmaster(rcpt))
        return true;

    if (rcpt->is_literal) {
        if (!facts->authorised)
            return refuse(c, a, CODE_RELAY, rcpt->domain, ret);
        if (!facts->gate_open)
            return refuse(c, a, CODE_SANDBOX, c->sandbox_domain, ret);
        return c->delivery.allow_literals || refuse(c, a, CODE_LITERAL, rcpt->domain, ret);
    }
    if (!domain_name(rcpt->domain, a, &domain))
        return refuse(c, a, CODE_DOMAIN, rcpt->domain, ret);

    bool sandbox = c->sandbox_domain.len > 0 && domain_eq(domain, c->sandbox_domain);
    bool local = config_is_local_domain(c, domain);

    if (!facts->authorised && !local && !may_return(facts, rcpt))
        return refuse(c, a, CODE_RELAY, rcpt->domain, ret);
    if (!facts->gate_open && !sandbox && !local)
        return refuse(c, a, CODE_SANDBOX, c->sandbox_domain, ret);
    if (!sandbox && config_route_find(c, domain)->kind == ROUTE_REFUSE)
        return refuse(c, a, CODE_ROUTE, rcpt->domain, ret);
    return true;
}
