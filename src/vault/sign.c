// SPDX-License-Identifier: Apache-2.0
/* vault/sign.c - signatures for core: may this account sign so, then by a worker, then kept a while
 * for the next who asks the same (a message to many sites has one hash).
 *
 * A wish is one (key, hash); all who ask for it meanwhile wait with it. A key is read from the
 * database and opened once, and stays open in memory. What is ready to be signed is handed to the
 * workers in batches at the end of the turn: a hand-over costs more than an Ed25519 signature.
 *
 * Whatever fails is answered 451 with the reason: the mail waits, it never leaves unsigned (Y04).
 */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "vault/domains_own.h"
#include "vault/signing_key.h"

enum {
    WISHES_MAX = 8192,  /* kept, done ones included */
    WAITING_MAX = 4096, /* of them, not done */
    OPENINGS_MAX = 64,  /* keys that are being read at once */
    THREADS_MAX = 64,
    OPEN_MAX = 1024, /* keys in memory */
    BATCH_MAX = 16,
    HAND_OVER_ORDER = -1 /* before the links send: the answers come in a later turn */
};

struct asker { /* core, for one question */
    struct list link;
    uint64_t question;
};

struct wish {
    struct list link; /* in signer.done, least used first; in signer.ready; or of its open key */
    struct open_key *key;
    bool done;
    size_t signature_len;
    struct list askers;
    struct wish_name {
        uint64_t key;
        uint8_t hash[DKIM_HASH_BYTES];
    } name;
    uint8_t signature[SIGNATURE_BYTES_MAX];
};

struct open_key {
    struct list link; /* in signer.open, least used first */
    struct signer *signer;
    uint64_t id;
    enum dkim_algorithm algorithm;
    struct keybox_place place; /* selector: owned, behind the struct */
    struct signing_key *key;   /* NULL while it is being opened */
    struct list wishes;        /* that wait for that */
    unsigned used;             /* batches and wishes that have it in hand */
    bool forgotten;
};

struct batch {
    struct signer *signer;
    size_t count;
    struct batch_item {
        struct wish *wish;
        bool ok;
        struct err err;
    } items[BATCH_MAX];
};

struct signer {
    struct domains *domains;
    struct worker_pool *workers;
    unsigned batches, batches_max, openings;
    struct gate opened; /* one of them has ended */
    struct map wishes;
    struct idmap keys;
    struct list done, ready, open;
    size_t ready_count, waiting;
    uint32_t core_generation; /* whose questions these are */
    struct turn_end hand_over;
};

/* Answers -------------------------------------------------------------------------------------- */

static void answer(struct domains *d, uint64_t question, struct str signature, struct str text)
{
    struct channel *core = d->vault->core.channel;

    if (!core)
        return;
    struct wire_signed *f = wire_add(core, WIRE_SIGNED, signature.len + text.len);
    f->question = question;
    f->code = signature.len > 0 ? 0 : 451;
    wire_put(f, &f->signature, signature);
    wire_put(f, &f->text, text);
}

static void answer_all(struct signer *s, struct wish *w, struct str signature, struct str text)
{
    const bool same_core = s->core_generation == s->domains->vault->core.generation;

    LIST_EACH (&w->askers, struct asker, a, link) {
        if (same_core)
            answer(s->domains, a->question, signature, text);
        list_remove(&a->link);
        free(a);
    }
}

/* Wishes --------------------------------------------------------------------------------------- */

static struct str name_text(const struct wish_name *name)
{
    return str_make(name, sizeof *name);
}

static void key_release(struct open_key *k)
{
    k->used--;
    if (k->used > 0 || !k->forgotten)
        return;
    signing_key_free(k->key);
    free(k);
}

static void wish_free(struct signer *s, struct wish *w)
{
    (void)map_take(&s->wishes, name_text(&w->name));
    list_remove(&w->link);
    if (!w->done) {
        key_release(w->key);
        s->waiting--;
    }
    free(w);
}

static void wish_fail(struct signer *s, struct wish *w, const struct err *err)
{
    log_err(LOG_WARN, "signing-failed", err);
    answer_all(s, w, STR_NONE, str_of(err->text));
    wish_free(s, w);
}

static void wish_grant(struct signer *s, struct wish *w)
{
    w->done = true;
    s->waiting--;
    key_release(w->key);
    w->key = NULL;
    list_append(&s->done, &w->link);
    answer_all(s, w, str_make(w->signature, w->signature_len), STR_NONE);
}

static struct wish *wish_new(struct signer *s, struct open_key *k, const struct wish_name *name)
{
    struct wish *w = NEW(struct wish);

    if (s->wishes.count >= WISHES_MAX && !list_empty(&s->done))
        wish_free(s, LIST_FIRST(&s->done, struct wish, link));
    w->name = *name;
    w->key = k;
    k->used++;
    list_init(&w->askers);
    list_init(&w->link);
    (void)map_put(&s->wishes, name_text(&w->name), w);
    s->waiting++;
    return w;
}

static void wish_ready(struct signer *s, struct wish *w)
{
    list_append(&s->ready, &w->link);
    s->ready_count++;
}

/* Opening keys --------------------------------------------------------------------------------- */

struct opening {
    struct open_key *key;
    const struct keybox *box;
    struct buf sealed;
    bool ok;
    struct err err;
};

static bool read_sealed(struct control *c, void *arg, struct err *err)
{
    struct opening *o = arg;
    return control_read_sealed(c, o->key->id, &o->sealed, err);
}

/* On a worker. */
static void open_sealed(void *arg)
{
    struct opening *o = arg;
    struct buf plain;

    buf_init(&plain, SIGNING_KEY_BYTES_MAX);
    o->ok = keybox_unseal(o->box, &o->key->place, buf_str(&o->sealed), &plain, &o->err) &&
            signing_key_read(o->key->algorithm, buf_str(&plain), &o->key->key, &o->err);
    if (plain.cap > 0)
        mem_wipe(plain.ptr, plain.cap);
    buf_done(&plain);
}

/* It ends with its last user. */
static void key_detach(struct signer *s, struct open_key *k)
{
    (void)idmap_take(&s->keys, k->id);
    list_remove(&k->link);
    k->forgotten = true;
}

static void forget(struct signer *s, struct open_key *k)
{
    key_detach(s, k);
    k->used++;
    key_release(k);
}

/* All that waited for the key, one way or the other. */
static void opened(struct signer *s, struct opening *o)
{
    struct open_key *k = o->key;

    k->used++;
    LIST_EACH (&k->wishes, struct wish, w, link) {
        list_remove(&w->link);
        if (o->ok)
            wish_ready(s, w);
        else
            wish_fail(s, w, &o->err);
    }
    if (!o->ok && !k->forgotten)
        key_detach(s, k);
    key_release(k);
}

static void story_of_opening(void *arg)
{
    struct open_key *k = arg;
    struct signer *s = k->signer;
    struct domains *d = s->domains;
    struct opening *o = NEW(struct opening);

    o->key = k;
    o->box = d->box;
    buf_init(&o->sealed, SIGNING_KEY_BYTES_MAX);
    while (s->openings >= OPENINGS_MAX)
        gate_wait_always(&s->opened);
    s->openings++;
    if (operate_run(d->vault, read_sealed, o, &o->err) &&
        !worker_run(s->workers, open_sealed, o, &o->err))
        o->ok = false;
    if (!o->ok)
        (void)err_at(&o->err, "signing key");
    opened(s, o);
    s->openings--;
    gate_wake_one(&s->opened);
    buf_done(&o->sealed);
    free(o);
    key_release(k);
    d->stories--;
}

static struct open_key *key_open(struct signer *s, const struct key *k)
{
    struct open_key *o = mem_new(sizeof *o + k->selector.len);

    if (s->keys.count >= OPEN_MAX)
        forget(s, LIST_FIRST(&s->open, struct open_key, link));
    memcpy((char *)(o + 1), k->selector.ptr, k->selector.len);
    o->signer = s;
    o->id = k->id;
    o->algorithm = k->algorithm;
    o->place = (struct keybox_place){ k->grant->id, str_make(o + 1, k->selector.len) };
    o->used = 1; /* the story's */
    list_init(&o->wishes);
    list_append(&s->open, &o->link);
    (void)idmap_put(&s->keys, o->id, o);
    s->domains->stories++;
    (void)fiber_spawn("vault-open", story_of_opening, o);
    return o;
}

/* Batches -------------------------------------------------------------------------------------- */

/* On a worker. */
static void sign_batch(void *arg)
{
    struct batch *b = arg;

    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        struct wish *w = item->wish;
        item->ok = signing_key_sign(w->key->key, w->name.hash, w->signature, &w->signature_len,
                                    &item->err);
    }
}

static void batch_done(void *arg)
{
    struct batch *b = arg;
    struct signer *s = b->signer;

    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].ok)
            wish_grant(s, b->items[i].wish);
        else
            wish_fail(s, b->items[i].wish, &b->items[i].err);
    }
    free(b);
    s->batches--;
    s->domains->stories--;
}

/* Shares what is ready among the places that are free. */
static struct batch *batch_take(struct signer *s)
{
    const size_t places = s->batches_max - s->batches;
    size_t count = (s->ready_count + places - 1) / places;
    struct batch *b = NEW(struct batch);

    b->signer = s;
    if (count > BATCH_MAX)
        count = BATCH_MAX;
    while (b->count < count) {
        struct wish *w = LIST_FIRST(&s->ready, struct wish, link);
        list_remove(&w->link);
        s->ready_count--;
        b->items[b->count++].wish = w;
    }
    return b;
}

static void hand_over(void *arg)
{
    struct signer *s = arg;
    struct err err;

    while (s->ready_count > 0 && s->batches < s->batches_max) {
        struct batch *b = batch_take(s);
        s->batches++;
        s->domains->stories++;
        if (worker_submit(s->workers, sign_batch, batch_done, b, &err))
            continue;
        for (size_t i = 0; i < b->count; i++)
            b->items[i].err = err;
        batch_done(b);
    }
}

/* core's questions ----------------------------------------------------------------------------- */

static bool may_sign(const struct domains *d, const struct key *k, uint64_t account,
                     struct err *err)
{
    const struct account *a = roster_account_of_id(&d->vault->roster, account);

    if (!k)
        return err_set(err, ERR_NOT_FOUND, "the signing key was taken away");
    if (!grant_holds(k->grant) || k->state == KEY_PENDING)
        return err_set(err, ERR_DENIED, "the signing key of %.*s is not in force",
                       STR_FMT(k->grant->domain));
    if (str_eq(k->grant->domain, d->vault->config->dkim.also_sign) ||
        (a && grant_serves(k->grant, a)))
        return true;
    return err_set(err, ERR_DENIED, "the account may not sign for %.*s", STR_FMT(k->grant->domain));
}

static void refuse(struct domains *d, const struct wire_sign *f, const struct err *err)
{
    log_err(LOG_WARN, "signing-refused", err);
    answer(d, f->question, STR_NONE, str_of(err->text));
}

static void wait_for(struct wish *w, uint64_t question)
{
    struct asker *a = NEW(struct asker);

    a->question = question;
    list_append(&w->askers, &a->link);
}

static void wish_begin(struct signer *s, const struct key *k, const struct wish_name *name,
                       uint64_t question)
{
    struct open_key *o = idmap_find(&s->keys, k->id);

    if (!o)
        o = key_open(s, k);
    struct wish *w = wish_new(s, o, name);
    wait_for(w, question);
    list_remove(&o->link);
    list_append(&s->open, &o->link);
    if (o->key)
        wish_ready(s, w);
    else
        list_append(&o->wishes, &w->link);
}

/* Questions of a core that was restarted have nobody who reads the answers. */
static void watch_core(struct signer *s)
{
    const uint32_t generation = s->domains->vault->core.generation;
    struct str name;
    void *wish;
    size_t at = 0;

    if (s->core_generation == generation)
        return;
    while (map_each(&s->wishes, &at, &name, &wish))
        answer_all(s, wish, STR_NONE, STR_NONE);
    s->core_generation = generation;
}

bool domains_on_sign(struct domains *d, const struct wire_sign *f, struct err *err)
{
    struct signer *s = d->signer;
    const struct str hash = wire_get(f, f->hash);
    const struct key *k = key_of_id(&d->grants, f->key);
    struct wish_name name = { .key = f->key };
    struct err why;

    if (hash.len != DKIM_HASH_BYTES)
        return err_set(err, ERR_SYNTAX, "a hash of %zu octets is to be signed", hash.len);
    watch_core(s);
    memcpy(name.hash, hash.ptr, hash.len);
    if (!may_sign(d, k, f->account, &why)) {
        refuse(d, f, &why);
        return true;
    }
    struct wish *w = map_find(&s->wishes, name_text(&name));
    if (w && w->done) {
        list_remove(&w->link);
        list_append(&s->done, &w->link);
        answer(d, f->question, str_make(w->signature, w->signature_len), STR_NONE);
    } else if (w) {
        wait_for(w, f->question);
    } else if (s->waiting >= WAITING_MAX) {
        (void)err_set(&why, ERR_FULL, "too many signatures wait already");
        refuse(d, f, &why);
    } else {
        wish_begin(s, k, &name, f->question);
    }
    return true;
}

/* Its life ------------------------------------------------------------------------------------- */

bool signer_new(struct domains *d, struct signer **ret, struct err *err)
{
    struct signer *s = NEW(struct signer);
    const unsigned cores = worker_cores(), threads = cores < THREADS_MAX ? cores : THREADS_MAX;

    s->domains = d;
    s->batches_max = 2 * threads; /* so that a worker that is done has the next one at once */
    gate_init(&s->opened);
    map_init(&s->wishes);
    idmap_init(&s->keys);
    list_init(&s->done);
    list_init(&s->ready);
    list_init(&s->open);
    if (!signing_key_init(err) ||
        !worker_pool_new("vault-sign", threads, s->batches_max + WAITING_MAX, &s->workers, err)) {
        free(s);
        return false;
    }
    turn_end_add(&s->hand_over, HAND_OVER_ORDER, hand_over, s);
    *ret = s;
    return true;
}

void signer_free(struct signer *s)
{
    struct str name;
    void *wish;
    size_t at = 0;

    if (!s)
        return;
    turn_end_remove(&s->hand_over);
    worker_pool_free(s->workers);
    s->core_generation = s->domains->vault->core.generation - 1; /* nobody is answered */
    while (map_each(&s->wishes, &at, &name, &wish)) {
        answer_all(s, wish, STR_NONE, STR_NONE);
        wish_free(s, wish);
    }
    LIST_EACH (&s->open, struct open_key, k, link)
        forget(s, k);
    map_done(&s->wishes);
    idmap_done(&s->keys);
    free(s);
}

void signer_forget(struct signer *s, uint64_t key)
{
    struct open_key *k = idmap_find(&s->keys, key);

    if (k)
        forget(s, k);
}
