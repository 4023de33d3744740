// SPDX-License-Identifier: Apache-2.0
/* io/socket.c - the socket under a stream: connecting, moving bytes, and knowing when it can be
 * tried again.
 *
 * Sockets are watched edge-triggered, once, for both directions: what an event told is kept in
 * can_read and can_write until the kernel says EAGAIN, so that waiting costs no system call. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/sockaddr.h"
#include "io/stream_real.h"

#define WRITE_TIMEOUT_MS (300 * 1000)

static void socket_event(void *arg, uint32_t events)
{
    struct stream *s = arg;

    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        s->hung_up = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        s->can_read = true;
        gate_wake_all(&s->readers);
    }
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
        s->can_write = true;
        gate_wake_all(&s->writers);
    }
}

static void socket_options(int fd)
{
    int on = 1;

    /* Fails on UNIX sockets, which have nothing to delay. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void learn_endpoints(struct stream *s)
{
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof a;

    if (getsockname(s->watch.fd, (struct sockaddr *)&a, &len) == 0)
        s->local = sockaddr_endpoint(&a);
    a = (struct sockaddr_storage){ 0 };
    len = sizeof a;
    if (getpeername(s->watch.fd, (struct sockaddr *)&a, &len) == 0)
        s->peer = sockaddr_endpoint(&a);
}

bool socket_stream_new(int fd, struct stream **ret, struct err *err)
{
    struct stream *s = NEW(struct stream);

    gate_init(&s->readers);
    gate_init(&s->writers);
    s->can_read = s->can_write = true; /* the first attempt finds out */
    s->write_timeout_ms = WRITE_TIMEOUT_MS;
    if (!watch_add(&s->watch, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, socket_event, s,
                   err)) {
        free(s);
        close(fd);
        return false;
    }
    socket_options(fd);
    learn_endpoints(s);
    *ret = s;
    return true;
}

ssize_t socket_recv(struct stream *s, void *to, size_t room)
{
    ssize_t got;

    do
        got = recv(s->watch.fd, to, room, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        s->at_end = true;
    /* Less than there was room for means that it is empty, unless it has ended: that was told once.
     */
    if (got < 0 ? errno == EAGAIN : (size_t)got < room && !s->hung_up)
        s->can_read = false;
    return got;
}

ssize_t socket_send(struct stream *s, const void *from, size_t len)
{
    ssize_t sent;

    do
        sent = send(s->watch.fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 ? errno == EAGAIN : (size_t)sent < len)
        s->can_write = false;
    return sent;
}

enum flow socket_pull(struct stream *s, char *to, size_t room, size_t *ret_got, struct err *err)
{
    ssize_t got;

    if (!s->can_read)
        return FLOW_WANT_READ;
    got = socket_recv(s, to, room);
    if (got > 0) {
        *ret_got = (size_t)got;
        return FLOW_MOVED;
    }
    if (got < 0 && errno == EAGAIN)
        return FLOW_WANT_READ;
    if (got < 0)
        err_sys(err, "read");
    else
        err_set(err, ERR_CLOSED, "closed by the peer");
    return FLOW_OVER;
}

enum flow socket_push(struct stream *s, struct str bytes, size_t *ret_sent, struct err *err)
{
    ssize_t sent;

    if (!s->can_write)
        return FLOW_WANT_WRITE;
    sent = socket_send(s, bytes.ptr, bytes.len);
    if (sent >= 0) {
        *ret_sent = (size_t)sent;
        return FLOW_MOVED;
    }
    if (errno == EAGAIN)
        return FLOW_WANT_WRITE;
    err_sys(err, "write");
    return FLOW_OVER;
}

bool socket_await(struct stream *s, enum flow want, int64_t deadline_ms, struct err *err)
{
    const bool *can = want == FLOW_WANT_READ ? &s->can_read : &s->can_write;
    struct gate *gate = want == FLOW_WANT_READ ? &s->readers : &s->writers;

    assert(want == FLOW_WANT_READ || want == FLOW_WANT_WRITE);
    while (!*can)
        if (!gate_wait(gate, deadline_ms, err))
            return false;
    return true;
}

/* Connecting ----------------------------------------------------------------------------------- */

static bool bind_source(int fd, const struct ip *source, struct err *err)
{
    struct endpoint from = { .ip = *source };
    struct sockaddr_storage a;
    socklen_t len = sockaddr_make(&from, &a);
    int on = 1;
    char text[IP_TEXT_MAX];

    /* The port is chosen at connect(), where it need not be unique among all destinations. */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, len) != 0)
        return err_sys(err, "source address %s", ip_format(source, text));
    return true;
}

static bool connect_begin(const struct endpoint *to, const struct ip *source, int *ret_fd,
                          struct err *err)
{
    struct sockaddr_storage a;
    socklen_t len = sockaddr_make(to, &a);
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_sys(err, "socket");
    if (source != NULL && source->family != 0 && !bind_source(fd, source, err)) {
        close(fd);
        return false;
    }
    if (connect(fd, (struct sockaddr *)&a, len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        err_sys(err, "connect");
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

static bool connect_end(struct stream *s, int64_t deadline_ms, struct err *err)
{
    int failed = 0;
    socklen_t len = sizeof failed;

    s->can_read = s->can_write = false;
    if (!socket_await(s, FLOW_WANT_WRITE, deadline_ms, err))
        return err_at(err, "connect");
    if (getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0)
        return err_sys(err, "connect");
    if (failed != 0) {
        errno = failed;
        return err_sys(err, "connect");
    }
    learn_endpoints(s);
    return true;
}

bool stream_connect(const struct endpoint *to, const struct ip *source, int64_t deadline_ms,
                    struct stream **ret, struct err *err)
{
    struct stream *s;
    int fd;

    if (!connect_begin(to, source, &fd, err) || !socket_stream_new(fd, &s, err))
        return false;
    if (!connect_end(s, deadline_ms, err)) {
        stream_free(s);
        return false;
    }
    *ret = s;
    return true;
}

bool stream_connect_unix(const char *path, int64_t deadline_ms, struct stream **ret,
                         struct err *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct stream *s;
    int fd;

    if (strlen(path) >= sizeof a.sun_path)
        return err_set(err, ERR_LIMIT, "%s: a path of more than %zu bytes", path,
                       sizeof a.sun_path - 1);
    memcpy(a.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(err, "socket");
    /* Done at once or refused: a full backlog is EAGAIN, which is no reason to wait here. */
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS) {
        err_sys(err, "connect to %s", path);
        close(fd);
        return false;
    }
    if (!socket_stream_new(fd, &s, err))
        return false;
    if (!connect_end(s, deadline_ms, err)) {
        stream_free(s);
        return false;
    }
    *ret = s;
    return true;
}
