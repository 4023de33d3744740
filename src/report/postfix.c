// SPDX-License-Identifier: Apache-2.0
/* report/postfix.c - an event as the lines that Postfix would have written: smtpd, cleanup and qmgr
 * for a message, smtp for each attempt, bounce for a notification, "removed" at the end. Checked
 * against pflogsumm.
 *
 * In these lines a comma, a blank and the angle and round brackets divide fields, so that a value
 * which holds one where it would mislead shows '?' instead. */
#include "report/postfix.h"

#include <stdio.h>

#include "base/code.h"
#include "base/log.h"
#include "mail/header.h"

enum { OPEN_MAX = 200000, LINE_MAX_BYTES = 2000, TEXT_MAX_BYTES = 800 };

/* Controls, also those over 127, line separators, and what turns the direction of text. */
static bool is_hidden(const unsigned char *p, size_t len)
{
    if (len == 2)
        return p[0] == 0xc2 && p[1] < 0xa0;
    if (len != 3 || p[0] != 0xe2)
        return false;
    if (p[1] == 0x80)
        return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae);
    return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

/* How many bytes at the front of `text` may stand as they are: a character, or 0. */
static size_t shown_len(struct str text, const char *also)
{
    unsigned char c = (unsigned char)text.ptr[0];
    size_t len;

    if (c < 0x80)
        return c >= ' ' && c != 0x7f && !strchr(also, c);
    len = utf8_len(text);
    return is_hidden((const unsigned char *)text.ptr, len) ? 0 : len;
}

/* What is not printable becomes '?', and so does every byte that stands in `also`. */
static void add_printable(struct buf *to, struct str text, const char *also)
{
    while (text.len > 0) {
        size_t len = shown_len(text, also);

        buf_add(to, len > 0 ? str_sub(text, 0, len) : STR("?"));
        text = str_skip(text, len > 0 ? len : 1);
    }
}

static void add_address(struct buf *b, const char *key, struct str address)
{
    buf_addf(b, "%s=<", key);
    add_printable(b, address, "<>");
    buf_add_char(b, '>');
}

/* "2026-11-22T01:28:43.123Z relay.example.org postfix/smtp[1]: ID: ", which both forms of syslog
 * readers know. The process number means nothing here. */
static void begin(struct buf *b, const struct lines *l, const struct event *e, const char *daemon)
{
    char date[DATE_TEXT_MAX], id[ID_TEXT_LEN + 1];
    struct str host = l->config->hostname.len > 0 ? l->config->hostname : STR("localhost");

    buf_clear(b);
    buf_addf(b, "%s ", date_format_iso(e->wall_ms, date));
    add_printable(b, host, " ");
    buf_addf(b, " postfix/%s[1]: %s: ", daemon, id_format(e->message, id));
}

/* A line that is too long is cut at its end, never left out. */
static void end(struct buf *b)
{
    struct log_line l = { .level = LOG_INFO };

    l.len = b->len < LINE_MAX_BYTES ? b->len : LINE_MAX_BYTES;
    while (l.len > 0 && l.len < b->len && ((unsigned char)b->ptr[l.len] & 0xc0) == 0x80)
        l.len--; /* not in the middle of a character */
    memcpy(l.text, b->ptr, l.len);
    log_end(&l);
}

static void write_accepted(struct buf *b, const struct lines *l, const struct event *e)
{
    if (e->client.len > 0) { /* a notification of our own comes from no client */
        begin(b, l, e, "smtpd");
        buf_add(b, STR("client=unknown["));
        add_printable(b, e->client, "[], ");
        buf_add_char(b, ']');
        if (e->login.len > 0) {
            buf_add(b, STR(", sasl_username="));
            add_printable(b, e->login, ", ");
        }
        end(b);
    }
    begin(b, l, e, "cleanup");
    buf_add(b, STR("message-id=<>"));
    end(b);
    begin(b, l, e, "qmgr");
    add_address(b, "from", e->reverse_path);
    buf_addf(b, ", size=%llu, nrcpt=%u (queue active)", (unsigned long long)e->size_bytes,
             e->rcpt_count);
    end(b);
}

static void add_relay(struct buf *b, const struct outcome *o)
{
    char ip[IP_TEXT_MAX];

    buf_add(b, STR(", relay="));
    if (o->host.len == 0 && o->ip.family == 0) {
        buf_add(b, STR("none"));
        return;
    }
    if (o->host.len > 0)
        add_printable(b, str_sub(o->host, 0, 255), ",[] ");
    else
        buf_add(b, STR("unknown"));
    if (o->ip.family != 0)
        buf_addf(b, "[%s]:25", ip_format(&o->ip, ip));
}

static double seconds(int64_t ms)
{
    return ms > 0 ? (double)ms / 1000 : 0;
}

/* delays=a/b/c/d: before the queue, in it, until connected, in the dialogue. */
static void add_delays(struct buf *b, const struct event *e)
{
    const struct outcome *o = &e->outcome;
    int64_t whole_ms = e->wall_ms - e->accepted_wall_ms;
    int64_t queued_ms = whole_ms - (int64_t)o->waited_ms - (int64_t)o->dialogue_ms;

    buf_addf(b, ", delay=%.2f, delays=0/%.2f/%.2f/%.2f", seconds(whole_ms), seconds(queued_ms),
             seconds(o->waited_ms), seconds(o->dialogue_ms));
}

static void add_dsn(struct buf *b, const struct event *e)
{
    struct status s = e->outcome.reply.status;

    if (s.klass == 0) /* the peer gave none: the class stands in the kind */
        s = (struct status){ e->kind == EVENT_DEFERRED                              ? 4
                             : e->kind == EVENT_BOUNCED || e->kind == EVENT_EXPIRED ? 5
                                                                                    : 2,
                             0, 0 };
    buf_add(b, STR(", dsn="));
    status_format(b, s);
}

static const char *status_word(enum event_kind kind)
{
    if (kind == EVENT_DELIVERED || kind == EVENT_RELAYED)
        return "sent";
    return kind == EVENT_DEFERRED ? "deferred" : "bounced";
}

static void write_attempt(struct buf *b, const struct lines *l, const struct event *e)
{
    const struct reply *r = &e->outcome.reply;

    begin(b, l, e, "smtp");
    add_address(b, "to", e->address);
    add_relay(b, &e->outcome);
    add_delays(b, e);
    add_dsn(b, e);
    buf_addf(b, ", status=%s (", status_word(e->kind));
    if (e->kind == EVENT_EXPIRED)
        buf_add(b, STR("expired: "));
    if (r->code != 0)
        buf_addf(b, "%u ", r->code);
    if (r->code != 0 && r->status.klass != 0 && status_format(b, r->status))
        buf_add_char(b, ' ');
    add_printable(b, str_sub(r->text, 0, TEXT_MAX_BYTES), "()");
    buf_add_char(b, ')');
    end(b);
}

static void write_notification(struct buf *b, const struct lines *l, const struct event *e)
{
    char id[ID_TEXT_LEN + 1];

    if (e->dsn == 0)
        return;
    begin(b, l, e, "bounce");
    buf_addf(b, "sender %s notification: %s",
             e->kind == EVENT_DELAY_WARNED                            ? "delay"
             : e->kind == EVENT_DELIVERED || e->kind == EVENT_RELAYED ? "delivery status"
                                                                      : "non-delivery",
             id_format(e->dsn, id));
    end(b);
}

static void write_operation(struct buf *b, const struct lines *l, const struct event *e)
{
    begin(b, l, e, "postsuper");
    add_address(b, "to", e->address);
    buf_addf(b, ", %s by ", event_kind_name(e->kind) + sizeof("email.") - 1);
    add_printable(b, e->actor, "");
    if (e->reason.len > 0) {
        buf_add(b, STR(": "));
        add_printable(b, str_sub(e->reason, 0, TEXT_MAX_BYTES), "");
    }
    end(b);
}

static void open_message(struct lines *l, const struct event *e)
{
    if (l->open.count < OPEN_MAX && e->rcpt_count > 0)
        (void)idmap_put(&l->open, e->message, (void *)(uintptr_t)e->rcpt_count);
}

static void settle_message(struct buf *b, struct lines *l, const struct event *e)
{
    uintptr_t left = (uintptr_t)idmap_find(&l->open, e->message);

    if (left > 1) {
        (void)idmap_put(&l->open, e->message, (void *)(left - 1));
    } else if (left == 1) {
        (void)idmap_take(&l->open, e->message);
        begin(b, l, e, "qmgr");
        buf_add(b, STR("removed"));
        end(b);
    }
}

static void write_event(struct buf *b, struct lines *l, const struct event *e)
{
    switch (e->kind) {
    case EVENT_ACCEPTED:
        write_accepted(b, l, e);
        open_message(l, e);
        break;
    case EVENT_DEFERRED:
        write_attempt(b, l, e);
        break;
    case EVENT_DELIVERED:
    case EVENT_RELAYED:
    case EVENT_BOUNCED:
    case EVENT_EXPIRED:
        write_attempt(b, l, e);
        write_notification(b, l, e);
        settle_message(b, l, e);
        break;
    case EVENT_CANCELLED:
        write_operation(b, l, e);
        write_notification(b, l, e);
        settle_message(b, l, e);
        break;
    case EVENT_DELAY_WARNED:
        write_notification(b, l, e);
        break;
    case EVENT_HELD:
    case EVENT_RELEASED:
    case EVENT_RETRIED:
        write_operation(b, l, e);
        break;
    }
}

void postfix_write(struct lines *l, const struct event *e)
{
    struct buf b;

    buf_init(&b, 16 * 1024);
    write_event(&b, l, e);
    buf_done(&b);
}
