// SPDX-License-Identifier: Apache-2.0
/* report/role_test.c - the whole role, with core and web played by the test. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/code.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/ring.h"
#include "mail/header.h"
#include "report/report.h"
#include "report/role.h"

/* The far end of a link, which keeps the frames that came. */
struct far {
    enum role_kind kind;
    struct channel *channel;
    bool closed;
    size_t count;
    struct frame *frames[16384];
};

struct world {
    struct config config;
    struct report *report;
    struct far core, web;
    struct ring *ring, *shared; /* core's end and report's */
    struct buf log;
    char folder[32];
    uint64_t position; /* of the last event */
};

static bool far_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct far *far = owner;

    (void)c;
    if (!wire_check(f, ROLE_REPORT, far->kind, err))
        return false;
    assert_true(far->count < ARRAY_LEN(far->frames));
    far->frames[far->count] = mem_new(f->len);
    memcpy(far->frames[far->count++], f, f->len);
    return true;
}

static void far_closed(void *owner, struct channel *c, const struct err *why)
{
    struct far *far = owner;

    (void)why;
    far->closed = true;
    far->channel = NULL;
    channel_free(c);
}

static const struct channel_events far_events = { .frame = far_frame, .closed = far_closed };

static void far_forget(struct far *far)
{
    for (size_t i = 0; i < far->count; i++)
        free(far->frames[i]);
    far->count = 0;
}

static void far_link(struct world *w, struct far *far, enum role_kind kind, uint32_t generation)
{
    struct role_link l = { .peer = kind, .generation = generation };

    far_forget(far);
    *far = (struct far){ .kind = kind };
    channel_pair(0, &l.channel, 1, &far->channel);
    channel_set_owner(far->channel, &far_events, far);
    if (kind == ROLE_CORE) {
        ring_free(w->shared);
        l.ring_in = w->shared = ring_share(w->ring);
    }
    report_role.link(w->report, &l);
    /* What the link alone makes report say has come. */
    while (kind == ROLE_CORE && far->count == 0)
        loop_turn(10);
}

static void far_done(struct far *far)
{
    far_forget(far);
    channel_free(far->channel);
}

/* The newest frame of that type; waits for it. */
static const void *far_expect(struct far *far, enum wire_type type)
{
    for (int turn = 0; turn < 2000; turn++) {
        for (size_t i = far->count; i-- > 0;)
            if (far->frames[i]->type == type)
                return far->frames[i];
        loop_turn(10);
    }
    fail_msg("%s did not come", wire_type_name(type));
    return NULL;
}

static size_t far_count(const struct far *far, enum wire_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < far->count; i++)
        count += far->frames[i]->type == type;
    return count;
}

static bool str_has(struct str text, const char *part)
{
    return str_find(text, str_of(part)) < text.len;
}

static void keep_line(void *arg, enum log_level level, struct str line)
{
    (void)level;
    buf_add(arg, line);
    buf_add_char(arg, '\n');
}

static int set_up(void **state)
{
    struct world *w = NEW(struct world);
    const struct role_start s = { .kind = ROLE_REPORT, .config = &w->config, .unix_fd = -1 };
    struct err err = { 0 };
    void *role = NULL;

    loop_init();
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/report-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->config.state_folder = str_of(w->folder);
    buf_init(&w->log, 4 << 20);
    log_set_sink(keep_line, &w->log);
    w->config.sandbox_keep = 3;
    if (!ring_new(RING_BYTES, &w->ring, NULL, &err) || !report_role.start(&s, &role, &err))
        fail_msg("%s", err.text);
    w->report = role;
    far_link(w, &w->core, ROLE_CORE, 1);
    far_link(w, &w->web, ROLE_WEB, 1);
    *state = w;
    return 0;
}

static void remove_folder(const char *folder)
{
    char command[64];

    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static int tear_down(void **state)
{
    struct world *w = *state;

    report_role.free(w->report);
    far_done(&w->core);
    far_done(&w->web);
    ring_free(w->shared);
    ring_free(w->ring);
    log_set_sink(NULL, NULL);
    buf_done(&w->log);
    remove_folder(w->folder);
    free(w);
    return 0;
}

/* Events --------------------------------------------------------------------------------------- */

static void send_event(struct world *w, const char *to)
{
    const struct event e = { .position = ++w->position,
                             .kind = EVENT_DELIVERED,
                             .message = 42,
                             .account = 3,
                             .wall_ms = 1795311000000,
                             .reverse_path = STR("shop@example.org"),
                             .address = str_of(to),
                             .destination = STR("example.net"),
                             .outcome = { .kind = OUTCOME_DELIVERED, .scope = SCOPE_RECIPIENT } };
    struct buf b;

    buf_init(&b, 4000);
    assert_true(event_write(&b, &e));
    struct wire_event *f = wire_add(w->core.channel, WIRE_EVENT, b.len);
    f->position = w->position;
    wire_put(f, &f->bytes, buf_str(&b));
    buf_done(&b);
}

static void await_ack(struct world *w, uint64_t position)
{
    const struct wire_events_ack *ack;

    do {
        loop_turn(10);
        ack = far_expect(&w->core, WIRE_EVENTS_ACK);
    } while (ack->position < position);
}

static void events_are_told_committed_acknowledged(void **state)
{
    struct world *w = *state;
    const struct wire_events_from *from = far_expect(&w->core, WIRE_EVENTS_FROM);
    uint64_t count;

    assert_int_equal(from->position, 0);
    for (int i = 0; i < 1000; i++)
        send_event(w, "ann@example.net");
    await_ack(w, 1000);
    assert_int_equal(w->report->lines.written, 1000);
    assert_int_equal(w->report->safe, 1000);
    assert_true(history_count(w->report->history, EVENT_DELIVERED, &count, NULL));
    assert_int_equal(count, 1000);
    assert_true(str_has(buf_str(&w->log), "event=delivered"));
}

static void a_restarted_core_goes_on_where_it_was(void **state)
{
    struct world *w = *state;

    send_event(w, "ann@example.net");
    send_event(w, "bob@example.net");
    while (w->report->seen < 2)
        loop_turn(10);
    far_done(&w->core);
    while (w->report->core.channel)
        loop_turn(10);
    far_link(w, &w->core, ROLE_CORE, 2);
    const struct wire_events_from *from = far_expect(&w->core, WIRE_EVENTS_FROM);
    assert_int_equal(from->position, 2);
    w->position = 1; /* one again: it is not told twice */
    send_event(w, "bob@example.net");
    send_event(w, "eve@example.net");
    await_ack(w, 3);
    assert_int_equal(w->report->lines.written, 3);
}

static void P05_an_event_that_cannot_be_ends_core(void **state)
{
    struct world *w = *state;
    struct wire_event *f = wire_add(w->core.channel, WIRE_EVENT, 4);

    f->position = 1;
    wire_put(f, &f->bytes, STR("oops"));
    while (!w->core.closed)
        loop_turn(10);
    assert_null(w->report->core.channel);
    far_link(w, &w->core, ROLE_CORE, 2);
}

/* The disk takes nothing more: every write to a file fails with EFBIG. */
static void set_disk_full(bool full)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? 1 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void D11_a_full_disk_holds_up_nothing(void **state)
{
    struct world *w = *state;

    set_disk_full(true);
    for (int i = 0; i < 600; i++)
        send_event(w, "ann@example.net");
    while (w->report->commits_failed == 0)
        loop_turn(10);
    assert_int_equal(w->report->lines.written, 600);
    assert_int_equal(far_count(&w->core, WIRE_EVENTS_ACK), 0);
    assert_true(str_has(buf_str(&w->log), "event=history-unwritable"));
    set_disk_full(false);
    await_ack(w, 600);
    uint64_t count;
    assert_true(history_count(w->report->history, EVENT_DELIVERED, &count, NULL));
    assert_int_equal(count, 600);
}

/* Live readers --------------------------------------------------------------------------------- */

struct ask {
    enum admin_verb verb;
    uint64_t request, id;
    uint32_t limit, flags;
    const char *account, *from, *to, *site;
};

static void send_admin(struct world *w, struct ask a)
{
    struct wire_admin *f = wire_add(w->web.channel, WIRE_ADMIN, 512);

    f->request = a.request;
    f->verb = (uint32_t)a.verb;
    f->id = a.id;
    f->limit = a.limit;
    f->flags = a.flags;
    wire_put(f, &f->account, str_of(a.account));
    wire_put(f, &f->from, str_of(a.from));
    wire_put(f, &f->to, str_of(a.to));
    wire_put(f, &f->site, str_of(a.site));
}

static void await_told(struct world *w, uint64_t count)
{
    while (w->report->lines.written < count)
        loop_turn(10);
    loop_turn(0);
    loop_turn(0);
}

static const struct tail_case {
    const char *name;
    struct ask ask;
    size_t rows; /* of: ann@example.net, bob@EXAMPLE.org */
} tail_cases[] = {
    { "all", { .verb = ADMIN_TAIL }, 2 },
    { "one address", { .verb = ADMIN_TAIL, .to = "ANN@example.net" }, 1 },
    { "a domain", { .verb = ADMIN_TAIL, .to = "@example.org" }, 1 },
    { "another domain", { .verb = ADMIN_TAIL, .to = "@ample.org" }, 0 },
    { "a sender", { .verb = ADMIN_TAIL, .from = "shop@example.org" }, 2 },
    { "another sender", { .verb = ADMIN_TAIL, .from = "x@example.org" }, 0 },
    { "account", { .verb = ADMIN_TAIL, .account = "3" }, 2 },
    { "another account", { .verb = ADMIN_TAIL, .account = "4" }, 0 },
    { "site", { .verb = ADMIN_TAIL, .site = "example.net" }, 2 },
    { "another site", { .verb = ADMIN_TAIL, .site = "example.com" }, 0 },
};

static void tail_shows_what_its_filters_let_through(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(tail_cases); i++) {
        struct ask a = tail_cases[i].ask;
        a.request = i + 1;
        send_admin(w, a);
        while (list_empty(&w->report->tails))
            loop_turn(10);
        far_forget(&w->web);
        send_event(w, "ann@example.net");
        send_event(w, "bob@EXAMPLE.org");
        await_told(w, 2 * (i + 1));
        if (far_count(&w->web, WIRE_ADMIN_ROW) != tail_cases[i].rows)
            fail_msg("%s: %zu rows", tail_cases[i].name, far_count(&w->web, WIRE_ADMIN_ROW));
        a.flags = ADMIN_STOP;
        send_admin(w, a);
        while (!list_empty(&w->report->tails))
            loop_turn(10);
    }
}

static void a_slow_reader_loses_the_oldest_and_is_told(void **state)
{
    struct world *w = *state;
    struct event e = { .kind = EVENT_DELIVERED, .message = 1, .wall_ms = 1 };
    size_t lost = 0, rows = 0;
    struct str last = STR("");

    send_admin(w, (struct ask){ .verb = ADMIN_TAIL, .request = 9 });
    while (list_empty(&w->report->tails))
        loop_turn(10);
    for (unsigned i = 1; i <= 12000; i++) { /* in one turn: nothing is read meanwhile */
        e.message = i;
        tail_tell(w->report, &e);
    }
    while (channel_full(w->report->web[0].channel) || w->report->tail_timer.place != 0)
        loop_turn(10);
    loop_turn(0);
    for (size_t i = 0; i < w->web.count; i++) {
        const struct wire_admin_row *row = (const void *)w->web.frames[i];
        last = wire_get(row, row->json);
        if (str_has(last, "tail.lost"))
            assert_int_equal(sscanf(last.ptr, "{\"type\":\"tail.lost\",\"count\":%zu", &lost), 1);
        else
            rows++;
    }
    assert_true(lost > 0);
    assert_int_equal(rows + lost, 12000);
    char id[ID_TEXT_LEN + 1];
    assert_true(str_has(last, id_format(12000, id))); /* the newest is there */
}

static void tails_end_with_the_role(void **state)
{
    struct world *w = *state;

    send_admin(w, (struct ask){ .verb = ADMIN_TAIL, .request = 9, .account = "shop" });
    assert_int_equal(((const struct wire_admin_end *)far_expect(&w->web, WIRE_ADMIN_END))->status,
                     422);
    far_forget(&w->web);
    send_admin(w, (struct ask){ .verb = ADMIN_TAIL, .request = 10 });
    while (list_empty(&w->report->tails))
        loop_turn(10);
    tail_end_all(w->report, STR("baton is ending"));
    assert_int_equal(((const struct wire_admin_end *)far_expect(&w->web, WIRE_ADMIN_END))->status,
                     503);
    assert_true(list_empty(&w->report->tails));
}

/* The sandbox ---------------------------------------------------------------------------------- */

struct message {
    uint64_t job;
    uint64_t size;
    uint32_t header;
    struct str content;
    bool bad_edit;
};

static void send_content(struct world *w, uint64_t job, uint64_t offset, struct str piece)
{
    uint64_t position;

    assert_true(ring_put(w->ring, piece, &position));
    struct wire_job_content *f = wire_add(w->core.channel, WIRE_JOB_CONTENT, 0);
    f->job = job;
    f->offset = offset;
    f->position = position;
    f->len = (uint32_t)piece.len;
}

static void send_edit(struct world *w, uint64_t job, enum edit_kind kind, uint32_t at,
                      struct str text)
{
    struct wire_job_edit *f = wire_add(w->core.channel, WIRE_JOB_EDIT, text.len);

    f->job = job;
    f->kind = (uint32_t)kind;
    f->offset = at;
    wire_put(f, &f->text, text);
}

static void send_job(struct world *w, struct message m)
{
    struct str from = STR("shop@example.org");
    static const char *const rcpts[] = { "ann@sandbox.example", "bob@sandbox.example" };
    struct wire_job *f = wire_add(w->core.channel, WIRE_JOB, from.len);

    f->job = m.job;
    f->id = 42;
    f->size_bytes = m.size;
    f->header_bytes = m.header;
    wire_put(f, &f->reverse_path, from);
    for (uint32_t i = 0; i < ARRAY_LEN(rcpts); i++) {
        struct wire_job_rcpt *r = wire_add(w->core.channel, WIRE_JOB_RCPT, strlen(rcpts[i]));
        r->job = m.job;
        r->rcpt = 10 + i;
        wire_put(r, &r->address, str_of(rcpts[i]));
    }
    send_edit(w, m.job, EDIT_INSERT, m.bad_edit ? 99999 : 0, STR("Received: by us id "));
    send_edit(w, m.job, EDIT_INSERT_ID, m.bad_edit ? 99999 : 0, STR(""));
    send_edit(w, m.job, EDIT_INSERT, m.bad_edit ? 99999 : 0, STR("\r\n"));
    struct wire_job_go *go = wire_add(w->core.channel, WIRE_JOB_GO, 0);
    go->job = m.job;
    if (m.content.len > 0)
        send_content(w, m.job, 0, m.content);
}

#define SMALL "Subject: =?utf-8?q?hi?=\r\n there\r\n\r\nbody \"quoted\"\r\n"

static struct message small(uint64_t job)
{
    return (struct message){ .job = job,
                             .size = sizeof SMALL - 1,
                             .header = (uint32_t)str_find(STR(SMALL), STR("body")),
                             .content = STR(SMALL) };
}

static const struct wire_admin_end *ask(struct world *w, struct ask a)
{
    far_forget(&w->web);
    a.request = 5;
    send_admin(w, a);
    return far_expect(&w->web, WIRE_ADMIN_END);
}

static struct str row(struct world *w, size_t n)
{
    for (size_t i = 0; i < w->web.count; i++)
        if (w->web.frames[i]->type == WIRE_ADMIN_ROW && n-- == 0) {
            const struct wire_admin_row *f = (const void *)w->web.frames[i];
            return wire_get(f, f->json);
        }
    return STR("");
}

static void sandbox_keeps_what_would_have_been_sent(void **state)
{
    struct world *w = *state;

    send_job(w, small(1));
    (void)far_expect(&w->core, WIRE_RESULT);
    const struct wire_result_rcpt *r = far_expect(&w->core, WIRE_RESULT_RCPT);
    assert_int_equal(far_count(&w->core, WIRE_RESULT_RCPT), 2);
    assert_int_equal(r->kind, OUTCOME_DELIVERED);
    assert_int_equal(r->code, 250);
    assert_int_equal(r->rcpt, 11);
    assert_true(str_eq(wire_get(r, r->host), STR("sandbox")));
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_SANDBOX_LIST })->status, 200);
    assert_true(str_starts(row(w, 0), STR("{\"n\":1,\"id\":\"000000000001A\",\"from\":\"shop@")));
    assert_true(str_has(row(w, 0), "\"to\":\"ann@sandbox.example, bob@sandbox.example\""));
    assert_true(str_has(row(w, 0), "\"subject\":\"=?utf-8?q?hi?= there\""));
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_SANDBOX_SHOW, .id = 1 })->status, 200);
    assert_true(str_has(row(w, 0), "\"part\":0,\"text\":\"\"}"));
    assert_true(str_starts(row(w, 1),
                           STR("{\"n\":1,\"part\":1,\"text\":\"Received: by us id 000000000001A")));
    assert_true(str_has(row(w, 1), "body \\\"quoted\\\""));
}

static void sandbox_keeps_the_newest(void **state)
{
    struct world *w = *state;

    for (uint64_t i = 1; i <= 5; i++)
        send_job(w, small(i));
    while (far_count(&w->core, WIRE_RESULT) < 5)
        loop_turn(10);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_SANDBOX_LIST, .limit = 2 })->next, 4);
    assert_true(str_starts(row(w, 0), STR("{\"n\":5,")));
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_SANDBOX_LIST, .limit = 2, .id = 4 })->next,
                     0);
    assert_true(str_starts(row(w, 0), STR("{\"n\":3,")));
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_SANDBOX_SHOW, .id = 1 })->status, 404);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_QUEUE_LIST })->status, 422);
}

static void sandbox_cuts_what_is_over_a_mebibyte(void **state)
{
    enum { SIZE = 3 * 1024 * 1024, PIECE = 64 * 1024 };
    struct world *w = *state;
    char *piece = mem_new(PIECE);
    size_t text = 0;

    memset(piece, 'x', PIECE);
    memcpy(piece, "A: b\r\n\r\n", 8);
    send_job(w, (struct message){
                    .job = 1, .size = SIZE, .header = 8, .content = str_make(piece, PIECE) });
    const struct wire_job_more *more = far_expect(&w->core, WIRE_JOB_MORE);
    assert_int_equal(more->upto, 1024 * 1024);
    for (uint64_t at = PIECE; at < more->upto; at += PIECE)
        send_content(w, 1, at, str_make(piece, PIECE));
    free(piece);
    (void)far_expect(&w->core, WIRE_RESULT);
    assert_int_equal(((const struct wire_credit *)far_expect(&w->core, WIRE_CREDIT))->position,
                     1024 * 1024);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_SANDBOX_SHOW, .id = 1 })->status, 200);
    assert_true(str_has(row(w, 0), "\"size\":3145728,"));
    assert_true(str_has(row(w, 0), "\"whole\":false"));
    for (size_t i = 0; row(w, i).len > 0; i++)
        text += row(w, i).len;
    assert_true(text > 1024 * 1024 && row(w, 1).len <= 3 * 1024);
}

static void sandbox_says_when_it_cannot(void **state)
{
    struct world *w = *state;
    struct message bad = small(1);
    const struct wire_result_rcpt *r;

    bad.bad_edit = true;
    send_job(w, bad);
    (void)far_expect(&w->core, WIRE_RESULT);
    r = far_expect(&w->core, WIRE_RESULT_RCPT);
    assert_int_equal(r->kind, OUTCOME_BOUNCED);
    assert_int_equal(r->code, 554);
    far_forget(&w->core);
    set_disk_full(true); /* D11 */
    send_job(w, small(2));
    (void)far_expect(&w->core, WIRE_RESULT);
    r = far_expect(&w->core, WIRE_RESULT_RCPT);
    assert_int_equal(r->kind, OUTCOME_DEFERRED);
    assert_int_equal(r->code, 452);
    set_disk_full(false);
    assert_int_equal(w->report->sandbox_jobs.count, 0);
}

static void a_cancelled_job_has_no_result(void **state)
{
    struct world *w = *state;
    struct message m = small(1);
    struct str content = m.content;

    m.content = STR("");
    send_job(w, m);
    struct wire_job_cancel *f = wire_add(w->core.channel, WIRE_JOB_CANCEL, 0);
    f->job = 1;
    send_content(w, 1, 0, content); /* was underway: it is taken out of the ring */
    send_job(w, small(2));
    (void)far_expect(&w->core, WIRE_RESULT);
    assert_int_equal(far_count(&w->core, WIRE_RESULT), 1);
    assert_int_equal(((const struct wire_result *)far_expect(&w->core, WIRE_RESULT))->job, 2);
}

static void done_is_called(void *arg)
{
    *(bool *)arg = true;
}

static void drain_takes_in_what_was_told(void **state)
{
    struct world *w = *state;
    bool done = false;

    send_event(w, "ann@example.net");
    send_job(w, small(1));
    await_told(w, 1);
    report_role.drain(w->report, done_is_called, &done);
    while (!done)
        loop_turn(10);
    assert_int_equal(w->report->safe, 1);
    (void)far_expect(&w->core, WIRE_RESULT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_are_told_committed_acknowledged),
        TEST(a_restarted_core_goes_on_where_it_was),
        TEST(P05_an_event_that_cannot_be_ends_core),
        TEST(D11_a_full_disk_holds_up_nothing),
        TEST(tail_shows_what_its_filters_let_through),
        TEST(a_slow_reader_loses_the_oldest_and_is_told),
        TEST(tails_end_with_the_role),
        TEST(sandbox_keeps_what_would_have_been_sent),
        TEST(sandbox_keeps_the_newest),
        TEST(sandbox_cuts_what_is_over_a_mebibyte),
        TEST(sandbox_says_when_it_cannot),
        TEST(a_cancelled_job_has_no_result),
        TEST(drain_takes_in_what_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
