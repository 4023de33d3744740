// SPDX-License-Identifier: Apache-2.0
/* super/admin.c - answers web's requests to super. */
#include "super/admin.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

struct admin_status {
    struct admin *admin;
    uint32_t generation;
    uint64_t request;
};

static void send_end(struct admin *a, uint64_t request, uint16_t status, struct str text)
{
    if (!a->channel)
        return;
    struct wire_admin_end *m = wire_add(a->channel, WIRE_ADMIN_END, text.len);
    m->request = request;
    m->status = status;
    wire_put(m, &m->text, text);
}

void admin_status_row(struct admin_status *s, enum role_kind kind, unsigned instance,
                      struct str state, struct str facts)
{
    struct admin *a = s->admin;
    struct buf row;
    struct json j;

    if (!a->channel || a->generation != s->generation)
        return;
    buf_init(&row, FRAME_BYTES_MAX - sizeof(struct wire_admin_row));
    json_begin(&j, &row);
    json_object(&j);
    json_key(&j, "role");
    json_str(&j, str_of(role_name(kind)));
    json_key(&j, "instance");
    json_int(&j, instance);
    json_key(&j, "confinement");
    json_str(&j, state);
    json_key(&j, "facts");
    json_object(&j);
    if (facts.len > 0)
        json_raw(&j, facts); /* members (wire/role.h) */
    json_object_end(&j);
    json_object_end(&j);
    if (buf_ok(&row)) {
        struct wire_admin_row *m = wire_add(a->channel, WIRE_ADMIN_ROW, row.len);
        m->request = s->request;
        wire_put(m, &m->json, buf_str(&row));
    }
    buf_done(&row);
}

void admin_status_end(struct admin_status *s)
{
    if (s->admin->generation == s->generation)
        send_end(s->admin, s->request, 200, STR(""));
    free(s);
}

static void send_done(struct admin *a, uint64_t request, bool ok, uint16_t status,
                      const struct err *err)
{
    send_end(a, request, ok ? 200 : status, ok ? STR("") : str_of(err->text));
}

/* Once a start: vault keeps its things under one of the two that the file holds. */
static void exchange_secret(struct admin *a, uint64_t request)
{
    struct err err;

    if (a->secret_exchanged) {
        send_end(a, request, 409, STR("the secret was exchanged already: start baton anew first"));
        return;
    }
    a->secret_exchanged = a->ops->exchange_secret(a->arg, &err);
    send_done(a, request, a->secret_exchanged, 503, &err);
}

static void on_admin(struct admin *a, const struct wire_admin *m)
{
    struct err err;

    switch (m->verb) {
    case ADMIN_STATUS: {
        struct admin_status *s = NEW(struct admin_status);
        *s =
            (struct admin_status){ .admin = a, .generation = a->generation, .request = m->request };
        a->ops->status(a->arg, s);
        return;
    }
    case ADMIN_RELOAD:
        send_done(a, m->request, a->ops->reload(a->arg, &err), 422, &err);
        return;
    case ADMIN_SECRET_EXCHANGE:
        exchange_secret(a, m->request);
        return;
    case ADMIN_DRAIN:
        send_end(a, m->request, 200, STR(""));
        a->ops->stop(a->arg);
        return;
    default:
        send_end(a, m->request, 404, STR("super does not know this request"));
        return;
    }
}

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    (void)c;
    if (!wire_check(f, ROLE_WEB, ROLE_SUPER, err))
        return false;
    on_admin(owner, (const void *)f);
    return true;
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct admin *a = owner;

    (void)why;
    channel_free(c);
    if (a->channel == c)
        a->channel = NULL;
    a->generation++;
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

void admin_init(struct admin *a, const struct admin_ops *ops, void *arg)
{
    *a = (struct admin){ .ops = ops, .arg = arg };
}

void admin_link(struct admin *a, struct channel *c)
{
    channel_free(a->channel);
    a->channel = c;
    a->generation++;
    channel_set_owner(c, &events, a);
}

void admin_done(struct admin *a)
{
    channel_free(a->channel);
    a->channel = NULL;
}
