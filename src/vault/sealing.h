// SPDX-License-Identifier: Apache-2.0
/* vault/sealing.h - what the role's secret opens: the sealing key of signing keys, and the key
 * under which credentials are hashed. Both lie in the control database, one wrapped under the
 * secret and the other sealed by it, so that the secret can be exchanged without a credential or a
 * signing key becoming another (fault Y12). */
#pragma once

#include "vault/control.h"
#include "vault/keybox.h"
#include "vault/secret.h"

struct sealing {
    struct keybox *box;
    uint8_t hash_key[SECRET_KEY_BYTES];
    bool exchanged; /* the secret is another than the last time */
};

/* `secret`: KEYBOX_SECRET_BYTES, and behind them the one before when it was exchanged (as super
 * reads it). Makes both keys when there are none yet. ERR_CONFIG: neither opens it. Blocks. */
MUST_USE bool sealing_open(struct control *c, struct str secret, int64_t wall_ms,
                           struct sealing *ret, struct err *err);
