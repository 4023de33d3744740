// SPDX-License-Identifier: Apache-2.0
/* deliver/live.h - `baton live` asks: can this machine reach a mail server at all? */
#pragma once

#include "deliver/deliver.h"

/* ADMIN_LIVE_PORT: connects to the "host:port" in its name, reads the greeting, and answers with
 * one row and the end on that channel. Another verb is answered with 422. */
void live_ask(struct deliver *d, struct deliver_link *from, const struct wire_admin *f);
/* The link is gone: whoever works for it answers nobody. */
void live_forget(struct deliver *d, struct deliver_link *from);
/* Tells every such fiber to stop where it waits. */
void live_cancel_all(struct deliver *d);
