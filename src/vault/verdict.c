// SPDX-License-Identifier: Apache-2.0
/* vault/verdict.c - what follows from a look: the states of the grant and of its keys, in words
 * too; into the database and the audit log first, then into memory, to core, and into the log. */
#include "base/log.h"
#include "mail/header.h"
#include "vault/domains_own.h"
#include "vault/published.h"

enum { WHY_MAX = 400, EVENTS_MAX = LOOK_KEYS_MAX + 2 };

struct event {
    const char *verb; /* domain-proved, key-lost … */
    enum log_level level;
    struct str name, detail;
};

/* One key, as it will be. */
struct key_after {
    struct key_row row;
    bool changed, over, absent;
};

struct verdict {
    struct domains *d;
    const struct look *look;
    struct arena *arena;
    struct grant_row row;
    struct key_after *keys; /* all of the grant's, in order */
    size_t key_count;
    struct event events[EVENTS_MAX];
    size_t event_count;
    struct str account; /* for the audit log */
};

static void event(struct verdict *v, const char *verb, enum log_level level, struct str name,
                  struct str detail)
{
    if (v->event_count < EVENTS_MAX)
        v->events[v->event_count++] = (struct event){ verb, level, name, detail };
}

/* Words ---------------------------------------------------------------------------------------- */

/* Which servers do not show it, and which say nothing. */
static void add_servers(struct buf *to, const struct inquiry *q,
                        bool (*shown)(const struct proof_server *s, const void *arg),
                        const void *arg)
{
    const size_t before = to->len;

    if (!q->done || q->look.count == 0) {
        buf_addf(to, "its name servers cannot be asked%s%.*s", q->text.len > 0 ? ": " : "",
                 STR_FMT(q->text));
        return;
    }
    buf_add(to, STR("not at "));
    proof_name_servers(to, &q->look, PROOF_SIDE_WITHOUT, shown, arg);
    if (to->len == before + 7)
        to->len = before;
    const size_t middle = to->len;
    buf_addf(to, "%sno answer from ", middle > before ? "; " : "");
    const size_t named = to->len;
    proof_name_servers(to, &q->look, PROOF_SIDE_SILENT, shown, arg);
    if (to->len == named)
        to->len = middle;
}

static struct str words_end(struct verdict *v, struct buf *text)
{
    const struct str kept =
        buf_ok(text) ? arena_str(v->arena, buf_str(text)) : STR("too many servers to name");

    buf_done(text);
    return kept;
}

static struct str words_of_loss(struct verdict *v)
{
    const int64_t lost_ms = v->row.standing.missing_ms + v->d->vault->config->proof.lost_ms;
    char date[DATE_TEXT_MAX];

    return arena_strf(v->arena, "no server shows its record any more; it is lost on %s",
                      date_format_iso(lost_ms, date));
}

static struct str words_of_host(struct verdict *v)
{
    const struct hosted *h = &v->look->hosted;

    if (h->finding == PROOF_SHOWN)
        return arena_strf(v->arena, "it lies with the host: %.*s", STR_FMT(h->value));
    return h->finding == PROOF_ABSENT
               ? STR("neither NS, MX nor address lies with the host (proof.host_networks)")
               : STR("its NS, MX and addresses could not all be looked up");
}

static struct str words_of_dns(struct verdict *v)
{
    const struct proof_record *want = &v->look->want;
    struct buf text;

    buf_init(&text, WHY_MAX);
    buf_addf(&text, "\"v=baton1; relay=%.*s; account=%.*s\" at _baton: ", STR_FMT(want->relay),
             STR_FMT(want->account));
    add_servers(&text, v->look->proof, proof_server_names, want);
    return words_end(v, &text);
}

static struct str words(struct verdict *v)
{
    const struct grant *g = v->look->grant;

    if (v->row.standing.state == GRANT_LOCKED)
        return STR("the owner's record at _baton names other accounts only");
    if (v->row.standing.missing_ms != 0 && v->row.standing.state == GRANT_PROVED)
        return words_of_loss(v);
    if (g->method == METHOD_HOST)
        return words_of_host(v);
    if (g->method == METHOD_DNS && v->row.standing.state != GRANT_PROVED)
        return words_of_dns(v);
    return STR("");
}

static struct str words_of_key(struct verdict *v, const struct look_key *at, const struct key *k,
                               const struct published_sight *s)
{
    struct buf text;

    if (s->servers.with > 0 && s->servers.without == 0 && s->servers.silent == 0)
        return STR("");
    buf_init(&text, WHY_MAX);
    if (s->replaced)
        buf_add(&text, STR("another record, or more than one, stands there: "));
    add_servers(&text, at->inquiry, published_at, &k->record);
    return words_end(v, &text);
}

/* The grant ------------------------------------------------------------------------------------ */

/* A registrar's "no such domain" is an answer of everybody. */
static enum proof_finding finding_of(const struct inquiry *q, struct proof_sight sight)
{
    return q->done && q->code >= 500 ? PROOF_ABSENT : proof_finding_of(sight);
}

static enum proof_finding lock_of(const struct inquiry *q, const struct proof_record *want)
{
    return q->done && q->code >= 500 ? PROOF_ABSENT : proof_see_lock(&q->look, want);
}

/* The nearer name decides, when it has records for this relay; else the registered one. */
static enum proof_finding veto(const struct look *l)
{
    if (l->grant->method != METHOD_HOST && l->grant->method != METHOD_ATTESTED)
        return PROOF_ABSENT;
    const enum proof_finding own = lock_of(l->proof, &l->want);
    if (own != PROOF_ABSENT || !l->lock_above ||
        proof_see_account(&l->proof->look, &l->want).with > 0)
        return own;
    return lock_of(l->lock_above, &l->want);
}

static enum proof_finding evidence(struct domains *d, const struct look *l)
{
    const struct grant *g = l->grant, *lessor;

    switch (g->method) {
    case METHOD_DNS:
        return finding_of(l->proof, proof_see_account(&l->proof->look, &l->want));
    case METHOD_HOST:
        return l->hosted.finding;
    case METHOD_ATTESTED:
        return PROOF_SHOWN;
    case METHOD_LEASE:
        lessor = grant_covering(&d->grants, g->lessor, g->domain);
        return lessor && grant_holds(lessor) ? PROOF_SHOWN : PROOF_ABSENT;
    }
    return PROOF_UNKNOWN;
}

/* Between two looks more than this, nobody knows what was. */
static int64_t gap_max_ms(const struct config *c)
{
    return 2 * c->proof.check_ms;
}

static void judge_grant(struct verdict *v)
{
    const struct grant *g = v->look->grant;
    const struct config *c = v->d->vault->config;
    const struct proof_rules rules = {
        .now_ms = v->look->wall_ms,
        .lost_ms = g->method == METHOD_LEASE ? 0 : c->proof.lost_ms, /* it ends with the lessor's */
        .gap_max_ms = gap_max_ms(c)
    };

    v->row.standing = g->standing;
    proof_judge(&v->row.standing, evidence(v->d, v->look), veto(v->look), &rules);
    if (v->row.standing.state == GRANT_PROVED && g->standing.state != GRANT_PROVED &&
        (g->method == METHOD_HOST || g->method == METHOD_ATTESTED) &&
        grant_of_others(&v->d->grants, g->account, g->domain)) {
        v->row.standing.state = g->standing.state; /* the first holds it (T04) */
        v->row.why = STR("the domain is taken");
    } else {
        v->row.why = words(v);
    }
    v->row.facts = verdict_facts(v->look, g->facts);
}

static void tell_of_grant(struct verdict *v)
{
    const enum grant_state now = v->row.standing.state;

    if (now == v->look->grant->standing.state)
        return;
    if (now == GRANT_PROVED)
        event(v, "domain-proved", LOG_INFO, v->look->grant->domain, v->row.why);
    else if (now == GRANT_PENDING)
        event(v, "domain-unlocked", LOG_INFO, v->look->grant->domain, v->row.why);
    else
        event(v, now == GRANT_LOCKED ? "domain-locked" : "domain-lost", LOG_ALERT,
              v->look->grant->domain, v->row.why);
}

/* Keys ----------------------------------------------------------------------------------------- */

static struct key_row row_of(const struct key *k)
{
    return (struct key_row){ .id = k->id,
                             .grant = k->grant->id,
                             .stream = k->stream,
                             .selector = k->selector,
                             .why = k->why,
                             .algorithm = k->algorithm,
                             .state = k->state,
                             .created_wall_ms = k->created_wall_ms,
                             .published_wall_ms = k->published_wall_ms,
                             .retired_wall_ms = k->retired_wall_ms,
                             .missing_wall_ms = k->missing_wall_ms };
}

static const struct look_key *look_of(const struct look *l, const struct key *k)
{
    for (size_t i = 0; i < l->key_count; i++)
        if (l->keys[i].key_id == k->id)
            return &l->keys[i];
    return NULL;
}

static struct str key_name(struct verdict *v, const struct key_after *k)
{
    return arena_strf(v->arena, "%.*s._domainkey.%.*s", STR_FMT(k->row.selector),
                      STR_FMT(v->look->grant->domain));
}

/* Those that stood in its place until now: what they signed is still on its way. A lost one goes
 * too, or it would come back over its successor. */
static void retire_before(struct verdict *v, const struct key_after *after)
{
    for (struct key_after *k = v->keys; k < after; k++) {
        if (k->row.state == KEY_RETIRING || k->row.stream != after->row.stream ||
            k->row.algorithm != after->row.algorithm)
            continue;
        k->row.state = KEY_RETIRING;
        k->row.retired_wall_ms = v->look->wall_ms;
        k->row.missing_wall_ms = 0;
        k->row.why = STR("");
        k->changed = true;
        event(v, "key-retired", LOG_INFO, key_name(v, k), STR("its successor signs"));
    }
}

static void judge_key(struct verdict *v, struct key_after *after, const struct key *k)
{
    const struct look_key *at = look_of(v->look, k);
    const struct config *c = v->d->vault->config;
    const struct published_rules rules = { .now_ms = v->look->wall_ms,
                                           .lost_ms = c->proof.lost_ms,
                                           .retire_ms = c->dkim.retire_ms,
                                           .gap_max_ms = gap_max_ms(c),
                                           .checked_ms = v->look->grant->standing.checked_ms };
    if (!at)
        return;
    struct published_sight sight = published_see(&at->inquiry->look, k->record);
    if (at->inquiry->done && at->inquiry->code >= 500)
        sight.servers.without = 1; /* no such domain: nobody shows it */
    const enum published_verdict verdict = published_judge(&after->row, &sight, &rules);
    after->row.why = words_of_key(v, at, k, &sight);
    after->over = verdict == PUBLISHED_OVER;
    after->absent = sight.servers.without > 0 || (k->absent && sight.servers.with == 0);
    after->changed = verdict != PUBLISHED_AS_BEFORE || !str_eq(after->row.why, k->why) ||
                     after->row.missing_wall_ms != k->missing_wall_ms;
    if (verdict == PUBLISHED_NOW)
        event(v, "key-published", LOG_INFO, key_name(v, after), STR(""));
    else if (verdict == PUBLISHED_LOST)
        event(v, "key-lost", LOG_ALERT, key_name(v, after), after->row.why);
    else if (verdict == PUBLISHED_OVER)
        event(v, "key-removed", LOG_INFO, key_name(v, after), STR("it was retired"));
}

static void judge_keys(struct verdict *v)
{
    size_t count = 0;

    LIST_EACH (&v->look->grant->keys, struct key, k, link)
        count++;
    v->keys = ARENA_ARRAY(v->arena, struct key_after, count);
    LIST_EACH (&v->look->grant->keys, struct key, k, link) {
        struct key_after *after = &v->keys[v->key_count++];
        after->row = row_of(k);
        judge_key(v, after, k);
    }
    for (size_t i = 0; i < v->key_count; i++)
        if (v->keys[i].row.state == KEY_ACTIVE)
            retire_before(v, &v->keys[i]);
}

/* Database ------------------------------------------------------------------------------------- */

static bool write_keys(struct control *c, const struct verdict *v, struct err *err)
{
    for (size_t i = 0; i < v->key_count; i++) {
        const struct key_after *k = &v->keys[i];
        if (k->over ? !control_remove_key(c, k->row.id, err)
                    : k->changed && !control_set_key(c, &k->row, err))
            return false;
    }
    return true;
}

static bool write_events(struct control *c, const struct verdict *v, struct err *err)
{
    for (size_t i = 0; i < v->event_count; i++) {
        const struct audit_row row = { .wall_ms = v->look->wall_ms,
                                       .actor = STR("baton"),
                                       .verb = str_of(v->events[i].verb),
                                       .account = v->account,
                                       .name = v->events[i].name,
                                       .detail = v->events[i].detail };
        if (!control_add_audit(c, &row, err))
            return false;
    }
    return true;
}

static bool write_verdict(struct control *c, void *arg, struct err *err)
{
    const struct verdict *v = arg;

    if (!control_begin(c, err))
        return false;
    if (control_set_standing(c, &v->row, err) && write_keys(c, v, err) && write_events(c, v, err))
        return control_commit(c, err);
    control_abort(c);
    return false;
}

/* The date of a look alone is kept in memory: 50,000 domains are not 50,000 syncs. It matters on
 * disk while a clock runs. */
static bool is_news(const struct verdict *v)
{
    const struct grant *g = v->look->grant;
    bool news = v->event_count > 0 || v->row.facts != g->facts ||
                v->row.standing.state != g->standing.state || v->row.standing.missing_ms != 0 ||
                g->standing.missing_ms != 0 || g->standing.checked_ms == 0 ||
                !str_eq(v->row.why, g->why);

    for (size_t i = 0; i < v->key_count; i++)
        news = news || v->keys[i].changed || v->keys[i].row.missing_wall_ms != 0;
    return news;
}

/* Memory --------------------------------------------------------------------------------------- */

static void log_events(const struct verdict *v)
{
    for (size_t i = 0; i < v->event_count; i++) {
        const struct event *e = &v->events[i];
        struct log_line l;
        log_begin(&l, e->level, e->verb);
        log_str(&l, "actor", STR("baton"));
        log_str(&l, "account", v->account);
        log_str(&l, "name", e->name);
        if (e->detail.len > 0)
            log_str(&l, "detail", e->detail);
        log_end(&l);
    }
}

static void apply_key(struct domains *d, const struct key_after *after)
{
    struct key *k = key_of_id(&d->grants, after->row.id);

    if (!k)
        return;
    if (after->over) {
        domain_forget_key(d, k);
        return;
    }
    k->state = after->row.state;
    k->published_wall_ms = after->row.published_wall_ms;
    k->retired_wall_ms = after->row.retired_wall_ms;
    k->missing_wall_ms = after->row.missing_wall_ms;
    k->absent = after->absent;
    key_set_why(k, after->row.why);
}

static void apply(struct verdict *v)
{
    struct grant *g = v->look->grant;
    const uint32_t dkim = domain_dkim_facts(g);
    bool tells = v->event_count > 0 || v->row.facts != g->facts;

    g->standing = v->row.standing;
    g->facts = v->row.facts;
    grant_set_why(g, v->row.why);
    for (size_t i = 0; i < v->key_count; i++)
        apply_key(v->d, &v->keys[i]);
    tells = tells || domain_dkim_facts(g) != dkim;
    if (tells)
        domain_tell(v->d, g);
}

/* The owner has said whose it is: what others hold by a host's or operator's word is looked at. */
static void others_follow(struct domains *d, const struct grant *proved)
{
    for (struct grant *g = grants_named(&d->grants, proved->domain); g; g = g->next)
        if (g != proved && (g->method == METHOD_HOST || g->method == METHOD_ATTESTED) &&
            g->standing.state != GRANT_LOCKED) {
            g->at_servers = true;
            checker_watch(d, g, 0);
        }
}

bool verdict_pass(struct domains *d, const struct look *l, struct arena *a, struct err *err)
{
    struct verdict *v = ARENA_NEW(a, struct verdict);
    const enum grant_state before = l->grant->standing.state;

    v->d = d;
    v->look = l;
    v->arena = a;
    v->row.id = l->grant->id;
    v->account = arena_str(a, l->grant->account->name);
    judge_grant(v);
    tell_of_grant(v);
    judge_keys(v);
    if (is_news(v) && !operate_run(d->vault, write_verdict, v, err))
        return err_at(err, "domain %.*s", STR_FMT(l->grant->domain));
    if (l->grant->gone)
        return err_set(err, ERR_NOT_FOUND, "the domain was taken away meanwhile");
    log_events(v);
    apply(v);
    if (l->grant->standing.state != before)
        leases_follow(d, l->grant->account);
    if (l->grant->method == METHOD_DNS && l->grant->standing.state == GRANT_PROVED &&
        before != GRANT_PROVED)
        others_follow(d, l->grant);
    return true;
}
