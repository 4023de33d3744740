// SPDX-License-Identifier: Apache-2.0
/* vault/fields.h - what can be set on each kind of object, in one table: key, type, bounds,
 * default, sentence. The API's settings, what the database keeps, `baton export` and the commands'
 * help all come from it. Pure.
 *
 *   fields_table.c   the rules of each noun
 *   fields_value.c   one value: is it good, and how is it spelt
 *   fields.c         settings as a whole
 *
 * Settings as text are "key=value" lines in the table's order, with only what differs from the
 * default; lists are values joined by commas. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct json; /* base/json.h, whose names clash with those of json-c, which cli reads with */

enum field_noun { NOUN_ACCOUNT, NOUN_STREAM, NOUN_USER, NOUN_CREDENTIAL, NOUN_DOMAIN, NOUNS };
enum field_type {
    FIELD_WORD,   /* one of `words` */
    FIELD_WORDS,  /* a list of them */
    FIELD_YES_NO, /* true, false */
    FIELD_COUNT,  /* 0 … max */
    FIELD_BYTES,  /* 0 … max; "64M" is kept as its number */
    FIELD_PERCENT,
    FIELD_DOMAIN,  /* kept as lower-case A-labels */
    FIELD_ADDRESS, /* local@domain */
    FIELD_LOCAL,   /* what stands in front of an address's @ */
    FIELD_NETWORKS,
    FIELD_FINGERPRINT, /* SHA-256 in hexadecimal, colons allowed; kept without, lower case */
    FIELD_DATE,        /* RFC 3339, or a duration from now such as 90d; kept as RFC 3339 */
    FIELD_NAME,        /* of another object */
    FIELD_TEXT,        /* printable, at most `max` octets */
    FIELD_SECRET,      /* as text; never shown, never kept in settings, never in the audit log */
};
struct field_rule {
    const char *key; /* "limit.day.messages" */
    enum field_type type;
    const char *const *words; /* NULL ends */
    uint64_t max;
    const char *fallback; /* "" : unset */
    bool first_only;      /* when the object is made, not later */
    bool always;          /* written even when it is the default: what a new object gets is the
                             configuration's choice */
    const char *about;
};
/* The rules of a noun, in order. */
const struct field_rule *fields_of(enum field_noun noun, size_t *ret_count);
#define FIELDS_MAX 40 /* of any noun */
/* "account", "stream" … */
const char *fields_noun_name(enum field_noun noun);
/* "a number of at most 100", for messages and help. */
void fields_expected(const struct field_rule *rule, struct buf *to);
/* One value, checked, as it is kept; a duration counts from `now`. ERR_SYNTAX says what was
 * expected, without the key. */
MUST_USE bool fields_value_ok(const struct field_rule *rule, struct str value, int64_t now_wall_ms,
                              struct buf *to, struct err *err);

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
/* The value of a key, its default when it is not there. Asserts that the noun has it. */
struct str fields_get(enum field_noun noun, struct str settings, const char *key);
/* Of a number; of a date, milliseconds since 1970, 0: none. */
uint64_t fields_number(enum field_noun noun, struct str settings, const char *key);
bool fields_true(enum field_noun noun, struct str settings, const char *key);
/* Of a FIELD_WORD: its place among the words, from 0. */
unsigned fields_word(enum field_noun noun, struct str settings, const char *key);
/* The next piece of a list. */
MUST_USE bool fields_next(struct str *rest, struct str *ret);
/* The member "settings": an object with all keys that differ from the default; numbers and booleans
 * as such, lists as arrays. */
void fields_json(enum field_noun noun, struct str settings, struct json *j);
/* "state=sandbox, identity=enforce": of a new one. */
void fields_list(struct str settings, struct buf *to);
/* "state: sandbox -> active, limit.day.messages: 0 -> 1000": for the audit log. False: nothing
 * differs. */
bool fields_difference(enum field_noun noun, struct str old, struct str now, struct buf *to);
