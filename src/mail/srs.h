// SPDX-License-Identifier: Apache-2.0
/* mail/srs.h - the Sender Rewriting Scheme: a forwarded message's return path becomes an address of
 * the forwarder's own domain, from which the first one can be had again, so that SPF holds and
 * bounces still find home (R101). Form as its authors published it in 2003:
 *
 *   ann@example.org            SRS0=HASH=TT=example.org=ann@forwarder
 *   SRS0=…@first               SRS1=HASH=first==…@forwarder     first's own rewriting is kept whole
 *
 * HASH is over all of it, the forwarder's domain included, under the relay's secret: an address
 * whose hash fits is one that we made. TT, and with SRS1 the hash alone, knows the day: an address
 * takes bounces back for 21 days (fault A11). Pure. */
#pragma once

#include "mail/address.h"

#define SRS_SECRET_BYTES 32
#define SRS_DAYS_MAX 21

/* Whether a local part begins as rewritten ones do. */
bool srs_is_local(struct str local);
/* Appends local@domain for the sender (not null). ERR_LIMIT: that would be longer than a path may
 * be. */
MUST_USE bool srs_forward(struct buf *to, const struct address *sender, struct str domain,
                          const uint8_t secret[SRS_SECRET_BYTES], int64_t wall_ms, struct err *err);
/* Appends the address that `rewritten` was made from. ERR_SYNTAX: not of the form; ERR_DENIED: not
 * made with this secret for this domain, or too old. */
MUST_USE bool srs_reverse(struct buf *to, const struct address *rewritten,
                          const uint8_t secret[SRS_SECRET_BYTES], int64_t wall_ms, struct err *err);
