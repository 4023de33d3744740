// SPDX-License-Identifier: Apache-2.0
/* deliver/talk.c - the queue of commands said and replies awaited.
 *
 * It knows lines and order; what a command or a code means is the dialogue's. */
#include "deliver/talk.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/loop.h"

#define COMMANDS_BYTES_MAX (16u * 1024 * 1024)

void talk_init(struct talk *t, struct stream *s)
{
    *t = (struct talk){ .stream = s };
    buf_init(&t->commands, COMMANDS_BYTES_MAX);
    reply_reader_init(&t->reader);
}

void talk_done(struct talk *t)
{
    buf_done(&t->commands);
    reply_reader_done(&t->reader);
    free(t->queue);
    t->queue = NULL;
}

static void await(struct talk *t, struct said said)
{
    if (t->count == 0)
        t->head = 0;
    if (t->head + t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 16;
        t->queue = mem_grow(t->queue, t->cap, sizeof(*t->queue));
    }
    t->queue[t->head + t->count++] = said;
}

struct buf *talk_begin(struct talk *t)
{
    return &t->commands;
}

void talk_say(struct talk *t, const char *name, int64_t timeout_ms)
{
    buf_add(&t->commands, STR("\r\n"));
    await(t, (struct said){
                 .name = name, .timeout_ms = timeout_ms, .bytes = t->commands.len - t->said });
    t->said = t->commands.len;
}

void talk_expect(struct talk *t, const char *name, int64_t timeout_ms)
{
    assert(t->sent == t->count);
    await(t, (struct said){ .name = name, .timeout_ms = timeout_ms, .bytes = 0 });
    t->sent++;
}

static void forget_commands(struct talk *t)
{
    buf_clear(&t->commands);
    t->gone = t->said = 0;
}

void talk_drop_unsent(struct talk *t)
{
    t->count = t->sent;
    forget_commands(t);
}

/* How many of the unsent commands may go now. With many, they go in halves of what may be unheard,
 * not one by one. */
static size_t sendable(const struct talk *t)
{
    size_t unsent = t->count - t->sent, room = TALK_UNHEARD_MAX - t->sent;

    if (!t->pipelining)
        return t->sent == 0 && unsent > 0 ? 1 : 0;
    if (t->sent > TALK_UNHEARD_MAX / 2)
        return 0;
    return unsent < room ? unsent : room;
}

static bool send_what_may(struct talk *t, struct err *err)
{
    size_t bytes = 0, count = sendable(t);

    if (!buf_ok(&t->commands))
        return err_set(err, ERR_LIMIT, "commands of more than %u octets", COMMANDS_BYTES_MAX);
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        bytes += t->queue[t->head + t->sent + i].bytes;
    t->sent += count;
    if (!stream_put(t->stream, str_make(t->commands.ptr + t->gone, bytes), err) ||
        !stream_flush(t->stream, err))
        return false;
    t->gone += bytes;
    if (t->gone == t->commands.len)
        forget_commands(t);
    return true;
}

/* A line of the window without its end; it stays in the window, *ret_bytes long. A lone LF ends it
 * too: a reply ended so by an old server is understood, and no more can be smuggled in by it than
 * by CRLF. */
static bool read_line(struct talk *t, int64_t deadline_ms, struct str *ret, size_t *ret_bytes,
                      struct err *err)
{
    for (;;) {
        struct str window = stream_window(t->stream);
        size_t end = str_index(str_sub(window, 0, REPLY_LINE_MAX), '\n');

        if (end < window.len && end < REPLY_LINE_MAX) {
            *ret_bytes = end + 1;
            *ret = str_sub(window, 0, end > 0 && window.ptr[end - 1] == '\r' ? end - 1 : end);
            return true;
        }
        if (window.len >= REPLY_LINE_MAX)
            return err_set(err, ERR_LIMIT, "reply line of more than %d octets", REPLY_LINE_MAX);
        if (!stream_fill(t->stream, deadline_ms, err))
            return false;
    }
}

static bool read_reply(struct talk *t, int64_t deadline_ms, struct arena *a, struct reply *ret,
                       struct err *err)
{
    bool last = false;

    for (unsigned number = 0; !last; number++) {
        struct str line;
        size_t bytes = 0;

        if (!read_line(t, deadline_ms, &line, &bytes, err))
            return false;
        if (!reply_line(&t->reader, line, &last, err))
            return false;
        if (t->on_line)
            t->on_line(t->on_line_arg, str_skip(line, 4), number);
        stream_take(t->stream, bytes);
    }
    *ret = reply_take(&t->reader, a);
    return true;
}

/* A server that hangs up says why first (421, 554): what it sent is worth more than that it left.
 * So after a write that failed, replies that are there already are still heard. */
static bool exchange(struct talk *t, int64_t timeout_ms, struct arena *a, struct reply *ret,
                     struct err *err)
{
    if (!t->broken && !send_what_may(t, &t->broken_why))
        t->broken = true;
    if (!t->broken)
        return read_reply(t, loop_now_ms() + timeout_ms, a, ret, err);
    if (read_reply(t, loop_now_ms(), a, ret, NULL))
        return true;
    *err = t->broken_why;
    return false;
}

bool talk_hear(struct talk *t, struct arena *a, struct reply *ret, struct err *err)
{
    const struct said *oldest = &t->queue[t->head];
    const char *name = oldest->name;

    assert(t->count > 0);
    if (!exchange(t, oldest->timeout_ms, a, ret, err))
        return err_at(err, "%s", name);
    t->head++;
    t->count--;
    t->sent--;
    return true;
}

bool talk_is_quiet(const struct talk *t)
{
    return stream_window(t->stream).len == 0;
}

/* Over TLS the socket may hold a record that is not for us (a session ticket), so what can be read
 * is tried. */
bool talk_is_idle(struct talk *t)
{
    struct err err = { 0 };

    if (!talk_is_quiet(t) || t->broken)
        return false;
    if (!stream_readable(t->stream))
        return true;
    return !stream_fill(t->stream, loop_now_ms(), &err) && err.kind == ERR_TIMEOUT;
}
