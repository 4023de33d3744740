// SPDX-License-Identifier: Apache-2.0
/* deliver/sign.c - from a rendered message to one with its signatures in front.
 *
 * They come last: after the edits and after the conversion, over what is really sent (fault Y02),
 * and each over the header without the others. All keys are asked at once, and while the job still
 * waits in its site's queue where that can be. */
#include "deliver/sign.h"

#include "deliver/connection.h"
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

/* Asking -------------------------------------------------------------------------------------- */

static struct str field_of(const struct job *j, size_t i)
{
    size_t from = i > 0 ? j->sign_ends[i - 1] : 0;

    return str_sub(buf_str(&j->sign_fields), from, j->sign_ends[i] - from);
}

static void hash_body(struct deliver *d, struct str body, uint8_t ret[DKIM_HASH_BYTES])
{
    dkim_body_begin(&d->body, DKIM_RELAXED, UINT64_MAX);
    dkim_body_add(&d->body, body);
    dkim_body_end(&d->body, ret);
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

/* Makes the fields for this header and body; asks for all of their hashes, or for none. */
static bool ask_all(struct job *j, enum sign_form form, struct str section,
                    const uint8_t body_hash[DKIM_HASH_BYTES], struct err *err)
{
    uint8_t hash[JOB_SIGNS_MAX][DKIM_HASH_BYTES];

    j->sign_form = SIGN_NONE;
    buf_clear(&j->sign_fields);
    (void)buf_room(&j->sign_fields, FIELDS_BYTES);
    for (size_t i = 0; i < j->sign_count; i++) {
        if (!dkim_sign_begin(&j->sign_fields, section, &j->signs[i].with, body_hash, hash[i], err))
            return false;
        j->sign_ends[i] = j->sign_fields.len;
    }
    if (j->abandoned || !j->role->core)
        return err_set(err, ERR_CLOSED, "core took the job back");
    for (size_t i = 0; i < j->sign_count; i++)
        ask(j, &j->signs[i], hash[i]);
    j->sign_form = form;
    return true;
}

/* Core knows the hash of the body as it was received, unless no hash was wanted then. */
static bool ask_rendered(struct render *r, enum sign_form form, struct err *err)
{
    struct job *j = r->job;
    uint8_t body_hash[DKIM_HASH_BYTES];

    if (form == SIGN_AS_IS && j->has_body_hash)
        memcpy(body_hash, j->body_hash, DKIM_HASH_BYTES);
    else if (form == SIGN_AS_IS && !r->whole && !render_gather(r, err))
        return false;
    else
        hash_body(j->role, render_body(r), body_hash);
    return ask_all(j, form, render_section(r), body_hash, err);
}

static bool is_talked_to(const struct site *s)
{
    LIST_EACH (&s->connections, struct connection, c, link)
        if (c->open)
            return true;
    return false;
}

static bool may_ask_ahead(const struct job *j)
{
    return j->sign_count > 0 && j->sign_form == SIGN_NONE && j->gone_off &&
           j->content.len == j->received && j->received >= j->header_bytes &&
           (j->has_body_hash || job_is_whole(j)) && is_talked_to(j->site);
}

/* What fails here fails again when the job's turn comes, and is told then. */
void sign_ahead(struct job *j)
{
    uint8_t body_hash[DKIM_HASH_BYTES];
    struct str content = buf_str(&j->content);
    struct buf section;

    if (!may_ask_ahead(j))
        return;
    buf_init(&section, RENDER_HEADER_MAX);
    if (j->has_body_hash)
        memcpy(body_hash, j->body_hash, DKIM_HASH_BYTES);
    else
        hash_body(j->role, str_skip(content, j->header_bytes), body_hash);
    if (!render_header(j, content, &section, NULL) ||
        !ask_all(j, SIGN_AS_IS, buf_str(&section), body_hash, NULL))
        buf_clear(&j->sign_fields);
    buf_done(&section);
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

static bool put_in_front(struct render *r, struct err *err)
{
    const struct job *j = r->job;
    struct buf whole;
    bool ok = true;

    buf_init(&whole, SIGNATURES_BYTES_MAX);
    (void)buf_room(&whole, FIELDS_BYTES);
    for (size_t i = 0; i < j->sign_count; i++)
        ok = ok && dkim_sign_end(&whole, field_of(j, i), j->signs[i].signature);
    ok = ok ? render_sign(r, buf_str(&whole), err)
            : err_set(err, ERR_LIMIT, "signatures over %u octets", SIGNATURES_BYTES_MAX);
    buf_done(&whole);
    return ok;
}

/* An answer does not say for which form it is: those that are due are heard before another is asked
 * for. What was refused ahead is asked for once more: vault may have come back meanwhile. */
bool sign_rendered(struct render *r, struct err *err)
{
    struct job *j = r->job;
    enum sign_form form = r->is_converted ? SIGN_CONVERTED : SIGN_AS_IS;

    if (j->sign_count == 0 || render_is_signed(r))
        return true;
    if (j->sign_form != SIGN_NONE && !await_all(j, err))
        return false;
    if ((j->sign_form != form || !answers_ok(j, NULL)) &&
        (!ask_rendered(r, form, err) || !await_all(j, err)))
        return false;
    return answers_ok(j, err) && put_in_front(r, err);
}
