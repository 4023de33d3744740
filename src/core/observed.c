// SPDX-License-Identifier: Apache-2.0
/* core/observed.c - what policy would have refused, counted by account and code since the start, so
 * that an operator can see what `enforce` would do before saying so (R103). One line an hour goes
 * to the log for each. */
#include <stdlib.h>

#include "base/log.h"
#include "core/queue.h"

#define HOUR_MS (3600 * (int64_t)1000)
#define OBSERVED_MAX 100000
#define ARG_MAX 120

struct observed {
    uint64_t account, count, last_id;
    enum policy_code code;
    int64_t since_ms, last_ms, logged_ms;
    size_t arg_len;
    char name[64], arg[ARG_MAX];
};

static uint64_t key_of(uint64_t account, enum policy_code code)
{
    return account << 8 | (uint64_t)code;
}

static void log_observed(const struct observed *o, bool is_preflight)
{
    struct log_line l;

    log_begin(&l, LOG_WARN, is_preflight ? "preflight" : "would-refuse");
    log_cstr(&l, "account", o->name);
    log_cstr(&l, "code", policy_codes[o->code].word);
    log_str(&l, "about", str_make(o->arg, o->arg_len));
    log_id(&l, "id", o->last_id);
    log_num(&l, "count", (int64_t)o->count);
    log_end(&l);
}

static struct observed *observed_get(struct core *c, const struct dir_account *a,
                                     enum policy_code code)
{
    struct observed *o = idmap_find(&c->observed, key_of(a->id, code));

    if (o || c->observed.count >= OBSERVED_MAX)
        return o;
    o = NEW(struct observed);
    o->account = a->id;
    o->code = code;
    o->since_ms = core_now(c);
    o->logged_ms = o->since_ms - HOUR_MS;
    idmap_put(&c->observed, key_of(a->id, code), o);
    return o;
}

static size_t copy_text(char *to, size_t room, struct str text)
{
    text = str_sub(text, 0, room);
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    return text.len;
}

void observed_add(struct core *c, const struct dir_account *a, enum policy_code code, uint64_t id,
                  struct str arg)
{
    struct observed *o = observed_get(c, a, code);
    int64_t now = core_now(c);

    if (!o)
        return;
    o->count++;
    o->last_id = id;
    o->last_ms = now;
    o->name[copy_text(o->name, sizeof o->name - 1, a->name)] = '\0';
    o->arg_len = copy_text(o->arg, sizeof o->arg, arg);
    if (now - o->logged_ms < HOUR_MS)
        return;
    o->logged_ms = now;
    log_observed(o, code >= CODE_PREFLIGHT_SPF);
}

void observed_list(struct request *q)
{
    size_t at = 0;
    uint64_t key;
    void *value;

    while (idmap_each(&q->core->observed, &at, &key, &value)) {
        const struct observed *o = value;
        struct str about = str_make(o->arg, o->arg_len);
        struct observed_row row = {
            .account = str_of(o->name),
            .code = str_of(policy_codes[o->code].word),
            .name = about,
            .text = code_reply(&q->arena, o->code, &about, 1, /* link= */ STR("")).text,
            .count = o->count,
            .last_id = o->last_id,
            .since_ms = o->since_ms,
            .last_ms = o->last_ms,
        };
        if (q->account.len == 0 || str_eq(row.account, q->account))
            queue_row_observed(q, &row);
    }
    queue_end(q, 200, 0, "%s", "");
}

void observed_done(struct core *c)
{
    size_t at = 0;
    uint64_t key;
    void *value;

    while (idmap_each(&c->observed, &at, &key, &value))
        free(value);
    idmap_done(&c->observed);
}
