// SPDX-License-Identifier: Apache-2.0
/* super/joint.c - joins two roles: a socket pair, and shared memory where bodies travel. The only
 * place from which descriptors go anywhere; super keeps none of them. */
#include <stdlib.h>

#include "base/log.h"
#include "io/process.h"
#include "io/ring.h"
#include "super/fleet_state.h"

static void send_link(struct slot *to, const struct slot *peer, uint32_t number,
                      enum link_ring ring, int socket_fd, int ring_fd)
{
    int fds[2] = { socket_fd, ring_fd };
    struct wire_role_link *m = wire_add(to->control, WIRE_ROLE_LINK, 0);

    m->peer = peer->kind;
    m->instance = peer->instance;
    m->generation = number;
    m->ring = ring;
    channel_add_fds(to->control, fds, ring == LINK_NO_RING ? 1 : 2);
    channel_flush(to->control);
}

static void joint_free(struct joint *j)
{
    list_remove(&j->link);
    process_close(j->socket_fd);
    process_close(j->ring_fd);
    free(j);
}

/* The writer's end first; the reader's when the writer has sealed the ring. */
static bool join_with_ring(struct fleet *f, struct slot *writer, struct slot *reader,
                           const int pair[2], struct err *err)
{
    struct joint *j = NEW(struct joint);

    *j = (struct joint){
        .first = writer,
        .second = reader,
        .number = ++f->joint_number,
        .socket_fd = process_duplicate(pair[1]),
        .ring_fd = -1,
        .first_generation = writer->generation,
        .second_generation = reader->generation,
    };
    list_append(&f->joints, &j->link);
    if (!ring_make(RING_BYTES, &j->ring_fd, err)) {
        joint_free(j);
        return false;
    }
    send_link(writer, reader, j->number, LINK_RING_OUT, pair[0], j->ring_fd);
    return true;
}

static bool join(struct fleet *f, const struct role_pair *pair, struct slot *a, struct slot *b,
                 struct err *err)
{
    int fds[2];
    bool ok = true;

    if (!process_socketpair(fds, err))
        return false;
    if (pair->ring_a_to_b) {
        ok = join_with_ring(f, a, b, fds, err);
    } else {
        uint32_t number = ++f->joint_number;
        send_link(a, b, number, LINK_NO_RING, fds[0], -1);
        send_link(b, a, number, LINK_NO_RING, fds[1], -1);
    }
    process_close(fds[0]);
    process_close(fds[1]);
    return ok;
}

/* web's own way to super, beside the control channel. */
static bool join_super(struct fleet *f, struct slot *web, struct err *err)
{
    const struct slot super = { .kind = ROLE_SUPER };
    struct channel *own;
    int fds[2];

    if (!process_socketpair(fds, err))
        return false;
    send_link(web, &super, ++f->joint_number, LINK_NO_RING, fds[1], -1);
    process_close(fds[1]);
    if (!channel_new(fds[0], 60, NULL, NULL, &own, err))
        return false;
    admin_link(&f->admin, own);
    return true;
}

void joint_on_linked(struct fleet *f, struct slot *s, const struct wire_role_linked *m)
{
    LIST_EACH (&f->joints, struct joint, j, link) {
        if (j->first != s || j->number != m->generation)
            continue;
        if (j->second->control && j->second->generation == j->second_generation)
            send_link(j->second, j->first, j->number, LINK_RING_IN, j->socket_fd, j->ring_fd);
        joint_free(j);
        return;
    }
}

void joint_drop(struct fleet *f, const struct slot *s)
{
    LIST_EACH (&f->joints, struct joint, j, link)
        if (j->first == s || j->second == s)
            joint_free(j);
}

static void join_pair(struct fleet *f, const struct role_pair *pair, struct slot *fresh)
{
    enum role_kind other = pair->a == fresh->kind ? pair->b : pair->a;
    struct err err;

    if (other == ROLE_SUPER) {
        if (!join_super(f, fresh, &err))
            log_err(LOG_ALERT, "link-not-made", &err);
        return;
    }
    for (unsigned i = 0; i < ROLE_INSTANCES_MAX; i++) {
        struct slot *s = fleet_slot(f, other, i);
        if (!s->fleet || !s->ready || !s->control)
            continue;
        if (!join(f, pair, pair->a == fresh->kind ? fresh : s, pair->a == fresh->kind ? s : fresh,
                  &err))
            log_err(LOG_ALERT, "link-not-made", &err);
    }
}

void joint_make_all(struct fleet *f, struct slot *fresh)
{
    for (size_t p = 0; p < role_pair_count; p++)
        if (role_pairs[p].a == fresh->kind || role_pairs[p].b == fresh->kind)
            join_pair(f, &role_pairs[p], fresh);
}
