// SPDX-License-Identifier: Apache-2.0
/* config/config_fuzz.c - any bytes as a configuration: refused with words, or taken, checked and
 * printed so that it is read back as the same (fault B16). */
#include <assert.h>

#include "base/mem.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void expect_round_trip(const struct config *c)
{
    struct buf once, twice;
    struct config *again = NULL;

    buf_init(&once, 4 << 20);
    buf_init(&twice, 4 << 20);
    bool ok = config_print(c, &once);
    assert(ok);
    if (once.len < 1000000) {
        ok = config_parse(STR("printed"), buf_str(&once), &again, NULL) &&
             config_print(again, &twice);
        assert(ok && str_eq(buf_str(&once), buf_str(&twice)));
    }
    config_free(again);
    buf_done(&once);
    buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct config *c = NULL;
    struct err err = { 0 };

    if (!config_parse(STR("fuzz"), str_make(bytes, len), &c, &err)) {
        assert(err.kind == ERR_CONFIG && err.text[0] != '\0');
        return 0;
    }
    if (!config_check(c, NULL, 0, &err))
        assert(err.kind == ERR_CONFIG && err.text[0] != '\0');
    expect_round_trip(c);
    config_free(c);
    return 0;
}
