// SPDX-License-Identifier: Apache-2.0
/* vault/domain_verbs.c - domains added, changed, moved and taken away by operators. */
#include <stdlib.h>

#include "io/clock.h"
#include "mail/address.h"
#include "vault/domains_own.h"
#include "vault/suffix.h"

enum {
    NAMES_MAX = 256,     /* of one request: what fits its frame */
    DOMAIN_LEN_MAX = 240 /* with a selector and _domainkey in front it is still a name */
};

struct adding {
    struct domains *d;
    const struct request *request;
    struct account *account, *lessor;
    enum grant_method method;
    struct buf settings, detail; /* detail: the same, for the audit log */
    struct str names[NAMES_MAX]; /* A-labels, in the arena */
    uint64_t ids[NAMES_MAX];
    size_t count;
    int64_t wall_ms;
    struct arena arena;
};

/* What is asked for ------------------------------------------------------------------------------
 */

/* The line names=a,b,c of the settings is the request's, not the domain's. */
static struct str take_names(struct adding *a, struct str settings, struct str *ret_rest)
{
    struct str names = STR_NONE, line, rest = settings;
    struct buf kept;

    buf_init(&kept, SETTINGS_BYTES_MAX);
    while (str_next(&rest, '\n', &line)) {
        if (str_starts(line, STR("names=")))
            names = str_skip(line, 6);
        else if (line.len > 0)
            buf_addf(&kept, "%.*s\n", STR_FMT(line));
    }
    *ret_rest = arena_str(&a->arena, buf_str(&kept));
    buf_done(&kept);
    return names;
}

static bool free_for(const struct adding *a, struct str domain, struct err *err)
{
    const struct grants *grants = &a->d->grants;

    if (grant_find(grants, a->account, domain))
        return err_set(err, ERR_EXISTS, "%.*s has %.*s already", STR_FMT(a->account->name),
                       STR_FMT(domain));
    /* Whose it is, is nobody's business (T04). With a record of its own it may still be proved. */
    if ((a->method == METHOD_HOST || a->method == METHOD_ATTESTED) &&
        grant_of_others(grants, a->account, domain))
        return err_set(err, ERR_EXISTS, "%.*s is taken", STR_FMT(domain));
    if (a->method != METHOD_LEASE)
        return true;
    const struct grant *lessors = grant_covering(grants, a->lessor, domain);
    return (lessors && grant_holds(lessors) && lessors->method != METHOD_LEASE) ||
           err_set(err, ERR_DENIED, "%.*s has not proved %.*s", STR_FMT(a->lessor->name),
                   STR_FMT(domain));
}

static bool add_name(struct adding *a, struct str given, struct err *err)
{
    struct buf ascii;
    struct ip ip;

    if (a->count == NAMES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d domains at once", NAMES_MAX);
    buf_init(&ascii, ADDRESS_DOMAIN_MAX);
    bool ok = domain_ascii(&ascii, given, err);
    const struct str domain = ok ? arena_str(&a->arena, buf_str(&ascii)) : STR_NONE;
    buf_done(&ascii);
    if (!ok)
        return err_at(err, "domain %.*s", STR_FMT(str_sub(given, 0, 80)));
    if (!domain_ok(domain, /* utf8= */ false) || domain.len > DOMAIN_LEN_MAX)
        return err_set(err, ERR_SYNTAX, "%.*s is not a domain name that can have keys",
                       STR_FMT(str_sub(domain, 0, 80)));
    if (ip_parse(domain, &ip, NULL))
        return err_set(err, ERR_SYNTAX, "%.*s is an address, not a domain name", STR_FMT(domain));
    if (suffix_is_public(domain))
        return err_set(err, ERR_SYNTAX, "%.*s is a public suffix, nobody's own domain",
                       STR_FMT(domain));
    for (size_t i = 0; i < a->count; i++)
        if (str_eq(a->names[i], domain))
            return true;
    if (!free_for(a, domain, err))
        return false;
    a->names[a->count++] = domain;
    return true;
}

static bool read_lease(struct adding *a, struct err *err)
{
    const struct str settings = buf_str(&a->settings);
    const struct str lessor = fields_get(NOUN_DOMAIN, settings, "lessor");
    const bool is_lease = a->method == METHOD_LEASE;

    if (!is_lease && (lessor.len > 0 || fields_get(NOUN_DOMAIN, settings, "local").len > 0))
        return err_set(err, ERR_SYNTAX, "lessor and local are for method=lease");
    if (!is_lease)
        return true;
    if (lessor.len == 0)
        return err_set(err, ERR_SYNTAX,
                       "method=lease wants lessor, the account whose domain it is");
    return operate_account(a->d->vault, lessor, &a->lessor, err) &&
           (a->lessor != a->account ||
            err_set(err, ERR_SYNTAX, "an account does not lease its own domain"));
}

static bool read_method(struct adding *a, struct err *err)
{
    const struct config_proof *c = &a->d->vault->config->proof;

    if (!grant_method_of(fields_get(NOUN_DOMAIN, buf_str(&a->settings), "method"), &a->method))
        return err_set(err, ERR_SYNTAX, "method: dns, host, attested or lease is wanted");
    if (a->method == METHOD_HOST && c->host_network_count + c->host_name_count == 0)
        return err_set(err, ERR_SYNTAX,
                       "method=host wants proof.host_networks or proof.host_names in the "
                       "configuration");
    return read_lease(a, err);
}

static bool read_names(struct adding *a, struct str more, struct err *err)
{
    struct str name;

    if (a->request->name.len > 0 && !add_name(a, a->request->name, err))
        return false;
    while (str_next(&more, ',', &name))
        if (str_trim(name).len > 0 && !add_name(a, str_trim(name), err))
            return false;
    return a->count > 0 || err_set(err, ERR_SYNTAX, "a domain's name is wanted");
}

/* What holds below a name that others have names in would take those. */
static bool subdomains_ok(struct str settings, struct str domain, struct err *err)
{
    return !fields_true(NOUN_DOMAIN, settings, "subdomains") || !suffix_has_tenants(domain) ||
           err_set(err, ERR_SYNTAX, "subdomains: names below %.*s are others'", STR_FMT(domain));
}

static bool read_request(struct adding *a, struct err *err)
{
    struct request without_names = *a->request;
    const struct str more = take_names(a, a->request->settings, &without_names.settings);

    if (!operate_account(a->d->vault, a->request->account, &a->account, err) ||
        !operate_settings(&without_names, NOUN_DOMAIN, STR(""), /* is_new= */ true, NULL,
                          &a->settings, err) ||
        !read_method(a, err) || !read_names(a, more, err))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!subdomains_ok(buf_str(&a->settings), a->names[i], err))
            return false;
    return true;
}

/* Adding --------------------------------------------------------------------------------------- */

static struct grant_row row_of(const struct adding *a, size_t i)
{
    /* An operator's word and a lessor's proof are there already; the rest is looked up. */
    const bool proved = a->method == METHOD_ATTESTED || a->method == METHOD_LEASE;

    return (struct grant_row){ .id = a->ids[i],
                               .account = a->account->id,
                               .lessor = a->lessor ? a->lessor->id : 0,
                               .domain = a->names[i],
                               .settings = buf_str(&a->settings),
                               .method = a->method,
                               .standing = { .state = proved ? GRANT_PROVED : GRANT_PENDING,
                                             .proved_ms = proved ? a->wall_ms : 0 },
                               .created_wall_ms = a->wall_ms };
}

static bool audit_more(struct control *c, const struct adding *a, struct str domain,
                       struct err *err)
{
    const struct audit_row row = { .wall_ms = a->wall_ms,
                                   .actor = a->request->actor,
                                   .verb = STR("domain-added"),
                                   .account = a->account->name,
                                   .name = domain,
                                   .detail = buf_str(&a->detail) };
    return control_add_audit(c, &row, err);
}

static bool write_grants(struct control *c, void *arg, struct err *err)
{
    struct adding *a = arg;

    for (size_t i = 0; i < a->count; i++) {
        const struct grant_row row = row_of(a, i);
        if (!control_add_grant(c, &row, &a->ids[i], err))
            return false;
        if (i > 0 && !audit_more(c, a, a->names[i], err)) /* the first one's is the change's */
            return false;
    }
    return true;
}

static void take_grants(struct adding *a)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct grant_row row = row_of(a, i);
        struct grant *g = grant_add(&a->d->grants, &row, a->account, a->lessor);
        domain_tell(a->d, g);
        checker_watch(a->d, g, 0);
        keysmith_wake(a->d, g, /* soon= */ false);
        domain_row(a->d, a->request, g);
    }
}

bool domain_add(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct adding *a = NEW(struct adding);

    (void)ret_next;
    a->d = v->domains;
    a->request = r;
    a->wall_ms = clock_wall_ms();
    arena_init(&a->arena, 4096);
    buf_init(&a->detail, SETTINGS_BYTES_MAX);
    bool ok = read_request(a, err);
    if (ok) {
        struct change change = change_by(r, "domain-added", a->account->name, a->names[0]);
        fields_list(buf_str(&a->settings), &a->detail);
        change.detail = buf_str(&a->detail);
        ok = operate_change(v, &change, write_grants, a, err);
    }
    if (ok && !r->dry_run)
        take_grants(a);
    buf_done(&a->detail);
    buf_done(&a->settings);
    arena_done(&a->arena);
    free(a);
    return ok;
}

/* Changes -------------------------------------------------------------------------------------- */

bool domain_find(const struct domains *d, const struct request *r, struct grant **ret,
                 struct err *err)
{
    struct buf ascii;
    struct grant *found = NULL;
    size_t count = 0;

    buf_init(&ascii, ADDRESS_DOMAIN_MAX);
    bool ok = domain_ascii(&ascii, r->name, err);
    for (struct grant *g = ok ? grants_named(&d->grants, buf_str(&ascii)) : NULL; g; g = g->next)
        if (r->account.len == 0 || str_eq(r->account, g->account->name)) {
            found = g;
            count++;
        }
    buf_done(&ascii);
    if (!ok)
        return err_at(err, "domain");
    if (count > 1)
        return err_set(err, ERR_SYNTAX, "several accounts have %.*s: say which (account)",
                       STR_FMT(r->name));
    *ret = found;
    return found || err_set(err, ERR_NOT_FOUND, "nobody has the domain %.*s", STR_FMT(r->name));
}

struct setting {
    uint64_t id;
    struct str settings;
    uint64_t unwanted[LOOK_KEYS_MAX]; /* keys that end with it */
    size_t unwanted_count;
};

static bool write_settings(struct control *c, void *arg, struct err *err)
{
    const struct setting *s = arg;

    for (size_t i = 0; i < s->unwanted_count; i++)
        if (!control_remove_key(c, s->unwanted[i], err))
            return false;
    return control_set_grant(c, s->id, s->settings, err);
}

static bool change_settings(struct domains *d, const struct request *r, struct grant *g,
                            struct setting *s, struct err *err)
{
    struct change change = change_by(r, "domain-changed", g->account->name, g->domain);
    const struct str settings = s->settings;
    struct buf difference;

    if (g->method != METHOD_LEASE && fields_get(NOUN_DOMAIN, settings, "local").len > 0)
        return err_set(err, ERR_SYNTAX, "local is for method=lease");
    if (!subdomains_ok(settings, g->domain, err))
        return false;
    buf_init(&difference, SETTINGS_BYTES_MAX);
    (void)fields_difference(NOUN_DOMAIN, g->settings, settings, &difference);
    change.detail = buf_str(&difference);
    s->unwanted_count = keysmith_unwanted(g, settings, s->unwanted);
    bool ok = operate_change(d->vault, &change, write_settings, s, err);
    buf_done(&difference);
    return ok;
}

static void forget_keys(struct domains *d, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct key *k = key_of_id(&d->grants, ids[i]);
        if (k)
            domain_forget_key(d, k);
    }
}

static void take_settings(struct domains *d, struct grant *g, const struct setting *s)
{
    grant_set_settings(g, s->settings);
    forget_keys(d, s->unwanted, s->unwanted_count);
    domain_tell(d, g);
    leases_follow(d, g->account);
    keysmith_wake(d, g, /* soon= */ true);
}

bool domain_set(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct domains *d = v->domains;
    struct buf settings;
    struct grant *g;

    (void)ret_next;
    if (!domain_find(d, r, &g, err) ||
        !operate_settings(r, NOUN_DOMAIN, g->settings, /* is_new= */ false, NULL, &settings, err))
        return false;
    struct setting s = { .id = g->id, .settings = buf_str(&settings) };
    grant_hold(g);
    bool ok = change_settings(d, r, g, &s, err);
    if (ok && !r->dry_run && !g->gone) {
        take_settings(d, g, &s);
        domain_row(d, r, g);
    }
    grant_drop(g);
    buf_done(&settings);
    return ok;
}

static bool write_removal(struct control *c, void *arg, struct err *err)
{
    return control_remove_grant(c, *(const uint64_t *)arg, err);
}

bool domain_remove(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct domains *d = v->domains;
    struct grant *g;

    (void)ret_next;
    if (!domain_find(d, r, &g, err))
        return false;
    const struct change change = change_by(r, "domain-removed", g->account->name, g->domain);
    const struct account *account = g->account;
    uint64_t id = g->id;
    if (!operate_change(v, &change, write_removal, &id, err))
        return false;
    if (r->dry_run)
        return true;
    domain_forget(d, g);
    leases_follow(d, account);
    return true;
}

/* Transfer ------------------------------------------------------------------------------------- */

struct moving {
    uint64_t grant, to;
    uint64_t left[LOOK_KEYS_MAX]; /* keys of streams, which are the other account's */
    size_t left_count;
    struct audit_row row; /* for whoever gets it */
};

static bool write_move(struct control *c, void *arg, struct err *err)
{
    const struct moving *m = arg;

    for (size_t i = 0; i < m->left_count; i++)
        if (!control_remove_key(c, m->left[i], err))
            return false;
    return control_move_grant(c, m->grant, m->to, err) && control_add_audit(c, &m->row, err);
}

static void leave_behind(struct moving *m, const struct grant *g)
{
    LIST_EACH (&g->keys, struct key, k, link)
        if (k->stream != 0 && m->left_count < LOOK_KEYS_MAX)
            m->left[m->left_count++] = k->id;
}

static bool may_move(const struct domains *d, const struct grant *g, const struct account *to,
                     struct err *err)
{
    if (g->account == to || grant_find(&d->grants, to, g->domain))
        return err_set(err, ERR_EXISTS, "%.*s has %.*s already", STR_FMT(to->name),
                       STR_FMT(g->domain));
    return g->lessor != to || err_set(err, ERR_SYNTAX, "an account does not lease its own domain");
}

/* The keys go along, since their records are published; the proof must name the new account before
 * its time is over, else it is lost. */
static void move(struct domains *d, struct grant *g, struct account *to, const struct moving *m)
{
    const struct account *from = g->account;

    forget_keys(d, m->left, m->left_count);
    domain_tell_gone(d, g);
    grant_move(g, to);
    domain_tell(d, g);
    leases_follow(d, from);
    g->wait_ms = 0;
    checker_watch(d, g, 0);
    keysmith_wake(d, g, /* soon= */ true);
}

bool domain_transfer(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct domains *d = v->domains;
    struct account *to;
    struct grant *g;
    struct buf detail;

    (void)ret_next;
    if (!domain_find(d, r, &g, err) || !operate_account(v, r->to_text, &to, err) ||
        !may_move(d, g, to, err))
        return false;
    struct change change = change_by(r, "domain-transferred", g->account->name, g->domain);
    struct moving m = { .grant = g->id, .to = to->id };
    leave_behind(&m, g);
    buf_init(&detail, SETTINGS_BYTES_MAX);
    buf_addf(&detail, "from %.*s to %.*s", STR_FMT(g->account->name), STR_FMT(to->name));
    change.detail = buf_str(&detail);
    m.row = (struct audit_row){ .wall_ms = clock_wall_ms(),
                                .actor = r->actor,
                                .verb = str_of(change.verb),
                                .account = to->name,
                                .name = g->domain,
                                .detail = change.detail };
    grant_hold(g);
    bool ok = operate_change(v, &change, write_move, &m, err);
    if (ok && !r->dry_run && !g->gone) {
        move(d, g, to, &m);
        domain_row(d, r, g);
    }
    grant_drop(g);
    buf_done(&detail);
    return ok;
}

/* Rotation ------------------------------------------------------------------------------------- */

bool domain_rotate(struct vault *v, const struct request *r, uint64_t *ret_next, struct err *err)
{
    struct domains *d = v->domains;
    struct grant *g;

    (void)ret_next;
    if (!domain_find(d, r, &g, err))
        return false;
    grant_hold(g);
    bool ok = keysmith_rotate(d, g, r, err) &&
              (g->gone || domain_record_rows(d, r, g, /* news= */ true, err));
    grant_drop(g);
    return ok;
}
