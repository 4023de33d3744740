// SPDX-License-Identifier: Apache-2.0
/* super/log_keeper.h - keeps log.file at the size that was configured, and begins a new one when
 * somebody else has moved it away. */
#pragma once

#include "config/config.h"
#include "io/loop.h"

struct log_keeper {
    const struct config *config;
    struct timer timer;
    void (*changed)(void *arg); /* standard error is another file now. Optional */
    void *arg;
};

/* Looks every few seconds, from now on. */
void log_keeper_init(struct log_keeper *k, const struct config *c, void (*changed)(void *arg),
                     void *arg);
void log_keeper_done(struct log_keeper *k);
/* Opens the file that `c`, which stays valid until the next call, names: after a reload, or because
 * somebody else has moved it away. Without log.file nothing is to be done. ERR_IO: the old ones,
 * file and configuration, go on. */
MUST_USE bool log_keeper_use(struct log_keeper *k, const struct config *c, struct err *err);
/* As log_keeper_use() with the same configuration; says what went wrong. */
void log_keeper_reopen(struct log_keeper *k);
