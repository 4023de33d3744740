// SPDX-License-Identifier: Apache-2.0
/* report/role.h - the role that tells what became of mail: log lines, the history database, live
 * events, and the sandbox inbox.
 *
 * What it reads of wire_admin, and the rows it answers with:
 *
 *   TAIL          account (its number), from, to (each an address, or "@domain"), site; with the
 *                 flag STOP it ends. A row per event: {"type":"email.deferred","timestamp":…,
 *                 "id":…, …}; a reader who is too slow loses the oldest and is told so by
 *                 {"type":"tail.lost","count":N}. No end until the role ends.
 *   SANDBOX_LIST  id (go on behind that number), limit. Newest first: {"n","id","from","to",
 *                 "subject","size","received","whole"}.
 *   SANDBOX_SHOW  id (a number from the list). The first row is the same with "part":0 and an empty
 *                 "text"; then {"n","part","text"}, at most 3 KB of JSON each. All "text" joined is
 *                 the message; bytes that are not UTF-8 are U+FFFD. */
#pragma once

#include "wire/role.h"

extern const struct role_ops report_role;
