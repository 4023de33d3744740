// SPDX-License-Identifier: Apache-2.0
/* accept/command_fuzz.c - any bytes as lines and commands: every byte is eaten once, and no line
 * end survives in what is handed on. */
#include <assert.h>

#include "accept/auth_plain.h"
#include "accept/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(struct str line, bool normalize)
{
    struct command c;
    struct str text;

    if (line_strip(line, normalize, &text) != LINE_OK)
        return;
    assert(str_index(text, '\n') == text.len && str_index(text, '\r') == text.len);
    assert(str_index(text, '\0') == text.len);
    c = command_cut(text);
    assert(str_index(c.verb, ' ') == c.verb.len && c.verb.len + c.args.len <= text.len);
    if (command_eat_word(&c.args, STR("TO:")))
        assert(c.args.len <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_make(data, size);
    struct auth_plain plain;
    size_t len;

    while (line_find(rest, 512, &len) == LINE_FOUND) {
        assert(len > 0 && len <= 512 && rest.ptr[len - 1] == '\n');
        check_line(str_sub(rest, 0, len), len % 2 == 0);
        rest = str_skip(rest, len);
    }
    if (auth_plain_parse(str_make(data, size), &plain))
        assert(plain.user.len > 0 && plain.secret.len > 0);
    return 0;
}
