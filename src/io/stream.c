// SPDX-License-Identifier: Apache-2.0
/* io/stream.c - one connection as two flows of bytes: the window on what was read and the pile of
 * what is to be written. How bytes move is socket.c's and stream_tls.c's matter. */
#include "io/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/stream_real.h"

void stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    tls_end(s);
    watch_remove(&s->watch);
    close(s->watch.fd);
    window_done(&s->in);
    window_done(&s->out);
    free(s);
}

/* Reading -------------------------------------------------------------------------------------- */

static bool read_over(const struct stream *s, struct err *err)
{
    if (s->end_kind == ERR_IO) {
        errno = s->end_sys;
        return err_sys(err, "read");
    }
    return err_set(err, s->end_kind,
                   s->end_kind == ERR_CLOSED ? "closed by the peer" : "the TLS stream was cut");
}

/* One attempt to get more into the window; FLOW_OVER is remembered. */
static enum flow try_fill(struct stream *s, size_t most, struct err *err)
{
    size_t room, got = 0;
    char *to = window_reserve(&s->in, &room);
    struct err why = { .kind = ERR_NONE };
    enum flow flow;

    room = room < most ? room : most;
    flow =
        s->ssl != NULL ? tls_pull(s, to, room, &got, &why) : socket_pull(s, to, room, &got, &why);
    window_added(&s->in, flow == FLOW_MOVED ? got : 0);
    if (flow != FLOW_OVER)
        return flow;
    s->end_kind = why.kind;
    s->end_sys = why.sys;
    if (err != NULL)
        *err = why;
    return flow;
}

bool stream_fill_some(struct stream *s, size_t most, int64_t deadline_ms, struct err *err)
{
    enum flow flow;

    if (s->end_kind != ERR_NONE)
        return read_over(s, err);
    if (s->in.len == WINDOW_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d bytes unread", WINDOW_BYTES_MAX);
    while ((flow = try_fill(s, most, err)) != FLOW_MOVED) {
        if (flow == FLOW_OVER)
            return false;
        if (!socket_await(s, flow, deadline_ms, err))
            return err_at(err, "read");
        if (s->end_kind != ERR_NONE)
            return read_over(s, err);
    }
    return true;
}

bool stream_fill(struct stream *s, int64_t deadline_ms, struct err *err)
{
    return stream_fill_some(s, SIZE_MAX, deadline_ms, err);
}

struct str stream_window(const struct stream *s)
{
    return window_str(&s->in);
}

void stream_take(struct stream *s, size_t n)
{
    window_take(&s->in, n);
}

bool stream_readable(struct stream *s)
{
    enum flow flow;

    if (s->in.len > 0 || s->end_kind != ERR_NONE)
        return true;
    s->can_read = true; /* ask the kernel now, not the last turn's events */
    flow = try_fill(s, SIZE_MAX, NULL);
    return flow == FLOW_MOVED || flow == FLOW_OVER;
}

/* Writing -------------------------------------------------------------------------------------- */

bool stream_flush(struct stream *s, struct err *err)
{
    while (s->out.len > 0) {
        struct str pile = window_str(&s->out);
        size_t sent = 0;
        enum flow flow =
            s->ssl != NULL ? tls_push(s, pile, &sent, err) : socket_push(s, pile, &sent, err);

        if (flow == FLOW_OVER)
            return false;
        if (flow == FLOW_MOVED)
            window_take(&s->out, sent);
        else if (!socket_await(s, flow, loop_now_ms() + s->write_timeout_ms, err))
            return err_at(err, "write");
    }
    return true;
}

bool stream_put(struct stream *s, struct str bytes, struct err *err)
{
    for (;;) {
        bytes = str_skip(bytes, window_add(&s->out, bytes));
        if (bytes.len == 0)
            return true;
        if (!stream_flush(s, err))
            return false;
    }
}

void stream_set_write_timeout(struct stream *s, int64_t timeout_ms)
{
    s->write_timeout_ms = timeout_ms;
}

/* Facts ---------------------------------------------------------------------------------------- */

const struct tls_facts *stream_tls(const struct stream *s)
{
    return s->ssl != NULL ? &s->facts : NULL;
}

struct endpoint stream_peer(const struct stream *s)
{
    return s->peer;
}

struct endpoint stream_local(const struct stream *s)
{
    return s->local;
}
