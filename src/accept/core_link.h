// SPDX-License-Identifier: Apache-2.0
/* accept/core_link.h - frames to and from core: a message goes out piece by piece, an answer comes
 * back. When core is gone everything here says so; nothing was promised yet (design.md §3). */
#pragma once

#include "accept/transaction.h"
#include "io/channel.h"
#include "io/ring.h"
#include "wire/role.h"

struct accept;

struct core_link {
    struct channel *channel; /* NULL: core is away */
    struct ring *ring;
    uint32_t generation;
    struct gate credit; /* woken when the ring has room again, or core is gone */
};

void core_link_init(struct core_link *l);
void core_link_set(struct accept *a, const struct role_link *link);
void core_link_done(struct core_link *l);

/* Core is there, and the same as when the session began. */
bool core_knows(const struct session *s);

/* Envelope, then pieces of content as they come, edits, end. False: core is gone, or has forgotten
 * the session with its restart, or has refused the message already (the answer is here); or we are
 * told to stop. Wait while core can't take more. */
MUST_USE bool core_tx_begin(struct session *s);
MUST_USE bool core_tx_chunk(struct session *s, struct str bytes);
MUST_USE bool core_tx_end(struct session *s, bool binary, bool eight_bit);
/* Core forgets it. */
void core_tx_abort(struct session *s);
void core_session_close(struct session *s);
