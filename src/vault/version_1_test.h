// SPDX-License-Identifier: Apache-2.0
/* vault/version_1_test.h - for tests: the control database as the first release made it. */
#pragma once

/* Schema version 1 as it was released, with rows in it. */
static const char version_1[] =
    "CREATE TABLE account (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    "  state TEXT NOT NULL DEFAULT 'active', created INTEGER NOT NULL) STRICT;"
    "CREATE TABLE credential (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  account INTEGER NOT NULL REFERENCES account(id), user TEXT NOT NULL,"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32), normalize INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0,"
    "  last_used INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE UNIQUE INDEX credential_user ON credential(user) WHERE revoked = 0;"
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
    "INSERT INTO account(name, created) VALUES ('office', 1), ('shop', 2);"
    "INSERT INTO credential(account, user, hash, normalize, created, revoked, last_used) VALUES"
    "  (1, 'old', zeroblob(32), 0, 3, 4, 5), (2, 'till', zeroblob(32), 1, 6, 0, 7);"
    "INSERT INTO setting VALUES ('live', '1');"
    "PRAGMA user_version=1;";
