// SPDX-License-Identifier: Apache-2.0
/* core/naming_preflight.c - what receivers will make of a message: guard/preflight.h's findings,
 * and signatures of the customer's own that our edits break (R107), told in the 250 or refused. */
#include "core/naming_edit.h"
#include "guard/domain_name.h"
#include "guard/preflight.h"
#include "mail/dkim.h"

#define SIGNATURES_LOOKED_AT 3
#define WARNING_MAX 400 /* of a 250's line: the first ones, which are the worst */

static void warn(struct naming *n, struct str text)
{
    if (n->warning.len + text.len > WARNING_MAX && n->warning.len > 0)
        return;
    n->warning = n->warning.len == 0
                     ? text
                     : arena_strf(n->arena, "%.*s; %.*s", STR_FMT(n->warning), STR_FMT(text));
}

static bool has_key(const struct dir_domain *g, const struct dir_stream *stream)
{
    LIST_EACH (&g->keys, struct dir_key, k, link)
        if (k->stream == 0 || (stream && k->stream == stream->id))
            return true;
    return false;
}

/* A signature of the customer's own whose domain is that of From, or one above it. */
static bool is_signed_by(struct naming *n, struct str domain)
{
    struct dkim_signature s;
    struct str name;
    size_t at = 0;
    struct err err;

    for (int i = 0; i < SIGNATURES_LOOKED_AT; i++)
        if (!dkim_signature_next(n->section, &at, n->arena, &s, &err))
            return false;
        else if (s.algorithm != 0 && domain_name(s.domain, n->arena, &name) &&
                 domain_name_is_below(domain, name))
            return true;
    return false;
}

static bool signs_aligned(struct naming *n, const struct identity *i, const struct naming_fields *f)
{
    const struct dir_domain *g = i->from_grant;
    struct str from;

    if (!i->may_sign || !domain_name(i->from.domain, n->arena, &from))
        return false;
    if ((str_eq(from, g->name) || !(g->facts & FACT_DMARC_STRICT_DKIM)) && has_key(g, n->stream))
        return true;
    return f->has_signature && is_signed_by(n, from);
}

/* Signatures that the customer made and our edits break, where no key of ours stands in (R107). */
static void look_at_signatures(struct naming *n, struct preflight *p, struct str sent)
{
    struct dkim_signature s;
    struct str name;
    size_t at = 0;
    struct err err;

    for (int i = 0; i < SIGNATURES_LOOKED_AT && p->count < PREFLIGHT_FINDINGS_MAX; i++) {
        if (!dkim_signature_next(n->section, &at, n->arena, &s, &err))
            break;
        if (s.algorithm == 0 || !domain_name(s.domain, n->arena, &name) ||
            dkim_signature_survives(&s, n->section, sent))
            continue;
        struct dir_domain *g = directory_grant(&n->core->directory, n->account, name);
        if (!g || !has_key(g, n->stream))
            p->findings[p->count++] = (struct preflight_finding){ CODE_PREFLIGHT_BROKEN, name };
    }
}

static bool hold_preflight(struct naming *n, const struct preflight *p, struct reply *ret)
{
    bool enforced = n->stream && n->stream->preflight == POLICY_ENFORCE && !naming_is_sandbox(n);

    for (size_t i = 0; i < p->count; i++) {
        const struct preflight_finding *found = &p->findings[i];
        if (enforced)
            return naming_refuse(n, found->code, &found->arg, 1, ret);
        warn(n, code_reply(n->arena, found->code, &found->arg, 1, n->core->config->why_url).text);
        naming_note_add(n, found->code, arena_str(n->arena, found->arg));
    }
    return true;
}

bool naming_foretell(struct naming *n, const struct identity *i, const struct naming_fields *f,
                     struct reply *ret)
{
    struct str local, sender = STR(""), sent;
    struct preflight p;

    if (n->stream && n->stream->preflight == POLICY_OFF)
        return true;
    if (!str_cut_last(n->envelope->reverse_path, '@', &local, &sender) ||
        !domain_name(sender, n->arena, &sender))
        sender = STR("");
    struct preflight_ask ask = {
        .identity = i,
        .stream = n->stream,
        .signs_aligned = signs_aligned(n, i, f),
        .sender_domain = sender,
        .section = n->section,
    };
    preflight_judge(&ask, n->arena, &p);
    if (f->has_signature) {
        if (!naming_render(n, &sent, ret))
            return false;
        look_at_signatures(n, &p, sent);
    }
    return hold_preflight(n, &p, ret);
}
