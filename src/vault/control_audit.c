// SPDX-License-Identifier: Apache-2.0
/* vault/control_audit.c - who changed what, as rows that are only ever added. */
#include "vault/control_sql.h"

bool control_add_audit(struct control *c, const struct audit_row *row, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO audit(wall, actor, verb, account, name, detail)"
                          " VALUES (?, ?, ?, ?, ?, ?)",
                          &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, row->wall_ms);
    sql_bind_str(st, 2, row->actor);
    sql_bind_str(st, 3, row->verb);
    sql_bind_str(st, 4, row->account);
    sql_bind_str(st, 5, row->name);
    sql_bind_str(st, 6, row->detail);
    return database_finish(c->db, st, err);
}

bool control_add_audit_of_parts(struct control *c, uint64_t account, const struct audit_row *row,
                                struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO audit(wall, actor, verb, account, name, detail)"
                          " SELECT ?2, ?3, 'stream-removed', account.name, stream.name, ?4"
                          " FROM stream JOIN account ON account.id = stream.account"
                          " WHERE stream.account = ?1"
                          " UNION ALL"
                          " SELECT ?2, ?3, 'domain-removed', account.name, grant_.domain, ?4"
                          " FROM grant_ JOIN account ON account.id = grant_.account"
                          " WHERE grant_.account = ?1 OR grant_.lessor = ?1",
                          &st, err))
        return false;
    sql_bind_id(st, 1, account);
    (void)sqlite3_bind_int64(st, 2, row->wall_ms);
    sql_bind_str(st, 3, row->actor);
    sql_bind_str(st, 4, row->detail);
    return database_finish(c->db, st, err);
}

struct audit_reading {
    void (*row)(void *arg, const struct audit_row *row);
    void *arg;
};

static void read_audit(void *arg, sqlite3_stmt *st)
{
    const struct audit_reading *to = arg;
    const struct audit_row row = { .id = sql_id(st, 0),
                                   .wall_ms = sqlite3_column_int64(st, 1),
                                   .actor = sql_str(st, 2),
                                   .verb = sql_str(st, 3),
                                   .account = sql_str(st, 4),
                                   .name = sql_str(st, 5),
                                   .detail = sql_str(st, 6) };
    to->row(to->arg, &row);
}

bool control_read_audit(struct control *c, const struct audit_ask *ask,
                        void (*row)(void *arg, const struct audit_row *row), void *arg,
                        struct err *err)
{
    struct audit_reading to = { row, arg };
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "SELECT id, wall, actor, verb, account, name, detail FROM audit"
                          " WHERE (?1 = 0 OR id < ?1) AND (?2 = '' OR account = ?2)"
                          " AND (?3 = '' OR name = ?3) ORDER BY id DESC LIMIT ?4",
                          &st, err))
        return false;
    sql_bind_id(st, 1, ask->before);
    sql_bind_str(st, 2, ask->account);
    sql_bind_str(st, 3, ask->name);
    sql_bind_id(st, 4, ask->limit);
    return sql_each(c, st, read_audit, &to, err);
}
