// SPDX-License-Identifier: Apache-2.0
/* mail/mime_type.c - reads Content-Type and Content-Transfer-Encoding.
 *
 * What is not understood is MIME_OPAQUE or CODING_ENCODED: then nothing inside is touched, and the
 * worst that can happen is that a message is returned instead of changed. */
#include "mail/mime_type.h"

#include "mail/header.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Removes white space, folds and comments at the front. */
static void skip_space(struct str *text)
{
    size_t depth = 0;

    for (; text->len > 0; *text = str_skip(*text, 1)) {
        char c = text->ptr[0];

        if (c == '\\' && depth > 0 && text->len > 1)
            *text = str_skip(*text, 1);
        else if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !is_space(c))
            return;
    }
}

static bool eat(struct str *text, char c)
{
    skip_space(text);
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = str_skip(*text, 1);
    return true;
}

/* RFC 2045 §5.1: any printable character but tspecials. '/' and '=' end a token too, but unquoted
 * boundaries that hold them are common, so a value may have them. */
static struct str eat_token(struct str *text, const char *also)
{
    size_t len = 0;
    struct str token;

    skip_space(text);
    while (len < text->len && text->ptr[len] > ' ' && text->ptr[len] <= '~' &&
           (!strchr("()<>@,;:\\\"/[]?=", text->ptr[len]) || strchr(also, text->ptr[len])))
        len++;
    token = str_sub(*text, 0, len);
    *text = str_skip(*text, len);
    return token;
}

/* A token or quoted string; false when it is neither, or holds quoted pairs. */
static bool eat_value(struct str *text, struct str *ret)
{
    if (!eat(text, '"')) {
        *ret = eat_token(text, "/:=?@");
        return ret->len > 0;
    }
    return str_cut(*text, '"', ret, text) && str_index(*ret, '\\') == ret->len;
}

static bool boundary_ok(struct str text)
{
    if (text.len == 0 || text.len > MIME_BOUNDARY_MAX || text.ptr[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

/* The boundary parameter, empty when there is none that can be used. */
static struct str read_boundary(struct str params)
{
    while (eat(&params, ';')) {
        struct str name = eat_token(&params, ""), value;

        if (name.len == 0)
            continue;
        if (!eat(&params, '=') || !eat_value(&params, &value))
            return STR_NONE;
        if (str_eq_nocase(name, STR("boundary")))
            return boundary_ok(value) ? value : STR_NONE;
    }
    return STR_NONE;
}

static void read_multipart(struct mime_type *t, struct str subtype, struct str params)
{
    t->boundary = read_boundary(params);
    t->is_digest = str_eq_nocase(subtype, STR("digest"));
    /* RFC 1847 §2.1: what is signed or encrypted stays as it is. */
    if (t->boundary.len == 0 || str_eq_nocase(subtype, STR("signed")) ||
        str_eq_nocase(subtype, STR("encrypted")))
        t->klass = MIME_OPAQUE;
    else
        t->klass = MIME_MULTIPART;
}

static void read_type(struct mime_type *t, struct str value)
{
    struct str type = eat_token(&value, ""), subtype;

    if (type.len == 0 || !eat(&value, '/')) {
        t->klass = MIME_TEXT; /* RFC 2045 §5.2: as if nothing was said */
        return;
    }
    subtype = eat_token(&value, "");
    if (str_eq_nocase(type, STR("text")))
        t->klass = MIME_TEXT;
    else if (str_eq_nocase(type, STR("multipart")))
        read_multipart(t, subtype, value);
    else if (!str_eq_nocase(type, STR("message")))
        t->klass = MIME_OTHER;
    else
        t->klass = str_eq_nocase(subtype, STR("rfc822")) ? MIME_RFC822 : MIME_OPAQUE;
}

static enum mime_coding read_coding(struct str value)
{
    struct str token = eat_token(&value, "");

    if (str_eq_nocase(token, STR("8bit")) || str_eq_nocase(token, STR("binary")))
        return CODING_8BIT;
    return str_eq_nocase(token, STR("7bit")) ? CODING_PLAIN : CODING_ENCODED;
}

struct mime_type mime_type_of(struct str section, bool in_digest)
{
    struct mime_type t = { .klass = in_digest ? MIME_RFC822 : MIME_TEXT };
    bool has_type = false, has_coding = false;
    struct header_field f;
    size_t at = 0;

    while (header_next(section, &at, &f)) {
        if (str_eq_nocase(f.name, STR("Content-Type"))) {
            /* Said twice, receivers differ in which they believe. */
            if (has_type)
                t.klass = MIME_OPAQUE;
            else
                read_type(&t, f.value);
            has_type = true;
        } else if (str_eq_nocase(f.name, STR("Content-Transfer-Encoding"))) {
            t.coding = has_coding ? CODING_ENCODED : read_coding(f.value);
            has_coding = true;
        } else if (str_eq_nocase(f.name, STR("MIME-Version"))) {
            t.has_version = true;
        }
    }
    /* Not allowed (RFC 2045 §6.4), and met: what is inside can't be seen. */
    if (t.coding == CODING_ENCODED && (t.klass == MIME_MULTIPART || t.klass == MIME_RFC822))
        t.klass = MIME_OPAQUE;
    return t;
}
