// SPDX-License-Identifier: Apache-2.0
/* vault/keysmith.c - new signing keys: for grants that have none, for those that were asked for,
 * and successors of those that grew old. One story makes them, a worker computes them.
 *
 * A slot is what signs side by side: an algorithm, and a stream that has keys of its own, or none.
 * A key gets its selector when it is made: b<n>r or b<n>e, <n> one more than any that the domain
 * has, of whichever account, so that no name is used for two keys while either may be in a cache.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"
#include "vault/domains_own.h"
#include "vault/signing_key.h"

enum { SLOTS_MAX = 16, SELECTOR_MAX = 32 };

struct slot {
    enum dkim_algorithm algorithm;
    uint64_t stream;
};

/* What is wanted ------------------------------------------------------------------------------- */

static bool wants(struct str settings, enum dkim_algorithm algorithm)
{
    const struct str word = fields_get(NOUN_DOMAIN, settings, "algorithms");

    return str_eq(word, STR("both")) ||
           str_eq(word, algorithm == DKIM_RSA_SHA256 ? STR("rsa") : STR("ed25519"));
}

static size_t add_slots(struct str settings, uint64_t stream, struct slot slots[SLOTS_MAX],
                        size_t count)
{
    for (enum dkim_algorithm a = DKIM_RSA_SHA256; a <= DKIM_ED25519_SHA256; a++)
        if (wants(settings, a) && count < SLOTS_MAX)
            slots[count++] = (struct slot){ a, stream };
    return count;
}

static size_t slots_of(const struct grant *g, struct str settings, struct slot slots[SLOTS_MAX])
{
    struct str names = fields_get(NOUN_DOMAIN, settings, "streams"), name;
    size_t count = add_slots(settings, 0, slots, 0);

    while (str_next(&names, ',', &name)) {
        const struct stream *s = roster_stream(g->account, str_trim(name));
        if (s)
            count = add_slots(settings, s->id, slots, count);
    }
    return count;
}

/* The newest that is not retired. */
static const struct key *newest(const struct grant *g, const struct slot *slot)
{
    const struct key *found = NULL;

    LIST_EACH (&g->keys, struct key, k, link)
        if (k->algorithm == slot->algorithm && k->stream == slot->stream &&
            k->state != KEY_RETIRING)
            found = k;
    return found;
}

enum why_make { MISSING_ONLY, MISSING_OR_OLD, SUCCESSORS };

static bool slot_wants(const struct domains *d, const struct grant *g, const struct slot *slot,
                       enum why_make why)
{
    const int64_t rotate_ms = d->vault->config->dkim.rotate_ms;
    const struct key *k = newest(g, slot);

    if (!k)
        return true;
    switch (why) {
    case MISSING_OR_OLD:
        return rotate_ms > 0 && k->state == KEY_ACTIVE &&
               clock_wall_ms() - k->published_wall_ms >= rotate_ms;
    case SUCCESSORS:
        return k->published_wall_ms != 0; /* else it is a successor that nobody has published */
    default:
        return false;
    }
}

static size_t slots_wanted(const struct domains *d, const struct grant *g, enum why_make why,
                           struct slot wanted[SLOTS_MAX])
{
    struct slot slots[SLOTS_MAX];
    size_t all = slots_of(g, g->settings, slots), count = 0;

    for (size_t i = 0; i < all; i++)
        if (slot_wants(d, g, &slots[i], why))
            wanted[count++] = slots[i];
    return count;
}

static bool has_slot(const struct key *k, const struct slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slots[i].algorithm == k->algorithm && slots[i].stream == k->stream)
            return true;
    return false;
}

size_t keysmith_unwanted(const struct grant *g, struct str settings, uint64_t ids[LOOK_KEYS_MAX])
{
    struct slot slots[SLOTS_MAX];
    const size_t slot_count = slots_of(g, settings, slots);
    size_t count = 0;

    LIST_EACH (&g->keys, struct key, k, link)
        if (!has_slot(k, slots, slot_count) && count < LOOK_KEYS_MAX)
            ids[count++] = k->id;
    return count;
}

bool keysmith_wanted(const struct domains *d, const struct grant *g)
{
    struct slot wanted[SLOTS_MAX];

    return slots_wanted(d, g, MISSING_OR_OLD, wanted) > 0;
}

static bool lacks_keys(const struct domains *d, const struct grant *g)
{
    struct slot wanted[SLOTS_MAX];

    return slots_wanted(d, g, MISSING_ONLY, wanted) > 0;
}

/* Selectors ------------------------------------------------------------------------------------ */

/* <n> of b<n>r and b<n>e; 0: none of ours. */
static uint64_t selector_number(struct str selector)
{
    uint64_t n;

    if (selector.len < 3 || selector.ptr[0] != 'b')
        return 0;
    struct str rest = str_skip(selector, 1);
    return str_eat_u64(&rest, &n) && rest.len == 1 ? n : 0;
}

static uint64_t next_number(const struct domains *d, struct str domain)
{
    uint64_t most = 0;

    for (struct grant *g = grants_named(&d->grants, domain); g; g = g->next)
        LIST_EACH (&g->keys, struct key, k, link) {
            uint64_t n = selector_number(k->selector);
            most = n > most ? n : most;
        }
    return most + 1;
}

/* Streams of their own have numbers of their own: each slot of one (stream) shares the number. */
static uint64_t slot_number(uint64_t first, const struct slot *slots, size_t at)
{
    uint64_t number = first;

    for (size_t i = 1; i <= at; i++)
        number += slots[i].stream != slots[i - 1].stream;
    return number;
}

/* Making --------------------------------------------------------------------------------------- */

struct made_key {
    char selector[SELECTOR_MAX];
    struct buf sealed, record;
    uint64_t id;
};

struct making {
    struct domains *d;
    struct grant *grant;
    struct slot slots[SLOTS_MAX];
    struct made_key keys[SLOTS_MAX];
    size_t count;
    int64_t wall_ms;
    /* the one that is at the worker */
    size_t at;
    uint64_t grant_id;
    bool ok;
    struct err err;
};

static struct str selector_of(const struct made_key *k)
{
    return str_of(k->selector);
}

static bool seal_key(const struct making *m, struct made_key *made, const struct signing_key *key,
                     struct err *err)
{
    const struct keybox_place place = { m->grant_id, selector_of(made) };
    struct buf plain;

    buf_init(&plain, SIGNING_KEY_BYTES_MAX);
    bool ok = signing_key_write(key, &plain, err);
    if (ok)
        keybox_seal(m->d->box, &place, buf_str(&plain), &made->sealed);
    if (plain.cap > 0)
        mem_wipe(plain.ptr, plain.cap);
    buf_done(&plain);
    return ok && (buf_ok(&made->sealed) || err_set(err, ERR_LIMIT, "the sealed key is too long"));
}

/* On the worker. */
static void make_one(void *arg)
{
    struct making *m = arg;
    struct made_key *made = &m->keys[m->at];
    struct signing_key *key;

    m->ok = signing_key_make(m->slots[m->at].algorithm, &key, &made->record, &m->err);
    if (!m->ok)
        return;
    m->ok = seal_key(m, made, key, &m->err);
    signing_key_free(key);
}

static struct key_row row_of(const struct making *m, size_t i)
{
    return (struct key_row){ .id = m->keys[i].id,
                             .grant = m->grant_id,
                             .stream = m->slots[i].stream,
                             .selector = selector_of(&m->keys[i]),
                             .record = buf_str(&m->keys[i].record),
                             .sealed = buf_str(&m->keys[i].sealed),
                             .algorithm = m->slots[i].algorithm,
                             .state = KEY_PENDING,
                             .created_wall_ms = m->wall_ms };
}

static bool write_keys(struct control *c, void *arg, struct err *err)
{
    struct making *m = arg;

    for (size_t i = 0; i < m->count; i++) {
        const struct key_row row = row_of(m, i);
        if (!control_add_key(c, &row, &m->keys[i].id, err))
            return false;
    }
    return true;
}

static bool compute(struct making *m, struct err *err)
{
    for (m->at = 0; m->at < m->count; m->at++) {
        if (!worker_run(m->d->smithy, make_one, m, err))
            return false;
        if (!m->ok) {
            *err = m->err;
            return false;
        }
        if (m->grant->gone || m->d->closing)
            return err_set(err, ERR_NOT_FOUND, "the domain was taken away meanwhile");
    }
    return true;
}

static void name_keys(struct making *m)
{
    static const char letters[] = { [DKIM_RSA_SHA256] = 'r', [DKIM_ED25519_SHA256] = 'e' };
    const uint64_t first = next_number(m->d, m->grant->domain);

    for (size_t i = 0; i < m->count; i++) {
        struct buf name;
        buf_init(&name, SELECTOR_MAX - 1);
        buf_addf(&name, "b%llu%c", (unsigned long long)slot_number(first, m->slots, i),
                 letters[m->slots[i].algorithm]);
        assert(buf_ok(&name));
        memcpy(m->keys[i].selector, name.ptr, name.len);
        buf_done(&name);
        buf_init(&m->keys[i].sealed, 2 * SIGNING_KEY_BYTES_MAX);
        buf_init(&m->keys[i].record, KEY_RECORD_BYTES_MAX);
    }
}

static struct str names_text(const struct making *m, struct buf *to)
{
    for (size_t i = 0; i < m->count; i++)
        buf_addf(to, "%s%s", i > 0 ? ", " : "selectors ", m->keys[i].selector);
    return buf_str(to);
}

static bool record_keys(struct making *m, const struct request *r, struct err *err)
{
    struct buf text;

    buf_init(&text, SLOTS_MAX * SELECTOR_MAX + 32);
    struct change change = { .verb = "key-added",
                             .actor = r ? r->actor : STR("baton"),
                             .account = m->grant->account->name,
                             .name = m->grant->domain,
                             .detail = names_text(m, &text) };
    bool ok = operate_change(m->d->vault, &change, write_keys, m, err);
    buf_done(&text);
    return ok;
}

static void take_keys(struct making *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct key_row row = row_of(m, i);
        key_add(&m->d->grants, m->grant, &row);
    }
    domain_tell(m->d, m->grant);
    m->grant->wait_ms = 0;
    checker_watch(m->d, m->grant, m->d->vault->config->proof.pending_ms);
}

static void keys_done(struct making *m)
{
    for (size_t i = 0; i < m->count; i++) {
        buf_done(&m->keys[i].sealed);
        buf_done(&m->keys[i].record);
    }
    free(m);
}

/* The caller holds the grant. One after the other, since a number is taken when it is in memory. */
static bool make(struct domains *d, struct grant *g, enum why_make why, const struct request *r,
                 struct err *err)
{
    struct making *m = NEW(struct making);

    while (d->forging)
        gate_wait_always(&d->changed);
    if (g->gone || d->closing) {
        free(m);
        return err_set(err, ERR_NOT_FOUND, "the domain was taken away meanwhile");
    }
    d->forging = g->making = true;
    *m = (struct making){ .d = d, .grant = g, .grant_id = g->id, .wall_ms = clock_wall_ms() };
    m->count = slots_wanted(d, g, why, m->slots);
    name_keys(m);
    bool ok = m->count == 0 || (compute(m, err) && record_keys(m, r, err));
    d->forging = g->making = false;
    if (ok && !g->gone)
        take_keys(m);
    gate_wake_all(&d->changed);
    keys_done(m);
    return ok;
}

/* The story ------------------------------------------------------------------------------------ */

static void story(void *arg)
{
    struct domains *d = arg;

    while (!d->closing && !list_empty(&d->keyless)) {
        struct grant *g = LIST_FIRST(&d->keyless, struct grant, keyless);
        struct err err;
        list_remove(&g->keyless);
        if (g->making || !keysmith_wanted(d, g))
            continue;
        grant_hold(g);
        if (!make(d, g, MISSING_OR_OLD, NULL, &err) && !g->gone && !d->closing)
            log_err(LOG_WARN, "key-unmade", &err); /* the next look at the domain wants it again */
        grant_drop(g);
    }
    d->smith_works = false;
    d->stories--;
}

void keysmith_wake(struct domains *d, struct grant *g, bool soon)
{
    if (!d->started || d->closing || !keysmith_wanted(d, g))
        return;
    list_remove(&g->keyless);
    if (soon)
        list_prepend(&d->keyless, &g->keyless);
    else
        list_append(&d->keyless, &g->keyless);
    if (d->smith_works)
        return;
    d->smith_works = true;
    d->stories++;
    (void)fiber_spawn("vault-keys", story, d);
}

void keysmith_forget(struct grant *g)
{
    list_remove(&g->keyless);
}

bool keysmith_await(struct domains *d, struct grant *g, int64_t deadline_ms, struct err *err)
{
    bool ok = true;

    grant_hold(g);
    keysmith_wake(d, g, /* soon= */ true);
    while (ok && !g->gone && !d->closing && (g->making || lacks_keys(d, g)))
        ok = gate_wait(&d->changed, deadline_ms, err);
    if (ok && (g->gone || d->closing))
        ok = err_set(err, ERR_NOT_FOUND, "the domain was taken away meanwhile");
    grant_drop(g);
    return ok;
}

bool keysmith_rotate(struct domains *d, struct grant *g, const struct request *r, struct err *err)
{
    struct slot wanted[SLOTS_MAX];
    bool ok;

    d->stories++;
    grant_hold(g);
    if (slots_wanted(d, g, SUCCESSORS, wanted) == 0)
        ok = err_set(err, ERR_EXISTS,
                     "new keys of %.*s wait already: they sign once their records are published",
                     STR_FMT(g->domain));
    else
        ok = r->dry_run || make(d, g, SUCCESSORS, r, err);
    grant_drop(g);
    d->stories--;
    return ok;
}
