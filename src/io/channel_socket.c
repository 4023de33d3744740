// SPDX-License-Identifier: Apache-2.0
/* io/channel_socket.c - a channel's packets over a SOCK_SEQPACKET socket to another process. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/channel_carrier.h"
#include "io/watch.h"

/* One peer's flood leaves room for the others of the same turn. */
#define PACKETS_A_TURN 32

struct socket_carrier {
    struct watch watch;
    struct channel *channel;
    bool awaits_room;
};

union control {
    char bytes[CMSG_SPACE(sizeof(int) * PACKET_FDS_MAX)];
    struct cmsghdr align;
};

/* Sending -------------------------------------------------------------------------------------- */

static void control_fill(union control *control, struct msghdr *m, const struct packet *p)
{
    struct cmsghdr *head;

    *control = (union control){ .bytes = { 0 } };
    m->msg_control = control;
    m->msg_controllen = CMSG_SPACE(sizeof(int) * p->fd_count);
    head = CMSG_FIRSTHDR(m);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int) * p->fd_count);
    memcpy(CMSG_DATA(head), p->fds, sizeof(int) * p->fd_count);
}

static bool await_room(struct socket_carrier *sc)
{
    sc->awaits_room = true;
    /* MOD of what is watched fails only for lack of memory: the packet then counts as dropped and
     * the peer's end is found when reading. */
    return !watch_change(&sc->watch, EPOLLIN | EPOLLOUT, NULL);
}

static bool socket_carrier_send(void *carrier, const struct packet *p)
{
    struct socket_carrier *sc = carrier;
    struct iovec iov = { .iov_base = (void *)(uintptr_t)p->bytes.ptr, .iov_len = p->bytes.len };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
    union control control;
    ssize_t sent;

    if (p->fd_count > 0)
        control_fill(&control, &m, p);
    do
        sent = sendmsg(sc->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
        return await_room(sc);
    assert(sent < 0 || (size_t)sent == p->bytes.len);
    /* Another error is the peer's end. What it said last is still to be read, so reading tells. */
    for (size_t i = 0; i < p->fd_count; i++)
        close(p->fds[i]);
    return true;
}

/* Receiving ------------------------------------------------------------------------------------ */

static size_t control_read(struct msghdr *m, int fds[PACKET_FDS_MAX])
{
    size_t count = 0;

    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        assert(count <= PACKET_FDS_MAX);
        memcpy(fds, CMSG_DATA(h), count * sizeof(int));
    }
    return count;
}

/* Next packet into *ret; 1, 0 when none is there now, -1 with err at the end. */
static int packet_receive(int fd, struct packet *ret, int fds[PACKET_FDS_MAX], struct err *err)
{
    /* Handlers do not wait, so one packet is handled at a time. */
    static _Alignas(8) char bytes[PACKET_BYTES_MAX];
    union control control;
    struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t got;

    do /* ECONNRESET is told once, before the peer's last words */
        got = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got < 0) {
        err_sys(err, "channel");
        return -1;
    }
    if (got == 0) {
        err_set(err, ERR_CLOSED, "the other role is gone");
        return -1;
    }
    *ret = (struct packet){ { bytes, (size_t)got }, fds, control_read(&m, fds) };
    if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
        return 1;
    for (size_t i = 0; i < ret->fd_count; i++)
        close(fds[i]);
    err_set(err, ERR_SYNTAX, "a packet that is too long");
    return -1;
}

static void socket_carrier_read(struct socket_carrier *sc)
{
    for (int i = 0; i < PACKETS_A_TURN; i++) {
        int fds[PACKET_FDS_MAX];
        struct packet p;
        struct err err;
        int got = packet_receive(sc->watch.fd, &p, fds, &err);

        if (got < 0)
            channel_carrier_lost(sc->channel, &err);
        if (got <= 0 || !channel_carrier_packet(sc->channel, &p))
            return;
    }
}

static void socket_carrier_event(void *arg, uint32_t events)
{
    struct socket_carrier *sc = arg;

    if (sc->awaits_room && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
        sc->awaits_room = false;
        (void)!watch_change(&sc->watch, EPOLLIN, NULL);
        channel_carrier_ready(sc->channel);
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        socket_carrier_read(sc);
}

/* Life ----------------------------------------------------------------------------------------- */

static void socket_carrier_free(void *carrier)
{
    struct socket_carrier *sc = carrier;

    watch_remove(&sc->watch);
    close(sc->watch.fd);
    free(sc);
}

static const struct channel_carrier socket_carrier_ops = { socket_carrier_send,
                                                           socket_carrier_free };

bool channel_new(int fd, int order, const struct channel_events *ev, void *owner,
                 struct channel **ret, struct err *err)
{
    struct socket_carrier *sc = NEW(struct socket_carrier);

    if (!watch_add(&sc->watch, fd, EPOLLIN, socket_carrier_event, sc, err)) {
        free(sc);
        return false;
    }
    sc->channel = channel_on(&socket_carrier_ops, sc, order);
    channel_set_owner(sc->channel, ev, owner);
    *ret = sc->channel;
    return true;
}
