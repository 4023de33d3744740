// SPDX-License-Identifier: Apache-2.0
/* web/server.c - evhttp and its thread.
 *
 * Two threads, one rule: the HTTP thread alone touches evhttp, the loop alone touches what server.h
 * shows, and they hand each other notes: loop_post() one way, event_base_once() the other, both in
 * order. An exchange belongs to the HTTP thread, which frees it on the loop's last note. */
#include "web/server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/thread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/worker.h"
#include "web/strict.h"

#define HEADERS_MAX 100
#define HEADER_BYTES_MAX (16 * 1024)
#define IDLE_S 120
#define EXCHANGES_MAX 256
#define STREAM_BEHIND_MAX (1024 * 1024) /* a tail that nobody reads is cut */

struct server {
    struct event_base *base;
    struct evhttp *http;
    struct worker_pool *thread;
    const struct server_events *events;
    void *owner;
    bool closed;           /* the loop's */
    atomic_uint refs;      /* the owner's and those of posts on their way to the loop */
    struct list exchanges; /* the HTTP thread's */
    size_t exchange_count;
    uint64_t next_number;
};

struct exchange {
    struct list link;
    struct server *server;
    uint64_t number;
    struct evhttp_request *req; /* the HTTP thread's; NULL: the client left, or has its answer */
    bool streaming;             /* the HTTP thread's */
    struct arena arena;
    struct api_ask ask;
    struct str actor;
};

static void server_drop(struct server *s)
{
    if (atomic_fetch_sub(&s->refs, 1) == 1)
        free(s);
}

/* From the HTTP thread to the loop ------------------------------------------------------------- */

struct post_up {
    struct server *server;
    struct exchange *asked; /* or: */
    uint64_t gone;
};

static void post_up_run(void *arg)
{
    struct post_up *p = arg;
    struct server *s = p->server;

    if (!s->closed && p->asked)
        s->events->asked(s->owner, p->asked);
    else if (!s->closed)
        s->events->gone(s->owner, p->gone);
    free(p);
    server_drop(s);
}

static void post_up(struct server *s, struct exchange *asked, uint64_t gone)
{
    struct post_up *p = NEW(struct post_up);

    *p = (struct post_up){ s, asked, gone };
    atomic_fetch_add(&s->refs, 1);
    loop_post(post_up_run, p);
}

/* Replies, on the HTTP thread ------------------------------------------------------------------ */

static void reply(struct evhttp_request *req, int status, struct str body, bool close)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *out = evbuffer_new();

    evhttp_add_header(headers, "Content-Type",
                      status == 200 ? "application/json" : "application/problem+json");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    if (close)
        evhttp_add_header(headers, "Connection", "close");
    evbuffer_add(out, body.ptr, body.len);
    evbuffer_add(out, "\n", 1);
    evhttp_send_reply(req, status, api_status_phrase(status), out);
    evbuffer_free(out);
}

/* A request that was not even understood closes the connection: what follows it could be part of
 * it. */
static void refuse(struct evhttp_request *req, int status, const char *detail)
{
    struct buf body;

    buf_init(&body, 4096);
    api_problem(&body, status, str_of(detail));
    reply(req, status, buf_str(&body), true);
    buf_done(&body);
}

static void stream_begin(struct evhttp_request *req)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

    evhttp_add_header(headers, "Content-Type", "application/x-ndjson");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_send_reply_start(req, 200, "OK");
}

/* How much the client has not taken yet. */
static size_t stream_behind(struct evhttp_request *req)
{
    struct bufferevent *be = evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));

    return evbuffer_get_length(bufferevent_get_output(be));
}

/* Exchanges, on the HTTP thread ---------------------------------------------------------------- */

static void client_left(struct evhttp_connection *connection, void *arg)
{
    struct exchange *x = arg;

    (void)connection;
    if (!evhttp_request_get_connection(x->req))
        evhttp_request_free(x->req); /* evhttp left it to whoever was to reply */
    x->req = NULL;
    post_up(x->server, NULL, x->number);
}

/* The request's reply is given, whole or up to its end: evhttp owns it again. */
static struct evhttp_request *request_take(struct exchange *x)
{
    struct evhttp_request *req = x->req;

    if (req)
        evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
    x->req = NULL;
    return req;
}

static void exchange_free(struct exchange *x)
{
    list_remove(&x->link);
    x->server->exchange_count--;
    arena_done(&x->arena);
    free(x);
}

static struct exchange *exchange_new(struct server *s)
{
    struct exchange *x = NEW(struct exchange);

    x->server = s;
    x->number = ++s->next_number;
    arena_init(&x->arena, 1024);
    list_append(&s->exchanges, &x->link);
    s->exchange_count++;
    return x;
}

static bool peer_name(struct evhttp_request *req, struct arena *a, struct str *ret, struct err *err)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(req);
    int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
    int uid, gid;

    if (!process_peer_ids(fd, &uid, &gid, err))
        return false;
    *ret = uid == 0 ? STR("root") : arena_strf(a, "uid:%d", uid);
    return true;
}

/* Requests, on the HTTP thread ----------------------------------------------------------------- */

static const char *method_name(struct evhttp_request *req)
{
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    default:
        return "";
    }
}

/* NULL: fine. */
static const char *headers_refusal(struct evhttp_request *req)
{
    struct http_header headers[HEADERS_MAX];
    size_t count = 0;

    for (struct evkeyval *kv = evhttp_request_get_input_headers(req)->tqh_first; kv;
         kv = kv->next.tqe_next) {
        if (count == HEADERS_MAX)
            return "too many fields";
        headers[count++] = (struct http_header){ str_of(kv->key), str_of(kv->value) };
    }
    return strict_refusal(headers, count);
}

static bool body_is_json(struct evhttp_request *req)
{
    const char *type = evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
    struct str media = str_of(type), rest;

    if (!str_cut(media, ';', &media, &rest))
        media = str_of(type);
    return str_eq_nocase(str_trim(media), STR("application/json"));
}

static struct str request_body(struct evhttp_request *req)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);

    return str_make(evbuffer_pullup(in, -1), evbuffer_get_length(in));
}

static void request_take_on(struct server *s, struct evhttp_request *req)
{
    struct exchange *x = exchange_new(s);
    struct err err = { 0 };
    int status = 403;

    if (!peer_name(req, &x->arena, &x->actor, &err) ||
        !api_read(str_of(method_name(req)), str_of(evhttp_request_get_uri(req)), request_body(req),
                  &x->arena, &x->ask, &status, &err)) {
        refuse(req, status, err.text);
        exchange_free(x);
        return;
    }
    x->req = req;
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), client_left, x);
    post_up(s, x, 0);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct server *s = arg;
    const char *refusal = headers_refusal(req);

    if (refusal)
        refuse(req, 400, refusal);
    else if (request_body(req).len > 0 && !body_is_json(req))
        refuse(req, 415, "expected Content-Type: application/json");
    else if (s->exchange_count >= EXCHANGES_MAX)
        refuse(req, 503, "too many requests at once");
    else
        request_take_on(s, req);
}

/* From the loop to the HTTP thread ------------------------------------------------------------- */

struct post_down {
    struct exchange *exchange;
    int status; /* 0: a line of a stream; -1: the end */
    struct str text;
};

static void do_line(struct exchange *x, struct str line)
{
    if (!x->req)
        return;
    if (!x->streaming)
        stream_begin(x->req);
    x->streaming = true;
    if (stream_behind(x->req) > STREAM_BEHIND_MAX) {
        uint64_t number = x->number;
        evhttp_send_reply_end(request_take(x));
        post_up(x->server, NULL, number);
        return;
    }
    struct evbuffer *out = evbuffer_new();
    evbuffer_add(out, line.ptr, line.len);
    if (line.len > 0)
        evbuffer_add(out, "\n", 1);
    evhttp_send_reply_chunk(x->req, out);
    evbuffer_free(out);
}

static void post_down_run(evutil_socket_t fd, short what, void *arg)
{
    struct post_down *p = arg;
    struct exchange *x = p->exchange;

    (void)fd;
    (void)what;
    if (p->status == 0) {
        do_line(x, p->text);
    } else if (p->status > 0) {
        struct evhttp_request *req = request_take(x);
        if (req)
            reply(req, p->status, p->text, false);
    } else {
        struct evhttp_request *req = request_take(x);
        if (req && x->streaming)
            evhttp_send_reply_end(req);
        else if (req)
            refuse(req, 503, "web ends");
        exchange_free(x);
    }
    free(p);
}

static void post_down(struct exchange *x, int status, struct str text)
{
    struct post_down *p = mem_new(sizeof *p + text.len + 1);
    char *copy = (char *)(p + 1);

    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    *p = (struct post_down){ x, status, str_make(copy, text.len) };
    if (event_base_once(x->server->base, -1, EV_TIMEOUT, post_down_run, p, NULL) < 0)
        abort(); /* out of memory, nothing else */
}

/* The loop's side ------------------------------------------------------------------------------ */

uint64_t exchange_number(const struct exchange *x)
{
    return x->number;
}

const struct api_ask *exchange_ask(const struct exchange *x)
{
    return &x->ask;
}

struct str exchange_actor(const struct exchange *x)
{
    return x->actor;
}

void exchange_line(struct exchange *x, struct str json)
{
    post_down(x, 0, json);
}

void exchange_answer(struct exchange *x, int status, struct str body)
{
    post_down(x, status, body);
}

void exchange_end(struct exchange *x)
{
    post_down(x, -1, STR_NONE);
}

static void server_run(void *arg)
{
    struct server *s = arg;

    (void)event_base_loop(s->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

static void server_ran(void *arg)
{
    (void)arg;
}

static bool http_start(struct server *s, int fd, struct err *err)
{
    s->base = event_base_new();
    s->http = s->base ? evhttp_new(s->base) : NULL;
    if (!s->http)
        return err_set(err, ERR_IO, "libevent does not start");
    evhttp_set_gencb(s->http, on_request, s);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PATCH |
                                            EVHTTP_REQ_DELETE);
    evhttp_set_max_headers_size(s->http, HEADER_BYTES_MAX);
    evhttp_set_max_body_size(s->http, API_BODY_MAX);
    evhttp_set_timeout(s->http, IDLE_S);
    if (evutil_make_socket_nonblocking(fd) < 0 || evhttp_accept_socket(s->http, fd) < 0)
        return err_set(err, ERR_IO, "libevent does not take the API socket");
    return true;
}

static void http_stop(struct server *s)
{
    if (s->http)
        evhttp_free(s->http);
    if (s->base)
        event_base_free(s->base);
}

bool server_new(int fd, const struct server_events *events, void *owner, struct server **ret,
                struct err *err)
{
    struct server *s = NEW(struct server);

    s->events = events;
    s->owner = owner;
    atomic_init(&s->refs, 1);
    list_init(&s->exchanges);
    if (evthread_use_pthreads() < 0) {
        free(s);
        return err_set(err, ERR_IO, "libevent has no threads");
    }
    if (!http_start(s, fd, err) || !worker_pool_new("http", 1, 1, &s->thread, err) ||
        !worker_submit(s->thread, server_run, server_ran, s, err)) {
        worker_pool_free(s->thread);
        http_stop(s);
        free(s);
        return false;
    }
    *ret = s;
    return true;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    s->closed = true;
    (void)event_base_loopbreak(s->base);
    worker_pool_free(s->thread);
    /* The thread is gone: what the loop still sent is handled here. */
    (void)event_base_loop(s->base, EVLOOP_NONBLOCK);
    LIST_EACH (&s->exchanges, struct exchange, x, link) {
        (void)request_take(x);
        exchange_free(x);
    }
    http_stop(s);
    server_drop(s);
}
