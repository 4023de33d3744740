// SPDX-License-Identifier: Apache-2.0
/* report/sandbox.c - mail for the sandbox domain: jobs come from core exactly as deliver gets them,
 * and end in the inbox instead of on a connection.
 *
 * A message is kept as it would have been sent, header edits applied; of one over KEEP_BYTES_MAX
 * the front is kept. The result is told only after the row was synced. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/code.h"
#include "io/clock.h"
#include "mail/header.h"
#include "mail/outcome.h"
#include "report/report.h"

enum {
    KEEP_BYTES_MAX = 1024 * 1024,
    JOBS_MAX = 256,
    RCPTS_MAX = 10000,
    EXTENT_BYTES_MAX = 64 * 1024,
    CREDIT_BYTES = 1024 * 1024,
    LIST_TEXT_MAX = 1000, /* recipients and subject in the list */
};

struct sandbox_job {
    struct report *report;
    uint64_t number, id, size_bytes;
    uint32_t header_bytes;
    size_t want; /* octets of content that are kept */
    bool gone_off, storing;
    bool abandoned; /* while it was being stored: no result is due */
    int64_t begun_ms;
    struct str from;
    struct buf to; /* recipients for the list */
    uint32_t *rcpts;
    size_t rcpt_count, rcpt_cap;
    struct header_edit edits[EDITS_MAX];
    size_t edit_count;
    struct buf content; /* as received */
    struct buf rendered;
    struct arena arena;
    /* the worker's */
    struct sandbox_entry entry;
    unsigned keep;
    uint64_t n;
    bool ok;
    struct err err;
};

/* What core hears of every recipient. */
struct verdict {
    enum outcome_kind kind;
    enum outcome_scope scope;
    struct reply reply;
};

static void job_free(struct sandbox_job *j)
{
    buf_done(&j->to);
    buf_done(&j->content);
    buf_done(&j->rendered);
    free(j->rcpts);
    arena_done(&j->arena);
    free(j);
}

/* The end -------------------------------------------------------------------------------------- */

static void send_rcpt_result(const struct sandbox_job *j, uint32_t rcpt, const struct verdict *v)
{
    struct str host = STR("sandbox");
    struct wire_result_rcpt *f =
        wire_add(j->report->core.channel, WIRE_RESULT_RCPT, host.len + v->reply.text.len);

    f->job = j->number;
    f->rcpt = rcpt;
    f->code = v->reply.code;
    f->status_class = v->reply.status.klass;
    f->status_subject = v->reply.status.subject;
    f->status_detail = v->reply.status.detail;
    f->kind = (uint8_t)v->kind;
    f->scope = (uint8_t)v->scope;
    f->dialogue_ms = (uint32_t)(loop_now_ms() - j->begun_ms);
    wire_put(f, &f->host, host);
    wire_put(f, &f->text, v->reply.text);
}

/* Tells core and forgets the job. */
static void job_end(struct sandbox_job *j, const struct verdict *v)
{
    struct report *r = j->report;

    if (!j->abandoned) {
        (void)idmap_take(&r->sandbox_jobs, j->number);
        for (size_t i = 0; i < j->rcpt_count; i++)
            send_rcpt_result(j, j->rcpts[i], v);
        struct wire_result *f = wire_add(r->core.channel, WIRE_RESULT, 0);
        f->job = j->number;
        f->connections_open = 1;
    }
    job_free(j);
}

static void job_fail(struct sandbox_job *j)
{
    const struct verdict full = {
        OUTCOME_DEFERRED,
        SCOPE_DESTINATION,
        { 452, { 4, 3, 1 }, STR("the sandbox inbox cannot be written") }
    };

    j->report->sandbox_failed++;
    job_end(j, &full);
}

static void job_keep(struct sandbox_job *j)
{
    struct buf text;

    buf_init(&text, 128);
    buf_addf(&text, "kept in the sandbox inbox as message %llu", (unsigned long long)j->n);
    const struct verdict kept = { OUTCOME_DELIVERED,
                                  SCOPE_RECIPIENT,
                                  { 250, { 2, 0, 0 }, buf_str(&text) } };
    j->report->sandbox_stored++;
    job_end(j, &kept);
    buf_done(&text);
}

/* Storing -------------------------------------------------------------------------------------- */

static void run_store(void *arg)
{
    struct sandbox_job *j = arg;

    j->ok = history_put_message(j->report->history, &j->entry, buf_str(&j->rendered), j->keep,
                                &j->n, &j->err);
}

static void store_done(void *arg)
{
    struct sandbox_job *j = arg;
    struct report *r = j->report;

    if (j->ok)
        job_keep(j);
    else
        job_fail(j);
    report_work_done(r);
}

static struct str subject_of(struct sandbox_job *j)
{
    struct str section = str_sub(buf_str(&j->rendered), 0, HEADER_SECTION_MAX);
    struct header_field field;
    size_t at = 0;

    while (header_next(section, &at, &field))
        if (str_eq_nocase(field.name, STR("Subject")))
            return inbox_cut(header_unfold(&j->arena, field.value), LIST_TEXT_MAX);
    return STR("");
}

static bool render(struct sandbox_job *j, struct err *err)
{
    struct str content = buf_str(&j->content);
    char id[ID_TEXT_LEN + 1];

    if (!header_render(&j->rendered, str_sub(content, 0, j->header_bytes), j->edits, j->edit_count,
                       str_of(id_format(j->id, id)), err))
        return false;
    return buf_add(&j->rendered, str_skip(content, j->header_bytes)) ||
           err_set(err, ERR_LIMIT, "the message grew over %zu octets", j->rendered.max);
}

/* All of the content that is kept is here. */
static void store(struct sandbox_job *j)
{
    const struct verdict unfit = { OUTCOME_BOUNCED,
                                   SCOPE_MESSAGE,
                                   { 554, { 5, 6, 0 }, STR("the message cannot be rendered") } };
    struct err err;

    j->storing = true;
    if (!render(j, &err)) {
        job_end(j, &unfit);
        return;
    }
    j->keep = j->report->config->sandbox_keep > 0 ? j->report->config->sandbox_keep : 1;
    j->entry = (struct sandbox_entry){
        .id = j->id,
        .from = j->from,
        .to = buf_str(&j->to),
        .subject = subject_of(j),
        .size_bytes = j->size_bytes,
        .received_wall_ms = clock_wall_ms(),
        .whole = j->want == j->size_bytes,
    };
    if (!report_work(j->report, run_store, store_done, j, &err))
        job_fail(j);
}

static void store_if_here(struct sandbox_job *j)
{
    if (j->gone_off && !j->storing && j->content.len == j->want)
        store(j);
}

/* Gathering ------------------------------------------------------------------------------------ */

static bool on_job(struct report *r, const struct wire_job *m, struct err *err)
{
    if (idmap_find(&r->sandbox_jobs, m->job))
        return err_set(err, ERR_SYNTAX, "job %llu twice", (unsigned long long)m->job);
    if (m->header_bytes > m->size_bytes || m->header_bytes > HEADER_SECTION_MAX)
        return err_set(err, ERR_SYNTAX, "job %llu out of range", (unsigned long long)m->job);
    if (r->sandbox_jobs.count >= JOBS_MAX)
        return err_set(err, ERR_LIMIT, "over %d sandbox jobs at once", JOBS_MAX);
    struct sandbox_job *j = NEW(struct sandbox_job);
    j->report = r;
    j->number = m->job;
    j->id = m->id;
    j->size_bytes = m->size_bytes;
    j->header_bytes = m->header_bytes;
    j->want = m->size_bytes < KEEP_BYTES_MAX ? (size_t)m->size_bytes : KEEP_BYTES_MAX;
    j->begun_ms = loop_now_ms();
    arena_init(&j->arena, 1024);
    buf_init(&j->to, LIST_TEXT_MAX);
    buf_init(&j->content, j->want);
    buf_init(&j->rendered, j->want + EDITS_MAX * EDIT_TEXT_MAX + EDITS_MAX * ID_TEXT_LEN);
    j->from = arena_str(&j->arena, wire_get(m, m->reverse_path));
    (void)idmap_put(&r->sandbox_jobs, j->number, j);
    return true;
}

/* The job of a frame that only one still gathering may have. */
static struct sandbox_job *gathering(struct report *r, uint64_t number, struct err *err)
{
    struct sandbox_job *j = idmap_find(&r->sandbox_jobs, number);

    if (j && !j->gone_off)
        return j;
    err_set(err, ERR_SYNTAX, "job %llu is not gathering", (unsigned long long)number);
    return NULL;
}

/* The list shows as many as fit. */
static void list_recipient(struct sandbox_job *j, struct str address)
{
    struct str between = j->to.len > 0 ? STR(", ") : STR("");

    if (between.len + address.len > LIST_TEXT_MAX - j->to.len)
        return;
    buf_add(&j->to, between);
    buf_add(&j->to, address);
}

static bool on_rcpt(struct report *r, const struct wire_job_rcpt *m, struct err *err)
{
    struct sandbox_job *j = gathering(r, m->job, err);

    if (!j)
        return false;
    if (j->rcpt_count == RCPTS_MAX)
        return err_set(err, ERR_LIMIT, "a job of over %d recipients", RCPTS_MAX);
    if (j->rcpt_count == j->rcpt_cap) {
        j->rcpt_cap = j->rcpt_cap ? j->rcpt_cap * 2 : 4;
        j->rcpts = mem_grow(j->rcpts, j->rcpt_cap, sizeof *j->rcpts);
    }
    j->rcpts[j->rcpt_count++] = m->rcpt;
    list_recipient(j, wire_get(m, m->address));
    return true;
}

static bool on_edit(struct report *r, const struct wire_job_edit *m, struct err *err)
{
    struct sandbox_job *j = gathering(r, m->job, err);

    if (!j)
        return false;
    if (j->edit_count == EDITS_MAX)
        return err_set(err, ERR_LIMIT, "a job of over %d edits", EDITS_MAX);
    j->edits[j->edit_count++] = (struct header_edit){
        .kind = (enum edit_kind)m->kind,
        .offset = m->offset,
        .len = m->len,
        .text = arena_str(&j->arena, wire_get(m, m->text)),
    };
    return true;
}

static bool on_go(struct report *r, uint64_t number, struct err *err)
{
    struct sandbox_job *j = gathering(r, number, err);

    if (!j)
        return false;
    if (j->rcpt_count == 0)
        return err_set(err, ERR_SYNTAX, "a job without recipients");
    j->gone_off = true;
    if (r->draining) {
        (void)idmap_take(&r->sandbox_jobs, number);
        job_free(j); /* core hands it out again */
        return true;
    }
    if (j->want > JOB_CONTENT_FIRST) {
        struct wire_job_more *f = wire_add(r->core.channel, WIRE_JOB_MORE, 0);
        f->job = number;
        f->upto = j->want;
    }
    store_if_here(j);
    return true;
}

/* Content -------------------------------------------------------------------------------------- */

static void tell_credit(struct report_peer *core)
{
    uint64_t taken = ring_taken(core->ring_in);

    if (taken - core->credited < CREDIT_BYTES)
        return;
    struct wire_credit *f = wire_add(core->channel, WIRE_CREDIT, 0);
    f->position = core->credited = taken;
}

/* What no job waits for any more is taken out of the ring all the same: extents are read in order.
 */
static bool skip_extent(struct report *r, const struct wire_job_content *m, struct err *err)
{
    char *to = mem_new(m->len);
    bool ok = ring_read(r->core.ring_in, m->position, m->len, to, err);

    free(to);
    return ok;
}

static bool take_extent(struct sandbox_job *j, const struct wire_job_content *m, struct err *err)
{
    char *to;

    if (m->offset != j->content.len || !(to = buf_room(&j->content, m->len)))
        return err_set(err, ERR_SYNTAX, "job %llu: content out of order or unasked",
                       (unsigned long long)m->job);
    if (!ring_read(j->report->core.ring_in, m->position, m->len, to, err))
        return false;
    j->content.len += m->len;
    return true;
}

static bool on_content(struct report *r, const struct wire_job_content *m, struct err *err)
{
    struct sandbox_job *j = idmap_find(&r->sandbox_jobs, m->job);

    if (!r->core.ring_in || m->len == 0 || m->len > EXTENT_BYTES_MAX)
        return err_set(err, ERR_SYNTAX, "an extent of %u octets", m->len);
    if (!(j ? take_extent(j, m, err) : skip_extent(r, m, err)))
        return false;
    tell_credit(&r->core);
    if (j)
        store_if_here(j);
    return true;
}

static void abandon(struct report *r, struct sandbox_job *j)
{
    (void)idmap_take(&r->sandbox_jobs, j->number);
    if (j->storing)
        j->abandoned = true;
    else
        job_free(j);
}

static void on_cancel(struct report *r, uint64_t number)
{
    struct sandbox_job *j = idmap_find(&r->sandbox_jobs, number);

    if (j)
        abandon(r, j);
}

bool sandbox_on_frame(struct report *r, const struct frame *f, struct err *err)
{
    switch (f->type) {
    case WIRE_JOB:
        return on_job(r, (const struct wire_job *)f, err);
    case WIRE_JOB_RCPT:
        return on_rcpt(r, (const struct wire_job_rcpt *)f, err);
    case WIRE_JOB_EDIT:
        return on_edit(r, (const struct wire_job_edit *)f, err);
    case WIRE_JOB_GO:
        return on_go(r, ((const struct wire_job_go *)f)->job, err);
    case WIRE_JOB_CONTENT:
        return on_content(r, (const struct wire_job_content *)f, err);
    case WIRE_JOB_CANCEL:
        on_cancel(r, ((const struct wire_job_cancel *)f)->job);
        return true;
    case WIRE_SITE_LIMIT: /* the inbox has no connections */
    case WIRE_JOB_SIGN:   /* and nobody there to verify */
        return true;
    default:
        return err_set(err, ERR_SYNTAX, "core sent %s", wire_type_name(f->type));
    }
}

void sandbox_drop_all(struct report *r)
{
    size_t at = 0;
    uint64_t number;
    void *job;

    while (idmap_each(&r->sandbox_jobs, &at, &number, &job))
        abandon(r, job);
    idmap_done(&r->sandbox_jobs);
    idmap_init(&r->sandbox_jobs);
}
