// SPDX-License-Identifier: Apache-2.0
/* sim/stream.c - the two flows of a simulated connection: octets travel in parcels of chance's
 * size, in order, each with its own delay; a connection may stall, and may be reset at any octet.
 */
#include "io/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/stream_sim.h"
#include "sim/world.h"

#define ON_WAY_BYTES_MAX (128 * 1024)
#define WRITE_TIMEOUT_MS (300 * 1000)

static void arrived(void *arg)
{
    struct stream *s = arg;

    gate_wake_all(&s->readers);
}

struct stream *stream_alone(const struct endpoint *local, const struct endpoint *peer)
{
    struct stream *s = NEW(struct stream);

    *s = (struct stream){ .local_at = *local,
                          .peer_at = *peer,
                          .left_bytes = UINT64_MAX,
                          .write_timeout_ms = WRITE_TIMEOUT_MS };
    list_init(&s->on_way);
    gate_init(&s->readers);
    gate_init(&s->writers);
    timer_init(&s->arrive, arrived, s);
    return s;
}

/* Parcels -------------------------------------------------------------------------------------- */

static int64_t parcel_delay_ms(void)
{
    const struct sim_faults *f = sim_faults();

    if (sim_chance(f->stall))
        return (int64_t)sim_draw((uint64_t)f->stall_ms_max + 1);
    return sim_latency_ms();
}

/* What is sent to a peer that is gone is lost; the sender learns of it only by its next call. */
static void parcel_send(struct stream *s, enum parcel_kind kind, struct str bytes)
{
    struct stream *to = s->peer;
    struct parcel *p;
    int64_t at_ms;

    if (to == NULL) {
        s->was_reset = true;
        return;
    }
    p = mem_new(sizeof *p + bytes.len);
    p->kind = kind;
    p->len = bytes.len;
    if (bytes.len > 0)
        memcpy(p->bytes, bytes.ptr, bytes.len);
    at_ms = loop_now_ms() + parcel_delay_ms();
    to->last_at_ms = p->at_ms = at_ms > to->last_at_ms ? at_ms : to->last_at_ms;
    if (list_empty(&to->on_way))
        timer_set(&to->arrive, p->at_ms);
    list_append(&to->on_way, &p->link);
    to->on_way_bytes += p->len;
}

static void parcel_drop(struct stream *s, struct parcel *p)
{
    s->on_way_bytes -= p->len - p->start;
    list_remove(&p->link);
    free(p);
}

static void parcels_drop(struct stream *s)
{
    struct parcel *p;

    while ((p = LIST_FIRST(&s->on_way, struct parcel, link)) != NULL)
        parcel_drop(s, p);
    timer_clear(&s->arrive);
}

/* The first one that is here. */
static struct parcel *parcel_here(struct stream *s)
{
    struct parcel *p = LIST_FIRST(&s->on_way, struct parcel, link);

    if (p == NULL)
        return NULL;
    if (p->at_ms <= loop_now_ms())
        return p;
    timer_set(&s->arrive, p->at_ms);
    return NULL;
}

/* Endings -------------------------------------------------------------------------------------- */

static void end_reset(struct stream *s)
{
    s->peer = NULL;
    s->was_reset = true;
    s->end_kind = ERR_IO;
    parcels_drop(s);
    gate_wake_all(&s->readers);
    gate_wake_all(&s->writers);
}

void stream_reset(struct stream *s)
{
    char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];

    sim_trace("net reset %s %s", endpoint_format(&s->local_at, from),
              endpoint_format(&s->peer_at, to));
    if (s->peer != NULL)
        end_reset(s->peer);
    end_reset(s);
}

void stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    if (s->peer != NULL) {
        parcel_send(s, PARCEL_END, STR(""));
        s->peer->peer = NULL;
        gate_wake_all(&s->peer->writers);
    }
    parcels_drop(s);
    window_done(&s->in);
    window_done(&s->out);
    free(s);
}

/* Reading -------------------------------------------------------------------------------------- */

static bool read_over(const struct stream *s, struct err *err)
{
    if (s->end_kind == ERR_IO) {
        errno = ECONNRESET;
        return err_sys(err, "read");
    }
    return err_set(err, s->end_kind, "closed by the peer");
}

/* Moves what has arrived, at most `most` bytes, into the window; true when anything has. */
static bool pull(struct stream *s, size_t most)
{
    struct parcel *p = NULL;
    bool moved = false;

    while (most > 0 && (p = parcel_here(s)) != NULL && p->kind == PARCEL_BYTES) {
        size_t n = window_add(&s->in, str_sub(str_make(p->bytes, p->len), p->start, most));

        if (n == 0)
            break;
        moved = true;
        most -= n;
        p->start += n;
        s->on_way_bytes -= n;
        if (p->start == p->len)
            parcel_drop(s, p);
    }
    if (!moved && p != NULL && p->kind == PARCEL_END && s->end_kind == ERR_NONE)
        s->end_kind = ERR_CLOSED;
    if (moved && s->peer != NULL)
        gate_wake_all(&s->peer->writers);
    return moved;
}

bool stream_fill_some(struct stream *s, size_t most, int64_t deadline_ms, struct err *err)
{
    if (s->in.len == WINDOW_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d bytes unread", WINDOW_BYTES_MAX);
    while (s->end_kind == ERR_NONE && !pull(s, most)) {
        if (s->end_kind != ERR_NONE)
            break;
        if (!gate_wait(&s->readers, deadline_ms, err))
            return err_at(err, "read");
    }
    return s->end_kind == ERR_NONE || read_over(s, err);
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
    return s->in.len > 0 || s->end_kind != ERR_NONE || pull(s, SIZE_MAX) || s->end_kind != ERR_NONE;
}

/* Writing -------------------------------------------------------------------------------------- */

/* As much as chance sends at once. */
static size_t parcel_cut(struct stream *s)
{
    size_t len = s->out.len, room = ON_WAY_BYTES_MAX - s->peer->on_way_bytes;

    if (sim_draw(4) == 0)
        len = 1 + (size_t)sim_draw(len);
    if (len > room)
        len = room;
    return len;
}

static bool write_over(struct err *err)
{
    errno = EPIPE;
    return err_sys(err, "write");
}

static bool send_some(struct stream *s)
{
    size_t len = parcel_cut(s);

    sim_event();
    if (len >= s->left_bytes) {
        /* What was sent before may still be read; the peer may have all of it, or a part. */
        parcel_send(s, PARCEL_BYTES, str_sub(window_str(&s->out), 0, (size_t)s->left_bytes));
        if (sim_draw(2) == 0)
            (void)pull(s->peer, SIZE_MAX);
        stream_reset(s);
        return false;
    }
    parcel_send(s, PARCEL_BYTES, str_sub(window_str(&s->out), 0, len));
    if (s->left_bytes != UINT64_MAX)
        s->left_bytes -= len;
    window_take(&s->out, len);
    return true;
}

bool stream_flush(struct stream *s, struct err *err)
{
    while (s->out.len > 0) {
        if (s->was_reset)
            return write_over(err);
        if (s->peer == NULL) {
            s->was_reset = true; /* the first write after the peer's end still seems to work */
            window_take(&s->out, s->out.len);
        } else if (s->peer->on_way_bytes >= ON_WAY_BYTES_MAX) {
            if (!gate_wait(&s->writers, loop_now_ms() + s->write_timeout_ms, err))
                return err_at(err, "write");
        } else if (!send_some(s)) {
            return write_over(err);
        }
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

/* TLS, a marker -------------------------------------------------------------------------------- */

static bool shake_hands(struct stream *s, int64_t deadline_ms, bool *ret_discarded, struct err *err)
{
    struct parcel *p;

    if (ret_discarded != NULL)
        *ret_discarded = s->in.len > 0;
    window_take(&s->in, s->in.len);
    parcel_send(s, PARCEL_HELLO, STR(""));
    while ((p = parcel_here(s)) == NULL) {
        if (s->end_kind != ERR_NONE || (s->peer == NULL && list_empty(&s->on_way)))
            return err_set(err, ERR_CLOSED, "TLS: the connection is gone");
        if (!gate_wait(&s->readers, deadline_ms, err))
            return err_at(err, "TLS");
    }
    if (p->kind != PARCEL_HELLO)
        return err_set(err, ERR_TLS, "TLS: clear text instead of a handshake");
    parcel_drop(s, p);
    s->tls = true;
    s->facts = (struct tls_facts){ .protocol = "TLSv1.3", .cipher = "SIMULATED", .bits = 256 };
    return true;
}

bool stream_start_tls_server(struct stream *s, struct tls_server *tls, int64_t deadline_ms,
                             bool *ret_discarded, struct err *err)
{
    (void)tls;
    return shake_hands(s, deadline_ms, ret_discarded, err);
}

bool stream_start_tls_client(struct stream *s, struct tls_client *tls, struct str name,
                             int64_t deadline_ms, bool *ret_discarded, struct err *err)
{
    (void)tls, (void)name;
    return shake_hands(s, deadline_ms, ret_discarded, err);
}

const struct tls_facts *stream_tls(const struct stream *s)
{
    return s->tls ? &s->facts : NULL;
}

/* Facts ---------------------------------------------------------------------------------------- */

struct endpoint stream_peer(const struct stream *s)
{
    return s->peer_at;
}

struct endpoint stream_local(const struct stream *s)
{
    return s->local_at;
}
