// SPDX-License-Identifier: Apache-2.0
/* vault/control_credentials.c - credentials and people as rows. */
#include "vault/control_sql.h"

/* The verifier in one blob: salt, stored key, server key, iterations (little end first). */
#define SCRAM_BLOB_BYTES (SCRAM_SALT_BYTES + 2 * SCRAM_HASH_BYTES + 4)

static void scram_write(const struct scram_verifier *v, uint8_t blob[SCRAM_BLOB_BYTES])
{
    memcpy(blob, v->salt, SCRAM_SALT_BYTES);
    blob += SCRAM_SALT_BYTES;
    memcpy(blob, v->stored_key, SCRAM_HASH_BYTES);
    blob += SCRAM_HASH_BYTES;
    memcpy(blob, v->server_key, SCRAM_HASH_BYTES);
    blob += SCRAM_HASH_BYTES;
    for (unsigned i = 0; i < 4; i++)
        blob[i] = (uint8_t)(v->iterations >> (8 * i));
}

/* One of another length is none: SCRAM is then refused for this credential, nothing else. */
static struct scram_verifier scram_read(struct str blob)
{
    struct scram_verifier v = { 0 };
    const char *at = blob.ptr;

    if (blob.len != SCRAM_BLOB_BYTES)
        return v;
    memcpy(v.salt, at, SCRAM_SALT_BYTES);
    at += SCRAM_SALT_BYTES;
    memcpy(v.stored_key, at, SCRAM_HASH_BYTES);
    at += SCRAM_HASH_BYTES;
    memcpy(v.server_key, at, SCRAM_HASH_BYTES);
    at += SCRAM_HASH_BYTES;
    for (unsigned i = 0; i < 4; i++)
        v.iterations |= (uint32_t)(uint8_t)at[i] << (8 * i);
    return v;
}

/* Reading -------------------------------------------------------------------------------------- */

static void read_user(void *arg, sqlite3_stmt *st)
{
    const struct control_reader *to = arg;
    const struct user_row row = { .id = sql_id(st, 0),
                                  .account = sql_id(st, 1),
                                  .name = sql_str(st, 2),
                                  .password = sql_str(st, 3),
                                  .settings = sql_str(st, 4),
                                  .created_wall_ms = sqlite3_column_int64(st, 5),
                                  .last_used_wall_ms = sqlite3_column_int64(st, 6) };
    to->user(to->arg, &row);
}

static void read_credential(void *arg, sqlite3_stmt *st)
{
    const struct control_reader *to = arg;
    const struct str scram =
        str_make(sqlite3_column_blob(st, 5), (size_t)sqlite3_column_bytes(st, 5));
    const struct credential_row row = { .id = sql_id(st, 0),
                                        .account = sql_id(st, 1),
                                        .user = sql_str(st, 2),
                                        .kind = sql_str(st, 3),
                                        .hash = sqlite3_column_blob(st, 4),
                                        .scram = scram_read(scram),
                                        .settings = sql_str(st, 6),
                                        .created_wall_ms = sqlite3_column_int64(st, 7),
                                        .last_used_wall_ms = sqlite3_column_int64(st, 8) };
    to->credential(to->arg, &row);
}

bool control_load_credentials(struct control *c, const struct control_reader *to, struct err *err)
{
    static const char users[] = "SELECT id, account, name, password, settings, created, last_used"
                                " FROM user ORDER BY id";
    static const char credentials[] =
        "SELECT id, account, user, kind, hash, scram, settings, created, last_used"
        " FROM credential WHERE revoked = 0 ORDER BY id";
    sqlite3_stmt *st;

    if (to->user &&
        (!database_prepare(c->db, users, &st, err) || !sql_each(c, st, read_user, (void *)to, err)))
        return false;
    return !to->credential || (database_prepare(c->db, credentials, &st, err) &&
                               sql_each(c, st, read_credential, (void *)to, err));
}

/* People --------------------------------------------------------------------------------------- */

bool control_add_user(struct control *c, const struct user_row *row, uint64_t *ret_id,
                      struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO user(account, name, password, settings, created)"
                          " VALUES (?, ?, ?, ?, ?)",
                          &st, err))
        return false;
    sql_bind_ref(st, 1, row->account);
    sql_bind_str(st, 2, row->name);
    sql_bind_str(st, 3, row->password);
    sql_bind_str(st, 4, row->settings);
    (void)sqlite3_bind_int64(st, 5, row->created_wall_ms);
    return sql_insert(c, st, ret_id, err);
}

bool control_set_user(struct control *c, uint64_t id, struct str settings, struct err *err)
{
    return sql_set_text(c, "UPDATE user SET settings = ? WHERE id = ?", id, settings, err);
}

bool control_set_password(struct control *c, uint64_t user, struct str password, struct err *err)
{
    return sql_set_text(c, "UPDATE user SET password = ? WHERE id = ?", user, password, err);
}

bool control_remove_user(struct control *c, uint64_t id, struct err *err)
{
    return sql_of_id(c, "DELETE FROM user WHERE id = ?", id, err);
}

/* Credentials ---------------------------------------------------------------------------------- */

/* `blob` lives as long as the statement. */
static void bind_secret(sqlite3_stmt *st, int at, const struct credential_row *row,
                        uint8_t blob[SCRAM_BLOB_BYTES])
{
    (void)sqlite3_bind_blob(st, at, row->hash, SECRET_HASH_BYTES, SQLITE_STATIC);
    if (row->scram.iterations == 0) {
        (void)sqlite3_bind_null(st, at + 1);
        return;
    }
    scram_write(&row->scram, blob);
    (void)sqlite3_bind_blob(st, at + 1, blob, SCRAM_BLOB_BYTES, SQLITE_STATIC);
}

bool control_add_credential(struct control *c, const struct credential_row *row, uint64_t *ret_id,
                            struct err *err)
{
    uint8_t blob[SCRAM_BLOB_BYTES];
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          "INSERT INTO credential(account, user, kind, hash, scram, settings,"
                          " created) VALUES (?, ?, ?, ?, ?, ?, ?)",
                          &st, err))
        return false;
    sql_bind_id(st, 1, row->account);
    sql_bind_str(st, 2, row->user);
    sql_bind_str(st, 3, row->kind);
    bind_secret(st, 4, row, blob);
    sql_bind_str(st, 6, row->settings);
    (void)sqlite3_bind_int64(st, 7, row->created_wall_ms);
    return sql_insert(c, st, ret_id, err);
}

bool control_set_credential(struct control *c, uint64_t id, struct str settings, struct err *err)
{
    return sql_set_text(c, "UPDATE credential SET settings = ? WHERE id = ?", id, settings, err);
}

bool control_set_secret(struct control *c, uint64_t id, const struct credential_row *row,
                        struct err *err)
{
    uint8_t blob[SCRAM_BLOB_BYTES];
    sqlite3_stmt *st;

    if (!database_prepare(c->db, "UPDATE credential SET hash = ?, scram = ? WHERE id = ?", &st,
                          err))
        return false;
    bind_secret(st, 1, row, blob);
    sql_bind_id(st, 3, id);
    return database_finish(c->db, st, err);
}

bool control_revoke(struct control *c, uint64_t credential, int64_t wall_ms, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db, "UPDATE credential SET revoked = ? WHERE id = ?", &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, wall_ms);
    sql_bind_id(st, 2, credential);
    return database_finish(c->db, st, err);
}

static bool note_use(struct control *c, const struct last_use *use, struct err *err)
{
    sqlite3_stmt *st;

    if (!database_prepare(c->db,
                          use->is_user ? "UPDATE user SET last_used = ? WHERE id = ?"
                                       : "UPDATE credential SET last_used = ? WHERE id = ?",
                          &st, err))
        return false;
    (void)sqlite3_bind_int64(st, 1, use->wall_ms);
    sql_bind_id(st, 2, use->id);
    return database_finish(c->db, st, err);
}

bool control_note_uses(struct control *c, const struct last_use *uses, size_t count,
                       struct err *err)
{
    if (!control_begin(c, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!note_use(c, &uses[i], err)) {
            control_abort(c);
            return false;
        }
    return control_commit(c, err);
}
