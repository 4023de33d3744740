// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_auth.c - AUTH PLAIN and LOGIN (RFC 4954, RFC 4616; R10, faults A02, B07). The password
 * goes to vault and is wiped here; whose session it then is, vault tells core, not us. */
#include "accept/accept.h"
#include "accept/auth_plain.h"
#include "accept/verbs.h"
#include "base/code.h"
#include "base/mem.h"

#define VAULT_MS_MAX 60000

static void wipe(struct buf *b)
{
    mem_wipe(b->ptr, b->cap);
    buf_done(b);
}

/* "=" stands for an empty initial response (RFC 4954 §4). */
static bool decode(struct session *s, struct str text, struct buf *to)
{
    if (str_eq(text, STR("*"))) {
        session_refuse(s, REPLY_AUTH_CANCELLED);
        return false;
    }
    if (str_eq(text, STR("=")))
        return true;
    if (base64_read(to, text, NULL))
        return true;
    session_refuse(s, REPLY_AUTH_BASE64);
    return false;
}

/* Asks for a response, or takes the one that came with the command. Waits. */
static bool respond(struct session *s, struct str challenge, struct str *initial, struct buf *to)
{
    struct str line;

    (void)buf_room(to, AUTH_LINE_MAX); /* once, so that growing leaves no copy behind */
    if (initial->len > 0) {
        line = *initial;
        *initial = STR_NONE;
        return decode(s, line, to);
    }
    session_reply1(s, REPLY_AUTH_GO_ON, challenge);
    return session_line(s, AUTH_LINE_MAX, REPLY_AUTH_LINE, &line) == LINE_READ &&
           decode(s, line, to);
}

/* Vault has logged it, with the user. */
static void refuse(struct session *s)
{
    unsigned limit = s->role->config->limits.auth_failures;

    if (s->answer.code == 421) {
        struct reply r = { .code = 421, .status = { 4, 7, 0 }, .text = s->answer.text };

        session_reply_raw(s, &r);
        s->over = true;
    } else if (s->answer.code >= 400 && s->answer.code < 500) {
        session_reply(s, REPLY_AUTH_LATER);
    } else {
        session_reply(s, REPLY_AUTH_REFUSED);
        if (++s->auth_failures >= limit)
            session_end_num(s, REPLY_AUTH_FAILURES, limit);
    }
}

/* Vault looks at the password; on success the answer comes by core, which then knows the session.
 */
static void check(struct session *s, struct str user, struct str secret)
{
    if (user.len == 0 || secret.len == 0 || user.len > VAULT_USER_MAX ||
        secret.len > VAULT_SECRET_MAX) {
        s->answer.code = 535; /* nobody has such a name or password */
        refuse(s);
        return;
    }
    if (!vault_auth(s, user, secret)) {
        session_reply(s, REPLY_AUTH_LATER);
        return;
    }
    session_ask(s, /* of_vault= */ true);
    if (!session_await(s, loop_now_ms() + VAULT_MS_MAX))
        session_end(s, REPLY_AUTH_LATER); /* an answer may still come: not to another question */
    else if (s->answer.code != 0)
        refuse(s);
    else
        session_reply(s, REPLY_AUTH_OK);
}

static void plain(struct session *s, struct str initial)
{
    struct auth_plain p;
    struct buf message;

    buf_init(&message, AUTH_LINE_MAX);
    if (respond(s, STR(""), &initial, &message)) {
        if (auth_plain_parse(buf_str(&message), &p))
            check(s, p.user, p.secret);
        else
            session_refuse(s, REPLY_AUTH_FORM);
    }
    wipe(&message);
}

static void login(struct session *s, struct str initial)
{
    struct buf user, secret;

    buf_init(&user, AUTH_LINE_MAX);
    buf_init(&secret, AUTH_LINE_MAX);
    if (respond(s, STR("VXNlcm5hbWU6"), &initial, &user) &&
        respond(s, STR("UGFzc3dvcmQ6"), &initial, &secret))
        check(s, buf_str(&user), buf_str(&secret));
    wipe(&user);
    wipe(&secret);
}

static bool may_try(struct session *s)
{
    if (s->kind == LISTENER_RELAY)
        session_refuse(s, REPLY_AUTH_NOT_HERE);
    else if (stream_tls(s->stream) == NULL)
        session_refuse(s, REPLY_AUTH_NEEDS_TLS);
    else if (s->flags & BIND_AUTHENTICATED)
        session_refuse(s, REPLY_AUTH_ALREADY);
    else
        return true;
    return false;
}

void cmd_auth(struct session *s, struct str args)
{
    struct command c = command_cut(args); /* mechanism, initial response */

    if (may_try(s)) {
        if (str_eq_nocase(c.verb, STR("PLAIN")))
            plain(s, c.args);
        else if (str_eq_nocase(c.verb, STR("LOGIN")))
            login(s, c.args);
        else
            session_refuse(s, REPLY_AUTH_MECHANISM);
    }
    mem_wipe(s->work->line.ptr, s->work->line.cap);
}
