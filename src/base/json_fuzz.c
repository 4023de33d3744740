// SPDX-License-Identifier: Apache-2.0
/* base/json_fuzz.c - any bytes become one JSON string (RFC 8259 §7), and a log line without control
 * characters. */
#include <assert.h>

#include "base/code.h"
#include "base/json.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes one escape or one plain character off the front of a string's inside. */
static struct str take_char(struct str text)
{
    unsigned char c = (unsigned char)text.ptr[0];

    assert(c >= 0x20 && c != '"');
    if (c != '\\')
        return str_skip(text, 1);
    assert(text.len >= 2);
    if (text.ptr[1] != 'u') {
        assert(str_index(STR("\"\\/bfnrt"), text.ptr[1]) < 8);
        return str_skip(text, 2);
    }
    assert(text.len >= 6);
    for (size_t i = 2; i < 6; i++)
        assert(str_index(STR("0123456789abcdef"), text.ptr[i]) < 16);
    return str_skip(text, 6);
}

static void is_json_string(struct str text)
{
    assert(utf8_ok(text));
    assert(text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"');
    text = str_sub(text, 1, text.len - 2);
    while (text.len > 0)
        text = take_char(text);
}

static void is_one_line(void *arg, enum log_level level, struct str line)
{
    (void)arg;
    (void)level;
    assert(utf8_ok(line));
    for (size_t i = 0; i < line.len; i++)
        assert((unsigned char)line.ptr[i] >= ' ' && line.ptr[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_line l;
    struct json j;
    struct buf b;

    buf_init(&b, 6 * size + 2);
    json_begin(&j, &b);
    json_str(&j, str_make(data, size));
    assert(buf_ok(&b));
    is_json_string(buf_str(&b));
    buf_done(&b);

    log_set_sink(is_one_line, NULL);
    log_begin(&l, LOG_INFO, "fuzz");
    log_str(&l, "value", str_make(data, size));
    log_num(&l, "size", (int64_t)size);
    log_end(&l);
    return 0;
}
