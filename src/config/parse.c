// SPDX-License-Identifier: Apache-2.0
/* config/parse.c - YAML text to struct config, by the table.
 *
 * The text is read twice: once as events, where anchors, aliases, tags and further documents can be
 * seen and are refused (so no alias bomb and no type by tag), then as a document whose nodes carry
 * their lines. The defaults are a text of the same kind, applied first. */
#include "config/option.h"

#include <yaml.h>

#include "base/mem.h"

#define CONFIG_BYTES_MAX (1024 * 1024)
#define CONFIG_DEPTH_MAX 8

bool config_mistake(struct str file, unsigned line, const char *option, struct err *err)
{
    if (line > 0)
        return err_at(err, "%.*s:%u%s%s", STR_FMT(file), line, *option ? ": " : "", option);
    return err_at(err, "%.*s%s%s", STR_FMT(file), *option ? ": " : "", option);
}

unsigned config_line(const struct config *c, const void *value)
{
    const struct config_made *m = CONTAINER_OF(c, struct config_made, config);

    for (size_t i = m->place_count; i-- > 0;)
        if (m->places[i].value == value)
            return m->places[i].line;
    return 0;
}

/* Events --------------------------------------------------------------------------------------- */

static bool yaml_fault(struct str file, const yaml_parser_t *p, struct err *err)
{
    unsigned line = (unsigned)p->problem_mark.line + 1;

    if (p->error == YAML_READER_ERROR)
        err_set(err, ERR_CONFIG, "byte %zu: %s: expected UTF-8 text", p->problem_offset,
                p->problem);
    else
        err_set(err, ERR_CONFIG, "%s: expected YAML", p->problem ? p->problem : "not YAML");
    return config_mistake(file, p->error == YAML_READER_ERROR ? 0 : line, "", err);
}

static const yaml_char_t *event_anchor(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static const yaml_char_t *event_tag(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.tag;
    default:
        return NULL;
    }
}

struct scan {
    unsigned documents, depth;
};

static bool event_ok(struct scan *s, const yaml_event_t *e, struct err *err)
{
    if (e->type == YAML_DOCUMENT_START_EVENT && ++s->documents > 1)
        return err_set(err, ERR_CONFIG, "a second document: expected one");
    if (e->type == YAML_ALIAS_EVENT || event_anchor(e))
        return err_set(err, ERR_CONFIG, "an anchor or alias: expected the value itself");
    if (event_tag(e))
        return err_set(err, ERR_CONFIG, "a tag: expected a plain value");
    if (e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT) {
        if (++s->depth > CONFIG_DEPTH_MAX)
            return err_set(err, ERR_CONFIG, "nested deeper than any option");
    } else if (e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT) {
        s->depth--;
    }
    return true;
}

static void parser_set(yaml_parser_t *p, struct str text)
{
    if (!yaml_parser_initialize(p))
        abort(); /* out of memory, nothing else */
    yaml_parser_set_input_string(p, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
    yaml_parser_set_encoding(p, YAML_UTF8_ENCODING);
}

static bool text_scan(struct str file, struct str text, struct err *err)
{
    struct scan scan = { 0 };
    yaml_parser_t p;
    bool ok = true, end = false;

    parser_set(&p, text);
    while (ok && !end) {
        yaml_event_t e;
        if (!yaml_parser_parse(&p, &e)) {
            ok = yaml_fault(file, &p, err);
            break;
        }
        ok = event_ok(&scan, &e, err) ||
             config_mistake(file, (unsigned)e.start_mark.line + 1, "", err);
        end = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&p);
    return ok;
}

/* Nodes ---------------------------------------------------------------------------------------- */

struct reading {
    struct config_made *made;
    struct str file;
    yaml_document_t doc;
    bool is_default; /* lines are not worth keeping */
};

static unsigned node_line(const yaml_node_t *n)
{
    return (unsigned)n->start_mark.line + 1;
}

static struct str node_str(const yaml_node_t *n)
{
    return str_make(n->data.scalar.value, n->data.scalar.length);
}

static yaml_node_t *node_at(struct reading *r, int index)
{
    return yaml_document_get_node(&r->doc, index);
}

static bool mistake(struct reading *r, const yaml_node_t *n, const char *option, struct err *err)
{
    return config_mistake(r->file, node_line(n), option, err);
}

static void place_add(struct reading *r, const void *value, const yaml_node_t *n)
{
    struct config_made *m = r->made;

    if (r->is_default)
        return;
    if (m->place_count == m->place_cap) {
        m->place_cap = m->place_cap ? m->place_cap * 2 : 64;
        m->places = mem_grow(m->places, m->place_cap, sizeof *m->places);
    }
    m->places[m->place_count++] = (struct config_place){ value, node_line(n) };
}

static bool expected(const struct option *o, const char *before, struct err *err)
{
    struct buf words;

    buf_init(&words, 160);
    (void)option_expected(o, &words);
    err_set(err, ERR_CONFIG, "expected %s%s", before, buf_cstr(&words));
    buf_done(&words);
    return false;
}

/* Control characters have no business in any value, and would spoil what we print. */
static bool scalar_is_clean(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool read_scalar(struct reading *r, const struct option *o, const yaml_node_t *n, void *to,
                        struct err *err)
{
    if (n->type != YAML_SCALAR_NODE)
        return expected(o, "", err);
    if (n->data.scalar.length == 0 && n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return expected(o, "a value: ", err);
    if (!scalar_is_clean(node_str(n)))
        return err_set(err, ERR_CONFIG, "a control character: expected text");
    return option_read(o, node_str(n), to, &r->made->arena, err);
}

static bool read_row(struct reading *r, const struct option *o, const char *name, yaml_node_t *n,
                     void *to, struct err *err);

/* One element of a list or of rows; err is complete. */
static bool read_item(struct reading *r, const struct option *o, const char *name, yaml_node_t *n,
                      void *to, struct err *err)
{
    place_add(r, to, n);
    if (o->type == OPTION_ROWS)
        return read_row(r, o, name, n, to, err);
    return read_scalar(r, o, n, to, err) || mistake(r, n, name, err);
}

static bool read_list(struct reading *r, const struct option *o, const char *name, yaml_node_t *n,
                      char *base, struct err *err)
{
    if (n->type != YAML_SEQUENCE_NODE) {
        expected(o, o->type == OPTION_ROWS ? "" : "a list: [], each ", err);
        return mistake(r, n, name, err);
    }
    size_t count = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
    if (count < o->list_min || count > OPTION_LIST_MAX) {
        err_set(err, ERR_CONFIG, "%zu entries: expected %zu … %d", count, o->list_min,
                OPTION_LIST_MAX);
        return mistake(r, n, name, err);
    }

    char *items = arena_array(&r->made->arena, count ? count : 1, option_size(o));
    for (size_t i = 0; i < count; i++)
        if (!read_item(r, o, name, node_at(r, n->data.sequence.items.start[i]),
                       items + i * option_size(o), err))
            return false;
    *(void **)(void *)(base + o->at) = items;
    *(size_t *)(void *)(base + o->count_at) = count;
    return true;
}

static bool read_value(struct reading *r, const struct option *o, const char *name, yaml_node_t *n,
                       char *base, struct err *err)
{
    place_add(r, base + o->at, n);
    if (o->list || o->type == OPTION_ROWS)
        return read_list(r, o, name, n, base, err);
    return read_scalar(r, o, n, base + o->at, err) || mistake(r, n, name, err);
}

/* Rows ----------------------------------------------------------------------------------------- */

static const struct option *row_option(const struct option_row *row, struct str key)
{
    for (size_t i = 0; i < row->option_count; i++)
        if (str_eq(key, str_of(row->options[i].path)))
            return &row->options[i];
    return NULL;
}

static bool key_seen(struct reading *r, const yaml_node_t *mapping, const yaml_node_pair_t *upto)
{
    struct str key = node_str(node_at(r, upto->key));

    for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < upto; p++)
        if (str_eq(node_str(node_at(r, p->key)), key))
            return true;
    return false;
}

/* The key of a pair, named in full in `name` for messages: it is text, and stands here for the
 * first time. */
static bool pair_key(struct reading *r, const yaml_node_t *mapping, const yaml_node_pair_t *pair,
                     const char *prefix, char name[static 100], struct err *err)
{
    const yaml_node_t *key = node_at(r, pair->key);
    struct buf text;

    if (key->type != YAML_SCALAR_NODE || key->data.scalar.length > 60 ||
        !scalar_is_clean(node_str(key))) {
        err_set(err, ERR_CONFIG, "expected the name of an option");
        return mistake(r, key, prefix, err);
    }
    buf_init(&text, 99);
    buf_addf(&text, "%s%s%.*s", prefix, *prefix ? "." : "", STR_FMT(node_str(key)));
    memcpy(name, buf_cstr(&text), text.len + 1);
    buf_done(&text);
    if (key_seen(r, mapping, pair)) {
        err_set(err, ERR_CONFIG, "given twice: expected once");
        return mistake(r, key, name, err);
    }
    return true;
}

/* What a row does not say. */
static bool row_defaults(struct reading *r, const struct option_row *row, const char *name,
                         const yaml_node_t *n, const bool *given, char *to, struct err *err)
{
    for (size_t i = 0; i < row->option_count; i++) {
        const struct option *o = &row->options[i];
        if (given[i])
            continue;
        if (!o->fallback) {
            err_set(err, ERR_CONFIG, "%s is missing: expected in each entry", o->path);
            return mistake(r, n, name, err);
        }
        if (!o->list && !option_read(o, str_of(o->fallback), to + o->at, &r->made->arena, err))
            return false;
    }
    return true;
}

static bool read_row(struct reading *r, const struct option *o, const char *name, yaml_node_t *n,
                     void *to, struct err *err)
{
    const struct option_row *row = o->row;
    bool given[16] = { false };
    char key_name[100];
    const char *field = "";

    if (n->type != YAML_MAPPING_NODE) {
        err_set(err, ERR_CONFIG, "expected a mapping such as {%s: …}", row->options[0].path);
        return mistake(r, n, name, err);
    }
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        if (!pair_key(r, n, p, name, key_name, err))
            return false;
        const struct option *in = row_option(row, node_str(node_at(r, p->key)));
        if (!in) {
            err_set(err, ERR_CONFIG, "no such option");
            return mistake(r, node_at(r, p->key), key_name, err);
        }
        given[in - row->options] = true;
        if (!read_value(r, in, key_name, node_at(r, p->value), to, err))
            return false;
    }
    if (!row_defaults(r, row, name, n, given, to, err))
        return false;
    if (row->finish && !row->finish(to, &field, err)) {
        err_at(err, "%s.%s", name, field);
        return mistake(r, n, "", err);
    }
    return true;
}

/* Sections ------------------------------------------------------------------------------------- */

static const struct option *find_option(struct str path)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (str_eq(path, str_of(config_options[i].path)))
            return &config_options[i];
    return NULL;
}

static bool is_section(struct str path)
{
    for (size_t i = 0; i < config_option_count; i++) {
        struct str option = str_of(config_options[i].path);
        if (option.len > path.len && option.ptr[path.len] == '.' && str_starts(option, path))
            return true;
    }
    return false;
}

static bool read_section(struct reading *r, const char *name, yaml_node_t *n, struct err *err);

static bool read_pair(struct reading *r, const char *name, const yaml_node_pair_t *pair,
                      struct err *err)
{
    const struct option *o = find_option(str_of(name));
    const yaml_node_t *key = node_at(r, pair->key);
    bool dotted = str_index(node_str(key), '.') < node_str(key).len;

    if (o && !dotted)
        return read_value(r, o, name, node_at(r, pair->value), (char *)&r->made->config, err);
    if (!dotted && is_section(str_of(name)))
        return read_section(r, name, node_at(r, pair->value), err);
    err_set(err, ERR_CONFIG, "no such option (baton config print --defaults shows all)");
    return mistake(r, key, name, err);
}

static bool read_section(struct reading *r, const char *name, yaml_node_t *n, struct err *err)
{
    char key_name[100];

    if (n->type != YAML_MAPPING_NODE) {
        err_set(err, ERR_CONFIG, "expected options, each as name: value");
        return mistake(r, n, name, err);
    }
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
        if (!pair_key(r, n, p, name, key_name, err) || !read_pair(r, key_name, p, err))
            return false;
    return true;
}

/* An empty file changes nothing. */
static bool is_blank(const yaml_node_t *root)
{
    return !root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0 &&
                     root->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

static bool text_apply(struct config_made *made, struct str file, struct str text, bool is_default,
                       struct err *err)
{
    struct reading r = { .made = made, .file = file, .is_default = is_default };
    yaml_parser_t p;
    bool ok;

    parser_set(&p, text);
    if (!yaml_parser_load(&p, &r.doc)) {
        ok = yaml_fault(file, &p, err);
    } else {
        yaml_node_t *root = yaml_document_get_root_node(&r.doc);
        ok = is_blank(root) || read_section(&r, "", root, err);
        yaml_document_delete(&r.doc);
    }
    yaml_parser_delete(&p);
    return ok;
}

static bool defaults_apply(struct config_made *made, struct err *err)
{
    struct buf text;

    buf_init(&text, CONFIG_BYTES_MAX);
    bool ok = config_print_defaults(&text) &&
              text_apply(made, STR("defaults"), buf_str(&text), true, err);
    buf_done(&text);
    return ok;
}

bool config_parse(struct str file, struct str yaml, struct config **ret, struct err *err)
{
    if (yaml.len > CONFIG_BYTES_MAX) {
        err_set(err, ERR_CONFIG, "larger than 1 MiB");
        return config_mistake(file, 0, "", err);
    }

    struct config_made *made = NEW(struct config_made);
    arena_init(&made->arena, 16 * 1024);
    made->config.arena = &made->arena;
    made->config.file = arena_str(&made->arena, file);
    if (!defaults_apply(made, err) || !text_scan(file, yaml, err) ||
        !text_apply(made, file, yaml, false, err)) {
        config_free(&made->config);
        return false;
    }
    *ret = &made->config;
    return true;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    struct config_made *made = CONTAINER_OF(c, struct config_made, config);
    arena_done(&made->arena);
    free(made->places);
    free(made);
}
