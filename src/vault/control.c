// SPDX-License-Identifier: Apache-2.0
/* vault/control.c - the schema of the control database, its transactions and its few settings. The
 * statements about each noun are in control_accounts.c, control_credentials.c, control_audit.c and
 * control_domains.c. */
#include <stdlib.h>

#include "base/mem.h"
#include "vault/control_sql.h"

/* steps[v] leads from version v to v + 1. What was released is never changed, only added to. */
static const char *const steps[] = {
    "CREATE TABLE account ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT," /* never reused: it stands in the spool and in logs */
    "  name TEXT NOT NULL UNIQUE,"
    "  state TEXT NOT NULL DEFAULT 'active',"
    "  created INTEGER NOT NULL) STRICT;"
    "CREATE TABLE credential ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  account INTEGER NOT NULL REFERENCES account(id),"
    "  user TEXT NOT NULL,"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32)," /* BLAKE2b-256 of the secret, keyed */
    "  normalize INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL,"
    "  revoked INTEGER NOT NULL DEFAULT 0," /* when, 0: in force */
    "  last_used INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE UNIQUE INDEX credential_user ON credential(user) WHERE revoked = 0;"
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;",

    /* Accounts in a tree, streams, people; credentials of several kinds; domains with their keys;
     * who changed what. `settings` are key=value lines (fields.h). Accounts from before could use
     * any name: they are observed, so that nothing they send is refused of a sudden (R103). */
    "ALTER TABLE account ADD COLUMN parent INTEGER REFERENCES account(id);"
    "ALTER TABLE account ADD COLUMN settings TEXT NOT NULL DEFAULT '';"
    "UPDATE account SET settings = 'state=active' || char(10) || 'identity=observe' || char(10);"
    "CREATE TABLE stream ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  account INTEGER NOT NULL REFERENCES account(id),"
    "  name TEXT NOT NULL,"
    "  settings TEXT NOT NULL DEFAULT '',"
    "  created INTEGER NOT NULL,"
    "  UNIQUE (account, name)) STRICT;"
    "CREATE TABLE user ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  account INTEGER REFERENCES account(id)," /* NULL: an operator */
    "  name TEXT NOT NULL UNIQUE,"
    "  password TEXT NOT NULL DEFAULT ''," /* argon2id */
    "  settings TEXT NOT NULL DEFAULT '',"
    "  created INTEGER NOT NULL,"
    "  last_used INTEGER NOT NULL DEFAULT 0) STRICT;"
    "ALTER TABLE credential ADD COLUMN kind TEXT NOT NULL DEFAULT 'smtp';"
    "ALTER TABLE credential ADD COLUMN scram BLOB;" /* salt, stored key, server key, iterations */
    "ALTER TABLE credential ADD COLUMN settings TEXT NOT NULL DEFAULT '';"
    "UPDATE credential SET settings = 'normalize=true' || char(10) WHERE normalize;"
    "CREATE TABLE grant_ ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  account INTEGER NOT NULL REFERENCES account(id),"
    "  domain TEXT NOT NULL,"                  /* lower-case A-labels */
    "  method TEXT NOT NULL,"                  /* dns, host, attested, lease */
    "  state TEXT NOT NULL DEFAULT 'pending'," /* pending, proved, lost, locked */
    "  lessor INTEGER REFERENCES account(id)," /* lease */
    "  settings TEXT NOT NULL DEFAULT '',"
    "  facts INTEGER NOT NULL DEFAULT 0," /* enum domain_fact */
    "  created INTEGER NOT NULL,"
    "  proved INTEGER NOT NULL DEFAULT 0,"  /* since when */
    "  missing INTEGER NOT NULL DEFAULT 0," /* since when every server answers without it */
    "  checked INTEGER NOT NULL DEFAULT 0,"
    "  why TEXT NOT NULL DEFAULT ''," /* what the last look found, for people */
    "  UNIQUE (account, domain)) STRICT;"
    "CREATE INDEX grant_domain ON grant_(domain);"
    "CREATE TABLE dkim_key ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  grant_ INTEGER NOT NULL REFERENCES grant_(id) ON DELETE CASCADE,"
    "  stream INTEGER REFERENCES stream(id) ON DELETE SET NULL,"
    "  selector TEXT NOT NULL,"
    "  algorithm TEXT NOT NULL,"               /* rsa, ed25519 */
    "  state TEXT NOT NULL DEFAULT 'pending'," /* pending, active, retiring */
    "  sealed BLOB NOT NULL,"                  /* the private key, encrypted (keybox.h) */
    "  record TEXT NOT NULL,"                  /* as it is to be published */
    "  created INTEGER NOT NULL,"
    "  published INTEGER NOT NULL DEFAULT 0," /* since when every server shows it */
    "  retired INTEGER NOT NULL DEFAULT 0,"
    "  missing INTEGER NOT NULL DEFAULT 0," /* since when every server answers without it */
    "  why TEXT NOT NULL DEFAULT '',"
    "  UNIQUE (grant_, selector, algorithm)) STRICT;"
    "CREATE TABLE sealing_key (" /* encrypts the sealed ones; itself encrypted */
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  wrapped BLOB NOT NULL,"
    "  created INTEGER NOT NULL) STRICT;"
    "CREATE TABLE audit ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  wall INTEGER NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  verb TEXT NOT NULL,"    /* account-added, domain-proved, … */
    "  account TEXT NOT NULL," /* whom it concerns, or empty */
    "  name TEXT NOT NULL,"
    "  detail TEXT NOT NULL) STRICT;"
    "CREATE TRIGGER audit_keep_update BEFORE UPDATE ON audit BEGIN"
    "  SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;"
    "CREATE TRIGGER audit_keep_replace BEFORE INSERT ON audit"
    "  WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN"
    "  SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;"
    "CREATE TRIGGER audit_keep_delete BEFORE DELETE ON audit BEGIN"
    "  SELECT RAISE(ABORT, 'the audit log is only ever added to'); END;",
};

bool control_open(struct str path, struct control **ret, struct err *err)
{
    sqlite3 *db;

    if (!database_open(path, &db, err))
        return err_at(err, "control database");
    if (!database_migrate(db, steps, (int)ARRAY_LEN(steps), err)) {
        database_free(db);
        return err_at(err, "control database");
    }
    *ret = NEW(struct control);
    (*ret)->db = db;
    return true;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    database_free(c->db);
    free(c);
}

bool control_begin(struct control *c, struct err *err)
{
    return database_run(c->db, "BEGIN IMMEDIATE", err);
}

bool control_commit(struct control *c, struct err *err)
{
    if (database_run(c->db, "COMMIT", err))
        return true;
    database_abort(c->db);
    return false;
}

void control_abort(struct control *c)
{
    database_abort(c->db);
}

bool control_load(struct control *c, const struct control_reader *to, struct err *err)
{
    return (control_load_accounts(c, to, err) && control_load_credentials(c, to, err)) ||
           err_at(err, "reading accounts and credentials");
}

/* Statements ----------------------------------------------------------------------------------- */

bool sql_each(struct control *c, sqlite3_stmt *st, sql_row_fn *row, void *arg, struct err *err)
{
    int got;

    while ((got = sqlite3_step(st)) == SQLITE_ROW)
        row(arg, st);
    if (got != SQLITE_DONE)
        (void)database_err(c->db, err);
    (void)sqlite3_finalize(st);
    return got == SQLITE_DONE;
}

bool sql_insert(struct control *c, sqlite3_stmt *st, uint64_t *ret_id, struct err *err)
{
    if (!database_finish(c->db, st, err))
        return false;
    *ret_id = (uint64_t)sqlite3_last_insert_rowid(c->db);
    return true;
}

bool sql_set_text(struct control *c, const char *sql, uint64_t id, struct str text, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db, sql, &st, err))
        return false;
    sql_bind_str(st, 1, text);
    sql_bind_id(st, 2, id);
    return database_finish(c->db, st, err);
}

bool sql_of_id(struct control *c, const char *sql, uint64_t id, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db, sql, &st, err))
        return false;
    sql_bind_id(st, 1, id);
    return database_finish(c->db, st, err);
}

/* Settings
 * ----------------------------------------------------------------------------------------- */

bool control_read_flag(struct control *c, const char *key, bool *ret, struct err *err)
{
    sqlite3_stmt *st;
    int got;

    if (!database_prepare(c->db, "SELECT value FROM setting WHERE key = ?", &st, err))
        return false;
    sql_bind_str(st, 1, str_of(key));
    got = sqlite3_step(st);
    if (got == SQLITE_ROW || got == SQLITE_DONE)
        *ret = got == SQLITE_ROW && str_eq(sql_str(st, 0), STR("1"));
    else
        (void)database_err(c->db, err);
    (void)sqlite3_finalize(st);
    return got == SQLITE_ROW || got == SQLITE_DONE;
}

bool control_write_flag(struct control *c, const char *key, bool value, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO setting(key, value) VALUES (?, ?)"
                          " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                          &st, err))
        return false;
    sql_bind_str(st, 1, str_of(key));
    sql_bind_str(st, 2, value ? STR("1") : STR("0"));
    return database_finish(c->db, st, err);
}
