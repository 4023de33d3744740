// SPDX-License-Identifier: Apache-2.0
/* vault/account_ends.c - accounts that end by themselves: trials (R96). One that has ended counts
 * as suspended, and with it what is below, until somebody moves its end. */
#include "base/log.h"
#include "io/clock.h"
#include "vault/vault.h"

/* Of an account whose end is further away it is looked again: the wall clock may be set. */
enum { ENDS_EVERY_MS = 10 * 60 * 1000 };

bool account_is_over(const struct account *a, int64_t now_wall_ms)
{
    return a->until_wall_ms > 0 && a->until_wall_ms <= now_wall_ms;
}

static void account_ended(struct vault *v, struct account *a)
{
    struct log_line l;

    a->ended = true;
    log_begin(&l, LOG_INFO, "account-ended");
    log_str(&l, "account", a->name);
    log_end(&l);
    tell_account(v, a);
    auth_account_changed(v, a);
}

void accounts_watch_ends(struct vault *v)
{
    int64_t now_ms = clock_wall_ms(), wait_ms = ENDS_EVERY_MS;
    bool any = false;

    LIST_EACH (&v->roster.accounts, struct account, a, link) {
        if (a->until_wall_ms == 0 || a->ended)
            continue;
        if (account_is_over(a, now_ms)) {
            account_ended(v, a);
            continue;
        }
        any = true;
        if (a->until_wall_ms - now_ms < wait_ms)
            wait_ms = a->until_wall_ms - now_ms;
    }
    if (any)
        timer_set(&v->ends_timer, loop_now_ms() + wait_ms);
    else
        timer_clear(&v->ends_timer);
}
