// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_sign.c - writes DKIM-Signature fields (RFC 6376 §3.5, §5.4).
 *
 * Which fields are signed:
 * - What a reader sees, and what says how the body is to be read: always, and once more than there
 *   are (§8.15), so that one cannot be put in front or added where there was none (fault Y01).
 * - What only some messages have: when it is there, then once more than there are. A list or a
 *   forwarder may add its own Sender and List-* to a message that has none; RFC 8058 §4 and RFC
 * 9477 §3.1 want theirs signed.
 * - Resent-*: those that are there, not one more: whoever sends it on again adds a block in front
 *   (RFC 5322 §3.6.6).
 * What servers add or take away on the way is never signed: Received, Return-Path, Authentication-
 * Results, ARC-*, others' DKIM-Signature. */
#include "base/code.h"
#include "base/mem.h"
#include "mail/address.h"
#include "mail/dkim_header.h"

/* Octets of a line of the field, where it can be folded. */
#define LINE_MAX_BYTES 76
/* Octets of a signature in one line, 72 of base64. */
#define LINE_SIGNATURE_BYTES 54

enum rule { ALWAYS, PRESENT, AS_IS };
static const struct signed_field {
    struct str name;
    enum rule rule;
} signed_fields[] = {
    { STR("From"), ALWAYS },
    { STR("Reply-To"), ALWAYS },
    { STR("To"), ALWAYS },
    { STR("Cc"), ALWAYS },
    { STR("Subject"), ALWAYS },
    { STR("Date"), ALWAYS },
    { STR("Message-ID"), ALWAYS },
    { STR("In-Reply-To"), ALWAYS },
    { STR("References"), ALWAYS },
    { STR("MIME-Version"), ALWAYS },
    { STR("Content-Type"), ALWAYS },
    { STR("Content-Transfer-Encoding"), ALWAYS },
    { STR("Content-Disposition"), PRESENT },
    { STR("Content-ID"), PRESENT },
    { STR("Content-Description"), PRESENT },
    { STR("Content-Language"), PRESENT },
    { STR("Sender"), PRESENT },
    { STR("List-Id"), PRESENT },
    { STR("List-Help"), PRESENT },
    { STR("List-Unsubscribe"), PRESENT },
    { STR("List-Unsubscribe-Post"), PRESENT },
    { STR("List-Subscribe"), PRESENT },
    { STR("List-Post"), PRESENT },
    { STR("List-Owner"), PRESENT },
    { STR("List-Archive"), PRESENT },
    { STR("Feedback-ID"), PRESENT },
    { STR("CFBL-Address"), PRESENT },
    { STR("CFBL-Feedback-ID"), PRESENT },
    { STR("Resent-Date"), AS_IS },
    { STR("Resent-From"), AS_IS },
    { STR("Resent-Sender"), AS_IS },
    { STR("Resent-To"), AS_IS },
    { STR("Resent-Cc"), AS_IS },
    { STR("Resent-Message-ID"), AS_IS },
};
#define SIGNED_FIELDS ARRAY_LEN(signed_fields)

/* Its place in the table, SIGNED_FIELDS when it is not signed. */
static size_t row_of(struct str name)
{
    size_t i = 0;

    while (i < SIGNED_FIELDS && !str_eq_nocase(signed_fields[i].name, name))
        i++;
    return i;
}

static bool collect(struct dkim_fields *to, uint16_t counts[SIGNED_FIELDS], struct str section,
                    struct err *err)
{
    struct header_field f;
    size_t at = 0;

    for (size_t count = 0; header_next(section, &at, &f); count++) {
        size_t row = row_of(f.name);

        if (count == DKIM_FIELDS_MAX)
            return err_set(err, ERR_LIMIT, "over %d header fields", DKIM_FIELDS_MAX);
        if (row == SIGNED_FIELDS)
            continue;
        counts[row]++;
        dkim_fields_add(to, &f, (uint32_t)row);
    }
    return true;
}

/* The lowest first (RFC 6376 §5.4.2). */
static void hash_fields(struct dkim_digest *d, struct str section, const struct dkim_fields *fields,
                        const uint16_t counts[SIGNED_FIELDS])
{
    for (size_t row = 0; row < SIGNED_FIELDS; row++) {
        size_t left = counts[row];

        for (size_t i = fields->count; left > 0 && i-- > 0;) {
            const struct dkim_field *f = &fields->list[i];

            if (f->mark != row)
                continue;
            dkim_header_add(d, DKIM_RELAXED, str_sub(section, f->offset, f->len));
            left--;
        }
    }
}

/* How often h= names it. */
static size_t times_named(size_t row, size_t count)
{
    if (signed_fields[row].rule == ALWAYS)
        return count + 1;
    return count > 0 && signed_fields[row].rule == PRESENT ? count + 1 : count;
}

/* --- the field --- */

struct line {
    struct buf *to;
    size_t from; /* where it begins in the buffer */
};

/* Adds a piece that is not to be broken, on a new line where this one gets too long. */
static void add_piece(struct line *l, struct str piece, struct str between)
{
    if (l->to->len - l->from + between.len + piece.len > LINE_MAX_BYTES) {
        buf_add(l->to, STR("\r\n "));
        l->from = l->to->len - 1;
    } else {
        buf_add(l->to, between);
    }
    buf_add(l->to, piece);
}

static void add_names(struct line *l, const uint16_t counts[SIGNED_FIELDS])
{
    bool first = true;

    add_piece(l, STR("h="), STR(" "));
    for (size_t row = 0; row < SIGNED_FIELDS; row++) {
        for (size_t n = times_named(row, counts[row]); n > 0; n--) {
            if (!first)
                buf_add_char(l->to, ':');
            first = false;
            add_piece(l, signed_fields[row].name, STR_NONE);
        }
    }
    buf_add_char(l->to, ';');
}

static void write_field(struct buf *to, const struct dkim_sign *s,
                        const uint16_t counts[SIGNED_FIELDS],
                        const uint8_t body_hash[DKIM_HASH_BYTES])
{
    struct line l = { .to = to, .from = to->len };

    buf_add(to, STR("DKIM-Signature: v=1;"));
    add_piece(&l, s->algorithm == DKIM_RSA_SHA256 ? STR("a=rsa-sha256;") : STR("a=ed25519-sha256;"),
              STR(" "));
    add_piece(&l, STR("c=relaxed/relaxed;"), STR(" "));
    buf_addf(to, "\r\n d=%.*s;", STR_FMT(s->domain));
    buf_addf(to, "\r\n s=%.*s;", STR_FMT(s->selector));
    buf_addf(to, "\r\n t=%lld; x=%lld;", (long long)s->signed_s, (long long)s->expires_s);
    buf_add(to, STR("\r\n"));
    l.from = to->len;
    add_names(&l, counts);
    buf_add(to, STR("\r\n bh="));
    base64_add(to, str_make(body_hash, DKIM_HASH_BYTES));
    buf_add(to, STR(";\r\n b=\r\n"));
}

/* Nothing that could break out of the field. */
static bool sign_ok(const struct dkim_sign *s, struct err *err)
{
    if (!domain_ok(s->domain, false) || !domain_ok(s->selector, false))
        return err_set(err, ERR_SYNTAX, "a domain or selector that is none");
    return true;
}

static void hash_all(struct str section, const struct dkim_fields *fields,
                     const uint16_t counts[SIGNED_FIELDS], struct str field,
                     uint8_t ret[DKIM_HASH_BYTES])
{
    void *context = dkim_context_new();
    struct dkim_digest d = { .context = context, .left = UINT64_MAX };

    dkim_context_begin(context);
    hash_fields(&d, section, fields, counts);
    dkim_header_add_last(&d, DKIM_RELAXED, field);
    dkim_digest_flush(&d);
    dkim_context_end(context, ret);
    dkim_context_free(context);
}

bool dkim_sign_begin(struct buf *field, struct str section, const struct dkim_sign *s,
                     const uint8_t body_hash[DKIM_HASH_BYTES], uint8_t ret_hash[DKIM_HASH_BYTES],
                     struct err *err)
{
    uint16_t counts[SIGNED_FIELDS] = { 0 };
    struct dkim_fields fields;
    size_t from = field->len;
    bool ok;

    dkim_fields_init(&fields);
    ok = sign_ok(s, err) && collect(&fields, counts, section, err);
    if (ok) {
        write_field(field, s, counts, body_hash);
        ok = buf_ok(field) || err_set(err, ERR_LIMIT, "a signature over %zu octets", field->max);
    }
    if (ok)
        hash_all(section, &fields, counts, str_skip(buf_str(field), from), ret_hash);
    dkim_fields_done(&fields);
    return ok;
}

bool dkim_sign_end(struct buf *to, struct str field, struct str signature)
{
    buf_add(to, str_sub(field, 0, field.len - 2));
    for (size_t at = 0; at < signature.len; at += LINE_SIGNATURE_BYTES) {
        if (at > 0)
            buf_add(to, STR("\r\n "));
        base64_add(to, str_sub(signature, at, LINE_SIGNATURE_BYTES));
    }
    buf_add(to, STR("\r\n"));
    return buf_ok(to);
}
