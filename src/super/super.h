// SPDX-License-Identifier: Apache-2.0
/* super/super.h - starts the roles and keeps them running; the only one that binds sockets and
 * executes anything (its own binary). It reads no bytes from the network. */
#pragma once

#include <stdbool.h>

/* `baton serve`: until SIGTERM. `single`: every role in this process, on one loop. Returns the exit
 * status. */
int super_serve(const char *config_file, bool single);
/* What a role's process runs: `baton role KIND INSTANCE`, with the channel to super as
 * descriptor 3. Never by hand. */
int super_role_main(const char *kind, const char *instance);
/* `baton check-config`: the file as `serve` would take it. Prints what is wrong; returns the exit
 * status. */
int super_check_config(const char *config_file);

/* What every process of ours does first: the key of its hash tables, its log, its loop. */
void super_begin(const char *role);
