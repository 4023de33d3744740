// SPDX-License-Identifier: Apache-2.0
/* web/settings.c - an object's own fields, from JSON to the "key=value" lines that travel in
 * WIRE_ADMIN. Shape only: which keys there are, and what each takes, is known where the object is
 * kept. */
#include <json-c/json.h>

#include "web/api.h"

#define KEY_MAX 64

static bool key_ok(struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '_' && c != '.')
            return false;
    }
    return key.len > 0 && key.len <= KEY_MAX;
}

static struct str text_of(struct json_object *value)
{
    return str_make(json_object_get_string(value), (size_t)json_object_get_string_len(value));
}

static bool text_add(struct buf *to, const char *key, struct str text, struct err *err)
{
    if (!api_text_ok(text))
        return err_set(err, ERR_LIMIT, "settings: %s: expected UTF-8 without control characters",
                       key);
    (void)buf_add(to, text);
    return true;
}

/* An element with a comma in it would be two when the list is read again. */
static bool list_add(struct buf *to, const char *key, struct json_object *list, struct err *err)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *element = json_object_array_get_idx(list, i);
        if (!json_object_is_type(element, json_type_string) || text_of(element).len == 0 ||
            str_index(text_of(element), ',') < text_of(element).len)
            return err_set(err, ERR_SYNTAX, "settings: %s: expected a list of texts without commas",
                           key);
        if (i > 0)
            (void)buf_add_char(to, ',');
        if (!text_add(to, key, text_of(element), err))
            return false;
    }
    return true;
}

static bool value_add(struct buf *to, const char *key, struct json_object *value, struct err *err)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        return text_add(to, key, text_of(value), err);
    case json_type_boolean:
    case json_type_int:
        (void)buf_addf(to, "%s", json_object_to_json_string(value));
        return true;
    case json_type_array:
        return list_add(to, key, value, err);
    default:
        return err_set(err, ERR_SYNTAX,
                       "settings: %s: expected text, a whole number, true, false, or a list of "
                       "texts",
                       key);
    }
}

static bool members_add(struct buf *to, struct json_object *object, struct err *err)
{
    json_object_object_foreach(object, key, value)
    {
        if (!key_ok(str_of(key)))
            return err_set(err, ERR_SYNTAX,
                           "settings: a key consists of a-z, 0-9, _ and ., at most %d of them",
                           KEY_MAX);
        (void)buf_addf(to, "%s=", key);
        if (!value_add(to, key, value, err))
            return false;
        (void)buf_add_char(to, '\n');
    }
    return true;
}

bool api_settings_read(struct json_object *object, struct arena *a, struct str *ret,
                       struct err *err)
{
    struct buf lines;

    if (!json_object_is_type(object, json_type_object))
        return err_set(err, ERR_SYNTAX, "settings: expected an object");
    buf_init(&lines, API_SETTINGS_MAX);
    bool ok = members_add(&lines, object, err);
    if (ok && !buf_ok(&lines))
        ok = err_set(err, ERR_LIMIT, "settings: at most %d octets", API_SETTINGS_MAX);
    if (ok)
        *ret = arena_str(a, buf_str(&lines));
    buf_done(&lines);
    return ok;
}
