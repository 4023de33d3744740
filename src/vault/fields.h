// SPDX-License-Identifier: Apache-2.0
/* vault/fields.h - what can be set on each kind of object, in one table: key, type, bounds,
 * default, sentence. The API's settings, what the database keeps, `baton export` and the commands'
 * help all come from it. Pure.
 *
 * Settings as text are "key=value" lines in the table's order, with only what differs from the
 * default; lists are values joined by commas. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum field_noun { NOUN_ACCOUNT, NOUN_STREAM, NOUN_USER, NOUN_CREDENTIAL, NOUN_DOMAIN, NOUNS };
enum field_type {
    FIELD_WORD,   /* one of `words` */
    FIELD_YES_NO, /* true, false */
    FIELD_COUNT,  /* 0 … max */
    FIELD_BYTES,  /* "64M" */
    FIELD_PERCENT,
    FIELD_DOMAIN,  /* kept as lower-case A-labels */
    FIELD_ADDRESS, /* local@domain */
    FIELD_NETWORKS,
    FIELD_DATE,   /* RFC 3339, or a duration from now such as 90d; kept as RFC 3339 */
    FIELD_NAME,   /* of another object */
    FIELD_TEXT,   /* printable, at most `max` octets */
    FIELD_SECRET, /* as text; never shown, never kept in settings, never in the audit log */
};
struct field_rule {
    const char *key; /* "limit.day.messages" */
    enum field_type type;
    const char *const *words; /* NULL ends */
    uint64_t max;
    const char *fallback; /* "" : unset */
    bool first_only;      /* when the object is made, not later */
    const char *about;
};
/* The rules of a noun, in order. */
const struct field_rule *fields_of(enum field_noun noun, size_t *ret_count);

/* Old settings with changes laid over them (an empty value goes back to the default), checked,
 * normalised, in table order. ERR_SYNTAX names the key, what was expected, and what was given.
 * `secret`: where the value of a FIELD_SECRET goes (borrowed from `changes`), NULL to refuse any.
 */
struct fields_change {
    enum field_noun noun;
    struct str old, changes;
    bool is_new;
    int64_t now_wall_ms;
    struct str *secret;
};
MUST_USE bool fields_merge(const struct fields_change *c, struct buf *to, struct err *err);
/* The value of a key, its default when it is not there. */
struct str fields_get(enum field_noun noun, struct str settings, const char *key);
uint64_t fields_number(enum field_noun noun, struct str settings, const char *key);
bool fields_true(enum field_noun noun, struct str settings, const char *key);
/* The members of a JSON object "settings" with all keys that differ from the default; numbers and
 * booleans as such, lists as arrays. */
void fields_json(enum field_noun noun, struct str settings, struct json *j);
/* "state: sandbox -> active, limit.day.messages: 0 -> 1000": for the audit log. */
bool fields_difference(enum field_noun noun, struct str old, struct str now, struct buf *to);
