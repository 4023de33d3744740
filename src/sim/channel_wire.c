// SPDX-License-Identifier: Apache-2.0
/* sim/channel_wire.c - links between roles that take their time and can be cut. Packets stay whole
 * and in order, as over SOCK_SEQPACKET; when they arrive is chance's matter. */
#include <stdlib.h>
#include <unistd.h>

#include "io/channel_carrier.h"
#include "io/loop.h"
#include "sim/world.h"

/* As much as the buffers of a socket pair (process_socketpair()). */
#define INBOX_BYTES_MAX (1024 * 1024)

struct letter {
    struct list link;
    int64_t at_ms;
    size_t len;
    _Alignas(8) char bytes[];
};

struct wire_end {
    struct list link;      /* among all of the process */
    struct wire_end *peer; /* NULL: gone */
    struct channel *channel;
    struct list inbox; /* struct letter */
    size_t inbox_bytes;
    int64_t last_at_ms;
    bool peer_blocked; /* it waits for room here */
    struct timer arrive;
};

static struct list ends;

static void letter_free(struct letter *l)
{
    list_remove(&l->link);
    free(l);
}

/* Only super sends descriptors, and super is not simulated. */
static void close_all(const struct packet *p)
{
    for (size_t i = 0; i < p->fd_count; i++)
        close(p->fds[i]);
}

static bool wire_send(void *carrier, const struct packet *p)
{
    struct wire_end *to = ((struct wire_end *)carrier)->peer;
    struct letter *l;
    int64_t at_ms = loop_now_ms() + sim_latency_ms() / 2;

    sim_event();
    close_all(p);
    if (to == NULL)
        return true;
    if (to->inbox_bytes >= INBOX_BYTES_MAX) {
        to->peer_blocked = true;
        return false;
    }
    l = mem_new(sizeof *l + p->bytes.len);
    l->len = p->bytes.len;
    memcpy(l->bytes, p->bytes.ptr, l->len);
    l->at_ms = at_ms > to->last_at_ms ? at_ms : to->last_at_ms;
    to->last_at_ms = l->at_ms;
    if (list_empty(&to->inbox))
        timer_set(&to->arrive, l->at_ms);
    list_append(&to->inbox, &l->link);
    to->inbox_bytes += l->len;
    return true;
}

/* One letter to the channel; false when that ended this end. */
static bool hand_in(struct wire_end *e, struct letter *l)
{
    struct packet p = { { l->bytes, l->len }, NULL, 0 };
    bool stays;

    list_remove(&l->link);
    e->inbox_bytes -= l->len;
    stays = channel_carrier_packet(e->channel, &p);
    letter_free(l);
    return stays;
}

static void wire_arrive(void *arg)
{
    struct wire_end *e = arg;
    struct letter *l;
    struct err gone;

    while ((l = LIST_FIRST(&e->inbox, struct letter, link)) != NULL && l->at_ms <= loop_now_ms())
        if (!hand_in(e, l))
            return;
    if (l != NULL) {
        timer_set(&e->arrive, l->at_ms);
    } else if (e->peer == NULL) {
        err_set(&gone, ERR_CLOSED, "the other role is gone");
        channel_carrier_lost(e->channel, &gone);
        return;
    }
    if (e->peer != NULL && e->peer_blocked && e->inbox_bytes < INBOX_BYTES_MAX) {
        e->peer_blocked = false;
        channel_carrier_ready(e->peer->channel);
    }
}

static void wire_free(void *carrier)
{
    struct wire_end *e = carrier;
    struct letter *l;

    if (e->peer != NULL) {
        e->peer->peer = NULL;
        if (list_empty(&e->peer->inbox))
            timer_set(&e->peer->arrive, loop_now_ms());
    }
    while ((l = LIST_FIRST(&e->inbox, struct letter, link)) != NULL)
        letter_free(l);
    timer_clear(&e->arrive);
    list_remove(&e->link);
    free(e);
}

static const struct channel_carrier wire_ops = { wire_send, wire_free };

static struct wire_end *end_new(int order, struct channel **ret)
{
    struct wire_end *e = NEW(struct wire_end);

    if (ends.next == NULL)
        list_init(&ends);
    list_append(&ends, &e->link);
    list_init(&e->inbox);
    timer_init(&e->arrive, wire_arrive, e);
    e->channel = *ret = channel_on(&wire_ops, e, order);
    return e;
}

void channel_pair(int order_a, struct channel **ret_a, int order_b, struct channel **ret_b)
{
    struct wire_end *a = end_new(order_a, ret_a), *b = end_new(order_b, ret_b);

    a->peer = b;
    b->peer = a;
}

bool channel_new(int fd, int order, const struct channel_events *ev, void *owner,
                 struct channel **ret, struct err *err)
{
    (void)order, (void)ev, (void)owner, (void)ret;
    return err_set(err, ERR_CONFIG, "descriptor %d: the simulator has none", fd);
}

/* What was on its way is lost with the link. */
static void end_cut(struct wire_end *e)
{
    struct letter *l;

    while ((l = LIST_FIRST(&e->inbox, struct letter, link)) != NULL)
        letter_free(l);
    e->peer = NULL;
    timer_set(&e->arrive, loop_now_ms());
}

void sim_channel_cut(struct channel *c)
{
    if (ends.next == NULL)
        return;
    LIST_EACH (&ends, struct wire_end, e, link)
        if (e->channel == c) {
            sim_trace("link cut");
            if (e->peer != NULL)
                end_cut(e->peer);
            end_cut(e);
            return;
        }
}
