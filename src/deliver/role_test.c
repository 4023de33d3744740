// SPDX-License-Identifier: Apache-2.0
/* deliver/role_test.c - several jobs, several hosts, large content: how connections are opened,
 * kept, shared and given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "deliver/rehearsal.h"

/* 1 MB, with dots at the start of lines wherever pieces may be cut. */
static struct buf large_content(void)
{
    struct buf b;

    buf_init(&b, 4 * 1024 * 1024);
    buf_add(&b, STR("Subject: large\r\n\r\n"));
    for (size_t i = 0; b.len < 1024 * 1024; i++)
        buf_addf(&b, "%.*s%zu\r\n", (int)(i % 5), ".....", i);
    return b;
}

static void unstuff(struct buf *content)
{
    struct buf plain;
    struct str rest = buf_str(content);
    size_t end;

    buf_init(&plain, SIZE_MAX);
    while ((end = str_find(rest, STR("\r\n"))) < rest.len) {
        if (!str_eq(str_sub(rest, 0, end), STR("."))) {
            struct str line = str_sub(rest, 0, end + 2);

            buf_add(&plain, line.ptr[0] == '.' ? str_skip(line, 1) : line);
        }
        rest = str_skip(rest, end + 2);
    }
    buf_done(content);
    *content = plain;
}

static void check_large(const char *const *script, bool by_data)
{
    struct buf large = large_content();
    struct str got;

    set_up(script);
    fixture_send(&fixture, &(struct errand){ .content = buf_str(&large) });
    fixture_await(&fixture, 1);
    check("relayed message 250");
    if (by_data)
        unstuff(&peer.content);
    got = buf_str(&peer.content);
    assert_true(str_starts(got, STR("X-Edit: yes\r\n")));
    assert_true(str_eq(str_skip(got, 13), buf_str(&large)));
    tear_down();
    buf_done(&large);
}

static void b02_a_large_message_arrives_as_it_is(void **state)
{
    static const char *const data[] = { GREET, HELLO_PIPE, FROM,
                                        TO,    "C:DATA",   "S:250 ok\r\n250 ok\r\n354 go",
                                        "B",   "S:250 ok", NULL };
    static const char *const chunks[] = {
        GREET,      "C:EHLO",   "S:250-mx\r\n250-PIPELINING\r\n250 CHUNKING",
        FROM,       TO,         "S:250 ok\r\n250 ok",
        "N",        "S:250 ok", "N",
        "S:250 ok", "N",        "S:250 ok",
        "N",        "S:250 ok", "N",
        "S:250 ok", "N",        "S:250 ok",
        "N",        "S:250 ok", "N",
        "S:250 ok", "N",        "S:250 ok",
        "N",        "S:250 ok", "N",
        "S:250 ok", "N",        "S:250 ok",
        "N",        "S:250 ok", "N",
        "S:250 ok", "N",        "S:250 ok",
        "N",        "S:250 ok", "N",
        "S:250 ok", "N",        "S:250 ok",
        "N",        "S:250 ok", "N",
        "S:250 ok", NULL
    };

    (void)state;
    check_large(data, true);
    check_large(chunks, false);
}

/* Two refusals in the middle of the content: by reply, and by BDAT's. */
static void n06_refused_in_the_middle_of_content(void **state)
{
    static const char *const data[] = { GREET,      HELLO_PIPE,
                                        FROM,       TO,
                                        "C:DATA",   "S:250 ok\r\n250 ok\r\n354 go",
                                        "C:X-Edit", "S:552 5.3.4 too large",
                                        NULL };
    static const char *const chunks[] = { GREET,      "C:EHLO",   "S:250-mx\r\n250 CHUNKING",
                                          FROM,       "S:250 ok", TO,
                                          "S:250 ok", "N",        "S:552 5.3.4 too large",
                                          NULL };
    const char *const *scripts[] = { data, chunks };
    struct buf large = large_content();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_up(scripts[i]);
        fixture_send(&fixture, &(struct errand){ .content = buf_str(&large) });
        fixture_await(&fixture, 1);
        check("bounced message 552 5.3.4");
        tear_down();
    }
    buf_done(&large);
}

static void a_connection_is_kept_without_rset_between(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, TAKE, TAKE, NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 1; i <= 3; i++) {
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, i);
    }
    check("relayed message 250; relayed message 250; relayed message 250");
    assert_int_equal(peer.connections, 1);
    tear_down();
}

static void rset_comes_after_a_refusal(void **state)
{
    static const char *const script[] = {
        GREET, HELLO, FROM, "S:250 ok", TO, "S:550 5.1.1 no", "C:RSET", "S:250 ok", TAKE, NULL
    };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 2);
    check("bounced recipient 550 5.1.1; relayed message 250");
    tear_down();
}

static void n12_a_kept_connection_that_was_closed_is_no_attempt(void **state)
{
    static const char *const closed[] = { GREET, HELLO, TAKE, "D", "|", GREET, HELLO, TAKE, NULL };
    static const char *const told[] = { GREET, HELLO, TAKE, FROM, "S:421 idle too long", "D", "|",
                                        GREET, HELLO, TAKE, NULL };
    const char *const *scripts[] = { closed, told };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_up(scripts[i]);
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 1);
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 2);
        check("relayed message 250; relayed message 250");
        assert_int_equal(peer.connections, 2);
        tear_down();
    }
}

static void t09_another_route_never_shares_a_connection(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, "|", GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture.routes[1] = fixture.routes[0];
    fixture_send(&fixture, &(struct errand){ .route = 0 });
    fixture_await(&fixture, 1);
    fixture_send(&fixture, &(struct errand){ .route = 1 });
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    assert_int_equal(peer.connections, 2);
    tear_down();
}

static void t09_a_reload_ends_what_was_kept(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, "|", GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .route = 0 });
    fixture_await(&fixture, 1);
    fixture_reload(&fixture);
    fixture_send(&fixture, &(struct errand){ .route = 0 });
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    assert_int_equal(peer.connections, 2);
    tear_down();
}

static void a_route_of_another_configuration_is_never_taken(void **state)
{
    static const char *const script[] = { NULL };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .site = STR("route:192.0.2.9:25") });
    fixture_send(&fixture, &(struct errand){ .route = 7 });
    fixture_await(&fixture, 2);
    check("deferred destination 0 4.3.5; deferred destination 0 4.3.5");
    assert_int_equal(peer.connections, 0);
    tear_down();
}

static void r29_n08_the_next_host_is_tried(void **state)
{
    static const char *const script[] = { "S:554 not today", "|", GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture.hosts[0] = STR("127.0.0.2"); /* nobody listens */
    fixture.hosts[1] = fixture.hosts[2] = STR("127.0.0.1");
    fixture_send(&fixture, &(struct errand){ .route = MX });
    fixture_await(&fixture, 1);
    check("delivered message 250");
    assert_int_equal(peer.connections, 2);
    tear_down();
}

/* More recipients than may be unheard at once, all refused but one. */
static void r29_many_recipients_are_pipelined(void **state)
{
    static const char *const tail[] = { "C:DATA", "S:354 go", "B", "S:250 ok", NULL };
    static const char *script[FIXTURE_MANY * 2 + 10] = { GREET, HELLO_PIPE, "C:MAIL", "S:250 ok" };
    size_t at = 5;

    (void)state;
    for (size_t i = 0; i < FIXTURE_MANY; i++) {
        script[at++] = "C:RCPT TO:<bob@";
        script[at++] = i == 7 ? "S:250 ok" : "S:450 4.2.1 later";
    }
    memcpy(&script[at], tail, sizeof(tail));
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .many = true });
    fixture_await(&fixture, 1);
    if (peer.failure[0])
        fail_msg("%s", peer.failure);
    assert_true(str_find(buf_str(&fixture.told), STR("relayed message 250")) < fixture.told.len);
    tear_down();
}

static void r29_no_host_answers(void **state)
{
    static const char *const script[] = { NULL };

    (void)state;
    set_up(script);
    fixture.hosts[0] = STR("127.0.0.2");
    fixture.hosts[1] = STR("127.0.0.3");
    fixture_send(&fixture, &(struct errand){ .route = MX });
    fixture_await(&fixture, 1);
    check("deferred destination 0 4.4.1");
    assert_int_equal(fixture.last.connection_failed, 1);
    tear_down();
}

static void r28_s02_what_dns_forbids_is_not_connected_to(void **state)
{
    static const char *const script[] = { NULL };

    (void)state;
    set_up(script);
    fixture.hosts[0] = STR("10.0.0.1"); /* private, and not allowed */
    fixture_send(&fixture, &(struct errand){ .route = MX, .connections = 1 });
    fixture_await(&fixture, 1);
    fixture.hosts[0] = STR_NONE; /* null MX */
    fixture_send(&fixture, &(struct errand){ .route = MX, .connections = 1 });
    fixture_await(&fixture, 2);
    check("deferred destination 451; bounced destination 556 5.1.10");
    assert_int_equal(peer.connections, 0);
    tear_down();
}

static void note_drained(void *arg)
{
    *(bool *)arg = true;
}

/* What is in hand is finished, what waits goes back to core without a result. */
static void a_drain_finishes_what_is_in_hand(void **state)
{
    static const char *const script[] = { GREET, HELLO,      FROM,     "S:250 ok",
                                          TO,    "S:250 ok", "C:DATA", "S:354 go",
                                          "B",   "S:250 ok", "C:QUIT", "S:221 bye",
                                          NULL };
    bool drained = false;

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    while (peer.commands.len == 0)
        loop_turn(10);
    deliver_role.drain(fixture.role, note_drained, &drained);
    while (!drained)
        loop_turn(10);
    check("relayed message 250");
    assert_int_equal(fixture.results, 1);
    tear_down();
}

static void n10_one_site_never_gets_more_than_its_connections(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, TAKE, TAKE, TAKE, NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 0; i < 4; i++)
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 4);
    assert_int_equal(peer.connections, 1);
    assert_int_equal(fixture.last.connections_open, 1);
    tear_down();
}

/* The role may have one connection: an idle one makes room for another site. */
static void n10_an_idle_connection_makes_room(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE,  "C:QUIT", "S:221 bye", "D",
                                          "|",   GREET, HELLO, TAKE,     NULL };

    (void)state;
    set_up(script);
    fixture.config.delivery.connections = 1;
    fixture_send(&fixture, &(struct errand){ .site = STR("127.0.0.1 a") });
    fixture_await(&fixture, 1);
    fixture_send(&fixture, &(struct errand){ .site = STR("127.0.0.1 b") });
    fixture_await(&fixture, 2);
    check("relayed message 250; relayed message 250");
    tear_down();
}

static void messages_per_connection_are_limited(void **state)
{
    static const char *const ours[] = {
        GREET, HELLO, TAKE, "C:QUIT", "|", GREET, HELLO, TAKE, NULL
    };
    static const char *const theirs[] = { GREET, "C:EHLO", "S:250-mx\r\n250 LIMITS MAILMAX=1",
                                          TAKE,  "C:QUIT", "|",
                                          GREET, HELLO,    TAKE,
                                          NULL };
    const char *const *scripts[] = { ours, theirs };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_up(scripts[i]);
        fixture.config.delivery.messages_per_connection = i == 0 ? 1 : 0;
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
        fixture_await(&fixture, 2);
        check("relayed message 250; relayed message 250");
        assert_int_equal(peer.connections, 2);
        tear_down();
    }
}

static void a_dead_host_fails_all_that_wait_for_it(void **state)
{
    static const char *const script[] = { "D", NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 0; i < 3; i++)
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_await(&fixture, 3);
    check("deferred session 0 4.4.2; deferred session 0 4.4.2; deferred session 0 4.4.2");
    assert_int_equal(peer.connections, 1);
    tear_down();
}

static void a_cancelled_job_has_no_result(void **state)
{
    static const char *const script[] = { GREET, HELLO, TAKE, NULL };

    (void)state;
    set_up(script);
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_send(&fixture, &(struct errand){ .connections = 1 });
    fixture_cancel(&fixture, 2);
    fixture_await(&fixture, 1);
    for (unsigned i = 0; i < 5; i++)
        loop_turn(1);
    check("relayed message 250");
    assert_int_equal(fixture.results, 1);
    tear_down();
}

static void a_lost_core_leaves_nothing_behind(void **state)
{
    static const char *const script[] = { GREET, "C:EHLO", NULL };

    (void)state;
    set_up(script);
    for (unsigned i = 0; i < 3; i++)
        fixture_send(&fixture, &(struct errand){ .connections = 1 });
    while (peer.commands.len == 0)
        loop_turn(10);
    channel_free(fixture.core);
    fixture.core = NULL;
    loop_turn(0);
    tear_down();
}

static void live_says_what_it_reached(void **state)
{
    static const char *const script[] = { "S:220 mx.test ready", "C:QUIT", NULL };
    char at[32];

    (void)state;
    set_up(script);
    snprintf(at, sizeof(at), "127.0.0.1:%u", peer_port(&peer));
    assert_string_equal(fixture_ask_live(&fixture, at),
                        "200 \"reached\":true,\"greeting\":\"mx.test ready\"}");
    assert_string_equal(fixture_ask_live(&fixture, "127.0.0.9:1"), "200 \"reached\":false");
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b02_a_large_message_arrives_as_it_is),
        cmocka_unit_test(n06_refused_in_the_middle_of_content),
        cmocka_unit_test(a_connection_is_kept_without_rset_between),
        cmocka_unit_test(rset_comes_after_a_refusal),
        cmocka_unit_test(n12_a_kept_connection_that_was_closed_is_no_attempt),
        cmocka_unit_test(t09_another_route_never_shares_a_connection),
        cmocka_unit_test(t09_a_reload_ends_what_was_kept),
        cmocka_unit_test(a_route_of_another_configuration_is_never_taken),
        cmocka_unit_test(r29_n08_the_next_host_is_tried),
        cmocka_unit_test(r29_many_recipients_are_pipelined),
        cmocka_unit_test(r29_no_host_answers),
        cmocka_unit_test(r28_s02_what_dns_forbids_is_not_connected_to),
        cmocka_unit_test(live_says_what_it_reached),
        cmocka_unit_test(a_drain_finishes_what_is_in_hand),
        cmocka_unit_test(n10_one_site_never_gets_more_than_its_connections),
        cmocka_unit_test(n10_an_idle_connection_makes_room),
        cmocka_unit_test(messages_per_connection_are_limited),
        cmocka_unit_test(a_dead_host_fails_all_that_wait_for_it),
        cmocka_unit_test(a_cancelled_job_has_no_result),
        cmocka_unit_test(a_lost_core_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, rehearsal_group_setup, rehearsal_group_teardown);
}
