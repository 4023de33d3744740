// SPDX-License-Identifier: Apache-2.0
/* vault/streams.c - the streams of an account: kinds of mail that are kept apart, each with its
 * domain, return path and limits (R48). */
#include <stdlib.h>

#include "io/clock.h"
#include "vault/operate.h"

static bool find_stream(struct vault *v, const struct request *r, struct stream **ret,
                        struct err *err)
{
    struct account *a;

    if (!operate_account(v, r->account, &a, err))
        return false;
    *ret = roster_stream(a, r->name);
    return *ret || err_set(err, ERR_NOT_FOUND, "account %.*s has no stream %.*s",
                           STR_FMT(r->account), STR_FMT(r->name));
}

/* Rows ----------------------------------------------------------------------------------------- */

/* With these settings instead of its own. */
static void send_with(const struct request *r, const struct stream *s, struct str settings)
{
    struct buf row;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    json_begin(&j, &row);
    json_object(&j);
    operate_json_str(&j, "account", s->account->name);
    operate_json_str(&j, "name", s->name);
    operate_json_str(&j, "kind", fields_get(NOUN_STREAM, settings, "kind"));
    json_key(&j, "default");
    json_bool(&j, s->account->default_stream == s);
    fields_json(NOUN_STREAM, settings, &j);
    operate_json_date(&j, "created", s->created_wall_ms);
    json_object_end(&j);
    operate_row(r, &row);
    buf_done(&row);
}

static void send_stream(const struct request *r, const struct stream *s)
{
    send_with(r, s, s->settings);
}

/* Making --------------------------------------------------------------------------------------- */

struct making {
    struct stream_row row;
    uint64_t id;
};

static bool write_stream(struct control *c, void *arg, struct err *err)
{
    struct making *m = arg;

    return control_add_stream(c, &m->row, &m->id, err);
}

static void stream_made(struct vault *v, const struct request *r, struct making *m)
{
    struct stream *s;

    m->row.id = m->id;
    s = roster_add_stream(&v->roster, &m->row);
    tell_stream(v, s);
    if (s->account->default_stream == s)
        tell_account(v, s->account); /* which waited for it */
    send_stream(r, s);
}

static bool add_stream(struct vault *v, const struct request *r, struct account *a,
                       struct str settings, struct err *err)
{
    struct change change = change_by(r, "stream-added", a->name, r->name);
    struct making m = { .row = { .account = a->id,
                                 .name = r->name,
                                 .settings = settings,
                                 .created_wall_ms = clock_wall_ms() } };
    struct buf detail;

    buf_init(&detail, SETTINGS_BYTES_MAX);
    fields_list(settings, &detail);
    change.detail = buf_str(&detail);
    bool ok = operate_change(v, &change, write_stream, &m, err);
    buf_done(&detail);
    if (!ok)
        return err_at(err, "stream %.*s", STR_FMT(r->name));
    if (r->dry_run)
        send_with(r,
                  &(struct stream){
                      .account = a, .name = r->name, .created_wall_ms = m.row.created_wall_ms },
                  settings);
    else
        stream_made(v, r, &m);
    return true;
}

bool stream_add(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct account *a;
    struct buf settings;

    (void)ret_next;
    if (!operate_name_ok(r->name, "stream", err) || !operate_account(v, r->account, &a, err))
        return false;
    if (roster_stream(a, r->name))
        return err_set(err, ERR_EXISTS, "stream %.*s is there already", STR_FMT(r->name));
    if (!operate_settings(r, NOUN_STREAM, STR(""), true, NULL, &settings, err))
        return false;
    bool ok = add_stream(v, r, a, buf_str(&settings), err);
    buf_done(&settings);
    return ok;
}

/* Looking -------------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const struct stream *x = *(struct stream *const *)a, *y = *(struct stream *const *)b;

    return (x->id > y->id) - (x->id < y->id);
}

/* Those behind `after`, of one account or of all (NULL), in order of their making. */
static size_t gather(const struct roster *r, const struct account *of, uint64_t after,
                     struct stream **to)
{
    size_t at = 0, count = 0;
    uint64_t id;
    void *value;

    while (idmap_each(&r->streams_by_id, &at, &id, &value)) {
        struct stream *s = value;
        if (id > after && (!of || s->account == of))
            to[count++] = s;
    }
    qsort(to, count, sizeof *to, by_id);
    return count;
}

bool stream_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    size_t limit = operate_row_limit(r);
    struct account *of = NULL;

    if (r->account.len > 0 && !operate_account(v, r->account, &of, err))
        return false;
    struct stream **all = NEW_ARRAY(struct stream *, v->roster.streams_by_id.count + 1);
    size_t count = gather(&v->roster, of, r->after, all);
    for (size_t i = 0; i < count && i < limit; i++)
        send_stream(r, all[i]);
    if (count > limit)
        *ret_next = all[limit - 1]->id;
    free(all);
    return true;
}

/* Changing ------------------------------------------------------------------------------------- */

struct setting {
    uint64_t id;
    struct str settings;
};

static bool write_settings(struct control *c, void *arg, struct err *err)
{
    const struct setting *s = arg;

    return control_set_stream(c, s->id, s->settings, err);
}

static bool set_stream(struct vault *v, const struct request *r, struct stream *s,
                       struct str settings, struct err *err)
{
    struct change change = change_by(r, "stream-changed", s->account->name, s->name);
    struct setting set = { s->id, settings };
    struct buf detail;
    bool ok = true;

    buf_init(&detail, 2 * SETTINGS_BYTES_MAX);
    if (fields_difference(NOUN_STREAM, s->settings, settings, &detail)) {
        change.detail = buf_str(&detail);
        ok = operate_change(v, &change, write_settings, &set, err);
    }
    buf_done(&detail);
    if (!ok)
        return err_at(err, "stream %.*s", STR_FMT(s->name));
    send_with(r, s, settings);
    if (!r->dry_run) {
        roster_set_stream(&v->roster, s, settings);
        tell_stream(v, s);
    }
    return true;
}

bool stream_set(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct stream *s;
    struct buf settings;

    (void)ret_next;
    if (!find_stream(v, r, &s, err) ||
        !operate_settings(r, NOUN_STREAM, s->settings, false, NULL, &settings, err))
        return false;
    bool ok = set_stream(v, r, s, buf_str(&settings), err);
    buf_done(&settings);
    return ok;
}

/* Removing ------------------------------------------------------------------------------------- */

static bool removable(struct vault *v, const struct stream *s, struct err *err)
{
    if (str_eq(fields_get(NOUN_ACCOUNT, s->account->settings, "default_stream"), s->name))
        return err_set(err, ERR_EXISTS, "stream %.*s is the account's default_stream",
                       STR_FMT(s->name));
    LIST_EACH (&v->roster.credentials, struct credential, c, link)
        if (c->stream == s)
            return err_set(err, ERR_EXISTS, "stream %.*s: credential %.*s sends in it",
                           STR_FMT(s->name), STR_FMT(c->user));
    return true;
}

static bool erase_stream(struct control *c, void *arg, struct err *err)
{
    return control_remove_stream(c, *(const uint64_t *)arg, err);
}

bool stream_remove(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct stream *s;

    (void)ret_next;
    if (!find_stream(v, r, &s, err) || !removable(v, s, err))
        return false;
    struct change change = change_by(r, "stream-removed", s->account->name, s->name);
    uint64_t id = s->id;
    if (!operate_change(v, &change, erase_stream, &id, err))
        return err_at(err, "stream %.*s", STR_FMT(r->name));
    if (r->dry_run)
        return true;
    roster_remove_stream(&v->roster, s);
    tell_gone(v, DIRECTORY_STREAM, id);
    return true;
}
