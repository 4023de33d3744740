// SPDX-License-Identifier: Apache-2.0
/* deliver/auth.c - proving to a smarthost who we are (RFC 4954): PLAIN (RFC 4616) where offered,
 * else LOGIN.
 *
 * Nobody calls this without TLS: both show the password to the peer. */
#include <assert.h>

#include "base/code.h"
#include "deliver/dialogue.h"

enum { AUTH_LINE_MAX = 12 * 1024 }; /* RFC 4954 §4 */

/* Says prefix and the base64 form of `secret`, and hears the answer. */
static bool say_secret(struct dialogue *d, struct str prefix, struct str secret, struct reply *ret,
                       struct err *err)
{
    struct buf *to = talk_begin(&d->talk);

    buf_add(to, prefix);
    base64_add(to, secret);
    talk_say(&d->talk, "AUTH", d->timeouts->helo_ms);
    if (!talk_hear(&d->talk, d->arena, ret, err))
        return false;
    /* The command's bytes stay in the recycled buffer otherwise. */
    if (to->cap > 0)
        mem_wipe(to->ptr, to->cap);
    d->closing |= ret->code == 421;
    return true;
}

static bool auth_plain(struct dialogue *d, struct str user, struct str password, struct reply *ret,
                       struct err *err)
{
    struct buf secret;
    bool ok;

    buf_init(&secret, AUTH_LINE_MAX);
    buf_add_char(&secret, '\0');
    buf_add(&secret, user);
    buf_add_char(&secret, '\0');
    buf_add(&secret, password);
    ok = buf_ok(&secret) ? say_secret(d, STR("AUTH PLAIN "), buf_str(&secret), ret, err)
                         : err_set(err, ERR_LIMIT, "AUTH: credentials too long");
    if (secret.cap > 0)
        mem_wipe(secret.ptr, secret.cap);
    buf_done(&secret);
    return ok;
}

/* The prompts are for people ("Username:"); only their order counts. */
static bool auth_login(struct dialogue *d, struct str user, struct str password, struct reply *ret,
                       struct err *err)
{
    buf_add(talk_begin(&d->talk), STR("AUTH LOGIN"));
    talk_say(&d->talk, "AUTH", d->timeouts->helo_ms);
    if (!talk_hear(&d->talk, d->arena, ret, err))
        return false;
    if (ret->code == 334 && !say_secret(d, STR_NONE, user, ret, err))
        return false;
    if (ret->code == 334)
        return say_secret(d, STR_NONE, password, ret, err);
    d->closing |= ret->code == 421;
    return true;
}

bool dialogue_auth(struct dialogue *d, struct str user, struct str password, struct reply *ret,
                   struct err *err)
{
    assert(stream_tls(d->talk.stream));
    if (extensions_have(&d->ext, EXT_AUTH_PLAIN))
        return auth_plain(d, user, password, ret, err);
    return auth_login(d, user, password, ret, err);
}
