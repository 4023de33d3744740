// SPDX-License-Identifier: Apache-2.0
/* wire/role.c - the roles' names, and who is joined with whom (design.md §2, §3). */
#include "wire/role.h"

static const char *const names[ROLE_KINDS] = {
    [ROLE_SUPER] = "super",     [ROLE_ACCEPT] = "accept", [ROLE_WEB] = "web",
    [ROLE_CORE] = "core",       [ROLE_VAULT] = "vault",   [ROLE_RESOLVE] = "resolve",
    [ROLE_DELIVER] = "deliver", [ROLE_REPORT] = "report",
};

const char *role_name(enum role_kind kind)
{
    return (unsigned)kind < ROLE_KINDS ? names[kind] : "nobody";
}

const struct role_pair role_pairs[] = {
    { ROLE_ACCEPT, ROLE_CORE, true },      { ROLE_ACCEPT, ROLE_VAULT, false },
    { ROLE_VAULT, ROLE_CORE, false },      { ROLE_CORE, ROLE_RESOLVE, false },
    { ROLE_CORE, ROLE_DELIVER, true },     { ROLE_CORE, ROLE_REPORT, true },
    { ROLE_DELIVER, ROLE_RESOLVE, false }, { ROLE_WEB, ROLE_CORE, false },
    { ROLE_WEB, ROLE_VAULT, false },       { ROLE_WEB, ROLE_REPORT, false },
    { ROLE_WEB, ROLE_RESOLVE, false },     { ROLE_WEB, ROLE_DELIVER, false },
    { ROLE_WEB, ROLE_SUPER, false },       { ROLE_VAULT, ROLE_RESOLVE, false },
};
const size_t role_pair_count = sizeof role_pairs / sizeof role_pairs[0];
