// SPDX-License-Identifier: Apache-2.0
/* core/queue.h - an operator's request while it is answered: queue.c does what is asked,
 * queue_row.c writes the answer.
 */
#pragma once

#include "core/core.h"

struct request {
    struct core *core;
    struct peer *web;
    uint32_t generation;
    struct arena arena;
    uint64_t number, id;
    uint32_t verb, flags, limit;
    char *texts; /* holds these: */
    struct str actor, account, from, to, site, state, reason;
    struct buf row;
};

/* observed.c: the answer to ADMIN_OBSERVED_LIST, of one account or all. */
void observed_list(struct request *q);

/* usage.c: the answer to ADMIN_USAGE_LIST, of one account or page by page of all. */
void usage_list(struct request *q);

/* The word for a recipient's state in rows and filters. */
const char *queue_state_name(enum item_state state);

/* Rows of the answer: one recipient; why it waits; one message. Nothing is sent once the asker is
 * gone. */
void queue_row_rcpt(struct request *q, struct spool_message *m, const struct envelope *e,
                    uint32_t r);
void queue_row_why(struct request *q, struct spool_message *m, const struct envelope *e,
                   uint32_t r);
void queue_row_envelope(struct request *q, struct spool_message *m, const struct envelope *e);
void queue_row_done(struct request *q, struct spool_message *m, const struct envelope *e,
                    uint32_t r);
struct observed_row {
    struct str account, code;
    struct str name, text; /* the last one that it was about; what was wrong with it */
    uint64_t count, last_id;
    int64_t since_ms, last_ms;
};
void queue_row_observed(struct request *q, const struct observed_row *o);
struct usage_row {
    struct str account, stream; /* stream empty: the account's own */
    const char *window, *measure;
    uint64_t used, limit; /* limit 0: none */
    int64_t ends_ms;
};
void queue_row_usage(struct request *q, const struct usage_row *u);
void queue_row_site(struct request *q, const struct site_facts *f);
/* The end of the answer: an HTTP status, where a list goes on, words. */
__attribute__((format(printf, 4, 5))) void queue_end(struct request *q, uint16_t status,
                                                     uint64_t next, const char *fmt, ...);
