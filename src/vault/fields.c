// SPDX-License-Identifier: Apache-2.0
/* vault/fields.c - the settings of an object as a whole: laid over one another, read, shown. */
#include "vault/fields.h"

#include <assert.h>

#include "base/json.h"
#include "base/mem.h"
#include "mail/header.h"

enum { VALUE_MAX = 4096 };

/* NULL when the noun has no such key. */
static const struct field_rule *rule_find(enum field_noun noun, struct str key, size_t *ret_at)
{
    size_t count;
    const struct field_rule *rules = fields_of(noun, &count);

    for (size_t i = 0; i < count; i++)
        if (str_eq(key, str_of(rules[i].key))) {
            *ret_at = i;
            return &rules[i];
        }
    return NULL;
}

static bool line_next(struct str *rest, struct str *ret_key, struct str *ret_value)
{
    struct str line;

    while (str_next(rest, '\n', &line))
        if (str_cut(line, '=', ret_key, ret_value))
            return true;
    return false;
}

/* The values of a noun by the places of its rules; ptr NULL: the default. */
struct values {
    struct str at[FIELDS_MAX];
};

/* What the database kept. A key that is not known any more is left out. */
static void values_read(struct values *v, enum field_noun noun, struct str settings)
{
    struct str key, value;
    size_t at;

    *v = (struct values){ 0 };
    while (line_next(&settings, &key, &value))
        if (rule_find(noun, key, &at))
            v->at[at] = value;
}

static struct str value_or_default(const struct field_rule *rule, struct str value)
{
    return value.ptr ? value : str_of(rule->fallback);
}

/* Laying over ---------------------------------------------------------------------------------- */

struct merge {
    const struct fields_change *change;
    struct values values;
    bool given[FIELDS_MAX];
    struct arena arena;
};

static bool take_value(struct merge *m, const struct field_rule *rule, size_t at, struct str value,
                       struct err *err)
{
    struct buf good;

    if (value.len == 0) {
        m->values.at[at] = (struct str){ 0 };
        return true;
    }
    buf_init(&good, VALUE_MAX);
    bool ok = fields_value_ok(rule, value, m->change->now_wall_ms, &good, err);
    if (ok)
        m->values.at[at] = arena_str(&m->arena, buf_str(&good));
    mem_wipe(good.ptr, good.len);
    buf_done(&good);
    return ok;
}

/* A secret is handed on and kept nowhere. */
static bool take_secret(struct merge *m, const struct field_rule *rule, struct str value,
                        struct err *err)
{
    struct buf unused;

    if (!m->change->secret)
        return err_set(err, ERR_SYNTAX, "is not set here");
    buf_init(&unused, VALUE_MAX);
    bool ok = fields_value_ok(rule, value, 0, &unused, err);
    mem_wipe(unused.ptr, unused.len);
    buf_done(&unused);
    if (ok)
        *m->change->secret = value;
    return ok;
}

static bool take_change(struct merge *m, const struct field_rule *rule, size_t at, struct str value,
                        struct err *err)
{
    if (m->given[at])
        return err_set(err, ERR_SYNTAX, "is given twice");
    m->given[at] = true;
    if (rule->type == FIELD_SECRET)
        return take_secret(m, rule, value, err);
    struct str before = value_or_default(rule, m->values.at[at]);
    if (!take_value(m, rule, at, value, err))
        return false;
    if (rule->first_only && !m->change->is_new &&
        !str_eq(before, value_or_default(rule, m->values.at[at])))
        return err_set(err, ERR_SYNTAX, "is set when the %s is made, and stays \"%.*s\"",
                       fields_noun_name(m->change->noun), STR_FMT(str_sub(before, 0, 40)));
    return true;
}

static bool take_line(struct merge *m, struct str line, struct err *err)
{
    const struct field_rule *rule;
    struct str key, value;
    size_t at = 0;

    if (!str_cut(line, '=', &key, &value))
        return err_set(err, ERR_SYNTAX, "\"%.*s\": expected key=value",
                       STR_FMT(str_sub(line, 0, 40)));
    rule = rule_find(m->change->noun, key, &at);
    if (!rule)
        return err_set(err, ERR_SYNTAX, "\"%.*s\" is no setting of %s",
                       STR_FMT(str_sub(key, 0, 40)), fields_noun_name(m->change->noun));
    return take_change(m, rule, at, value, err) || err_at(err, "%s", rule->key);
}

static bool values_write(const struct values *v, enum field_noun noun, struct buf *to,
                         struct err *err)
{
    size_t count;
    const struct field_rule *rules = fields_of(noun, &count);

    for (size_t i = 0; i < count; i++) {
        struct str value = value_or_default(&rules[i], v->at[i]);
        if (rules[i].always || !str_eq(value, str_of(rules[i].fallback)))
            buf_addf(to, "%s=%.*s\n", rules[i].key, STR_FMT(value));
    }
    return buf_ok(to) || err_set(err, ERR_SYNTAX, "the settings are too long");
}

bool fields_merge(const struct fields_change *c, struct buf *to, struct err *err)
{
    struct merge m = { .change = c };
    struct str rest = c->changes, line;
    bool ok = true;

    arena_init(&m.arena, 1024);
    values_read(&m.values, c->noun, c->old);
    while (ok && str_next(&rest, '\n', &line))
        ok = line.len == 0 || take_line(&m, line, err);
    ok = ok && values_write(&m.values, c->noun, to, err);
    arena_done(&m.arena);
    return ok;
}

/* Reading -------------------------------------------------------------------------------------- */

struct str fields_get(enum field_noun noun, struct str settings, const char *key)
{
    struct str name, value;
    size_t at;
    const struct field_rule *rule = rule_find(noun, str_of(key), &at);

    assert(rule);
    while (line_next(&settings, &name, &value))
        if (str_eq(name, str_of(key)))
            return value;
    return str_of(rule->fallback);
}

uint64_t fields_number(enum field_noun noun, struct str settings, const char *key)
{
    struct str value = fields_get(noun, settings, key);
    int64_t at_ms;
    uint64_t n;

    if (str_to_u64(value, UINT64_MAX, &n))
        return n;
    return date_parse_iso(value, &at_ms, NULL) && at_ms > 0 ? (uint64_t)at_ms : 0;
}

bool fields_true(enum field_noun noun, struct str settings, const char *key)
{
    return str_eq(fields_get(noun, settings, key), STR("true"));
}

unsigned fields_word(enum field_noun noun, struct str settings, const char *key)
{
    struct str value = fields_get(noun, settings, key);
    size_t at;
    const struct field_rule *rule = rule_find(noun, str_of(key), &at);

    assert(rule->words);
    for (unsigned i = 0; rule->words[i]; i++)
        if (str_eq(value, str_of(rule->words[i])))
            return i;
    return 0;
}

/* Showing -------------------------------------------------------------------------------------- */

static void list_json(struct str list, struct json *j)
{
    struct str piece;

    json_array(j);
    while (fields_next(&list, &piece))
        json_str(j, piece);
    json_array_end(j);
}

static void value_json(const struct field_rule *rule, struct str value, struct json *j)
{
    uint64_t n;

    json_key(j, rule->key);
    switch (rule->type) {
    case FIELD_YES_NO:
        json_bool(j, str_eq(value, STR("true")));
        break;
    case FIELD_COUNT:
    case FIELD_BYTES:
    case FIELD_PERCENT:
        json_int(j, str_to_u64(value, INT64_MAX, &n) ? (int64_t)n : 0);
        break;
    case FIELD_WORDS:
    case FIELD_NETWORKS:
        list_json(value, j);
        break;
    default:
        json_str(j, value);
    }
}

void fields_json(enum field_noun noun, struct str settings, struct json *j)
{
    size_t count;
    const struct field_rule *rules = fields_of(noun, &count);
    struct values v;

    values_read(&v, noun, settings);
    json_key(j, "settings");
    json_object(j);
    for (size_t i = 0; i < count; i++)
        if (v.at[i].ptr)
            value_json(&rules[i], v.at[i], j);
    json_object_end(j);
}

void fields_list(struct str settings, struct buf *to)
{
    struct str line;
    size_t count = 0;

    while (str_next(&settings, '\n', &line))
        if (line.len > 0)
            buf_addf(to, "%s%.*s", count++ > 0 ? ", " : "", STR_FMT(line));
}

static struct str shown(struct str value)
{
    return value.len > 0 ? value : STR("none");
}

bool fields_difference(enum field_noun noun, struct str old, struct str now, struct buf *to)
{
    size_t count;
    const struct field_rule *rules = fields_of(noun, &count);
    struct values before, after;
    size_t told = 0;

    values_read(&before, noun, old);
    values_read(&after, noun, now);
    for (size_t i = 0; i < count; i++) {
        struct str a = value_or_default(&rules[i], before.at[i]);
        struct str b = value_or_default(&rules[i], after.at[i]);
        if (str_eq(a, b))
            continue;
        buf_addf(to, "%s%s: %.*s -> %.*s", told++ > 0 ? ", " : "", rules[i].key, STR_FMT(shown(a)),
                 STR_FMT(shown(b)));
    }
    return told > 0;
}
