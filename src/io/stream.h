// SPDX-License-Identifier: Apache-2.0
/* io/stream.h - one connection as two flows of bytes: a window on what was read, and a pile of what
 * is to be written.
 *
 *     stream_fill() reads more into the window; stream_window() looks; stream_take() removes from
 * its front. stream_put() piles up; stream_flush() sends the pile. Nothing is sent behind the
 * caller's back, so the replies to pipelined commands leave together (RFC 2920).
 *
 * An idle stream keeps no buffers: they come from a pool when bytes do. TCP_NODELAY is always set.
 */
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "io/fiber.h"
#include "io/tls.h"

#define STREAM_WINDOW_MAX (64 * 1024)

struct stream;

/* Connects from `source` (family 0: the kernel chooses). ERR_IO, ERR_TIMEOUT, ERR_CANCELLED. Waits.
 */
MUST_USE bool stream_connect(const struct endpoint *to, const struct ip *source,
                             int64_t deadline_ms, struct stream **ret, struct err *err);
/* To a UNIX socket of this machine: an LMTP server. Waits. */
MUST_USE bool stream_connect_unix(const char *path, int64_t deadline_ms, struct stream **ret,
                                  struct err *err);
/* Closes at once, without a word; NULL is fine. A TLS stream sends close_notify if that needs no
 * waiting. */
void stream_free(struct stream *s);

/* Reads at least one more byte into the window. ERR_CLOSED at the end of the flow (over TLS only
 * after close_notify: a bare end is ERR_TLS, fault N07), ERR_LIMIT when the window is full,
 * ERR_TIMEOUT, ERR_IO, ERR_CANCELLED. Waits. */
MUST_USE bool stream_fill(struct stream *s, int64_t deadline_ms, struct err *err);
/* The same, at most `most` (> 0) bytes of them: what lies behind, a TLS greeting behind a PROXY
 * header, stays where the handshake finds it. Waits. */
MUST_USE bool stream_fill_some(struct stream *s, size_t most, int64_t deadline_ms, struct err *err);
/* What was read and not taken. Valid until the next call on this stream. */
struct str stream_window(const struct stream *s);
void stream_take(struct stream *s, size_t n);
/* True when bytes can be read right now without waiting (window or socket), or the flow has ended:
 * early talkers, lost idle connections. Does not wait. */
bool stream_readable(struct stream *s);

/* Adds to the pile; when it has grown past 64 KiB it is flushed first, with the deadline given at
 * the last stream_set_write_timeout(). False as stream_flush(). Waits only then. */
MUST_USE bool stream_put(struct stream *s, struct str bytes, struct err *err);
MUST_USE bool stream_flush(struct stream *s, struct err *err);
/* For every later flush; default 300 s (RFC 5321 §4.5.3.2). Counts from the last progress. */
void stream_set_write_timeout(struct stream *s, int64_t timeout_ms);

/* Handshake. Anything in the window is discarded first, and the fact told in *ret_discarded (RFC
 * 3207 §6, faults B03, B04); ret_discarded may be NULL. ERR_TLS, ERR_TIMEOUT, ERR_CLOSED. Waits. */
MUST_USE bool stream_start_tls_server(struct stream *s, struct tls_server *tls, int64_t deadline_ms,
                                      bool *ret_discarded, struct err *err);
/* `name` goes into SNI and is what TLS_VERIFY_NAME compares. */
MUST_USE bool stream_start_tls_client(struct stream *s, struct tls_client *tls, struct str name,
                                      int64_t deadline_ms, bool *ret_discarded, struct err *err);
/* NULL without TLS. */
const struct tls_facts *stream_tls(const struct stream *s);

struct endpoint stream_peer(const struct stream *s);
struct endpoint stream_local(const struct stream *s);

/* A listening socket that another process bound (super), by descriptor, or bound here. Each
 * connection becomes a stream and fn(arg, stream) is called on the loop (not on a fiber; it owns
 * the stream, typically spawns a fiber). A shortage of descriptors pauses accepting, it does not
 * spin (fault D09). */
struct listener;
MUST_USE bool listener_new(const struct endpoint *at, struct listener **ret, struct err *err);
MUST_USE bool listener_from_fd(int fd, struct listener **ret, struct err *err);
void listener_start(struct listener *l, void (*fn)(void *arg, struct stream *s), void *arg);
/* Stops taking connections; listener_start() goes on. Back-pressure and draining. */
void listener_pause(struct listener *l);
void listener_free(struct listener *l);
struct endpoint listener_local(const struct listener *l);
