// SPDX-License-Identifier: Apache-2.0
/* accept/verbs.c - the table of commands (R05): RFC 5321 §4.1, RFC 3030, RFC 3207, RFC 4954. */
#include "accept/verbs.h"

#include "accept/core_link.h"
#include "base/mem.h"

enum rule {
    ARGS_NONE = 1 << 0,
    ARGS_SOME = 1 << 1,
    AFTER_HELO = 1 << 2,    /* and with the core that knows the session */
    OUTSIDE_MAIL = 1 << 3,  /* not within a transaction */
    AUTHENTICATED = 1 << 4, /* on a submission port */
    HIDDEN = 1 << 5,        /* not in the help */
};

static const struct verb {
    struct str name;
    void (*run)(struct session *s, struct str args);
    unsigned rules;
    struct str help;
} verbs[] = {
#define TEXT(lit)            \
    {                        \
        lit, sizeof(lit) - 1 \
    }
    { TEXT("MAIL"), cmd_mail, ARGS_SOME | AFTER_HELO | AUTHENTICATED,
      TEXT("MAIL FROM:<sender> [SIZE=octets] [BODY=8BITMIME|BINARYMIME] [SMTPUTF8] [RET=] [ENVID=] "
           "- begin a message") },
    { TEXT("RCPT"), cmd_rcpt, ARGS_SOME | AFTER_HELO | AUTHENTICATED,
      TEXT("RCPT TO:<recipient> [NOTIFY=] [ORCPT=] - add a recipient") },
    { TEXT("DATA"), cmd_data, ARGS_NONE | AFTER_HELO | AUTHENTICATED,
      TEXT("DATA - send the message; a line with only a dot ends it") },
    /* Looks for itself: its octets must be read away first. */
    { TEXT("BDAT"), cmd_bdat, 0, TEXT("BDAT octets [LAST] - send a chunk of the message") },
    { TEXT("EHLO"), cmd_ehlo, ARGS_SOME,
      TEXT("EHLO your.host.name - begin; lists what this server can do") },
    { TEXT("HELO"), cmd_helo, ARGS_SOME, TEXT("HELO your.host.name - begin, the old way") },
    { TEXT("STARTTLS"), cmd_starttls, ARGS_NONE | AFTER_HELO | OUTSIDE_MAIL,
      TEXT("STARTTLS - encrypt the connection") },
    { TEXT("AUTH"), cmd_auth, ARGS_SOME | AFTER_HELO | OUTSIDE_MAIL,
      TEXT("AUTH PLAIN|LOGIN|SCRAM-SHA-256 - sign in; only over TLS") },
    { TEXT("RSET"), cmd_rset, ARGS_NONE, TEXT("RSET - forget the message begun") },
    { TEXT("NOOP"), cmd_noop, 0, TEXT("NOOP - do nothing") },
    { TEXT("VRFY"), cmd_vrfy, ARGS_SOME, TEXT("VRFY address - never tells whether it exists") },
    { TEXT("HELP"), cmd_help, 0, TEXT("HELP [command] - this text") },
    { TEXT("QUIT"), cmd_quit, ARGS_NONE, TEXT("QUIT - end") },
    /* Browsers that were sent here (cross-protocol attacks). */
    { TEXT("GET"), cmd_http, HIDDEN, TEXT("") },
    { TEXT("POST"), cmd_http, HIDDEN, TEXT("") },
    { TEXT("PUT"), cmd_http, HIDDEN, TEXT("") },
    { TEXT("CONNECT"), cmd_http, HIDDEN, TEXT("") },
#undef TEXT
};

static const struct verb *verb_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (str_eq_nocase(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static bool is_allowed(struct session *s, const struct verb *v, struct str args)
{
    if ((v->rules & ARGS_NONE) && args.len > 0)
        session_refuse_args(s, REPLY_NO_ARGUMENTS, v->name, STR_NONE);
    else if ((v->rules & ARGS_SOME) && args.len == 0)
        session_refuse_args(s, REPLY_ARGUMENT_MISSING, v->help, STR_NONE);
    else if ((v->rules & AFTER_HELO) && s->helo.len == 0)
        session_refuse(s, REPLY_HELO_FIRST);
    else if ((v->rules & OUTSIDE_MAIL) && s->tx.state != TX_NONE)
        session_refuse(s, REPLY_IN_TRANSACTION);
    else if ((v->rules & AUTHENTICATED) && s->kind != LISTENER_RELAY && !session_is_authorised(s))
        session_refuse(s, REPLY_AUTH_FIRST);
    else if ((v->rules & AFTER_HELO) && s->tx.state == TX_NONE && !core_knows(s))
        session_end(s, REPLY_RESTARTED);
    else
        return true;
    return false;
}

void verbs_run(struct session *s, struct command c)
{
    const struct verb *v = verb_find(c.verb);

    arena_reset(&s->work->scratch);
    if (v == NULL)
        session_refuse(s, REPLY_UNKNOWN_VERB);
    else if (is_allowed(s, v, c.args))
        v->run(s, c.args);
}

bool verbs_help(struct str verb, struct buf *to)
{
    const struct verb *one = verb_find(verb);

    buf_clear(to);
    if (verb.len > 0)
        return one != NULL && buf_add(to, one->help);
    buf_add(to, STR("Commands:"));
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (!(verbs[i].rules & HIDDEN))
            buf_addf(to, "\n  %.*s", STR_FMT(verbs[i].help));
    return buf_add(
        to, STR("\nBy hand: EHLO my.host, MAIL FROM:<me@my.host>, RCPT TO:<you@there>, DATA, "
                "the text, a line with only a dot, QUIT"));
}
