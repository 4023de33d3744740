// SPDX-License-Identifier: Apache-2.0
/* mail/mailbox.c - reads lists of addresses; see mailbox.h for what it refuses, and why. */
#include "mail/mailbox.h"

#include "base/code.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A control character other than white space has no place in a field (RFC 5322 §4.1 has some). */
static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && !is_space(c)) || c == 0x7f;
}

/* atext of RFC 5322 §3.2.3, and any byte over 127 (RFC 6532; older mail has other charsets). */
static bool is_atext(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c > 127 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool bad(struct err *err, const char *what)
{
    return err_set(err, ERR_SYNTAX, "%s", what);
}

static char peek(const struct mailbox_reader *r)
{
    return r->rest.len > 0 ? r->rest.ptr[0] : '\0';
}

/* --- asides --- */

/* A comment at the front, others inside it. One that holds what an address does is refused: there
 * are readers that look for the first '@'. */
static bool skip_comment(struct mailbox_reader *r, struct err *err)
{
    unsigned depth = 0;

    for (size_t i = 0; i < r->rest.len; i++) {
        char c = r->rest.ptr[i];

        if (is_control(c) || c == '@' || c == '<' || c == '>')
            return bad(err, "a comment holds part of an address");
        if (c == '\\')
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0) {
            r->rest = str_skip(r->rest, i + 1);
            return true;
        }
    }
    return bad(err, "a comment does not end");
}

/* CFWS. */
static bool skip_asides(struct mailbox_reader *r, struct err *err)
{
    for (;;) {
        while (r->rest.len > 0 && is_space(r->rest.ptr[0]))
            r->rest = str_skip(r->rest, 1);
        if (peek(r) != '(')
            return true;
        if (!skip_comment(r, err))
            return false;
    }
}

/* --- words --- */

/* A quoted string at the front; *ret is it with its quotes. */
static bool take_quoted(struct mailbox_reader *r, struct str *ret, struct err *err)
{
    for (size_t i = 1; i < r->rest.len; i++) {
        char c = r->rest.ptr[i];

        if (is_control(c))
            return bad(err, "a control character stands in it");
        if (c == '\\') {
            i++;
        } else if (c == '"') {
            *ret = str_sub(r->rest, 0, i + 1);
            r->rest = str_skip(r->rest, i + 1);
            return true;
        }
    }
    return bad(err, "a quoted string does not end");
}

/* Letters and dots, as far as they go: an atom, or several with dots between. */
static struct str take_atoms(struct mailbox_reader *r)
{
    size_t len = 0;

    while (len < r->rest.len && (is_atext(r->rest.ptr[len]) || r->rest.ptr[len] == '.'))
        len++;
    struct str atoms = str_sub(r->rest, 0, len);
    r->rest = str_skip(r->rest, len);
    return atoms;
}

static unsigned hex_digit(char c)
{
    if (ascii_is_digit(c))
        return (unsigned)(c - '0');
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static bool quoted_is_clean(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '=')
            continue;
        unsigned high = i + 1 < text.len ? hex_digit(text.ptr[i + 1]) : 16;
        unsigned low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : 16;
        if (high > 15 || low > 15 || high * 16 + low < ' ' || high * 16 + low == 0x7f)
            return false;
    }
    return true;
}

static bool base64_is_clean(struct str text)
{
    struct buf bytes;
    bool clean;

    buf_init(&bytes, text.len);
    clean = base64_read(&bytes, text, NULL);
    for (size_t i = 0; clean && i < bytes.len; i++)
        clean = (unsigned char)bytes.ptr[i] >= ' ' && bytes.ptr[i] != 0x7f;
    buf_done(&bytes);
    return clean;
}

/* Encoded words (RFC 2047 §2) in a run of atoms. What cannot be decoded is shown as it stands by
 * all readers; what decodes to a control ends the name early for some of them, and the reader sees
 * what stood before it as the address. */
static bool encoded_words_are_clean(struct str text)
{
    for (size_t at; (at = str_find(text, STR("=?"))) < text.len;) {
        struct str charset, encoding, rest = str_skip(text, at + 2);
        size_t end;

        if (!str_cut(rest, '?', &charset, &rest) || !str_cut(rest, '?', &encoding, &rest) ||
            (end = str_find(rest, STR("?="))) == rest.len)
            return true;
        if (str_eq_nocase(encoding, STR("q")) && !quoted_is_clean(str_sub(rest, 0, end)))
            return false;
        if (str_eq_nocase(encoding, STR("b")) && !base64_is_clean(str_sub(rest, 0, end)))
            return false;
        text = str_skip(rest, end + 2);
    }
    return true;
}

/* --- an address --- */

/* Quoted local parts are good; those that hold what divides addresses are read in two ways. */
static bool quoted_local_ok(struct str quoted)
{
    struct str inner = str_sub(quoted, 1, quoted.len - 2);

    for (size_t i = 0; i < inner.len; i++)
        if (inner.ptr[i] == '\0' || strchr("@<>,;:()\\\"", inner.ptr[i]) || is_space(inner.ptr[i]))
            return false;
    return true;
}

/* Signs that become '@' or '.' where a name is normalised (Unicode NFKC): they may stand in a local
 * part, and nobody means well by them. */
static bool has_lookalike(struct str text)
{
    static const char *const signs[] = { "\xef\xbc\xa0", "\xef\xb9\xab", "\xef\xbc\x8e",
                                         "\xef\xbd\xa1", "\xe3\x80\x82", "\xef\xbc\x9c",
                                         "\xef\xbc\x9e", "\xef\xb9\xa4", "\xef\xb9\xa5" };

    if (str_is_ascii(text))
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (str_find(text, str_of(signs[i])) < text.len)
            return true;
    return false;
}

/* What follows the '@', which is at the front: a domain or a literal. */
static struct str take_domain(struct mailbox_reader *r)
{
    size_t end;

    if (peek(r) != '[')
        return take_atoms(r);
    end = str_index(r->rest, ']');
    struct str literal = str_sub(r->rest, 0, end + 1);
    r->rest = str_skip(r->rest, end + 1);
    return literal;
}

/* `local` was read and '@' is at the front. */
static bool take_address(struct mailbox_reader *r, struct str local, struct address *ret,
                         struct err *err)
{
    struct str whole;

    r->rest = str_skip(r->rest, 1);
    struct str domain = take_domain(r);
    whole = str_make(local.ptr, local.len + 1 + domain.len);
    if (local.len > 0 && local.ptr[0] == '"' && !quoted_local_ok(local))
        return bad(err, "the quoted local part of an address looks like another address");
    if (str_find(local, STR("=?")) < local.len)
        return bad(err, "an encoded word stands inside an address");
    if (has_lookalike(whole))
        return bad(err, "an address holds a sign that looks like one of its own");
    return address_parse(whole, ret, err);
}

/* Behind '<': an address and nothing else up to '>'. */
static bool take_angle(struct mailbox_reader *r, struct address *ret, struct err *err)
{
    struct str local;

    r->rest = str_skip(r->rest, 1);
    if (peek(r) == '"') {
        if (!take_quoted(r, &local, err))
            return false;
    } else {
        local = take_atoms(r);
    }
    if (peek(r) != '@' || local.len == 0)
        return bad(err, "between < and > does not stand user@domain and nothing else");
    if (!take_address(r, local, ret, err))
        return false;
    if (peek(r) != '>')
        return bad(err, "between < and > does not stand user@domain and nothing else");
    r->rest = str_skip(r->rest, 1);
    return true;
}

/* --- the list --- */

/* The words in front: a display name, a group's name, or a local part. */
struct words {
    struct str last; /* the last one */
    unsigned count;
    bool touching; /* nothing between the last one and what follows */
};

static bool take_words(struct mailbox_reader *r, struct words *ret, struct err *err)
{
    *ret = (struct words){ .count = 0 };
    for (;;) {
        size_t before = r->rest.len;
        if (!skip_asides(r, err))
            return false;
        ret->touching = r->rest.len == before;
        if (peek(r) == '"') {
            if (ret->count > 0 && ret->touching)
                return bad(err, "a quoted string touches a word");
            if (!take_quoted(r, &ret->last, err))
                return false;
        } else {
            struct str atoms = take_atoms(r);
            if (atoms.len == 0)
                return true;
            if (ret->count > 0 && ret->touching)
                return bad(err, "a quoted string touches a word");
            if (!encoded_words_are_clean(atoms))
                return bad(err, "an encoded word holds a control character");
            ret->last = atoms;
        }
        ret->count++;
    }
}

/* Behind an address: the end, or what comes before the next. */
static bool end_member(struct mailbox_reader *r, bool *ret_last, struct err *err)
{
    if (!skip_asides(r, err))
        return false;
    *ret_last = false;
    switch (peek(r)) {
    case ',':
        r->rest = str_skip(r->rest, 1);
        if (!skip_asides(r, err))
            return false;
        return (r->rest.len > 0 && peek(r) != ';') || bad(err, "nothing stands behind a comma");
    case '\0':
        *ret_last = true;
        return r->rest.len == 0 && !r->in_group ? true
                                                : bad(err, "a group or a sign in it does not end");
    case ';':
        return r->in_group || bad(err, "a semicolon ends no group");
    default:
        return bad(err, "something stands behind an address that is no comma");
    }
}

/* At ';' of a group: it ends. */
static bool end_group(struct mailbox_reader *r, struct err *err)
{
    bool last;

    r->in_group = false;
    r->rest = str_skip(r->rest, 1);
    return end_member(r, &last, err);
}

void mailbox_begin(struct mailbox_reader *r, struct str value)
{
    *r = (struct mailbox_reader){ .rest = value };
}

static bool take_member(struct mailbox_reader *r, const struct words *words, struct address *ret,
                        struct err *err)
{
    bool last;

    if (peek(r) == '<') {
        if (!take_angle(r, ret, err))
            return false;
    } else if (peek(r) == '@' && words->count == 1 && words->touching) {
        if (!take_address(r, words->last, ret, err))
            return false;
    } else {
        return bad(err, peek(r) == '@' ? "a blank, a comment or an unquoted name touches an address"
                                       : "a name has no address behind it");
    }
    if (++r->count > MAILBOXES_MAX)
        return err_set(err, ERR_LIMIT, "it has more than %d addresses", MAILBOXES_MAX);
    return end_member(r, &last, err);
}

enum mailbox_read mailbox_next(struct mailbox_reader *r, struct address *ret, struct err *err)
{
    struct words words;

    for (;;) {
        if (!take_words(r, &words, err))
            return MAILBOX_BAD;
        if (words.count == 0 && r->rest.len == 0 && !r->in_group)
            return MAILBOX_END;
        if (peek(r) == ';' && words.count == 0 && r->in_group) {
            if (!end_group(r, err))
                return MAILBOX_BAD;
        } else if (peek(r) == ':' && words.count > 0 && !r->in_group) {
            r->in_group = true;
            r->rest = str_skip(r->rest, 1);
        } else {
            return take_member(r, &words, ret, err) ? MAILBOX_ONE : MAILBOX_BAD;
        }
    }
}
