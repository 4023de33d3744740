// SPDX-License-Identifier: Apache-2.0
/* vault/control_accounts.c - accounts and their streams as rows. */
#include "vault/control_sql.h"

static void read_account(void *arg, sqlite3_stmt *st)
{
    const struct control_reader *to = arg;
    const struct account_row row = { .id = sql_id(st, 0),
                                     .parent = sql_id(st, 1),
                                     .name = sql_str(st, 2),
                                     .settings = sql_str(st, 3),
                                     .created_wall_ms = sqlite3_column_int64(st, 4) };
    to->account(to->arg, &row);
}

static void read_stream(void *arg, sqlite3_stmt *st)
{
    const struct control_reader *to = arg;
    const struct stream_row row = { .id = sql_id(st, 0),
                                    .account = sql_id(st, 1),
                                    .name = sql_str(st, 2),
                                    .settings = sql_str(st, 3),
                                    .created_wall_ms = sqlite3_column_int64(st, 4) };
    to->stream(to->arg, &row);
}

bool control_load_accounts(struct control *c, const struct control_reader *to, struct err *err)
{
    static const char accounts[] = "SELECT id, parent, name, settings, created FROM account"
                                   " ORDER BY id"; /* a parent is older than its children */
    static const char streams[] = "SELECT id, account, name, settings, created FROM stream"
                                  " ORDER BY id";
    sqlite3_stmt *st;

    if (to->account && (!database_prepare(c->db, accounts, &st, err) ||
                        !sql_each(c, st, read_account, (void *)to, err)))
        return false;
    return !to->stream || (database_prepare(c->db, streams, &st, err) &&
                           sql_each(c, st, read_stream, (void *)to, err));
}

bool control_add_account(struct control *c, const struct account_row *row, uint64_t *ret_id,
                         struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO account(parent, name, settings, created)"
                          " VALUES (?, ?, ?, ?)",
                          &st, err))
        return false;
    sql_bind_ref(st, 1, row->parent);
    sql_bind_str(st, 2, row->name);
    sql_bind_str(st, 3, row->settings);
    (void)sqlite3_bind_int64(st, 4, row->created_wall_ms);
    return sql_insert(c, st, ret_id, err);
}

bool control_set_account(struct control *c, uint64_t id, struct str settings, struct err *err)
{
    return sql_set_text(c, "UPDATE account SET settings = ? WHERE id = ?", id, settings, err);
}

bool control_remove_account(struct control *c, uint64_t id, struct err *err)
{
    static const char *const steps[] = {
        "DELETE FROM grant_ WHERE account = ?",
        "DELETE FROM grant_ WHERE lessor = ?",
        "DELETE FROM stream WHERE account = ?",
        "DELETE FROM credential WHERE account = ? AND revoked <> 0",
        "DELETE FROM account WHERE id = ?",
    };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!sql_of_id(c, steps[i], id, err))
            return false;
    return true;
}

bool control_add_stream(struct control *c, const struct stream_row *row, uint64_t *ret_id,
                        struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO stream(account, name, settings, created)"
                          " VALUES (?, ?, ?, ?)",
                          &st, err))
        return false;
    sql_bind_id(st, 1, row->account);
    sql_bind_str(st, 2, row->name);
    sql_bind_str(st, 3, row->settings);
    (void)sqlite3_bind_int64(st, 4, row->created_wall_ms);
    return sql_insert(c, st, ret_id, err);
}

bool control_set_stream(struct control *c, uint64_t id, struct str settings, struct err *err)
{
    return sql_set_text(c, "UPDATE stream SET settings = ? WHERE id = ?", id, settings, err);
}

static void count_row(void *arg, sqlite3_stmt *st)
{
    (void)st;
    ++*(size_t *)arg;
}

bool control_remove_stream(struct control *c, uint64_t id, struct err *err)
{
    sqlite3_stmt *st;
    size_t keys = 0;

    /* The schema would make them keys of every stream. */
    if (!database_prepare(c->db, "SELECT 1 FROM dkim_key WHERE stream = ?", &st, err))
        return false;
    sql_bind_id(st, 1, id);
    if (!sql_each(c, st, count_row, &keys, err))
        return false;
    if (keys > 0)
        return err_set(err, ERR_EXISTS, "%zu signing keys are its own", keys);
    return sql_of_id(c, "DELETE FROM stream WHERE id = ?", id, err);
}
