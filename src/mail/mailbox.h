// SPDX-License-Identifier: Apache-2.0
/* mail/mailbox.h - the addresses in From, Sender and their like (RFC 5322 §3.4, groups as in RFC
 * 6854), read so that no receiver can understand another address than the one that was read.
 *
 * Readers of mail differ in what they make of obsolete and broken forms, and that is how one name
 * is judged and another one shown. So this reader takes what is beyond doubt, display names and
 * comments included, and refuses the rest: routes, blanks and comments inside an address, comments
 * and quoted local parts that look like an address, encoded words where none may be or with
 * controls in them, empty places in a list. */
#pragma once

#include "mail/address.h"

#define MAILBOXES_MAX 100 /* in one field */

struct mailbox_reader {
    struct str rest;
    unsigned count;
    bool in_group;
    bool begun;
};
enum mailbox_read { MAILBOX_BAD, MAILBOX_ONE, MAILBOX_END };

/* `value`: what stands behind the field's colon, folds as they are. */
void mailbox_begin(struct mailbox_reader *r, struct str value);
/* MAILBOX_ONE: the next address, which borrows the value. MAILBOX_BAD: err says what is in doubt;
 * there is no going on. */
MUST_USE enum mailbox_read mailbox_next(struct mailbox_reader *r, struct address *ret,
                                        struct err *err);
