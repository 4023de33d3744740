// SPDX-License-Identifier: Apache-2.0
/* mail/xtext_fuzz.c - parameters taken are printable; xtext that reads writes back to its own
 * meaning. */
#include <stdlib.h>

#include "mail/xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void must_print(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        must((unsigned char)text.ptr[i] >= ' ' && text.ptr[i] != 0x7f);
}

static void round_trip(struct str text)
{
    struct buf plain, coded, again;

    buf_init(&plain, 8192);
    buf_init(&coded, 3 * 8192);
    buf_init(&again, 8192);
    if (xtext_read(&plain, text, NULL)) {
        must(xtext_add(&coded, buf_str(&plain)));
        must(xtext_read(&again, buf_str(&coded), NULL));
        must(str_eq(buf_str(&plain), buf_str(&again)));
    }
    buf_done(&plain);
    buf_done(&coded);
    buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make(data, size);
    struct mail_params mail;
    struct rcpt_params rcpt;
    struct arena arena;

    arena_init(&arena, 1024);
    if (mail_params_parse(text, &arena, &mail, NULL))
        must_print(mail.envid);
    if (rcpt_params_parse(text, &arena, &rcpt, NULL))
        must_print(rcpt.orcpt);
    arena_done(&arena);
    round_trip(text);
    return 0;
}
