// SPDX-License-Identifier: Apache-2.0
/* core/naming_test.c - in whose name mail is taken: accounts, tenants, streams, identity, what is
 * changed on its way and what is told (R45, R47, R101, R103, R107, R115, F14; T01, T03, T07, T10,
 * A11). */
#include <stdio.h>
#include <stdlib.h>

#include "core/stage.h"
#include "io/loop.h"
#include "mail/dkim.h"

#define ENFORCER 70
#define FORWARDER 71
#define FORM 72
#define SANDBOXED 73
#define SUSPENDED 74
#define CHILD 75
#define TENANT 76
#define RIVAL 77

static void tell_people(struct stage *s)
{
    const struct person people[] = {
        { .id = ENFORCER, .name = "shop", .mode = POLICY_ENFORCE },
        { .id = FORWARDER, .name = "forwarder", .flags = ACCOUNT_FORWARDS },
        { .id = FORM, .name = "form", .rewrite_from = "web@form.example" },
        { .id = SANDBOXED, .name = "newcomer", .state = ACCOUNT_SANDBOX },
        { .id = SUSPENDED, .name = "bad", .state = ACCOUNT_SUSPENDED },
        { .id = CHILD, .name = "child", .parent = SUSPENDED },
        { .id = TENANT, .name = "tenant" },
        { .id = RIVAL, .name = "rival" },
    };

    for (size_t i = 0; i < ARRAY_LEN(people); i++)
        stage_tell(s, people_account(&people[i]));
    stage_tell(s, people_domain(1, ENFORCER, "own.example", DOMAIN_SUBDOMAINS,
                                FACT_SPF_PASS | FACT_DMARC | FACT_MX, ""));
    stage_tell(s, people_domain(2, RIVAL, "others.example", DOMAIN_SUBDOMAINS, 0, ""));
    stage_tell(s, people_domain(3, FORWARDER, "fwd.example", 0, 0, ""));
    stage_tell(s, people_domain(4, FORM, "form.example", 0, 0, ""));
    stage_tell(s, people_domain(5, TENANT, "tenant.example", 0, 0, ""));
    stage_tell(s, people_domain(6, 5, "sender.example", 0, FACT_SPF_FAIL, ""));
    stage_tell(s, people_key(1, 1, 0, DKIM_RSA_SHA256, 0, "own.example", "s1"));
    stage_tell(s, people_stream(1, ENFORCER, STREAM_MARKETING, "news", "news.own.example",
                                "bounce.own.example"));
    stage_tell(s, people_stream(2, ENFORCER, STREAM_TRANSACTIONAL, "receipts", "", ""));
    stage_tell(s, people_tenant(1, TENANT, "mx.host", "customer-7"));
}

static int set_up(void **state)
{
    struct stage *s = stage_raise("local_domains: [home.example]\n");

    tell_people(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    stage_end(*state);
    return 0;
}

#define TAIL "To: x@y.example\r\n\r\nHello.\r\n"
#define RECEIVED "Received: from elsewhere by there; then\r\n"

/* Takes the letter, or the refusal's text must hold `want`. */
static uint64_t send_as(struct stage *s, uint64_t account, const struct letter *l, unsigned code,
                        const char *want)
{
    struct str text;
    uint64_t id = 0;
    unsigned got;

    stage_bind(s, &(struct binding){ .account = account, .opening = BIND_UNASKED });
    stage_settle(s);
    got = stage_answer(s, stage_send(s, l), &text, &id);
    if (got != code || (want[0] != '\0' && !str_has(text, want)))
        fail_msg("%u %.*s", got, STR_FMT(text));
    return id;
}

static struct job_seen sent(struct stage *s)
{
    stage_site(s, "remote.example", "mx.remote.example");
    return stage_job(s, &s->deliver);
}

/* The header as it goes out. */
static struct str rendered(const struct job_seen *j, struct buf *to)
{
    struct err err;

    buf_init(to, 1 << 20);
    assert_true(header_render(to, buf_str(&j->content), j->edits, j->edit_count, STR("ID"), &err));
    return buf_str(to);
}

/* --- whose --- */

static void t07_accounts_that_may_not_send(void **state)
{
    struct stage *s = *state;
    static const struct letter plain = { 0 };
    static const struct letter to_sandbox = { .to = { "a@sandbox.example" } };

    stage_open(s, 5);
    send_as(s, SUSPENDED, &plain, 550, "[ACCOUNT] account bad");
    send_as(s, CHILD, &plain, 550, "[ACCOUNT] account child");
    send_as(s, 999, &plain, 550, "[ACCOUNT]");
    send_as(s, SANDBOXED, &plain, 550, "[ACCOUNT-SANDBOX] account newcomer");
    send_as(s, SANDBOXED, &to_sandbox, 250, "");
    send_as(s, SANDBOXED, &(struct letter){ .to = { "a@sandbox.example", "b@remote.example" } },
            550, "[ACCOUNT-SANDBOX]");
    send_as(s, SUSPENDED, &to_sandbox, 550, "[ACCOUNT]");
    stage_tell(s, people_account(&(struct person){ .id = SANDBOXED, .mode = POLICY_OBSERVE }));
    send_as(s, SANDBOXED, &plain, 250, "");
}

static void nobody_sends_before_it_is_known_who_there_is(void **state)
{
    struct stage *s = *state;

    stage_restart_core(s);
    s->untold = true;
    stage_link_all(s);
    stage_gate(s, true);
    stage_open(s, 5);
    assert_int_equal(stage_answer(s, stage_send(s, &(struct letter){ 0 }), NULL, NULL), 451);
    stage_tell(s, people_begin());
    stage_tell(s, people_account(&(struct person){ .id = 5, .mode = POLICY_OBSERVE }));
    tell_people(s);
    stage_settle(s);
    assert_int_equal(stage_answer(s, stage_send(s, &(struct letter){ 0 }), NULL, NULL), 451);
    stage_tell(s, people_end());
    stage_settle(s);
    assert_int_equal(stage_answer(s, stage_send(s, &(struct letter){ 0 }), NULL, NULL), 250);
}

#define TENANT_FIELD "X-Tenant: customer-7\r\n"

static void t10_tenants(void **state)
{
    static const struct {
        const char *name, *content;
        unsigned code;
        const char *text;
    } cases[] = {
        { "T10 known", TENANT_FIELD "From: a@tenant.example\r\n" TAIL, 250, "" },
        { "T10 known, other case of the name",
          "x-tenant:customer-7 \r\nFrom: a@tenant.example\r\n" TAIL, 250, "" },
        { "T10 missing", "From: a@tenant.example\r\n" TAIL, 550, "[TENANT] the field X-Tenant" },
        { "T10 twice", TENANT_FIELD "From: a@tenant.example\r\n" TENANT_FIELD TAIL, 550,
          "more than once" },
        { "T10 unknown", "X-Tenant: customer-8\r\nFrom: a@tenant.example\r\n" TAIL, 550,
          "nobody here is customer-8" },
        { "T10 empty", "X-Tenant:\r\nFrom: a@tenant.example\r\n" TAIL, 550, "[TENANT]" },
        { "T10 with more", "X-Tenant: customer-7\r\n\tx\r\nFrom: a@tenant.example\r\n" TAIL, 550,
          "[TENANT]" },
        { "T10 another's name", TENANT_FIELD "From: a@own.example\r\n" TAIL, 550, "[FROM]" },
    };
    struct stage *s = *state;

    stage_tell(s, people_account(&(struct person){ .id = TENANT, .name = "tenant" }));
    stage_bind(s, &(struct binding){ .opening = 1,
                                     .flags = BIND_TRUSTED | BIND_TENANTS,
                                     .upstream = "mx.host",
                                     .tenant_header = "X-Tenant" });
    assert_int_equal(stage_ready_code(s), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text;
        struct letter l = { .from = "a@tenant.example", .content = cases[i].content };
        unsigned code = stage_answer(s, stage_send(s, &l), &text, NULL);
        if (code != cases[i].code || (cases[i].text[0] != '\0' && !str_has(text, cases[i].text)))
            fail_msg("%s: %u %.*s", cases[i].name, code, STR_FMT(text));
    }
}

static void t10_the_tenants_field_is_stripped(void **state)
{
    struct stage *s = *state;
    struct buf header;

    stage_bind(s, &(struct binding){ .opening = 1,
                                     .flags = BIND_TRUSTED | BIND_TENANTS,
                                     .upstream = "mx.host",
                                     .tenant_header = "X-Tenant" });
    assert_int_equal(stage_ready_code(s), 0);
    stage_accept(s, &(struct letter){ .from = "a@tenant.example",
                                      .content = TENANT_FIELD "From: a@tenant.example\r\n" TAIL });
    struct job_seen j = sent(s);
    assert_true(str_starts(rendered(&j, &header), STR("From: a@tenant.example\r\n")));
    buf_done(&header);
    job_seen_done(&j);
}

/* The binding is withdrawn while content comes: nothing is taken in nobody's name. */
static void t10_a07_a_tenants_upstream_revoked_meanwhile(void **state)
{
    struct stage *s = *state;
    struct wire_tx_begin *b;
    struct wire_tx_rcpt *r;
    struct wire_tx_end *e;

    stage_bind(s, &(struct binding){ .opening = 1,
                                     .flags = BIND_TRUSTED | BIND_TENANTS,
                                     .upstream = "mx.host",
                                     .tenant_header = "X-Tenant" });
    assert_int_equal(stage_ready_code(s), 0);
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
}

/* --- in whose name --- */

static void t01_r45_enforced(void **state)
{
    static const struct {
        const char *from, *content;
        unsigned code;
        const char *text;
    } cases[] = {
        { "a@own.example", "From: a@own.example\r\n" TAIL, 250, "" },
        { "a@others.example", "From: a@own.example\r\n" TAIL, 550,
          "[MAIL-FROM] MAIL FROM: others" },
        { "a@own.example", "From: a@others.example\r\n" TAIL, 550, "[FROM] From: others.example" },
        { "a@own.example", "From: a@own.example\r\nSender: b@others.example\r\n" TAIL, 550,
          "[SENDER]" },
        { "a@own.example", "DKIM-Signature: v=1; d=others.example\r\nFrom: a@own.example\r\n" TAIL,
          550, "[SIGNATURE]" },
        { "a@own.example", "From: a@own.example\r\nFrom: a@own.example\r\n" TAIL, 550,
          "[DUPLICATE]" },
        { "a@own.example", "From: b@others.example <a@own.example>\r\n" TAIL, 550,
          "[FROM-SYNTAX] From: " },
        { "a@own.example", TAIL, 550, "[FROM-MISSING]" },
        { "", "From: a@own.example\r\n" TAIL, 550, "[NULL-SENDER]" },
        { "a@free.example", RECEIVED RECEIVED "From: a@free.example\r\n" TAIL, 550, "[FORWARD]" },
    };
    struct stage *s = *state;

    stage_open(s, ENFORCER);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct letter l = { .from = cases[i].from, .content = cases[i].content };
        send_as(s, ENFORCER, &l, cases[i].code, cases[i].text);
    }
}

/* accept is not believed: what its edits put in, or hide, counts as it will be sent. */
static void t01_the_header_as_it_will_be_sent(void **state)
{
    static const struct header_edit second_from[] = {
        { EDIT_INSERT, 0, 0, { "From: b@others.example\r\n", 24 } }
    };
    static const struct header_edit other_from[] = {
        { EDIT_INSERT, 0, 0, { "From: b@others.example\r\n", 24 } },
        { EDIT_DELETE, 0, 21, { NULL, 0 } }
    };
    static const struct header_edit no_end[] = { { EDIT_DELETE, 38, 2, { NULL, 0 } } };
    static const char content[] = "From: a@own.example\r\n" TAIL;
    struct stage *s = *state;

    stage_open(s, ENFORCER);
    struct letter l = { .from = "a@own.example", .content = content };
    l.edits = second_from;
    l.edit_count = 1;
    send_as(s, ENFORCER, &l, 550, "[DUPLICATE]");
    l.edits = other_from;
    l.edit_count = 2;
    send_as(s, ENFORCER, &l, 550, "[FROM] From: others.example");
    /* An edit inside a field that is stripped; one that makes From of what is behind it. */
    static const struct header_edit inside[] = {
        { EDIT_INSERT, 5, 0, { "x\r\nSender: b@others.example\r\n", 30 } }
    };
    static const struct header_edit before[] = { { EDIT_INSERT, 0, 0, { "Subject: ", 9 } } };
    struct letter steered = { .from = "a@own.example",
                              .content = "X-Baton-Stream: receipts\r\nFrom: a@own.example\r\n" TAIL,
                              .edits = inside,
                              .edit_count = 1 };
    send_as(s, ENFORCER, &steered, 554, "cannot be changed");
    steered.edits = before;
    send_as(s, ENFORCER, &steered, 550, "[FROM-MISSING]");
    /* The empty line is left out: the body would go on as header. */
    l.edits = no_end;
    l.edit_count = 1;
    send_as(s, ENFORCER, &l, 554, "no end");
    /* The section is said to end before another From. */
    send_as(s, ENFORCER,
            &(struct letter){ .from = "a@own.example",
                              .content = "From: a@own.example\r\nFrom: b@others.example\r\n" TAIL,
                              .header_lie = -43 },
            554, "no end");
    send_as(s, ENFORCER,
            &(struct letter){ .from = "a@own.example", .content = content, .header_lie = 5 }, 554,
            "no end");
}

static void r103_observed(void **state)
{
    struct stage *s = *state;
    size_t rows;

    stage_open(s, 5);
    send_as(s, 5, &(struct letter){ .content = "From: a@others.example\r\n" TAIL }, 250, "");
    uint64_t id =
        send_as(s, 5, &(struct letter){ .content = "From: a@free.example\r\n" TAIL }, 250, "");
    assert_true(id != 0);
    assert_int_equal(stage_admin_of(s, ADMIN_OBSERVED_LIST, "account-5", &rows), 200);
    assert_int_equal(rows, 1);
    assert_true(str_has(s->row, "\"code\":\"FROM\",\"count\":2,"));
    assert_true(str_has(s->row, "\"name\":\"free.example\",\"text\":\"[FROM] From: free.example"));
    assert_int_equal(stage_admin_of(s, ADMIN_OBSERVED_LIST, "account-6", &rows), 200);
    assert_int_equal(rows, 0);
    /* What is refused is not observed, and mail to the sandbox is observed in enforce too. */
    struct letter l = { .from = "a@own.example", .content = "From: a@free.example\r\n" TAIL };
    send_as(s, ENFORCER, &l, 550, "[FROM]");
    stage_admin_of(s, ADMIN_OBSERVED_LIST, "shop", &rows);
    assert_int_equal(rows, 0);
    l.to[0] = "a@sandbox.example";
    send_as(s, ENFORCER, &l, 250, "");
    stage_admin_of(s, ADMIN_OBSERVED_LIST, "", &rows);
    assert_int_equal(rows, 2);
}

/* --- streams --- */

static void r47_r48_streams(void **state)
{
    static const struct {
        const char *content;
        unsigned code;
        const char *text;
    } cases[] = {
        { "X-Baton-Stream: receipts\r\nFrom: a@own.example\r\n" TAIL, 250, "" },
        { "X-Baton-Stream: news\r\nFrom: a@news.own.example\r\n" TAIL, 250,
          "[PREFLIGHT-UNSUBSCRIBE]" },
        { "X-Baton-Stream: news\r\nFrom: a@own.example\r\n" TAIL, 550, "[STREAM-DOMAIN]" },
        { "X-Baton-Stream: nosuch\r\nFrom: a@own.example\r\n" TAIL, 550,
          "[STREAM] X-Baton-Stream" },
        { "X-Baton-Stream: receipts\r\nX-Baton-Stream: news\r\nFrom: a@own.example\r\n" TAIL, 550,
          "[STREAM]" },
    };
    struct stage *s = *state;

    stage_open(s, ENFORCER);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct letter l = { .from = "a@own.example", .content = cases[i].content };
        send_as(s, ENFORCER, &l, cases[i].code, cases[i].text);
    }
}

static void r47_a_streams_return_path_and_field(void **state)
{
    struct stage *s = *state;
    struct buf header;

    stage_open(s, ENFORCER);
    send_as(
        s, ENFORCER,
        &(struct letter){ .from = "a@own.example",
                          .content = "From: a@news.own.example\r\nX-Baton-Stream: news\r\n" TAIL },
        250, "");
    struct job_seen j = sent(s);
    assert_true(str_eq(j.reverse_path, STR("a@bounce.own.example")));
    assert_false(str_has(rendered(&j, &header), "X-Baton"));
    buf_done(&header);
    job_seen_done(&j);
}

/* --- what policy changes --- */

static void r101_forwarded_mail_goes_and_its_bounce_comes_back(void **state)
{
    struct stage *s = *state;
    char rewritten[300];

    stage_open(s, FORWARDER);
    send_as(s, FORWARDER,
            &(struct letter){ .from = "ann@free.example",
                              .content = RECEIVED RECEIVED "From: ann@free.example\r\n" TAIL },
            250, "");
    struct job_seen j = sent(s);
    assert_true(str_starts(j.reverse_path, STR("SRS0=")));
    assert_true(str_ends_nocase(j.reverse_path, STR("=free.example=ann@fwd.example")));
    (void)snprintf(rewritten, sizeof rewritten, "%.*s", STR_FMT(j.reverse_path));
    job_seen_done(&j);

    /* From anybody, without sender. */
    stage_bind(s, &(struct binding){ .session = 50, .opening = 1 });
    assert_int_equal(stage_ready_code(s), 0);
    struct letter bounce = { .session = 50, .from = "", .to = { rewritten } };
    stage_accept(s, &bounce);
    stage_site(s, "free.example", "mx.free.example");
    j = stage_job(s, &s->deliver);
    assert_true(str_eq(j.rcpts[0], STR("ann@free.example")));
    assert_int_equal(j.reverse_path.len, 0);
    job_seen_done(&j);
}

/* What we ourselves could not deliver is told to the sender, not to the address that we made. */
static void r101_our_own_bounce_goes_home(void **state)
{
    struct stage *s = *state;
    const struct verdict bounced = { OUTCOME_BOUNCED, 550, 1, 1, "no such user", false };

    stage_open(s, FORWARDER);
    send_as(s, FORWARDER,
            &(struct letter){ .from = "ann@free.example",
                              .content = RECEIVED RECEIVED "From: ann@free.example\r\n" TAIL },
            250, "");
    struct job_seen j = sent(s);
    stage_result(s, &s->deliver, &j, &bounced);
    stage_site(s, "free.example", "mx.free.example");
    j = stage_job(s, &s->deliver);
    assert_true(str_eq(j.rcpts[0], STR("ann@free.example")));
    assert_true(str_has(buf_str(&j.content), "To: <ann@free.example>"));
    job_seen_done(&j);
}

/* A domain that we receive for, too: ours goes back, any other is a mailbox there. */
static void r101_a_local_domain_that_also_forwards(void **state)
{
    struct stage *s = *state;
    char rewritten[300];

    stage_tell(s, people_account(&(struct person){ .id = FORWARDER,
                                                   .name = "forwarder",
                                                   .mode = POLICY_OBSERVE,
                                                   .flags = ACCOUNT_FORWARDS,
                                                   .forward_domain = "home.example" }));
    stage_open(s, FORWARDER);
    send_as(s, FORWARDER,
            &(struct letter){ .from = "ann@free.example",
                              .content = RECEIVED RECEIVED "From: ann@free.example\r\n" TAIL },
            250, "");
    struct job_seen j = sent(s);
    (void)snprintf(rewritten, sizeof rewritten, "%.*s", STR_FMT(j.reverse_path));
    job_seen_done(&j);
    stage_bind(s, &(struct binding){ .session = 50, .opening = 1 });
    assert_int_equal(stage_ready_code(s), 0);
    struct letter l = { .session = 50, .from = "", .to = { rewritten, "SRS0=x@home.example" } };
    stage_accept(s, &l);
    stage_site(s, "free.example", "mx.free.example");
    j = stage_job(s, &s->deliver);
    assert_true(str_eq(j.rcpts[0], STR("ann@free.example")));
    job_seen_done(&j);
    stage_site(s, "home.example", "mx.home.example");
    j = stage_job(s, &s->deliver);
    assert_true(str_eq(j.rcpts[0], STR("SRS0=x@home.example")));
    job_seen_done(&j);
}

static void expect_forwards(struct stage *s, const char *want)
{
    const struct wire_forwards *m = player_next(&s->accept, WIRE_FORWARDS);

    assert_true(m->begins);
    if (!str_eq(wire_get(m, m->names), str_of(want)))
        fail_msg("%.*s", STR_FMT(wire_get(m, m->names)));
}

/* accept knows where, so that it refuses all the rest at RCPT. */
static void a11_accept_is_told_where_senders_are_rewritten(void **state)
{
    struct stage *s = *state;

    expect_forwards(s, "fwd.example\n");
    stage_tell(s, people_account(&(struct person){
                      .id = 5, .flags = ACCOUNT_FORWARDS, .forward_domain = "five.example" }));
    stage_settle(s);
    expect_forwards(s, "five.example\nfwd.example\n");
    stage_tell(s, people_account(&(struct person){ .id = 6 })); /* no change: no frame */
    stage_settle(s);
    assert_int_equal(player_waiting(&s->accept, WIRE_FORWARDS), 0);
    stage_cut(s, &s->accept);
    stage_link(s, &s->accept);
    stage_settle(s);
    expect_forwards(s, "five.example\nfwd.example\n");
    stage_tell(s, people_gone(DIRECTORY_ACCOUNT, 5));
    stage_tell(s, people_gone(DIRECTORY_DOMAIN, 3));
    stage_settle(s);
    expect_forwards(s, "");
}

static void a11_what_is_no_bounce_of_ours(void **state)
{
    static const struct {
        const char *from, *to, *text;
    } cases[] = {
        { "", "SRS0=ABCDEFGH=AA=free.example=ann@fwd.example", "[SRS]" },
        { "", "SRS1=ABCDEFGH=first.example==x=AA=free.example=ann@fwd.example", "[SRS]" },
        { "", "SRS0=x@fwd.example", "[SRS]" },
        { "bob@evil.example", "SRS0=ABCDEFGH=AA=free.example=ann@fwd.example", "[RELAY]" },
        { "", "ann@fwd.example", "[RELAY]" },
    };
    struct stage *s = *state;

    stage_open(s, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text;
        struct letter l = { .from = cases[i].from, .to = { cases[i].to } };
        unsigned code = stage_answer(s, stage_send(s, &l), &text, NULL);
        if (code != 550 || !str_has(text, cases[i].text))
            fail_msg("%s: %u %.*s", cases[i].to, code, STR_FMT(text));
    }
}

static void r115_a_contact_form(void **state)
{
    struct stage *s = *state;
    struct buf header;

    stage_open(s, FORM);
    send_as(s, FORM,
            &(struct letter){ .from = "w@form.example",
                              .content = "Subject: s\r\nFrom: V \"x\" <v@free.example>\r\n" TAIL },
            250, "");
    struct job_seen j = sent(s);
    assert_true(str_starts(rendered(&j, &header),
                           STR("Subject: s\r\nFrom: \"v at free.example\" <web@form.example>\r\n"
                               "Reply-To: v@free.example\r\nTo: x@y.example\r\n\r\n")));
    buf_done(&header);
    job_seen_done(&j);
}

static void r115_its_own_reply_to_stays(void **state)
{
    struct stage *s = *state;
    struct buf header;

    stage_open(s, FORM);
    send_as(s, FORM,
            &(struct letter){ .from = "w@form.example",
                              .content = "Reply-To: q@q.example\r\nFrom: v@free.example\r\n" TAIL },
            250, "");
    struct job_seen j = sent(s);
    struct str text = rendered(&j, &header);
    assert_true(str_has(text, "Reply-To: q@q.example\r\n"));
    assert_false(str_has(text, "Reply-To: v@"));
    buf_done(&header);
    job_seen_done(&j);
}

/* --- what receivers will say --- */

static void f14_warned_or_refused(void **state)
{
    struct stage *s = *state;
    size_t rows;
    static const struct letter plain = { 0 };

    stage_open(s, 5);
    send_as(s, 5, &plain, 250, "[PREFLIGHT-SPF] sender.example has no SPF record");
    send_as(s, 5, &plain, 250, "[PREFLIGHT-DKIM]");
    stage_admin_of(s, ADMIN_OBSERVED_LIST, "account-5", &rows);
    assert_int_equal(rows, 2);
    /* Nothing is known: nothing is said. */
    send_as(s, 6, &plain, 250, "");
    struct letter own = { .from = "a@own.example", .content = "From: a@own.example\r\n" TAIL };
    struct str text;
    stage_bind(s, &(struct binding){ .account = ENFORCER, .opening = BIND_UNASKED });
    stage_settle(s);
    assert_int_equal(stage_answer(s, stage_send(s, &own), &text, NULL), 250);
    assert_int_equal(text.len, 0);
}

static struct frame *strict_stream(void)
{
    struct frame *f = people_stream(9, 5, STREAM_TRANSACTIONAL, "strict", "", "");

    ((struct wire_directory_stream *)(void *)f)->preflight = POLICY_ENFORCE;
    return f;
}

static void f14_enforced_by_the_stream(void **state)
{
    static const char content[] = "X-Baton-Stream: strict\r\nFrom: a@sender.example\r\n" TAIL;
    struct stage *s = *state;

    stage_tell(s, strict_stream());
    stage_open(s, 5);
    send_as(s, 5, &(struct letter){ .content = content }, 550, "[PREFLIGHT-SPF]");
    send_as(s, 5, &(struct letter){ .content = content, .to = { "a@sandbox.example" } }, 250,
            "[PREFLIGHT-SPF]");
    /* Never on what is not known. */
    stage_tell(s, people_domain(6, 5, "sender.example", 0, 0, ""));
    stage_tell(s, people_key(6, 6, 0, DKIM_RSA_SHA256, 0, "sender.example", "s1"));
    send_as(s, 5, &(struct letter){ .content = content }, 250, "");
}

/* A signature over the Message-ID that is missing and comes with accept's edits. */
static void r107_a_signature_that_does_not_survive(void **state)
{
#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define B64                                        \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define SIGNED(over)                                                                           \
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=sender.example; s=x; h=" over \
    "; bh=" HASH "; b=" B64 "\r\nFrom: a@sender.example\r\n" TAIL
    static const struct header_edit edits[] = {
        { EDIT_INSERT, 0, 0, { "Received: by us\r\nMessage-ID: <x@y>\r\n", 36 } }
    };
    struct stage *s = *state;

    stage_open(s, 5);
    send_as(
        s, 5,
        &(struct letter){ .content = SIGNED("from:message-id"), .edits = edits, .edit_count = 1 },
        250, "[PREFLIGHT-BROKEN] your DKIM signature of sender.example");
    struct str text;
    assert_int_equal(stage_answer(s,
                                  stage_send(s, &(struct letter){ .content = SIGNED("from"),
                                                                  .edits = edits,
                                                                  .edit_count = 1 }),
                                  &text, NULL),
                     250);
    assert_false(str_has(text, "BROKEN"));
    assert_false(str_has(text, "[PREFLIGHT-DKIM]")); /* the customer's own is aligned */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(t07_accounts_that_may_not_send),
        TEST(nobody_sends_before_it_is_known_who_there_is),
        TEST(t10_tenants),
        TEST(t10_the_tenants_field_is_stripped),
        TEST(t10_a07_a_tenants_upstream_revoked_meanwhile),
        TEST(t01_r45_enforced),
        TEST(t01_the_header_as_it_will_be_sent),
        TEST(r103_observed),
        TEST(r47_r48_streams),
        TEST(r47_a_streams_return_path_and_field),
        TEST(r101_forwarded_mail_goes_and_its_bounce_comes_back),
        TEST(r101_our_own_bounce_goes_home),
        TEST(r101_a_local_domain_that_also_forwards),
        TEST(a11_accept_is_told_where_senders_are_rewritten),
        TEST(a11_what_is_no_bounce_of_ours),
        TEST(r115_a_contact_form),
        TEST(r115_its_own_reply_to_stays),
        TEST(f14_warned_or_refused),
        TEST(f14_enforced_by_the_stream),
        TEST(r107_a_signature_that_does_not_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
