// SPDX-License-Identifier: Apache-2.0
/* vault/uses.c - when credentials and people were last used: kept in memory while mail flows, saved
 * every minute and at the end. */
#include <stdlib.h>

#include "base/log.h"
#include "vault/operate.h"

enum { USES_MAX = 10000 };

struct uses {
    struct last_use *rows;
    size_t count;
};

static bool write_uses(struct control *c, void *arg, struct err *err)
{
    const struct uses *u = arg;
    return control_note_uses(c, u->rows, u->count, err);
}

static void uses_gather(struct vault *v, struct uses *to)
{
    LIST_EACH (&v->roster.credentials, struct credential, c, link) {
        if (!c->use_unsaved || to->count == USES_MAX)
            continue;
        to->rows[to->count++] = (struct last_use){ c->id, false, c->last_used_wall_ms };
        c->use_unsaved = false;
    }
    LIST_EACH (&v->roster.users, struct user, u, link) {
        if (!u->use_unsaved || to->count == USES_MAX)
            continue;
        to->rows[to->count++] = (struct last_use){ u->id, true, u->last_used_wall_ms };
        u->use_unsaved = false;
    }
}

/* Whoever is gone meanwhile needs no saving. */
static void use_unsaved(struct vault *v, const struct last_use *use)
{
    struct user *u = use->is_user ? idmap_find(&v->roster.users_by_id, use->id) : NULL;
    struct credential *c = use->is_user ? NULL : roster_credential_of_id(&v->roster, use->id);

    if (u)
        u->use_unsaved = true;
    if (c)
        c->use_unsaved = true;
}

/* A last use that could not be saved is saved the next time. */
void uses_save(struct vault *v)
{
    struct uses uses = { .rows = NEW_ARRAY(struct last_use, USES_MAX) };
    struct err err;

    uses_gather(v, &uses);
    if (uses.count > 0 && !operate_run(v, write_uses, &uses, &err)) {
        log_err(LOG_WARN, "last-used-unsaved", &err);
        for (size_t i = 0; i < uses.count; i++)
            use_unsaved(v, &uses.rows[i]);
    }
    free(uses.rows);
}
