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
    buf_done(&path);
    return ok;
}

bool doors_open(const struct config *c, struct doors *ret, struct err *err)
{
    struct doors d = { .listeners = NEW_ARRAY(int, c->listener_count + 1), .api = -1 };
    char text[ENDPOINT_TEXT_MAX];
    bool ok = true;

    for (size_t i = 0; ok && i < c->listener_count; i++) {
        ok = process_listen_tcp(&c->listeners[i].at, &d.listeners[i], err);
        if (ok)
            d.count++;
        else
            err_at(err, "listener %.*s at %s", STR_FMT(c->listeners[i].name),
                   endpoint_format(&c->listeners[i].at, text));
    }
    if (!ok || !open_api(c, &d.api, err)) {
        doors_close(&d);
        return false;
    }
    *ret = d;
    return true;
}

void doors_close(struct doors *d)
{
    for (size_t i = 0; i < d->count; i++)
        process_close(d->listeners[i]);
    process_close(d->api);
    free(d->listeners);
    *d = (struct doors){ .api = -1 };
}
