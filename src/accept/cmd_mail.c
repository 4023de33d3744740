// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_mail.c - MAIL FROM: a transaction begins (RFC 5321 §4.1.1.2; R03, fault B08). */
#include "accept/accept.h"
#include "accept/cmd_path.h"
#include "accept/verbs.h"
#include "mail/address.h"

static void refuse_size(struct session *s, uint64_t size)
{
    struct number given = number_text(size);
    struct number limit = number_text(s->role->config->limits.message_bytes);

    session_refuse_args(s, REPLY_SIZE_DECLARED, str_of(given.text), str_of(limit.text));
}

static bool may_begin(struct session *s)
{
    unsigned limit = s->role->config->limits.messages_per_session;

    if (s->tx.state != TX_NONE) {
        session_refuse(s, REPLY_MAIL_TWICE);
        return false;
    }
    if (limit > 0 && s->messages >= limit) {
        session_end_num(s, REPLY_MESSAGES_MAX, limit);
        return false;
    }
    return true;
}

void cmd_mail(struct session *s, struct str args)
{
    struct arena *a = &s->work->tx;
    struct mail_params params = { 0 };
    struct address sender;
    struct err err;

    if (!may_begin(s))
        return;
    if (!command_eat_word(&args, STR("FROM:"))) {
        session_refuse_args(s, REPLY_MAIL_FORM, STR("FROM: is missing"), STR_NONE);
    } else if (!path_parse(&args, PATH_REVERSE, &sender, &err)) {
        path_refuse(s, REPLY_MAIL_FORM, REPLY_SENDER_ADDRESS, args, &err);
    } else if (!mail_params_parse(args, a, &params, &err)) {
        param_refuse(s, &err);
    } else if (sender.is_utf8 && !params.smtputf8) {
        session_refuse(s, REPLY_SENDER_UTF8);
    } else if (params.size_bytes > s->role->config->limits.message_bytes) {
        refuse_size(s, params.size_bytes);
    } else {
        s->tx.state = TX_MAIL;
        s->tx.params = params;
        if (!address_is_null(&sender))
            s->tx.reverse_path =
                arena_strf(a, "%.*s@%.*s", STR_FMT(sender.local), STR_FMT(sender.domain));
        session_reply(s, REPLY_SENDER_OK);
        return;
    }
    workspace_reset_tx(s->work);
}
