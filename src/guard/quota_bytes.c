// SPDX-License-Identifier: Apache-2.0
/* guard/quota_bytes.c - the table as bytes: a version, how many entries; of each its holder, which
 * windows it has, and of each of these when it began, what is used, and who the distinct recipients
 * were. Little-endian. */
#include <inttypes.h>

#include "guard/quota_table.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "written as it lies in memory");

enum { QUOTA_VERSION = 1, HAS_SET = 1 << QUOTA_WINDOWS };

static bool write_u64(struct buf *to, uint64_t v)
{
    return buf_add(to, str_make(&v, sizeof v));
}

static bool eat_u64(struct str *in, uint64_t *ret)
{
    if (in->len < sizeof *ret)
        return false;
    memcpy(ret, in->ptr, sizeof *ret);
    *in = str_skip(*in, sizeof *ret);
    return true;
}

/* Bit w: it has this window; bit w + QUOTA_WINDOWS: with its distinct recipients. */
static uint64_t parts_of(const struct quota_entry *e)
{
    uint64_t parts = 0;

    for (unsigned w = 0; w < QUOTA_WINDOWS; w++)
        if (e->spans[w].begins != QUOTA_NEVER)
            parts |= (e->spans[w].set ? 1 | HAS_SET : 1u) << w;
    return parts;
}

static void write_set(struct buf *to, const struct quota_set *s)
{
    write_u64(to, s->count);
    for (size_t i = 0; i < s->cap; i++)
        if (s->slots[i] != 0)
            write_u64(to, s->slots[i]);
}

static void write_entry(struct buf *to, const struct quota_entry *e)
{
    write_u64(to, e->who);
    write_u64(to, parts_of(e));
    for (size_t w = 0; w < QUOTA_WINDOWS; w++) {
        const struct quota_span *s = &e->spans[w];

        if (s->begins == QUOTA_NEVER)
            continue;
        write_u64(to, (uint64_t)s->begins);
        write_u64(to, s->used[QUOTA_MESSAGES]);
        write_u64(to, s->used[QUOTA_RECIPIENTS]);
        write_u64(to, s->used[QUOTA_BYTES]);
        if (s->set)
            write_set(to, s->set);
    }
}

bool quota_write(const struct quota *q, struct buf *to)
{
    size_t at = 0;
    uint64_t who;
    void *entry;

    write_u64(to, QUOTA_VERSION);
    write_u64(to, q->entries.count);
    while (idmap_each(&q->entries, &at, &who, &entry))
        write_entry(to, entry);
    return buf_ok(to);
}

static bool read_set(struct str *in, struct quota_span *s)
{
    uint64_t count, hash;

    if (!eat_u64(in, &count) || count > in->len / sizeof hash)
        return false;
    s->set = quota_set_new();
    while (count-- > 0)
        if (!eat_u64(in, &hash) || hash == 0 || !quota_set_count(s->set, hash))
            return false;
    s->used[QUOTA_DISTINCT] = s->set->count;
    return true;
}

static bool read_span(struct str *in, enum quota_window w, bool has_set, struct quota_span *s)
{
    uint64_t begins;

    if (!eat_u64(in, &begins) || begins > INT64_MAX / 2 ||
        quota_bounds_of((int64_t)begins).begins[w] != (int64_t)begins)
        return false;
    s->begins = (int64_t)begins;
    return eat_u64(in, &s->used[QUOTA_MESSAGES]) && eat_u64(in, &s->used[QUOTA_RECIPIENTS]) &&
           eat_u64(in, &s->used[QUOTA_BYTES]) && (!has_set || read_set(in, s));
}

static bool read_spans(struct str *in, struct quota_entry *e)
{
    uint64_t parts;

    if (!eat_u64(in, &parts) || parts >> 2 * QUOTA_WINDOWS != 0 ||
        (parts >> QUOTA_WINDOWS & ~parts) != 0)
        return false;
    for (unsigned w = 0; w < QUOTA_WINDOWS; w++)
        if ((parts >> w & 1) && !read_span(in, w, (parts >> w & HAS_SET) != 0, &e->spans[w]))
            return false;
    return true;
}

static bool read_entry(struct quota *q, struct str *in)
{
    struct quota_entry *e;
    uint64_t who;

    if (!eat_u64(in, &who) || idmap_find(&q->entries, who))
        return false;
    e = quota_entry_new(who);
    (void)idmap_put(&q->entries, who, e);
    return read_spans(in, e);
}

bool quota_read(struct quota *q, struct str bytes, struct err *err)
{
    uint64_t version, count;

    quota_clear(q);
    if (!eat_u64(&bytes, &version) || version != QUOTA_VERSION || !eat_u64(&bytes, &count))
        return err_set(err, ERR_DAMAGED, "not a table of quotas that we know");
    while (count > 0 && read_entry(q, &bytes))
        count--;
    if (count == 0 && bytes.len == 0)
        return true;
    quota_clear(q);
    return err_set(err, ERR_DAMAGED, "the table of quotas is not one that we wrote");
}
