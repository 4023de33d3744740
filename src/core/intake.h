// SPDX-License-Identifier: Apache-2.0
/* core/intake.h - a transaction while it comes in: intake.c has its life, its content and its end,
 * intake_rcpt.c its recipients. */
#pragma once

#include "core/naming.h"
#include "core/quota.h"
#include "guard/admission.h"

struct intake {
    struct list idle;
    struct core *core;
    struct peer *accept;
    uint32_t generation;
    uint64_t session, tx;
    struct spool_tx *spool_tx;
    struct arena arena;
    struct envelope envelope;
    size_t rcpts_room;
    struct admission_facts admission;
    struct reply refusal; /* code 0: none so far */
    struct buf header;    /* the first of the content, until the header section has ended */
    bool header_whole;
    struct naming naming;
    struct reservation held; /* of the quotas */
};

/* The first refusal counts; it is told at the end. */
__attribute__((format(printf, 5, 6))) void intake_refuse(struct intake *t, uint16_t code,
                                                         uint16_t subject, uint16_t detail,
                                                         const char *fmt, ...);
/* intake_rcpt.c. False: it cannot be what an accept in its right mind sends. */
MUST_USE bool intake_on_rcpt(struct intake *t, const struct wire_tx_rcpt *m, struct err *err);
