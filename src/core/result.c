// SPDX-License-Identifier: Apache-2.0
/* core/result.c - what became of a job: the peer's words, held against what it was handed, or its
 * death, after which nobody knows (C02: again later). What follows from an outcome is settle.c's.
 */
#include "core/job.h"

#define HOST_NAME_MAX_SEEN 255

static struct settled *outcome_slot(struct job *j, uint32_t rcpt)
{
    for (size_t i = 0; i < j->batch.count; i++)
        if (j->outcomes[i].rcpt == rcpt)
            return &j->outcomes[i];
    return NULL;
}

bool result_on_rcpt(struct core *c, struct peer *from, const struct wire_result_rcpt *m,
                    struct err *err)
{
    struct job *j = idmap_find(&c->jobs, m->job);
    struct settled *s = j && j->peer == from ? outcome_slot(j, m->rcpt) : NULL;
    char source[IP_TEXT_MAX];

    if (!j)
        return true; /* called back meanwhile */
    if (!s || m->kind < OUTCOME_DELIVERED || m->kind > OUTCOME_UNKNOWN ||
        m->kind == OUTCOME_CANCELLED || m->kind == OUTCOME_EXPIRED || m->scope < SCOPE_RECIPIENT ||
        m->scope > SCOPE_DESTINATION)
        return err_set(err, ERR_SYNTAX, "a result that fits no job");
    s->outcome = (struct outcome){
        .kind = m->kind,
        .scope = m->scope,
        .reply = { m->code,
                   { (uint8_t)m->status_class, m->status_subject, m->status_detail },
                   arena_str(&j->arena, str_sub(wire_get(m, m->text), 0, REPLY_TEXT_MAX)) },
        .host = arena_str(&j->arena, str_sub(wire_get(m, m->host), 0, HOST_NAME_MAX_SEEN)),
        .ip = wire_ip_get(&m->ip),
        .tls = m->tls != 0,
        .waited_ms = m->waited_ms,
        .dialogue_ms = m->dialogue_ms,
    };
    struct ip local = wire_ip_get(&m->source);
    if (local.family != 0)
        s->source = arena_str(&j->arena, str_of(ip_format(&local, source)));
    s->notify_passed_on = (m->flags & RESULT_DSN_PASSED_ON) != 0;
    return true;
}

static void result_story(void *arg)
{
    struct job *j = arg;
    struct core *c = j->core;

    settle_outcomes(c, j->message, &j->envelope, j->batch.site, j->outcomes, j->batch.count);
    job_leave(j);
    core_story_end(c);
}

static void job_end(struct core *c, struct job *j)
{
    idmap_take(&c->jobs, j->id);
    j->peer->jobs--;
    j->over = true;
    j->stories++;
    gate_wake_all(&j->peer->ring_room); /* a streaming story stops */
    core_story_begin(c);
    fiber_spawn("settle", result_story, j);
    core_pump_later(c);
}

/* The first thing said that keeps a recipient waiting: what `queue why` and a late notification
 * tell. */
static struct str delay_text(const struct job *j)
{
    for (size_t i = 0; i < j->batch.count; i++) {
        enum outcome_kind kind = j->outcomes[i].outcome.kind;
        if (kind == OUTCOME_DEFERRED || kind == OUTCOME_UNKNOWN)
            return j->outcomes[i].outcome.reply.text;
    }
    return STR("");
}

void result_on_end(struct core *c, struct peer *from, const struct wire_result *m)
{
    struct job *j = idmap_find(&c->jobs, m->job);
    enum site_result result = SITE_SERVED;

    if (!j || j->peer != from)
        return;
    if (m->connection_failed)
        result = SITE_FAILED;
    else if (m->session_code == 421 || m->session_code / 100 == 4)
        result = SITE_SLOW_DOWN;
    site_report(c->schedule, j->batch.site, core_now(c), result, delay_text(j));
    job_end(c, j);
}

/* The peer died: what it had in hand may or may not have been sent. */
void handout_drop_all(struct core *c, struct peer *from)
{
    size_t at = 0;
    uint64_t id;
    void *value;

    while (idmap_each(&c->jobs, &at, &id, &value)) {
        struct job *j = value;
        if (j->peer != from)
            continue;
        for (size_t i = 0; i < j->batch.count; i++)
            if (j->outcomes[i].outcome.reply.text.len == 0)
                j->outcomes[i].outcome.reply = (struct reply){
                    0, { 4, 3, 0 }, STR("the delivering role ended; outcome unknown")
                };
        site_report(c->schedule, j->batch.site, core_now(c), SITE_NOTHING, STR(""));
        job_end(c, j);
    }
}
