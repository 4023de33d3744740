// SPDX-License-Identifier: Apache-2.0
/* report/lines_test.c - the lines that people and log tools read. The Postfix form is given to
 * pflogsumm where that is installed (or named by $PFLOGSUMM). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "report/lines.h"

#define ACCEPTED_MS 1795311000000 /* 2026-11-22T01:30:00Z */

struct fixture {
    struct config config;
    struct lines lines;
    struct buf log;
};

static void keep_line(void *arg, enum log_level level, struct str line)
{
    (void)level;
    buf_add(arg, line);
    buf_add_char(arg, '\n');
}

static int set_up(void **state)
{
    struct fixture *f = NEW(struct fixture);

    f->config.hostname = STR("relay.example.org");
    lines_init(&f->lines, &f->config);
    buf_init(&f->log, 1 << 20);
    log_set_sink(keep_line, &f->log);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    log_set_sink(NULL, NULL);
    lines_done(&f->lines);
    buf_done(&f->log);
    free(f);
    return 0;
}

static const struct event accepted = {
    .position = 1,
    .kind = EVENT_ACCEPTED,
    .message = 42,
    .account = 3,
    .wall_ms = ACCEPTED_MS,
    .accepted_wall_ms = ACCEPTED_MS,
    .size_bytes = 2048,
    .rcpt_count = 3,
    .reverse_path = STR("shop@example.org"),
    .client = STR("192.0.2.7"),
    .helo = STR("shop.example.org"),
    .login = STR("shop"),
};

static struct event attempt(enum event_kind kind, const char *to)
{
    struct event e = {
        .position = 2,
        .kind = kind,
        .message = 42,
        .account = 3,
        .wall_ms = ACCEPTED_MS + 1500,
        .accepted_wall_ms = ACCEPTED_MS,
        .tries = 1,
        .reverse_path = STR("shop@example.org"),
        .address = str_of(to),
        .destination = STR("mx:example.net"),
        .source = STR("192.0.2.1"),
        .outcome = { .kind = OUTCOME_DELIVERED,
                     .scope = SCOPE_RECIPIENT,
                     .reply = { 250, { 2, 1, 5 }, STR("fine, thanks") },
                     .host = STR("mx1.example.net"),
                     .ip = { 4, { 198, 51, 100, 9 } },
                     .tls = true,
                     .waited_ms = 40,
                     .dialogue_ms = 60 },
    };

    if (kind == EVENT_DEFERRED) {
        e.outcome.kind = OUTCOME_DEFERRED;
        e.outcome.reply = (struct reply){ 451, { 4, 7, 1 }, STR("come back later") };
        e.due_wall_ms = ACCEPTED_MS + 300000;
    } else if (kind == EVENT_BOUNCED) {
        e.outcome.kind = OUTCOME_BOUNCED;
        e.outcome.reply = (struct reply){ 550, { 5, 1, 1 }, STR("no such user") };
        e.dsn = 43;
    }
    return e;
}

static void assert_log(const struct fixture *f, const char *want)
{
    struct str log = buf_str(&f->log);

    if (str_find(log, str_of(want)) == log.len)
        fail_msg("\"%s\" is not in\n%.*s", want, STR_FMT(log));
}

static size_t count_lines(const struct fixture *f)
{
    size_t count = 0;

    for (size_t i = 0; i < f->log.len; i++)
        count += f->log.ptr[i] == '\n';
    return count;
}

static void R17_the_five_facts_stand_in_the_record(void **state)
{
    struct fixture *f = *state;
    struct event e = attempt(EVENT_DELIVERED, "ann@example.net");

    lines_write(&f->lines, &accepted);
    lines_write(&f->lines, &e);
    assert_log(f, "event=accepted at=2026-11-22T01:30:00.000Z id=");
    assert_log(f, "from=shop@example.org client=192.0.2.7 helo=shop.example.org login=shop");
    assert_log(f, "rcpt=ann@example.net");
    assert_int_equal(count_lines(f), 2);
}

static void one_line_per_recipient_and_attempt(void **state)
{
    struct fixture *f = *state;
    struct event e = attempt(EVENT_DEFERRED, "ann@example.net");

    lines_write(&f->lines, &e);
    assert_log(f, "event=deferred at=2026-11-22T01:30:01.500Z id=");
    assert_log(f, "account=3 from=shop@example.org rcpt=ann@example.net dest=mx:example.net "
                  "source=192.0.2.1 host=mx1.example.net ip=198.51.100.9 code=451 status=4.7.1 "
                  "scope=recipient tls=yes waited_ms=40 dialogue_ms=60 try=1 "
                  "next=2026-11-22T01:35:00.000Z text=\"come back later\"\n");
    assert_int_equal(count_lines(f), 1);
}

static const char hostile[] = "250 ok\r\n2026-11-22T01:30:00Z x postfix/smtp[1]: FAKE: \x1b[2J"
                              "\xe2\x80\xae \xe2\x80\xa8 \xc2\x9b \xff (status=sent)";

static void W07_nothing_breaks_out_of_its_line(void **state)
{
    struct fixture *f = *state;
    struct event e = attempt(EVENT_DELIVERED, "a>, relay=evil <\r\n\x1b]0;x\x07@example.net");

    e.outcome.reply.text = str_of(hostile);
    e.outcome.host = STR("mx, status=sent (\n");
    for (int form = LOG_FORM_KEYVALUE; form <= LOG_FORM_POSTFIX; form++) {
        buf_clear(&f->log);
        f->config.log_form = (enum log_form)form;
        lines_write(&f->lines, &e);
        assert_int_equal(count_lines(f), 1);
        for (size_t i = 0; i + 1 < f->log.len; i++) {
            unsigned char c = (unsigned char)f->log.ptr[i];
            assert_true(c >= ' ' && c != 0x7f);
        }
        static const char *const banned[] = { "\xe2\x80\xae", "\xe2\x80\xa8", "\xc2\x9b", "\xff" };
        for (size_t i = 0; i < ARRAY_LEN(banned); i++)
            assert_int_equal(str_find(buf_str(&f->log), str_of(banned[i])), f->log.len);
    }
    assert_log(f, "to=<a?, relay=evil ????]0;x?@example.net>, relay=mx??status=sent?(?[198.51");
}

static void postfix_form(void **state)
{
    struct fixture *f = *state;
    struct event sent = attempt(EVENT_DELIVERED, "ann@example.net");
    struct event later = attempt(EVENT_DEFERRED, "bob@example.net");
    struct event bounced = attempt(EVENT_BOUNCED, "eve@example.net");
    struct event relayed = attempt(EVENT_RELAYED, "bob@example.net");

    f->config.log_form = LOG_FORM_POSTFIX;
    lines_write(&f->lines, &accepted);
    lines_write(&f->lines, &sent);
    lines_write(&f->lines, &later);
    lines_write(&f->lines, &bounced);
    assert_log(f, "2026-11-22T01:30:00.000Z relay.example.org postfix/smtpd[1]: 000000000001A: "
                  "client=unknown[192.0.2.7], sasl_username=shop\n");
    assert_log(f, "postfix/qmgr[1]: 000000000001A: from=<shop@example.org>, size=2048, nrcpt=3 "
                  "(queue active)\n");
    assert_log(f, "postfix/smtp[1]: 000000000001A: to=<ann@example.net>, "
                  "relay=mx1.example.net[198.51.100.9]:25, delay=1.50, delays=0/1.40/0.04/0.06, "
                  "dsn=2.1.5, status=sent (250 2.1.5 fine, thanks)\n");
    assert_log(f, "status=deferred (451 4.7.1 come back later)\n");
    assert_log(f, "status=bounced (550 5.1.1 no such user)\n");
    assert_log(f, "postfix/bounce[1]: 000000000001A: sender non-delivery notification: 00");
    assert_int_equal(str_find(buf_str(&f->log), STR("removed")), f->log.len);
    lines_write(&f->lines, &relayed); /* the last recipient */
    assert_log(f, "postfix/qmgr[1]: 000000000001A: removed\n");
}

static void without_peer_or_status(void **state)
{
    struct fixture *f = *state;
    struct event e = attempt(EVENT_DEFERRED, "ann@example.net");

    f->config.log_form = LOG_FORM_POSTFIX;
    e.outcome = (struct outcome){ .kind = OUTCOME_DEFERRED,
                                  .reply = { 0, { 0, 0, 0 }, STR("no answer in 30 s") } };
    lines_write(&f->lines, &e);
    assert_log(f, "relay=none, delay=1.50, delays=0/1.50/0.00/0.00, dsn=4.0.0, status=deferred "
                  "(no answer in 30 s)\n");
}

static void what_operators_do(void **state)
{
    struct fixture *f = *state;
    struct event e = attempt(EVENT_CANCELLED, "ann@example.net");

    e.outcome = (struct outcome){ 0 };
    e.actor = STR("root");
    e.reason = STR("sent by mistake");
    lines_write(&f->lines, &e);
    assert_log(f, "event=cancelled");
    assert_log(f, "actor=root reason=\"sent by mistake\"");
    f->config.log_form = LOG_FORM_POSTFIX;
    lines_write(&f->lines, &e);
    assert_log(f, "to=<ann@example.net>, cancelled by root: sent by mistake\n");
}

static void json_of(const struct event *e, struct buf *to)
{
    buf_init(to, EVENT_JSON_MAX);
    event_json(e, to);
    assert_true(buf_ok(to));
}

static void json_names(void **state)
{
    struct event e = attempt(EVENT_DEFERRED, "ann@example.net");
    struct buf b;

    (void)state;
    json_of(&e, &b);
    static const char want[] = "{\"type\":\"email.deferred\",\"timestamp\":\"2026-11-22T01:30:01."
                               "500Z\",\"id\":\"000000000001A\",\"account\":3,\"from\":"
                               "\"shop@example.org\",";
    assert_true(str_starts(buf_str(&b), str_of(want)));
    buf_done(&b);
}

static void json_over_the_limit_is_cut_whole(void **state)
{
    struct event e = attempt(EVENT_DEFERRED, "ann@example.net");
    char text[1000];
    struct buf b;

    (void)state;
    memset(text, 1, sizeof text); /* six octets each when escaped */
    e.outcome.reply.text = str_make(text, sizeof text);
    json_of(&e, &b);
    assert_true(str_find(buf_str(&b), STR("\"cut\":true}")) < b.len);
    buf_done(&b);
}

/* pflogsumm, or NULL. */
static const char *tool(void)
{
    const char *named = getenv("PFLOGSUMM");

    if (named)
        return named;
    return access("/usr/sbin/pflogsumm", X_OK) == 0 ? "/usr/sbin/pflogsumm" : NULL;
}

static void write_file(int fd, struct str text)
{
    assert_int_equal(write(fd, text.ptr, text.len), text.len);
    assert_int_equal(close(fd), 0);
}

static bool summary_has(struct str summary, const char *line)
{
    return str_find(summary, str_of(line)) < summary.len;
}

static void pflogsumm_reads_it(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/maillog-XXXXXX", command[512], summary[16384];

    if (!tool())
        skip();
    postfix_form(state);
    write_file(mkstemp(path), buf_str(&f->log));
    (void)snprintf(command, sizeof command, "perl %s %s", tool(), path);
    FILE *out = popen(command, "r");
    size_t len = fread(summary, 1, sizeof summary, out);
    assert_int_equal(pclose(out), 0);
    (void)unlink(path);
    struct str text = str_make(summary, len);
    assert_true(summary_has(text, "      1   received\n"));
    assert_true(summary_has(text, "      2   delivered\n"));
    assert_true(summary_has(text, "      1   deferred  (1  deferrals)\n"));
    assert_true(summary_has(text, "      1   bounced\n"));
    assert_true(summary_has(text, "shop@example.org"));
    assert_true(summary_has(text, "ann@example.net"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R17_the_five_facts_stand_in_the_record),
        TEST(one_line_per_recipient_and_attempt),
        TEST(W07_nothing_breaks_out_of_its_line),
        TEST(postfix_form),
        TEST(without_peer_or_status),
        TEST(what_operators_do),
        TEST(json_names),
        TEST(json_over_the_limit_is_cut_whole),
        TEST(pflogsumm_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
