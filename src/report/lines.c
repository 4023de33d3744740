// SPDX-License-Identifier: Apache-2.0
/* report/lines.c - the key=value form, and what goes where. */
#include "report/lines.h"

#include "base/code.h"
#include "base/log.h"
#include "io/process.h"
#include "mail/header.h"
#include "report/postfix.h"

void lines_init(struct lines *l, const struct config *config)
{
    *l = (struct lines){ .config = config };
    idmap_init(&l->open);
    if (config->log_form == LOG_FORM_POSTFIX)
        process_log_bare(); /* that form has its own date */
}

void lines_done(struct lines *l)
{
    idmap_done(&l->open);
}

static void add_date(struct log_line *l, const char *key, int64_t wall_ms)
{
    char text[DATE_TEXT_MAX];

    log_cstr(l, key, date_format_iso(wall_ms, text));
}

/* Keys whose value is not known are left out. */
static void add_str(struct log_line *l, const char *key, struct str value)
{
    if (value.len > 0)
        log_str(l, key, value);
}

static void add_outcome(struct log_line *l, const struct outcome *o)
{
    char ip[IP_TEXT_MAX], status[16];
    struct buf b;

    add_str(l, "host", o->host);
    if (o->ip.family != 0)
        log_cstr(l, "ip", ip_format(&o->ip, ip));
    log_num(l, "code", o->reply.code);
    buf_init(&b, sizeof status);
    if (o->reply.status.klass != 0 && status_format(&b, o->reply.status))
        log_str(l, "status", buf_str(&b));
    buf_done(&b);
    if (o->scope != 0)
        log_cstr(l, "scope", outcome_scope_name(o->scope));
    log_cstr(l, "tls", o->tls ? "yes" : "no");
    log_num(l, "waited_ms", o->waited_ms);
    log_num(l, "dialogue_ms", o->dialogue_ms);
}

static void add_accepted(struct log_line *l, const struct event *e)
{
    log_str(l, "from", e->reverse_path);
    add_str(l, "client", e->client);
    add_str(l, "helo", e->helo);
    add_str(l, "login", e->login);
    log_num(l, "size", (int64_t)e->size_bytes);
    log_num(l, "rcpts", e->rcpt_count);
}

static void add_attempt(struct log_line *l, const struct event *e)
{
    log_str(l, "from", e->reverse_path);
    add_str(l, "rcpt", e->address);
    add_str(l, "dest", e->destination);
    add_str(l, "source", e->source);
    if (e->outcome.kind != 0)
        add_outcome(l, &e->outcome);
    log_num(l, "try", e->tries);
    if (e->due_wall_ms != 0)
        add_date(l, "next", e->due_wall_ms);
    if (e->dsn != 0)
        log_id(l, "dsn", e->dsn);
    add_str(l, "actor", e->actor);
    add_str(l, "reason", e->reason);
    add_str(l, "text", e->outcome.reply.text);
}

static const char *short_name(enum event_kind kind)
{
    return event_kind_name(kind) + sizeof("email.") - 1;
}

static void write_keyvalue(const struct event *e)
{
    struct log_line l;

    log_begin(&l, LOG_INFO, short_name(e->kind));
    add_date(&l, "at", e->wall_ms);
    log_id(&l, "id", e->message);
    log_num(&l, "account", (int64_t)e->account);
    if (e->kind == EVENT_ACCEPTED)
        add_accepted(&l, e);
    else
        add_attempt(&l, e);
    log_end(&l);
}

void lines_write(struct lines *l, const struct event *e)
{
    l->written++;
    if (l->config->log_form == LOG_FORM_POSTFIX)
        postfix_write(l, e);
    else
        write_keyvalue(e);
}
