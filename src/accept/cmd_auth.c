// SPDX-License-Identifier: Apache-2.0
/* accept/cmd_auth.c - AUTH PLAIN, LOGIN, SCRAM-SHA-256 and EXTERNAL (RFC 4954, RFC 4616, RFC 7677,
 * RFC 4422; R10, faults A02, B07). What the client says goes to vault and is wiped here; whose
 * session it then is, vault tells core, not us. */
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

static bool decode(struct session *s, struct str text, struct buf *to)
{
    if (str_eq(text, STR("*"))) {
        session_refuse(s, REPLY_AUTH_CANCELLED);
        return false;
    }
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
        /* "=" stands for an empty one (RFC 4954 §4). */
        return str_eq(line, STR("=")) || decode(s, line, to);
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
    } else if (s->answer.code == 501) {
        session_refuse_args(s, REPLY_AUTH_SCRAM, s->answer.text, STR_NONE);
    } else {
        session_reply(s, s->answer.code == 525 ? REPLY_AUTH_SUSPENDED : REPLY_AUTH_REFUSED);
        if (++s->auth_failures >= limit)
            session_end_num(s, REPLY_AUTH_FAILURES, limit);
    }
}

/* Vault's answer to what it was `asked`: it is there, and not a refusal. Waits. */
static bool judged(struct session *s, bool asked)
{
    if (!asked) {
        session_reply(s, REPLY_AUTH_LATER);
        return false;
    }
    session_ask(s, /* of_vault= */ true);
    if (!session_await(s, loop_now_ms() + VAULT_MS_MAX)) {
        session_end(s, REPLY_AUTH_LATER); /* one may still come: not to another question */
        return false;
    }
    if (s->answer.code == 0 || s->answer.code == ANSWER_CHALLENGE)
        return true;
    refuse(s);
    return false;
}

static void succeed(struct session *s)
{
    s->signed_in = true;
    session_reply(s, REPLY_AUTH_OK);
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
    if (judged(s, vault_auth(s, user, secret)))
        succeed(s);
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

/* A pipe between the client and vault: two challenges, the second being our proof that we know the
 * secret too, which the client answers by an empty line (RFC 4954 §4). */
static void scram(struct session *s, struct str initial)
{
    struct buf message, challenge;
    bool goes_on;

    buf_init(&message, AUTH_LINE_MAX);
    buf_init(&challenge, AUTH_LINE_MAX);
    goes_on = respond(s, STR(""), &initial, &message);
    for (uint32_t step = 0; goes_on; step++) {
        if (!judged(s, vault_auth_step(s, step, buf_str(&message))))
            break;
        if (s->answer.code == 0) {
            succeed(s);
            break;
        }
        buf_clear(&challenge);
        buf_clear(&message);
        base64_add(&challenge, s->answer.text);
        goes_on = respond(s, buf_str(&challenge), &initial, &message);
    }
    wipe(&message);
    wipe(&challenge);
}

/* The certificate has said it already, and the session is its account's; what may be named is the
 * same again (RFC 4422 appendix A). */
static void external(struct session *s, struct str initial)
{
    struct buf act_as;

    buf_init(&act_as, AUTH_LINE_MAX);
    if (!(s->flags & BIND_CERTIFICATE)) {
        session_refuse(s, REPLY_AUTH_MECHANISM);
    } else if (respond(s, STR(""), &initial, &act_as)) {
        if (act_as.len == 0 || str_eq(buf_str(&act_as), buf_str(&s->login))) {
            succeed(s);
        } else {
            s->answer.code = 535;
            refuse(s);
        }
    }
    buf_done(&act_as);
}

static bool may_try(struct session *s)
{
    if (s->kind == LISTENER_RELAY)
        session_refuse(s, REPLY_AUTH_NOT_HERE);
    else if (stream_tls(s->stream) == NULL)
        session_refuse(s, REPLY_AUTH_NEEDS_TLS);
    else if (s->signed_in)
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
        else if (str_eq_nocase(c.verb, STR("SCRAM-SHA-256")))
            scram(s, c.args);
        else if (str_eq_nocase(c.verb, STR("EXTERNAL")))
            external(s, c.args);
        else
            session_refuse(s, REPLY_AUTH_MECHANISM);
    }
    mem_wipe(s->work->line.ptr, s->work->line.cap);
}
