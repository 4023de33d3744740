// SPDX-License-Identifier: Apache-2.0
/* mail/dsn_test.c - notifications: one whole, then each variation in it (R50, S10, O12). */
#include "mail/dsn.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

static struct dsn_recipient ann(void)
{
    return (struct dsn_recipient){
        .address = STR("ann@b.org"),
        .orcpt = STR("rfc822;ann+2Bx@b.org"),
        .outcome = { .kind = OUTCOME_BOUNCED,
                     .reply = { 550, { 5, 1, 1 }, STR("no such user") },
                     .host = STR("mx.b.org"),
                     .ip = { .family = 4, .bytes = { 192, 0, 2, 1 } } },
        .last_attempt_wall_ms = 1795310923123,
    };
}

static struct dsn dsn_about(const struct dsn_recipient *recipients, size_t count)
{
    return (struct dsn){
        .kind = DSN_FAILED,
        .reporting_mta = STR("mx.a.org"),
        .postmaster = STR("postmaster@a.org"),
        .to = STR("bob@a.org"),
        .envid = STR("env 1"),
        .original_id = STR("ORIGINAL"),
        .subject = STR("Hello"),
        .dsn_id = STR("DSNID"),
        .wall_ms = 1795310923123,
        .arrival_wall_ms = 1795310923123,
        .recipients = recipients,
        .count = count,
    };
}

static const char *format(struct buf *to, const struct dsn *d)
{
    buf_init(to, 1 << 20);
    assert_true(dsn_format_head(to, d));
    buf_add(to, STR("Subject: Hello\r\n\r\n"));
    assert_true(dsn_format_tail(to, d));
    return buf_cstr(to);
}

static void r50_a_bounce_reads_as_a_whole(void **state)
{
    static const char want[] =
        "From: \"Mail Delivery System\" <postmaster@a.org>\r\n"
        "To: <bob@a.org>\r\n"
        "Subject: Your message could not be delivered\r\n"
        "Date: Sun, 22 Nov 2026 01:28:43 +0000\r\n"
        "Message-ID: <DSNID@mx.a.org>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        "\tboundary=\"dsn-DSNID\"\r\n"
        "\r\n"
        "--dsn-DSNID\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "\r\n"
        "This is the mail server mx.a.org.\r\n"
        "\r\n"
        "Your message to <ann@b.org> could not be delivered.\r\n"
        "\r\n"
        "What the remote server mx.b.org [192.0.2.1] said:\r\n"
        "    550 5.1.1 no such user\r\n"
        "\r\n"
        "The subject of your message was:\r\n"
        "    Hello\r\n"
        "\r\n"
        "It was received on Sun, 22 Nov 2026 01:28:43 +0000 with the id ORIGINAL.\r\n"
        "What follows is for mail programs and administrators.\r\n"
        "\r\n"
        "--dsn-DSNID\r\n"
        "Content-Type: message/delivery-status\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "\r\n"
        "Reporting-MTA: dns; mx.a.org\r\n"
        "Original-Envelope-Id: env 1\r\n"
        "Arrival-Date: Sun, 22 Nov 2026 01:28:43 +0000\r\n"
        "\r\n"
        "Original-Recipient: rfc822;ann+x@b.org\r\n"
        "Final-Recipient: rfc822; ann@b.org\r\n"
        "Action: failed\r\n"
        "Status: 5.1.1\r\n"
        "Remote-MTA: dns; mx.b.org\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
        "Last-Attempt-Date: Sun, 22 Nov 2026 01:28:43 +0000\r\n"
        "\r\n"
        "--dsn-DSNID\r\n"
        "Content-Type: text/rfc822-headers\r\n"
        "Content-Transfer-Encoding: 7bit\r\n"
        "\r\n"
        "Subject: Hello\r\n"
        "\r\n"
        "\r\n"
        "--dsn-DSNID--\r\n";
    struct dsn_recipient r = ann();
    struct dsn d = dsn_about(&r, 1);
    struct buf got;

    (void)state;
    assert_string_equal(format(&got, &d), want);
    buf_done(&got);
}

static const struct kind_case {
    enum dsn_kind kind;
    struct outcome outcome;
    const char *want[4];
    const char *absent;
} kind_cases[] = {
    { DSN_FAILED,
      { .kind = OUTCOME_EXPIRED, .reply = { 451, { 4, 2, 0 }, STR("later") } },
      { "in time", "Action: failed", "Status: 4.4.7", "smtp; 451 4.2.0 later" },
      "Will-Retry" },
    { DSN_FAILED,
      { .kind = OUTCOME_CANCELLED },
      { "cancelled by the operator", "Status: 5.7.1" },
      "Diagnostic-Code" },
    { DSN_FAILED,
      { .kind = OUTCOME_BOUNCED, .reply = { 0, { 0, 0, 0 }, STR("host not found") } },
      { "What went wrong:\r\n    host not found", "Status: 5.0.0", "x-baton; host not found" },
      "Remote-MTA" },
    { DSN_FAILED,
      { .kind = OUTCOME_BOUNCED, .reply = { 554, { 4, 7, 1 }, STR("no") } },
      { "Status: 5.0.0" },
      "Status: 4" },
    { DSN_DELAYED,
      { .kind = OUTCOME_DEFERRED, .reply = { 451, { 4, 7, 1 }, STR("greylisted") } },
      { "not been delivered yet", "Action: delayed", "Status: 4.7.1",
        "Will-Retry-Until: Fri, 27 Nov 2026 01:28:43 +0000" },
      "failed" },
    { DSN_DELIVERED,
      { .kind = OUTCOME_DELIVERED, .reply = { 250, { 2, 0, 0 }, STR("ok") } },
      { "was delivered.", "Action: delivered", "Status: 2.0.0" },
      "remote server" },
    { DSN_RELAYED,
      { .kind = OUTCOME_RELAYED, .reply = { 250, { 0, 0, 0 }, STR("ok") } },
      { "was handed to a mail server", "Action: relayed", "Status: 2.0.0" },
      "failed" },
};

static void r50_each_kind_has_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kind_cases); i++) {
        struct dsn_recipient r = ann();
        struct dsn d = dsn_about(&r, 1);
        struct buf got;
        const char *text;

        r.outcome = kind_cases[i].outcome;
        r.retry_until_wall_ms = 1795310923123 + 5LL * 86400000;
        d.kind = kind_cases[i].kind;
        text = format(&got, &d);
        for (size_t j = 0; j < 4 && kind_cases[i].want[j]; j++)
            if (!strstr(text, kind_cases[i].want[j]))
                fail_msg("no \"%s\" in: %s", kind_cases[i].want[j], text);
        if (strstr(text, kind_cases[i].absent))
            fail_msg("\"%s\" in: %s", kind_cases[i].absent, text);
        buf_done(&got);
    }
}

static void r50_the_third_part_fits_the_original(void **state)
{
    static const struct {
        bool full, utf8, eight_bit;
        const char *want;
    } cases[] = {
        { false, false, true,
          "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n" },
        { true, false, false,
          "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n" },
        { true, true, true, "Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n" },
        { false, true, true,
          "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dsn_recipient r = ann();
        struct dsn d = dsn_about(&r, 1);
        struct buf got;
        const char *text;

        d.return_full = cases[i].full;
        d.utf8 = cases[i].utf8;
        d.original_8bit = cases[i].eight_bit;
        text = format(&got, &d);
        assert_non_null(strstr(text, cases[i].want));
        assert_int_equal(strstr(text, "message/global-delivery-status") != NULL, cases[i].utf8);
        buf_done(&got);
    }
}

static void r50_utf8_recipients_follow_rfc_6533(void **state)
{
    struct dsn_recipient r = ann();
    struct dsn d = dsn_about(&r, 1);
    struct buf got;
    const char *text;

    (void)state;
    r.address = STR("j\xc3\xbc@b.org");
    r.orcpt = STR("utf-8;j\\x{FC}@b.org");
    d.utf8 = true;
    text = format(&got, &d);
    assert_non_null(strstr(text, "Final-Recipient: utf-8; j\xc3\xbc@b.org\r\n"));
    assert_non_null(strstr(text, "Original-Recipient: utf-8;j\\x{FC}@b.org\r\n"));
    buf_done(&got);

    d.utf8 = false;
    text = format(&got, &d);
    assert_true(str_is_ascii(str_of(text)));
    buf_done(&got);
}

static void s10_hostile_words_stay_words(void **state)
{
    static char long_word[3000];
    struct dsn_recipient r = ann();
    struct dsn d = dsn_about(&r, 1);
    struct buf got;
    struct str rest, line;
    const char *text;

    (void)state;
    memset(long_word, 'w', sizeof(long_word));
    r.outcome.reply.text = STR("a\r\n--dsn-DSNID--\r\nX: y\0\x1b[31m \xff");
    r.outcome.host = STR("mx\r\nStatus: 2.0.0");
    r.orcpt = STR("rfc822;a+0D+0AAction:+20delivered");
    d.subject = str_make(long_word, sizeof(long_word));
    text = format(&got, &d);
    assert_null(strstr(text, "\nStatus: 2"));
    assert_null(strstr(text, "\nAction: delivered"));
    assert_null(strstr(text, "\nX: y"));
    assert_null(memchr(text, '\x1b', got.len));
    assert_int_equal(strlen(text), got.len);
    rest = buf_str(&got);
    while (str_cut(rest, '\n', &line, &rest)) {
        assert_true(line.len > 0 && line.ptr[line.len - 1] == '\r');
        assert_true(line.len - 1 <= 998);
    }
    buf_done(&got);
}

static void r50_many_recipients_have_a_group_each(void **state)
{
    struct dsn_recipient r[3] = { ann(), ann(), ann() };
    struct dsn d = dsn_about(r, 3);
    struct buf got;
    struct str rest;
    size_t groups = 0, at;

    (void)state;
    (void)format(&got, &d);
    rest = buf_str(&got);
    while ((at = str_find(rest, STR("\r\n\r\nOriginal-Recipient: "))) < rest.len) {
        groups++;
        rest = str_skip(rest, at + 4);
    }
    assert_int_equal(groups, 3);
    buf_done(&got);
}

static void r50_notify_decides_who_is_told(void **state)
{
    static const struct {
        unsigned notify;
        bool failed, delayed, delivered;
    } cases[] = {
        { NOTIFY_DEFAULT, true, true, false },
        { NOTIFY_NEVER, false, false, false },
        { NOTIFY_SUCCESS, false, false, true },
        { NOTIFY_FAILURE, true, false, false },
        { NOTIFY_DELAY | NOTIFY_SUCCESS, false, true, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(dsn_wanted(cases[i].notify, DSN_FAILED), cases[i].failed);
        assert_int_equal(dsn_wanted(cases[i].notify, DSN_DELAYED), cases[i].delayed);
        assert_int_equal(dsn_wanted(cases[i].notify, DSN_DELIVERED), cases[i].delivered);
        assert_int_equal(dsn_wanted(cases[i].notify, DSN_RELAYED), cases[i].delivered);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r50_a_bounce_reads_as_a_whole),
        cmocka_unit_test(r50_each_kind_has_its_words),
        cmocka_unit_test(r50_the_third_part_fits_the_original),
        cmocka_unit_test(r50_utf8_recipients_follow_rfc_6533),
        cmocka_unit_test(s10_hostile_words_stay_words),
        cmocka_unit_test(r50_many_recipients_have_a_group_each),
        cmocka_unit_test(r50_notify_decides_who_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
