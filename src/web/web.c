// SPDX-License-Identifier: Apache-2.0
/* web/web.c - the role web: hands what operators ask to the roles that know, and their rows back as
 * one answer. Strangers are visits.c's matter.
 *
 * A request is known by its number, which travels in WIRE_ADMIN and comes back in every row. What a
 * role answers is passed on as it is; web knows routes, not queues. */
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "io/loop.h"
#include "io/sandbox.h"
#include "mail/address.h"
#include "web/clients.h"
#include "web/role.h"
#include "web/server.h"
#include "web/visits.h"

#define ANSWER_BYTES_MAX (16 * 1024 * 1024)
#define ANSWER_MS 120000 /* a check that waits for DNS several times over is the slowest */

struct web {
    struct role_link links[ROLE_KINDS][ROLE_INSTANCES_MAX]; /* channel NULL: away */
    struct idmap requests;                                  /* struct request by exchange number */
    struct server *server;                                  /* NULL without a socket */
    const struct config *config;
    struct visits *visits; /* NULL without listeners */
    void (*drained)(void *arg);
    void *drained_arg;
};

struct request {
    struct web *web;
    struct exchange *exchange;
    struct buf rows;    /* comma-separated */
    uint64_t next;      /* where a list goes on */
    struct timer timer; /* not for streams */
    bool streaming;     /* its 200 is sent: what goes wrong now is told in a line */
};

static const struct api_route *route_of(const struct request *r)
{
    return exchange_ask(r->exchange)->route;
}

/* Ends ----------------------------------------------------------------------------------------- */

static void drain_look(struct web *w)
{
    if (w->drained && w->requests.count == 0) {
        void (*fn)(void *arg) = w->drained;
        w->drained = NULL;
        fn(w->drained_arg);
    }
}

static void request_free(struct request *r)
{
    struct web *w = r->web;

    (void)idmap_take(&w->requests, exchange_number(r->exchange));
    exchange_end(r->exchange);
    timer_clear(&r->timer);
    buf_done(&r->rows);
    free(r);
    drain_look(w);
}

/* What changed is logged with the operator's name by the role that changed it, except that super
 * logs no names and vault no reasons. */
static bool is_logged_by_role(const struct api_ask *ask)
{
    return ask->route->role != ROLE_SUPER &&
           !(ask->route->role == ROLE_VAULT && ask->given & FIELD_REASON);
}

/* Reading leaves no trace; what was refused does. */
static void request_log(const struct request *r, int status, struct str detail)
{
    const struct api_ask *ask = exchange_ask(r->exchange);
    struct log_line l;

    if (str_eq(str_of(ask->route->method), STR("GET")) || (status == 200 && is_logged_by_role(ask)))
        return;
    log_begin(&l, LOG_INFO, "operator");
    log_str(&l, "actor", exchange_actor(r->exchange));
    log_cstr(&l, "method", ask->route->method);
    log_cstr(&l, "path", ask->route->path);
    if (ask->given & FIELD_ID)
        log_id(&l, "id", ask->id);
    if (ask->given & FIELD_NAME)
        log_str(&l, "name", ask->name);
    if (ask->given & FIELD_REASON)
        log_str(&l, "reason", ask->reason);
    log_num(&l, "flags", ask->flags);
    log_num(&l, "status", status);
    if (detail.len > 0)
        log_str(&l, "text", detail);
    log_end(&l);
}

/* The last line of a stream that did not end by its reader's wish. */
static void stream_fail(struct request *r, struct str detail)
{
    struct buf line;
    struct json j;

    buf_init(&line, 8192);
    json_begin(&j, &line);
    json_object(&j);
    json_key(&j, "type");
    json_str(&j, STR("tail.ended"));
    json_key(&j, "detail");
    json_str(&j, detail);
    json_object_end(&j);
    exchange_line(r->exchange, buf_str(&line));
    buf_done(&line);
    request_free(r);
}

static void request_fail(struct request *r, int status, struct str detail)
{
    struct buf body;

    if (r->streaming) {
        stream_fail(r, detail);
        return;
    }
    buf_init(&body, 8192);
    api_problem(&body, status, detail);
    request_log(r, status, detail);
    exchange_answer(r->exchange, status, buf_str(&body));
    buf_done(&body);
    request_free(r);
}

/* Its role is not there, or left in the middle. */
static void request_fail_role(struct request *r, const char *what)
{
    struct err err;

    err_set(&err, ERR_CLOSED, "%s %s: try again", role_name(route_of(r)->role), what);
    request_fail(r, 503, str_of(err.text));
}

/* Answers -------------------------------------------------------------------------------------- */

static void answer_list(const struct request *r, struct buf *body)
{
    struct json j;

    json_begin(&j, body);
    json_object(&j);
    json_key(&j, "items");
    json_array(&j);
    json_raw(&j, buf_str(&r->rows));
    json_array_end(&j);
    json_key(&j, "next");
    if (r->next != 0) {
        char text[24];
        struct buf number = { .ptr = text, .cap = sizeof text, .max = sizeof text };
        (void)buf_addf(&number, "%llu", (unsigned long long)r->next);
        json_str(&j, buf_str(&number));
    } else {
        json_null(&j);
    }
    json_object_end(&j);
}

static void request_answer(struct request *r)
{
    struct buf body;

    if (route_of(r)->answer == API_ONE && r->rows.len == 0) {
        request_fail(r, 404, STR("there is none"));
        return;
    }
    if (route_of(r)->answer == API_STREAM) {
        request_free(r);
        return;
    }
    buf_init(&body, ANSWER_BYTES_MAX + 1024);
    if (route_of(r)->answer == API_ONE)
        (void)buf_add(&body, buf_str(&r->rows));
    else
        answer_list(r, &body);
    request_log(r, 200, STR_NONE);
    exchange_answer(r->exchange, 200, buf_str(&body));
    buf_done(&body);
    request_free(r);
}

/* What roles send ------------------------------------------------------------------------------ */

static void take_row(struct request *r, struct str row)
{
    switch (route_of(r)->answer) {
    case API_STREAM:
        exchange_line(r->exchange, row);
        return;
    case API_ONE:
        if (r->rows.len == 0)
            (void)buf_add(&r->rows, row);
        return;
    case API_LIST:
        if (r->rows.len > 0)
            (void)buf_add_char(&r->rows, ',');
        (void)buf_add(&r->rows, row);
        if (!buf_ok(&r->rows))
            request_fail(r, 500, STR("too much for one answer: give a limit or a filter"));
        return;
    }
}

static int status_checked(unsigned status)
{
    return status >= 400 && status < 600 ? (int)status : 500;
}

static void take_end(struct request *r, const struct wire_admin_end *end)
{
    if (end->status != 200) {
        request_fail(r, status_checked(end->status), wire_get(end, end->text));
        return;
    }
    r->next = end->next;
    request_answer(r);
}

/* The request that this role was asked. */
static struct request *request_find(struct web *w, uint64_t number, enum role_kind from)
{
    struct request *r = idmap_find(&w->requests, number);

    return r && route_of(r)->role == from ? r : NULL;
}

static struct role_link *link_of(struct web *w, const struct channel *c)
{
    for (int kind = 0; kind < ROLE_KINDS; kind++)
        for (int i = 0; i < ROLE_INSTANCES_MAX; i++)
            if (w->links[kind][i].channel == c)
                return &w->links[kind][i];
    return NULL;
}

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct web *w = owner;
    const struct role_link *link = link_of(w, c);
    struct request *r;

    if (!link || !wire_check(f, link->peer, ROLE_WEB, err))
        return link ? false : err_set(err, ERR_SYNTAX, "a frame from nobody");
    if (f->type == WIRE_ADMIN_ROW) {
        const struct wire_admin_row *row = (const void *)f;
        r = request_find(w, row->request, link->peer);
        if (r)
            take_row(r, wire_get(row, row->json));
        return true;
    }
    if (f->type == WIRE_ADMIN_END) {
        const struct wire_admin_end *end = (const void *)f;
        r = request_find(w, end->request, link->peer);
        if (r)
            take_end(r, end);
        return true;
    }
    return err_set(err, ERR_SYNTAX, "%s is not for web", wire_type_name(f->type));
}

/* What was asked of a role that is gone. */
static void role_lost(struct web *w, enum role_kind role)
{
    uint64_t number;
    size_t at = 0;
    void *value;

    while (idmap_each(&w->requests, &at, &number, &value)) {
        struct request *r = value;
        if (route_of(r)->role == role)
            request_fail_role(r, "was restarted");
    }
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct web *w = owner;
    struct role_link *link = link_of(w, c);

    (void)why;
    if (link) {
        enum role_kind peer = link->peer;
        link->channel = NULL;
        role_lost(w, peer);
    }
    channel_free(c);
}

static const struct channel_events channel_events = { on_frame, on_closed };

/* What operators ask --------------------------------------------------------------------------- */

static struct channel *channel_to(struct web *w, enum role_kind role)
{
    for (int i = 0; i < ROLE_INSTANCES_MAX; i++)
        if (w->links[role][i].channel && channel_is_open(w->links[role][i].channel))
            return w->links[role][i].channel;
    return NULL;
}

static void admin_send(struct channel *c, const struct exchange *x, uint32_t more_flags)
{
    const struct api_ask *ask = exchange_ask(x);
    struct str actor = exchange_actor(x);
    struct wire_admin *f = wire_add(c, WIRE_ADMIN, actor.len + api_ask_bytes(ask));

    f->request = exchange_number(x);
    f->id = ask->id;
    f->verb = ask->route->verb;
    f->flags = ask->flags | more_flags;
    f->limit = ask->limit;
    wire_put(f, &f->actor, actor);
    wire_put(f, &f->name, ask->name);
    wire_put(f, &f->account, ask->account);
    wire_put(f, &f->from, ask->from);
    wire_put(f, &f->to, ask->to);
    wire_put(f, &f->site, ask->site);
    wire_put(f, &f->state, ask->state);
    wire_put(f, &f->reason, ask->reason);
    wire_put(f, &f->settings, ask->settings);
}

static void on_late(void *arg)
{
    request_fail(arg, 504, STR("no answer in 120 s"));
}

static struct request *request_new(struct web *w, struct exchange *x)
{
    struct request *r = NEW(struct request);

    r->web = w;
    r->exchange = x;
    buf_init(&r->rows, ANSWER_BYTES_MAX);
    timer_init(&r->timer, on_late, r);
    (void)idmap_put(&w->requests, exchange_number(x), r);
    return r;
}

/* What web knows by itself. */
static void answer_clients(struct request *r)
{
    const struct str domain = exchange_ask(r->exchange)->name;

    if (!domain_ok(domain, /* utf8= */ false)) {
        request_fail(r, 422, STR("expected a domain"));
        return;
    }
    (void)clients_rows(r->web->config, domain, &r->rows);
    request_answer(r);
}

static void on_asked(void *owner, struct exchange *x)
{
    struct web *w = owner;
    struct request *r = request_new(w, x);
    struct channel *c = channel_to(w, route_of(r)->role);

    if (w->drained) {
        request_fail(r, 503, STR("baton is ending"));
        return;
    }
    if (route_of(r)->role == ROLE_WEB) {
        answer_clients(r);
        return;
    }
    if (!c) {
        request_fail_role(r, "is away");
        return;
    }
    admin_send(c, x, 0);
    r->streaming = route_of(r)->answer == API_STREAM;
    if (r->streaming)
        exchange_line(x, STR_NONE); /* so that the reader sees that it is connected */
    else
        timer_set(&r->timer, loop_now_ms() + ANSWER_MS);
}

/* Nobody reads what the roles would still send. */
static void request_stop(struct request *r)
{
    struct channel *c = channel_to(r->web, route_of(r)->role);

    if (c && route_of(r)->answer == API_STREAM)
        admin_send(c, r->exchange, ADMIN_STOP);
    request_free(r);
}

static void on_gone(void *owner, uint64_t number)
{
    struct web *w = owner;
    struct request *r = idmap_find(&w->requests, number);

    if (r)
        request_stop(r);
}

static const struct server_events server_events = { on_asked, on_gone };

/* The role ------------------------------------------------------------------------------------- */

static void web_free(void *role)
{
    struct web *w = role;
    uint64_t number;
    size_t at = 0;
    void *value;

    w->drained = NULL;
    while (idmap_each(&w->requests, &at, &number, &value))
        request_free(value);
    server_free(w->server);
    visits_free(w->visits);
    for (int kind = 0; kind < ROLE_KINDS; kind++)
        for (int i = 0; i < ROLE_INSTANCES_MAX; i++)
            if (w->links[kind][i].channel)
                channel_free(w->links[kind][i].channel);
    idmap_done(&w->requests);
    free(w);
}

static bool web_start(const struct role_start *s, void **ret_role, struct err *err)
{
    struct web *w = NEW(struct web);

    idmap_init(&w->requests);
    w->config = s->config;
    if (!visits_new(s, &w->visits, err)) {
        web_free(w);
        return false;
    }
    if (s->unix_fd >= 0 && !server_new(s->unix_fd, &server_events, w, &w->server, err)) {
        web_free(w);
        return err_at(err, "API socket");
    }
    *ret_role = w;
    return true;
}

static void web_link(void *role, const struct role_link *l)
{
    struct web *w = role;
    struct role_link *slot = &w->links[l->peer][l->instance % ROLE_INSTANCES_MAX];

    *slot = *l;
    channel_set_owner(l->channel, &channel_events, w);
}

static void web_reload(void *role, const struct config *config, const struct role_start *s)
{
    struct web *w = role;

    w->config = config;
    visits_reload(w->visits, s);
}

static void web_drain(void *role, void (*done)(void *arg), void *arg)
{
    struct web *w = role;
    uint64_t number;
    size_t at = 0;
    void *value;

    while (idmap_each(&w->requests, &at, &number, &value)) {
        struct request *r = value;
        if (route_of(r)->answer == API_STREAM)
            request_stop(r);
    }
    visits_drain(w->visits);
    w->drained = done;
    w->drained_arg = arg;
    drain_look(w);
}

static void web_status(void *role, struct buf *to)
{
    struct web *w = role;
    struct json j;

    json_begin(&j, to);
    json_key(&j, "requests");
    json_int(&j, (int64_t)w->requests.count);
    json_key(&j, "visitors");
    json_int(&j, (int64_t)visits_count(w->visits));
}

const struct role_ops web_role = {
    .kind = ROLE_WEB,
    .name = "web",
    .sandbox_needs = SANDBOX_UNIX_ACCEPT | SANDBOX_ACCEPT,
    .start = web_start,
    .link = web_link,
    .reload = web_reload,
    .drain = web_drain,
    .status = web_status,
    .free = web_free,
};
