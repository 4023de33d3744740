// SPDX-License-Identifier: Apache-2.0
/* vault/control_domains.c - the statements over grants, keys and the sealing key. */
#include "vault/control_domains.h"

#include "mail/dkim.h"
#include "vault/control_sql.h"

static const char *const key_states[] = {
    [KEY_PENDING] = "pending", [KEY_ACTIVE] = "active", [KEY_RETIRING] = "retiring"
};

static bool key_state_of(struct str word, enum key_state *ret)
{
    for (enum key_state s = KEY_PENDING; s <= KEY_RETIRING; s++)
        if (str_eq(word, str_of(key_states[s]))) {
            *ret = s;
            return true;
        }
    return false;
}

static const char *algorithm_word(uint32_t algorithm)
{
    return algorithm == DKIM_RSA_SHA256 ? "rsa" : "ed25519";
}

/* Loading -------------------------------------------------------------------------------------- */

struct loading {
    const struct control_domains_reader *to;
    uint64_t wrong; /* id of a row with a word that is none of ours */
};

static void load_grant(void *arg, sqlite3_stmt *st)
{
    struct loading *l = arg;
    struct grant_row row = { .id = sql_id(st, 0),
                             .account = sql_id(st, 1),
                             .lessor = sql_id(st, 2),
                             .domain = sql_str(st, 3),
                             .settings = sql_str(st, 6),
                             .facts = (uint32_t)sqlite3_column_int64(st, 7),
                             .created_wall_ms = sqlite3_column_int64(st, 8),
                             .standing = { .proved_ms = sqlite3_column_int64(st, 9),
                                           .missing_ms = sqlite3_column_int64(st, 10),
                                           .checked_ms = sqlite3_column_int64(st, 11) },
                             .why = sql_str(st, 12) };

    if (!grant_method_of(sql_str(st, 4), &row.method) ||
        !grant_state_of(sql_str(st, 5), &row.standing.state))
        l->wrong = row.id;
    else
        l->to->grant(l->to->arg, &row);
}

static void load_key(void *arg, sqlite3_stmt *st)
{
    struct loading *l = arg;
    struct key_row row = { .id = sql_id(st, 0),
                           .grant = sql_id(st, 1),
                           .stream = sql_id(st, 2),
                           .selector = sql_str(st, 3),
                           .record = sql_str(st, 6),
                           .created_wall_ms = sqlite3_column_int64(st, 7),
                           .published_wall_ms = sqlite3_column_int64(st, 8),
                           .retired_wall_ms = sqlite3_column_int64(st, 9),
                           .missing_wall_ms = sqlite3_column_int64(st, 10),
                           .why = sql_str(st, 11) };
    const struct str algorithm = sql_str(st, 4);

    if (str_eq(algorithm, STR("rsa")))
        row.algorithm = DKIM_RSA_SHA256;
    else if (str_eq(algorithm, STR("ed25519")))
        row.algorithm = DKIM_ED25519_SHA256;
    if (row.algorithm == 0 || !key_state_of(sql_str(st, 5), &row.state))
        l->wrong = row.id;
    else
        l->to->key(l->to->arg, &row);
}

static bool load(struct control *c, const char *sql, sql_row_fn *row, struct loading *l,
                 struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db, sql, &st, err) || !sql_each(c, st, row, l, err))
        return false;
    return l->wrong == 0 || err_set(err, ERR_DAMAGED, "row %llu has a word that is not known here",
                                    (unsigned long long)l->wrong);
}

bool control_load_domains(struct control *c, const struct control_domains_reader *to,
                          struct err *err)
{
    struct loading l = { .to = to };

    return (load(c,
                 "SELECT id, account, lessor, domain, method, state, settings, facts, created,"
                 " proved, missing, checked, why FROM grant_ ORDER BY id",
                 load_grant, &l, err) &&
            load(c,
                 "SELECT id, grant_, stream, selector, algorithm, state, record, created,"
                 " published, retired, missing, why FROM dkim_key ORDER BY id",
                 load_key, &l, err)) ||
           err_at(err, "reading domains");
}

/* Grants --------------------------------------------------------------------------------------- */

bool control_add_grant(struct control *c, const struct grant_row *row, uint64_t *ret_id,
                       struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO grant_(account, lessor, domain, method, state, settings,"
                          " created, proved) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                          &st, err))
        return false;
    sql_bind_id(st, 1, row->account);
    sql_bind_ref(st, 2, row->lessor);
    sql_bind_str(st, 3, row->domain);
    sql_bind_str(st, 4, str_of(grant_method_name(row->method)));
    sql_bind_str(st, 5, str_of(grant_state_name(row->standing.state)));
    sql_bind_str(st, 6, row->settings);
    (void)sqlite3_bind_int64(st, 7, row->created_wall_ms);
    (void)sqlite3_bind_int64(st, 8, row->standing.proved_ms);
    return sql_insert(c, st, ret_id, err);
}

bool control_set_standing(struct control *c, const struct grant_row *row, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "UPDATE grant_ SET state = ?, facts = ?, proved = ?, missing = ?,"
                          " checked = ?, why = ? WHERE id = ?",
                          &st, err))
        return false;
    sql_bind_str(st, 1, str_of(grant_state_name(row->standing.state)));
    (void)sqlite3_bind_int64(st, 2, row->facts);
    (void)sqlite3_bind_int64(st, 3, row->standing.proved_ms);
    (void)sqlite3_bind_int64(st, 4, row->standing.missing_ms);
    (void)sqlite3_bind_int64(st, 5, row->standing.checked_ms);
    sql_bind_str(st, 6, row->why);
    sql_bind_id(st, 7, row->id);
    return database_finish(c->db, st, err);
}

bool control_set_grant(struct control *c, uint64_t id, struct str settings, struct err *err)
{
    return sql_set_text(c, "UPDATE grant_ SET settings = ? WHERE id = ?", id, settings, err);
}

bool control_move_grant(struct control *c, uint64_t id, uint64_t account, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db, "UPDATE grant_ SET account = ? WHERE id = ?", &st, err))
        return false;
    sql_bind_id(st, 1, account);
    sql_bind_id(st, 2, id);
    return database_finish(c->db, st, err);
}

bool control_remove_grant(struct control *c, uint64_t id, struct err *err)
{
    return sql_of_id(c, "DELETE FROM grant_ WHERE id = ?", id, err);
}

/* Keys ----------------------------------------------------------------------------------------- */

bool control_add_key(struct control *c, const struct key_row *row, uint64_t *ret_id,
                     struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO dkim_key(grant_, stream, selector, algorithm, state, sealed,"
                          " record, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                          &st, err))
        return false;
    sql_bind_id(st, 1, row->grant);
    sql_bind_ref(st, 2, row->stream);
    sql_bind_str(st, 3, row->selector);
    sql_bind_str(st, 4, str_of(algorithm_word(row->algorithm)));
    sql_bind_str(st, 5, str_of(key_states[row->state]));
    (void)sqlite3_bind_blob(st, 6, row->sealed.ptr, (int)row->sealed.len, SQLITE_STATIC);
    sql_bind_str(st, 7, row->record);
    (void)sqlite3_bind_int64(st, 8, row->created_wall_ms);
    return sql_insert(c, st, ret_id, err);
}

bool control_set_key(struct control *c, const struct key_row *row, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "UPDATE dkim_key SET state = ?, published = ?, retired = ?, missing = ?,"
                          " why = ? WHERE id = ?",
                          &st, err))
        return false;
    sql_bind_str(st, 1, str_of(key_states[row->state]));
    (void)sqlite3_bind_int64(st, 2, row->published_wall_ms);
    (void)sqlite3_bind_int64(st, 3, row->retired_wall_ms);
    (void)sqlite3_bind_int64(st, 4, row->missing_wall_ms);
    sql_bind_str(st, 5, row->why);
    sql_bind_id(st, 6, row->id);
    return database_finish(c->db, st, err);
}

bool control_remove_key(struct control *c, uint64_t id, struct err *err)
{
    return sql_of_id(c, "DELETE FROM dkim_key WHERE id = ?", id, err);
}

/* The blob of the first column of the one row, if there is one. */
static bool read_blob(struct control *c, sqlite3_stmt *st, struct buf *to, bool *ret_found,
                      struct err *err)
{
    int got = sqlite3_step(st);

    if (got == SQLITE_ROW)
        buf_add(to, str_make(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)));
    else if (got != SQLITE_DONE)
        (void)database_err(c->db, err);
    (void)sqlite3_finalize(st);
    if (got == SQLITE_ROW && !buf_ok(to))
        return err_set(err, ERR_DAMAGED, "a key in the database is larger than any can be");
    *ret_found = got == SQLITE_ROW;
    return got == SQLITE_ROW || got == SQLITE_DONE;
}

bool control_read_sealed(struct control *c, uint64_t key, struct buf *to, struct err *err)
{
    sqlite3_stmt *st;
    bool found = false;

    if (!database_prepare(c->db, "SELECT sealed FROM dkim_key WHERE id = ?", &st, err))
        return false;
    sql_bind_id(st, 1, key);
    if (!read_blob(c, st, to, &found, err))
        return false;
    return found || err_set(err, ERR_NOT_FOUND, "the signing key is not in the database");
}

/* Keys that are not any domain's --------------------------------------------------------------- */

bool control_read_sealed_key(struct control *c, enum sealed_key which, struct buf *to,
                             bool *ret_found, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db, "SELECT wrapped FROM sealing_key WHERE id = ?", &st, err))
        return false;
    (void)sqlite3_bind_int(st, 1, (int)which);
    return read_blob(c, st, to, ret_found, err);
}

bool control_write_sealed_key(struct control *c, enum sealed_key which, struct str sealed,
                              int64_t wall_ms, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO sealing_key(id, wrapped, created) VALUES (?, ?, ?)"
                          " ON CONFLICT(id) DO UPDATE SET wrapped = excluded.wrapped",
                          &st, err))
        return false;
    (void)sqlite3_bind_int(st, 1, (int)which);
    (void)sqlite3_bind_blob(st, 2, sealed.ptr, (int)sealed.len, SQLITE_STATIC);
    (void)sqlite3_bind_int64(st, 3, wall_ms);
    return database_finish(c->db, st, err);
}
