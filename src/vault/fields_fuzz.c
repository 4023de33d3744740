// SPDX-License-Identifier: Apache-2.0
/* vault/fields_fuzz.c - whatever settings come from outside: what is taken is kept in a form that
 * is taken again and stays as it is, and no line of it holds what was not checked. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "vault/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool merge(enum field_noun noun, struct str old, struct str changes, struct buf *to)
{
    struct str secret = { 0 };
    const struct fields_change change = { .noun = noun,
                                          .old = old,
                                          .changes = changes,
                                          .is_new = true,
                                          .now_wall_ms = 1795310923123,
                                          .secret = &secret };
    struct err err = { 0 };
    bool ok = fields_merge(&change, to, &err);

    assert(ok || (err.kind == ERR_SYNTAX && err.text[0]));
    return ok;
}

static void show(enum field_noun noun, struct str settings)
{
    struct json j;
    struct buf to;

    buf_init(&to, 1 << 20);
    json_begin(&j, &to);
    json_object(&j);
    fields_json(noun, settings, &j);
    json_object_end(&j);
    (void)fields_difference(noun, STR(""), settings, &to);
    buf_done(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once, twice;

    if (size == 0)
        return 0;
    enum field_noun noun = data[0] % NOUNS;
    buf_init(&once, 4096);
    buf_init(&twice, 4096);
    if (merge(noun, STR(""), str_make(data + 1, size - 1), &once)) {
        bool again = merge(noun, STR(""), buf_str(&once), &twice);
        assert(again && str_eq(buf_str(&once), buf_str(&twice)));
        show(noun, buf_str(&once));
    }
    buf_done(&once);
    buf_done(&twice);
    return 0;
}
