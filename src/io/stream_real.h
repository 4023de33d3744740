// SPDX-License-Identifier: Apache-2.0
/* io/stream_real.h - what a stream over a socket is made of: shared by stream.c, socket.c,
 * stream_tls.c and listener.c. */
#pragma once

#include <openssl/ssl.h>

#include "io/stream.h"
#include "io/watch.h"
#include "io/window.h"

struct stream {
    struct watch watch;
    struct gate readers, writers;
    /* What the socket would do now, as far as we were told: cleared when it says EAGAIN. */
    bool can_read, can_write;
    bool hung_up;           /* the peer ended its side: no further event will tell */
    bool at_end;            /* recv() returned 0 */
    bool broken;            /* TLS failed: no close_notify may be sent */
    enum err_kind end_kind; /* why reading is over; ERR_NONE while it is not */
    int end_sys;
    struct window in, out;
    int64_t write_timeout_ms;
    struct endpoint peer, local;
    SSL *ssl; /* NULL without TLS */
    struct tls_facts facts;
};

/* What became of an attempt to move bytes. */
enum flow {
    FLOW_MOVED,
    FLOW_WANT_READ,  /* try again when the socket can be read */
    FLOW_WANT_WRITE, /* … written */
    FLOW_OVER,       /* err says why: ERR_CLOSED, ERR_IO, ERR_TLS */
};

/* socket.c: over a connected socket, which the stream then owns. */
MUST_USE bool socket_stream_new(int fd, struct stream **ret, struct err *err);
enum flow socket_pull(struct stream *s, char *to, size_t room, size_t *ret_got, struct err *err);
enum flow socket_push(struct stream *s, struct str bytes, size_t *ret_sent, struct err *err);
/* recv() and send() that keep the flags above; -1 with errno. */
ssize_t socket_recv(struct stream *s, void *to, size_t room);
ssize_t socket_send(struct stream *s, const void *from, size_t len);
/* Until the socket can do what `want` says. Waits. */
MUST_USE bool socket_await(struct stream *s, enum flow want, int64_t deadline_ms, struct err *err);

/* stream_tls.c: the same two over TLS. */
enum flow tls_pull(struct stream *s, char *to, size_t room, size_t *ret_got, struct err *err);
enum flow tls_push(struct stream *s, struct str bytes, size_t *ret_sent, struct err *err);
/* close_notify if it can be sent at once; frees. */
void tls_end(struct stream *s);
