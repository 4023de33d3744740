// SPDX-License-Identifier: Apache-2.0
/* accept/content.h - the octets of a message between the client and core: gathered, looked at,
 * handed on chunk by chunk; and the header edits that go with them. DATA and BDAT share it. */
#pragma once

#include "accept/session.h"

/* At the first octet of content. */
void content_begin(struct session *s);
/* At the start of DATA or of each BDAT chunk: the client's speed is measured from here. */
void content_pace(struct session *s);
/* Reads more from the client, at the speed that we ask for. False: lost or sent away. Waits. */
MUST_USE bool content_fill(struct session *s);
/* Looks at what was gathered and hands full chunks to core; a refusal is remembered, and from then
 * on what comes is thrown away. Waits while core can't take more. */
void content_move(struct session *s);
/* Content is whole: the rest goes to core, its answer to the client; the transaction is over.
 * Waits. */
void content_finish(struct session *s);
/* Remembers the first reason why this message can't be taken. */
void content_refuse(struct session *s, enum reply_id id);

/* Pure, for content_move: the length of the header section at the front of `bytes`, its empty line
 * included; *ret_bare: none follows, the body begins at once. False: it does not end among them,
 * and more may come. */
MUST_USE bool content_header_end(struct str bytes, bool whole, size_t *ret_len, bool *ret_bare);
