// SPDX-License-Identifier: Apache-2.0
/* super/table.c - the roles as data. */
#include "super/table.h"

#include <string.h>

#include "accept/role.h"
#include "core/role.h"
#include "deliver/role.h"
#include "io/process.h"
#include "report/role.h"
#include "resolve/role.h"
#include "vault/role.h"
#include "web/role.h"

const struct role_ops *const role_table[ROLE_KINDS] = {
    [ROLE_ACCEPT] = &accept_role, [ROLE_WEB] = &web_role,         [ROLE_CORE] = &core_role,
    [ROLE_VAULT] = &vault_role,   [ROLE_RESOLVE] = &resolve_role, [ROLE_DELIVER] = &deliver_role,
    [ROLE_REPORT] = &report_role,
};

static const unsigned phases[ROLE_KINDS] = {
    [ROLE_ACCEPT] = 0, [ROLE_WEB] = 0,   [ROLE_DELIVER] = 1, [ROLE_CORE] = 1,
    [ROLE_REPORT] = 2, [ROLE_VAULT] = 3, [ROLE_RESOLVE] = 3,
};

const struct role_ops *role_by_name(const char *name)
{
    for (unsigned k = 0; k < ROLE_KINDS; k++)
        if (role_table[k] && strcmp(role_table[k]->name, name) == 0)
            return role_table[k];
    return NULL;
}

void role_facts(enum role_kind kind, void *role, struct buf *to)
{
    size_t before = to->len;

    if (role_table[kind]->status)
        role_table[kind]->status(role, to);
    buf_addf(to, "%s\"log_lines_lost\":%llu", to->len > before ? "," : "",
             (unsigned long long)process_log_lost());
}

unsigned role_instances(const struct config *c, enum role_kind kind)
{
    if (kind == ROLE_ACCEPT)
        return c->accept_roles;
    if (kind == ROLE_DELIVER)
        return c->deliver_roles;
    return kind == ROLE_SUPER ? 0 : 1;
}

unsigned role_phase(enum role_kind kind)
{
    return phases[kind];
}

int role_link_order(enum role_kind kind, enum role_kind peer)
{
    if (kind != ROLE_CORE)
        return 20;
    switch (peer) {
    case ROLE_ACCEPT:
        return 20;
    case ROLE_DELIVER:
        return 30;
    default:
        return 40;
    }
}
