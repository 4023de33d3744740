// SPDX-License-Identifier: Apache-2.0
/* io/channel_pair.c - a channel's packets between two roles in one process (`--single`).
 *
 * What is sent arrives in the next turn, in the same packets and with the same bound as over a
 * socket, never inside the sender's call: so one process behaves as several do. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/channel_carrier.h"
#include "io/loop.h"

/* As much as the buffers of a socket pair (process_socketpair()). */
#define INBOX_BYTES_MAX (1024 * 1024)

struct letter {
    struct list link;
    size_t len, fd_count;
    int fds[PACKET_FDS_MAX];
    _Alignas(8) char bytes[];
};

struct pair_end {
    struct pair_end *peer; /* NULL: gone */
    struct channel *channel;
    struct list inbox; /* struct letter */
    size_t inbox_bytes;
    bool peer_blocked; /* it waits for room here */
    struct timer arrive;
};

static void letter_free(struct letter *l)
{
    list_remove(&l->link);
    free(l);
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

static bool pair_send(void *carrier, const struct packet *p)
{
    struct pair_end *to = ((struct pair_end *)carrier)->peer;
    struct letter *l;

    if (to == NULL) {
        close_all(p->fds, p->fd_count);
        return true;
    }
    if (to->inbox_bytes >= INBOX_BYTES_MAX) {
        to->peer_blocked = true;
        return false;
    }
    l = mem_new(sizeof *l + p->bytes.len);
    l->len = p->bytes.len;
    memcpy(l->bytes, p->bytes.ptr, l->len);
    l->fd_count = p->fd_count;
    memcpy(l->fds, p->fds, p->fd_count * sizeof *l->fds);
    list_append(&to->inbox, &l->link);
    to->inbox_bytes += l->len;
    timer_set(&to->arrive, loop_now_ms());
    return true;
}

/* One letter to the channel; false when that ended this end. */
static bool hand_in(struct pair_end *e, struct letter *l)
{
    struct packet p = { { l->bytes, l->len }, l->fds, l->fd_count };
    bool stays;

    list_remove(&l->link);
    e->inbox_bytes -= l->len;
    stays = channel_carrier_packet(e->channel, &p);
    letter_free(l);
    return stays;
}

static void pair_arrive(void *arg)
{
    struct pair_end *e = arg;
    struct letter *l;
    struct err gone;

    /* All that is there: more comes only by another role's turn end. */
    while ((l = LIST_FIRST(&e->inbox, struct letter, link)) != NULL)
        if (!hand_in(e, l))
            return;
    if (e->peer == NULL) {
        err_set(&gone, ERR_CLOSED, "the other role is gone");
        channel_carrier_lost(e->channel, &gone);
    } else if (e->peer_blocked) {
        e->peer_blocked = false;
        channel_carrier_ready(e->peer->channel);
    }
}

static void pair_free(void *carrier)
{
    struct pair_end *e = carrier;
    struct letter *l;

    if (e->peer != NULL) {
        e->peer->peer = NULL;
        timer_set(&e->peer->arrive, loop_now_ms());
    }
    while ((l = LIST_FIRST(&e->inbox, struct letter, link)) != NULL) {
        close_all(l->fds, l->fd_count);
        letter_free(l);
    }
    timer_clear(&e->arrive);
    free(e);
}

static const struct channel_carrier pair_ops = { pair_send, pair_free };

static struct pair_end *end_new(int order, struct channel **ret)
{
    struct pair_end *e = NEW(struct pair_end);

    list_init(&e->inbox);
    timer_init(&e->arrive, pair_arrive, e);
    e->channel = *ret = channel_on(&pair_ops, e, order);
    return e;
}

void channel_pair(int order_a, struct channel **ret_a, int order_b, struct channel **ret_b)
{
    struct pair_end *a = end_new(order_a, ret_a), *b = end_new(order_b, ret_b);

    a->peer = b;
    b->peer = a;
}
