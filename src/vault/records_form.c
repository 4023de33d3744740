// SPDX-License-Identifier: Apache-2.0
/* vault/records_form.c - records in the forms that zone files and providers' interfaces take. */
#include "vault/records.h"

enum { TTL_S = 3600, STRING_MAX = 255 /* RFC 1035 §3.3.14 */, LINE_MAX_BYTES = 8192 };

struct writing {
    const struct record *records;
    size_t count;
    void (*line)(void *arg, struct str text);
    void *arg;
    struct buf text;
};

static void end_line(struct writing *w)
{
    w->line(w->arg, buf_str(&w->text));
    buf_clear(&w->text);
}

static void line(struct writing *w, struct str text)
{
    w->line(w->arg, text);
}

static const char *const needs[] = { [RECORD_MUST] = "must",
                                     [RECORD_KEEP] = "keep",
                                     [RECORD_REMOVE] = "remove",
                                     [RECORD_SHOULD] = "should",
                                     [RECORD_MAY] = "may" };

/* What providers are handed: the rest is advice, which may not suit what is there already. */
static bool is_due(const struct record *r)
{
    return r->need == RECORD_MUST || r->need == RECORD_KEEP;
}

static bool is_txt(const struct record *r)
{
    return strcmp(r->type, "TXT") == 0;
}

/* One character-string in quotes (RFC 1035 §5.1). */
static void add_string(struct buf *to, struct str text)
{
    buf_add_char(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_addf(to, "\\%c", c);
        else if (c < ' ' || c > '~')
            buf_addf(to, "\\%03u", c);
        else
            buf_add_char(to, (char)c);
    }
    buf_add_char(to, '"');
}

/* The value as it stands behind the type: a long TXT in several strings, which join without
 * blanks. */
static void add_value(struct buf *to, const struct record *r)
{
    if (!is_txt(r)) {
        buf_add(to, r->value);
        return;
    }
    for (size_t at = 0; at == 0 || at < r->value.len; at += STRING_MAX) {
        if (at > 0)
            buf_add_char(to, ' ');
        add_string(to, str_sub(r->value, at, STRING_MAX));
    }
}

/* Forms ---------------------------------------------------------------------------------------- */

static void write_json(struct writing *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct record *r = &w->records[i];
        struct json j;
        json_begin(&j, &w->text);
        json_object(&j);
        json_key(&j, "need");
        json_str(&j, str_of(needs[r->need]));
        json_key(&j, "name");
        json_str(&j, r->name);
        json_key(&j, "type");
        json_str(&j, str_of(r->type));
        json_key(&j, "value");
        json_str(&j, r->value);
        json_key(&j, "state");
        json_str(&j, r->state);
        json_key(&j, "why");
        json_str(&j, r->why);
        json_object_end(&j);
        end_line(w);
    }
}

static void write_text(struct writing *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct record *r = &w->records[i];
        if (i > 0)
            line(w, STR(""));
        buf_addf(&w->text, "%s %.*s (%s, %.*s)", r->type, STR_FMT(r->name), needs[r->need],
                 STR_FMT(r->state));
        end_line(w);
        buf_addf(&w->text, "    %.*s", STR_FMT(r->value));
        end_line(w);
        buf_addf(&w->text, "    %.*s", STR_FMT(r->why));
        end_line(w);
    }
}

static void write_zone(struct writing *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct record *r = &w->records[i];
        buf_addf(&w->text, "; %s, %.*s: %.*s", needs[r->need], STR_FMT(r->state), STR_FMT(r->why));
        end_line(w);
        buf_addf(&w->text, "%s%.*s. %d IN %s ", is_due(r) ? "" : "; ", STR_FMT(r->name), TTL_S,
                 r->type);
        add_value(&w->text, r);
        end_line(w);
    }
}

static void add_quoted_value(struct json *j, const struct record *r)
{
    struct buf value;

    buf_init(&value, LINE_MAX_BYTES);
    add_value(&value, r);
    json_str(j, buf_str(&value));
    buf_done(&value);
}

static void cloudflare_one(struct writing *w, const struct record *r, bool last)
{
    struct json j;

    buf_add(&w->text, STR("    "));
    json_begin(&j, &w->text);
    json_object(&j);
    json_key(&j, "type");
    json_str(&j, str_of(r->type));
    json_key(&j, "name");
    json_str(&j, r->name);
    json_key(&j, "content");
    add_quoted_value(&j, r);
    json_key(&j, "ttl");
    json_int(&j, TTL_S);
    json_key(&j, "proxied");
    json_bool(&j, false);
    json_object_end(&j);
    buf_add(&w->text, last ? STR("") : STR(","));
    end_line(w);
}

static void route53_one(struct writing *w, const struct record *r, bool last)
{
    struct json j;

    buf_add(&w->text, STR("    "));
    json_begin(&j, &w->text);
    json_object(&j);
    json_key(&j, "Action");
    json_str(&j, STR("CREATE"));
    json_key(&j, "ResourceRecordSet");
    json_object(&j);
    json_key(&j, "Name");
    buf_addf(&w->text, "\"%.*s.\"", STR_FMT(r->name));
    j.comma = true;
    json_key(&j, "Type");
    json_str(&j, str_of(r->type));
    json_key(&j, "TTL");
    json_int(&j, TTL_S);
    json_key(&j, "ResourceRecords");
    json_array(&j);
    json_object(&j);
    json_key(&j, "Value");
    add_quoted_value(&j, r);
    json_object_end(&j);
    json_array_end(&j);
    json_object_end(&j);
    json_object_end(&j);
    buf_add(&w->text, last ? STR("") : STR(","));
    end_line(w);
}

/* The records that are due, one a line, between two lines. */
static void write_batch(struct writing *w, struct str head, struct str foot,
                        void (*one)(struct writing *w, const struct record *r, bool last))
{
    size_t left = 0;

    for (size_t i = 0; i < w->count; i++)
        left += is_due(&w->records[i]);
    line(w, head);
    for (size_t i = 0; i < w->count; i++)
        if (is_due(&w->records[i]))
            one(w, &w->records[i], --left == 0);
    line(w, foot);
}

static const char *const forms[] = { [RECORD_FORM_JSON] = "json",
                                     [RECORD_FORM_TEXT] = "text",
                                     [RECORD_FORM_ZONE] = "zone",
                                     [RECORD_FORM_CLOUDFLARE] = "cloudflare",
                                     [RECORD_FORM_ROUTE53] = "route53" };

bool record_form_of(struct str word, enum record_form *ret, struct err *err)
{
    if (word.len == 0) {
        *ret = RECORD_FORM_JSON;
        return true;
    }
    for (enum record_form f = RECORD_FORM_JSON; f <= RECORD_FORM_ROUTE53; f++)
        if (str_eq(word, str_of(forms[f]))) {
            *ret = f;
            return true;
        }
    return err_set(err, ERR_SYNTAX,
                   "format: json, text, zone, cloudflare or route53 is wanted, not %.*s",
                   STR_FMT(str_sub(word, 0, 40)));
}

void records_write(enum record_form form, const struct record *records, size_t count,
                   void (*line_fn)(void *arg, struct str text), void *arg)
{
    struct writing w = { .records = records, .count = count, .line = line_fn, .arg = arg };

    buf_init(&w.text, LINE_MAX_BYTES);
    switch (form) {
    case RECORD_FORM_JSON:
        write_json(&w);
        break;
    case RECORD_FORM_TEXT:
        write_text(&w);
        break;
    case RECORD_FORM_ZONE:
        write_zone(&w);
        break;
    case RECORD_FORM_CLOUDFLARE:
        write_batch(&w, STR("{\"posts\":["), STR("]}"), cloudflare_one);
        break;
    case RECORD_FORM_ROUTE53:
        write_batch(&w, STR("{\"Changes\":["), STR("]}"), route53_one);
        break;
    }
    buf_done(&w.text);
}
