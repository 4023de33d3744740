// SPDX-License-Identifier: Apache-2.0
/* vault/database.c - opening a SQLite database the one way that is safe here.
 *
 * Debian 12's SQLite can corrupt a write-ahead log when two connections write or checkpoint at once
 * (fixed in 3.51.3), so there is one, and locking_mode keeps every other out. */
#include "vault/database.h"

#include <assert.h>
#include <stdio.h>

#include "base/buf.h"

bool database_err(sqlite3 *db, struct err *err)
{
    int code = sqlite3_errcode(db) & 0xff;
    enum err_kind kind = ERR_IO;

    if (code == SQLITE_CONSTRAINT)
        kind = ERR_EXISTS;
    else if (code == SQLITE_FULL)
        kind = ERR_FULL;
    else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        kind = ERR_DAMAGED;
    return err_set(err, kind, "database: %s", sqlite3_errmsg(db));
}

bool database_run(sqlite3 *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || database_err(db, err);
}

void database_abort(sqlite3 *db)
{
    /* Some failures have rolled back by themselves. */
    if (!sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

bool database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    return sqlite3_prepare_v2(db, sql, -1, ret, NULL) == SQLITE_OK || database_err(db, err);
}

bool database_finish(sqlite3 *db, sqlite3_stmt *st, struct err *err)
{
    bool ok = sqlite3_step(st) == SQLITE_DONE || database_err(db, err);

    (void)sqlite3_finalize(st); /* repeats the failure of the step */
    return ok;
}

static bool settle_in(sqlite3 *db, struct err *err)
{
    /* The journal mode is set last: only then does the file appear, under all the others. */
    return database_run(db,
                        "PRAGMA locking_mode=EXCLUSIVE;"
                        "PRAGMA foreign_keys=ON;"
                        "PRAGMA trusted_schema=OFF;"
                        "PRAGMA temp_store=MEMORY;"
                        "PRAGMA synchronous=FULL;"
                        "PRAGMA journal_mode=WAL;",
                        err);
}

bool database_open(struct str path, sqlite3 **ret, struct err *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    struct buf name;
    sqlite3 *db = NULL;
    bool ok;

    buf_init(&name, 4096);
    buf_add(&name, path.len > 0 ? path : STR(":memory:"));
    if (!buf_ok(&name)) {
        buf_done(&name);
        return err_set(err, ERR_LIMIT, "the database's path is too long");
    }
    ok = sqlite3_open_v2(buf_cstr(&name), &db, flags, NULL) == SQLITE_OK || database_err(db, err);
    buf_done(&name);
    if (!ok || !settle_in(db, err)) {
        database_free(db);
        return false;
    }
    *ret = db;
    return true;
}

void database_free(sqlite3 *db)
{
    int closed = sqlite3_close(db);

    assert(closed == SQLITE_OK); /* no statement of ours is left */
}

static bool version_read(sqlite3 *db, int *ret, struct err *err)
{
    sqlite3_stmt *st;
    bool ok;

    if (!database_prepare(db, "PRAGMA user_version", &st, err))
        return false;
    ok = sqlite3_step(st) == SQLITE_ROW || database_err(db, err);
    if (ok)
        *ret = sqlite3_column_int(st, 0);
    (void)sqlite3_finalize(st);
    return ok;
}

static bool migrate_one(sqlite3 *db, const char *step, int to, struct err *err)
{
    char version[48];

    (void)snprintf(version, sizeof version, "PRAGMA user_version=%d; COMMIT", to);
    if (database_run(db, "BEGIN IMMEDIATE", err) && database_run(db, step, err) &&
        database_run(db, version, err))
        return true;
    database_abort(db);
    return err_at(err, "schema version %d", to);
}

bool database_migrate(sqlite3 *db, const char *const *steps, int count, struct err *err)
{
    int version;

    if (!version_read(db, &version, err))
        return false;
    if (version < 0 || version > count)
        return err_set(
            err, ERR_CONFIG,
            "the database has schema version %d, this program knows %d: a newer baton wrote it",
            version, count);
    for (; version < count; version++)
        if (!migrate_one(db, steps[version], version + 1, err))
            return false;
    return true;
}
