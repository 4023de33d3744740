// SPDX-License-Identifier: Apache-2.0
/* deliver/job.h - one batch on its way: a message, a site, some recipients. It gathers frames,
 * waits in its site's queue, is held by one connection, and ends with its results. */
#pragma once

#include "deliver/deliver.h"
#include "mail/address.h"
#include "mail/dkim.h"
#include "mail/header.h"
#include "mail/outcome.h"
#include "mail/xtext.h"

#define JOB_RCPTS_MAX 10000
/* Content asked for ahead of what was taken. */
#define JOB_WINDOW_BYTES (256u * 1024)

struct job_rcpt {
    uint32_t number; /* core's */
    struct address address;
    struct rcpt_params params;
    bool settled;
    struct outcome outcome; /* when settled */
    bool dsn_passed_on;     /* NOTIFY went with it to a server that speaks DSN (RFC 3461 §5.2.2) */
};

/* A signature that the message leaves with, or not at all. */
struct job_sign {
    uint64_t key;
    struct dkim_sign with; /* its strings in the job's arena */
    bool asked, answered;
    uint16_t code; /* 0: signature; else why there is none */
    struct str signature, text;
};
/* What core was last asked to sign: the message as it is, or in 7 bits. */
enum sign_form { SIGN_NONE, SIGN_AS_IS, SIGN_CONVERTED };
/* Of all signatures of a message; one names as many fields as its header has. */
#define SIGNATURES_BYTES_MAX (JOB_SIGNS_MAX * 64u * 1024)

struct job {
    struct list link; /* in its site's queue, or among the spare ones */
    struct deliver *role;
    struct site *site;
    uint64_t number, id /* of the message */;
    uint64_t size_bytes;
    uint32_t header_bytes;
    uint32_t route; /* index, UINT32_MAX: MX */
    unsigned connections;
    enum dsn_ret ret;
    bool smtputf8, eight_bit, binary;
    bool gone_off;  /* JOB_GO came */
    bool abandoned; /* core is gone or cancelled it: no result is due */
    struct str site_name, domain, envid;
    struct address reverse_path;
    struct job_rcpt *rcpts;
    size_t rcpt_count, rcpt_cap;
    struct header_edit edits[EDITS_MAX];
    size_t edit_count;
    struct job_sign signs[JOB_SIGNS_MAX];
    size_t sign_count;
    enum sign_form sign_form;
    struct buf sign_fields; /* of that form, not signed yet, one behind the other */
    size_t sign_ends[JOB_SIGNS_MAX];
    bool has_body_hash;
    uint8_t body_hash[DKIM_HASH_BYTES]; /* of the body as it was received, relaxed */
    struct arena arena;                 /* strings above */

    struct buf content;  /* arrived and not taken */
    uint64_t received;   /* offset behind what arrived */
    uint64_t upto;       /* what core was asked for */
    struct gate arrived; /* content, or an answer to a hash: sign.h */

    int64_t came_ms, begun_ms; /* begun: a connection was at hand */
    struct ip source;          /* of the last connection that served it, and the peer's port */
    uint16_t port;
    uint16_t session_code; /* for the result: struct wire_result */
    bool connection_failed;
};

/* Frames from core, checked by wire_check(). False: core contradicts itself, the channel ends. */
MUST_USE bool job_begin(struct deliver *d, const struct wire_job *f, struct err *err);
MUST_USE bool job_add_rcpt(struct deliver *d, const struct wire_job_rcpt *f, struct err *err);
MUST_USE bool job_add_edit(struct deliver *d, const struct wire_job_edit *f, struct err *err);
MUST_USE bool job_go(struct deliver *d, const struct wire_job_go *f, struct err *err);
MUST_USE bool job_content(struct deliver *d, const struct wire_job_content *f, struct err *err);
void job_cancel(struct deliver *d, const struct wire_job_cancel *f);

/* Waits until content up to `offset` has arrived (asking core for it), or any when offset is 0.
 * ERR_CLOSED when core is gone or has cancelled. */
MUST_USE bool job_await(struct job *j, uint64_t offset, struct err *err);
/* Moves all content that arrived into `to`, which is empty and gets the job's old memory for it. */
void job_take_content(struct job *j, struct buf *to);
bool job_is_whole(const struct job *j);

/* Core no longer waits for any result. */
void job_abandon_all(struct deliver *d);
/* Back to the spare ones; it is in no list. */
void job_free(struct job *j);
