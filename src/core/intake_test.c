// SPDX-License-Identifier: Apache-2.0
/* core/intake_test.c - sessions and transactions: 250 after the commit and nothing else, limits,
 * and an accept that lies. */
#include <stdlib.h>

#include "core/stage.h"
#include "io/loop.h"
#include "io/ring.h"
#include "mail/header.h"
#include "mail/xtext.h"

static int set_up(void **state)
{
    *state = stage_raise("local_domains: [home.example]\n"
                         "limits: {sessions_per_client: 2, sessions_per_account: 2,\n"
                         "         connections_per_minute_per_client: 5}\n"
                         "routes: [{domain: home.example, via: smarthost, host: 127.0.0.1}]\n");
    return 0;
}

static int tear_down(void **state)
{
    stage_end(*state);
    return 0;
}

static void r22_what_got_250_is_there_after_a_restart(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    uint64_t id = stage_accept(s, &(struct letter){ 0 });
    assert_true(id != 0);
    assert_int_equal(stage_event(s, EVENT_ACCEPTED).message, id);
    assert_int_equal(stage_figure(s, "accepted"), 1);
    stage_restart_core(s);
    assert_int_equal(stage_figure(s, "messages"), 1);
}

static void r22_an_aborted_transaction_leaves_nothing(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct wire_tx_begin *b = wire_add(s->accept.channel, WIRE_TX_BEGIN, 0);
    b->session = STAGE_SESSION;
    b->tx = ++s->last_tx;
    struct wire_tx_abort *a = wire_add(s->accept.channel, WIRE_TX_ABORT, 0);
    a->session = STAGE_SESSION;
    a->tx = s->last_tx;
    stage_accept(s, &(struct letter){ 0 });
    assert_int_equal(stage_figure(s, "messages"), 1);
}

/* The accept that gave the transaction is gone: the message counts, the answer has nobody to go to.
 */
static void r22_accept_dies_before_the_answer(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    (void)stage_send(s, &(struct letter){ 0 });
    channel_flush(s->accept.channel);
    stage_cut(s, &s->accept);
    stage_link(s, &s->accept);
    stage_settle(s);
    assert_int_equal(player_waiting(&s->accept, WIRE_TX_ANSWER), 0);
}

/* --- refusals --- */

static const struct header_edit overlapping[] = { { EDIT_DELETE, 0, 10, { NULL, 0 } },
                                                  { EDIT_DELETE, 5, 10, { NULL, 0 } } };
static const struct header_edit beyond[] = { { EDIT_DELETE, 40, 100, { NULL, 0 } } };
static const struct header_edit unsorted[] = { { EDIT_INSERT, 20, 0, { "X: y\r\n", 6 } },
                                               { EDIT_INSERT, 0, 0, { "X: y\r\n", 6 } } };

static const struct refusal {
    const char *name;
    uint64_t account;
    struct letter letter;
    unsigned code;
    const char *text;
} refusals[] = {
    { "P05 a sender that is no address", 5, { .from = "no address" }, 501, "sender's address" },
    { "P05 a recipient that is no address",
      5,
      { .to = { "no address" } },
      501,
      "recipient's address" },
    { "P05 a recipient with a line end",
      5,
      { .to = { "a\r\nb@remote.example" } },
      501,
      "recipient's address" },
    { "P05 a recipient not admitted", 0, { .to = { "ann@remote.example" } }, 550, "[RELAY]" },
    { "P05 the second not admitted",
      0,
      { .to = { "a@home.example", "b@remote.example" } },
      550,
      "[RELAY]" },
    { "P05 fewer bytes than said", 5, { .size_lie = 1 }, 554, "incomplete" },
    { "P05 more bytes than said", 5, { .size_lie = -1 }, 554, "incomplete" },
    { "P05 a header longer than the message", 5, { .header_lie = 1000 }, 554, "incomplete" },
    { "P05 edits out of bounds", 5, { .edits = beyond, .edit_count = 1 }, 554, "edits" },
    { "P05 edits out of order", 5, { .edits = unsorted, .edit_count = 2 }, 554, "edits" },
    { "P05 edits that overlap", 5, { .edits = overlapping, .edit_count = 2 }, 554, "edits" },
};

static void p05_r22_what_may_not_be_is_refused_and_not_stored(void **state)
{
    struct stage *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct letter letter = r->letter;
        struct str text;

        letter.session = 100 + i;
        stage_bind(s, &(struct binding){ .session = letter.session,
                                         .account = r->account + (r->account ? i : 0),
                                         .opening = 1,
                                         .flags = r->account ? BIND_TRUSTED : 0,
                                         .client = i % 2 ? "192.0.2.1" : "192.0.2.2" });
        assert_int_equal(stage_ready_code(s), 0);
        unsigned code = stage_answer(s, stage_send(s, &letter), &text, NULL);
        if (code != r->code || !str_has(text, r->text))
            fail_msg("%s: %u %.*s", r->name, code, STR_FMT(text));
    }
    assert_int_equal(stage_figure(s, "messages"), 0);
    assert_int_equal(stage_figure(s, "refused"), ARRAY_LEN(refusals));
}

/* --- what no accept in its right mind sends --- */

static void say_unbound(struct stage *s)
{
    (void)stage_send(s, &(struct letter){ .session = 99 });
}
static void say_body(struct stage *s)
{
    (void)stage_send(s, &(struct letter){ .body = 77 });
}
static void say_ret(struct stage *s)
{
    (void)stage_send(s, &(struct letter){ .ret = 9 });
}
static void say_envid(struct stage *s)
{
    (void)stage_send(s, &(struct letter){ .envid = "x\r\nBcc: y" });
}
static void say_notify(struct stage *s)
{
    (void)stage_send(s, &(struct letter){ .notify = NOTIFY_NEVER | NOTIFY_SUCCESS });
}
static void say_orcpt(struct stage *s)
{
    (void)stage_send(s, &(struct letter){ .orcpt = "rfc822;a\r\nRCPT TO:<b@c>" });
}
static void say_orcpt_and_more(struct stage *s)
{
    (void)stage_send(s, &(struct letter){ .orcpt = "rfc822;a NOTIFY=NEVER" });
}
static void say_edit_kind(struct stage *s)
{
    static const struct header_edit edit = { (enum edit_kind)9, 0, 0, { NULL, 0 } };

    (void)stage_send(s, &(struct letter){ .edits = &edit, .edit_count = 1 });
}

static void say_extent(struct stage *s)
{
    struct wire_tx_begin *b = wire_add(s->accept.channel, WIRE_TX_BEGIN, 0);
    b->session = STAGE_SESSION;
    b->tx = 1;
    struct wire_tx_chunk *m = wire_add(s->accept.channel, WIRE_TX_CHUNK, 0);
    m->session = STAGE_SESSION;
    m->tx = 1;
    m->position = 4096;
    m->len = 100;
}

static void say_chunk_too_long(struct stage *s)
{
    struct wire_tx_begin *b = wire_add(s->accept.channel, WIRE_TX_BEGIN, 0);
    b->session = STAGE_SESSION;
    b->tx = 1;
    struct wire_tx_chunk *m = wire_add(s->accept.channel, WIRE_TX_CHUNK, 0);
    m->session = STAGE_SESSION;
    m->tx = 1;
    m->len = 1 << 20;
}

static void say_two_at_once(struct stage *s)
{
    for (unsigned i = 1; i <= 2; i++) {
        struct wire_tx_begin *b = wire_add(s->accept.channel, WIRE_TX_BEGIN, 0);
        b->session = STAGE_SESSION;
        b->tx = i;
    }
}

static void say_end_without_begin(struct stage *s)
{
    struct wire_tx_end *m = wire_add(s->accept.channel, WIRE_TX_END, 0);
    m->session = STAGE_SESSION;
    m->tx = 1;
}

static void say_status(struct stage *s)
{
    (void)wire_add(s->accept.channel, WIRE_ROLE_STATUS, 0);
}

static void p05_an_accept_out_of_its_mind_loses_its_link(void **state)
{
    static void (*const lies[])(struct stage * s) = {
        say_unbound,        say_body,        say_ret,
        say_envid,          say_notify,      say_orcpt,
        say_orcpt_and_more, say_edit_kind,   say_extent,
        say_chunk_too_long, say_two_at_once, say_end_without_begin,
        say_status,
    };
    struct stage *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        stage_open(s, 5);
        lies[i](s);
        stage_await_closed(&s->accept);
        stage_link(s, &s->accept);
    }
    stage_settle(s);
    assert_int_equal(stage_figure(s, "messages"), 0);
}

/* --- sessions --- */

static void close_session(struct stage *s, uint64_t session)
{
    struct wire_session_close *m = wire_add(s->accept.channel, WIRE_SESSION_CLOSE, 0);

    m->session = session;
}

static unsigned bind_code(struct stage *s, const struct binding *b)
{
    stage_bind(s, b);
    return stage_ready_code(s);
}

static void r25_sessions_of_a_client_are_limited(void **state)
{
    struct stage *s = *state;

    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(bind_code(s, &(struct binding){ .session = i, .opening = 1 }),
                         i <= 2 ? 0 : 421);
    assert_int_equal(
        bind_code(s, &(struct binding){ .session = 4, .opening = 1, .client = "192.0.2.9" }), 0);
    close_session(s, 1);
    close_session(s, 3); /* was refused: its end frees nothing */
    stage_settle(s);
    assert_int_equal(bind_code(s, &(struct binding){ .session = 5, .opening = 1 }), 0);
    /* Signing in moves a session from the address to the account. */
    assert_int_equal(
        bind_code(s, &(struct binding){ .session = 5, .account = 8, .flags = BIND_AUTHENTICATED }),
        0);
    assert_int_equal(bind_code(s, &(struct binding){ .session = 6, .opening = 1 }), 0);
}

static void r25_connections_a_minute_are_limited(void **state)
{
    struct stage *s = *state;
    unsigned refused = 0;

    for (uint64_t i = 1; i <= 7; i++) {
        refused += bind_code(s, &(struct binding){ .session = i, .opening = 1 }) == 421;
        close_session(s, i);
        stage_settle(s);
    }
    assert_in_range(refused, 1, 2); /* a minute may have ended between */
}

static void r25_sessions_of_an_account_are_limited(void **state)
{
    struct stage *s = *state;

    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(bind_code(s, &(struct binding){ .session = i,
                                                         .account = 5,
                                                         .opening = 1,
                                                         .flags = BIND_TRUSTED }),
                         i <= 2 ? 0 : 421);
}

static void p05_a_refused_session_may_not_send(void **state)
{
    struct stage *s = *state;

    for (uint64_t i = 1; i <= 3; i++)
        (void)bind_code(s, &(struct binding){
                               .session = i, .account = 5, .opening = 1, .flags = BIND_TRUSTED });
    (void)stage_send(s, &(struct letter){ .session = 3 });
    stage_await_closed(&s->accept);
}

/* A session that ended before vault answered counts nowhere. */
static void a_session_closed_early_is_not_counted(void **state)
{
    struct stage *s = *state;

    for (uint64_t i = 1; i <= 3; i++) {
        close_session(s, i);
        stage_settle(s);
        stage_bind(s, &(struct binding){ .session = i, .opening = 1 });
        stage_settle(s);
    }
    assert_int_equal(player_waiting(&s->accept, WIRE_SESSION_READY), 0);
    assert_int_equal(bind_code(s, &(struct binding){ .session = 4, .opening = 1 }), 0);
}

static void a07_a_revoked_credential_sends_no_more(void **state)
{
    struct stage *s = *state;
    struct str text;

    stage_open(s, 5);
    stage_accept(s, &(struct letter){ 0 });
    stage_bind(s, &(struct binding){ .opening = BIND_UNASKED });
    stage_settle(s);
    assert_int_equal(player_waiting(&s->accept, WIRE_SESSION_READY), 0);
    assert_int_equal(stage_answer(s, stage_send(s, &(struct letter){ 0 }), &text, NULL), 550);
    assert_true(str_has(text, "[RELAY]"));
}

static void a07_a_credential_revoked_while_content_comes(void **state)
{
    struct stage *s = *state;
    struct wire_tx_begin *b;
    struct wire_tx_rcpt *r;
    struct wire_tx_end *e;

    stage_open(s, 5);
    b = wire_add(s->accept.channel, WIRE_TX_BEGIN, 0);
    b->session = STAGE_SESSION;
    b->tx = ++s->last_tx;
    r = wire_add(s->accept.channel, WIRE_TX_RCPT, 18);
    r->session = STAGE_SESSION;
    r->tx = s->last_tx;
    wire_put(r, &r->address, STR("ann@remote.example"));
    stage_settle(s);
    stage_bind(s, &(struct binding){ .opening = BIND_UNASKED });
    stage_settle(s);
    e = wire_add(s->accept.channel, WIRE_TX_END, 0);
    e->session = STAGE_SESSION;
    e->tx = s->last_tx;
    assert_int_equal(stage_answer(s, s->last_tx, NULL, NULL), 550);
    assert_int_equal(stage_figure(s, "messages"), 0);
}

/* More than the ring holds in all: credit comes back as content is taken. */
static void credit_follows_content(void **state)
{
    struct stage *s = *state;
    char *content = mem_new(64 * 1024 + 1);

    memset(content, 'x', 64 * 1024);
    stage_open(s, 5);
    struct wire_tx_begin *b = wire_add(s->accept.channel, WIRE_TX_BEGIN, 0);
    b->session = STAGE_SESSION;
    b->tx = ++s->last_tx;
    for (int i = 0; i < 300; i++) {
        uint64_t position;
        while (!ring_put(s->accept.ring_mine, str_make(content, 64 * 1024), &position)) {
            const struct wire_credit *c = player_next(&s->accept, WIRE_CREDIT);
            struct err err;
            assert_true(ring_credit(s->accept.ring_mine, c->position, &err));
        }
        struct wire_tx_chunk *m = wire_add(s->accept.channel, WIRE_TX_CHUNK, 0);
        m->session = STAGE_SESSION;
        m->tx = s->last_tx;
        m->position = position;
        m->len = 64 * 1024;
        loop_turn(0);
    }
    struct wire_tx_abort *a = wire_add(s->accept.channel, WIRE_TX_ABORT, 0);
    a->session = STAGE_SESSION;
    a->tx = s->last_tx;
    stage_settle(s);
    free(content);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(r22_what_got_250_is_there_after_a_restart),
        TEST(r22_an_aborted_transaction_leaves_nothing),
        TEST(r22_accept_dies_before_the_answer),
        TEST(p05_r22_what_may_not_be_is_refused_and_not_stored),
        TEST(p05_an_accept_out_of_its_mind_loses_its_link),
        TEST(r25_sessions_of_a_client_are_limited),
        TEST(r25_connections_a_minute_are_limited),
        TEST(r25_sessions_of_an_account_are_limited),
        TEST(p05_a_refused_session_may_not_send),
        TEST(a_session_closed_early_is_not_counted),
        TEST(a07_a_revoked_credential_sends_no_more),
        TEST(a07_a_credential_revoked_while_content_comes),
        TEST(credit_follows_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
