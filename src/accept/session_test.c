// SPDX-License-Identifier: Apache-2.0
/* accept/session_test.c - what becomes of sessions and messages: fresh starts, what core gets,
 * roles that are away, slow clients, the opening. The commands themselves: talk_test.c. */
#include "accept/expect_test.h"

/* Back to the start (fault B06) ------------------------------------------------------------- */

static const struct reset_case {
    const char *name;
    struct str say;
    const char *hear;
    bool forgets_name;
} resets[] = {
    { "RSET", STR(FROM TO "RSET\r\n"), "250, 250, 250", false },
    { "EHLO", STR(FROM TO HELO), "250, 250, 250", false },
    { "a message", STR(FROM TO "DATA\r\n" TEXT), "250, 250, 354, 250", false },
    { "refused MAIL", STR("MAIL FROM:<a@b.example> SIZE=x ENVID=y\r\n"), "501", false },
    { "refused content", STR(FROM TO "DATA\r\na\nb\r\n.\r\n"), "250, 250, 354, 554", false },
    { "refused BDAT", STR(FROM TO "BDAT 1\r\n\nBDAT 1 LAST\r\n\n"), "250, 250, 554, 503", false },
    { "RSET within BDAT", STR(FROM TO "BDAT 1\r\naRSET\r\n"), "250, 250, 250, 250", false },
    { "EHLO within BDAT", STR(FROM TO "BDAT 1\r\na" HELO), "250, 250, 250, 250", false },
    { "BDAT without recipients", STR(FROM "BDAT 1\r\na"), "250, 554", false },
    { "STARTTLS", STR("STARTTLS\r\nMAIL FROM:<evil@bad.example>\r\n"), "220", true },
};

static void check_fresh(const struct session *s)
{
    static const struct transaction none;

    assert_memory_equal(&s->tx, &none, sizeof(none));
    assert_false(s->answer.waiting);
    assert_false(s->answer.here);
    assert_int_equal(s->piled, 0);
    assert_null(s->work);
}

static void test_b06_every_end_is_a_fresh_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
        struct client c;
        struct world w;

        print_message("%s\n", resets[i].name);
        world_start(&w, "");
        client_connect(&c, &w, DOOR_RELAY);
        client_say(&c, STR(""));
        check_replies(&c, STR("220"));
        client_say(&c, STR(HELO));
        check_replies(&c, STR("250"));
        client_say(&c, resets[i].say);
        check_replies(&c, str_of(resets[i].hear));
        if (resets[i].forgets_name)
            client_start_tls(&c); /* B03: what was pipelined behind is gone */
        check_fresh(world_session(&w));
        assert_int_equal(world_session(&w)->helo.len > 0, !resets[i].forgets_name);
        client_say(&c, STR("DATA\r\n"));
        check_replies(&c, STR("503"));
        client_close(&c);
        world_end(&w);
    }
}

/* What core gets ---------------------------------------------------------------------------- */

/* Hands over one message as `flags` make its client. */
static const char *deliver(struct world *w, unsigned flags, const char *content)
{
    struct client c;

    w->client_flags = flags;
    client_connect(&c, w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO FROM TO "DATA\r\n"));
    check_replies(&c, STR("250, 250, 250, 354"));
    client_say(&c, str_of(content));
    client_say(&c, STR(".\r\n"));
    check_replies(&c, STR("250"));
    client_close(&c);
    return buf_cstr(&w->messages[w->begun - 1].rendered);
}

static bool has(const char *text, const char *part)
{
    return str_find(str_of(text), str_of(part)) < strlen(text);
}

static void test_r08_r19_edits(void **state)
{
    static const char plain[] =
        "Return-Path: <x@y>\r\nBcc: secret@x.example,\r\n other@x.example\r\nBcc: "
        "more@x.example\r\nSubject: x\r\n\r\nBcc: stays\r\n";
    const char *got;
    struct world w;

    (void)state;
    world_start(&w, "");
    got = deliver(&w, BIND_TRUSTED, plain);
    assert_true(str_starts(str_of(got), STR("Received: from me.example ([127.0.0.1])")));
    assert_true(
        has(got, "by relay.example.net with ESMTP id 0000000000001\r\n\tfor <ann@home.example>;"));
    assert_true(has(got, "\r\nDate: "));
    assert_true(has(got, "\r\nMessage-ID: <0000000000001@relay.example.net>\r\n"));
    assert_true(has(got, "\r\nSubject: x\r\n\r\nBcc: stays\r\n"));
    assert_false(has(got, "secret") || has(got, "other@") || has(got, "more@") ||
                 has(got, "Return-Path"));

    got = deliver(&w, 0, plain); /* nobody's: passed on as it is, but for the trace */
    assert_true(has(got, "secret"));
    assert_false(has(got, "Message-ID") || has(got, "Return-Path"));

    got = deliver(&w, BIND_TRUSTED, "Hello, no header\r\n");
    assert_true(has(got, "@relay.example.net>\r\n\r\nHello, no header\r\n"));
    got = deliver(&w, BIND_TRUSTED, "\r\nHello, empty header\r\n");
    assert_true(has(got, "@relay.example.net>\r\n\r\nHello, empty header\r\n"));
    got = deliver(&w, BIND_TRUSTED, "Subject: only a header\r\n");
    assert_true(has(got, "\r\nSubject: only a header\r\n"));
    got = deliver(&w, BIND_TRUSTED, "");
    assert_true(has(got, "\r\nDate: "));
    world_end(&w);
}

static void test_r03_envelope(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    client_connect(&c, &w, DOOR_RELAY);
    client_say(&c, STR(""));
    check_replies(&c, STR("220"));
    client_say(
        &c, STR("EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<Ann@HOME.example>\r\nRCPT TO:<postmaster>\r\n"
                "DATA\r\n"));
    check_replies(&c, STR("250, 250, 250, 250, 354"));
    client_say(&c, STR("..dot\r\n...\r\n\xc3\xbc\r\n.\r\n"));
    check_replies(&c, STR("250"));
    assert_string_equal(w.messages[0].reverse_path, "");
    assert_string_equal(w.messages[0].rcpts, "Ann@HOME.example postmaster ");
    assert_string_equal(buf_cstr(&w.messages[0].content), ".dot\r\n..\r\n\xc3\xbc\r\n");
    assert_int_equal(w.messages[0].facts, TX_8BIT);
    client_close(&c);
    world_end(&w);
}

static void test_r30_loops(void **state)
{
    static const char hop[] =
        "Received: from a by other.example; Sun, 22 Nov 2026 00:00:00 +0000\r\n";
    static const char ours[] =
        "Received: from a by relay.example.net; Sun, 22 Nov 2026 00:00:00 +0000\r\n";
    const struct {
        const char *line;
        int times;
        unsigned want;
    } rows[] = { { hop, 50, 250 }, { hop, 51, 554 }, { ours, 5, 250 }, { ours, 6, 554 } };
    struct world w;

    (void)state;
    world_start(&w, "");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client c;

        client_connect(&c, &w, DOOR_RELAY);
        check_replies(&c, STR("220"));
        client_say(&c, STR(HELO FROM TO "DATA\r\n"));
        check_replies(&c, STR("250, 250, 250, 354"));
        for (int n = 0; n < rows[i].times; n++)
            client_say(&c, str_of(rows[i].line));
        client_say(&c, STR("\r\nx\r\n.\r\n"));
        check_replies(&c, rows[i].want == 250 ? STR("250") : STR("554 5.4.6"));
        client_close(&c);
    }
    world_end(&w);
}

/* Sends `lines` lines of 1000 octets, then the end. */
static void send_large(struct client *c, int lines)
{
    char line[1001];

    memset(line, 'x', sizeof(line));
    memcpy(line + 998, "\r\n", 2);
    client_say(c, STR("Subject: large\r\n\r\n"));
    for (int i = 0; i < lines; i++)
        client_say(c, str_make(line, 1000));
    client_say(c, STR(".\r\n"));
}

static void test_r04_large_message_goes_in_chunks(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO FROM TO "DATA\r\n"));
    check_replies(&c, STR("250, 250, 250, 354"));
    w.core_takes_nothing = true; /* the ring fills: 1 MiB */
    send_large(&c, 1200);
    world_settle();
    w.core_takes_nothing = false;
    world_give_credit(&w);
    world_settle();
    check_replies(&c, STR("250"));
    assert_int_equal(w.messages[0].content.len, 18 + 1200 * 1000);
    client_close(&c);
    world_end(&w);
}

static void test_b18_size_lies(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "limits: { message_bytes: 64K }\n");
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO "MAIL FROM:<a@b.example> SIZE=10\r\n" TO "DATA\r\n"));
    check_replies(&c, STR("250, 250, 250, 354"));
    send_large(&c, 300);
    check_replies(&c, STR("552 5.3.4"));
    client_say(&c, STR("NOOP\r\n"));
    check_replies(&c, STR("250"));
    assert_int_equal(world_whole(&w), 0);
    client_close(&c);
    world_end(&w);
}

static void test_r05_recipient_limit(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "limits: { recipients: 100 }\n");
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO));
    check_replies(&c, STR("250"));
    assert_true(has(c.text, "LIMITS RCPTMAX=100"));
    client_say(&c, STR(FROM));
    check_replies(&c, STR("250"));
    for (int i = 0; i < 100; i++) {
        client_say(&c, STR(TO));
        check_replies(&c, STR("250"));
    }
    client_say(&c, STR(TO "DATA\r\n"));
    check_replies(&c, STR("452 4.5.3, 354"));
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("250"));
    assert_int_equal(w.messages[0].rcpt_count, 100);
    client_close(&c);
    world_end(&w);
}

/* F14: what core has to say to a message that it takes stands in the 250. */
static void test_f14_a_warning_in_the_250(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    w.warning = "[PREFLIGHT-SPF] the SPF record is missing";
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO FROM TO "DATA\r\n"));
    check_replies(&c, STR("250, 250, 250, 354"));
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("250 2.0.0"));
    assert_non_null(strstr(c.text, "queued as "));
    assert_non_null(strstr(c.text, "; [PREFLIGHT-SPF] the SPF record is missing"));
    client_close(&c);
    world_end(&w);
}

/* A11: a notification to what looks like a sender that we rewrote is for core to judge; with a
 * sender of its own, to another address or another domain, it is relaying. */
static void test_a11_r101_a_notification_comes_back(void **state)
{
    static const char rcpts[] = "RCPT TO:<SRS0=ABCDEFGH=AA=a.example=b@FWD.example>\r\n"
                                "RCPT TO:<SRS1=ABCDEFGH=c.example==x@second.example>\r\n"
                                "RCPT TO:<SRS0=ABCDEFGH=AA=a.example=b@ond.example>\r\n"
                                "RCPT TO:<b@fwd.example>\r\nRSET\r\n";
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    world_forwards(&w, true, "fwd.example\nsec");
    world_forwards(&w, false, "ond.example\n");
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO "MAIL FROM:<>\r\n"));
    client_say(&c, str_of(rcpts));
    check_replies(&c, STR("250, 250, 250, 250, 550 5.7.1, 550 5.7.1, 250"));
    client_say(&c, STR(FROM));
    client_say(&c, str_of(rcpts));
    check_replies(&c, STR("250, 550 5.7.1, 550 5.7.1, 550 5.7.1, 550 5.7.1, 250"));
    world_forwards(&w, true, "");
    client_say(&c, STR("MAIL FROM:<>\r\nRCPT TO:<SRS0=ABCDEFGH=AA=a.example=b@fwd.example>\r\n"));
    check_replies(&c, STR("250, 550 5.7.1"));
    client_close(&c);
    world_end(&w);
}

/* When the others are away ------------------------------------------------------------------ */

static void begin_message(struct client *c, struct world *w)
{
    client_connect(c, w, DOOR_RELAY);
    check_replies(c, STR("220"));
    client_say(c, STR(HELO FROM TO "DATA\r\n"));
    check_replies(c, STR("250, 250, 250, 354"));
}

static void test_core_dies_before_its_answer(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    w.core_silent = true;
    begin_message(&c, &w);
    client_say(&c, STR(TEXT));
    world_settle();
    world_cut(&w);
    check_replies(&c, STR("451 4.3.0"));
    client_say(&c, STR("NOOP\r\n" FROM));
    check_replies(&c, STR("250, 421 4.3.2, end"));
    client_close(&c);

    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("421 4.3.2, end"));
    client_close(&c);
    world_join(&w);
    w.core_silent = false;
    begin_message(&c, &w);
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("250"));
    client_close(&c);
    world_end(&w);
}

static void test_core_refuses(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    w.answer_code = 452;
    begin_message(&c, &w);
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("452 4.3.1"));
    client_close(&c);
    w.ready_code = 421;
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("421 4.7.0, end"));
    client_close(&c);
    assert_int_equal(w.closes, 1); /* the first one's: core holds no session that it has refused */
    world_end(&w);
}

static void test_core_refuses_before_the_end(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    w.core_refuses_early = true;
    begin_message(&c, &w);
    send_large(&c, 500);
    check_replies(&c, STR("452 4.3.1"));
    assert_true(w.messages[0].content.len < 500 * 1000);
    assert_false(w.messages[0].ended || w.messages[0].aborted);
    w.core_refuses_early = false;
    client_say(&c, STR(FROM TO "DATA\r\n"));
    check_replies(&c, STR("250, 250, 354"));
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("250"));
    client_close(&c);
    world_end(&w);
}

static void test_client_gone_mid_content(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    begin_message(&c, &w);
    send_large(&c, 200); /* beyond a chunk: core has heard of it */
    check_replies(&c, STR("250"));
    client_say(&c, STR(FROM TO "BDAT 100000\r\n"));
    check_replies(&c, STR("250, 250"));
    client_close(&c);
    assert_int_equal(world_whole(&w), 1);
    assert_int_equal(w.accept->sessions.count, 0);
    world_end(&w);
}

static void on_drained(void *arg)
{
    *(bool *)arg = true;
}

static void test_u07_drain(void **state)
{
    struct client idle, busy;
    bool drained = false;
    struct world w;

    (void)state;
    world_start(&w, "");
    client_connect(&idle, &w, DOOR_RELAY);
    check_replies(&idle, STR("220"));
    begin_message(&busy, &w);
    world_settle();
    accept_role.drain(w.accept, on_drained, &drained);
    check_replies(&idle, STR("421 4.3.2, end"));
    assert_false(drained);
    client_say(&busy, STR(TEXT "NOOP\r\n"));
    check_replies(&busy, STR("250, 421 4.3.2, end"));
    client_close(&idle);
    client_close(&busy);
    assert_true(drained);
    world_end(&w);
}

static void test_u01_reload_keeps_sessions(void **state)
{
    static const char yaml[] = "hostname: other.example.net\n"
                               "listeners:\n"
                               "  - { kind: submission, address: '127.0.0.1:2587' }\n"
                               "local_domains: [home.example]\n"
                               "routes:\n"
                               "  - { domain: home.example, via: smarthost, host: 192.0.2.7 }\n";
    struct role_start start = { .kind = ROLE_ACCEPT, .unix_fd = -1 };
    struct client before, after;
    struct config *config;
    struct world w;

    (void)state;
    world_start(&w, "");
    begin_message(&before, &w);
    if (!config_parse(STR("reload"), str_of(yaml), &config, NULL))
        fail();
    start.config = config;
    accept_role.reload(w.accept, config, &start);
    client_say(&before, STR(TEXT HELO));
    check_replies(&before, STR("250, 250"));
    assert_true(has(before.text, "250-other.example.net"));
    client_connect(&after, &w, DOOR_RELAY); /* no longer in the configuration */
    check_replies(&after, STR("end"));
    client_close(&after);
    client_connect(&after, &w, DOOR_SUBMISSION);
    check_replies(&after, STR("220"));
    client_close(&after);
    client_close(&before);
    world_end(&w);
    config_free(config);
}

/* Slow clients ------------------------------------------------------------------------------ */

static const struct slow_case {
    const char *name;
    const char *yaml;
    struct str say;
    const char *hear;
} slow[] = {
    { "R06 no command", "timeouts: { command: 20ms }\n", STR(HELO), "250, 421 4.4.2, end" },
    { "O01 no command within a transaction", "timeouts: { command: 20ms }\n", STR(HELO FROM TO),
      "250, 250, 250, 421 4.4.2, end" },
    { "O01 half a command", "timeouts: { command: 20ms }\n", STR(HELO "NO"),
      "250, 421 4.4.2, end" },
    { "O01 content stops", "timeouts: { data_in: 20ms }\n", STR(HELO FROM TO "DATA\r\nx"),
      "250, 250, 250, 354, 421 4.4.2, end" },
    { "O01 a chunk stops", "timeouts: { data_in: 20ms }\n", STR(HELO FROM TO "BDAT 2\r\nx"),
      "250, 250, 250, 421 4.4.2, end" },
    { "O01 a nobody stays too long", "timeouts: { session_unauthenticated: 20ms }\n", STR(HELO),
      "250, 421 4.7.0, end" },
};

static void test_o01_slow_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        struct client c;
        struct world w;

        print_message("%s\n", slow[i].name);
        world_start(&w, slow[i].yaml);
        client_connect(&c, &w, DOOR_RELAY);
        check_replies(&c, STR("220"));
        client_say(&c, slow[i].say);
        check_replies(&c, str_of(slow[i].hear));
        client_close(&c);
        assert_int_equal(world_whole(&w), 0);
        world_end(&w);
    }
}

static void test_o01_sessions_limit(void **state)
{
    struct client first, second, third;
    struct world w;

    (void)state;
    world_start(&w, "limits: { sessions: 1 }\n");
    client_connect(&first, &w, DOOR_RELAY);
    check_replies(&first, STR("220"));
    client_connect(&second, &w, DOOR_RELAY);
    check_replies(&second, STR("421 4.3.2, end"));
    client_close(&second);
    client_close(&first);
    client_connect(&third, &w, DOOR_RELAY);
    check_replies(&third, STR("220"));
    client_close(&third);
    world_end(&w);
}

/* The opening ------------------------------------------------------------------------------- */

static void test_b17_early_talker(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    /* Behind the PROXY header and in the same packet: certainly before the greeting. */
    client_connect(&c, &w, DOOR_PROXIED);
    client_say(&c, STR("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n" HELO));
    check_replies(&c, STR("554 5.5.0, end"));
    client_close(&c);
    world_end(&w);
}

/* The proxy's header and the client's TLS greeting may come in one packet. */
static void test_r34_proxy_before_implicit_tls(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    client_connect(&c, &w, DOOR_PROXIED_TLS);
    if (!stream_put(c.stream, STR("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n"), NULL))
        fail();
    client_start_tls(&c); /* flushes */
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO AUTH_ANN));
    check_replies(&c, STR("250, 235"));
    client_close(&c);
    world_end(&w);
}

static void test_r12_starttls_then_auth(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    client_connect(&c, &w, DOOR_SUBMISSION);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO));
    check_replies(&c, STR("250"));
    assert_true(has(c.text, "STARTTLS"));
    assert_false(has(c.text, "AUTH"));
    client_say(&c, STR("STARTTLS\r\n"));
    check_replies(&c, STR("220 2.0.0"));
    client_start_tls(&c);
    client_say(&c, STR(FROM HELO));
    check_replies(&c, STR("503, 250"));
    assert_true(has(c.text, "AUTH PLAIN LOGIN"));
    assert_false(has(c.text, "STARTTLS"));
    client_say(&c, STR(AUTH_ANN FROM "RCPT TO:<a@other.example>\r\nDATA\r\n"));
    check_replies(&c, STR("235, 250, 250, 354"));
    client_say(&c, STR(TEXT));
    check_replies(&c, STR("250"));
    assert_true(has(buf_cstr(&w.messages[0].rendered), "with ESMTPSA id"));
    client_close(&c);
    world_end(&w);
}

static void test_gate_closed_names_the_way_out(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    world_gate(&w, false);
    w.client_flags = BIND_TRUSTED;
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO FROM "RCPT TO:<a@other.example>\r\n"));
    check_replies(&c, STR("250, 250, 550 5.7.1"));
    assert_true(has(c.text, "[SANDBOX]") && has(c.text, "baton live"));
    client_say(&c, STR("RCPT TO:<a@sandbox.test>\r\n"));
    check_replies(&c, STR("250"));
    client_close(&c);
    world_end(&w);
}

static void test_o07_noop_flood_holds_no_memory(void **state)
{
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    for (int i = 0; i < 1000; i++)
        client_say(&c, STR("NOOP\r\nHELP\r\n"));
    for (int i = 0; i < 1000; i++)
        check_replies(&c, STR("250, 214"));
    assert_null(world_session(&w)->work);
    assert_true(w.accept->workspaces.spare_count <= 1);
    client_close(&c);
    world_end(&w);
}

static void test_o07_refused_recipients_hold_no_memory(void **state)
{
    struct session *s;
    struct client c;
    struct world w;

    (void)state;
    world_start(&w, "");
    w.client_flags = BIND_TRUSTED;
    world_gate(&w, false);
    client_connect(&c, &w, DOOR_RELAY);
    check_replies(&c, STR("220"));
    client_say(&c, STR(HELO FROM TO));
    check_replies(&c, STR("250, 250, 250"));
    for (int i = 0; i < 2000; i++) {
        client_say(&c, STR("RCPT TO:<someone@other.example>\r\n"));
        check_replies(&c, STR("550"));
    }
    s = world_session(&w);
    assert_int_equal(s->tx.rcpt_count, 1);
    assert_true(s->work->tx.total < 1024);
    assert_true(s->work->scratch.total < 4096);
    client_close(&c);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_b06_every_end_is_a_fresh_start),
        cmocka_unit_test(test_r08_r19_edits),
        cmocka_unit_test(test_r03_envelope),
        cmocka_unit_test(test_r30_loops),
        cmocka_unit_test(test_r04_large_message_goes_in_chunks),
        cmocka_unit_test(test_b18_size_lies),
        cmocka_unit_test(test_r05_recipient_limit),
        cmocka_unit_test(test_f14_a_warning_in_the_250),
        cmocka_unit_test(test_a11_r101_a_notification_comes_back),
        cmocka_unit_test(test_core_dies_before_its_answer),
        cmocka_unit_test(test_core_refuses),
        cmocka_unit_test(test_core_refuses_before_the_end),
        cmocka_unit_test(test_client_gone_mid_content),
        cmocka_unit_test(test_u07_drain),
        cmocka_unit_test(test_u01_reload_keeps_sessions),
        cmocka_unit_test(test_o01_slow_clients),
        cmocka_unit_test(test_o01_sessions_limit),
        cmocka_unit_test(test_b17_early_talker),
        cmocka_unit_test(test_r34_proxy_before_implicit_tls),
        cmocka_unit_test(test_r12_starttls_then_auth),
        cmocka_unit_test(test_gate_closed_names_the_way_out),
        cmocka_unit_test(test_o07_noop_flood_holds_no_memory),
        cmocka_unit_test(test_o07_refused_recipients_hold_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
