// SPDX-License-Identifier: Apache-2.0
/* core/intake_rcpt.c - recipients of a transaction: parsed again, admitted again, and where one is
 * a sender that we rewrote, turned back. */
#include "core/intake.h"
#include "mail/srs.h"

static void add_rcpt(struct intake *t, struct envelope_rcpt rcpt)
{
    struct envelope *e = &t->envelope;

    if (e->rcpt_count == t->rcpts_room) {
        size_t room = t->rcpts_room ? t->rcpts_room * 4 : 4;
        struct envelope_rcpt *more = ARENA_ARRAY(&t->arena, struct envelope_rcpt, room);
        if (e->rcpt_count > 0)
            memcpy(more, e->rcpts, e->rcpt_count * sizeof *more);
        e->rcpts = more;
        t->rcpts_room = room;
    }
    e->rcpts[e->rcpt_count++] = rcpt;
}

/* NOTIFY and ORCPT as accept's parser gives them (RFC 3461 §4.1, §4.2). */
static bool rcpt_ok(struct intake *t, const struct wire_tx_rcpt *m, struct err *err)
{
    const uint32_t any = NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY;
    struct str orcpt = wire_get(m, m->orcpt);
    struct rcpt_params params;

    if (m->notify != NOTIFY_NEVER && (m->notify & ~any))
        return err_set(err, ERR_SYNTAX, "a recipient with NOTIFY %x", m->notify);
    if (orcpt.len == 0)
        return true;
    return rcpt_params_parse(arena_strf(&t->arena, "ORCPT=%.*s", STR_FMT(orcpt)), &t->arena,
                             &params, err) &&
           (params.orcpt.len == orcpt.len ||
            err_set(err, ERR_SYNTAX, "an ORCPT with more behind it"));
}

/* A notification from anybody to what looks like a sender that we rewrote (guard/admission.h). */
static bool may_be_return(const struct intake *t, const struct address *rcpt)
{
    return !t->admission.authorised && t->admission.null_sender && srs_is_local(rcpt->local);
}

/* It goes to the first sender, whose address comes out of it. In a domain that we receive for, such
 * an address may also be somebody else's: then it is a recipient like others. */
static bool add_return(struct intake *t, const struct address *rcpt, const struct wire_tx_rcpt *m)
{
    const struct config *config = t->core->config;
    struct admission_facts facts = t->admission;
    struct address home;
    struct str text;
    struct reply refusal;
    struct err bad;

    facts.authorised = true;
    if (!naming_return(t->core, rcpt, &t->arena, &text, &refusal)) {
        if (refusal.code / 100 == 5 && config_is_local_domain(config, rcpt->domain))
            return false;
        t->refusal = refusal;
    } else if (address_parse(text, &home, &bad) &&
               !admission_rcpt(config, &facts, &home, &t->arena, &refusal)) {
        t->refusal = refusal;
    } else {
        add_rcpt(t, (struct envelope_rcpt){ .address = text, .notify = (uint8_t)m->notify });
    }
    return true;
}

static void on_rcpt(struct intake *t, const struct wire_tx_rcpt *m)
{
    struct str text = arena_str(&t->arena, wire_get(m, m->address));
    struct address address = { .local = text };
    struct reply refusal;
    struct err bad;

    if (t->refusal.code != 0)
        return;
    if (t->envelope.rcpt_count >= t->core->config->limits.recipients) {
        intake_refuse(t, 452, 5, 3, "more than %u recipients (limits.recipients)",
                      t->core->config->limits.recipients);
        return;
    }
    bool postmaster = str_eq_nocase(text, STR("postmaster"));
    if (!postmaster && !address_parse(text, &address, &bad)) {
        intake_refuse(t, 501, 1, 3, "a recipient's address cannot be used: %s", bad.text);
        return;
    }
    if (!admission_rcpt(t->core->config, &t->admission, &address, &t->arena, &refusal)) {
        t->refusal = refusal;
        return;
    }
    if (may_be_return(t, &address) && add_return(t, &address, m))
        return;
    add_rcpt(t, (struct envelope_rcpt){
                    .address = postmaster ? core_postmaster(t->core, &t->arena)
                                          : text, /* RFC 5321 §4.5.1 */
                    .orcpt = arena_str(&t->arena, wire_get(m, m->orcpt)),
                    .notify = (uint8_t)m->notify,
                });
}

bool intake_on_rcpt(struct intake *t, const struct wire_tx_rcpt *m, struct err *err)
{
    if (!rcpt_ok(t, m, err))
        return false;
    on_rcpt(t, m);
    return true;
}
