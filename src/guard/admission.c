// SPDX-License-Identifier: Apache-2.0
/* guard/admission.c - may this session hand over mail for this recipient?
 *
 * Pure: configuration and facts in, yes or a refusal out. Whether the address is well formed was
 * settled when it was parsed; whether the mailbox exists is for the server that holds it. */
#include "guard/admission.h"

static bool refuse(struct reply *ret, struct status status, struct str text)
{
    *ret = (struct reply){ .code = 550, .status = status, .text = text };
    return false;
}

#define STATUS_POLICY ((struct status){ 5, 7, 1 })      /* RFC 3463: delivery not authorized */
#define STATUS_DESTINATION ((struct status){ 5, 1, 2 }) /* bad destination system address */

/* As tables have it: lower-case A-labels without final dot. Most domains are so already. */
static bool domain_for_tables(struct str domain, struct arena *a, struct str *ret)
{
    struct buf ascii;
    bool ok = true;

    if (!str_is_ascii(domain)) {
        buf_init(&ascii, ADDRESS_DOMAIN_MAX);
        ok = domain_ascii(&ascii, domain, NULL);
        if (ok)
            *ret = arena_str(a, buf_str(&ascii));
        buf_done(&ascii);
        return ok;
    }
    if (domain.len > 0 && domain.ptr[domain.len - 1] == '.')
        domain.len--;

    char *lower = arena_alloc(a, domain.len);

    for (size_t i = 0; i < domain.len; i++)
        lower[i] = ascii_lower(domain.ptr[i]);
    *ret = str_make(lower, domain.len);
    return true;
}

static bool refuse_relay(struct arena *a, struct str domain, struct reply *ret)
{
    return refuse(ret, STATUS_POLICY,
                  arena_strf(a,
                             "[RELAY] %.*s is not a domain that this server receives for; sign in "
                             "on a submission port to send there",
                             STR_FMT(domain)));
}

static bool refuse_sandbox(const struct config *c, struct arena *a, struct reply *ret)
{
    return refuse(ret, STATUS_POLICY,
                  arena_strf(a,
                             "[SANDBOX] only mail to %.*s is accepted until `baton live` has found "
                             "this server fit to send",
                             STR_FMT(c->sandbox_domain)));
}

static bool is_postmaster(const struct address *rcpt)
{
    return rcpt->domain.len == 0 && str_eq_nocase(rcpt->local, STR("postmaster"));
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
            return refuse_relay(a, rcpt->domain, ret);
        if (!facts->gate_open)
            return refuse_sandbox(c, a, ret);
        if (!c->delivery.allow_literals)
            return refuse(ret, STATUS_DESTINATION,
                          STR("[LITERAL] addresses with an IP address instead of a domain are not "
                              "accepted (delivery.allow_literals); use the domain"));
        return true;
    }
    if (!domain_for_tables(rcpt->domain, a, &domain))
        return refuse(ret, STATUS_DESTINATION,
                      STR("[DOMAIN] the domain is not a valid internationalised name (IDNA2008)"));

    bool sandbox = c->sandbox_domain.len > 0 && domain_eq(domain, c->sandbox_domain);
    bool local = config_is_local_domain(c, domain);

    if (!facts->authorised && !local)
        return refuse_relay(a, rcpt->domain, ret);
    if (!facts->gate_open && !sandbox && !local)
        return refuse_sandbox(c, a, ret);
    if (!sandbox && config_route_find(c, domain)->kind == ROUTE_REFUSE)
        return refuse(ret, STATUS_POLICY,
                      arena_strf(a, "[ROUTE] this server has a rule not to send to %.*s",
                                 STR_FMT(rcpt->domain)));
    return true;
}
