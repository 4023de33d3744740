// SPDX-License-Identifier: Apache-2.0
/* vault/hosted.h - does a domain lie with the host (proof.host_names, proof.host_networks; R102)?
 */
#pragma once

#include "base/arena.h"
#include "vault/proof.h"

struct domains;

struct hosted {
    enum proof_finding finding; /* SHOWN, ABSENT, or UNKNOWN when something did not answer */
    struct str value;           /* by which name or address; in the arena */
};
/* ERR_CANCELLED. Waits. */
MUST_USE bool hosted_look(struct domains *d, struct str domain, int64_t deadline_ms,
                          struct arena *a, struct hosted *ret, struct err *err);
