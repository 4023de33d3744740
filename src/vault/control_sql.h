// SPDX-License-Identifier: Apache-2.0
/* vault/control_sql.h - what the files of the control database share: its handle, and texts and ids
 * in and out of statements. Nobody else includes it. */
#pragma once

#include "vault/control.h"
#include "vault/database.h"

struct control {
    sqlite3 *db;
};

/* The text lives until the statement has run. */
static inline void sql_bind_str(sqlite3_stmt *st, int at, struct str text)
{
    (void)sqlite3_bind_text(st, at, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static inline void sql_bind_id(sqlite3_stmt *st, int at, uint64_t id)
{
    (void)sqlite3_bind_int64(st, at, (sqlite3_int64)id);
}

/* 0 is NULL: nobody is referred to. */
static inline void sql_bind_ref(sqlite3_stmt *st, int at, uint64_t id)
{
    if (id == 0)
        (void)sqlite3_bind_null(st, at);
    else
        sql_bind_id(st, at, id);
}

/* Lives until the next step. */
static inline struct str sql_str(sqlite3_stmt *st, int at)
{
    return str_make(sqlite3_column_text(st, at), (size_t)sqlite3_column_bytes(st, at));
}

static inline uint64_t sql_id(sqlite3_stmt *st, int at)
{
    return (uint64_t)sqlite3_column_int64(st, at);
}

/* Each finalizes the statement, whatever happens. */
typedef void sql_row_fn(void *arg, sqlite3_stmt *st);
MUST_USE bool sql_each(struct control *c, sqlite3_stmt *st, sql_row_fn *row, void *arg,
                       struct err *err);
MUST_USE bool sql_insert(struct control *c, sqlite3_stmt *st, uint64_t *ret_id, struct err *err);
/* Statements with the parameters text and id, and id alone. */
MUST_USE bool sql_set_text(struct control *c, const char *sql, uint64_t id, struct str text,
                           struct err *err);
MUST_USE bool sql_of_id(struct control *c, const char *sql, uint64_t id, struct err *err);

/* control_accounts.c, control_credentials.c */
MUST_USE bool control_load_accounts(struct control *c, const struct control_reader *to,
                                    struct err *err);
MUST_USE bool control_load_credentials(struct control *c, const struct control_reader *to,
                                       struct err *err);
