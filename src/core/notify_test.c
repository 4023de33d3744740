// SPDX-License-Identifier: Apache-2.0
/* core/notify_test.c - who is told of what became of a message, and in which words (R50, RFC 3461,
 * RFC 3464). */
#include "core/stage.h"
#include "mail/xtext.h"

static const struct verdict delivered = { OUTCOME_DELIVERED, 250, 0, 0, "ok", false };
static const struct verdict relayed = { OUTCOME_RELAYED, 250, 0, 0, "ok", false };
static const struct verdict relayed_dsn = { OUTCOME_RELAYED, 250, 0, 0, "ok", true };
static const struct verdict bounced = { OUTCOME_BOUNCED, 550, 1, 1, "no such mailbox here", false };
static const struct verdict deferred = { OUTCOME_DEFERRED, 451, 7, 1, "greylisted", false };

static int set_up(void **state)
{
    struct stage *s =
        stage_raise("local_domains: [home.example]\n"
                    "routes: [{domain: home.example, via: smarthost, host: 127.0.0.1}]\n");

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

static void r50_what_a_notification_says(void **state)
{
    static const char *const parts[] = { "Content-Type: multipart/report",
                                         "Final-Recipient: rfc822; ann@remote.example",
                                         "Original-Recipient: rfc822;ann@old.example",
                                         "Original-Envelope-Id: job-77",
                                         "Action: failed",
                                         "Status: 5.1.1",
                                         "550 5.1.1 no such mailbox here",
                                         "Subject: a plain one",
                                         "To: <shop@sender.example>",
                                         "<postmaster@relay.example>" };
    struct stage *s = *state;
    struct job_seen j =
        stage_one_job(s, &(struct letter){ .envid = "job-77", .orcpt = "rfc822;ann@old.example" });

    stage_result(s, &s->deliver, &j, &bounced);
    stage_site(s, "sender.example", "mx.sender.example");
    j = stage_job(s, &s->deliver);
    assert_int_equal(j.reverse_path.len, 0);
    assert_true(str_eq(j.rcpts[0], STR("shop@sender.example")));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (!str_has(buf_str(&j.content), parts[i]))
            fail_msg("no '%s' in\n%.*s", parts[i], STR_FMT(buf_str(&j.content)));
    /* A header comes back, not the body, unless RET=FULL. */
    assert_false(str_has(buf_str(&j.content), "Hello."));
    /* No bounce for a bounce. */
    stage_result(s, &s->deliver, &j, &bounced);
    (void)stage_event(s, EVENT_BOUNCED);
    assert_int_equal(stage_event(s, EVENT_BOUNCED).dsn, 0);
    stage_await_empty(s);
}

static void r50_ret_full_returns_the_body(void **state)
{
    struct stage *s = *state;
    struct job_seen j = stage_one_job(s, &(struct letter){ .ret = RET_FULL });

    stage_result(s, &s->deliver, &j, &bounced);
    stage_site(s, "sender.example", "mx.sender.example");
    j = stage_job(s, &s->deliver);
    assert_true(str_has(buf_str(&j.content), "Hello."));
    stage_result(s, &s->deliver, &j, &delivered);
    stage_await_empty(s);
}

static const struct notify_case {
    const char *name;
    struct letter letter;
    const struct verdict *verdict;
    enum event_kind event;
    bool want;
} notify_cases[] = {
    { "failure, by default", { 0 }, &bounced, EVENT_BOUNCED, true },
    { "failure, NOTIFY=FAILURE", { .notify = NOTIFY_FAILURE }, &bounced, EVENT_BOUNCED, true },
    { "failure, NOTIFY=SUCCESS", { .notify = NOTIFY_SUCCESS }, &bounced, EVENT_BOUNCED, false },
    { "failure, NOTIFY=NEVER", { .notify = NOTIFY_NEVER }, &bounced, EVENT_BOUNCED, false },
    { "failure, null sender", { .from = "" }, &bounced, EVENT_BOUNCED, false },
    { "success, by default", { 0 }, &delivered, EVENT_DELIVERED, false },
    { "success, NOTIFY=SUCCESS", { .notify = NOTIFY_SUCCESS }, &delivered, EVENT_DELIVERED, true },
    { "success, NOTIFY=SUCCESS, null sender",
      { .from = "", .notify = NOTIFY_SUCCESS },
      &delivered,
      EVENT_DELIVERED,
      false },
    { "relayed, NOTIFY=SUCCESS", { .notify = NOTIFY_SUCCESS }, &relayed, EVENT_RELAYED, true },
    { "relayed, passed on", { .notify = NOTIFY_SUCCESS }, &relayed_dsn, EVENT_RELAYED, false },
};

static void r50_a11_who_is_notified_of_what(void **state)
{
    struct stage *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(notify_cases); i++) {
        const struct notify_case *c = &notify_cases[i];
        stage_accept(s, &c->letter);
        if (i == 0)
            stage_site(s, "remote.example", "mx.remote.example");
        struct job_seen j = stage_job(s, &s->deliver);
        stage_result(s, &s->deliver, &j, c->verdict);
        uint64_t dsn = stage_event(s, c->event).dsn;
        if ((dsn != 0) != c->want)
            fail_msg("%s", c->name);
        if (dsn == 0)
            continue;
        if (player_waiting(&s->resolve, WIRE_SITE_ASK) > 0 || i == 0)
            stage_site(s, "sender.example", "mx.sender.example");
        j = stage_job(s, &s->deliver);
        assert_int_equal(j.id, dsn);
        stage_result(s, &s->deliver, &j, &delivered);
    }
    stage_await_empty(s);
}

static void a11_strangers_mail_makes_no_backscatter(void **state)
{
    struct stage *s = *state;

    stage_bind(s, &(struct binding){ .session = 9, .opening = 1 });
    assert_int_equal(stage_ready_code(s), 0);
    stage_accept(s, &(struct letter){ .session = 9, .to = { "x@home.example" } });
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &bounced);
    assert_int_equal(stage_event(s, EVENT_BOUNCED).dsn, 0);
    stage_await_empty(s);
}

static void r50_one_delay_warning(void **state)
{
    struct stage *s = *state;

    s->config->retry.delay_warn_ms = 1;
    struct job_seen j = stage_one_job(s, &(struct letter){ .notify = NOTIFY_DELAY });
    stage_settle(s);
    stage_result(s, &s->deliver, &j, &deferred);
    struct event first = stage_event(s, EVENT_DEFERRED);
    assert_true(first.dsn != 0);
    stage_no_site(s, "sender.example", 550, "no such domain");
    j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &deferred);
    struct event second = stage_event(s, EVENT_DEFERRED);
    assert_int_equal(second.message, first.message);
    assert_int_equal(second.dsn, 0);
    assert_int_equal(second.tries, 2);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(r50_what_a_notification_says),    TEST(r50_ret_full_returns_the_body),
        TEST(r50_a11_who_is_notified_of_what), TEST(a11_strangers_mail_makes_no_backscatter),
        TEST(r50_one_delay_warning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
