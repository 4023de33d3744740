// SPDX-License-Identifier: Apache-2.0
/* web/api_fuzz.c - any bytes as a request: its first line is the path, the rest the body (faults
 * B11, B13). */
#include <assert.h>

#include "base/code.h"
#include "web/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Every line is a key and a value: nothing in a value makes a line of its own. */
static void settings_check(struct str settings)
{
    struct str line, key, value;

    assert(settings.len == 0 || settings.ptr[settings.len - 1] == '\n');
    while (str_next(&settings, '\n', &line))
        assert(str_cut(line, '=', &key, &value) && key.len > 0 && api_text_ok(value));
}

static void ask_check(const struct api_ask *ask)
{
    const struct str texts[] = { ask->name, ask->account, ask->from,  ask->to,
                                 ask->site, ask->state,   ask->reason };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert(texts[i].len <= API_TEXT_MAX && utf8_ok(texts[i]));
    assert(ask->settings.len <= API_SETTINGS_MAX && utf8_ok(ask->settings));
    settings_check(ask->settings);
    assert(api_ask_bytes(ask) <= API_ASK_MAX);
    assert(ask->limit >= 1 && ask->limit <= API_LIMIT_MAX);
    assert((ask->given & ~ask->route->fields) == 0);
    assert((ask->route->needed & ~ask->given) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const methods[] = { "GET", "POST", "PATCH", "DELETE" };
    struct str text = str_make(bytes, len), target, body;

    if (!str_cut(text, '\n', &target, &body))
        return 0;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
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
