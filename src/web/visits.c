// SPDX-License-Identifier: Apache-2.0
/* web/visits.c - visitors and their deadlines. */
#include "web/visits.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/loop.h"
#include "io/stream.h"
#include "web/page.h"

#define VISITORS_MAX 200
#define VISIT_MS 20000 /* all of it: handshake, request, answer */
#define ANSWER_MAX (128 * 1024)

struct visits {
    const struct config *config;
    struct tls_server *tls, *tls_before; /* NULL: HTTP */
    struct listener **listeners;
    size_t listener_count;
    struct list visitors;
    size_t visitor_count;
    bool is_full;
};

struct visitor {
    struct list link;
    struct visits *visits;
    struct stream *stream;
    struct fiber *fiber;
};

/* A visit -------------------------------------------------------------------------------------- */

/* Reads until `enough` octets are there. Waits. */
static bool read_until(struct visitor *v, size_t enough, int64_t deadline, struct err *err)
{
    while (stream_window(v->stream).len < enough)
        if (!stream_fill(v->stream, deadline, err))
            return false;
    return true;
}

/* The length of the whole head; ERR_LIMIT when it is too long. Waits. */
static bool read_head(struct visitor *v, int64_t deadline, size_t *ret_len, struct err *err)
{
    for (;;) {
        struct str window = stream_window(v->stream);
        *ret_len = http_head_len(str_sub(window, 0, HTTP_HEAD_MAX));
        if (*ret_len > 0)
            return true;
        if (window.len >= HTTP_HEAD_MAX)
            return err_set(err, ERR_LIMIT, "the head: at most %d octets", HTTP_HEAD_MAX);
        if (!stream_fill(v->stream, deadline, err))
            return false;
    }
}

/* Appends the answer. False: the visitor is gone, or too slow to be answered. Waits. */
static bool serve(struct visitor *v, int64_t deadline, struct buf *answer, struct err *err)
{
    struct http_request request;
    struct err why = { 0 };
    size_t head;

    if (!read_head(v, deadline, &head, err)) {
        if (err->kind == ERR_LIMIT)
            page_refuse(answer, 400, err->text);
        return err->kind == ERR_LIMIT;
    }
    if (!http_request_read(str_sub(stream_window(v->stream), 0, head), &request, &why)) {
        page_refuse(answer, 400, why.text);
        return true;
    }
    if (request.body_bytes > PAGE_BODY_MAX) {
        page_refuse(answer, 413, "the body is too long");
        return true;
    }
    size_t body = (size_t)request.body_bytes;
    if (!read_until(v, head + body, deadline, err))
        return false;
    /* The window may have moved while it was filled: the request is read where it is now. */
    struct str window = stream_window(v->stream);
    if (!http_request_read(str_sub(window, 0, head), &request, err))
        return false;
    page_respond(v->visits->config, &request, str_sub(window, head, body), answer);
    return true;
}

/* Waits. */
static bool visit(struct visitor *v, struct err *err)
{
    int64_t deadline = loop_now_ms() + VISIT_MS;
    struct buf answer;

    stream_set_write_timeout(v->stream, VISIT_MS);
    if (v->visits->tls && !stream_start_tls_server(v->stream, v->visits->tls, deadline, NULL, err))
        return false;
    buf_init(&answer, ANSWER_MAX);
    bool ok = serve(v, deadline, &answer, err) && stream_put(v->stream, buf_str(&answer), err) &&
              stream_flush(v->stream, err);
    buf_done(&answer);
    return ok;
}

static void doors_open(struct visits *p);

static void visitor_free(struct visitor *v)
{
    struct visits *p = v->visits;

    stream_free(v->stream);
    list_remove(&v->link);
    p->visitor_count--;
    free(v);
    if (p->is_full) {
        p->is_full = false;
        doors_open(p);
    }
}

/* Strangers' mistakes are not worth a line of the log. */
static void visitor_story(void *arg)
{
    struct visitor *v = arg;
    struct err err;

    (void)visit(v, &err);
    visitor_free(v);
}

/* Doors ---------------------------------------------------------------------------------------- */

static void doors_close(struct visits *p)
{
    for (size_t i = 0; i < p->listener_count; i++)
        listener_pause(p->listeners[i]);
}

static void on_connect(void *arg, struct stream *stream)
{
    struct visits *p = arg;
    struct visitor *v = NEW(struct visitor);

    v->visits = p;
    v->stream = stream;
    list_append(&p->visitors, &v->link);
    p->visitor_count++;
    v->fiber = fiber_spawn("visitor", visitor_story, v);
    if (p->visitor_count >= VISITORS_MAX) {
        p->is_full = true;
        doors_close(p);
    }
}

static void doors_open(struct visits *p)
{
    for (size_t i = 0; i < p->listener_count; i++)
        listener_start(p->listeners[i], on_connect, p);
}

/* Life ----------------------------------------------------------------------------------------- */

static bool tls_make(const struct role_start *s, struct tls_server **ret, struct err *err)
{
    *ret = NULL;
    return !s->config->web_tls || tls_server_new(s->tls_chain_pem, s->tls_key_pem, ret, err) ||
           err_at(err, "web.listeners");
}

bool visits_new(const struct role_start *s, struct visits **ret, struct err *err)
{
    struct tls_server *tls;
    struct visits *p;

    *ret = NULL;
    if (s->listener_count == 0)
        return true;
    if (!tls_make(s, &tls, err))
        return false;
    p = NEW(struct visits);
    p->config = s->config;
    p->tls = tls;
    p->listeners = NEW_ARRAY(struct listener *, s->listener_count);
    memcpy(p->listeners, s->listeners, s->listener_count * sizeof *p->listeners);
    p->listener_count = s->listener_count;
    list_init(&p->visitors);
    doors_open(p);
    *ret = p;
    return true;
}

void visits_drain(struct visits *p)
{
    if (!p)
        return;
    p->is_full = false;
    doors_close(p);
}

void visits_free(struct visits *p)
{
    if (!p)
        return;
    visits_drain(p);
    LIST_EACH (&p->visitors, struct visitor, v, link)
        fiber_cancel(v->fiber);
    while (p->visitor_count > 0)
        loop_turn(0);
    tls_server_free(p->tls);
    tls_server_free(p->tls_before);
    free(p->listeners);
    free(p);
}

void visits_reload(struct visits *p, const struct role_start *s)
{
    struct tls_server *tls;
    struct err err;

    if (!p)
        return;
    p->config = s->config;
    if (!tls_make(s, &tls, &err)) {
        log_err(LOG_ALERT, "tls-reload-failed", &err);
        return;
    }
    tls_server_free(p->tls_before);
    p->tls_before = p->tls;
    p->tls = tls;
}

size_t visits_count(const struct visits *p)
{
    return p ? p->visitor_count : 0;
}
