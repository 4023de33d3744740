// SPDX-License-Identifier: Apache-2.0
/* core/forwards.c - at which domains senders of forwarded mail are rewritten. accept is told the
 * names, so that it refuses at RCPT what cannot be one of those addresses; whether an address is
 * one of ours is for naming.c, which has the secret. */
#include "core/core.h"

#define FRAME_NAMES_MAX (32 * 1024)
#define NAMES_MAX (1024 * 1024)

struct str forwards_domain_of(const struct dir_account *a)
{
    struct dir_domain *first = LIST_FIRST(&a->grants, struct dir_domain, account_link);

    if (a->forward_domain.len > 0)
        return a->forward_domain;
    return first ? first->name : STR("");
}

void forwards_changed(struct core *c)
{
    c->forwards_due = true;
}

static void list_names(const struct core *c, struct buf *names)
{
    LIST_EACH (&c->directory.accounts, struct dir_account, a, link) {
        struct str domain = forwards_domain_of(a);
        if ((a->flags & ACCOUNT_FORWARDS) && domain.len > 0)
            buf_addf(names, "%.*s\n", STR_FMT(domain));
    }
}

/* Cut anywhere: accept puts the pieces together. */
static void send_names(struct peer *accept, struct str names)
{
    bool begins = true;

    do {
        struct str piece = str_sub(names, 0, FRAME_NAMES_MAX);
        struct wire_forwards *m = wire_add(accept->channel, WIRE_FORWARDS, piece.len);
        m->begins = begins;
        wire_put(m, &m->names, piece);
        names = str_skip(names, piece.len);
        begins = false;
    } while (names.len > 0);
}

void forwards_tell(struct core *c)
{
    struct buf names;

    if (!c->forwards_due || !c->directory.known)
        return;
    c->forwards_due = false;
    buf_init(&names, NAMES_MAX);
    list_names(c, &names);
    uint64_t hash = names.len > 0 ? hash_str(buf_str(&names)) : 0;
    for (size_t i = 0; i < ROLE_INSTANCES_MAX; i++) {
        struct peer *accept = &c->accept[i];
        if (!accept->channel || accept->forwards_told == hash)
            continue;
        send_names(accept, buf_str(&names));
        accept->forwards_told = hash;
    }
    buf_done(&names);
}
