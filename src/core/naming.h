// SPDX-License-Identifier: Apache-2.0
/* core/naming.h - whose a message is and in whose name it goes: guard's rules applied to a
 * transaction at its end, and what they ask for done to its envelope and its header edits. */
#pragma once

#include "core/core.h"
#include "guard/codes.h"
#include "mail/reply.h"

#define NAMING_NOTES_MAX 10

struct naming {
    struct core *core;
    struct arena *arena; /* of the transaction */
    const struct core_session *session;
    struct envelope *envelope; /* whole but for the spool's part; edits in the arena */
    struct str section;        /* the header section as received */
    bool is_all;               /* nothing follows it */

    /* found */
    struct dir_account *account; /* NULL: nobody's mail, for a domain that we receive for */
    struct dir_stream *stream;   /* NULL: none */
    struct str warning;          /* for the 250, or empty */
    struct naming_note {         /* what is counted once the message is taken */
        enum policy_code code;
        struct str arg;
    } notes[NAMING_NOTES_MAX];
    size_t note_count;
};

/* Sets account, stream, sign_domain, the reverse-path and edits of the envelope. False: *ret is the
 * refusal, its text in the arena. */
MUST_USE bool naming_judge(struct naming *n, struct reply *ret);
/* It was taken: counts and logs what was let pass. */
void naming_taken(const struct naming *n, uint64_t id);

/* A recipient that is a sender rewritten by us: what it was made from (R101). False: it is not one,
 * and *ret is the refusal (fault A11). */
MUST_USE bool naming_return(struct core *c, const struct address *rcpt, struct arena *a,
                            struct str *ret_address, struct reply *ret);
