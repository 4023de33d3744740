// SPDX-License-Identifier: Apache-2.0
/* core/notify.c - the notification (DSN) that goes into the same record as the outcome that it
 * tells of. */
#include <stdlib.h>

#include "base/code.h"
#include "core/naming.h"
#include "io/clock.h"
#include "mail/srs.h"

/* A hundred recipients with the longest words of their servers, twice. */
#define DSN_HEAD_MAX (512 * 1024)
#define SUBJECT_MAX 200

/* No bounce for a bounce (RFC 5321 §4.5.5), and none to an address that nobody has vouched for:
 * mail from strangers to our own domains has no account (fault A11). */
bool notify_may(const struct envelope *e)
{
    return e->reverse_path.len > 0 && !(e->flags & ENVELOPE_DSN) && e->account != 0;
}

/* The original's subject, unfolded, or empty when its header cannot be read now. */
static struct str original_subject(struct core *c, struct spool_message *m,
                                   const struct envelope *e, struct arena *a)
{
    struct header_field field;
    struct err err;
    size_t at = 0;

    if (e->header_bytes == 0)
        return STR("");
    char *header = arena_alloc(a, e->header_bytes);
    if (!spool_content(c->spool, m, 0, e->header_bytes, header, &err))
        return STR("");
    while (header_next(str_make(header, e->header_bytes), &at, &field))
        if (str_eq_nocase(field.name, STR("subject")))
            return str_sub(header_unfold(a, field.value), 0, SUBJECT_MAX);
    return STR("");
}

static struct dsn_recipient *dsn_recipients(const struct notify_rcpt *rcpts, size_t count,
                                            int64_t now, struct arena *a)
{
    struct dsn_recipient *list = ARENA_ARRAY(a, struct dsn_recipient, count);

    for (size_t i = 0; i < count; i++)
        list[i] = (struct dsn_recipient){
            .address = rcpts[i].settled->address,
            .orcpt = rcpts[i].settled->orcpt,
            .outcome = rcpts[i].settled->outcome,
            .last_attempt_wall_ms = now,
            .retry_until_wall_ms = rcpts[i].retry_until_ms,
        };
    return list;
}

static bool any_utf8(const struct envelope *e, const struct notify_rcpt *rcpts, size_t count)
{
    if ((e->flags & ENVELOPE_SMTPUTF8) || !str_is_ascii(e->reverse_path))
        return true;
    for (size_t i = 0; i < count; i++)
        if (!str_is_ascii(rcpts[i].settled->address))
            return true;
    return false;
}

/* To whom: the sender, also where we have rewritten it (R101), so that it needs no way round by the
 * forwarding domain's MX. */
static struct str addressee(struct core *c, const struct envelope *e, struct arena *a)
{
    struct address sender;
    struct str home;
    struct reply why;

    if (address_parse(e->reverse_path, &sender, NULL) && srs_is_local(sender.local) &&
        naming_return(c, &sender, a, &home, &why))
        return home;
    return arena_str(a, e->reverse_path);
}

static struct envelope dsn_envelope(const struct core *c, const struct envelope *e, struct str to,
                                    bool utf8, struct arena *a)
{
    struct envelope_rcpt *rcpt = ARENA_NEW(a, struct envelope_rcpt);

    *rcpt = (struct envelope_rcpt){ .address = to, .notify = NOTIFY_NEVER };
    return (struct envelope){
        .account = e->account,
        .flags = (uint8_t)(ENVELOPE_DSN | (utf8 ? ENVELOPE_SMTPUTF8 : 0) |
                           (e->flags & (ENVELOPE_8BIT | ENVELOPE_BINARY))),
        .body = e->body,
        .accepted_wall_ms = core_now(c),
        .helo = c->config->hostname,
        .rcpts = rcpt,
        .rcpt_count = 1,
    };
}

bool notify_make(struct core *c, struct spool_message *m, const struct envelope *e,
                 enum dsn_kind kind, const struct notify_rcpt *rcpts, size_t count, struct arena *a,
                 struct settle_dsn *ret)
{
    char original[ID_TEXT_LEN + 1], id[ID_TEXT_LEN + 1];
    bool utf8 = any_utf8(e, rcpts, count);
    bool full = kind == DSN_FAILED && e->ret == RET_FULL;
    struct buf head, tail;

    if (count == 0 || !notify_may(e))
        return false;
    struct dsn dsn = {
        .kind = kind,
        .reporting_mta = c->config->hostname,
        .postmaster = core_postmaster(c, a),
        .to = addressee(c, e, a),
        .envid = e->envid,
        .original_id = str_of(id_format(spool_message_id(m), original)),
        .subject = original_subject(c, m, e, a),
        .dsn_id = str_of(id_format(random_u64(), id)),
        .wall_ms = core_now(c),
        .arrival_wall_ms = e->accepted_wall_ms,
        .return_full = full,
        .utf8 = utf8,
        .original_8bit = (e->flags & (ENVELOPE_8BIT | ENVELOPE_BINARY)) != 0,
        .recipients = dsn_recipients(rcpts, count, core_now(c), a),
        .count = count,
    };
    buf_init(&head, DSN_HEAD_MAX);
    buf_init(&tail, DSN_HEAD_MAX);
    bool ok = dsn_format_head(&head, &dsn) && dsn_format_tail(&tail, &dsn);
    if (ok)
        *ret = (struct settle_dsn){
            .envelope = dsn_envelope(c, e, dsn.to, utf8, a),
            .head = arena_str(a, buf_str(&head)),
            .tail = arena_str(a, buf_str(&tail)),
            .original_full = full,
        };
    buf_done(&head);
    buf_done(&tail);
    return ok;
}
