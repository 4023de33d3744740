// SPDX-License-Identifier: Apache-2.0
/* core/naming_edit.c - finds what is to be stripped, and puts edits where they belong. */
#include "core/naming_edit.h"

#include "guard/header_names.h"

static struct naming_span span_of(const struct header_field *f)
{
    return (struct naming_span){ (uint32_t)f->offset, (uint32_t)f->len };
}

static void add_strip(struct naming_fields *f, const struct header_field *field)
{
    if (f->strip_count++ < NAMING_STRIPS_MAX)
        f->strips[f->strip_count - 1] = span_of(field);
}

void naming_look(const struct naming *n, struct naming_fields *ret)
{
    struct str tenant_header = n->session->tenant_header;
    bool tenants = (n->session->flags & BIND_TENANTS) != 0;
    struct header_field field;
    size_t at = 0;

    *ret = (struct naming_fields){ .strip_count = 0 };
    while (header_next(n->section, &at, &field)) {
        enum header_name name = header_name_of(field.name);

        if (name == HEADER_BATON_STREAM) {
            if (ret->stream_count++ == 0)
                ret->stream = field.value;
            add_strip(ret, &field);
        } else if (tenants && str_eq_nocase(field.name, tenant_header)) {
            if (ret->tenant_count++ == 0)
                ret->tenant = field.value;
            add_strip(ret, &field);
        } else if (name == HEADER_FROM && !ret->has_from) {
            ret->has_from = true;
            ret->from = span_of(&field);
        }
        ret->has_reply_to |= name == HEADER_REPLY_TO;
        ret->has_signature |= name == HEADER_DKIM_SIGNATURE;
    }
}

/* In order (header.h): behind those at the same place, so that what is inserted there still comes
 * before what is left out. What accept leaves out already is left out. */
static bool add_edit(struct naming *n, struct header_edit edit)
{
    struct envelope *e = n->envelope;
    size_t at = 0;

    if (e->edit_count == EDITS_MAX)
        return false;
    if (!e->edits)
        e->edits = ARENA_ARRAY(n->arena, struct header_edit, EDITS_MAX);
    while (at < e->edit_count && e->edits[at].offset <= edit.offset) {
        const struct header_edit *before = &e->edits[at];
        if (before->kind == EDIT_DELETE && before->offset + before->len > edit.offset)
            return true;
        at++;
    }
    if (at < e->edit_count && edit.kind == EDIT_DELETE &&
        e->edits[at].offset < edit.offset + edit.len)
        return false; /* no edit of an accept in its right mind stands inside a field */
    memmove(&e->edits[at + 1], &e->edits[at], (e->edit_count - at) * sizeof *e->edits);
    e->edits[at] = edit;
    e->edit_count++;
    return true;
}

static bool leave_out(struct naming *n, struct naming_span span)
{
    return add_edit(
        n, (struct header_edit){ .kind = EDIT_DELETE, .offset = span.offset, .len = span.len });
}

static bool put_in(struct naming *n, uint32_t offset, struct str text)
{
    return text.len <= EDIT_TEXT_MAX &&
           add_edit(n, (struct header_edit){ .kind = EDIT_INSERT, .offset = offset, .text = text });
}

bool naming_strip(struct naming *n, const struct naming_fields *f)
{
    if (f->strip_count > NAMING_STRIPS_MAX)
        return false;
    for (size_t i = 0; i < f->strip_count; i++)
        if (!leave_out(n, f->strips[i]))
            return false;
    return true;
}

/* "ann at example.org" as a quoted string: no address, and nothing that ends the string. */
static struct str shown_name(struct arena *a, const struct address *who)
{
    struct str text = arena_strf(a, "%.*s at %.*s", STR_FMT(who->local), STR_FMT(who->domain));
    char *shown = arena_alloc(a, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        shown[i] = strchr("\"\\<>@,;:", text.ptr[i]) ? ' ' : text.ptr[i];
    return str_make(shown, text.len);
}

bool naming_rewrite_from(struct naming *n, const struct naming_fields *f, const struct identity *i)
{
    struct arena *a = n->arena;

    if (!f->has_from ||
        !put_in(n, f->from.offset,
                arena_strf(a, "From: \"%.*s\" <%.*s>\r\n", STR_FMT(shown_name(a, &i->from)),
                           STR_FMT(n->account->rewrite_from))))
        return false;
    if (!f->has_reply_to && !put_in(n, f->from.offset,
                                    arena_strf(a, "Reply-To: %.*s@%.*s\r\n", STR_FMT(i->from.local),
                                               STR_FMT(i->from.domain))))
        return false;
    return leave_out(n, f->from);
}
