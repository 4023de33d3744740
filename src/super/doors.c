// SPDX-License-Identifier: Apache-2.0
/* super/doors.c - binds what the configuration names. */
#include "super/doors.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/process.h"

static bool open_api(const struct config *c, int *ret_fd, struct err *err)
{
    struct buf path;
    int group = -1;

    if (c->group.len > 0 && !process_group_id(c->group.ptr, &group, err))
        return err_at(err, "group");
    /* Started as root for a user: that user's own group, if there is one of its name. */
    if (c->group.len == 0 && c->user.len > 0 && !process_group_id(c->user.ptr, &group, NULL))
        group = -1;
    buf_init(&path, 4096);
    buf_addf(&path, "%.*s/api.sock", STR_FMT(c->state_folder));
    bool ok = process_listen_unix(buf_cstr(&path), group, ret_fd, err);
    if (ok && c->user.len > 0 && process_user_id() == 0 &&
        !process_give_file(buf_cstr(&path), c->user.ptr, err)) {
        process_close(*ret_fd);
        ok = false;
    }
    buf_done(&path);
    return ok;
}

static bool door_open(struct door_row *row, const struct endpoint *at, struct str name,
                      struct err *err)
{
    char text[ENDPOINT_TEXT_MAX];

    if (!process_listen_tcp(at, &row->fds[row->count], err))
        return err_at(err, "listener %.*s at %s", STR_FMT(name), endpoint_format(at, text));
    row->count++;
    return true;
}

static bool doors_open_all(const struct config *c, struct doors *d, struct err *err)
{
    d->smtp.fds = NEW_ARRAY(int, c->listener_count + 1);
    d->web.fds = NEW_ARRAY(int, c->web_listener_count + 1);
    for (size_t i = 0; i < c->listener_count; i++)
        if (!door_open(&d->smtp, &c->listeners[i].at, c->listeners[i].name, err))
            return false;
    for (size_t i = 0; i < c->web_listener_count; i++)
        if (!door_open(&d->web, &c->web_listeners[i], STR("web"), err))
            return false;
    return open_api(c, &d->api, err);
}

bool doors_open(const struct config *c, struct doors *ret, struct err *err)
{
    struct doors d = { .api = -1 };

    if (!doors_open_all(c, &d, err)) {
        doors_close(&d);
        return false;
    }
    *ret = d;
    return true;
}

static void row_close(struct door_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        process_close(row->fds[i]);
    free(row->fds);
}

void doors_close(struct doors *d)
{
    row_close(&d->smtp);
    row_close(&d->web);
    process_close(d->api);
    *d = (struct doors){ .api = -1 };
}

const struct door_row *doors_of(const struct doors *d, enum role_kind kind)
{
    static const struct door_row none = { .count = 0 };

    return kind == ROLE_ACCEPT ? &d->smtp : kind == ROLE_WEB ? &d->web : &none;
}
