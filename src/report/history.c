// SPDX-License-Identifier: Apache-2.0
/* report/history.c - the schema of report's database and the statements over it.
 *
 * One connection, the only one that writes or checkpoints: Debian 12's SQLite can corrupt a
 * write-ahead log otherwise (fixed in 3.51.3). */
#include "report/history.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

struct history {
    sqlite3 *db;
};

/* steps[v] leads from version v to v + 1. What was released is never changed, only added to. */
static const char *const steps[] = {
    "CREATE TABLE cursor (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL)"
    " STRICT;"
    "INSERT INTO cursor VALUES (1, 0);"
    "CREATE TABLE tally (day INTEGER NOT NULL, kind INTEGER NOT NULL, count INTEGER NOT NULL,"
    "  PRIMARY KEY (day, kind)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sandbox ("
    "  n INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id INTEGER NOT NULL,"
    "  sender TEXT NOT NULL,"
    "  recipients TEXT NOT NULL,"
    "  subject TEXT NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  received INTEGER NOT NULL,"
    "  whole INTEGER NOT NULL,"
    "  content BLOB NOT NULL) STRICT;",
};

/* Statements ----------------------------------------------------------------------------------- */

static bool fail(struct history *h, struct err *err)
{
    int code = sqlite3_errcode(h->db) & 0xff;
    enum err_kind kind = ERR_IO;

    if (code == SQLITE_FULL)
        kind = ERR_FULL;
    else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        kind = ERR_DAMAGED;
    return err_set(err, kind, "history database: %s", sqlite3_errmsg(h->db));
}

static bool run(struct history *h, const char *sql, struct err *err)
{
    return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(h, err);
}

static bool prepare(struct history *h, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    return sqlite3_prepare_v2(h->db, sql, -1, ret, NULL) == SQLITE_OK || fail(h, err);
}

static bool finish(struct history *h, sqlite3_stmt *st, struct err *err)
{
    bool ok = sqlite3_step(st) == SQLITE_DONE || fail(h, err);

    (void)sqlite3_finalize(st); /* repeats the failure of the step */
    return ok;
}

/* Ends the transaction: for good when all went well so far, else undoing it. */
static bool end(struct history *h, bool ok, struct err *err)
{
    if (ok && run(h, "COMMIT", err))
        return true;
    if (!sqlite3_get_autocommit(h->db))
        (void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* The one number that a query gives. */
static bool read_number(struct history *h, const char *sql, int64_t parameter, uint64_t *ret,
                        struct err *err)
{
    sqlite3_stmt *st;

    if (!prepare(h, sql, &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, parameter); /* without effect where there is none */
    bool ok = sqlite3_step(st) == SQLITE_ROW || fail(h, err);
    if (ok)
        *ret = (uint64_t)sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return ok;
}

/* Opening -------------------------------------------------------------------------------------- */

static bool open_at(struct history *h, struct str path, struct err *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    struct buf name;

    buf_init(&name, 4096);
    buf_add(&name, path.len > 0 ? path : STR(":memory:"));
    bool ok = buf_ok(&name) || err_set(err, ERR_LIMIT, "the database's path is too long");
    if (ok && sqlite3_open_v2(buf_cstr(&name), &h->db, flags, NULL) != SQLITE_OK)
        ok = fail(h, err);
    buf_done(&name);
    return ok;
}

/* The position is only an optimisation across a loss of power, since the spool keeps what was not
 * acknowledged: NORMAL does for it. What must be synced says so itself. */
static bool settle_in(struct history *h, struct err *err)
{
    return run(h,
               "PRAGMA locking_mode=EXCLUSIVE;"
               "PRAGMA trusted_schema=OFF;"
               "PRAGMA temp_store=MEMORY;"
               "PRAGMA synchronous=NORMAL;"
               "PRAGMA journal_mode=WAL;",
               err);
}

static bool migrate_one(struct history *h, uint64_t version, struct err *err)
{
    char sql[48];

    (void)snprintf(sql, sizeof sql, "PRAGMA user_version=%d", (int)version + 1);
    if (!run(h, "BEGIN IMMEDIATE", err))
        return false;
    return end(h, run(h, steps[version], err) && run(h, sql, err), err);
}

static bool migrate(struct history *h, struct err *err)
{
    uint64_t version;

    if (!read_number(h, "PRAGMA user_version", 0, &version, err))
        return false;
    if (version > ARRAY_LEN(steps))
        return err_set(err, ERR_CONFIG, "history database: a newer baton wrote it");
    for (; version < ARRAY_LEN(steps); version++)
        if (!migrate_one(h, version, err))
            return false;
    return true;
}

bool history_open(struct str path, struct history **ret, uint64_t *ret_position, struct err *err)
{
    struct history *h = NEW(struct history);

    if (!open_at(h, path, err) || !settle_in(h, err) || !migrate(h, err) ||
        !read_number(h, "SELECT position FROM cursor", 0, ret_position, err)) {
        history_free(h);
        return false;
    }
    *ret = h;
    return true;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    int closed = sqlite3_close(h->db);
    assert(closed == SQLITE_OK); /* no statement of ours is left */
    free(h);
}

/* Events --------------------------------------------------------------------------------------- */

static bool add_tally(struct history *h, const struct tally *t, struct err *err)
{
    sqlite3_stmt *st;

    if (!prepare(h,
                 "INSERT INTO tally VALUES (?, ?, ?)"
                 " ON CONFLICT DO UPDATE SET count = count + excluded.count",
                 &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, t->day);
    (void)sqlite3_bind_int(st, 2, t->kind);
    (void)sqlite3_bind_int64(st, 3, (sqlite3_int64)t->count);
    return finish(h, st, err);
}

static bool move_position(struct history *h, uint64_t position, struct err *err)
{
    sqlite3_stmt *st;

    if (!prepare(h, "UPDATE cursor SET position = ?", &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, (sqlite3_int64)position);
    return finish(h, st, err);
}

bool history_take_in(struct history *h, uint64_t position, const struct tally *tallies,
                     size_t count, struct err *err)
{
    if (!run(h, "BEGIN IMMEDIATE", err))
        return false;
    bool ok = move_position(h, position, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_tally(h, &tallies[i], err);
    return end(h, ok, err);
}

bool history_count(struct history *h, int kind, uint64_t *ret, struct err *err)
{
    return read_number(h, "SELECT coalesce(sum(count), 0) FROM tally WHERE kind = ?", kind, ret,
                       err);
}

/* The sandbox inbox ---------------------------------------------------------------------------- */

static void bind_str(sqlite3_stmt *st, int at, struct str text)
{
    (void)sqlite3_bind_text(st, at, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static bool insert_message(struct history *h, const struct sandbox_entry *e, struct str content,
                           struct err *err)
{
    sqlite3_stmt *st;

    if (!prepare(h,
                 "INSERT INTO sandbox(id, sender, recipients, subject, size, received, whole,"
                 " content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                 &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, (sqlite3_int64)e->id);
    bind_str(st, 2, e->from);
    bind_str(st, 3, e->to);
    bind_str(st, 4, e->subject);
    (void)sqlite3_bind_int64(st, 5, (sqlite3_int64)e->size_bytes);
    (void)sqlite3_bind_int64(st, 6, e->received_wall_ms);
    (void)sqlite3_bind_int(st, 7, e->whole);
    (void)sqlite3_bind_blob64(st, 8, content.ptr ? content.ptr : "", content.len, SQLITE_STATIC);
    return finish(h, st, err);
}

static bool prune_messages(struct history *h, unsigned keep, struct err *err)
{
    sqlite3_stmt *st;

    if (!prepare(h,
                 "DELETE FROM sandbox WHERE n <="
                 " (SELECT n FROM sandbox ORDER BY n DESC LIMIT 1 OFFSET ?)",
                 &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, keep);
    return finish(h, st, err);
}

static bool put_message(struct history *h, const struct sandbox_entry *e, struct str content,
                        unsigned keep, uint64_t *ret_n, struct err *err)
{
    if (!run(h, "BEGIN IMMEDIATE", err))
        return false;
    bool ok = insert_message(h, e, content, err);
    if (ok)
        *ret_n = (uint64_t)sqlite3_last_insert_rowid(h->db);
    return end(h, ok && prune_messages(h, keep, err), err);
}

bool history_put_message(struct history *h, const struct sandbox_entry *entry, struct str content,
                         unsigned keep, uint64_t *ret_n, struct err *err)
{
    /* The result that follows is a promise: this transaction is synced. */
    if (!run(h, "PRAGMA synchronous=FULL", err))
        return false;
    bool ok = put_message(h, entry, content, keep, ret_n, err);
    return run(h, "PRAGMA synchronous=NORMAL", ok ? err : NULL) && ok;
}

#define ENTRY_COLUMNS "n, id, sender, recipients, subject, size, received, whole"

static struct str column_str(sqlite3_stmt *st, int at, struct arena *a)
{
    const void *text = sqlite3_column_blob(st, at);

    return arena_str(a, str_make(text, (size_t)sqlite3_column_bytes(st, at)));
}

static struct sandbox_entry column_entry(sqlite3_stmt *st, struct arena *a)
{
    return (struct sandbox_entry){
        .n = (uint64_t)sqlite3_column_int64(st, 0),
        .id = (uint64_t)sqlite3_column_int64(st, 1),
        .from = column_str(st, 2, a),
        .to = column_str(st, 3, a),
        .subject = column_str(st, 4, a),
        .size_bytes = (uint64_t)sqlite3_column_int64(st, 5),
        .received_wall_ms = sqlite3_column_int64(st, 6),
        .whole = sqlite3_column_int(st, 7) != 0,
    };
}

bool history_list_messages(struct history *h, uint64_t before, size_t max, struct arena *a,
                           struct sandbox_entry **ret, size_t *ret_count, struct err *err)
{
    struct sandbox_entry *entries = ARENA_ARRAY(a, struct sandbox_entry, max);
    size_t count = 0;
    sqlite3_stmt *st;
    int got;

    if (!prepare(h, "SELECT " ENTRY_COLUMNS " FROM sandbox WHERE n < ? ORDER BY n DESC LIMIT ?",
                 &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, before > 0 && before < INT64_MAX ? (int64_t)before : INT64_MAX);
    (void)sqlite3_bind_int64(st, 2, (sqlite3_int64)max);
    while ((got = sqlite3_step(st)) == SQLITE_ROW)
        entries[count++] = column_entry(st, a);
    if (got != SQLITE_DONE)
        (void)fail(h, err);
    (void)sqlite3_finalize(st);
    *ret = entries;
    *ret_count = count;
    return got == SQLITE_DONE;
}

bool history_read_message(struct history *h, uint64_t n, struct arena *a, struct sandbox_entry *ret,
                          struct str *ret_content, struct err *err)
{
    sqlite3_stmt *st;
    int got;

    if (!prepare(h, "SELECT " ENTRY_COLUMNS ", content FROM sandbox WHERE n = ?", &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, (sqlite3_int64)n);
    got = sqlite3_step(st);
    if (got == SQLITE_ROW) {
        *ret = column_entry(st, a);
        *ret_content = column_str(st, 8, a);
    } else if (got == SQLITE_DONE) {
        err_set(err, ERR_NOT_FOUND, "there is no message %llu in the sandbox inbox",
                (unsigned long long)n);
    } else {
        (void)fail(h, err);
    }
    (void)sqlite3_finalize(st);
    return got == SQLITE_ROW;
}
