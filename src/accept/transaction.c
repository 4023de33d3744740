// SPDX-License-Identifier: Apache-2.0
/* accept/transaction.c - one message on its way in: what is remembered of it, and forgetting it. */
#include "accept/transaction.h"

#include "accept/accept.h"

void transaction_reset(struct session *s)
{
    if (s->tx.state == TX_NONE)
        return;
    if (s->tx.number != 0)
        core_tx_abort(s);
    s->tx = (struct transaction){ 0 };
    s->answer.waiting = s->answer.here = false;
    workspace_reset_tx(s->work);
}

void transaction_add_rcpt(struct session *s, const struct address *rcpt,
                          const struct rcpt_params *p)
{
    struct transaction *tx = &s->tx;
    struct arena *a = &s->work->tx;
    struct tx_rcpt *r = ARENA_NEW(a, struct tx_rcpt);

    r->address = rcpt->domain.len == 0
                     ? arena_str(a, rcpt->local)
                     : arena_strf(a, "%.*s@%.*s", STR_FMT(rcpt->local), STR_FMT(rcpt->domain));
    r->orcpt = arena_str(a, p->orcpt);
    r->notify = p->notify;
    if (tx->last != NULL)
        tx->last->next = r;
    else
        tx->first = r;
    tx->last = r;
    tx->rcpt_count++;
}
