// SPDX-License-Identifier: Apache-2.0
/* vault/database.h - the seam at the database handle: where the control database is opened, and how
 * SQLite's failures become ours. What is in it is control.c's matter.
 *
 * One connection, used by one thread at a time, is the only one that ever writes or checkpoints;
 * the file is locked against all others. */
#pragma once

#include <sqlite3.h>

#include "base/err.h"

/* Opens `path`, making it when absent; an empty path is a database in memory, as the simulator
 * wants it. Write-ahead log, each change synced before it is answered. Blocks. ERR_IO, ERR_FULL,
 * ERR_DAMAGED. */
MUST_USE bool database_open(struct str path, sqlite3 **ret, struct err *err);
void database_free(sqlite3 *db);

/* Brings the schema from the version that the file has to the newest: steps[v] leads from version v
 * to v + 1, each in a transaction of its own. A file newer than the program is ERR_CONFIG. */
MUST_USE bool database_migrate(sqlite3 *db, const char *const *steps, int count, struct err *err);

/* Statements without parameters or rows. */
MUST_USE bool database_run(sqlite3 *db, const char *sql, struct err *err);
/* Ends a transaction that failed, if it has not ended yet. */
void database_abort(sqlite3 *db);
/* The statement lives until sqlite3_finalize(). */
MUST_USE bool database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *err);
/* A prepared statement with its parameters bound and no row to give: runs it, finalizes it. */
MUST_USE bool database_finish(sqlite3 *db, sqlite3_stmt *st, struct err *err);

/* The last failure of `db`: ERR_EXISTS for a broken constraint, ERR_FULL, ERR_DAMAGED, else ERR_IO.
 */
bool database_err(sqlite3 *db, struct err *err);
