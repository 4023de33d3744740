// SPDX-License-Identifier: Apache-2.0
/* guard/identity.h - may this account send in these names? One pure answer about one message: the
 * envelope's sender and the header section as it will be sent (R45, faults T01, T10, Y03).
 *
 * Every domain in MAIL FROM, From and Sender must be granted to the account, in all combinations; a
 * DKIM-Signature in it must not name a domain that another account has proved; fields that may
 * stand once stand once. What the account's policy allows beyond that (null sender, forwarding with
 * SRS, rewriting From) is said in the answer; doing it is the caller's. */
#pragma once

#include "guard/codes.h"
#include "guard/directory.h"
#include "mail/address.h"

struct identity_ask {
    const struct directory *directory;
    const struct dir_account *account;
    const struct dir_stream *stream; /* NULL: none chosen */
    struct str reverse_path;         /* local@domain; empty: null */
    struct str section;              /* as it will be sent */
};

struct identity {
    enum policy_code code;           /* CODE_NONE: all of it may be */
    struct str arg;                  /* the name that it is about; borrowed or in the arena */
    struct address from;             /* the first mailbox of From; empty local: there is none */
    struct dir_domain *from_grant;   /* NULL: From is not the account's */
    struct dir_domain *sender_grant; /* of MAIL FROM; NULL: null or not the account's */
    bool forwards; /* a stranger's mail that the account may pass on: MAIL FROM becomes SRS, From
                      stays, and it is not signed in From's name */
    bool rewrites; /* From is to become account->rewrite_from, with Reply-To (R115) */
    bool may_sign; /* exactly one From, which is granted: d= can be its domain */
};

/* Never fails: what is wrong is in ret->code, the first by the order of the table. A duplicated
 * From or Sender is told whatever else is wrong: no such message may be signed. */
void identity_judge(const struct identity_ask *ask, struct arena *a, struct identity *ret);

/* Fields that may stand once (RFC 5322 §3.6, RFC 2045): the name of the first that is there more
 * often, or empty. */
struct str identity_duplicate(struct str section);
