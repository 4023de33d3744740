// SPDX-License-Identifier: Apache-2.0
/* deliver/extensions_test.c - lines of EHLO answers, good, old and senseless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "deliver/extensions.h"

static const struct extension_case {
    const char *line;
    struct extensions want;
} extension_cases[] = {
    { "PIPELINING", { .offered = EXT_PIPELINING } },
    { "pipelining", { .offered = EXT_PIPELINING } },
    { "8BITMIME ", { .offered = EXT_8BITMIME } },
    { "BINARYMIME", { .offered = EXT_BINARYMIME } },
    { "CHUNKING", { .offered = EXT_CHUNKING } },
    { "SMTPUTF8", { .offered = EXT_SMTPUTF8 } },
    { "DSN", { .offered = EXT_DSN } },
    { "STARTTLS", { .offered = EXT_STARTTLS } },
    { "ENHANCEDSTATUSCODES", { .offered = EXT_STATUS } },
    { "SIZE 1000", { .offered = EXT_SIZE, .size_max = 1000 } },
    { "SIZE", { .offered = EXT_SIZE } },
    { "SIZE 0", { .offered = EXT_SIZE } },
    { "SIZE many", { .offered = EXT_SIZE } },
    { "SIZE -1", { .offered = EXT_SIZE } },
    { "SIZE 99999999999999999999999", { .offered = EXT_SIZE } },
    { "AUTH PLAIN LOGIN CRAM-MD5", { .offered = EXT_AUTH_PLAIN | EXT_AUTH_LOGIN } },
    { "AUTH=PLAIN LOGIN", { .offered = 0 } },
    { "AUTH=LOGIN", { .offered = EXT_AUTH_LOGIN } },
    { "AUTH GSSAPI", { .offered = 0 } },
    { "LIMITS RCPTMAX=50 MAILMAX=3", { .offered = EXT_LIMITS, .rcpt_max = 50, .mail_max = 3 } },
    { "LIMITS RCPTMAX=0 MAILMAX=x", { .offered = EXT_LIMITS } },
    { "LIMITS RCPTMAX", { .offered = EXT_LIMITS } },
    { "PIPELININGX", { .offered = 0 } },
    { "XPIPELINING", { .offered = 0 } },
    { "", { .offered = 0 } },
    { "   ", { .offered = 0 } },
};

static void r29_extensions_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(extension_cases); i++) {
        const struct extension_case *c = &extension_cases[i];
        struct extensions got = { 0 };

        extensions_line(&got, str_of(c->line));
        if (memcmp(&got, &c->want, sizeof(got)) != 0)
            fail_msg("%s", c->line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r29_extensions_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
