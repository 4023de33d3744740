// SPDX-License-Identifier: Apache-2.0
/* vault/account_show.c - accounts as rows: one, those below another, those in a state. */
#include "io/clock.h"
#include "vault/operate.h"

/* Rows ----------------------------------------------------------------------------------------- */

static const char *state_word(enum account_state state)
{
    static const char *const words[] = { [ACCOUNT_SANDBOX] = "sandbox",
                                         [ACCOUNT_ACTIVE] = "active",
                                         [ACCOUNT_SUSPENDED] = "suspended" };
    return words[state];
}

/* Who makes its state worse than its own, or NULL. */
static const struct account *held_by(const struct account *a)
{
    enum account_state state = account_state_of(a);

    if (state == account_own_state(a))
        return NULL;
    for (a = a->parent; account_own_state(a) != state;)
        a = a->parent;
    return a;
}

static void json_count(struct json *j, const char *key, size_t count)
{
    json_key(j, key);
    json_int(j, (int64_t)count);
}

static size_t stream_count(const struct account *a)
{
    size_t count = 0;

    LIST_EACH (&a->streams, struct stream, s, link)
        count++;
    return count;
}

static void account_json(const struct account *a, size_t streams, struct buf *to)
{
    const struct account *holder = held_by(a);
    char id[ACCOUNT_ID_TEXT_MAX];
    struct json j;

    json_begin(&j, to);
    json_object(&j);
    operate_json_str(&j, "id", str_of(account_id_text(a, id)));
    operate_json_str(&j, "name", a->name);
    if (a->parent)
        operate_json_str(&j, "parent", a->parent->name);
    operate_json_str(&j, "state", str_of(state_word(account_state_of(a))));
    if (holder)
        operate_json_str(&j, "held_by", holder->name);
    if (a->ended) {
        json_key(&j, "ended");
        json_bool(&j, true);
    }
    fields_json(NOUN_ACCOUNT, a->settings, &j);
    json_count(&j, "credentials", a->credentials);
    json_count(&j, "users", a->users);
    json_count(&j, "streams", streams);
    json_count(&j, "domains", a->grants);
    json_count(&j, "accounts", a->children);
    operate_json_date(&j, "created", a->created_wall_ms);
    json_object_end(&j);
}

static void send_row(const struct request *r, const struct account *a, size_t streams)
{
    struct buf row;

    buf_init(&row, ROW_BYTES_MAX);
    account_json(a, streams, &row);
    operate_row(r, &row);
    buf_done(&row);
}

void account_row(const struct request *r, const struct account *a)
{
    send_row(r, a, stream_count(a));
}

void account_row_tried(const struct request *r, const struct account *like, struct str settings)
{
    size_t streams = stream_count(like);
    struct account tried = *like;

    list_init(&tried.streams);
    arena_init(&tried.texts, SETTINGS_BYTES_MAX);
    roster_set_account(NULL, &tried, settings);
    tried.ended = account_is_over(&tried, clock_wall_ms());
    send_row(r, &tried, streams);
    arena_done(&tried.texts);
}

/* Lists ---------------------------------------------------------------------------------------- */

bool account_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct page page = { .left = operate_row_limit(r) };
    struct account *above = NULL;

    if (r->account.len > 0 && !operate_account(v, r->account, &above, err))
        return false;
    LIST_EACH (&v->roster.accounts, struct account, a, link) {
        if (a->id <= r->after || (above && !account_is_below(a, above)) ||
            (r->state.len > 0 && !str_eq(r->state, str_of(state_word(account_state_of(a))))))
            continue;
        if (!operate_page_takes(&page, a->id, ret_next))
            return true;
        account_row(r, a);
    }
    return true;
}

bool account_show(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *a;

    (void)ret_next;
    if (!operate_account(v, r->name, &a, err))
        return false;
    account_row(r, a);
    return true;
}
