// SPDX-License-Identifier: Apache-2.0
/* guard/quota.c - judging, holding and counting.
 *
 * A window of a holder rolls on when the first message of a later one comes to it; nothing runs by
 * itself. What comes for a window that has rolled on is late, and no longer matters. */
#include "guard/quota_table.h"

#include <stdlib.h>

#include "base/mem.h"

struct quota *quota_new(void)
{
    struct quota *q = NEW(struct quota);

    idmap_init(&q->entries);
    return q;
}

static void forget_all(struct quota *q)
{
    size_t at = 0;
    uint64_t who;
    void *entry;

    while (idmap_each(&q->entries, &at, &who, &entry))
        quota_entry_free(entry);
    idmap_done(&q->entries);
}

void quota_free(struct quota *q)
{
    if (!q)
        return;
    forget_all(q);
    free(q);
}

void quota_clear(struct quota *q)
{
    forget_all(q);
    idmap_init(&q->entries);
}

struct quota_entry *quota_entry_new(uint64_t who)
{
    struct quota_entry *e = NEW(struct quota_entry);

    e->who = who;
    for (size_t w = 0; w < QUOTA_WINDOWS; w++)
        e->spans[w].begins = QUOTA_NEVER;
    return e;
}

void quota_span_forget(struct quota_span *s)
{
    quota_set_free(s->set);
    *s = (struct quota_span){ .begins = QUOTA_NEVER };
}

void quota_entry_free(struct quota_entry *e)
{
    for (size_t w = 0; w < QUOTA_WINDOWS; w++)
        quota_span_forget(&e->spans[w]);
    free(e);
}

static const struct quota_bounds *bounds_at(struct quota *q, int64_t wall_ms)
{
    const struct quota_bounds *b = &q->latest;

    if (wall_ms < b->begins[QUOTA_MINUTE] || wall_ms >= b->ends[QUOTA_MINUTE])
        q->latest = quota_bounds_of(wall_ms);
    return b;
}

/* Judging ---------------------------------------------------------------------------------------
 */

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What the message takes of a measure: of a window in which nothing is used yet. */
static uint64_t amount_of(const struct quota_use *use, enum quota_measure m)
{
    switch (m) {
    case QUOTA_MESSAGES:
        return 1;
    case QUOTA_RECIPIENTS:
        return use->recipients;
    case QUOTA_DISTINCT:
        return use->distinct_count;
    default:
        return use->bytes;
    }
}

/* `s`: of this very window, or NULL. */
static uint64_t amount_more(const struct quota_span *s, const struct quota_use *use,
                            enum quota_measure m)
{
    if (m == QUOTA_DISTINCT && s && s->set)
        return quota_set_missing(s->set, use->distinct, use->distinct_count);
    return amount_of(use, m);
}

static uint64_t used_of(const struct quota_span *s, enum quota_measure m)
{
    return s ? add(s->used[m], s->held[m]) : 0;
}

/* The share of the limit from which on it warns, rounded up. */
static uint64_t soft_of(uint64_t limit, uint32_t percent)
{
    return percent >= 100 ? limit : limit / 100 * percent + (limit % 100 * percent + 99) / 100;
}

/* A refusal is worse than a warning, one that no window ever ends worse than one that ends, and a
 * longer window worse than a shorter one. */
static unsigned gravity(const struct quota_verdict *v)
{
    if (v->code == CODE_NONE)
        return 0;
    return 1 + (unsigned)v->window + (v->code == CODE_QUOTA_SOFT ? 0 : QUOTA_WINDOWS) +
           (v->alone ? QUOTA_WINDOWS : 0);
}

/* One holder's limit of one measure in one window. */
static void judge_limit(const struct quota_span *s, const struct quota_use *use,
                        const struct quota_holder *h, struct quota_verdict *v)
{
    static const enum policy_code codes[QUOTA_WINDOWS] = { CODE_QUOTA_MINUTE, CODE_QUOTA_HOUR,
                                                           CODE_QUOTA_DAY, CODE_QUOTA_MONTH };
    uint64_t soft = soft_of(v->limit, h->soft_percent);

    v->used = used_of(s, v->measure);
    v->after = add(v->used, amount_more(s, use, v->measure));
    if (v->after > v->limit) {
        v->code = codes[v->window];
        v->alone = amount_of(use, v->measure) > v->limit;
    } else if (soft > 0 && v->used < soft && v->after >= soft) {
        v->code = CODE_QUOTA_SOFT;
    }
}

static void judge_holder(const struct quota_entry *e, const struct quota_bounds *b,
                         const struct quota_holder *h, size_t holder, const struct quota_use *use,
                         struct quota_verdict *worst)
{
    for (unsigned i = 0; i < QUOTA_WINDOWS * QUOTA_MEASURES; i++) {
        struct quota_verdict v = { .holder = holder,
                                   .window = i / QUOTA_MEASURES,
                                   .measure = i % QUOTA_MEASURES,
                                   .limit = h->limits[i] };
        const struct quota_span *s = e ? &e->spans[v.window] : NULL;

        if (v.limit == 0)
            continue;
        v.ends_wall_ms = b->ends[v.window];
        judge_limit(s && s->begins == b->begins[v.window] ? s : NULL, use, h, &v);
        if (gravity(&v) > gravity(worst))
            *worst = v;
    }
}

void quota_judge(struct quota *q, const struct quota_holder *holders, size_t count,
                 const struct quota_use *use, struct quota_verdict *ret)
{
    const struct quota_bounds *b = bounds_at(q, use->wall_ms);
    struct quota_verdict worst = { .code = CODE_NONE };

    for (size_t i = 0; i < count; i++)
        judge_holder(idmap_find(&q->entries, holders[i].who), b, &holders[i], i, use, &worst);
    *ret = worst;
}

unsigned quota_remembers(const uint64_t *limits)
{
    unsigned windows = 0;

    for (unsigned w = 0; w < QUOTA_WINDOWS; w++)
        windows |= (unsigned)(limits[w * QUOTA_MEASURES + QUOTA_DISTINCT] > 0) << w;
    return windows;
}

/* Counting --------------------------------------------------------------------------------------
 */

static struct quota_entry *entry_of(struct quota *q, uint64_t who)
{
    struct quota_entry *e = idmap_find(&q->entries, who);

    if (!e) {
        e = quota_entry_new(who);
        (void)idmap_put(&q->entries, who, e);
    }
    return e;
}

/* Of the window that begins then, rolled on to it if need be; NULL when it is over. */
static struct quota_span *span_of(struct quota_entry *e, enum quota_window w, int64_t begins,
                                  unsigned remembers)
{
    struct quota_span *s = &e->spans[w];

    if (begins < s->begins)
        return NULL;
    if (begins > s->begins) {
        quota_span_forget(s);
        s->begins = begins;
    }
    if (!s->set && (remembers >> w & 1))
        s->set = quota_set_new();
    return s;
}

static void set_note(struct quota_span *s)
{
    s->used[QUOTA_DISTINCT] = s->set->count;
    s->held[QUOTA_DISTINCT] = s->set->held.count;
}

void quota_hold(struct quota *q, uint64_t who, const struct quota_use *use, unsigned remembers)
{
    const struct quota_bounds *b = bounds_at(q, use->wall_ms);
    struct quota_entry *e = entry_of(q, who);

    for (unsigned w = 0; w < QUOTA_WINDOWS; w++) {
        struct quota_span *s = span_of(e, w, b->begins[w], remembers);

        if (!s)
            continue;
        s->held[QUOTA_MESSAGES] = add(s->held[QUOTA_MESSAGES], 1);
        s->held[QUOTA_RECIPIENTS] = add(s->held[QUOTA_RECIPIENTS], use->recipients);
        s->held[QUOTA_BYTES] = add(s->held[QUOTA_BYTES], use->bytes);
        if (!(remembers >> w & 1))
            continue;
        for (size_t i = 0; i < use->distinct_count; i++)
            quota_set_hold(s->set, use->distinct[i]);
        set_note(s);
    }
}

/* At least 0: where the window was forgotten meanwhile and begun again, this is not held there. */
static uint64_t take(uint64_t from, uint64_t amount)
{
    return from > amount ? from - amount : 0;
}

void quota_unhold(struct quota *q, uint64_t who, const struct quota_use *use, unsigned remembers)
{
    const struct quota_bounds *b = bounds_at(q, use->wall_ms);
    struct quota_entry *e = idmap_find(&q->entries, who);

    for (unsigned w = 0; e && w < QUOTA_WINDOWS; w++) {
        struct quota_span *s = &e->spans[w];

        if (s->begins != b->begins[w])
            continue;
        s->held[QUOTA_MESSAGES] = take(s->held[QUOTA_MESSAGES], 1);
        s->held[QUOTA_RECIPIENTS] = take(s->held[QUOTA_RECIPIENTS], use->recipients);
        s->held[QUOTA_BYTES] = take(s->held[QUOTA_BYTES], use->bytes);
        if (!s->set || !(remembers >> w & 1))
            continue;
        for (size_t i = 0; i < use->distinct_count; i++)
            quota_set_unhold(s->set, use->distinct[i]);
        set_note(s);
    }
}

void quota_count(struct quota *q, uint64_t who, const struct quota_use *use, unsigned remembers)
{
    const struct quota_bounds *b = bounds_at(q, use->wall_ms);
    struct quota_entry *e = entry_of(q, who);

    for (unsigned w = 0; w < QUOTA_WINDOWS; w++) {
        struct quota_span *s = span_of(e, w, b->begins[w], remembers);

        if (!s)
            continue;
        s->used[QUOTA_MESSAGES] = add(s->used[QUOTA_MESSAGES], 1);
        s->used[QUOTA_RECIPIENTS] = add(s->used[QUOTA_RECIPIENTS], use->recipients);
        s->used[QUOTA_BYTES] = add(s->used[QUOTA_BYTES], use->bytes);
        if (!(remembers >> w & 1))
            continue;
        for (size_t i = 0; i < use->distinct_count; i++)
            (void)quota_set_count(s->set, use->distinct[i]);
        set_note(s);
    }
}

uint64_t quota_used(const struct quota *q, uint64_t who, enum quota_window w, enum quota_measure m,
                    int64_t wall_ms)
{
    const struct quota_entry *e = idmap_find(&q->entries, who);

    if (!e || e->spans[w].begins != quota_bounds_of(wall_ms).begins[w])
        return 0;
    return used_of(&e->spans[w], m);
}

void quota_tidy(struct quota *q, int64_t wall_ms)
{
    struct quota_bounds b = quota_bounds_of(wall_ms);
    size_t at = 0;
    uint64_t who;
    void *value;

    while (idmap_each(&q->entries, &at, &who, &value)) {
        struct quota_entry *e = value;
        bool lives = false;

        for (size_t w = 0; w < QUOTA_WINDOWS; w++) {
            if (e->spans[w].begins != b.begins[w])
                quota_span_forget(&e->spans[w]);
            lives |= e->spans[w].begins != QUOTA_NEVER;
        }
        if (!lives) {
            (void)idmap_take(&q->entries, who);
            quota_entry_free(e);
        }
    }
}
