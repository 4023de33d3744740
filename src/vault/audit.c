// SPDX-License-Identifier: Apache-2.0
/* vault/audit.c - every change through any door: the work and the row that tells of it are one
 * transaction, so that there is neither without the other. And the list of those rows. */
#include "base/code.h"
#include "base/log.h"
#include "io/clock.h"
#include "vault/operate.h"

enum { DETAIL_MAX = 1200, LIST_BYTES_MAX = 8 * 1024 * 1024 };

/* The database --------------------------------------------------------------------------------- */

struct piece {
    struct control *control;
    piece_fn *fn;
    void *arg;
    const struct change *change; /* NULL: none, and no transaction */
    int64_t wall_ms;
    bool ok;
    struct err err;
};

/* Longer ones end where a character does. */
static struct str shorten(struct str detail)
{
    size_t len = 0;

    if (detail.len <= DETAIL_MAX)
        return detail;
    while (len < DETAIL_MAX) {
        size_t step = utf8_len(str_skip(detail, len));
        len += step > 0 ? step : 1;
    }
    return str_sub(detail, 0, len);
}

static bool add_row(const struct piece *p, struct err *err)
{
    const struct change *c = p->change;
    const struct audit_row row = { .wall_ms = p->wall_ms,
                                   .actor = c->actor,
                                   .verb = str_of(c->verb),
                                   .account = c->account,
                                   .name = c->name,
                                   .detail = shorten(c->detail) };

    return control_add_audit(p->control, &row, err) || err_at(err, "audit log");
}

/* On the worker. */
static void run_piece(void *arg)
{
    struct piece *p = arg;
    p->ok = p->fn(p->control, p->arg, &p->err);
}

static void run_change(void *arg)
{
    struct piece *p = arg;

    p->ok = control_begin(p->control, &p->err);
    if (!p->ok)
        return;
    p->ok = p->fn(p->control, p->arg, &p->err) && add_row(p, &p->err);
    if (!p->ok || p->change->dry_run)
        control_abort(p->control);
    else
        p->ok = control_commit(p->control, &p->err);
}

static bool run(struct vault *v, void (*how)(void *piece), struct piece *p, struct err *err)
{
    p->control = v->control;
    if (!v->started)
        how(p);
    else if (!worker_run(v->worker, how, p, err))
        return false;
    if (!p->ok && err)
        *err = p->err;
    return p->ok;
}

bool operate_run(struct vault *v, piece_fn *fn, void *arg, struct err *err)
{
    struct piece p = { .fn = fn, .arg = arg };

    return run(v, run_piece, &p, err);
}

struct change change_by(const struct request *r, const char *verb, struct str account,
                        struct str name)
{
    return (struct change){
        .verb = verb, .actor = r->actor, .account = account, .name = name, .dry_run = r->dry_run
    };
}

static void log_change(const struct change *c)
{
    const struct {
        const char *key;
        struct str value;
    } facts[] = { { "account", c->account }, { "name", c->name }, { "detail", c->detail } };
    struct log_line l;

    log_begin(&l, LOG_INFO, c->verb);
    log_str(&l, "actor", c->actor);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        if (facts[i].value.len > 0)
            log_str(&l, facts[i].key, facts[i].value);
    log_end(&l);
}

bool operate_change(struct vault *v, const struct change *what, piece_fn *fn, void *arg,
                    struct err *err)
{
    struct piece p = { .fn = fn, .arg = arg, .change = what, .wall_ms = clock_wall_ms() };

    if (!run(v, run_change, &p, err))
        return false;
    if (!what->dry_run)
        log_change(what);
    return true;
}

/* The list ------------------------------------------------------------------------------------- */

struct listing {
    struct audit_ask ask;
    struct buf rows; /* a line each: JSON as we write it holds no line's end */
    size_t count;
    uint64_t last;
};

static void keep_row(void *arg, const struct audit_row *row)
{
    struct listing *l = arg;
    struct json j;

    json_begin(&j, &l->rows);
    json_object(&j);
    json_key(&j, "id");
    json_int(&j, (int64_t)row->id);
    operate_json_date(&j, "time", row->wall_ms);
    operate_json_str(&j, "actor", row->actor);
    operate_json_str(&j, "verb", row->verb);
    operate_json_str(&j, "account", row->account);
    operate_json_str(&j, "name", row->name);
    operate_json_str(&j, "detail", row->detail);
    json_object_end(&j);
    buf_add_char(&l->rows, '\n');
    l->count++;
    l->last = row->id;
}

static bool read_rows(struct control *c, void *arg, struct err *err)
{
    struct listing *l = arg;

    return control_read_audit(c, &l->ask, keep_row, l, err);
}

static void send_rows(const struct request *r, struct str rows)
{
    struct str line;
    struct buf row;

    buf_init(&row, ROW_BYTES_MAX);
    while (str_next(&rows, '\n', &line)) {
        buf_clear(&row);
        buf_add(&row, line);
        operate_row(r, &row);
    }
    buf_done(&row);
}

bool audit_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct listing l = { .ask = { .before = r->after,
                                  .limit = operate_row_limit(r),
                                  .account = r->account,
                                  .name = r->name } };

    buf_init(&l.rows, LIST_BYTES_MAX);
    bool ok = operate_run(v, read_rows, &l, err);
    if (ok) {
        send_rows(r, buf_str(&l.rows));
        if (l.count == l.ask.limit)
            *ret_next = l.last;
    }
    buf_done(&l.rows);
    return ok;
}
