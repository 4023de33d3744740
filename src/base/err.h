// SPDX-License-Identifier: Apache-2.0
/* base/err.h - one shape for every failure of ours: a kind that a caller can act on, and words for
 * people.
 *
 * A peer's refusal is not a failure: that is a struct reply (mail/reply.h), and fetching it
 * succeeded. */
#pragma once

#include "base/str.h"

enum err_kind {
    ERR_NONE,
    ERR_IO,        /* a system call failed: see sys */
    ERR_TIMEOUT,   /* a deadline passed */
    ERR_CLOSED,    /* the other end, or a shutdown, ended it */
    ERR_CANCELLED, /* this fiber was told to stop */
    ERR_TLS,
    ERR_DNS,
    ERR_SYNTAX,  /* outside bytes do not parse */
    ERR_LIMIT,   /* over a limit, which the text names */
    ERR_FULL,    /* no room: disk, queue, table */
    ERR_DAMAGED, /* a checksum or an invariant on disk does not hold */
    ERR_CONFIG,
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_DENIED,
};

struct err {
    enum err_kind kind;
    int sys;        /* errno when ERR_IO, else 0 */
    char text[200]; /* "RCPT 3: no reply in 300 s" */
};

/* All return false, so that a failure is one line. `err` may be NULL: then nothing is written. */
__attribute__((format(printf, 3, 4))) bool err_set(struct err *err, enum err_kind kind,
                                                   const char *fmt, ...);
/* From errno, as it is at the call: ERR_IO, or ERR_FULL for ENOSPC, EDQUOT and EFBIG. Adds ": " and
 * strerror. */
__attribute__((format(printf, 2, 3))) bool err_sys(struct err *err, const char *fmt, ...);
/* Puts context in front: "greeting from mx1.example.org: no reply in 300 s". */
__attribute__((format(printf, 2, 3))) bool err_at(struct err *err, const char *fmt, ...);

/* "timeout", "io", … stable words for logs. */
const char *err_kind_name(enum err_kind kind);
