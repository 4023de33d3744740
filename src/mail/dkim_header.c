// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_header.c - canonical header fields. A line is folded at LF, with or without CR before
 * it, as header_next() sees it. */
#include "mail/dkim_header.h"

#include <stdlib.h>

#include "base/mem.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_fold(struct str text, size_t at)
{
    return text.ptr[at] == '\n' ||
           (text.ptr[at] == '\r' && at + 1 < text.len && text.ptr[at + 1] == '\n');
}

/* Runs of white space as one blank, none at either end, without folds. */
static void add_relaxed_value(struct dkim_digest *d, struct str value)
{
    bool any = false, blank = false;

    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        if (is_blank(c)) {
            blank = true;
            continue;
        }
        if (is_fold(value, i))
            continue;
        if (blank && any)
            dkim_digest_char(d, ' ');
        dkim_digest_char(d, c);
        blank = false;
        any = true;
    }
}

static void add_relaxed(struct dkim_digest *d, struct str field)
{
    size_t colon = str_index(field, ':');
    struct str name = str_trim(str_sub(field, 0, colon));

    for (size_t i = 0; i < name.len; i++)
        dkim_digest_char(d, ascii_lower(name.ptr[i]));
    dkim_digest_char(d, ':');
    add_relaxed_value(d, str_skip(field, colon + 1));
}

static struct str without_final_crlf(struct str field)
{
    if (field.len > 0 && field.ptr[field.len - 1] == '\n')
        field.len--;
    if (field.len > 0 && field.ptr[field.len - 1] == '\r')
        field.len--;
    return field;
}

void dkim_header_add_last(struct dkim_digest *d, enum dkim_form form, struct str field)
{
    field = without_final_crlf(field);
    if (form == DKIM_RELAXED)
        add_relaxed(d, field);
    else
        dkim_digest_add(d, field);
}

void dkim_header_add(struct dkim_digest *d, enum dkim_form form, struct str field)
{
    dkim_header_add_last(d, form, field);
    dkim_digest_add(d, STR("\r\n"));
}

void dkim_fields_init(struct dkim_fields *f)
{
    f->list = f->few;
    f->count = 0;
    f->cap = ARRAY_LEN(f->few);
}

void dkim_fields_done(struct dkim_fields *f)
{
    if (f->list != f->few)
        free(f->list);
}

static void grow(struct dkim_fields *f)
{
    struct dkim_field *more = NEW_ARRAY(struct dkim_field, f->cap * 2);

    memcpy(more, f->list, f->count * sizeof(*more));
    dkim_fields_done(f);
    f->list = more;
    f->cap *= 2;
}

void dkim_fields_add(struct dkim_fields *f, const struct header_field *field, uint32_t mark)
{
    if (f->count == f->cap)
        grow(f);
    f->list[f->count++] = (struct dkim_field){
        .offset = (uint32_t)field->offset,
        .len = (uint32_t)field->len,
        .name_len = (uint32_t)field->name.len,
        .mark = mark,
    };
}
