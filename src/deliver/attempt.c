// SPDX-License-Identifier: Apache-2.0
/* deliver/attempt.c - looks whether peer and message suit each other, then offers it in as few
 * transactions as the peer allows.
 *
 * A kept connection that turns out to be dead was no attempt: the job goes to a fresh one (fault
 * N12). Everything else that breaks off is an outcome; trying again is the schedule's. */
#include "deliver/attempt.h"

#include "base/log.h"
#include "deliver/render.h"
#include "deliver/result.h"
#include "deliver/sign.h"
#include "io/loop.h"

struct attempt {
    struct connection *c;
    struct job *job;
    struct render render;
    struct batch batch;
    struct job_rcpt **of_batch; /* whose each recipient of the batch is */
    bool fresh;                 /* the dialogue was opened for this job */
};

static size_t unsettled(const struct job *j)
{
    size_t count = 0;

    for (size_t i = 0; i < j->rcpt_count; i++)
        count += !j->rcpts[i].settled;
    return count;
}

/* Says whose words they are; they may outlast the dialogue, but not the attempt. */
static struct outcome with_host(const struct connection *c, struct outcome o)
{
    o.host = c->host_name;
    o.ip = c->ip;
    o.tls = c->tls;
    return o;
}

static void settle_rest(struct attempt *a, struct outcome o)
{
    o = with_host(a->c, o);
    o.host = arena_str(&a->c->attempt, o.host);
    result_settle_rest(a->job, &o);
}

/* Ours to say: what the peer told us at EHLO makes it plain that it can't take this message. */
static bool refuse(struct attempt *a, uint16_t code, uint16_t subject, uint16_t detail,
                   const char *text)
{
    settle_rest(a, result_ours(code, (struct status){ 5, subject, detail }, SCOPE_MESSAGE,
                               arena_str(&a->c->attempt, str_of(text))));
    return false;
}

/* Whether they suit each other ---------------------------------------------------------------- */

/* RFC 6531 §3.5. Recipients that need it and can't have it are settled one by one; the others go
 * on. */
static bool suits_utf8(struct attempt *a, bool *ret_needed)
{
    struct job *j = a->job;
    bool offered = extensions_have(&a->c->dialogue.ext, EXT_SMTPUTF8);
    struct outcome no =
        with_host(a->c, result_ours(550, (struct status){ 5, 6, 7 }, SCOPE_RECIPIENT,
                                    STR("the server does not take addresses in UTF-8")));

    *ret_needed = j->reverse_path.is_utf8 || (j->smtputf8 && a->render.header_8bit);
    if (*ret_needed && !offered)
        return refuse(a, 550, 6, 7, "the server does not take addresses or header fields in UTF-8");
    for (size_t i = 0; i < j->rcpt_count; i++) {
        struct job_rcpt *r = &j->rcpts[i];

        if (r->settled || !r->address.is_utf8)
            continue;
        *ret_needed = offered;
        if (offered)
            continue;
        r->settled = true;
        r->outcome = no;
        r->outcome.host = arena_str(&a->c->attempt, no.host);
    }
    return unsettled(j) > 0;
}

/* What the content needs, or BODY_7BIT with *ret_convert (RFC 6152 §3, RFC 3030 §3). */
static enum body_kind body_for(const struct job *j, const struct extensions *e, bool *ret_convert)
{
    *ret_convert = false;
    if (j->binary && extensions_have(e, EXT_BINARYMIME | EXT_CHUNKING))
        return BODY_BINARYMIME;
    if (!j->binary && j->eight_bit && extensions_have(e, EXT_8BITMIME))
        return BODY_8BITMIME;
    *ret_convert = j->binary || j->eight_bit;
    return BODY_7BIT;
}

static bool suits_body(struct attempt *a)
{
    struct err err = { 0 };
    bool convert;

    a->batch.params.body = body_for(a->job, &a->c->dialogue.ext, &convert);
    if (render_choose(&a->render, convert, &err))
        return true;
    if (err.kind == ERR_SYNTAX && a->job->binary)
        return refuse(a, 554, 6, 3,
                      "the server takes no lines over 998 octets and no bare CR, LF or NUL "
                      "(BINARYMIME), and this can't be converted");
    if (err.kind == ERR_SYNTAX)
        return refuse(a, 554, 6, 3,
                      "the server takes 7-bit content only, and this can't be converted");
    settle_rest(a, result_ours(0, (struct status){ 4, 3, 0 }, SCOPE_MESSAGE,
                               arena_str(&a->c->attempt, str_of(err.text))));
    return false;
}

/* Without all its signatures it waits: it never leaves unsigned (fault Y04). No word of the
 * server's is behind that. */
static bool is_signed(struct attempt *a)
{
    struct err err = { 0 };
    struct outcome o;

    if (sign_rendered(&a->render, &err))
        return true;
    o = result_ours(0, (struct status){ 4, 7, 5 }, SCOPE_MESSAGE,
                    arena_str(&a->c->attempt, str_of(err.text)));
    result_settle_rest(a->job, &o);
    return false;
}

/* RFC 1870 §6.1: not even offered (R36). */
static bool suits_size(struct attempt *a)
{
    uint64_t most = a->c->dialogue.ext.size_max, size = render_size(&a->render);

    a->batch.params.size_bytes = size;
    if (most == 0 || size <= most)
        return true;
    settle_rest(a,
                result_ours(552, (struct status){ 5, 3, 4 }, SCOPE_MESSAGE,
                            arena_strf(&a->c->attempt,
                                       "the message has %llu octets, the server takes at most %llu",
                                       (unsigned long long)size, (unsigned long long)most)));
    return false;
}

/* False when no recipient is left to be offered. */
static bool suits(struct attempt *a)
{
    bool utf8 = false;

    a->batch.params = (struct mail_params){ .ret = a->job->ret, .envid = a->job->envid };
    if (!suits_utf8(a, &utf8) || !suits_body(a) || !is_signed(a) || !suits_size(a))
        return false;
    a->batch.params.smtputf8 = utf8;
    return true;
}

/* One transaction ----------------------------------------------------------------------------- */

/* As many recipients as the peer (RFC 9422 §4.2) and the configuration take at once. */
static void fill_batch(struct attempt *a)
{
    struct job *j = a->job;
    size_t most = a->c->site->rcpts_max, count = 0;
    uint64_t theirs = a->c->dialogue.ext.rcpt_max;

    if (theirs > 0 && (most == 0 || theirs < most))
        most = (size_t)theirs;
    for (size_t i = 0; i < j->rcpt_count && (most == 0 || count < most); i++) {
        if (j->rcpts[i].settled)
            continue;
        a->of_batch[count] = &j->rcpts[i];
        a->batch.rcpts[count++] =
            (struct batch_rcpt){ .address = j->rcpts[i].address, .params = j->rcpts[i].params };
    }
    a->batch.rcpt_count = count;
    a->batch.reverse_path = j->reverse_path;
    a->batch.content = render_source(&a->render);
}

/* A refusal that only says "not so many at once", while others were taken: those go next (RFC 5321
 * §4.5.3.1.10). */
static bool may_follow(const struct attempt *a, const struct batch_rcpt *r)
{
    const struct reply *reply = &r->reply;

    return r->heard && !r->ended && (reply->code == 452 || reply->code == 552) &&
           (reply->status.klass == 0 || reply->status.subject == 5) && a->batch.accepted > 0 &&
           a->batch.all_sent && a->batch.reply.code < 300 && render_can_begin(&a->render);
}

static bool concerns_all(const struct outcome *o)
{
    return o->kind != OUTCOME_DELIVERED && o->kind != OUTCOME_RELAYED &&
           o->scope != SCOPE_RECIPIENT;
}

/* Recipients that were not in this batch share what befell all of it. */
static void settle_batch(struct attempt *a, const struct err *lost)
{
    enum outcome_kind taken =
        a->c->site->route.kind == ROUTE_SMARTHOST ? OUTCOME_RELAYED : OUTCOME_DELIVERED;
    struct str host = arena_str(&a->c->attempt, a->c->host_name);
    const struct outcome *all = NULL;

    for (size_t i = 0; i < a->batch.rcpt_count; i++) {
        struct job_rcpt *r = a->of_batch[i];

        if (!lost && may_follow(a, &a->batch.rcpts[i]))
            continue;
        r->settled = true;
        r->outcome = with_host(a->c, result_of_batch(&a->batch, i, lost, taken));
        r->outcome.host = host;
        r->dsn_passed_on = extensions_have(&a->c->dialogue.ext, EXT_DSN);
        if (concerns_all(&r->outcome))
            all = &r->outcome;
        if (r->outcome.reply.code == 421)
            a->job->session_code = 421;
    }
    if (all && all->kind != OUTCOME_UNKNOWN)
        result_settle_rest(a->job, all);
    else if (all)
        settle_rest(a, result_ours(0, all->reply.status, SCOPE_SESSION, all->reply.text));
}

/* Lost, or told 421, before a word about this message: what was kept had been closed meanwhile. A
 * peer that is only silent was tried. */
static bool was_stale(const struct attempt *a, const struct err *lost)
{
    if (a->fresh)
        return false;
    if (!lost)
        return a->batch.stage == STAGE_MAIL && a->batch.reply.code == 421;
    return !a->batch.mail_heard &&
           (lost->kind == ERR_CLOSED || lost->kind == ERR_IO || lost->kind == ERR_TLS);
}

static void transact(struct attempt *a)
{
    struct connection *c = a->c;
    struct err *err = ARENA_NEW(&c->attempt, struct err); /* outcomes keep its text */
    bool ok;

    fill_batch(a);
    c->transactions++;
    ok = dialogue_offer(&c->dialogue, &a->batch, err);
    if (was_stale(a, ok ? NULL : err)) {
        connection_close(c, FAREWELL_NONE);
        return;
    }
    settle_batch(a, ok ? NULL : err);
    if (!ok)
        connection_close(c, FAREWELL_NONE);
    if (unsettled(a->job) > 0 && !render_can_begin(&a->render))
        settle_rest(
            a, result_ours(0, (struct status){ 4, 5, 3 }, SCOPE_RECIPIENT,
                           STR("the server takes fewer recipients at once; the others follow")));
}

/* The whole job ------------------------------------------------------------------------------- */

/* A dialogue that can take one more transaction. */
static bool ready(struct attempt *a)
{
    struct connection *c = a->c;

    if (c->open && connection_is_used_up(c))
        connection_close(c, FAREWELL_SAID);
    if (c->open && c->has_idled && !dialogue_is_alive(&c->dialogue))
        connection_close(c, FAREWELL_NONE);
    c->has_idled = false;
    if (c->open)
        return true;
    a->fresh = true;
    return connection_open(c, a->job->domain);
}

/* A host that can't be reached by one can't be reached by the others that wait: they need not all
 * find out. What DNS says of one domain holds for none of its site's others. */
static void fail_queue(struct connection *c)
{
    struct job *j;

    if (c->failure.ip.family == 0 || c->failure.kind != OUTCOME_DEFERRED)
        return;
    LIST_EACH (&c->site->connections, struct connection, other, link)
        if (other->open)
            return; /* it can be reached after all */
    while ((j = site_pop(c->site))) {
        result_settle_rest(j, &c->failure);
        j->connection_failed = true;
        result_send(j, 0);
    }
}

static void not_opened(struct attempt *a)
{
    struct connection *c = a->c;

    a->job->connection_failed = true;
    a->job->session_code = c->failure.reply.code;
    result_settle_rest(a->job, &c->failure);
    fail_queue(c);
}

static void not_rendered(struct attempt *a, const struct err *err)
{
    if (err->kind == ERR_SYNTAX)
        log_err(LOG_ALERT, "render-failed", err);
    settle_rest(a, result_ours(0, (struct status){ 4, 3, 0 }, SCOPE_MESSAGE,
                               arena_str(&a->c->attempt, str_of(err->text))));
}

static void offer_all(struct attempt *a)
{
    struct job *j = a->job;

    while (!j->abandoned && unsettled(j) > 0) {
        if (!ready(a)) {
            not_opened(a);
            return;
        }
        j->port = a->c->port;
        j->source = a->c->source;
        if (suits(a))
            transact(a);
    }
}

void attempt_job(struct connection *c, struct job *j)
{
    struct attempt a = { .c = c, .job = j };
    struct err err = { 0 };

    a.batch.rcpts = ARENA_ARRAY(&c->attempt, struct batch_rcpt, j->rcpt_count);
    a.of_batch = ARENA_ARRAY(&c->attempt, struct job_rcpt *, j->rcpt_count);
    j->begun_ms = loop_now_ms();
    if (!ready(&a)) {
        not_opened(&a);
    } else {
        j->begun_ms = loop_now_ms();
        if (render_init(&a.render, j, &err))
            offer_all(&a);
        else
            not_rendered(&a, &err);
        render_done(&a.render);
    }
    result_send(j, c->open ? c->site->open : c->site->open - 1);
}
