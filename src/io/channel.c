// SPDX-License-Identifier: Apache-2.0
/* io/channel.c - a channel's pile and its frames: what is queued, how it is cut into packets, and
 * how packets from a peer that is believed nothing become frames.
 *
 * The pile is one run of bytes; packets are cut and sent from where they lie. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/channel_carrier.h"
#include "io/loop.h"

#define PILE_KEPT_BYTES (2 * PACKET_BYTES_MAX)

/* Descriptors that leave with the frame which ends at `end` in the pile. */
struct fd_group {
    struct list link;
    size_t end;
    size_t count;
    int fds[PACKET_FDS_MAX];
};

struct channel {
    const struct channel_carrier *ops;
    void *carrier; /* NULL once it is lost or cut off */
    const struct channel_events *ev;
    void *owner;

    char *pile;
    size_t start, end, cap; /* pile[start…end) waits */
    struct list fd_groups;
    bool blocked; /* the carrier has no room; it will call */
    struct gate room;
    struct turn_end turn_end;

    struct handling *handling; /* of a packet, now, up the stack */
};

/* The handling of one packet; it outlives the channel if a frame's handler frees that. */
struct handling {
    const struct packet *packet;
    size_t fds_taken;
    bool gone; /* the channel was freed */
};

static_assert(sizeof(struct frame) == 8, "the head of a frame is 8 bytes on the wire");

/* The pile ------------------------------------------------------------------------------------- */

size_t channel_queued(const struct channel *c)
{
    return c->end - c->start;
}

bool channel_full(const struct channel *c)
{
    return channel_queued(c) >= CHANNEL_FULL_BYTES;
}

static void fd_group_free(struct fd_group *g)
{
    for (size_t i = 0; i < g->count; i++)
        close(g->fds[i]);
    list_remove(&g->link);
    free(g);
}

static void pile_drop(struct channel *c)
{
    struct fd_group *g;

    while ((g = LIST_FIRST(&c->fd_groups, struct fd_group, link)) != NULL)
        fd_group_free(g);
    free(c->pile);
    c->pile = NULL;
    c->start = c->end = c->cap = 0;
}

static void pile_move_to_front(struct channel *c)
{
    memmove(c->pile, c->pile + c->start, c->end - c->start);
    LIST_EACH (&c->fd_groups, struct fd_group, g, link)
        g->end -= c->start;
    c->end -= c->start;
    c->start = 0;
}

static char *pile_room(struct channel *c, size_t len)
{
    if (c->cap - c->end < len && c->start > 0 && c->start >= c->cap / 2)
        pile_move_to_front(c);
    if (c->cap - c->end < len) {
        c->cap = c->cap > 0 ? c->cap * 2 : PACKET_BYTES_MAX;
        c->pile = mem_grow(c->pile, c->cap, 1);
    }
    return c->pile + c->end;
}

void *channel_add(struct channel *c, uint8_t type, size_t len)
{
    static _Alignas(8) char nowhere[FRAME_BYTES_MAX];
    size_t whole = (len + 7) & ~(size_t)7;
    struct frame head = { .len = (uint16_t)whole, .type = type };
    char *f;

    assert(len >= sizeof head && whole <= FRAME_BYTES_MAX);
    if (c->carrier == NULL) {
        f = nowhere;
    } else {
        f = pile_room(c, whole);
        c->end += whole;
    }
    memset(f, 0, whole);
    return memcpy(f, &head, sizeof head);
}

void channel_add_fds(struct channel *c, const int *fds, size_t count)
{
    struct fd_group *g;

    assert(count <= PACKET_FDS_MAX && channel_queued(c) + (c->carrier == NULL) > 0);
    if (c->carrier == NULL || count == 0)
        return;
    g = NEW(struct fd_group);
    g->end = c->end;
    for (; g->count < count; g->count++) {
        g->fds[g->count] = fcntl(fds[g->count], F_DUPFD_CLOEXEC, 0);
        if (g->fds[g->count] < 0)
            break; /* the receiver misses it and says so */
    }
    list_append(&c->fd_groups, &g->link);
}

/* Sending -------------------------------------------------------------------------------------- */

/* As many whole frames as one packet may hold; at least one. What their writer counted in `spare`
 * (wire_put()) does not travel. */
static size_t packet_cut(const struct channel *c)
{
    size_t len = 0;

    while (c->start + len < c->end) {
        struct frame head;

        memcpy(&head, c->pile + c->start + len, sizeof head);
        assert(head.len >= sizeof head && head.len % 8 == 0 && head.len <= FRAME_BYTES_MAX);
        if (len + head.len > PACKET_BYTES_MAX)
            break;
        memset(c->pile + c->start + len + offsetof(struct frame, spare), 0, sizeof head.spare);
        len += head.len;
    }
    return len;
}

/* The descriptors of the packet pile[start…start+*len); a packet with too many is cut before the
 * frame that brings them. */
static size_t packet_fds(const struct channel *c, size_t *len, int fds[PACKET_FDS_MAX])
{
    size_t count = 0, last_end = 0;

    LIST_EACH (&c->fd_groups, struct fd_group, g, link) {
        if (g->end > c->start + *len)
            break;
        if (count + g->count > PACKET_FDS_MAX) {
            *len = last_end - c->start;
            break;
        }
        memcpy(fds + count, g->fds, g->count * sizeof *fds);
        count += g->count;
        last_end = g->end;
    }
    return count;
}

static void packet_sent(struct channel *c, size_t len)
{
    struct fd_group *g;

    c->start += len;
    while ((g = LIST_FIRST(&c->fd_groups, struct fd_group, link)) != NULL && g->end <= c->start) {
        list_remove(&g->link); /* the carrier has the descriptors now */
        free(g);
    }
    if (c->start < c->end)
        return;
    c->start = c->end = 0;
    if (c->cap > PILE_KEPT_BYTES)
        pile_drop(c);
}

void channel_flush(struct channel *c)
{
    bool was_full = channel_full(c);

    while (c->carrier != NULL && !c->blocked && c->start < c->end) {
        int fds[PACKET_FDS_MAX];
        size_t len = packet_cut(c);
        size_t fd_count = packet_fds(c, &len, fds);
        struct packet p = { .bytes = { c->pile + c->start, len },
                            .fds = fds,
                            .fd_count = fd_count };

        c->blocked = !c->ops->send(c->carrier, &p);
        if (!c->blocked)
            packet_sent(c, len);
    }
    if (was_full && !channel_full(c))
        gate_wake_all(&c->room);
}

void channel_carrier_ready(struct channel *c)
{
    c->blocked = false;
    channel_flush(c);
}

struct gate *channel_room(struct channel *c)
{
    return &c->room;
}

static void flush_at_turn_end(void *arg)
{
    channel_flush(arg);
}

/* The end -------------------------------------------------------------------------------------- */

bool channel_is_open(const struct channel *c)
{
    return c->carrier != NULL;
}

static void cut_off(struct channel *c)
{
    if (c->carrier != NULL)
        c->ops->free(c->carrier);
    c->carrier = NULL;
    pile_drop(c);
    gate_wake_all(&c->room);
}

void channel_carrier_lost(struct channel *c, const struct err *why)
{
    struct err copy = *why; /* may lie in what cut_off() frees */

    assert(c->carrier != NULL);
    cut_off(c);
    if (c->ev != NULL && c->ev->closed != NULL)
        c->ev->closed(c->owner, c, &copy);
}

void channel_free(struct channel *c)
{
    if (c == NULL)
        return;
    channel_flush(c);
    if (c->handling != NULL)
        c->handling->gone = true;
    turn_end_remove(&c->turn_end);
    cut_off(c);
    free(c);
}

/* Receiving ------------------------------------------------------------------------------------ */

/* One frame at the front of `rest`, or what is wrong with it. */
static const char *frame_fault(struct str rest, struct frame *ret)
{
    if (rest.len < sizeof *ret)
        return "a frame without a head";
    memcpy(ret, rest.ptr, sizeof *ret);
    if (ret->len < sizeof *ret || ret->len % 8 != 0 || ret->len > FRAME_BYTES_MAX)
        return "a frame of a length that cannot be";
    if (ret->len > rest.len)
        return "a frame that does not fit its packet";
    if (ret->flags != 0 || ret->spare != 0)
        return "a frame with bits that nobody sets";
    return NULL;
}

/* All frames are checked before the first is handed over: a packet counts whole or not at all. */
static bool packet_ok(struct str bytes, struct err *err)
{
    if (bytes.len == 0 || bytes.len > PACKET_BYTES_MAX)
        return err_set(err, ERR_SYNTAX, "a packet of %zu bytes", bytes.len);
    while (bytes.len > 0) {
        struct frame head;
        const char *fault = frame_fault(bytes, &head);

        if (fault != NULL)
            return err_set(err, ERR_SYNTAX, "%s", fault);
        bytes = str_skip(bytes, head.len);
    }
    return true;
}

static bool hand_over(struct channel *c, struct str bytes, const struct handling *h,
                      struct err *err)
{
    while (bytes.len > 0 && !h->gone) {
        const struct frame *f = (const struct frame *)(const void *)bytes.ptr;

        bytes = str_skip(bytes, f->len);
        if (c->ev == NULL)
            return err_set(err, ERR_CLOSED, "nobody listens on this channel");
        if (!c->ev->frame(c->owner, c, f, err))
            return false;
    }
    return true;
}

int channel_take_fd(struct channel *c)
{
    struct handling *h = c->handling;

    if (h == NULL || h->fds_taken == h->packet->fd_count)
        return -1;
    return h->packet->fds[h->fds_taken++];
}

bool channel_carrier_packet(struct channel *c, const struct packet *p)
{
    struct handling h = { .packet = p };
    struct err err = { .kind = ERR_NONE };
    bool ok;

    c->handling = &h;
    ok = packet_ok(p->bytes, &err) && hand_over(c, p->bytes, &h, &err);
    for (size_t i = h.fds_taken; i < p->fd_count; i++)
        close(p->fds[i]);
    if (h.gone)
        return false;
    c->handling = NULL;
    if (!ok)
        channel_carrier_lost(c, &err);
    return ok;
}

/* Life ----------------------------------------------------------------------------------------- */

struct channel *channel_on(const struct channel_carrier *ops, void *carrier, int order)
{
    struct channel *c = NEW(struct channel);

    c->ops = ops;
    c->carrier = carrier;
    list_init(&c->fd_groups);
    gate_init(&c->room);
    turn_end_add(&c->turn_end, order, flush_at_turn_end, c);
    return c;
}

void channel_set_owner(struct channel *c, const struct channel_events *ev, void *owner)
{
    c->ev = ev;
    c->owner = owner;
}

void *channel_owner(const struct channel *c)
{
    return c->owner;
}
