// SPDX-License-Identifier: Apache-2.0
/* mail/received_test.c - the trace line, with honest clients and with others (R17, S10, V02). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/header.h"

#define DATE ";\r\n\tSun, 22 Nov 2026 01:28:43 +0000\r\n"

static const struct received_case {
    const char *name;
    struct received r;
    const char *want;
} received_cases[] = {
    { "plain",
      { .helo = STR("a.org"), .client_ip = STR("192.0.2.1"), .by = STR("mx.b.org") },
      "Received: from a.org ([192.0.2.1])\r\n\tby mx.b.org with SMTP id ID42" DATE },
    { "everything",
      { .helo = STR("a.org"),
        .client_ip = STR("2001:db8::1"),
        .by = STR("mx.b.org"),
        .esmtp = true,
        .tls = true,
        .authenticated = true,
        .tls_protocol = STR("TLSv1.3"),
        .tls_cipher = STR("TLS_AES_256_GCM_SHA384"),
        .for_recipient = STR("ann@c.org") },
      "Received: from a.org ([IPv6:2001:db8::1])\r\n\tby mx.b.org with ESMTPSA id ID42\r\n"
      "\t(using TLSv1.3 with TLS_AES_256_GCM_SHA384)\r\n\tfor <ann@c.org>" DATE },
    { "UTF-8",
      { .helo = STR("b\xc3\xbc"
                    "cher.org"),
        .client_ip = STR("192.0.2.1"),
        .by = STR("mx.b.org"),
        .esmtp = true,
        .utf8 = true,
        .for_recipient = STR("j\xc3\xbc@c.org") },
      "Received: from b\xc3\xbc"
      "cher.org ([192.0.2.1])\r\n\tby mx.b.org with UTF8SMTP id ID42\r\n"
      "\tfor <j\xc3\xbc@c.org>" DATE },
    { "UTF-8 where it may not be",
      { .helo = STR("b\xc3\xbc"),
        .client_ip = STR("192.0.2.1"),
        .by = STR("mx.b.org"),
        .esmtp = true,
        .for_recipient = STR("j\xc3\xbc@c.org") },
      "Received: from [192.0.2.1] (helo=b\?\?)\r\n\tby mx.b.org with ESMTP id ID42" DATE },
    { "hidden client",
      { .helo = STR("pc7.internal"),
        .client_ip = STR("10.0.0.7"),
        .by = STR("mx.b.org"),
        .esmtp = true,
        .tls = true,
        .authenticated = true,
        .hide_client = true },
      "Received: by mx.b.org with ESMTPSA id ID42" DATE },
    { "literal HELO",
      { .helo = STR("[10.0.0.7]"),
        .client_ip = STR("192.0.2.1"),
        .by = STR("mx.b.org"),
        .esmtp = true },
      "Received: from [192.0.2.1] (helo=[10.0.0.7])\r\n\tby mx.b.org with ESMTP id ID42" DATE },
    { "HELO that breaks out",
      { .helo = STR("x)\r\nBcc: <y>;(\\\"\0"),
        .client_ip = STR("192.0.2.1"),
        .by = STR("mx.b.org") },
      "Received: from [192.0.2.1] (helo=x\?\?\?Bcc:\?\?y\?\?\?\?\?\?)\r\n\tby mx.b.org with SMTP id ID42" DATE },
    { "recipient that breaks out",
      { .helo = STR("a.org"),
        .client_ip = STR("192.0.2.1"),
        .by = STR("mx.b.org"),
        .for_recipient = STR("a@b>\r\nX: <c@d") },
      "Received: from a.org ([192.0.2.1])\r\n\tby mx.b.org with SMTP id ID42" DATE },
};

static void r17_trace_line_says_what_it_may(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    for (size_t i = 0; i < ARRAY_LEN(received_cases); i++) {
        struct received r = received_cases[i].r;
        struct header_edit edits[3];
        struct buf got;
        size_t count = 0;

        r.wall_ms = 1795310923123;
        buf_init(&got, 4096);
        received_edits(&a, &r, edits, &count);
        assert_in_range(count, 1, 3);
        assert_true(header_render(&got, STR("A: 1\r\n"), edits, count, STR("ID42"), NULL));
        assert_true(str_ends_nocase(buf_str(&got), STR("A: 1\r\n")));
        got.len -= 6;
        if (strcmp(buf_cstr(&got), received_cases[i].want) != 0)
            fail_msg("%s: %s", received_cases[i].name, buf_cstr(&got));
        buf_done(&got);
    }
    arena_done(&a);
}

static void s10_longest_values_stay_within_an_edit(void **state)
{
    static char long_text[5000];
    struct str text = str_make(long_text, sizeof(long_text));
    struct received r = { .helo = text,
                          .client_ip = text,
                          .by = text,
                          .tls = true,
                          .tls_protocol = text,
                          .tls_cipher = text,
                          .for_recipient = text };
    struct header_edit edits[3];
    struct arena a;
    size_t count = 0;

    (void)state;
    memset(long_text, 'x', sizeof(long_text));
    arena_init(&a, 4096);
    received_edits(&a, &r, edits, &count);
    for (size_t i = 0; i < count; i++)
        assert_in_range(edits[i].text.len, 0, EDIT_TEXT_MAX);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r17_trace_line_says_what_it_may),
        cmocka_unit_test(s10_longest_values_stay_within_an_edit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
