// SPDX-License-Identifier: Apache-2.0
/* core/settle_test.c - outcomes: each recipient has one end, its sender hears of it, and nothing
 * that a deliver role does or fails to do loses one. */
#include "core/role.h"
#include "core/stage.h"
#include "io/loop.h"
#include "mail/xtext.h"

static const struct verdict delivered = { OUTCOME_DELIVERED, 250, 0, 0, "ok", false };
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

static void r18_r23_n06_each_recipient_has_one_end(void **state)
{
    struct stage *s = *state;
    uint64_t id = stage_accept(s, &(struct letter){ .to = { "a@remote.example", "b@remote.example",
                                                            "c@remote.example" } });

    stage_site(s, "remote.example", "mx.remote.example");
    struct job_seen j = stage_job(s, &s->deliver);
    assert_int_equal(j.id, id);
    assert_int_equal(j.rcpt_count, 3);
    assert_true(str_has(buf_str(&j.content), "Hello."));
    stage_result_rcpt(&s->deliver, j.job, 0, &delivered);
    stage_result_rcpt(&s->deliver, j.job, 1, &bounced);
    stage_result_rcpt(&s->deliver, j.job, 2, &deferred);
    stage_result_end(&s->deliver, j.job, 0, false);
    job_seen_done(&j);
    assert_int_equal(stage_event(s, EVENT_DELIVERED).rcpt, 0);
    struct event e = stage_event(s, EVENT_BOUNCED);
    assert_int_equal(e.rcpt, 1);
    assert_true(e.dsn != 0);
    assert_int_equal(e.outcome.reply.code, 550);

    stage_site(s, "sender.example", "mx.sender.example");
    for (int i = 0; i < 2; i++) {
        j = stage_job(s, &s->deliver);
        assert_int_equal(j.rcpt_count, 1);
        assert_true(j.id == id ? j.numbers[0] == 2 : j.id == e.dsn);
        stage_result(s, &s->deliver, &j, &delivered);
    }
    stage_await_empty(s);
}

static void r23_expires_after_an_attempt(void **state)
{
    struct stage *s = *state;
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });

    s->config->retry.expire_ms = 0;
    stage_result(s, &s->deliver, &j, &deferred);
    assert_true(stage_event(s, EVENT_EXPIRED).dsn != 0);
}

/* After a long time off: hundreds at once, without a fiber each. */
static void r23_expires_without_an_attempt_after_a_restart(void **state)
{
    enum { MANY = 40 };
    struct stage *s = *state;

    s->config->retry.steps_ms[0] = 3600 * 1000;
    for (int i = 0; i < MANY; i++) {
        stage_accept(s, &(struct letter){ .notify = NOTIFY_FAILURE, .from = "" });
        if (i == 0)
            stage_site(s, "remote.example", "mx.remote.example");
        struct job_seen j = stage_job(s, &s->deliver);
        stage_result(s, &s->deliver, &j, &deferred);
        (void)stage_event(s, EVENT_DEFERRED);
    }
    stage_restart_core(s);
    s->config->retry.expire_ms = 0;
    s->config->retry.steps_ms[0] = 1;
    stage_link_all(s);
    stage_events_from(s, 0);
    size_t rows;
    assert_int_equal(stage_admin(s, ADMIN_QUEUE_RETRY, 0, ADMIN_ALL, "", &rows), 200);
    assert_int_equal(rows, MANY);
    for (int i = 0; i < MANY; i++)
        (void)stage_event(s, EVENT_EXPIRED);
    stage_await_empty(s);
}

/* --- deliver's death and lies --- */

static void c02_deliver_dies_with_jobs(void **state)
{
    enum { MANY = 5 };
    struct stage *s = *state;
    struct job_seen jobs[MANY];

    for (int i = 0; i < MANY; i++) {
        stage_accept(s, &(struct letter){ .to = { "a@remote.example", "b@remote.example" } });
        if (i == 0)
            stage_site(s, "remote.example", "mx.remote.example");
        jobs[i] = stage_job(s, &s->deliver);
    }
    /* Of the first message's first recipient the result had come. */
    stage_result_rcpt(&s->deliver, jobs[0].job, 0, &delivered);
    stage_settle(s);
    stage_cut(s, &s->deliver);
    for (int i = 0; i < 3 * MANY; i++) {
        struct event e = stage_event(s, 0);
        if (e.kind == EVENT_DEFERRED)
            assert_int_equal(e.outcome.kind, OUTCOME_UNKNOWN);
        else if (e.kind != EVENT_ACCEPTED)
            assert_true(e.kind == EVENT_DELIVERED && e.message == jobs[0].id && e.rcpt == 0);
    }
    stage_link(s, &s->deliver);
    size_t rcpts = 0;
    while (rcpts < 2 * MANY - 1) {
        struct job_seen j = stage_job(s, &s->deliver);
        rcpts += j.rcpt_count;
        stage_result(s, &s->deliver, &j, &delivered);
    }
    for (int i = 0; i < MANY; i++)
        job_seen_done(&jobs[i]);
    assert_int_equal(rcpts, 2 * MANY - 1);
    stage_await_empty(s);
}

/* A result for some of the recipients only: the others are tried again. */
static void c02_a_result_that_names_not_all(void **state)
{
    struct stage *s = *state;
    struct job_seen j =
        stage_one_job(s, &(struct letter){ .to = { "a@remote.example", "b@remote.example" } });

    stage_result_rcpt(&s->deliver, j.job, 0, &delivered);
    stage_result_end(&s->deliver, j.job, 0, false);
    job_seen_done(&j);
    j = stage_job(s, &s->deliver);
    assert_int_equal(j.rcpt_count, 1);
    assert_int_equal(j.numbers[0], 1);
    stage_result(s, &s->deliver, &j, &delivered);
    stage_await_empty(s);
}

static const struct lie {
    const char *name;
    uint32_t rcpt;
    struct verdict verdict;
} lies[] = {
    { "a recipient that is not in the job", 7, { OUTCOME_DELIVERED, 250, 0, 0, "ok", false } },
    { "cancelled", 0, { OUTCOME_CANCELLED, 250, 0, 0, "ok", false } },
    { "expired", 0, { OUTCOME_EXPIRED, 550, 0, 0, "old", false } },
    { "a kind that is none", 0, { (enum outcome_kind)99, 250, 0, 0, "ok", false } },
};

static void p05_a_deliver_that_lies_loses_its_link(void **state)
{
    struct stage *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        stage_accept(s, &(struct letter){ 0 });
        if (i == 0)
            stage_site(s, "remote.example", "mx.remote.example");
        struct job_seen j = stage_job(s, &s->deliver);
        stage_result_rcpt(&s->deliver, j.job, lies[i].rcpt, &lies[i].verdict);
        stage_await_closed(&s->deliver);
        job_seen_done(&j);
        stage_link(s, &s->deliver);
        j = stage_job(s, &s->deliver);
        stage_result(s, &s->deliver, &j, &delivered);
        stage_await_empty(s);
    }
}

static void p05_words_without_end_are_cut_and_reported(void **state)
{
    static char words[3001];
    struct stage *s = *state;
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });

    memset(words, 'x', sizeof words - 1);
    stage_result(s, &s->deliver, &j, &(struct verdict){ OUTCOME_BOUNCED, 550, 0, 0, words, false });
    assert_int_equal(stage_event(s, EVENT_BOUNCED).outcome.reply.text.len, REPLY_TEXT_MAX);
}

/* --- sites --- */

/* N06, N10: a site without connection is left alone; another goes on. */
static void n06_a_site_that_cannot_be_reached_is_left_alone(void **state)
{
    struct stage *s = *state;
    uint64_t id = 0;
    size_t rows;

    s->config->retry.steps_ms[0] = s->config->retry.steps_ms[s->config->retry.step_count - 1] =
        3600 * 1000;
    for (int i = 0; i < 3; i++) {
        id = stage_accept(s, &(struct letter){ 0 });
        if (i == 0)
            stage_site(s, "remote.example", "mx.remote.example");
        struct job_seen j = stage_job(s, &s->deliver);
        stage_result_rcpt(&s->deliver, j.job, 0,
                          &(struct verdict){ OUTCOME_DEFERRED, 0, 4, 1, "no route", false });
        stage_result_end(&s->deliver, j.job, 0, true);
        job_seen_done(&j);
        (void)stage_event(s, EVENT_DEFERRED);
    }
    id = stage_accept(s, &(struct letter){ 0 });
    stage_settle(s);
    assert_int_equal(player_waiting(&s->deliver, WIRE_JOB), 0);
    assert_int_equal(stage_admin(s, ADMIN_QUEUE_WHY, id, 0, "", &rows), 200);
    assert_true(str_has(s->row, "its destination fails"));
    stage_accept(s, &(struct letter){ .to = { "x@home.example" } });
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &delivered);
}

/* --- content --- */

static void content_beyond_the_first_piece_comes_when_asked_for(void **state)
{
    struct stage *s = *state;
    struct buf content;

    buf_init(&content, 1 << 20);
    buf_add(&content, STR("Subject: long\r\n\r\n"));
    while (content.len < 200 * 1024)
        buf_addf(&content, "%zu\r\n", content.len);
    buf_add_char(&content, '\0');
    struct job_seen j = stage_one_job(s, &(struct letter){ .content = content.ptr });
    assert_int_equal(j.content.len, JOB_CONTENT_FIRST);
    stage_settle(s);
    assert_int_equal(player_waiting(&s->deliver, WIRE_JOB_CONTENT), 0);
    struct wire_job_more *m = wire_add(s->deliver.channel, WIRE_JOB_MORE, 0);
    m->job = j.job;
    m->upto = UINT64_MAX;
    while (j.content.len < content.len - 1)
        stage_read_content(&s->deliver, &j);
    assert_true(str_eq(buf_str(&j.content), str_make(content.ptr, content.len - 1)));
    stage_result(s, &s->deliver, &j, &delivered);
    buf_done(&content);
    stage_await_empty(s);
}

static void r21_d05_damaged_content_ends_as_a_bounce(void **state)
{
    struct stage *s = *state;

    stage_accept(s, &(struct letter){ 0 });
    stage_site(s, "remote.example", "mx.remote.example");
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &deferred);
    (void)stage_event(s, EVENT_DEFERRED);
    stage_restart_core(s);
    stage_damage(s, "Hello.");
    stage_link_all(s);
    stage_gate(s, true);
    stage_events_from(s, 0);
    stage_site(s, "remote.example", "mx.remote.example");
    (void)player_next(&s->deliver, WIRE_JOB_CANCEL);
    struct event e = stage_event(s, EVENT_BOUNCED);
    assert_int_equal(e.outcome.reply.code, 554);
    assert_true(e.dsn != 0);
    stage_no_site(s, "sender.example", 550, "no such domain");
    stage_await_empty(s);
}

static void r21_d05_a_damaged_envelope_is_held_and_named(void **state)
{
    struct stage *s = *state;
    uint64_t id = stage_accept(s, &(struct letter){ 0 });

    stage_site(s, "remote.example", "mx.remote.example");
    struct job_seen j = stage_job(s, &s->deliver);
    stage_result(s, &s->deliver, &j, &deferred);
    (void)stage_event(s, EVENT_DEFERRED);
    stage_restart_core(s);
    stage_damage(s, "client.test");
    stage_link_all(s);
    stage_gate(s, true);
    for (int i = 0; i < 1000 && stage_figure(s, "held") == 0; i++)
        stage_settle(s);
    assert_int_equal(stage_figure(s, "held"), 1);
    size_t rows;
    assert_int_equal(stage_admin(s, ADMIN_QUEUE_SHOW, id, 0, "", &rows), 500);
}

/* --- the end --- */

static void count_drained(void *arg)
{
    ++*(unsigned *)arg;
}

/* What is out comes back first; nothing new goes out meanwhile; what is left is there after the
 * start. */
static void r39_drain_waits_for_what_is_out(void **state)
{
    struct stage *s = *state;
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    unsigned drained = 0;

    core_role.drain(s->core, count_drained, &drained);
    stage_accept(s, &(struct letter){ 0 });
    stage_settle(s);
    assert_int_equal(drained, 0);
    assert_int_equal(player_waiting(&s->deliver, WIRE_JOB), 0);
    stage_result(s, &s->deliver, &j, &delivered);
    for (int i = 0; i < 1000 && drained == 0; i++)
        loop_turn(10);
    assert_int_equal(drained, 1);
    stage_restart_core(s);
    assert_int_equal(stage_figure(s, "messages"), 1);
}

static void r39_drain_ends_with_its_peer(void **state)
{
    struct stage *s = *state;
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    unsigned drained = 0;

    core_role.drain(s->core, count_drained, &drained);
    stage_cut(s, &s->deliver);
    for (int i = 0; i < 1000 && drained == 0; i++)
        loop_turn(10);
    assert_int_equal(drained, 1);
    assert_int_equal(stage_figure(s, "messages"), 1);
    job_seen_done(&j);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(r18_r23_n06_each_recipient_has_one_end),
        TEST(r23_expires_after_an_attempt),
        TEST(r23_expires_without_an_attempt_after_a_restart),
        TEST(c02_deliver_dies_with_jobs),
        TEST(c02_a_result_that_names_not_all),
        TEST(p05_a_deliver_that_lies_loses_its_link),
        TEST(p05_words_without_end_are_cut_and_reported),
        TEST(n06_a_site_that_cannot_be_reached_is_left_alone),
        TEST(content_beyond_the_first_piece_comes_when_asked_for),
        TEST(r21_d05_damaged_content_ends_as_a_bounce),
        TEST(r21_d05_a_damaged_envelope_is_held_and_named),
        TEST(r39_drain_waits_for_what_is_out),
        TEST(r39_drain_ends_with_its_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
