// SPDX-License-Identifier: Apache-2.0
/* io/listener.c - a listening socket whose connections become streams.
 *
 * Watched level-triggered and exclusively, so that of several processes on one socket few wake for
 * one connection. What is not accepted now (BATCH_MAX) stays with the kernel until the next turn.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/loop.h"
#include "io/sockaddr.h"
#include "io/stream_real.h"

#define BATCH_MAX 64
#define BACKLOG 4096
/* After a shortage of descriptors or memory: long enough not to spin, short enough for a client. */
#define SHORTAGE_PAUSE_MS 100

struct listener {
    struct watch watch;
    bool watched;
    struct timer resume; /* set during a shortage */
    struct endpoint local;
    void (*fn)(void *arg, struct stream *s);
    void *arg;
    bool accepting; /* accept_all() is up the stack and frees us when fn did */
    bool freed;
};

static void accept_all(void *arg, uint32_t events);

static void listener_watch(struct listener *l)
{
    struct err err;

    if (l->watched)
        return;
    l->watched = watch_add(&l->watch, l->watch.fd, EPOLLIN | EPOLLEXCLUSIVE, accept_all, l, &err);
    if (!l->watched)
        timer_set(&l->resume, loop_now_ms() + SHORTAGE_PAUSE_MS);
}

static void listener_unwatch(struct listener *l)
{
    if (l->watched)
        watch_remove(&l->watch);
    l->watched = false;
}

static void shortage_over(void *arg)
{
    listener_watch(arg);
}

static void accept_failed(struct listener *l)
{
    switch (errno) {
    case EAGAIN: /* another process was faster */
    case EINTR:
    case ECONNABORTED: /* and the errors of the connection itself, see accept(2): */
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return;
    default: /* EMFILE, ENFILE, ENOBUFS, ENOMEM (fault D09) */
        listener_unwatch(l);
        timer_set(&l->resume, loop_now_ms() + SHORTAGE_PAUSE_MS);
    }
}

static void accept_all(void *arg, uint32_t events)
{
    struct listener *l = arg;

    (void)events;
    l->accepting = true;
    for (int i = 0; i < BATCH_MAX && !l->freed && l->watched; i++) {
        struct stream *s;
        int fd = accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            accept_failed(l);
            break;
        }
        if (socket_stream_new(fd, &s, NULL))
            l->fn(l->arg, s);
    }
    l->accepting = false;
    if (l->freed)
        free(l);
}

bool listener_from_fd(int fd, struct listener **ret, struct err *err)
{
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof a;
    int listens = 0;
    socklen_t listens_len = sizeof listens;
    struct listener *l;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) != 0)
        return err_sys(err, "listener");
    if (!listens)
        return err_set(err, ERR_CONFIG, "descriptor %d does not listen", fd);
    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        return err_sys(err, "listener");
    l = NEW(struct listener);
    l->watch.fd = fd;
    l->local = sockaddr_endpoint(&a);
    timer_init(&l->resume, shortage_over, l);
    *ret = l;
    return true;
}

bool listener_new(const struct endpoint *at, struct listener **ret, struct err *err)
{
    struct sockaddr_storage a;
    socklen_t len = sockaddr_make(at, &a);
    char text[ENDPOINT_TEXT_MAX];
    int on = 1;
    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_sys(err, "socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, BACKLOG) != 0) {
        err_sys(err, "listen on %s", endpoint_format(at, text));
        close(fd);
        return false;
    }
    if (listener_from_fd(fd, ret, err))
        return true;
    close(fd);
    return false;
}

void listener_start(struct listener *l, void (*fn)(void *arg, struct stream *s), void *arg)
{
    l->fn = fn;
    l->arg = arg;
    listener_watch(l);
}

void listener_pause(struct listener *l)
{
    timer_clear(&l->resume);
    listener_unwatch(l);
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    listener_pause(l);
    close(l->watch.fd);
    l->freed = true;
    if (!l->accepting)
        free(l);
}

struct endpoint listener_local(const struct listener *l)
{
    return l->local;
}
