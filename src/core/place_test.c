// SPDX-License-Identifier: Apache-2.0
/* core/place_test.c - where each recipient's mail goes: by resolve, by a route, to the sandbox, or
 * nowhere yet. */
#include "core/role.h"
#include "core/stage.h"

static const char routes[] =
    "routes:\n"
    "  - {domain: smart.example, via: smarthost, host: hub.example, port: 2526}\n"
    "  - {domain: box.example, via: lmtp, host: 127.0.0.1, port: 2424}\n"
    "  - {domain: never.example, via: refuse}\n"
    "  - {domain: play.example, via: sandbox}\n"
    "delivery: {allow_literals: true}\n";

static const struct verdict delivered = { OUTCOME_DELIVERED, 250, 0, 0, "ok", false };
static const struct verdict deferred = { OUTCOME_DEFERRED, 451, 7, 1, "greylisted", false };

static int set_up(void **state)
{
    struct stage *s = stage_raise(routes);

    stage_retry_at_once(s);
    stage_open(s, 5);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    stage_end(*state);
    return 0;
}

static void finish_job(struct stage *s, struct player *taker, const char *site)
{
    struct job_seen j = stage_job(s, taker);

    if (!str_eq(j.site, str_of(site)))
        fail_msg("site %.*s", STR_FMT(j.site));
    stage_result(s, taker, &j, &delivered);
}

static void r28_a_site_is_asked_for_once(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ .to = { "a@remote.example", "b@Remote.Example" } });
    stage_accept(s, &(struct letter){ .to = { "c@REMOTE.example" } });
    stage_site(s, "remote.example", "mx.remote.example");
    finish_job(s, &s->deliver, "mx.remote.example");
    finish_job(s, &s->deliver, "mx.remote.example");
    stage_accept(s, &(struct letter){ 0 });
    finish_job(s, &s->deliver, "mx.remote.example");
    assert_int_equal(player_waiting(&s->resolve, WIRE_SITE_ASK), 0);
}

static void r28_domains_of_one_site_share_a_job(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ .to = { "a@one.example", "b@two.example" } });
    stage_site(s, "one.example", "mx.big.example");
    stage_site(s, "two.example", "mx.big.example");
    struct job_seen j = stage_job(s, &s->deliver);
    assert_int_equal(j.rcpt_count, 2);
    stage_result(s, &s->deliver, &j, &delivered);
}

static void r28_asked_again_after_resolve_died(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ 0 });
    (void)player_next(&s->resolve, WIRE_SITE_ASK);
    stage_cut(s, &s->resolve);
    stage_accept(s, &(struct letter){ .to = { "x@other.example" } });
    stage_link(s, &s->resolve);
    for (int i = 0; i < 2; i++) {
        const struct wire_site_ask *ask = player_next(&s->resolve, WIRE_SITE_ASK);
        struct wire_site_answer *m = wire_add(s->resolve.channel, WIRE_SITE_ANSWER, 3);
        m->question = ask->question;
        wire_put(m, &m->site, STR("abc"));
    }
    finish_job(s, &s->deliver, "abc");
    finish_job(s, &s->deliver, "abc");
}

static void r28_no_such_domain_is_a_bounce_and_a_failing_one_waits(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ .from = "" });
    stage_no_site(s, "remote.example", 550, "the domain does not exist");
    struct event e = stage_event(s, EVENT_BOUNCED);
    assert_true(str_has(e.outcome.reply.text, "does not exist"));
    stage_accept(s, &(struct letter){ .from = "", .to = { "x@slow.example" } });
    struct wire_site_answer *m;
    const struct wire_site_ask *ask = player_next(&s->resolve, WIRE_SITE_ASK);
    m = wire_add(s->resolve.channel, WIRE_SITE_ANSWER, 0);
    m->question = ask->question;
    m->code = 451;
    e = stage_event(s, EVENT_DEFERRED);
    assert_int_equal(e.tries, 1);
    stage_site(s, "slow.example", "mx.slow.example");
    finish_job(s, &s->deliver, "mx.slow.example");
}

/* More than there are stories for it: one dead domain with many waiting. */
static void r23_many_at_a_domain_that_is_gone(void **state)
{
    enum { MANY = 300 };
    struct stage *s = *state;

    for (int i = 0; i < MANY; i++)
        stage_accept(s, &(struct letter){ .from = "" });
    stage_no_site(s, "remote.example", 550, "the domain does not exist");
    for (int i = 0; i < MANY; i++)
        (void)stage_event(s, EVENT_BOUNCED);
    assert_int_equal(stage_figure(s, "bounced"), MANY);
}

static const struct false_answer {
    const char *name;
    uint16_t code;
    const char *site;
} false_answers[] = {
    { "delivered by resolve", 250, "" },
    { "no name", 0, "" },
    { "the sandbox", 0, "(sandbox)" },
    { "what was recovered", 0, "(recovered)" },
    { "a fixed route", 0, "smtp:127.0.0.1:2525" },
};

static void p05_a_resolve_that_lies_loses_its_link(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ 0 });
    for (size_t i = 0; i < ARRAY_LEN(false_answers); i++) {
        const struct false_answer *f = &false_answers[i];
        const struct wire_site_ask *ask = player_next(&s->resolve, WIRE_SITE_ASK);
        struct wire_site_answer *m =
            wire_add(s->resolve.channel, WIRE_SITE_ANSWER, strlen(f->site));
        m->question = ask->question;
        m->code = f->code;
        wire_put(m, &m->site, str_of(f->site));
        stage_await_closed(&s->resolve);
        stage_link(s, &s->resolve);
    }
    assert_int_equal(stage_figure(s, "recipients"), 1);
    stage_site(s, "remote.example", "sandbox"); /* an MX host may be called so */
    finish_job(s, &s->deliver, "sandbox");
}

/* --- routes --- */

static void r30_r31_r34_fixed_routes(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ .to = { "a@smart.example" } });
    finish_job(s, &s->deliver, "smtp:hub.example:2526");
    stage_accept(s, &(struct letter){ .to = { "a@BOX.example" } });
    finish_job(s, &s->deliver, "lmtp:127.0.0.1:2424");
    stage_accept(s, &(struct letter){ .to = { "a@play.example" } });
    finish_job(s, &s->report, "(sandbox)");
    assert_int_equal(player_waiting(&s->resolve, WIRE_SITE_ASK), 0);
}

static void r31_a_refused_domain_is_refused(void **state)
{
    struct stage *s = *state;
    struct str text;

    assert_int_equal(stage_answer(s, stage_send(s, &(struct letter){ .to = { "a@never.example" } }),
                                  &text, NULL),
                     550);
    assert_true(str_has(text, "[ROUTE]"));
}

static void an_address_literal_has_a_site(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ .to = { "a@[192.0.2.7]" } });
    stage_site(s, "[192.0.2.7]", "[192.0.2.7]");
    finish_job(s, &s->deliver, "[192.0.2.7]");
}

/* What was queued for the old route goes by the new one: other hosts would defer it until it
 * expires. */
static void r30_queued_mail_follows_a_reload(void **state)
{
    struct stage *s = *state;
    struct config *old = s->config;
    struct role_start start = { .kind = ROLE_CORE, .unix_fd = -1 };
    struct err err;
    struct buf yaml;

    stage_accept(s, &(struct letter){ .to = { "a@smart.example" } });
    struct job_seen j = stage_job(s, &s->deliver);
    buf_init(&yaml, 4096);
    buf_addf(&yaml,
             "hostname: relay.example\nsandbox: {domain: sandbox.example}\nstate_folder: %s\n"
             "routes: [{domain: smart.example, via: smarthost, host: new.example}]\n",
             s->folder);
    if (!config_parse(STR("new"), buf_str(&yaml), &s->config, &err))
        fail_msg("%s", err.text);
    buf_done(&yaml);
    stage_retry_at_once(s);
    start.config = s->config;
    core_role.reload(s->core, s->config, &start);
    stage_result(s, &s->deliver, &j, &deferred);
    finish_job(s, &s->deliver, "smtp:new.example:25");
    config_free(old);
}

/* --- the gate --- */

static void r32_the_gate_is_closed(void **state)
{
    struct stage *s = *state;
    struct str text;

    stage_gate(s, false);
    stage_settle(s);
    assert_int_equal(stage_answer(s, stage_send(s, &(struct letter){ 0 }), &text, NULL), 550);
    assert_true(str_has(text, "[SANDBOX]"));
    stage_accept(s, &(struct letter){ .to = { "a@sandbox.example" } });
    finish_job(s, &s->report, "(sandbox)");
}

static void r32_what_was_queued_bounces_when_the_gate_closed(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ .from = "" });
    (void)player_next(&s->resolve, WIRE_SITE_ASK);
    stage_restart_core(s);
    stage_link_all(s);
    stage_events_from(s, 0);
    stage_gate(s, false);
    struct event e = stage_event(s, EVENT_BOUNCED);
    assert_true(str_has(e.outcome.reply.text, "[SANDBOX]"));
}

/* Until vault has said whether mail may leave, none is refused for it. */
static void r23_recovered_mail_waits_for_vault(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ .from = "" });
    (void)player_next(&s->resolve, WIRE_SITE_ASK);
    stage_restart_core(s);
    stage_link(s, &s->web);
    stage_link(s, &s->deliver);
    stage_link(s, &s->resolve);
    stage_link(s, &s->report);
    stage_events_from(s, 0);
    (void)stage_event(s, EVENT_ACCEPTED);
    stage_settle(s);
    assert_int_equal(player_waiting(&s->resolve, WIRE_SITE_ASK), 0);
    assert_int_equal(stage_figure(s, "bounced"), 0);
    stage_link(s, &s->vault);
    stage_gate(s, true);
    stage_site(s, "remote.example", "mx.remote.example");
    finish_job(s, &s->deliver, "mx.remote.example");
}

static void nobody_has_room_until_deliver_is_there(void **state)
{
    struct stage *s = *state;

    stage_cut(s, &s->deliver);
    stage_accept(s, &(struct letter){ 0 });
    stage_site(s, "remote.example", "mx.remote.example");
    stage_settle(s);
    assert_int_equal(stage_figure(s, "ready"), 1);
    stage_link(s, &s->deliver);
    finish_job(s, &s->deliver, "mx.remote.example");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(r28_a_site_is_asked_for_once),
        TEST(r28_domains_of_one_site_share_a_job),
        TEST(r28_asked_again_after_resolve_died),
        TEST(r28_no_such_domain_is_a_bounce_and_a_failing_one_waits),
        TEST(r23_many_at_a_domain_that_is_gone),
        TEST(p05_a_resolve_that_lies_loses_its_link),
        TEST(r30_r31_r34_fixed_routes),
        TEST(r31_a_refused_domain_is_refused),
        TEST(an_address_literal_has_a_site),
        TEST(r30_queued_mail_follows_a_reload),
        TEST(r32_the_gate_is_closed),
        TEST(r32_what_was_queued_bounces_when_the_gate_closed),
        TEST(r23_recovered_mail_waits_for_vault),
        TEST(nobody_has_room_until_deliver_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
