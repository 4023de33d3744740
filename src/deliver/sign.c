// SPDX-License-Identifier: Apache-2.0
/* deliver/sign.c - from a rendered message to one with its signatures in front.
 *
 * They come last: after the edits and after the conversion, over what is really sent (fault Y02),
 * and each over the header without the others. All keys are asked at once. */
#include "deliver/sign.h"

#include "io/loop.h"

/* Vault signs within a millisecond; it may have to start again first. */
#define ANSWER_WAIT_MS 60000
#define SIGNATURE_BYTES_MAX 1024
/* What two usual fields take, so that memory is asked for once. */
#define FIELDS_BYTES 2048

/* Frames -------------------------------------------------------------------------------------- */

bool sign_add(struct deliver *d, const struct wire_job_sign *f, struct err *err)
{
    struct job *j = idmap_find(&d->jobs, f->job);
    struct job_sign *s;

    if (!j || j->gone_off)
        return err_set(err, ERR_SYNTAX, "job %llu is not gathering", (unsigned long long)f->job);
    if (j->sign_count == JOB_SIGNS_MAX)
        return err_set(err, ERR_LIMIT, "a job of over %d signatures", JOB_SIGNS_MAX);
    if (f->algorithm != DKIM_RSA_SHA256 && f->algorithm != DKIM_ED25519_SHA256)
        return err_set(err, ERR_SYNTAX, "a key of unknown algorithm %u", f->algorithm);
    s = &j->signs[j->sign_count++];
    *s = (struct job_sign){ .key = f->key };
    s->with = (struct dkim_sign){
        .algorithm = (enum dkim_algorithm)f->algorithm,
        .domain = arena_str(&j->arena, wire_get(f, f->domain)),
        .selector = arena_str(&j->arena, wire_get(f, f->selector)),
        .signed_s = f->signed_s,
        .expires_s = f->expires_s,
    };
    return true;
}

static struct job_sign *find_asked(struct job *j, uint64_t key)
{
    for (size_t i = 0; i < j->sign_count; i++)
        if (j->signs[i].key == key && j->signs[i].asked && !j->signs[i].answered)
            return &j->signs[i];
    return NULL;
}

bool sign_answer(struct deliver *d, const struct wire_job_signed *f, struct err *err)
{
    struct job *j = idmap_find(&d->jobs, f->job);
    struct job_sign *s;

    if (!j)
        return true; /* it was given up meanwhile */
    s = find_asked(j, f->key);
    if (!s)
        return err_set(err, ERR_SYNTAX, "job %llu: a signature that nobody asked for",
                       (unsigned long long)f->job);
    s->answered = true;
    s->code = f->code;
    s->signature = arena_str(&j->arena, wire_get(f, f->signature));
    s->text = arena_str(&j->arena, wire_get(f, f->text));
    gate_wake_all(&j->arrived);
    return true;
}

/* What is to be signed ------------------------------------------------------------------------ */

/* Core knows the hash of the body as it was received, unless no hash was wanted then. */
static bool hash_body(struct render *r, uint8_t ret[DKIM_HASH_BYTES], struct err *err)
{
    struct dkim_body *b = &r->job->role->body;

    if (!r->is_converted && r->job->has_body_hash) {
        memcpy(ret, r->job->body_hash, DKIM_HASH_BYTES);
        return true;
    }
    if (!r->is_converted && !r->whole && !render_gather(r, err))
        return false;
    dkim_body_begin(b, DKIM_RELAXED, UINT64_MAX);
    dkim_body_add(b, render_body(r));
    dkim_body_end(b, ret);
    return true;
}

/* The fields as they stand before they are signed, one behind the other. */
struct fields {
    struct buf bytes;
    size_t ends[JOB_SIGNS_MAX];
};

static struct str field_of(const struct fields *f, size_t i)
{
    size_t from = i > 0 ? f->ends[i - 1] : 0;

    return str_sub(buf_str(&f->bytes), from, f->ends[i] - from);
}

static void ask(struct job *j, struct job_sign *s, const uint8_t hash[DKIM_HASH_BYTES])
{
    struct wire_sign_ask *f = wire_add(j->role->core->channel, WIRE_SIGN_ASK, DKIM_HASH_BYTES);

    f->job = j->number;
    f->key = s->key;
    wire_put(f, &f->hash, str_make(hash, DKIM_HASH_BYTES));
    s->asked = true;
    s->answered = false;
}

static bool ask_all(struct render *r, struct fields *f, struct err *err)
{
    struct job *j = r->job;
    uint8_t body_hash[DKIM_HASH_BYTES], hash[JOB_SIGNS_MAX][DKIM_HASH_BYTES];
    struct str section;

    if (!hash_body(r, body_hash, err))
        return false;
    section = render_section(r);
    for (size_t i = 0; i < j->sign_count; i++) {
        if (!dkim_sign_begin(&f->bytes, section, &j->signs[i].with, body_hash, hash[i], err))
            return false;
        f->ends[i] = f->bytes.len;
    }
    if (j->abandoned || !j->role->core)
        return err_set(err, ERR_CLOSED, "core took the job back");
    for (size_t i = 0; i < j->sign_count; i++)
        ask(j, &j->signs[i], hash[i]);
    return true;
}

/* Answers ------------------------------------------------------------------------------------- */

static bool all_answered(const struct job *j)
{
    for (size_t i = 0; i < j->sign_count; i++)
        if (!j->signs[i].answered)
            return false;
    return true;
}

static bool await_all(struct job *j, struct err *err)
{
    int64_t deadline_ms = loop_now_ms() + ANSWER_WAIT_MS;

    while (!j->abandoned && !all_answered(j))
        if (!gate_wait(&j->arrived, deadline_ms, err))
            return err_at(err, "signing");
    if (j->abandoned)
        return err_set(err, ERR_CLOSED, "core took the job back");
    return true;
}

static bool answers_ok(const struct job *j, struct err *err)
{
    for (size_t i = 0; i < j->sign_count; i++) {
        const struct job_sign *s = &j->signs[i];

        if (s->code != 0)
            return err_set(err, ERR_DENIED, "not signed for %.*s: %.*s", STR_FMT(s->with.domain),
                           STR_FMT(s->text));
        if (s->signature.len == 0 || s->signature.len > SIGNATURE_BYTES_MAX)
            return err_set(err, ERR_SYNTAX, "not signed for %.*s: a signature of %zu octets",
                           STR_FMT(s->with.domain), s->signature.len);
    }
    return true;
}

static bool put_in_front(struct render *r, const struct fields *f, struct err *err)
{
    const struct job *j = r->job;
    struct buf whole;
    bool ok = true;

    buf_init(&whole, SIGNATURES_BYTES_MAX);
    (void)buf_room(&whole, FIELDS_BYTES);
    for (size_t i = 0; i < j->sign_count; i++)
        ok = ok && dkim_sign_end(&whole, field_of(f, i), j->signs[i].signature);
    ok = ok ? render_sign(r, buf_str(&whole), err)
            : err_set(err, ERR_LIMIT, "signatures over %u octets", SIGNATURES_BYTES_MAX);
    buf_done(&whole);
    return ok;
}

bool sign_rendered(struct render *r, struct err *err)
{
    struct fields f;
    bool ok;

    if (r->job->sign_count == 0 || render_is_signed(r))
        return true;
    buf_init(&f.bytes, SIGNATURES_BYTES_MAX);
    (void)buf_room(&f.bytes, FIELDS_BYTES);
    ok = ask_all(r, &f, err) && await_all(r->job, err) && answers_ok(r->job, err) &&
         put_in_front(r, &f, err);
    buf_done(&f.bytes);
    return ok;
}
