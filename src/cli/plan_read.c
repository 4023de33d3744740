// SPDX-License-Identifier: Apache-2.0
/* cli/plan_read.c - objects of a document as plan.c compares them: named, and with their settings
 * as vault would keep them. */
#include "cli/plan_read.h"

#define SETTINGS_MAX 4096

struct str plan_text(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return STR("");
    return str_make(json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

/* A parent is an account too. */
struct str plan_account(const struct object_kind *of, struct json_object *object)
{
    return plan_text(object, of->fields == NOUN_ACCOUNT ? "parent" : "account");
}

/* What tells one object of a kind from another. */
struct str plan_key(struct plan *p, const struct object_kind *of, struct json_object *object)
{
    struct str account = plan_account(of, object);
    bool by_account = of->below_account || of->fields == NOUN_DOMAIN;

    return arena_strf(&p->arena, "%.*s/%.*s", by_account ? (int)account.len : 0,
                      by_account && account.ptr ? account.ptr : "",
                      STR_FMT(plan_text(object, of->name)));
}

static void value_line(struct buf *to, const char *key, struct json_object *value)
{
    (void)buf_addf(to, "%s=", key);
    if (!json_object_is_type(value, json_type_array))
        (void)buf_addf(to, "%s", value ? json_object_get_string(value) : "");
    else
        for (size_t i = 0; i < json_object_array_length(value); i++)
            (void)buf_addf(to, "%s%s", i > 0 ? "," : "",
                           json_object_get_string(json_object_array_get_idx(value, i)));
    (void)buf_add_char(to, '\n');
}

/* The object's settings as "key=value" lines, as they are written. */
static bool lines_of(struct json_object *object, struct buf *to, struct err *err)
{
    struct json_object *settings = NULL;

    if (!json_object_object_get_ex(object, "settings", &settings))
        return true;
    if (!json_object_is_type(settings, json_type_object))
        return err_set(err, ERR_SYNTAX, "settings: expected an object");
    json_object_object_foreach(settings, key, value)
    {
        size_t before = to->len;
        value_line(to, key, value);
        struct str line = str_skip(buf_str(to), before);
        if (str_index(line, '\n') + 1 < line.len)
            return err_set(err, ERR_SYNTAX, "%s: expected one line", key);
    }
    return buf_ok(to) || err_set(err, ERR_LIMIT, "settings: too much");
}

/* The same as vault keeps them. */
bool plan_settings(struct plan *p, const struct fields_change *like, struct json_object *object,
                   struct str *ret, struct str *secret, struct err *err)
{
    struct fields_change change = *like;
    struct str given = STR_NONE;
    struct buf lines, kept;

    buf_init(&lines, 2 * SETTINGS_MAX);
    buf_init(&kept, SETTINGS_MAX);
    bool ok = lines_of(object, &lines, err);
    change.changes = buf_str(&lines);
    change.secret = secret ? &given : NULL;
    ok = ok && fields_merge(&change, &kept, err);
    if (ok)
        *ret = arena_str(&p->arena, buf_str(&kept));
    if (ok && secret)
        *secret = arena_str(&p->arena, given);
    buf_done(&lines);
    buf_done(&kept);
    return ok;
}
