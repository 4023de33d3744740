// SPDX-License-Identifier: Apache-2.0
/* config/manual.c - the table as the body of a manual page (roff, man macros): the frame of the
 * page is cli's. */
#include "base/code.h"
#include "config/option.h"

/* A character past ASCII as roff's own name for it: not every formatter reads UTF-8. */
static void roff_character(struct buf *to, struct str character)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    unsigned code = (unsigned char)character.ptr[0] & first_bits[character.len];

    for (size_t i = 1; i < character.len; i++)
        code = code << 6 | ((unsigned char)character.ptr[i] & 0x3f);
    (void)buf_addf(to, "\\[u%04X]", code);
}

/* Text so that roff takes it as text: no escapes, no request at a line's start. */
static void roff_text(struct buf *to, struct str text)
{
    if (text.len > 0 && (text.ptr[0] == '.' || text.ptr[0] == '\''))
        (void)buf_add(to, STR("\\&"));
    while (text.len > 0) {
        size_t len = utf8_len(text);
        if (len > 1)
            roff_character(to, str_sub(text, 0, len));
        else if (text.ptr[0] == '\\')
            (void)buf_add(to, STR("\\e"));
        else if (text.ptr[0] == '-')
            (void)buf_add(to, STR("\\-"));
        else
            (void)buf_add_char(to, text.ptr[0]);
        text = str_skip(text, len > 0 ? len : 1);
    }
}

static void manual_option(struct buf *to, const struct option *o)
{
    struct buf words;

    (void)buf_add(to, STR(".TP\n.B "));
    roff_text(to, str_of(o->path));
    (void)buf_add_char(to, '\n');
    roff_text(to, str_of(o->about));
    (void)buf_add(to, STR("\n.br\nExpected: "));
    buf_init(&words, 400);
    if (o->list)
        buf_addf(&words, "a list, each ");
    (void)option_expected(o, &words);
    if (o->fallback)
        buf_addf(&words, ". Default: %s", *o->fallback ? o->fallback : "\"\"");
    else
        buf_addf(&words, ". Needed");
    roff_text(to, buf_str(&words));
    (void)buf_add(to, STR(".\n"));
    buf_done(&words);
}

bool config_print_manual(struct buf *to)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct option *o = &config_options[i];

        manual_option(to, o);
        if (o->type != OPTION_ROWS)
            continue;
        (void)buf_add(to, STR(".RS\n"));
        for (size_t j = 0; j < o->row->option_count; j++)
            manual_option(to, &o->row->options[j]);
        (void)buf_add(to, STR(".RE\n"));
    }
    return buf_ok(to);
}
