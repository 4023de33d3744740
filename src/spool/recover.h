// SPDX-License-Identifier: Apache-2.0
/* spool/recover.h - the steps of opening. Private to spool. */
#pragma once

#include "spool/internal.h"

struct folder {
    uint64_t snapshots[64]; /* numbers, rising */
    size_t snapshot_count;
};
/* Lists the folder, opens the segments, tidies what is left of work that died, moves strangers to
 * quarantine/. Blocks. */
MUST_USE bool folder_read(struct spool *s, struct folder *ret, struct spool_recovery *found,
                          struct err *err);
/* Replays the log over what the snapshot brought. Blocks. */
MUST_USE bool recover_replay(struct spool *s, const struct snapshot_facts *facts,
                             struct spool_recovery *found, struct err *err);
