// SPDX-License-Identifier: Apache-2.0
/* web/api_fuzz.c - any bytes as a request: its first line is the path, the rest the body (faults
 * B11, B13). */
#include <assert.h>

#include "base/code.h"
#include "web/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void ask_check(const struct api_ask *ask)
{
    const struct str texts[] = { ask->name, ask->account, ask->from,  ask->to,
                                 ask->site, ask->state,   ask->reason };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert(texts[i].len <= API_TEXT_MAX && utf8_ok(texts[i]));
    assert(ask->limit >= 1 && ask->limit <= API_LIMIT_MAX);
    assert((ask->given & ~ask->route->fields) == 0);
    assert((ask->route->needed & ~ask->given) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const methods[] = { "GET", "POST", "DELETE" };
    struct str text = str_make(bytes, len), target, body;

    if (!str_cut(text, '\n', &target, &body))
        return 0;
    for (size_t i = 0; i < 3; i++) {
        struct err err = { 0 };
        struct api_ask ask;
        struct arena a;
        int status = 0;

        arena_init(&a, 1024);
        if (api_read(str_of(methods[i]), target, body, &a, &ask, &status, &err))
            ask_check(&ask);
        else
            assert(status >= 400 && err.text[0] != '\0');
        arena_done(&a);
    }
    return 0;
}
