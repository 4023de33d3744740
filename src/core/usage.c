// SPDX-License-Identifier: Apache-2.0
/* core/usage.c - what an operator sees of the quotas: of each account and stream, each window and
 * measure that is used or limited. */
#include <stdlib.h>

#include "core/queue.h"
#include "core/quota.h"

#define USAGE_ROWS_MAX 1000

/* The words of settings: limit.day.distinct. */
static const char *const windows[QUOTA_WINDOWS] = { "minute", "hour", "day", "month" };
static const char *const measures[QUOTA_MEASURES] = { "messages", "recipients", "distinct",
                                                      "bytes" };

struct usage_of {
    struct request *request;
    const struct dir_account *account;
    struct str stream; /* empty: the account's own */
    size_t rows;
};

static void rows_of(struct usage_of *u, uint64_t who, const uint64_t *limits)
{
    const struct core *c = u->request->core;

    for (unsigned i = 0; i < QUOTA_WINDOWS * QUOTA_MEASURES; i++) {
        enum quota_window w = i / QUOTA_MEASURES;
        enum quota_measure m = i % QUOTA_MEASURES;
        struct usage_row row = { .account = u->account->name,
                                 .stream = u->stream,
                                 .window = windows[w],
                                 .measure = measures[m],
                                 .used = quota_used_now(c, who, w, m),
                                 .limit = limits[i],
                                 .ends_ms = quota_ends_ms(w, core_now(c)) };

        if (row.used == 0 && row.limit == 0)
            continue;
        queue_row_usage(u->request, &row);
        u->rows++;
    }
}

static size_t account_rows(struct request *q, const struct dir_account *account)
{
    struct usage_of u = { .request = q, .account = account };

    rows_of(&u, account->id, account->limits);
    LIST_EACH (&account->streams, struct dir_stream, s, link) {
        u.stream = s->name;
        rows_of(&u, s->id | QUOTA_STREAM, s->limits);
    }
    return u.rows;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Ids of accounts behind `after`, rising; the caller's. */
static uint64_t *accounts_after(const struct directory *d, uint64_t after, size_t *ret_count)
{
    uint64_t *ids = NEW_ARRAY(uint64_t, d->accounts_by_id.count + 1), id;
    size_t at = 0, count = 0;
    void *account;

    while (idmap_each(&d->accounts_by_id, &at, &id, &account))
        if (id > after)
            ids[count++] = id;
    qsort(ids, count, sizeof *ids, by_id);
    *ret_count = count;
    return ids;
}

/* Page by page, an account never over two. */
static void answer_all(struct request *q)
{
    size_t limit = q->limit == 0 || q->limit > USAGE_ROWS_MAX ? USAGE_ROWS_MAX : q->limit;
    struct directory *d = &q->core->directory;
    size_t rows = 0, count, i;
    uint64_t *ids = accounts_after(d, q->id, &count);

    for (i = 0; i < count && rows < limit; i++)
        rows += account_rows(q, directory_account(d, ids[i]));
    queue_end(q, 200, i < count ? ids[i - 1] : 0, "%s", "");
    free(ids);
}

void usage_list(struct request *q)
{
    const struct dir_account *account;

    if (q->account.len == 0) {
        answer_all(q);
        return;
    }
    account = map_find(&q->core->directory.accounts_by_name, q->account);
    if (!account) {
        queue_end(q, 404, 0, "no account is called %.*s", STR_FMT(q->account));
        return;
    }
    (void)account_rows(q, account);
    queue_end(q, 200, 0, "%s", "");
}
