// SPDX-License-Identifier: Apache-2.0
/* mail/dsn.c - writes a notification around the original it is about.
 *
 * Everything from outside goes through add_words(): controls never get in, bytes over 127 only
 * where the notification is an internationalized one, and no line comes near 998 octets. Who is
 * told, and when, is for core to decide. */
#include "mail/dsn.h"

#include "base/code.h"
#include "mail/header.h"

enum { COLUMN_MAX = 76, WORD_MAX_OCTETS = 800 };

#define FOLD "\r\n "
#define INDENT "\r\n    "

bool dsn_wanted(unsigned notify, enum dsn_kind kind)
{
    unsigned asked = notify == NOTIFY_DEFAULT ? NOTIFY_FAILURE | NOTIFY_DELAY : notify;

    if (asked & NOTIFY_NEVER)
        return false;
    switch (kind) {
    case DSN_FAILED:
        return asked & NOTIFY_FAILURE;
    case DSN_DELAYED:
        return asked & NOTIFY_DELAY;
    case DSN_DELIVERED:
    case DSN_RELAYED:
        return asked & NOTIFY_SUCCESS;
    }
    return false;
}

static size_t column(const struct buf *to)
{
    size_t end = str_index_last(buf_str(to), '\n');

    return end == to->len ? to->len : to->len - end - 1;
}

static void add_clean(struct buf *to, struct str word, bool utf8)
{
    bool high_ok = utf8 && utf8_ok(word);

    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        bool ok = c > 127 ? high_ok : c > ' ' && c != 127;

        buf_add_char(to, ok ? (char)c : '?');
    }
}

/* Where a word must be cut so that no line gets too long: never inside a character. */
static size_t word_cut(struct str word)
{
    size_t len = word.len;

    if (len <= WORD_MAX_OCTETS)
        return len;
    for (len = WORD_MAX_OCTETS; len > 1 && ((unsigned char)word.ptr[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

/* Adds text word by word, with `brk` where the line is full; the first word follows what stands
 * there already. */
static void add_words(struct buf *to, struct str text, bool utf8, const char *brk)
{
    struct str word;
    bool first = true;

    while (str_next(&text, ' ', &word))
        for (; word.len > 0; first = false) {
            struct str part = str_sub(word, 0, word_cut(word));

            if (!first && column(to) + 1 + part.len > COLUMN_MAX)
                buf_add(to, str_of(brk));
            else if (!first)
                buf_add_char(to, ' ');
            add_clean(to, part, utf8);
            word = str_skip(word, part.len);
        }
}

/* "Name: type; value", folded; `type` may be empty. */
static void add_field(struct buf *to, const struct dsn *d, const char *name, const char *type,
                      struct str value)
{
    buf_addf(to, "%s: %s%s", name, type, *type ? "; " : "");
    add_words(to, value, d->utf8, FOLD);
    buf_add(to, STR("\r\n"));
}

static void add_date(struct buf *to, const char *name, int64_t wall_ms)
{
    char text[DATE_TEXT_MAX];

    if (wall_ms > 0)
        buf_addf(to, "%s: %s\r\n", name, date_format(wall_ms, text));
}

/* "<address>", cleaned. */
static void add_address(struct buf *to, const struct dsn *d, struct str address)
{
    buf_add_char(to, '<');
    add_clean(to, address, d->utf8);
    buf_add_char(to, '>');
}

static void add_boundary(struct buf *to, const struct dsn *d)
{
    buf_add(to, STR("dsn-"));
    add_clean(to, d->dsn_id, false);
}

static const char *subject_of(enum dsn_kind kind)
{
    switch (kind) {
    case DSN_FAILED:
        return "Your message could not be delivered";
    case DSN_DELAYED:
        return "Your message is delayed";
    case DSN_DELIVERED:
        return "Your message was delivered";
    case DSN_RELAYED:
        return "Your message was relayed";
    }
    return "Your message";
}

/* Auto-Submitted keeps vacation programs and other relays from answering (RFC 3834 §5, O12). */
static void add_header(struct buf *to, const struct dsn *d)
{
    char date[DATE_TEXT_MAX];

    buf_add(to, STR("From: \"Mail Delivery System\" "));
    add_address(to, d, d->postmaster);
    buf_add(to, STR("\r\nTo: "));
    add_address(to, d, d->to);
    buf_addf(to, "\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <", subject_of(d->kind),
             date_format(d->wall_ms, date));
    add_clean(to, d->dsn_id, false);
    buf_add_char(to, '@');
    add_clean(to, d->reporting_mta, d->utf8);
    buf_add(to,
            STR(">\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\""));
    add_boundary(to, d);
    buf_add(to, STR("\"\r\n"));
    if (d->utf8 || d->original_8bit)
        buf_add(to, STR("Content-Transfer-Encoding: 8bit\r\n"));
    buf_add(to, STR("\r\n"));
}

/* `leading` is false for the first part, whose line break is the header's empty line. */
static void add_part(struct buf *to, const struct dsn *d, bool leading, const char *type,
                     bool eight_bit)
{
    if (leading)
        buf_add(to, STR("\r\n"));
    buf_add(to, STR("--"));
    add_boundary(to, d);
    buf_addf(to, "\r\nContent-Type: %s\r\n", type);
    buf_addf(to, "Content-Transfer-Encoding: %s\r\n\r\n", eight_bit ? "8bit" : "7bit");
}

/* Plain words ---------------------------------------------------------------------------------- */

static const char *fate(enum dsn_kind kind, enum outcome_kind outcome)
{
    switch (kind) {
    case DSN_FAILED:
        if (outcome == OUTCOME_EXPIRED)
            return "could not be delivered in time, and is not tried any more.";
        if (outcome == OUTCOME_CANCELLED)
            return "was cancelled by the operator of this server.";
        return "could not be delivered.";
    case DSN_DELAYED:
        return "has not been delivered yet. You need not send it again.";
    case DSN_DELIVERED:
        return "was delivered.";
    case DSN_RELAYED:
        return "was handed to a mail server that may send no further notifications.";
    }
    return "";
}

/* The remote server's own words, or ours when it said nothing. */
static void add_cause(struct buf *to, const struct dsn *d, const struct outcome *o)
{
    char ip[IP_TEXT_MAX];

    if (o->reply.code == 0 && o->reply.text.len == 0)
        return;
    buf_add(to, STR("\r\n"));
    if (o->reply.code == 0 || (o->host.len == 0 && o->ip.family == 0)) { /* no server has spoken */
        buf_add(to, STR("What went wrong:" INDENT));
    } else {
        buf_add(to, STR("What the remote server"));
        if (o->host.len > 0) {
            buf_add_char(to, ' ');
            add_clean(to, o->host, d->utf8);
        }
        if (o->ip.family != 0)
            buf_addf(to, " [%s]", ip_format(&o->ip, ip));
        buf_addf(to, " said:" INDENT "%u ", o->reply.code);
        if (o->reply.status.klass != 0) {
            status_format(to, o->reply.status);
            buf_add_char(to, ' ');
        }
    }
    add_words(to, o->reply.text, d->utf8, INDENT);
    buf_add(to, STR("\r\n"));
}

static void add_words_for(struct buf *to, const struct dsn *d, const struct dsn_recipient *r)
{
    char date[DATE_TEXT_MAX];

    buf_add(to, STR("\r\nYour message to "));
    add_address(to, d, r->address);
    buf_addf(to, "%s%s\r\n", column(to) > COLUMN_MAX / 2 ? "\r\n" : " ",
             fate(d->kind, r->outcome.kind));
    if (d->kind == DSN_DELAYED && r->retry_until_wall_ms > 0)
        buf_addf(to, "It will be tried until %s.\r\n", date_format(r->retry_until_wall_ms, date));
    if (d->kind == DSN_FAILED || d->kind == DSN_DELAYED)
        add_cause(to, d, &r->outcome);
}

static void add_plain_part(struct buf *to, const struct dsn *d)
{
    char date[DATE_TEXT_MAX];

    add_part(to, d, false, d->utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
             d->utf8);
    buf_add(to, STR("This is the mail server "));
    add_clean(to, d->reporting_mta, d->utf8);
    buf_add(to, STR(".\r\n"));
    for (size_t i = 0; i < d->count; i++)
        add_words_for(to, d, &d->recipients[i]);

    if (d->subject.len > 0) {
        buf_add(to, STR("\r\nThe subject of your message was:" INDENT));
        add_words(to, d->subject, d->utf8, INDENT);
        buf_add(to, STR("\r\n"));
    }
    buf_addf(to, "\r\nIt was received on %s with the id ", date_format(d->arrival_wall_ms, date));
    add_clean(to, d->original_id, false);
    buf_add(to, STR(".\r\nWhat follows is for mail programs and administrators.\r\n"));
}

/* For programs (RFC 3464 §2) ------------------------------------------------------------------- */

static const char *action_of(enum dsn_kind kind)
{
    switch (kind) {
    case DSN_FAILED:
        return "failed";
    case DSN_DELAYED:
        return "delayed";
    case DSN_DELIVERED:
        return "delivered";
    case DSN_RELAYED:
        return "relayed";
    }
    return "failed";
}

/* The peer's enhanced code when its class fits the action, else the plainest that does. */
static struct status status_of(enum dsn_kind kind, const struct outcome *o)
{
    uint8_t klass = kind == DSN_FAILED ? 5 : kind == DSN_DELAYED ? 4 : 2;

    if (kind == DSN_FAILED && o->kind == OUTCOME_EXPIRED)
        return (struct status){ 4, 4, 7 }; /* RFC 3463 §3.5: delivery time expired */
    if (kind == DSN_FAILED && o->kind == OUTCOME_CANCELLED)
        return (struct status){ 5, 7, 1 };
    if (o->reply.status.klass == klass)
        return o->reply.status;
    return (struct status){ klass, 0, 0 };
}

/* As the sender gave it, xtext decoded (RFC 3461 §6.3); utf-8 addresses keep their own coding (RFC
 * 6533 §3). */
static void add_original_recipient(struct buf *to, const struct dsn *d, struct str orcpt)
{
    struct str type, address;
    struct buf plain;

    if (!str_cut(orcpt, ';', &type, &address))
        return;
    buf_init(&plain, orcpt.len);
    if (!str_eq_nocase(type, STR("utf-8")) && xtext_read(&plain, address, NULL))
        address = buf_str(&plain);
    buf_add(to, STR("Original-Recipient: "));
    add_clean(to, type, false);
    buf_add_char(to, ';');
    add_words(to, address, d->utf8, FOLD);
    buf_add(to, STR("\r\n"));
    buf_done(&plain);
}

static void add_diagnostic(struct buf *to, const struct dsn *d, const struct reply *r)
{
    if (r->code == 0 && r->text.len == 0)
        return;
    if (r->code == 0) {
        add_field(to, d, "Diagnostic-Code", "x-baton", r->text);
        return;
    }
    buf_addf(to, "Diagnostic-Code: smtp; %u ", r->code);
    if (r->status.klass != 0) {
        status_format(to, r->status);
        buf_add_char(to, ' ');
    }
    add_words(to, r->text, d->utf8, FOLD);
    buf_add(to, STR("\r\n"));
}

static void add_status_for(struct buf *to, const struct dsn *d, const struct dsn_recipient *r)
{
    bool is_utf8 = d->utf8 && !str_is_ascii(r->address);

    buf_add(to, STR("\r\n"));
    add_original_recipient(to, d, r->orcpt);
    add_field(to, d, "Final-Recipient", is_utf8 ? "utf-8" : "rfc822", r->address);
    buf_addf(to, "Action: %s\r\nStatus: ", action_of(d->kind));
    status_format(to, status_of(d->kind, &r->outcome));
    buf_add(to, STR("\r\n"));
    if (r->outcome.host.len > 0)
        add_field(to, d, "Remote-MTA", "dns", r->outcome.host);
    add_diagnostic(to, d, &r->outcome.reply);
    add_date(to, "Last-Attempt-Date", r->last_attempt_wall_ms);
    if (d->kind == DSN_DELAYED)
        add_date(to, "Will-Retry-Until", r->retry_until_wall_ms);
}

static void add_status_part(struct buf *to, const struct dsn *d)
{
    add_part(to, d, true, d->utf8 ? "message/global-delivery-status" : "message/delivery-status",
             d->utf8);
    add_field(to, d, "Reporting-MTA", "dns", d->reporting_mta);
    if (d->envid.len > 0)
        add_field(to, d, "Original-Envelope-Id", "", d->envid);
    add_date(to, "Arrival-Date", d->arrival_wall_ms);
    for (size_t i = 0; i < d->count; i++)
        add_status_for(to, d, &d->recipients[i]);
}

bool dsn_format_head(struct buf *to, const struct dsn *d)
{
    const char *whole = d->utf8 ? "message/global" : "message/rfc822";
    const char *header = d->utf8 ? "message/global-headers" : "text/rfc822-headers";

    add_header(to, d);
    add_plain_part(to, d);
    add_status_part(to, d);
    add_part(to, d, true, d->return_full ? whole : header, d->original_8bit);
    return buf_ok(to);
}

bool dsn_format_tail(struct buf *to, const struct dsn *d)
{
    buf_add(to, STR("\r\n--"));
    add_boundary(to, d);
    return buf_add(to, STR("--\r\n"));
}
