// SPDX-License-Identifier: Apache-2.0
/* core/quota.c - whom a message counts for, what is answered when it does not fit, and the tally
 * that the spool keeps. */
#include "core/quota.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"

enum {
    HOLDERS_MAX = 40, /* accounts above accounts, and a stream: more than the directory allows */
    KEY_BYTES = 16,
    TOLD_MAX = 4096,
};

/* In a mark, beside QUOTA_STREAM: the windows in which the holder's distinct recipients are
 * remembered. */
#define MARK_WINDOWS_SHIFT 58
#define MARK_WINDOWS (UINT64_C(15) << MARK_WINDOWS_SHIFT)

struct core_quota {
    struct quota *table;
    uint8_t key[KEY_BYTES]; /* of recipients' hashes; it goes with the table */
    uint64_t *hashes;       /* of the message at hand */
    size_t hash_room;
    struct idmap told; /* holder and window -> when the window ends of which it was told that it is
                          used up */
};

/* Marks -----------------------------------------------------------------------------------------
 */

static uint64_t mark_who(uint64_t word)
{
    return word & ~MARK_WINDOWS;
}

static unsigned mark_windows(uint64_t word)
{
    return (unsigned)((word & MARK_WINDOWS) >> MARK_WINDOWS_SHIFT);
}

static bool mark_next(struct str *mark, uint64_t *ret)
{
    if (mark->len < sizeof *ret)
        return false;
    memcpy(ret, mark->ptr, sizeof *ret);
    *mark = str_skip(*mark, sizeof *ret);
    return true;
}

static bool mark_remembers(struct str mark)
{
    uint64_t word;

    while (mark_next(&mark, &word))
        if (mark_windows(word) != 0)
            return true;
    return false;
}

static struct str mark_make(struct arena *a, const struct quota_holder *holders, size_t count)
{
    uint64_t *words = ARENA_ARRAY(a, uint64_t, count);

    for (size_t i = 0; i < count; i++)
        words[i] = holders[i].who | (uint64_t)quota_remembers(holders[i].limits)
                                        << MARK_WINDOWS_SHIFT;
    return str_make(words, count * sizeof *words);
}

/* Messages --------------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Each recipient once, whatever the case of the letters. The list is the message's until the next
 * one. */
static size_t distinct_of(struct core_quota *k, const struct envelope *e)
{
    size_t count = 0;

    if (k->hash_room < e->rcpt_count) {
        k->hashes = mem_grow(k->hashes, e->rcpt_count, sizeof *k->hashes);
        k->hash_room = e->rcpt_count;
    }
    for (size_t i = 0; i < e->rcpt_count; i++)
        k->hashes[i] = hash_str_nocase_by(k->key, e->rcpts[i].address);
    qsort(k->hashes, e->rcpt_count, sizeof *k->hashes, by_value);
    for (size_t i = 0; i < e->rcpt_count; i++)
        if (count == 0 || k->hashes[count - 1] != k->hashes[i])
            k->hashes[count++] = k->hashes[i];
    return count;
}

static struct quota_use use_of(struct core_quota *k, const struct envelope *e, bool remembered)
{
    struct quota_use use = { .bytes = e->size_bytes,
                             .recipients = e->rcpt_count,
                             .wall_ms = e->accepted_wall_ms };

    if (remembered) {
        use.distinct_count = distinct_of(k, e);
        use.distinct = k->hashes;
    }
    return use;
}

/* The account, all above it, the stream. */
static size_t holders_of(const struct core *c, const struct quota_facts *f,
                         struct quota_holder holders[HOLDERS_MAX])
{
    const struct dir_account *at = f->account;
    size_t count = 0;

    for (; at && count < HOLDERS_MAX - 1; at = directory_account(&c->directory, at->parent))
        holders[count++] = (struct quota_holder){ at->id, at->limits, at->soft_percent };
    if (f->stream)
        holders[count++] = (struct quota_holder){ f->stream->id | QUOTA_STREAM, f->stream->limits,
                                                  f->account->soft_percent };
    return count;
}

/* Answers ---------------------------------------------------------------------------------------
 */

static const char *const measures[QUOTA_MEASURES] = { "messages", "recipients",
                                                      "different recipients", "bytes" };
static const char *const windows[QUOTA_WINDOWS] = { "minute", "hour", "day", "month" };

static struct str name_of(const struct core *c, const struct quota_facts *f, uint64_t who,
                          struct arena *a)
{
    const struct dir_account *account;

    if (who & QUOTA_STREAM)
        return arena_strf(a, "stream %.*s of account %.*s", STR_FMT(f->stream->name),
                          STR_FMT(f->account->name));
    account = directory_account(&c->directory, who);
    return arena_strf(a, "account %.*s", STR_FMT(account ? account->name : STR("?")));
}

static struct str ends_of(const struct quota_verdict *v, struct arena *a)
{
    char text[DATE_TEXT_MAX];

    return arena_str(a, str_of(date_format_iso(v->ends_wall_ms, text)));
}

/* A window that ends soon is worth waiting for, one that no window could hold never is. */
static struct reply refusal_of(const struct quota_facts *f, const struct quota_verdict *v,
                               struct str name, struct str link, struct arena *a)
{
    bool waits = v->window <= QUOTA_HOUR || (f->account->flags & ACCOUNT_QUOTA_451);
    const struct str args[] = { name, arena_strf(a, "%llu", (unsigned long long)v->limit),
                                str_of(measures[v->measure]), ends_of(v, a) };
    struct reply r = code_reply(a, v->code, args, ARRAY_LEN(args), link);

    r.code = waits && !v->alone ? 451 : 550;
    r.status.klass = (uint8_t)(r.code / 100);
    if (v->alone)
        r.text = arena_strf(a, "[%s] this message alone has more %s than %.*s may send a %s: %llu",
                            policy_codes[v->code].word, measures[v->measure], STR_FMT(name),
                            windows[v->window], (unsigned long long)v->limit);
    return r;
}

static struct str warning_of(const struct quota_verdict *v, struct str name, struct str link,
                             struct arena *a)
{
    const struct str args[] = { name,
                                arena_strf(a, "%llu", (unsigned long long)v->after),
                                arena_strf(a, "%llu", (unsigned long long)v->limit),
                                str_of(measures[v->measure]),
                                str_of(windows[v->window]),
                                ends_of(v, a) };

    return code_reply(a, CODE_QUOTA_SOFT, args, ARRAY_LEN(args), link).text;
}

static void log_verdict(const char *event, const struct quota_verdict *v, struct str name,
                        struct arena *a)
{
    struct log_line l;

    log_begin(&l, LOG_WARN, event);
    log_str(&l, "who", name);
    log_cstr(&l, "window", windows[v->window]);
    log_cstr(&l, "measure", measures[v->measure]);
    log_num(&l, "limit", (int64_t)v->limit);
    log_num(&l, "used", (int64_t)v->used);
    log_str(&l, "ends", ends_of(v, a));
    log_end(&l);
}

/* One line a window, not one a message. */
static bool is_new(struct core_quota *k, uint64_t who, const struct quota_verdict *v)
{
    uint64_t place = who | (uint64_t)v->window << MARK_WINDOWS_SHIFT;

    if ((int64_t)(intptr_t)idmap_find(&k->told, place) == v->ends_wall_ms)
        return false;
    if (k->told.count >= TOLD_MAX) {
        idmap_done(&k->told);
        idmap_init(&k->told);
    }
    (void)idmap_put(&k->told, place, (void *)(intptr_t)v->ends_wall_ms);
    return true;
}

bool quota_reserve(struct core *c, const struct quota_facts *f, struct arena *a,
                   struct reservation *ret_held, struct reply *ret)
{
    struct core_quota *k = c->quota;
    struct quota_holder holders[HOLDERS_MAX];
    struct reservation held = { 0 };
    size_t count = holders_of(c, f, holders);
    struct quota_verdict v;
    struct quota_use use;
    struct str name;

    held.mark = mark_make(a, holders, count);
    use = use_of(k, f->envelope, mark_remembers(held.mark));
    quota_judge(k->table, holders, count, &use, &v);
    if (v.code == CODE_QUOTA_SOFT) {
        name = name_of(c, f, holders[v.holder].who, a);
        log_verdict("quota-soft", &v, name, a);
        held.warning = warning_of(&v, name, c->config->why_url, a);
    } else if (v.code != CODE_NONE) {
        name = name_of(c, f, holders[v.holder].who, a);
        if (is_new(k, holders[v.holder].who, &v))
            log_verdict("quota-exceeded", &v, name, a);
        *ret = refusal_of(f, &v, name, c->config->why_url, a);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        quota_hold(k->table, holders[i].who, &use, quota_remembers(holders[i].limits));
    *ret_held = held;
    return true;
}

void quota_release(struct core *c, const struct envelope *e, const struct reservation *held)
{
    struct core_quota *k = c->quota;
    struct quota_use use = use_of(k, e, mark_remembers(held->mark));
    struct str rest = held->mark;
    uint64_t word;

    while (mark_next(&rest, &word))
        quota_unhold(k->table, mark_who(word), &use, mark_windows(word));
}

uint64_t quota_used_now(const struct core *c, uint64_t who, enum quota_window w,
                        enum quota_measure m)
{
    return quota_used(c->quota->table, who, w, m, core_now(c));
}

/* The spool's tally -----------------------------------------------------------------------------
 */

/* While the spool opens there is none yet; what it then tells of was held in another life. A
 * message from ahead of the clock, which was set back, would stand in the way of those of today. */
static void durable(void *arg, const struct envelope *e, struct str mark)
{
    struct core *c = arg;
    struct core_quota *k = c->quota;
    struct quota_use use = use_of(k, e, mark_remembers(mark));
    struct str rest = mark;
    uint64_t word;

    if (!c->spool && e->accepted_wall_ms > core_now(c))
        return;
    while (mark_next(&rest, &word)) {
        if (c->spool)
            quota_unhold(k->table, mark_who(word), &use, mark_windows(word));
        quota_count(k->table, mark_who(word), &use, mark_windows(word));
    }
}

static bool tally_save(void *arg, struct buf *to)
{
    struct core *c = arg;

    quota_tidy(c->quota->table, core_now(c));
    buf_add(to, str_make(c->quota->key, KEY_BYTES));
    return quota_write(c->quota->table, to);
}

static bool tally_load(void *arg, struct str bytes, struct err *err)
{
    struct core *c = arg;
    struct core_quota *k = c->quota;

    if (bytes.len < KEY_BYTES)
        return err_set(err, ERR_DAMAGED, "not the quotas that we wrote");
    if (!quota_read(k->table, str_skip(bytes, KEY_BYTES), err))
        return false;
    memcpy(k->key, bytes.ptr, KEY_BYTES);
    quota_tidy(k->table, core_now(c));
    return true;
}

void quota_start(struct core *c, struct spool_tally *ret_tally)
{
    struct core_quota *k = NEW(struct core_quota);

    k->table = quota_new();
    random_bytes(k->key, KEY_BYTES);
    idmap_init(&k->told);
    c->quota = k;
    *ret_tally =
        (struct spool_tally){ .count = durable, .write = tally_save, .read = tally_load, .arg = c };
}

void quota_end(struct core *c)
{
    struct core_quota *k = c->quota;

    quota_free(k->table);
    mem_wipe(k->key, KEY_BYTES);
    idmap_done(&k->told);
    free(k->hashes);
    free(k);
    c->quota = NULL;
}
