// SPDX-License-Identifier: Apache-2.0
/* accept/expect_test.h - for tests: what clients say, and what they must hear. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "accept/world_test.h"
#include "base/mem.h"

#define HELO "EHLO me.example\r\n"
#define FROM "MAIL FROM:<me@my.example>\r\n"
#define TO "RCPT TO:<ann@home.example>\r\n"
#define AUTH_ANN "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n"
#define TEXT "Subject: x\r\n\r\nHello\r\n.\r\n"

/* `want` is one reply: "250", "250 2.1.0", or "end". */
static inline void check_reply(struct client *c, struct str want)
{
    char line[64];
    struct str code, status;

    (void)client_hear(c);
    if (!str_cut(want, ' ', &code, &status)) {
        code = want;
        status = STR_NONE;
    }
    (void)snprintf(line, sizeof(line), "%u", c->code);
    if (!str_eq(code, str_of(c->code == 0 ? "end" : line)))
        fail_msg("wanted %.*s, heard \"%s\"", STR_FMT(want), c->text);
    if (status.len > 0 && !str_starts(str_skip(str_of(c->text), 4), status))
        fail_msg("wanted %.*s, heard \"%s\"", STR_FMT(want), c->text);
}

/* Several by ", ". */
static inline void check_replies(struct client *c, struct str want)
{
    struct str one;

    while (want.len > 0) {
        size_t at = str_find(want, STR(", "));

        one = str_sub(want, 0, at);
        want = str_skip(want, at + 2);
        check_reply(c, one);
    }
}
