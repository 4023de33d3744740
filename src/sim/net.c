// SPDX-License-Identifier: Apache-2.0
/* sim/net.c - who listens where, and how connections come to be. */
#include <errno.h>
#include <stdlib.h>

#include "sim/stream_sim.h"
#include "sim/world.h"

#define SILENT_MAX 16
#define RESET_WITHIN_BYTES 4000
#define PORT_FIRST 32768

struct listener {
    struct list link;
    struct endpoint at;
    struct list backlog; /* struct caller */
    struct timer come;
    bool takes;
    void (*fn)(void *arg, struct stream *s);
    void *arg;
    bool calling, freed; /* fn runs; it freed us */
};

struct caller {
    struct list link;
    struct stream *stream;
};

static struct {
    struct list listeners;
    struct ip silent[SILENT_MAX];
    size_t silent_count;
    uint16_t last_port;
} net;

static struct list *listeners(void)
{
    if (net.listeners.next == NULL)
        list_init(&net.listeners);
    return &net.listeners;
}

void sim_net_silence(const struct ip *ip)
{
    if (net.silent_count < SILENT_MAX)
        net.silent[net.silent_count++] = *ip;
}

bool sim_net_is_silent(const struct ip *ip)
{
    for (size_t i = 0; i < net.silent_count; i++)
        if (ip_eq(&net.silent[i], ip))
            return true;
    return false;
}

/* Listeners ------------------------------------------------------------------------------------ */

static void come_in(void *arg)
{
    struct listener *l = arg;
    struct caller *c;

    l->calling = true;
    while (l->takes && (c = LIST_FIRST(&l->backlog, struct caller, link)) != NULL) {
        struct stream *s = c->stream;

        list_remove(&c->link);
        free(c);
        l->fn(l->arg, s);
    }
    l->calling = false;
    if (l->freed)
        free(l);
}

bool listener_new(const struct endpoint *at, struct listener **ret, struct err *err)
{
    struct listener *l;
    char text[ENDPOINT_TEXT_MAX];

    LIST_EACH (listeners(), struct listener, other, link)
        if (ip_eq(&other->at.ip, &at->ip) && other->at.port == at->port) {
            errno = EADDRINUSE;
            return err_sys(err, "listen on %s", endpoint_format(at, text));
        }
    l = NEW(struct listener);
    l->at = *at;
    list_init(&l->backlog);
    timer_init(&l->come, come_in, l);
    list_append(listeners(), &l->link);
    *ret = l;
    return true;
}

bool listener_from_fd(int fd, struct listener **ret, struct err *err)
{
    (void)ret;
    return err_set(err, ERR_CONFIG, "descriptor %d: the simulator has none", fd);
}

void listener_start(struct listener *l, void (*fn)(void *arg, struct stream *s), void *arg)
{
    l->fn = fn;
    l->arg = arg;
    l->takes = true;
    if (!list_empty(&l->backlog))
        timer_set(&l->come, loop_now_ms());
}

void listener_pause(struct listener *l)
{
    l->takes = false;
}

void listener_free(struct listener *l)
{
    struct caller *c;

    if (l == NULL)
        return;
    while ((c = LIST_FIRST(&l->backlog, struct caller, link)) != NULL) {
        list_remove(&c->link);
        stream_free(c->stream);
        free(c);
    }
    timer_clear(&l->come);
    list_remove(&l->link);
    l->takes = false;
    l->freed = true;
    if (!l->calling)
        free(l);
}

struct endpoint listener_local(const struct listener *l)
{
    return l->at;
}

/* Connecting ----------------------------------------------------------------------------------- */

static struct listener *listener_at(const struct endpoint *at)
{
    LIST_EACH (listeners(), struct listener, l, link)
        if (ip_eq(&l->at.ip, &at->ip) && l->at.port == at->port)
            return l;
    return NULL;
}

static struct endpoint local_end(const struct ip *source)
{
    static const uint8_t ours[4] = { 10, 0, 0, 1 };
    struct endpoint e = { .ip = ip_make4(ours) };

    if (source != NULL && source->family != 0)
        e.ip = *source;
    if (net.last_port < PORT_FIRST)
        net.last_port = PORT_FIRST;
    e.port = net.last_port++;
    return e;
}

/* Each direction has a fate of its own. */
static void draw_fate(struct stream *s)
{
    if (sim_chance(sim_faults()->reset))
        s->left_bytes = sim_draw(sim_draw(2) ? RESET_WITHIN_BYTES : RESET_WITHIN_BYTES / 10);
}

static struct stream *call(struct listener *l, const struct endpoint *from)
{
    struct stream *near = stream_alone(from, &l->at), *far = stream_alone(&l->at, from);
    struct caller *c = NEW(struct caller);

    near->peer = far;
    far->peer = near;
    draw_fate(near);
    draw_fate(far);
    c->stream = far;
    list_append(&l->backlog, &c->link);
    timer_set(&l->come, loop_now_ms());
    return near;
}

static bool never_answered(int64_t deadline_ms, struct err *err)
{
    if (!fiber_sleep(deadline_ms - loop_now_ms(), err))
        return false;
    return err_set(err, ERR_TIMEOUT, "connect: timed out");
}

bool stream_connect(const struct endpoint *to, const struct ip *source, int64_t deadline_ms,
                    struct stream **ret, struct err *err)
{
    char text[ENDPOINT_TEXT_MAX];
    int64_t takes_ms = sim_latency_ms();
    struct endpoint from = local_end(source);
    struct listener *l;

    if (sim_net_is_silent(&to->ip) || loop_now_ms() + takes_ms > deadline_ms)
        return never_answered(deadline_ms, err);
    if (!fiber_sleep(takes_ms, err))
        return false;
    sim_event();
    l = listener_at(to);
    sim_trace("net connect %s%s", endpoint_format(to, text), l != NULL ? "" : ": nobody listens");
    if (l == NULL || sim_chance(sim_faults()->refused)) {
        errno = ECONNREFUSED;
        return err_sys(err, "connect");
    }
    *ret = call(l, &from);
    return true;
}

bool stream_connect_unix(const char *path, int64_t deadline_ms, struct stream **ret,
                         struct err *err)
{
    (void)deadline_ms;
    (void)ret;
    return err_set(err, ERR_IO, "connect to %s: no UNIX sockets in this world", path);
}
