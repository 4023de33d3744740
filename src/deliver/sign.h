// SPDX-License-Identifier: Apache-2.0
/* deliver/sign.h - the signatures that a message leaves with: which ones core names, what they are
 * over, and core's answers. The keys are vault's; a hash goes there by way of core. */
#pragma once

#include "deliver/render.h"

/* Signs the form that render_choose() chose, unless it is signed already or core names no key. On
 * failure the message must not leave: ERR_DENIED with vault's reason, ERR_TIMEOUT, ERR_CLOSED when
 * core is gone, ERR_LIMIT. Waits. */
MUST_USE bool sign_rendered(struct render *r, struct err *err);

/* Content of a job has arrived: when all that a signature needs is there, and its site is being
 * talked to, asks for the form that the peer will most likely take, so that no connection waits. */
void sign_ahead(struct job *j);

/* Frames from core. */
MUST_USE bool sign_add(struct deliver *d, const struct wire_job_sign *f, struct err *err);
MUST_USE bool sign_answer(struct deliver *d, const struct wire_job_signed *f, struct err *err);
