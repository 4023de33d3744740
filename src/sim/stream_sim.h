// SPDX-License-Identifier: Apache-2.0
/* sim/stream_sim.h - what a simulated stream is made of: shared by stream.c (bytes) and net.c (who
 * is connected with whom). */
#pragma once

#include "io/loop.h"
#include "io/stream.h"
#include "io/window.h"

enum parcel_kind {
    PARCEL_BYTES,
    PARCEL_HELLO, /* one side of a TLS handshake */
    PARCEL_END,   /* no more comes */
};

/* Octets that travel together. */
struct parcel {
    struct list link;
    int64_t at_ms;
    enum parcel_kind kind;
    size_t start, len;
    char bytes[];
};

struct stream {
    struct stream *peer; /* NULL: it is gone */
    struct list on_way;  /* struct parcel, in order */
    size_t on_way_bytes;
    int64_t last_at_ms; /* of the last parcel: none overtakes */
    struct timer arrive;
    struct gate readers, writers;
    struct window in, out;
    enum err_kind end_kind; /* why reading is over; ERR_NONE while it is not */
    bool was_reset;
    uint64_t left_bytes; /* until chance resets the connection */
    int64_t write_timeout_ms;
    struct endpoint peer_at, local_at;
    bool tls;
    struct tls_facts facts;
};

/* stream.c: one end that is joined with nobody. */
struct stream *stream_alone(const struct endpoint *local, const struct endpoint *peer);
/* Both ends learn of it at once; what was on its way is lost. */
void stream_reset(struct stream *s);
