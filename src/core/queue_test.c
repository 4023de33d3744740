// SPDX-License-Identifier: Apache-2.0
/* core/queue_test.c - what operators see and do, and how it meets a delivery under way. */
#include "core/stage.h"
#include "mail/xtext.h"

static const struct verdict delivered = { OUTCOME_DELIVERED, 250, 0, 0, "ok", false };
static const struct verdict deferred = { OUTCOME_DEFERRED, 451, 7, 1, "greylisted", false };

static int set_up(void **state)
{
    struct stage *s = stage_raise("");

    stage_open(s, 5);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    stage_end(*state);
    return 0;
}

/* One that was tried, and is due in an hour. */
static uint64_t deferred_one(struct stage *s, const struct letter *l)
{
    s->config->retry.steps_ms[0] = 3600 * 1000;
    uint64_t id = stage_accept(s, l);
    stage_site(s, "remote.example", "mx.remote.example");
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &deferred);
    (void)stage_event(s, EVENT_DEFERRED);
    stage_settle(s);
    return id;
}

static void expect(struct stage *s, enum admin_verb verb, uint64_t id, uint32_t flags,
                   unsigned status, size_t rows)
{
    size_t got;
    unsigned code = stage_admin(s, verb, id, flags, "spam run", &got);

    if (code != status || got != rows)
        fail_msg("verb %d: status %u, %zu rows", verb, code, got);
}

static void list_show_why_and_summary(void **state)
{
    struct stage *s = *state;
    uint64_t id =
        deferred_one(s, &(struct letter){ .to = { "a@remote.example", "b@remote.example" } });

    expect(s, ADMIN_QUEUE_LIST, 0, 0, 200, 2);
    assert_true(str_has(s->row, "\"state\":\"deferred\""));
    expect(s, ADMIN_QUEUE_LIST, id, 0, 200, 0); /* behind the last */
    expect(s, ADMIN_QUEUE_SHOW, id, 0, 200, 3);
    expect(s, ADMIN_QUEUE_WHY, id, 0, 200, 2);
    assert_true(str_has(s->row, "attempt 1 did not succeed"));
    expect(s, ADMIN_QUEUE_SUMMARY, 0, 0, 200, 1);
    assert_true(str_has(s->row, "mx.remote.example"));
    expect(s, ADMIN_QUEUE_SHOW, 12345, 0, 404, 0);
    expect(s, ADMIN_CRED_LIST, 0, 0, 404, 0);
}

static void retry_makes_it_due(void **state)
{
    struct stage *s = *state;
    uint64_t id = deferred_one(s, &(struct letter){ 0 });

    expect(s, ADMIN_QUEUE_RETRY, id, 0, 200, 1);
    struct event e = stage_event(s, EVENT_RETRIED);
    assert_true(str_eq(e.actor, STR("olga")));
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &delivered);
    (void)stage_event(s, EVENT_DELIVERED);
}

static void hold_keeps_it_and_release_lets_it_go_over_a_restart(void **state)
{
    struct stage *s = *state;
    uint64_t id = deferred_one(s, &(struct letter){ 0 });

    expect(s, ADMIN_QUEUE_RELEASE, id, 0, 409, 0);
    expect(s, ADMIN_QUEUE_HOLD, id, ADMIN_DRY_RUN, 200, 1);
    expect(s, ADMIN_QUEUE_HOLD, id, 0, 200, 1);
    expect(s, ADMIN_QUEUE_HOLD, id, 0, 409, 0); /* it is */
    expect(s, ADMIN_QUEUE_RETRY, id, 0, 409, 0);
    struct event e = stage_event(s, EVENT_HELD);
    assert_int_equal(e.outcome.kind, 0);
    stage_restart_core(s);
    stage_link_all(s);
    stage_gate(s, true);
    assert_int_equal(stage_figure(s, "held"), 1);
    expect(s, ADMIN_QUEUE_RELEASE, id, 0, 200, 1);
    stage_site(s, "remote.example", "mx.remote.example");
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &delivered);
}

static void r23_held_mail_expires(void **state)
{
    struct stage *s = *state;
    uint64_t id = stage_accept(s, &(struct letter){ 0 });

    s->config->retry.expire_ms = 0;
    expect(s, ADMIN_QUEUE_HOLD, id, 0, 200, 1);
    assert_true(stage_event(s, EVENT_EXPIRED).dsn != 0);
}

static void r23_drop_tells_the_sender(void **state)
{
    struct stage *s = *state;
    uint64_t id = deferred_one(s, &(struct letter){ 0 });

    expect(s, ADMIN_QUEUE_DROP, id, 0, 200, 1);
    struct event e = stage_event(s, EVENT_CANCELLED);
    assert_true(e.dsn != 0);
    assert_true(str_eq(e.actor, STR("olga")));
    assert_true(str_eq(e.reason, STR("spam run")));
    stage_site(s, "sender.example", "mx.sender.example");
    struct job_seen j = stage_job(s, &s->deliver);
    assert_int_equal(j.id, e.dsn);
    stage_result(s, &s->deliver, &j, &delivered);
    expect(s, ADMIN_QUEUE_DROP, id, 0, 404, 0);
}

static void r23_a_silent_drop_tells_nobody(void **state)
{
    struct stage *s = *state;
    uint64_t id = deferred_one(s, &(struct letter){ 0 });

    expect(s, ADMIN_QUEUE_DROP, id, ADMIN_SILENT, 200, 1);
    assert_int_equal(stage_event(s, EVENT_CANCELLED).dsn, 0);
    stage_settle(s);
    assert_int_equal(stage_figure(s, "messages"), 0);
}

static void what_is_being_delivered_is_left_alone(void **state)
{
    struct stage *s = *state;
    uint64_t id = stage_accept(s, &(struct letter){ 0 });

    stage_site(s, "remote.example", "mx.remote.example");
    struct job_seen j = stage_job(s, &s->deliver);
    expect(s, ADMIN_QUEUE_DROP, id, 0, 409, 0);
    expect(s, ADMIN_QUEUE_HOLD, id, 0, 409, 0);
    stage_result(s, &s->deliver, &j, &delivered);
    (void)stage_event(s, EVENT_DELIVERED);
}

/* Held while its domain is asked for: the answer must not let it go. */
static void held_while_resolve_is_asked(void **state)
{
    struct stage *s = *state;
    uint64_t id = stage_accept(s, &(struct letter){ 0 });

    stage_settle(s);
    expect(s, ADMIN_QUEUE_HOLD, id, 0, 200, 1);
    stage_site(s, "remote.example", "mx.remote.example");
    stage_settle(s);
    assert_int_equal(player_waiting(&s->deliver, WIRE_JOB), 0);
    assert_int_equal(stage_figure(s, "held"), 1);
    expect(s, ADMIN_QUEUE_RELEASE, id, 0, 200, 1);
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &delivered);
}

static void dropped_while_resolve_is_asked(void **state)
{
    struct stage *s = *state;
    uint64_t id = stage_accept(s, &(struct letter){ .from = "" });

    stage_settle(s);
    expect(s, ADMIN_QUEUE_DROP, id, 0, 200, 1);
    stage_site(s, "remote.example", "mx.remote.example");
    stage_settle(s);
    assert_int_equal(stage_figure(s, "messages"), 0);
    assert_int_equal(player_waiting(&s->deliver, WIRE_JOB), 0);
}

static void all_of_them_at_once(void **state)
{
    struct stage *s = *state;

    (void)deferred_one(s, &(struct letter){ .from = "" });
    for (int i = 0; i < 20; i++) {
        stage_accept(s, &(struct letter){ .from = "" });
        struct job_seen j = stage_job(s, &s->deliver);
        stage_result(s, &s->deliver, &j, &deferred);
        (void)stage_event(s, EVENT_DEFERRED);
    }
    stage_settle(s);
    expect(s, ADMIN_QUEUE_DROP, 0, ADMIN_ALL, 200, 21);
    assert_int_equal(stage_figure(s, "messages"), 0);
}

/* A reason as long as a frame holds still makes an event that can be sent. */
static void p05_a_long_reason_is_cut_and_reported(void **state)
{
    static char reason[3001];
    struct stage *s = *state;
    uint64_t id = deferred_one(s, &(struct letter){ .from = "" });
    size_t rows;

    memset(reason, 'x', sizeof reason - 1);
    assert_int_equal(stage_admin(s, ADMIN_QUEUE_DROP, id, 0, reason, &rows), 200);
    assert_int_equal(stage_event(s, EVENT_CANCELLED).reason.len, 500);
}

/* --- events --- */

static void acknowledge(struct stage *s, uint64_t position)
{
    struct wire_events_ack *m = wire_add(s->report.channel, WIRE_EVENTS_ACK, 0);

    m->position = position;
    stage_settle(s);
}

static void r24_events_come_in_order_and_once(void **state)
{
    struct stage *s = *state;
    uint64_t last = 0;

    (void)deferred_one(s, &(struct letter){ 0 });
    for (int i = 0; i < 5; i++) {
        stage_accept(s, &(struct letter){ 0 });
        struct event e = stage_event(s, EVENT_ACCEPTED);
        assert_true(e.position > last);
        last = e.position;
    }
    acknowledge(s, last);
    stage_settle(s);
    assert_int_equal(player_waiting(&s->report, WIRE_EVENT), 0);
}

/* Report lost what it had not in safety: it comes again at once, not with the next event. */
static void r23_report_restarts(void **state)
{
    struct stage *s = *state;
    uint64_t id = stage_accept(s, &(struct letter){ 0 });

    struct event first = stage_event(s, EVENT_ACCEPTED);
    stage_cut(s, &s->report);
    stage_link(s, &s->report);
    stage_events_from(s, 0);
    struct event again = stage_event(s, EVENT_ACCEPTED);
    assert_int_equal(again.message, id);
    assert_int_equal(again.position, first.position);
    acknowledge(s, again.position);
    stage_cut(s, &s->report);
    stage_link(s, &s->report);
    stage_events_from(s, 0); /* what it acknowledged is not sent again */
    stage_settle(s);
    assert_int_equal(player_waiting(&s->report, WIRE_EVENT), 0);
    id = stage_accept(s, &(struct letter){ 0 });
    assert_int_equal(stage_event(s, EVENT_ACCEPTED).message, id);
}

static void p05_an_acknowledgement_of_the_future_is_ignored(void **state)
{
    struct stage *s = *state;

    acknowledge(s, UINT64_MAX);
    uint64_t id = stage_accept(s, &(struct letter){ 0 });
    assert_int_equal(stage_event(s, EVENT_ACCEPTED).message, id);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(list_show_why_and_summary),
        TEST(retry_makes_it_due),
        TEST(hold_keeps_it_and_release_lets_it_go_over_a_restart),
        TEST(r23_held_mail_expires),
        TEST(r23_drop_tells_the_sender),
        TEST(r23_a_silent_drop_tells_nobody),
        TEST(what_is_being_delivered_is_left_alone),
        TEST(held_while_resolve_is_asked),
        TEST(dropped_while_resolve_is_asked),
        TEST(all_of_them_at_once),
        TEST(p05_a_long_reason_is_cut_and_reported),
        TEST(r24_events_come_in_order_and_once),
        TEST(r23_report_restarts),
        TEST(p05_an_acknowledgement_of_the_future_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
