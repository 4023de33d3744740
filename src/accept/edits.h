// SPDX-License-Identifier: Apache-2.0
/* accept/edits.h - what is added to and left out of a message that comes in, as header edits beside
 * the content as received. */
#pragma once

#include "accept/session.h"

/* Received for all; for an account's mail Date and Message-ID where they are missing (RFC 6409 §8),
 * Bcc left out; Return-Path left out (RFC 5321 §4.4). `bare`: the body follows without an empty
 * line. The list goes into the transaction. ERR_LIMIT: more than EDITS_MAX fields to leave out. */
MUST_USE bool edits_make(struct session *s, struct str section, bool bare,
                         const struct header_facts *facts, struct err *err);
