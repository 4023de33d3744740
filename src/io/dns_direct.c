// SPDX-License-Identifier: Apache-2.0
/* io/dns_direct.c - the sockets of a question to one server.
 *
 * Each try has a socket of its own, connected, so that the kernel drops what comes from another
 * address or port and chooses a random port of ours, and an id of its own: whoever is not on the
 * way has 2^16 ids times the ports to guess within one try (fault S05). */
#include "io/dns_direct.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/dns_message.h"
#include "io/loop.h"
#include "io/sockaddr.h"
#include "io/stream.h"
#include "io/watch.h"

#define TRIES 3
#define TRY_MS_FIRST 1500 /* then twice that, then four times */
#define STRAYS_MAX 64     /* datagrams that answer something else, until a try is given up */

/* One UDP try. */
struct exchange {
    struct watch watch;
    struct gate gate;
    bool readable;
};

static void exchange_ready(void *arg, uint32_t events)
{
    struct exchange *x = arg;

    (void)events;
    x->readable = true;
    gate_wake_all(&x->gate);
}

/* The address cannot be reached from here at all: no route, or no address of that family. */
static bool is_unreachable(int error)
{
    return error == ENETUNREACH || error == EHOSTUNREACH || error == EAFNOSUPPORT ||
           error == EADDRNOTAVAIL;
}

/* A connected socket, or -1 with errno. */
static int socket_connected(const struct endpoint *server)
{
    struct sockaddr_storage a;
    socklen_t len = sockaddr_make(server, &a);
    int fd = socket(a.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, len) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void answer_end(struct dns_direct_answer *ret, enum dns_direct_end end, struct str why)
{
    *ret = (struct dns_direct_answer){ .end = end, .why = why };
}

/* From a packet that answers the question. */
static void answer_of(const struct dns_message *m, struct dns_direct_answer *ret)
{
    if (m->answer.status == DNS_TEMP)
        answer_end(ret, DNS_DIRECT_FAILED, m->answer.why);
    else if (!m->authoritative)
        answer_end(ret, DNS_DIRECT_FAILED, STR("it is no authority for the name"));
    else
        *ret = (struct dns_direct_answer){ .answer = m->answer, .alias = m->alias };
}

/* What comes after a try. */
enum next {
    NEXT_END,   /* *ret is the answer */
    NEXT_AGAIN, /* none came; *ret says so, should nothing follow */
    NEXT_PLAIN, /* again, without EDNS; *ret as before */
    NEXT_TCP,   /* it did not fit */
};

static enum next packet_read(struct str packet, const struct dns_question *q, struct arena *a,
                             struct dns_direct_answer *ret)
{
    struct dns_message m;
    struct err err = { 0 };

    if (!dns_message_read(packet, q, a, &m, &err)) {
        answer_end(ret, DNS_DIRECT_FAILED, arena_strf(a, "malformed answer: %s", err.text));
        return NEXT_END;
    }
    if (m.truncated)
        return NEXT_TCP;
    answer_of(&m, ret);
    return m.plain_wanted && !q->plain ? NEXT_PLAIN : NEXT_END;
}

/* UDP
 * ------------------------------------------------------------------------------------------------
 */

/* Datagrams until one answers; false with errno when there is none yet, or the socket says that
 * nobody is there. */
static bool receive(int fd, const struct dns_question *q, char *room, unsigned *strays,
                    struct str *ret)
{
    for (;;) {
        ssize_t got = recv(fd, room, DNS_UDP_BYTES_MAX, MSG_DONTWAIT | MSG_TRUNC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        /* Longer than we asked for is cut off, and so no answer. */
        *ret = str_make(room, (size_t)got);
        if (got <= DNS_UDP_BYTES_MAX && dns_message_answers(*ret, q))
            return true;
        if (++*strays >= STRAYS_MAX) {
            errno = EBADMSG;
            return false;
        }
    }
}

/* True: an answer, or none before `until_ms` (then *ret is empty), or a reason in *ret_error.
 * Waits.
 */
static bool await_packet(struct exchange *x, const struct dns_question *q, int64_t until_ms,
                         char *room, struct str *ret, int *ret_error, struct err *err)
{
    unsigned strays = 0;
    struct err why;

    *ret = STR_NONE;
    *ret_error = 0;
    for (;;) {
        x->readable = false;
        if (receive(x->watch.fd, q, room, &strays, ret))
            return true;
        *ret = STR_NONE;
        *ret_error = errno == EAGAIN ? 0 : errno;
        if (*ret_error != 0)
            return true;
        while (!x->readable)
            if (!gate_wait(&x->gate, until_ms, &why)) {
                if (why.kind != ERR_TIMEOUT && err)
                    *err = why;
                return why.kind == ERR_TIMEOUT;
            }
    }
}

/* Sends and hears. As await_packet(). Waits. */
static bool exchange_packets(int fd, const struct dns_question *q, int64_t until_ms, char *room,
                             struct str *ret, int *ret_error, struct err *err)
{
    struct exchange x = { 0 };
    struct buf packet;
    bool ok;

    gate_init(&x.gate);
    buf_init(&packet, DNS_QUESTION_BYTES_MAX);
    (void)dns_question_write(&packet, q);
    ssize_t sent = send(fd, packet.ptr, packet.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    *ret_error = sent < 0 ? errno : 0;
    *ret = STR_NONE;
    buf_done(&packet);
    if (*ret_error != 0)
        return true;
    if (!watch_add(&x.watch, fd, EPOLLIN, exchange_ready, &x, NULL)) {
        *ret_error = ENOMEM;
        return true;
    }
    ok = await_packet(&x, q, until_ms, room, ret, ret_error, err);
    watch_remove(&x.watch);
    return ok;
}

/* No packet came: `error` says why, or 0. */
static void silence(int error, struct arena *a, struct dns_direct_answer *ret)
{
    if (error == 0)
        answer_end(ret, DNS_DIRECT_SILENT, STR("no answer"));
    else if (error == EBADMSG)
        answer_end(ret, DNS_DIRECT_FAILED, STR("it is drowned in answers to other questions"));
    else
        answer_end(ret, DNS_DIRECT_FAILED, arena_strf(a, "%s", strerror(error)));
}

/* One try. Waits. */
static bool try_udp(const struct dns_direct_question *d, bool plain, int64_t until_ms,
                    struct arena *a, struct dns_direct_answer *ret, enum next *ret_next,
                    struct err *err)
{
    const struct dns_question q = { (uint16_t)random_below(65536), d->type, d->name, plain };
    char room[DNS_UDP_BYTES_MAX];
    struct str packet;
    int error;

    int fd = socket_connected(&d->server);
    if (fd < 0) {
        int why = errno;
        answer_end(ret, is_unreachable(why) ? DNS_DIRECT_UNREACHABLE : DNS_DIRECT_FAILED,
                   arena_strf(a, "%s", strerror(why)));
        *ret_next = NEXT_END;
        return true;
    }
    bool ok = exchange_packets(fd, &q, until_ms, room, &packet, &error, err);
    close(fd);
    if (!ok)
        return false;
    *ret_next = NEXT_AGAIN;
    if (packet.len > 0)
        *ret_next = packet_read(packet, &q, a, ret);
    else
        silence(error, a, ret);
    return true;
}

/* TCP
 * ------------------------------------------------------------------------------------------------
 */

/* So many bytes at the front of the window. Waits. */
static bool fill_to(struct stream *s, size_t want, int64_t deadline_ms, struct err *err)
{
    while (stream_window(s).len < want)
        if (!stream_fill(s, deadline_ms, err))
            return false;
    return true;
}

static bool ask_over(struct stream *s, const struct dns_question *q, int64_t deadline_ms,
                     struct arena *a, struct dns_direct_answer *ret, struct err *err)
{
    struct buf packet;

    buf_init(&packet, 2 + DNS_QUESTION_BYTES_MAX);
    (void)buf_add(&packet, STR("\0\0")); /* its length (RFC 1035 §4.2.2) */
    (void)dns_question_write(&packet, q);
    packet.ptr[0] = (char)((packet.len - 2) >> 8);
    packet.ptr[1] = (char)(packet.len - 2);
    stream_set_write_timeout(s, deadline_ms - loop_now_ms());
    bool ok = stream_put(s, buf_str(&packet), err) && stream_flush(s, err) &&
              fill_to(s, 2, deadline_ms, err);
    buf_done(&packet);
    if (!ok)
        return false;

    const uint8_t *length = (const uint8_t *)stream_window(s).ptr;
    size_t len = (size_t)length[0] << 8 | length[1];
    stream_take(s, 2);
    if (!fill_to(s, len, deadline_ms, err))
        return false;
    struct str answer = str_sub(stream_window(s), 0, len);
    if (!dns_message_answers(answer, q)) {
        answer_end(ret, DNS_DIRECT_FAILED, STR("it answered another question over TCP"));
        return true;
    }
    if (packet_read(answer, q, a, ret) == NEXT_TCP)
        answer_end(ret, DNS_DIRECT_FAILED, STR("a truncated answer over TCP"));
    return true;
}

/* Waits. */
static bool ask_tcp(const struct dns_direct_question *d, bool plain, struct arena *a,
                    struct dns_direct_answer *ret, struct err *err)
{
    const struct dns_question q = { (uint16_t)random_below(65536), d->type, d->name, plain };
    struct stream *s = NULL;
    struct err why = { 0 };

    bool ok = stream_connect(&d->server, NULL, d->deadline_ms, &s, &why) &&
              ask_over(s, &q, d->deadline_ms, a, ret, &why);
    stream_free(s);
    if (ok)
        return true;
    if (why.kind == ERR_CANCELLED) {
        if (err)
            *err = why;
        return false;
    }
    answer_end(ret, why.kind == ERR_TIMEOUT ? DNS_DIRECT_SILENT : DNS_DIRECT_FAILED,
               arena_strf(a, "over TCP: %s", why.text));
    return true;
}

bool dns_direct_ask(const struct dns_direct_question *q, struct arena *a,
                    struct dns_direct_answer *ret, struct err *err)
{
    int64_t wait_ms = TRY_MS_FIRST;
    enum next next = NEXT_AGAIN;
    bool plain = false;

    if (!dns_name_ok(q->name)) {
        *ret = (struct dns_direct_answer){ .answer = { .status = DNS_NO_NAME } };
        return true;
    }
    answer_end(ret, DNS_DIRECT_SILENT, STR("no time was left to ask it"));
    for (unsigned i = 0; i < (q->once ? 1 : TRIES) && loop_now_ms() < q->deadline_ms;
         i++, wait_ms *= 2) {
        int64_t until_ms = loop_now_ms() + wait_ms;
        if (until_ms > q->deadline_ms)
            until_ms = q->deadline_ms;
        if (!try_udp(q, plain, until_ms, a, ret, &next, err))
            return err_at(err, "DNS");
        plain |= next == NEXT_PLAIN;
        if (next == NEXT_END || next == NEXT_TCP)
            break;
    }
    return next == NEXT_TCP ? ask_tcp(q, plain, a, ret, err) : true;
}
