// SPDX-License-Identifier: Apache-2.0
/* mail/received.c - the trace line that a server adds in front of all others (RFC 5321 §4.4).
 *
 * A client chooses its HELO name: whatever could close a comment, end a line or pass for another
 * clause is shown as
 * '?', so that nothing after it can be forged. */
#include "mail/address.h"
#include "mail/header.h"

enum { LOOSE_MAX = 100 };

/* Text that may stand in a comment (RFC 5322 §3.2.2: ctext), at most LOOSE_MAX octets. */
static struct str ctext(struct arena *a, struct str text)
{
    char *to;

    text = str_sub(text, 0, LOOSE_MAX);
    to = arena_alloc(a, text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool ok = c > ' ' && c <= '~' && !strchr("()\\<>@,;\"", c);

        to[i] = ok ? c : '?';
    }
    return str_make(to, text.len);
}

/* RFC 3848, RFC 6531 §4.3. TLS and AUTH need ESMTP, so a HELO over TLS counts as ESMTP here. */
static const char *with_protocol(const struct received *r)
{
    static const char *const plain[] = { "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" };
    static const char *const utf8[] = { "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA" };
    unsigned which = (r->tls ? 1u : 0u) + (r->authenticated ? 2u : 0u);

    if (r->utf8)
        return utf8[which];
    return which == 0 && !r->esmtp ? "SMTP" : plain[which];
}

/* "from helo ([192.0.2.1])", or nothing when the client is hidden (fault V02). */
static struct str from_clause(struct arena *a, const struct received *r)
{
    bool is_v6 = str_index(r->client_ip, ':') < r->client_ip.len;
    const char *tag = is_v6 ? "IPv6:" : "";
    struct str ip = ctext(a, r->client_ip), helo = r->helo;

    if (r->hide_client)
        return STR_NONE;
    if (domain_ok(helo, r->utf8))
        return arena_strf(a, "from %.*s ([%s%.*s])\r\n\t", STR_FMT(helo), tag, STR_FMT(ip));
    helo = ctext(a, helo);
    return arena_strf(a, "from [%s%.*s] (helo=%.*s)\r\n\t", tag, STR_FMT(ip), STR_FMT(helo));
}

static struct str tls_clause(struct arena *a, const struct received *r)
{
    struct str protocol = ctext(a, r->tls_protocol), cipher = ctext(a, r->tls_cipher);

    if (!r->tls || protocol.len == 0)
        return STR_NONE;
    return arena_strf(a, "\r\n\t(using %.*s with %.*s)", STR_FMT(protocol), STR_FMT(cipher));
}

/* The recipient, when naming it tells nobody of another, and it can be named in this message. */
static struct str for_clause(struct arena *a, const struct received *r)
{
    struct str text = r->for_recipient;
    struct address address;

    if (text.len == 0 || !address_parse(text, &address, NULL) || (address.is_utf8 && !r->utf8))
        return STR_NONE;
    return arena_strf(a, "\r\n\tfor <%.*s>", STR_FMT(text));
}

void received_edits(struct arena *a, const struct received *r, struct header_edit *edits,
                    size_t *count)
{
    struct str from = from_clause(a, r), tls = tls_clause(a, r), rcpt = for_clause(a, r);
    struct str by = domain_ok(r->by, r->utf8) ? r->by : ctext(a, r->by);
    char date[DATE_TEXT_MAX];

    edits[(*count)++] = (struct header_edit){
        .kind = EDIT_INSERT,
        .text = arena_strf(a, "Received: %.*sby %.*s with %s id ", STR_FMT(from), STR_FMT(by),
                           with_protocol(r)),
    };
    edits[(*count)++] = (struct header_edit){ .kind = EDIT_INSERT_ID };
    edits[(*count)++] = (struct header_edit){
        .kind = EDIT_INSERT,
        .text = arena_strf(a, "%.*s%.*s;\r\n\t%s\r\n", STR_FMT(tls), STR_FMT(rcpt),
                           date_format(r->wall_ms, date)),
    };
}
