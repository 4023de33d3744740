// SPDX-License-Identifier: Apache-2.0
/* mail/header.c - walks a header section, counts what a relay must know of it, and applies edits.
 *
 * A line ends at LF, with or without CR in front: where a bare LF was let in (BINARYMIME), a
 * lenient receiver would see a field behind it, so it must be seen here too. What to do about a
 * field is for accept to decide. */
#include "mail/header.h"

#include "mail/address.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where the line that begins at `at` ends, behind its LF. */
static size_t line_end(struct str text, size_t at)
{
    size_t end = at + str_index(str_skip(text, at), '\n');

    return end < text.len ? end + 1 : end;
}

/* Length of the field name at the front, 0 when there is none: ftext, then perhaps blanks (RFC 5322
 * §4.5.8), then a colon, whose place is *ret_colon. */
static size_t name_len(struct str line, size_t *ret_colon)
{
    size_t len = 0, colon;

    while (len < line.len && line.ptr[len] > ' ' && line.ptr[len] <= '~' && line.ptr[len] != ':')
        len++;
    for (colon = len; colon < line.len && is_blank(line.ptr[colon]);)
        colon++;
    if (colon == line.len || line.ptr[colon] != ':')
        return 0;
    *ret_colon = colon;
    return len;
}

static struct str without_line_end(struct str text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    return text;
}

bool header_next(struct str section, size_t *at, struct header_field *ret)
{
    size_t end, colon, len;
    struct str whole;

    if (*at >= section.len)
        return false;
    len = name_len(str_skip(section, *at), &colon);
    if (len == 0)
        return false;

    end = line_end(section, *at);
    while (end < section.len && is_blank(section.ptr[end]))
        end = line_end(section, end);
    whole = str_sub(section, *at, end - *at);
    *ret = (struct header_field){
        .name = str_sub(whole, 0, len),
        .value = without_line_end(str_skip(whole, colon + 1)),
        .offset = *at,
        .len = whole.len,
    };
    *at = end;
    return true;
}

size_t header_end(struct str bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        size_t end = line_end(bytes, at);
        struct str line = str_sub(bytes, at, end - at);

        if (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n")))
            return end;
        at = end;
    }
    return 0;
}

struct str header_unfold(struct arena *a, struct str value)
{
    char *to = arena_alloc(a, value.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] != '\r' && value.ptr[i] != '\n' && value.ptr[i] != '\0')
            to[len++] = value.ptr[i];
    return str_trim(str_make(to, len));
}

/* Applies one edit at *at, which moves behind what it left out. */
static bool apply(struct buf *to, struct str section, const struct header_edit *e, struct str id,
                  size_t *at, struct err *err)
{
    if (e->offset < *at || e->offset > section.len)
        return err_set(err, ERR_SYNTAX, "header edit at %u is out of order or bounds", e->offset);
    buf_add(to, str_sub(section, *at, e->offset - *at));
    *at = e->offset;
    switch (e->kind) {
    case EDIT_DELETE:
        if (e->len > section.len - e->offset)
            return err_set(err, ERR_SYNTAX, "header edit at %u is out of bounds", e->offset);
        *at += e->len;
        return true;
    case EDIT_INSERT:
        buf_add(to, e->text);
        return true;
    case EDIT_INSERT_ID:
        buf_add(to, id);
        return true;
    }
    return err_set(err, ERR_SYNTAX, "header edit of unknown kind %d", (int)e->kind);
}

bool header_render(struct buf *to, struct str section, const struct header_edit *edits,
                   size_t count, struct str id, struct err *err)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        if (!apply(to, section, &edits[i], id, &at, err))
            return false;
    buf_add(to, str_skip(section, at));
    return buf_ok(to) || err_set(err, ERR_LIMIT, "edited header is over %zu octets", to->max);
}

static bool is_space(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

static bool is_aside(char c)
{
    return c == '(' || c == '"';
}

/* Skips a comment, which may hold others (RFC 5322 §3.2.2), or a quoted string. */
static struct str skip_aside(struct str text)
{
    bool quoted = text.ptr[0] == '"';
    size_t depth = 1, i;

    for (i = 1; i < text.len && depth > 0; i++) {
        char c = text.ptr[i];

        if (c == '\\')
            i++;
        else if (quoted ? c == '"' : c == ')')
            depth--;
        else if (!quoted && c == '(')
            depth++;
    }
    return str_skip(text, i);
}

/* The next word of a Received field, comments left out; false behind the last, or at the date's
 * ';'. */
static bool received_word(struct str *rest, struct str *ret)
{
    size_t len = 0;

    while (rest->len > 0 && (is_space(rest->ptr[0]) || is_aside(rest->ptr[0])))
        *rest = is_aside(rest->ptr[0]) ? skip_aside(*rest) : str_skip(*rest, 1);
    while (len < rest->len && !is_space(rest->ptr[len]) && !is_aside(rest->ptr[len]) &&
           rest->ptr[len] != ';')
        len++;
    *ret = str_sub(*rest, 0, len);
    *rest = str_skip(*rest, len);
    return len > 0;
}

/* Whether "by" names us. A HELO name that is itself "by" could be taken for it: that counts one hop
 * too many. */
static bool received_by(struct str value, struct str own_name)
{
    struct str word;
    bool after_by = false;

    while (received_word(&value, &word)) {
        if (after_by && domain_eq(word, own_name))
            return true;
        after_by = str_eq_nocase(word, STR("by"));
    }
    return false;
}

/* "<…>" in a Message-ID field, empty when there is none or it holds blanks or controls. */
static struct str id_text(struct str value)
{
    size_t from = str_index(value, '<'), len;
    struct str id = str_skip(value, from);

    len = str_index(id, '>');
    if (len == id.len)
        return STR_NONE;
    id.len = len + 1;
    for (size_t i = 0; i < id.len; i++)
        if ((unsigned char)id.ptr[i] <= ' ' || id.ptr[i] == 0x7f)
            return STR_NONE;
    return id;
}

static void count_field(const struct header_field *f, struct str own_name,
                        struct header_facts *facts)
{
    const struct {
        struct str name;
        unsigned *count;
    } counters[] = {
        { STR("From"), &facts->from },
        { STR("Sender"), &facts->sender },
        { STR("To"), &facts->to_cc_bcc },
        { STR("Cc"), &facts->to_cc_bcc },
        { STR("Bcc"), &facts->bcc },
        { STR("Date"), &facts->date },
        { STR("Message-ID"), &facts->message_id },
        { STR("Return-Path"), &facts->return_path },
        { STR("Received"), &facts->received },
    };

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        if (str_eq_nocase(f->name, counters[i].name))
            ++*counters[i].count;

    if (str_eq_nocase(f->name, STR("Bcc")))
        facts->to_cc_bcc++;
    else if (str_starts_nocase(f->name, STR("Resent-")))
        facts->resent++;
    else if (str_eq_nocase(f->name, STR("Received")) && received_by(f->value, own_name))
        facts->received_by_us++;
    else if (facts->message_id == 1 && str_eq_nocase(f->name, STR("Message-ID")))
        facts->message_id_text = id_text(f->value);
}

static bool has_long_line(struct str section)
{
    for (size_t at = 0; at < section.len;) {
        size_t end = line_end(section, at);

        if (without_line_end(str_sub(section, at, end - at)).len > HEADER_LINE_MAX)
            return true;
        at = end;
    }
    return false;
}

bool header_look(struct str section, struct str own_name, struct header_facts *ret, struct err *err)
{
    struct header_facts facts = {
        .eight_bit = !str_is_ascii(section),
        .long_line = has_long_line(section),
    };
    struct header_field f;
    size_t at = 0;

    for (size_t count = 0; header_next(section, &at, &f); count++) {
        if (count == HEADER_FIELDS_MAX)
            return err_set(err, ERR_LIMIT, "over %d header fields", HEADER_FIELDS_MAX);
        count_field(&f, own_name, &facts);
    }
    *ret = facts;
    return true;
}
