// SPDX-License-Identifier: Apache-2.0
/* deliver/job.c - gathers a job from core's frames and lets its content flow.
 *
 * Core is believed to mean well, not to be right: sizes, order and addresses are looked at again,
 * and a contradiction ends the channel. */
#include "deliver/job.h"

#include <stdlib.h>

#include "deliver/sign.h"
#include "deliver/site.h"
#include "io/loop.h"
#include "io/ring.h"

#define SPARE_JOBS_MAX 256
#define SPARE_FIELDS_BYTES (8u * 1024)
#define ARENA_BLOCK_BYTES 1024
/* Core's extents are at most this long (accept gathers as much into one chunk). */
#define EXTENT_BYTES_MAX (64u * 1024)
/* Credit is told this often; the ring is many times larger. */
#define CREDIT_BYTES (1024u * 1024)

static struct job *job_new(struct deliver *d)
{
    struct job *j = LIST_FIRST(&d->spare_jobs, struct job, link);

    if (j) {
        list_remove(&j->link);
        d->spare_job_count--;
        return j;
    }
    j = NEW(struct job);
    j->role = d;
    list_init(&j->link);
    arena_init(&j->arena, ARENA_BLOCK_BYTES);
    buf_init(&j->content, JOB_WINDOW_BYTES + EXTENT_BYTES_MAX);
    buf_init(&j->sign_fields, SIGNATURES_BYTES_MAX);
    gate_init(&j->arrived);
    return j;
}

static void job_destroy(struct job *j)
{
    arena_done(&j->arena);
    buf_done(&j->content);
    buf_done(&j->sign_fields);
    free(j->rcpts);
    free(j);
}

/* A spare job keeps its small buffers; large ones go back. */
void job_free(struct job *j)
{
    struct deliver *d = j->role;

    if (d->spare_job_count == SPARE_JOBS_MAX || d->ending || j->content.cap > EXTENT_BYTES_MAX) {
        job_destroy(j);
        return;
    }
    if (j->sign_fields.cap > SPARE_FIELDS_BYTES)
        buf_done(&j->sign_fields);
    arena_reset(&j->arena);
    *j = (struct job){ .role = d,
                       .rcpts = j->rcpts,
                       .rcpt_cap = j->rcpt_cap,
                       .arena = j->arena,
                       .content = j->content,
                       .sign_fields = j->sign_fields };
    buf_clear(&j->content);
    buf_clear(&j->sign_fields);
    list_init(&j->link);
    gate_init(&j->arrived);
    list_append(&d->spare_jobs, &j->link);
    d->spare_job_count++;
}

/* Gathering ----------------------------------------------------------------------------------- */

static bool parse_addresses(struct job *j, struct str reverse_path, struct str domain,
                            struct err *err)
{
    if (reverse_path.len > 0 &&
        !address_parse(arena_str(&j->arena, reverse_path), &j->reverse_path, err))
        return err_at(err, "reverse-path");
    if (domain.len > ADDRESS_DOMAIN_MAX)
        return err_set(err, ERR_LIMIT, "a domain of %zu octets", domain.len);
    j->domain = arena_str(&j->arena, domain);
    return true;
}

bool job_begin(struct deliver *d, const struct wire_job *f, struct err *err)
{
    struct job *j;

    if (idmap_find(&d->jobs, f->job))
        return err_set(err, ERR_SYNTAX, "job %llu twice", (unsigned long long)f->job);
    if (f->header_bytes > f->size_bytes || f->header_bytes > HEADER_SECTION_MAX ||
        f->ret > RET_HDRS)
        return err_set(err, ERR_SYNTAX, "job %llu out of range", (unsigned long long)f->job);
    j = job_new(d);
    if (!parse_addresses(j, wire_get(f, f->reverse_path), wire_get(f, f->domain), err)) {
        job_free(j);
        return false;
    }
    j->number = f->job;
    j->id = f->id;
    j->size_bytes = f->size_bytes;
    j->header_bytes = f->header_bytes;
    j->route = f->route;
    j->connections = f->connections;
    j->ret = (enum dsn_ret)f->ret;
    j->smtputf8 = f->smtputf8 != 0;
    j->eight_bit = (f->content & TX_8BIT) != 0;
    j->binary = (f->content & TX_BINARY) != 0;
    j->site_name = arena_str(&j->arena, wire_get(f, f->site));
    j->envid = arena_str(&j->arena, wire_get(f, f->envid));
    j->has_body_hash = f->body_hash.len == DKIM_HASH_BYTES;
    if (j->has_body_hash)
        memcpy(j->body_hash, wire_get(f, f->body_hash).ptr, DKIM_HASH_BYTES);
    j->upto = JOB_CONTENT_FIRST;
    j->came_ms = loop_now_ms();
    idmap_put(&d->jobs, j->number, j);
    return true;
}

/* The job of a frame that only one still gathering may have. */
static struct job *gathering(struct deliver *d, uint64_t number, struct err *err)
{
    struct job *j = idmap_find(&d->jobs, number);

    if (j && !j->gone_off)
        return j;
    err_set(err, ERR_SYNTAX, "job %llu is not gathering", (unsigned long long)number);
    return NULL;
}

/* A recipient without domain is <postmaster> of the host that is asked (RFC 5321 §4.1.1.3). */
static bool parse_rcpt(struct str text, struct address *ret, struct err *err)
{
    if (str_eq_nocase(text, STR("postmaster"))) {
        *ret = (struct address){ .local = text };
        return true;
    }
    return address_parse(text, ret, err);
}

bool job_add_rcpt(struct deliver *d, const struct wire_job_rcpt *f, struct err *err)
{
    struct job *j = gathering(d, f->job, err);
    struct job_rcpt r = { .number = f->rcpt };

    if (!j)
        return false;
    if (j->rcpt_count == JOB_RCPTS_MAX)
        return err_set(err, ERR_LIMIT, "a job of over %d recipients", JOB_RCPTS_MAX);
    if (!parse_rcpt(arena_str(&j->arena, wire_get(f, f->address)), &r.address, err))
        return err_at(err, "recipient");
    r.params.notify = f->notify;
    r.params.orcpt = arena_str(&j->arena, wire_get(f, f->orcpt));
    if (j->rcpt_count == j->rcpt_cap) {
        j->rcpt_cap = j->rcpt_cap ? j->rcpt_cap * 2 : 4;
        j->rcpts = mem_grow(j->rcpts, j->rcpt_cap, sizeof(*j->rcpts));
    }
    j->rcpts[j->rcpt_count++] = r;
    return true;
}

bool job_add_edit(struct deliver *d, const struct wire_job_edit *f, struct err *err)
{
    struct job *j = gathering(d, f->job, err);

    if (!j)
        return false;
    if (j->edit_count == EDITS_MAX)
        return err_set(err, ERR_LIMIT, "a job of over %d edits", EDITS_MAX);
    j->edits[j->edit_count++] = (struct header_edit){
        .kind = (enum edit_kind)f->kind,
        .offset = f->offset,
        .len = f->len,
        .text = arena_str(&j->arena, wire_get(f, f->text)),
    };
    return true;
}

bool job_go(struct deliver *d, const struct wire_job_go *f, struct err *err)
{
    struct job *j = gathering(d, f->job, err);

    if (!j)
        return false;
    if (j->rcpt_count == 0)
        return err_set(err, ERR_SYNTAX, "a job without recipients");
    j->gone_off = true;
    if (d->draining) {
        idmap_take(&d->jobs, j->number);
        job_free(j); /* core hands it out again */
    } else {
        site_push(d, j);
    }
    return true;
}

/* Content ------------------------------------------------------------------------------------- */

static void tell_credit(struct deliver_link *l)
{
    struct wire_credit *f;
    uint64_t taken = ring_taken(l->ring_in);

    if (taken - l->credited < CREDIT_BYTES)
        return;
    f = wire_add(l->channel, WIRE_CREDIT, 0);
    f->position = l->credited = taken;
}

/* What no job waits for any more is taken out of the ring all the same: extents are read in order.
 */
static bool skip_content(struct deliver *d, const struct wire_job_content *f, struct err *err)
{
    char *to;

    buf_clear(&d->skipped);
    to = buf_room(&d->skipped, f->len);
    return ring_read(d->core->ring_in, f->position, f->len, to, err);
}

bool job_content(struct deliver *d, const struct wire_job_content *f, struct err *err)
{
    struct job *j = idmap_find(&d->jobs, f->job);
    char *to;

    if (!d->core->ring_in || f->len == 0 || f->len > EXTENT_BYTES_MAX)
        return err_set(err, ERR_SYNTAX, "an extent of %u octets", f->len);
    if (!j || j->abandoned) {
        if (!skip_content(d, f, err))
            return false;
    } else {
        if (f->offset != j->received || f->len > j->size_bytes - j->received ||
            !(to = buf_room(&j->content, f->len)))
            return err_set(err, ERR_SYNTAX, "job %llu: content out of order or unasked",
                           (unsigned long long)f->job);
        if (!ring_read(d->core->ring_in, f->position, f->len, to, err))
            return false;
        j->content.len += f->len;
        j->received += f->len;
        gate_wake_all(&j->arrived);
        sign_ahead(j);
    }
    tell_credit(d->core);
    return true;
}

bool job_is_whole(const struct job *j)
{
    return j->received == j->size_bytes;
}

static void ask_content(struct job *j, uint64_t upto)
{
    struct wire_job_more *f;

    if (upto > j->size_bytes)
        upto = j->size_bytes;
    if (upto <= j->upto || !j->role->core)
        return;
    f = wire_add(j->role->core->channel, WIRE_JOB_MORE, 0);
    f->job = j->number;
    f->upto = j->upto = upto;
}

bool job_await(struct job *j, uint64_t offset, struct err *err)
{
    while (!j->abandoned && j->received < j->size_bytes &&
           (offset > 0 ? j->received < offset : j->content.len == 0)) {
        ask_content(j, j->received - j->content.len + JOB_WINDOW_BYTES);
        if (!gate_wait(&j->arrived, loop_now_ms() + j->site->timeouts.data_block_ms, err))
            return err_at(err, "content from core");
    }
    if (j->abandoned)
        return err_set(err, ERR_CLOSED, "core took the job back");
    return true;
}

void job_take_content(struct job *j, struct buf *to)
{
    struct buf empty = *to;

    buf_clear(&empty);
    empty.max = j->content.max;
    *to = j->content;
    j->content = empty;
    ask_content(j, j->received + JOB_WINDOW_BYTES);
}

/* The end ------------------------------------------------------------------------------------- */

/* One that waits in a queue goes at once; one that a connection holds ends with its attempt. */
static void abandon(struct job *j)
{
    j->abandoned = true;
    gate_wake_all(&j->arrived);
    if (!j->gone_off || site_forget(j))
        job_free(j);
}

void job_cancel(struct deliver *d, const struct wire_job_cancel *f)
{
    struct job *j = idmap_take(&d->jobs, f->job);

    if (j)
        abandon(j);
}

void job_abandon_all(struct deliver *d)
{
    uint64_t number;
    void *value;

    for (size_t at = 0; idmap_each(&d->jobs, &at, &number, &value);) {
        idmap_take(&d->jobs, number);
        abandon(value);
    }
}
