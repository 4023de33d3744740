// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_tags.c - reads lists of tags. */
#include "mail/dkim_tags.h"

#include "base/code.h"

/* What base64 of a signature or a key may come to. */
#define BASE64_MAX (8 * 1024)

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim(struct str s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = str_skip(s, 1);
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* ALPHA, then ALNUMPUNC. */
static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!ascii_is_alpha(c) && (i == 0 || (!ascii_is_digit(c) && c != '_')))
            return false;
    }
    return name.len > 0;
}

/* Printable, white space between; octets over 127 by RFC 8616. */
static bool value_ok(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] <= ' ' ? !is_space(value.ptr[i]) : value.ptr[i] == 0x7f)
            return false;
    return true;
}

static const struct dkim_tag *find(const struct dkim_tags *t, struct str name)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(t->list[i].name, name))
            return &t->list[i];
    return NULL;
}

static bool read_tag(struct str text, struct dkim_tags *t, struct err *err)
{
    struct dkim_tag tag;
    struct str name;

    if (!str_cut(text, '=', &name, &tag.room))
        return err_set(err, ERR_SYNTAX, "a tag without \"=\"");
    tag.name = trim(name);
    tag.value = trim(tag.room);
    if (!name_ok(tag.name))
        return err_set(err, ERR_SYNTAX, "a tag whose name is none");
    if (!value_ok(tag.value))
        return err_set(err, ERR_SYNTAX, "%.*s= has a character it may not", STR_FMT(tag.name));
    if (find(t, tag.name))
        return err_set(err, ERR_SYNTAX, "%.*s= is there twice", STR_FMT(tag.name));
    if (t->count == DKIM_TAGS_MAX)
        return err_set(err, ERR_LIMIT, "over %d tags", DKIM_TAGS_MAX);
    t->list[t->count++] = tag;
    return true;
}

bool dkim_tags_read(struct str text, struct dkim_tags *ret, struct err *err)
{
    ret->count = 0;
    while (text.len > 0) {
        size_t end = str_index(text, ';');
        struct str tag = str_sub(text, 0, end);

        text = str_skip(text, end + 1);
        if (text.len == 0 && trim(tag).len == 0 && ret->count > 0)
            break; /* behind the last ; */
        if (!read_tag(tag, ret, err))
            return false;
    }
    return ret->count > 0 || err_set(err, ERR_SYNTAX, "no tags");
}

const struct dkim_tag *dkim_tags_find(const struct dkim_tags *t, const char *name)
{
    return find(t, str_of(name));
}

struct str dkim_tags_compact(const struct dkim_tags *t, const char *name, struct arena *a)
{
    const struct dkim_tag *tag = dkim_tags_find(t, name);
    size_t len = 0;
    char *to;

    if (!tag)
        return STR_NONE;
    to = arena_alloc(a, tag->value.len + 1);
    for (size_t i = 0; i < tag->value.len; i++)
        if (!is_space(tag->value.ptr[i]))
            to[len++] = tag->value.ptr[i];
    return str_make(to, len);
}

bool dkim_tags_base64(const struct dkim_tags *t, const char *name, struct arena *a, struct str *ret,
                      struct err *err)
{
    struct buf bytes;
    bool ok;

    buf_init(&bytes, BASE64_MAX);
    ok = base64_read(&bytes, dkim_tags_compact(t, name, a), err);
    if (ok)
        *ret = arena_str(a, buf_str(&bytes));
    buf_done(&bytes);
    return ok || err_at(err, "%s=", name);
}

bool dkim_list_has(struct str list, const char *word)
{
    struct str item;

    while (str_next(&list, ':', &item))
        if (str_eq_nocase(item, str_of(word)))
            return true;
    return false;
}
