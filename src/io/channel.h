// SPDX-License-Identifier: Apache-2.0
/* io/channel.h - one end of a link between two roles: typed frames in batches (design.md §3).
 *
 * A frame is a fixed struct, possibly with short strings behind it, that begins with struct frame.
 * Frames pile up during a turn and leave in one packet (SOCK_SEQPACKET, at most 32 KiB) at its end.
 * The receiver copies the packet, checks that its frames fill it exactly, and hands each over; what
 * a frame means is for wire/ to check. A frame that does not parse ends the channel: the other end
 * is broken or hostile. Inside one process a pair is joined directly; the simulator delays and
 * cuts.
 *
 * Back-pressure: what the peer does not take waits here; a sender that serves outsiders looks at
 * channel_full() and stops reading what makes it send. */
#pragma once

#include "base/err.h"
#include "io/fiber.h"

#define FRAME_BYTES_MAX 4096
#define PACKET_BYTES_MAX (32 * 1024)
#define CHANNEL_FULL_BYTES (1024 * 1024)

struct frame {
    uint16_t len; /* of the whole frame; a multiple of 8 */
    uint8_t type;
    uint8_t flags;  /* 0 */
    uint32_t spare; /* the writer's while it writes; 0 when it arrives */
};

struct channel;

struct channel_events {
    /* `f` lives until the function returns. Runs on the loop, must not wait. False with err ends
     * the channel. */
    bool (*frame)(void *owner, struct channel *c, const struct frame *f, struct err *err);
    /* Once, after the peer is gone or was cut off; free the channel here or later. */
    void (*closed)(void *owner, struct channel *c, const struct err *why);
};

/* Over a SOCK_SEQPACKET socket, which the channel then owns. `order` places its turn-end among the
 * others. */
MUST_USE bool channel_new(int fd, int order, const struct channel_events *ev, void *owner,
                          struct channel **ret, struct err *err);
/* Two joined ends inside this process; events are set by channel_set_owner() before the first
 * frame. */
void channel_pair(int order_a, struct channel **ret_a, int order_b, struct channel **ret_b);
void channel_set_owner(struct channel *c, const struct channel_events *ev, void *owner);
void *channel_owner(const struct channel *c);
/* Closes; the peer sees an end after what was flushed. */
void channel_free(struct channel *c);

/* A zeroed frame of `len` bytes (rounded up to 8, at most FRAME_BYTES_MAX) at the end of the pile,
 * head filled in; write into it before the next call. Never NULL; on a closed channel it is thrown
 * away. */
void *channel_add(struct channel *c, uint8_t type, size_t len);
/* Sends now instead of at the end of the turn. */
void channel_flush(struct channel *c);
size_t channel_queued(const struct channel *c);
bool channel_full(const struct channel *c);
/* Woken when a full channel has room again. */
struct gate *channel_room(struct channel *c);
bool channel_is_open(const struct channel *c);

/* Descriptors, which travel only from super: passed with the frame added last, at most 16. They are
 * duplicated: the caller keeps its own. The receiver owns what it takes. */
void channel_add_fds(struct channel *c, const int *fds, size_t count);
/* Of the packet being handled: the next descriptor that came with it, -1 when none. */
int channel_take_fd(struct channel *c);
