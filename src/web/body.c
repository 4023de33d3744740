// SPDX-License-Identifier: Apache-2.0
/* web/body.c - a JSON body as fields of a request: strict UTF-8, one flat object (but for
 * its settings), no key twice (fault B11). */
#include <json-c/json.h>
#include <stdio.h>

#include "base/code.h"
#include "web/api.h"

#define JSON_DEPTH_MAX 32

/* "\\u" and four digits. */
static bool unit_read(struct str text, unsigned *ret)
{
    unsigned unit = 0;

    if (text.len < 6 || text.ptr[0] != '\\' || text.ptr[1] != 'u')
        return false;
    for (size_t i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef";
        const char *at = memchr(digits, ascii_lower(text.ptr[i]), 16);
        if (!at)
            return false;
        unit = unit << 4 | (unsigned)(at - digits);
    }
    *ret = unit;
    return true;
}

/* The escape at *at, which is left on its last octet. */
static bool escape_ok(struct str json, size_t *at)
{
    unsigned unit, low;

    if (!unit_read(str_skip(json, *at), &unit)) {
        *at += 1;
        return true;
    }
    *at += 5;
    if (unit == 0 || (unit >= 0xdc00 && unit < 0xe000))
        return false;
    if (unit < 0xd800 || unit >= 0xe000)
        return true;
    if (!unit_read(str_skip(json, *at + 1), &low) || low < 0xdc00 || low >= 0xe000)
        return false;
    *at += 6;
    return true;
}

/* json-c takes single quotes for double ones, ends a key at U+0000, and makes a surrogate without
 * its partner U+FFFD: others read these differently. */
static bool read_alike(struct str json, struct err *err)
{
    bool in_string = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (c == '"')
            in_string = !in_string;
        else if (c == '\'' && !in_string)
            return err_set(err, ERR_SYNTAX, "the body: a single quote outside of text");
        else if (c == '\\' && in_string && !escape_ok(json, &i))
            return err_set(err, ERR_LIMIT, "the body: U+0000, or half a surrogate pair");
    }
    return true;
}

/* How many members the objects in a valid text have, a repeated one counted again: json-c keeps the
 * last in silence. */
static size_t members_written(struct str json)
{
    size_t count = 0;
    bool in_string = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == ':') {
            count++;
        }
    }
    return count;
}

/* The same of what json-c kept; at most JSON_DEPTH_MAX deep. */
static size_t members_kept(struct json_object *value)
{
    size_t count = 0;

    if (json_object_is_type(value, json_type_array))
        for (size_t i = 0; i < json_object_array_length(value); i++)
            count += members_kept(json_object_array_get_idx(value, i));
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            count += 1 + members_kept(member);
        }
    }
    return count;
}

static bool settings_member(struct json_object *value, struct api_ask *ask, struct arena *a,
                            struct err *err)
{
    if (!(ask->route->fields & FIELD_SETTINGS))
        return err_set(err, ERR_SYNTAX, "settings is not for this request");
    ask->given |= FIELD_SETTINGS;
    return api_settings_read(value, a, &ask->settings, err);
}

static bool value_text(struct json_object *value, char number[32], struct str *ret)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        *ret = str_make(json_object_get_string(value), (size_t)json_object_get_string_len(value));
        return true;
    case json_type_boolean:
        *ret = json_object_get_boolean(value) ? STR("true") : STR("false");
        return true;
    case json_type_int:
        (void)snprintf(number, 32, "%s", json_object_to_json_string(value));
        *ret = str_of(number);
        return true;
    default:
        return false;
    }
}

static bool member_read(const char *name, struct json_object *value, struct api_ask *ask,
                        struct arena *a, struct err *err)
{
    unsigned field = api_field_find(str_of(name));
    char number[32];
    struct str text;

    if (strcmp(name, "settings") == 0)
        return settings_member(value, ask, a, err);
    if (!field)
        return err_set(err, ERR_SYNTAX, "the body: no field \"%.40s\"", name);
    if (!value_text(value, number, &text))
        return err_set(err, ERR_SYNTAX, "%s: expected text, a number, true or false", name);
    return api_field_set(ask, field, text, a, err);
}

static bool object_read(struct json_object *object, struct str json, struct api_ask *ask,
                        struct arena *a, struct err *err)
{
    if (!json_object_is_type(object, json_type_object))
        return err_set(err, ERR_SYNTAX, "the body: expected a JSON object");
    if (members_written(json) != members_kept(object))
        return err_set(err, ERR_SYNTAX, "the body: a key stands there twice");
    json_object_object_foreach(object, name, value)
    {
        if (!member_read(name, value, ask, a, err))
            return false;
    }
    return true;
}

bool api_body_read(struct str json, struct api_ask *ask, struct arena *a, struct err *err)
{
    struct json_tokener *tokener;
    struct json_object *object;
    bool ok;

    if (json.len > API_BODY_MAX)
        return err_set(err, ERR_LIMIT, "the body: at most %d octets", API_BODY_MAX);
    if (!utf8_ok(json))
        return err_set(err, ERR_SYNTAX, "the body: expected UTF-8");
    if (!read_alike(json, err))
        return false;
    tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    if (!tokener)
        return err_set(err, ERR_LIMIT, "out of memory");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    object = json_tokener_parse_ex(tokener, json.ptr, (int)json.len);
    enum json_tokener_error why = json_tokener_get_error(tokener);
    if (why != json_tokener_success || json_tokener_get_parse_end(tokener) != json.len)
        ok = err_set(err, ERR_SYNTAX, "the body: %s",
                     why == json_tokener_success    ? "something behind the JSON"
                     : why == json_tokener_continue ? "JSON without an end"
                                                    : json_tokener_error_desc(why));
    else
        ok = object_read(object, json, ask, a, err);
    json_object_put(object);
    json_tokener_free(tokener);
    return ok;
}
