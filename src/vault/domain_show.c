// SPDX-License-Identifier: Apache-2.0
/* vault/domain_show.c - domains as operators see them: rows, what is to be published, what each
 * server was found to say. */
#include <stdlib.h>

#include "io/clock.h"
#include "io/dns.h"
#include "mail/address.h"
#include "vault/domains_own.h"
#include "vault/published.h"
#include "vault/records.h"

enum { KEYS_WAIT_MS = 20 * 1000, RETURN_DOMAINS_MAX = 16, VALUE_TEXT_MAX = 2000 };

/* Grants --------------------------------------------------------------------------------------- */

static const char *key_state_word(const struct key *k)
{
    static const char *const words[] = {
        [KEY_PENDING] = "pending", [KEY_ACTIVE] = "active", [KEY_RETIRING] = "retiring"
    };
    return words[k->state];
}

static void key_json(struct json *j, const struct key *k)
{
    json_object(j);
    operate_json_str(j, "selector", k->selector);
    operate_json_str(j, "algorithm", k->algorithm == DKIM_RSA_SHA256 ? STR("rsa") : STR("ed25519"));
    operate_json_str(j, "state", str_of(key_state_word(k)));
    if (k->why.len > 0)
        operate_json_str(j, "why", str_sub(k->why, 0, 100));
    operate_json_date(j, "published", k->published_wall_ms);
    json_object_end(j);
}

static void facts_json(struct json *j, uint32_t facts)
{
    static const struct {
        const char *key;
        uint32_t yes, no;
    } rows[] = {
        { "spf", FACT_SPF_PASS, FACT_SPF_NONE | FACT_SPF_FAIL },
        { "dmarc", FACT_DMARC, FACT_DMARC_NONE },
        { "mx", FACT_MX, FACT_MX_NONE },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_key(j, rows[i].key);
        if (facts & (rows[i].yes | rows[i].no))
            json_bool(j, (facts & rows[i].yes) != 0);
        else
            json_null(j);
    }
}

static void grant_json(const struct grant *g, struct buf *to, bool keys)
{
    struct json j;

    json_begin(&j, to);
    json_object(&j);
    operate_json_str(&j, "domain", g->domain);
    operate_json_str(&j, "account", g->account->name);
    operate_json_str(&j, "method", str_of(grant_method_name(g->method)));
    operate_json_str(&j, "state", str_of(grant_state_name(g->standing.state)));
    operate_json_str(&j, "why", g->why);
    operate_json_date(&j, "created", g->created_wall_ms);
    operate_json_date(&j, "proved", g->standing.proved_ms);
    operate_json_date(&j, "missing", g->standing.missing_ms);
    operate_json_date(&j, "checked", g->standing.checked_ms);
    facts_json(&j, g->facts);
    json_key(&j, "keys");
    json_array(&j);
    LIST_EACH (&g->keys, struct key, k, link)
        if (keys)
            key_json(&j, k);
    json_array_end(&j);
    fields_json(NOUN_DOMAIN, g->settings, &j);
    json_object_end(&j);
}

void domain_row(const struct domains *d, const struct request *r, const struct grant *g)
{
    struct buf row;

    (void)d;
    buf_init(&row, ROW_BYTES_MAX);
    grant_json(g, &row, /* keys= */ true);
    if (!buf_ok(&row)) { /* very many keys: domain_records() has them */
        buf_clear(&row);
        grant_json(g, &row, /* keys= */ false);
    }
    operate_row(r, &row);
    buf_done(&row);
}

static bool wanted(const struct request *r, const struct grant *g)
{
    return (r->account.len == 0 || str_eq(r->account, g->account->name)) &&
           (r->state.len == 0 || str_eq(r->state, str_of(grant_state_name(g->standing.state))));
}

bool domain_list(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct page page = { .left = operate_row_limit(r) };
    enum grant_state state;

    if (r->state.len > 0 && !grant_state_of(r->state, &state))
        return err_set(err, ERR_SYNTAX, "state: pending, proved, lost or locked is wanted");
    LIST_EACH (&v->domains->grants.all, struct grant, g, link) {
        if (g->id <= r->after || !wanted(r, g))
            continue;
        if (!operate_page_takes(&page, g->id, ret_next))
            return true;
        domain_row(v->domains, r, g);
    }
    return true;
}

bool domain_show(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct buf ascii;
    size_t count = 0;

    (void)ret_next;
    buf_init(&ascii, ADDRESS_DOMAIN_MAX);
    bool ok = domain_ascii(&ascii, r->name, err);
    const struct grant *g = ok ? grants_named(&v->domains->grants, buf_str(&ascii)) : NULL;
    for (; g; g = g->next)
        if (wanted(r, g)) {
            domain_row(v->domains, r, g);
            count++;
        }
    buf_done(&ascii);
    return ok && (count > 0 ||
                  err_set(err, ERR_NOT_FOUND, "nobody has the domain %.*s", STR_FMT(r->name)));
}

/* Records -------------------------------------------------------------------------------------- */

static uint16_t port_of(const struct config *c, enum listener_kind kind)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].kind == kind)
            return c->listeners[i].at.port;
    return 0;
}

static bool is_at_or_below(struct str name, struct str domain)
{
    return str_eq(name, domain) || (name.len > domain.len && str_ends_nocase(name, domain) &&
                                    name.ptr[name.len - domain.len - 1] == '.');
}

static size_t return_domains(const struct grant *g, struct arena *a, const struct str **ret)
{
    struct str *names = ARENA_ARRAY(a, struct str, RETURN_DOMAINS_MAX);
    size_t count = 0;

    LIST_EACH (&g->account->streams, struct stream, s, link)
        if (s->return_domain.len > 0 && is_at_or_below(s->return_domain, g->domain) &&
            count < RETURN_DOMAINS_MAX)
            names[count++] = s->return_domain;
    *ret = names;
    return count;
}

static struct records_key *keys_of(const struct domains *d, const struct grant *g, bool news,
                                   struct arena *a, size_t *ret_count)
{
    struct records_key *keys = ARENA_ARRAY(a, struct records_key, LOOK_KEYS_MAX);
    size_t count = 0;

    LIST_EACH (&g->keys, struct key, k, link) {
        const struct key_row row = { .state = k->state, .retired_wall_ms = k->retired_wall_ms };
        if (count == LOOK_KEYS_MAX || (news && k->state != KEY_PENDING))
            continue;
        keys[count++] =
            (struct records_key){ .selector = k->selector,
                                  .record = k->record,
                                  .why = k->why,
                                  .state = k->state,
                                  .may_go = published_may_go(&row, clock_wall_ms(),
                                                             d->vault->config->dkim.retire_ms) };
    }
    *ret_count = count;
    return keys;
}

struct row_writer {
    const struct request *request;
    bool is_json;
};

/* Forms of others are handed over as text, a line a row. */
static void write_row(void *arg, struct str line)
{
    const struct row_writer *w = arg;
    struct buf row, text;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    buf_init(&text, ROW_BYTES_MAX);
    if (w->is_json) {
        buf_add(&row, line);
    } else {
        buf_addf(&text, "%.*s\n", STR_FMT(line));
        json_begin(&j, &row);
        json_object(&j);
        operate_json_str(&j, "text", buf_str(&text));
        json_object_end(&j);
    }
    operate_row(w->request, &row);
    buf_done(&text);
    buf_done(&row);
}

static struct records_about about_of(const struct domains *d, const struct grant *g, bool news,
                                     struct arena *a)
{
    const struct config *c = d->vault->config;
    char id[ACCOUNT_ID_TEXT_MAX];
    struct records_about about = { .domain = g->domain,
                                   .relay = domains_relay(d),
                                   .hostname = c->hostname,
                                   .method = g->method,
                                   .state = g->standing.state,
                                   .why = g->why,
                                   .facts = g->facts,
                                   .submission_port = port_of(c, LISTENER_SUBMISSION),
                                   .submissions_port = port_of(c, LISTENER_SUBMISSIONS) };

    about.account = arena_str(a, str_of(account_id_text(g->account, id)));
    about.keys = keys_of(d, g, news, a, &about.key_count);
    about.return_domain_count = return_domains(g, a, &about.return_domains);
    return about;
}

/* Of the records of a rotation only the new keys'. */
static void keep_keys(struct record *records, size_t *count)
{
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++)
        if (str_find(records[i].name, STR("._domainkey.")) < records[i].name.len)
            records[kept++] = records[i];
    *count = kept;
}

bool domain_record_rows(const struct domains *d, const struct request *r, const struct grant *g,
                        bool news, struct err *err)
{
    struct row_writer w = { .request = r };
    struct record *records;
    struct arena a;
    enum record_form form;
    size_t count;

    if (!record_form_of(r->state, &form, err))
        return false;
    arena_init(&a, 8192);
    const struct records_about about = about_of(d, g, news, &a);
    records_of(&about, &a, &records, &count);
    if (news)
        keep_keys(records, &count);
    w.is_json = form == RECORD_FORM_JSON;
    records_write(form, records, count, write_row, &w);
    arena_done(&a);
    return true;
}

bool domain_records(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct domains *d = v->domains;
    struct grant *g;

    (void)ret_next;
    if (!domain_find(d, r, &g, err))
        return false;
    grant_hold(g);
    bool ok = keysmith_await(d, g, loop_now_ms() + KEYS_WAIT_MS, err) &&
              domain_record_rows(d, r, g, /* news= */ false, err);
    grant_drop(g);
    return ok;
}

/* Checks --------------------------------------------------------------------------------------- */

/* One record that was looked for. */
struct checked {
    const struct request *request;
    struct str name, state, why;
    const char *type;
    bool (*shown)(const struct proof_server *s, const void *arg);
    const void *arg;
};

static const char *said_word(const struct checked *c, const struct proof_server *s)
{
    if (s->said == DNS_SAID_TIMEOUT)
        return "no answer";
    if (s->said == DNS_SAID_FAILED)
        return "failed";
    return c->shown(s, c->arg) ? "yes" : "no";
}

static void check_row(const struct checked *c, const struct proof_server *s)
{
    char ip[IP_TEXT_MAX];
    struct buf row, values;
    struct json j;

    buf_init(&row, ROW_BYTES_MAX);
    buf_init(&values, VALUE_TEXT_MAX);
    for (size_t i = 0; s && i < s->count; i++)
        buf_addf(&values, "%s%.*s", i > 0 ? " | " : "", STR_FMT(s->values[i]));
    json_begin(&j, &row);
    json_object(&j);
    operate_json_str(&j, "name", c->name);
    operate_json_str(&j, "type", str_of(c->type));
    operate_json_str(&j, "server", s && s->name.len > 0 ? s->name : STR("DNS"));
    operate_json_str(&j, "address", s ? str_of(ip_format(&s->ip, ip)) : STR("-"));
    operate_json_str(&j, "found", str_of(s ? said_word(c, s) : "no answer"));
    operate_json_str(&j, "value",
                     buf_ok(&values) ? buf_str(&values) : STR("more than can be shown"));
    operate_json_str(&j, "state", c->state);
    operate_json_str(&j, "why", c->why);
    json_object_end(&j);
    operate_row(c->request, &row);
    buf_done(&values);
    buf_done(&row);
}

static void check_rows(const struct checked *c, const struct inquiry *q)
{
    struct checked silent = *c;

    if (q->done && q->look.count > 0) {
        for (size_t i = 0; i < q->look.count; i++)
            check_row(c, &q->servers[i]);
        return;
    }
    if (q->text.len > 0)
        silent.why = q->text;
    check_row(&silent, NULL);
}

static bool any_shown(const struct proof_server *s, const void *arg)
{
    (void)arg;
    return s->count > 0;
}

static void check_proof(const struct request *r, const struct look *l)
{
    const struct grant *g = l->grant;
    const struct checked c = { .request = r,
                               .name = l->proof->name,
                               .type = "TXT",
                               .state = str_of(grant_state_name(g->standing.state)),
                               .why = g->why,
                               .shown = proof_server_names,
                               .arg = &l->want };
    check_rows(&c, l->proof);
}

static void check_key(const struct domains *d, const struct request *r, const struct look_key *at)
{
    const struct key *k = key_of_id(&d->grants, at->key_id);

    if (!k)
        return;
    const struct checked c = { .request = r,
                               .name = at->inquiry->name,
                               .type = "TXT",
                               .state = str_of(key_state_word(k)),
                               .why = k->why,
                               .shown = published_at,
                               .arg = &k->record };
    check_rows(&c, at->inquiry);
}

static void check_other(const struct request *r, const struct inquiry *q, const char *type,
                        const char *about)
{
    const struct checked c = {
        .request = r, .name = q->name, .type = type, .why = str_of(about), .shown = any_shown
    };
    check_rows(&c, q);
}

static void check_show(const struct domains *d, const struct request *r, const struct look *l)
{
    if (l->proof)
        check_proof(r, l);
    for (size_t i = 0; i < l->key_count; i++)
        check_key(d, r, &l->keys[i]);
    check_other(r, l->dmarc[0], "TXT", "DMARC policy");
    check_other(r, l->mx, "MX", "where answers go");
}

bool domain_check(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct domains *d = v->domains;
    struct grant *g;
    struct arena a;

    (void)ret_next;
    if (!domain_find(d, r, &g, err))
        return false;
    grant_hold(g);
    arena_init(&a, 16 * 1024);
    struct look *l = ARENA_NEW(&a, struct look);
    bool ok = checker_look(d, g, &a, l, err);
    if (ok && !g->gone)
        check_show(d, r, l);
    arena_done(&a);
    grant_drop(g);
    return ok;
}
