// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_rcpt.c - RCPT TO: one more recipient, if this session may reach it (RFC 5321 §4.1.1.3;
 * R03, R09, R32, faults A01, B08). */
#include "accept/accept.h"
#include "accept/cmd_path.h"
#include "accept/verbs.h"
#include "guard/admission.h"
#include "guard/domain_name.h"
#include "mail/srs.h"

static bool may_add(struct session *s)
{
    unsigned limit = s->role->config->limits.recipients;

    if (s->tx.state == TX_NONE) {
        session_refuse(s, REPLY_MAIL_FIRST);
        return false;
    }
    if (s->tx.state == TX_CHUNKING) {
        session_refuse(s, REPLY_CHUNKING_HAS_BEGUN);
        return false;
    }
    if (s->tx.rcpt_count >= limit) {
        session_reply_num(s, REPLY_RECIPIENTS_MAX, limit);
        return false;
    }
    return true;
}

/* Looked up for what few notifications come back to rewritten senders. */
static bool is_forward(struct session *s, const struct address *rcpt)
{
    struct str domain, list = buf_str(&s->role->forwards);

    if (s->tx.reverse_path.len > 0 || !srs_is_local(rcpt->local) ||
        !domain_name(rcpt->domain, &s->work->scratch, &domain))
        return false;
    return str_find(list, arena_strf(&s->work->scratch, "\n%.*s\n", STR_FMT(domain))) < list.len;
}

static bool is_admitted(struct session *s, const struct address *rcpt)
{
    struct admission_facts facts = { .listener = s->kind,
                                     .authorised = session_is_authorised(s),
                                     .null_sender = s->tx.reverse_path.len == 0,
                                     .is_forward = is_forward(s, rcpt),
                                     .gate_open = s->role->gate_open };
    struct reply refusal;

    if (admission_rcpt(s->role->config, &facts, rcpt, &s->work->scratch, &refusal))
        return true;
    session_refuse_raw(s, &refusal);
    return false;
}

void cmd_rcpt(struct session *s, struct str args)
{
    struct rcpt_params params = { 0 };
    struct address rcpt;
    struct err err;

    if (!may_add(s))
        return;
    if (!command_eat_word(&args, STR("TO:"))) {
        session_refuse_args(s, REPLY_RCPT_FORM, STR("TO: is missing"), STR_NONE);
    } else if (!path_parse(&args, PATH_FORWARD, &rcpt, &err)) {
        path_refuse(s, REPLY_RCPT_FORM, REPLY_ADDRESS, args, &err);
    } else if (!rcpt_params_parse(args, &s->work->scratch, &params, &err)) {
        param_refuse(s, &err);
    } else if (rcpt.is_utf8 && !s->tx.params.smtputf8) {
        session_refuse(s, REPLY_ADDRESS_UTF8);
    } else if (is_admitted(s, &rcpt)) {
        transaction_add_rcpt(s, &rcpt, &params);
        session_reply(s, REPLY_RECIPIENT_OK);
    }
}
