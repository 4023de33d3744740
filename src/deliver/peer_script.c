// SPDX-License-Identifier: Apache-2.0
/* deliver/peer_script.c - plays the server's part in tests: one fiber a connection. */
#include "deliver/peer_script.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/loop.h"

#define PATIENCE_MS 20000

struct part {
    struct peer *peer;
    struct stream *stream;
    size_t at;
    bool split;
};

static void note(struct peer *p, const char *what, struct str got)
{
    if (p->failure[0] == '\0')
        snprintf(p->failure, sizeof(p->failure), "at %s: %.*s", what,
                 STR_FMT(str_sub(got, 0, 200)));
}

static bool say(struct part *p, struct str bytes, struct str end)
{
    struct err err;
    size_t step = p->split ? 1 : 60000;

    for (size_t i = 0; i < bytes.len; i += step) {
        if (!stream_put(p->stream, str_sub(bytes, i, step), &err))
            return false;
        if (p->split && !stream_flush(p->stream, &err))
            return false;
        if (p->split)
            fiber_yield();
    }
    return stream_put(p->stream, end, &err) && stream_flush(p->stream, &err);
}

/* Reads until `end` is in the window; what is before and with it goes to `to`. */
static bool read_until(struct part *p, struct str end, struct buf *to)
{
    struct err err;

    for (;;) {
        struct str window = stream_window(p->stream);
        size_t at = str_find(window, end);

        if (at < window.len || (window.len == 0 && end.len == 0)) {
            buf_add(to, str_sub(window, 0, at + end.len));
            stream_take(p->stream, at + end.len);
            return true;
        }
        if (window.len > 1024) { /* large content: keep only what may hold the start of `end` */
            buf_add(to, str_sub(window, 0, window.len - end.len));
            stream_take(p->stream, window.len - end.len);
        }
        if (!stream_fill(p->stream, loop_now_ms() + PATIENCE_MS, &err))
            return false;
    }
}

static bool hear_line(struct part *p, struct str prefix)
{
    struct buf line;
    bool ok, fits;

    buf_init(&line, 100000);
    ok = read_until(p, STR("\r\n"), &line);
    fits = ok && str_starts(buf_str(&line), prefix);
    if (!fits)
        note(p->peer, prefix.ptr, buf_str(&line));
    if (ok) {
        buf_add(&p->peer->commands, str_sub(buf_str(&line), 0, line.len - 2));
        buf_add_char(&p->peer->commands, '\n');
    }
    buf_done(&line);
    return fits;
}

static bool hear_chunk(struct part *p)
{
    struct buf line;
    struct str rest;
    uint64_t size = 0;
    struct err err;
    bool ok;

    buf_init(&line, 1000);
    ok = read_until(p, STR("\r\n"), &line);
    rest = str_skip(buf_str(&line), 5);
    ok = ok && str_starts(buf_str(&line), STR("BDAT ")) && str_eat_u64(&rest, &size);
    if (!ok)
        note(p->peer, "N", buf_str(&line));
    buf_done(&line);
    while (ok && size > 0) {
        struct str window = str_sub(stream_window(p->stream), 0, size);

        if (window.len == 0) {
            ok = stream_fill(p->stream, loop_now_ms() + PATIENCE_MS, &err);
            continue;
        }
        buf_add(&p->peer->content, window);
        size -= window.len;
        stream_take(p->stream, window.len);
    }
    return ok;
}

static bool say_many(struct part *p, const char *count, struct str what)
{
    unsigned long n = strtoul(count, NULL, 10);
    struct buf bytes;
    bool ok;

    buf_init(&bytes, SIZE_MAX);
    while (n-- > 0)
        buf_add(&bytes, what);
    ok = say(p, buf_str(&bytes), STR("\r\n"));
    buf_done(&bytes);
    return ok;
}

static bool start_tls(struct part *p)
{
    struct err err;

    return stream_start_tls_server(p->stream, p->peer->tls, loop_now_ms() + PATIENCE_MS, NULL,
                                   &err);
}

/* False: the connection is over. */
static bool step(struct part *p, const char *s)
{
    switch (s[0]) {
    case 'S':
        return say(p, str_of(s + 2), STR("\r\n"));
    case 'R':
        return say(p, str_of(s + 2), STR_NONE);
    case 'C':
        return hear_line(p, str_of(s + 2));
    case 'B':
        return read_until(p, STR("\r\n.\r\n"), &p->peer->content);
    case 'N':
        return hear_chunk(p);
    case 'T':
        return start_tls(p);
    case 'X':
        return say_many(p, s + 2, STR("x"));
    case 'E':
        return say_many(p, s + 2, STR("250-x\r\n"));
    case '0':
        return say(p, STR("250 o\0k"), STR("\r\n"));
    case 'Z':
        p->split = true;
        return true;
    default:
        return false; /* "D" */
    }
}

static void run(void *arg)
{
    struct part *p = arg;
    struct peer *peer = p->peer;
    const char *const *script = peer->script;
    struct err err;
    bool on = true;

    while (on && script[p->at] && script[p->at][0] != '|')
        on = step(p, script[p->at++]);
    while (on && stream_fill(p->stream, loop_now_ms() + PATIENCE_MS, &err))
        stream_take(p->stream, stream_window(p->stream).len);
    stream_free(p->stream);
    free(p);
    peer->running--;
}

/* Each connection gets the next part of the script; when there is none, it is dropped. */
static void accepted(void *arg, struct stream *s)
{
    struct peer *peer = arg;
    struct part *p;

    peer->connections++;
    if (!peer->script || !peer->script[peer->at]) {
        stream_free(s);
        return;
    }
    p = NEW(struct part);
    p->peer = peer;
    p->stream = s;
    p->at = peer->at;
    while (peer->script[peer->at] && peer->script[peer->at][0] != '|')
        peer->at++;
    if (peer->script[peer->at])
        peer->at++;
    peer->running++;
    fiber_spawn("peer", run, p);
}

void peer_start(struct peer *p, const char *address, uint16_t port)
{
    struct endpoint at = { .port = port };
    struct err err;

    *p = (struct peer){ 0 };
    buf_init(&p->content, SIZE_MAX);
    buf_init(&p->commands, SIZE_MAX);
    if (!ip_parse(str_of(address), &at.ip, &err) || !listener_new(&at, &p->listener, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    listener_start(p->listener, accepted, p);
}

uint16_t peer_port(const struct peer *p)
{
    return listener_local(p->listener).port;
}

void peer_play(struct peer *p, const char *const *script)
{
    p->script = script;
    p->at = 0;
    p->connections = 0;
    p->failure[0] = '\0';
    buf_clear(&p->content);
    buf_clear(&p->commands);
}

void peer_stop(struct peer *p)
{
    while (p->running > 0)
        loop_turn(10);
    listener_free(p->listener);
    buf_done(&p->content);
    buf_done(&p->commands);
}
