// SPDX-License-Identifier: Apache-2.0
/* deliver/result.h - what an attempt means for each recipient, and how core is told. */
#pragma once

#include "deliver/dialogue.h"
#include "deliver/job.h"

/* The outcome for one recipient of a batch that was offered. `lost`: why dialogue_offer() failed,
 * or NULL. `taken`: what a success is, OUTCOME_DELIVERED or OUTCOME_RELAYED. Its kind, scope and
 * reply only; texts are the batch's. */
struct outcome result_of_batch(const struct batch *b, size_t rcpt, const struct err *lost,
                               enum outcome_kind taken);
/* An outcome that is ours, not the peer's: code 0 when no server said or would have said one. */
struct outcome result_ours(uint16_t code, struct status status, enum outcome_scope scope,
                           struct str text);
/* What an attempt that broke off means: by the kind of `err`. The text is copied into the arena. */
struct outcome result_of_err(const struct err *err, enum outcome_scope scope, struct arena *a);

/* For each recipient of the job that is not settled yet. */
void result_settle_rest(struct job *j, const struct outcome *o);
void result_defer_all(struct job *j, struct status status, struct str text);

/* Sends RESULT_RCPT for each recipient, all settled, and RESULT; then the job is no more. `open`:
 * connections of its site. An abandoned job just goes. */
void result_send(struct job *j, unsigned open);
