// SPDX-License-Identifier: Apache-2.0
/* deliver/render.c - makes the octets of a message from what was received and core's edits.
 *
 * A message that has arrived whole by then (nearly all do: core sends the first 64 KiB unasked) is
 * kept until its attempt is over, and can be offered again: to another host, or in several
 * transactions. A larger one streams through once; before its first piece it too can go to another
 * host. */
#include "deliver/render.h"

#include <assert.h>

#include "mail/mime.h"

#define SHORT_BODY_BYTES (64u * 1024)

bool render_header(const struct job *j, struct str content, struct buf *to, struct err *err)
{
    char id[ID_TEXT_LEN + 1];

    return header_render(to, str_sub(content, 0, j->header_bytes), j->edits, j->edit_count,
                         str_of(id_format(j->id, id)), err) ||
           err_at(err, "edits");
}

/* Splits what has arrived behind the header section, which is rendered; the rest is body. */
static bool render_head(struct render *r, struct err *err)
{
    struct job *j = r->job;

    job_take_content(j, &r->body);
    if (!render_header(j, buf_str(&r->body), &r->head, err))
        return false;
    r->header_8bit = !str_is_ascii(buf_str(&r->head));
    r->header_bytes = r->head.len;
    r->taken = r->body.len - j->header_bytes;
    buf_drop(&r->body, j->header_bytes);
    return true;
}

bool render_init(struct render *r, struct job *j, struct err *err)
{
    *r = (struct render){ .job = j, .body_bytes = j->size_bytes - j->header_bytes };
    buf_init(&r->head, RENDER_HEADER_MAX + SIGNATURES_BYTES_MAX + SHORT_BODY_BYTES);
    buf_init(&r->body, JOB_WINDOW_BYTES);
    buf_init(&r->converted, SIZE_MAX);
    if (!job_await(j, j->header_bytes, err) || !render_head(r, err))
        return false;
    r->whole = r->taken == r->body_bytes;
    if (r->whole && r->body.len <= SHORT_BODY_BYTES) {
        buf_add(&r->head, buf_str(&r->body)); /* one piece, one write */
        r->body_bytes = r->taken = 0;
        buf_clear(&r->body);
    }
    return true;
}

static void give_back(struct render *r)
{
    struct deliver *d = r->job->role;

    d->converting_bytes -= r->converting;
    r->converting = 0;
    gate_wake_all(&d->converting);
}

/* The body's memory came from the job, and goes on to serve the next one. */
void render_done(struct render *r)
{
    if (r->converting > 0)
        give_back(r);
    if (r->job->content.cap == 0 && r->body.max == r->job->content.max) {
        buf_clear(&r->body);
        r->job->content = r->body;
    } else {
        buf_done(&r->body);
    }
    buf_done(&r->head);
    buf_done(&r->converted);
}

/* Conversion ---------------------------------------------------------------------------------- */

static bool claim(struct render *r, size_t bytes, struct err *err)
{
    struct deliver *d = r->job->role;

    while (d->converting_bytes > 0 && d->converting_bytes + bytes > RENDER_CONVERTING_MAX)
        if (!gate_wait(&d->converting, NO_DEADLINE, err))
            return false;
    d->converting_bytes += bytes;
    r->converting = bytes;
    return true;
}

/* Gathers the rest of the body. */
static bool make_whole(struct render *r, struct err *err)
{
    struct buf all, piece;
    bool ok = true;

    buf_init(&all, r->body_bytes);
    buf_init(&piece, JOB_WINDOW_BYTES);
    buf_add(&all, buf_str(&r->body));
    while (ok && r->taken < r->body_bytes) {
        ok = job_await(r->job, 0, err);
        if (!ok)
            break;
        job_take_content(r->job, &piece);
        r->taken += piece.len;
        ok = buf_add(&all, buf_str(&piece)) ||
             err_set(err, ERR_LIMIT, "more content than its size says");
    }
    buf_done(&piece);
    buf_done(&r->body);
    r->body = all;
    r->whole = ok;
    return ok;
}

bool render_gather(struct render *r, struct err *err)
{
    if (r->converting == 0 && !claim(r, (size_t)r->body_bytes, err))
        return false;
    return r->whole || make_whole(r, err);
}

static struct str unsigned_head(const struct render *r)
{
    return str_skip(buf_str(&r->head), r->head_signed);
}

static bool convert_scanned(struct render *r, const struct mime_scan *scan, struct err *err)
{
    struct mime_convert *c = mime_convert_new(scan);
    bool ok = mime_convert_feed(c, unsigned_head(r), &r->converted, err) &&
              mime_convert_feed(c, buf_str(&r->body), &r->converted, err) &&
              mime_convert_end(c, &r->converted, err);

    mime_convert_free(c);
    return ok;
}

static bool convert(struct render *r, struct err *err)
{
    struct mime_scan *scan = mime_scan_new();
    bool ok = mime_scan_feed(scan, unsigned_head(r), err) &&
              mime_scan_feed(scan, buf_str(&r->body), err) && mime_scan_end(scan, err) &&
              convert_scanned(r, scan, err);

    mime_scan_free(scan);
    return ok;
}

bool render_choose(struct render *r, bool seven_bit, struct err *err)
{
    r->is_converted = seven_bit;
    if (!seven_bit || r->converted.len > 0)
        return true;
    return render_gather(r, err) && convert(r, err);
}

/* Signing ------------------------------------------------------------------------------------- */

/* What has no empty line behind its fields is all header. */
static size_t section_bytes(struct str message)
{
    struct header_field field;
    size_t at = 0;

    while (header_next(message, &at, &field))
        ;
    return at + header_end(str_sub(message, at, 2));
}

static struct str unsigned_converted(const struct render *r)
{
    return str_skip(buf_str(&r->converted), r->converted_signed);
}

struct str render_section(const struct render *r)
{
    if (r->is_converted)
        return str_sub(unsigned_converted(r), 0, section_bytes(unsigned_converted(r)));
    return str_sub(unsigned_head(r), 0, r->header_bytes);
}

struct str render_body(const struct render *r)
{
    if (r->is_converted)
        return str_skip(unsigned_converted(r), section_bytes(unsigned_converted(r)));
    if (r->body_bytes == 0)
        return str_skip(unsigned_head(r), r->header_bytes);
    return buf_str(&r->body);
}

static bool put_in_front(struct buf *b, struct str text)
{
    if (!buf_room(b, text.len))
        return false;
    memmove(b->ptr + text.len, b->ptr, b->len);
    memcpy(b->ptr, text.ptr, text.len);
    b->len += text.len;
    return true;
}

bool render_sign(struct render *r, struct str fields, struct err *err)
{
    size_t *is_signed = r->is_converted ? &r->converted_signed : &r->head_signed;
    struct buf *form = r->is_converted ? &r->converted : &r->head;

    assert(*is_signed == 0 && fields.len > 0);
    if (!put_in_front(form, fields))
        return err_set(err, ERR_LIMIT, "the signatures have %zu octets", fields.len);
    *is_signed = fields.len;
    return true;
}

bool render_is_signed(const struct render *r)
{
    return (r->is_converted ? r->converted_signed : r->head_signed) > 0;
}

/* The way out --------------------------------------------------------------------------------- */

uint64_t render_size(const struct render *r)
{
    return r->is_converted ? r->converted.len : r->head.len + r->body_bytes;
}

bool render_can_begin(const struct render *r)
{
    return r->whole || !r->begun;
}

/* What of the body comes next; the piece at hand is given up for it, so a large body passes only
 * once. */
static bool next_body(struct render *r, struct str *ret, struct err *err)
{
    if (r->begun_body) {
        if (!job_await(r->job, 0, err))
            return false;
        job_take_content(r->job, &r->body);
        r->taken += r->body.len;
        if (r->taken > r->body_bytes)
            return err_set(err, ERR_LIMIT, "more content than its size says");
    }
    r->begun_body = true;
    *ret = buf_str(&r->body);
    return true;
}

static bool next(void *arg, struct str *ret, bool *ret_last, struct err *err)
{
    struct render *r = arg;
    bool head = !r->begun;

    r->begun = true;
    if (r->is_converted)
        *ret = buf_str(&r->converted);
    else if (head)
        *ret = buf_str(&r->head);
    else if (!next_body(r, ret, err))
        return false;
    *ret_last = r->is_converted || (head ? r->body_bytes == 0 : r->taken == r->body_bytes);
    return true;
}

struct content_source render_source(struct render *r)
{
    assert(render_can_begin(r));
    r->begun = r->begun_body = false;
    return (struct content_source){ .next = next, .arg = r };
}
