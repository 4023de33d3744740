// SPDX-License-Identifier: Apache-2.0
/* accept/edits.c - header edits of a message that comes in (R08, R17, R19, faults V01, V02). */
#include "accept/edits.h"

#include "accept/accept.h"
#include "io/clock.h"

static void add_received(struct session *s, int64_t wall_ms, struct header_edit *edits,
                         size_t *count)
{
    const struct config *config = s->role->config;
    const struct tls_facts *tls = stream_tls(s->stream);
    char ip[IP_TEXT_MAX];
    struct received r = {
        .helo = buf_str(&s->helo),
        .client_ip = str_of(ip_format(&s->client.ip, ip)),
        .hide_client = config->received_hides_client && s->kind != LISTENER_RELAY,
        .by = config->hostname,
        .esmtp = s->esmtp,
        .tls = tls != NULL,
        .authenticated = (s->flags & BIND_AUTHENTICATED) != 0,
        .utf8 = s->tx.params.smtputf8,
        .tls_protocol = tls != NULL ? str_of(tls->protocol) : STR_NONE,
        .tls_cipher = tls != NULL ? str_of(tls->cipher) : STR_NONE,
        .for_recipient = s->tx.rcpt_count == 1 ? s->tx.first->address : STR_NONE,
        .wall_ms = wall_ms,
    };

    received_edits(&s->work->tx, &r, edits, count);
}

static void insert(struct header_edit *edits, size_t *count, uint32_t offset, struct str text)
{
    edits[(*count)++] = (struct header_edit){ .kind = EDIT_INSERT, .offset = offset, .text = text };
}

/* Behind Received, so that they never touch a last line that lacks its end. */
static void complete(struct session *s, const struct header_facts *facts, int64_t wall_ms,
                     struct header_edit *edits, size_t *count)
{
    struct arena *a = &s->work->tx;
    char date[DATE_TEXT_MAX];

    if (facts->date == 0)
        insert(edits, count, 0, arena_strf(a, "Date: %s\r\n", date_format(wall_ms, date)));
    if (facts->message_id > 0)
        return;
    insert(edits, count, 0, STR("Message-ID: <"));
    edits[(*count)++] = (struct header_edit){ .kind = EDIT_INSERT_ID };
    insert(edits, count, 0, arena_strf(a, "@%.*s>\r\n", STR_FMT(s->role->config->hostname)));
}

static bool is_stripped(const struct session *s, struct str name)
{
    if (str_eq_nocase(name, STR("return-path")))
        return true;
    return session_is_authorised(s) &&
           (str_eq_nocase(name, STR("bcc")) || str_eq_nocase(name, STR("resent-bcc")));
}

static bool strip(const struct session *s, struct str section, struct header_edit *edits,
                  size_t *count, struct err *err)
{
    struct header_field field;
    size_t at = 0, before = *count;

    while (header_next(section, &at, &field)) {
        struct header_edit *last = &edits[*count - 1];

        if (!is_stripped(s, field.name))
            continue;
        if (*count > before && last->offset + last->len == field.offset) {
            last->len += (uint32_t)field.len;
            continue;
        }
        if (*count + 1 >= EDITS_MAX) /* one place is kept for the empty line */
            return err_set(err, ERR_LIMIT, "too many Bcc and Return-Path fields");
        edits[(*count)++] = (struct header_edit){ .kind = EDIT_DELETE,
                                                  .offset = (uint32_t)field.offset,
                                                  .len = (uint32_t)field.len };
    }
    return true;
}

bool edits_make(struct session *s, struct str section, bool bare, const struct header_facts *facts,
                struct err *err)
{
    struct header_edit *edits = ARENA_ARRAY(&s->work->tx, struct header_edit, EDITS_MAX);
    int64_t wall_ms = clock_wall_ms();
    size_t count = 0;

    add_received(s, wall_ms, edits, &count);
    if (session_is_authorised(s))
        complete(s, facts, wall_ms, edits, &count);
    if ((facts->bcc > 0 || facts->return_path > 0 || facts->resent > 0) &&
        !strip(s, section, edits, &count, err))
        return false;
    if (bare)
        insert(edits, &count, (uint32_t)section.len, STR("\r\n"));
    s->tx.content.edits = edits;
    s->tx.content.edit_count = count;
    return true;
}
