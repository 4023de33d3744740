// SPDX-License-Identifier: Apache-2.0
/* core/naming.c - whose message is this, may it go in that name, and what has to change for it?
 *
 * accept is not believed in any of this: the header is judged as it will be sent, accept's edits
 * applied, against the directory that vault tells. In order: the account (a tenant's, by its
 * upstream's field), its state, the stream, the identity, then what policy has changed (From, MAIL
 * FROM), and at last what receivers will make of the result (naming_preflight.c). */
#include "core/naming.h"

#include "core/naming_edit.h"
#include "guard/domain_name.h"
#include "mail/srs.h"

bool naming_refuse(struct naming *n, enum policy_code code, const struct str *args, size_t count,
                   struct reply *ret)
{
    *ret = code_reply(n->arena, code, args, count, n->core->config->why_url);
    return false;
}

static bool refuse_with(struct naming *n, enum policy_code code, struct str arg, struct reply *ret)
{
    return naming_refuse(n, code, &arg, 1, ret);
}

void naming_note_add(struct naming *n, enum policy_code code, struct str arg)
{
    if (n->note_count < NAMING_NOTES_MAX)
        n->notes[n->note_count++] = (struct naming_note){ code, arg };
}

/* --- whose --- */

/* The account of the tenant that the upstream names in its field (fault T10). */
static bool find_tenant(struct naming *n, const struct naming_fields *f, uint64_t *ret_account,
                        uint64_t *ret_stream, struct reply *ret)
{
    const struct core_session *s = n->session;
    struct str args[2] = { s->tenant_header, STR("it is missing") };
    struct dir_tenant *t = NULL;

    if (f->tenant_count > 1) {
        args[1] = STR("it stands more than once");
    } else if (f->tenant_count == 1) {
        struct str value = header_unfold(n->arena, f->tenant);
        t = directory_tenant(&n->core->directory, s->upstream, value);
        args[1] = arena_strf(n->arena, "nobody here is %.*s", STR_FMT(value));
    }
    if (!t)
        return naming_refuse(n, CODE_TENANT, args, 2, ret);
    *ret_account = t->account;
    *ret_stream = t->stream;
    return true;
}

static bool is_sandbox(const struct core *c, struct str rcpt)
{
    struct str local, domain;

    return c->config->sandbox_domain.len > 0 && str_cut_last(rcpt, '@', &local, &domain) &&
           domain_eq(domain, c->config->sandbox_domain);
}

bool naming_is_sandbox(const struct naming *n)
{
    for (size_t i = 0; i < n->envelope->rcpt_count; i++)
        if (!is_sandbox(n->core, n->envelope->rcpts[i].address))
            return false;
    return true;
}

static bool check_state(struct naming *n, struct reply *ret)
{
    enum account_state state = directory_state(&n->core->directory, n->account);
    struct str args[2] = { n->account->name, n->core->config->sandbox_domain };

    if (state == ACCOUNT_SUSPENDED)
        return naming_refuse(n, CODE_ACCOUNT, args, 1, ret);
    if (state == ACCOUNT_SANDBOX && !naming_is_sandbox(n))
        return naming_refuse(n, CODE_ACCOUNT_SANDBOX, args, 2, ret);
    return true;
}

/* The message's own wish, else the tenant's, the credential's, the account's. */
static bool find_stream(struct naming *n, const struct naming_fields *f, uint64_t given,
                        struct reply *ret)
{
    struct dir_account *a = n->account;

    if (f->stream_count > 0) {
        struct str name = header_unfold(n->arena, f->stream);
        n->stream = f->stream_count == 1 ? directory_stream_named(a, name) : NULL;
        if (!n->stream)
            return refuse_with(n, CODE_STREAM, name, ret);
    } else {
        n->stream = directory_stream(&n->core->directory, given ? given : a->default_stream);
        if (n->stream && n->stream->account != a)
            n->stream = NULL;
    }
    n->envelope->stream = n->stream ? n->stream->id : 0;
    return true;
}

static bool find_account(struct naming *n, const struct naming_fields *f, struct reply *ret)
{
    uint64_t account = n->session->account, stream = n->session->stream;

    if ((n->session->flags & BIND_TENANTS) && !find_tenant(n, f, &account, &stream, ret))
        return false;
    n->account = directory_account(&n->core->directory, account);
    if (!n->account)
        return refuse_with(n, CODE_ACCOUNT, n->session->login, ret);
    n->envelope->account = account;
    return check_state(n, ret) && find_stream(n, f, stream, ret);
}

/* --- in whose name --- */

/* What the receivers will read, in core's own buffer. */
bool naming_render(struct naming *n, struct str *ret, struct reply *ret_refusal)
{
    struct buf *to = &n->core->header;
    struct err err;

    buf_clear(to);
    if (!header_render(to, n->section, n->envelope->edits, n->envelope->edit_count,
                       STR("0000000000000"), &err)) {
        *ret_refusal = (struct reply){ 554, { 5, 6, 0 }, STR("the header's edits do not fit it") };
        return false;
    }
    *ret = buf_str(to);
    /* Else the body would go on where the header seems to end (fault T01). */
    if (n->is_all || str_eq(*ret, STR("\r\n")) ||
        (ret->len >= 4 && str_eq(str_skip(*ret, ret->len - 4), STR("\r\n\r\n"))))
        return true;
    *ret_refusal = (struct reply){ 554,
                                   { 5, 6, 0 },
                                   STR("the header section has no end: put an empty line before "
                                       "the text") };
    return false;
}

static enum policy_mode identity_mode(const struct naming *n)
{
    if (n->account->mode == POLICY_ENFORCE && naming_is_sandbox(n))
        return POLICY_OBSERVE; /* newcomers try things out there */
    return n->account->mode;
}

static bool hold_identity(struct naming *n, enum policy_code code, struct str arg,
                          struct reply *ret)
{
    enum policy_mode mode = identity_mode(n);

    if (mode == POLICY_ENFORCE)
        return refuse_with(n, code, arg, ret);
    if (mode == POLICY_OBSERVE)
        naming_note_add(n, code, arena_str(n->arena, arg));
    return true;
}

static bool cannot_change(struct reply *ret)
{
    *ret = (struct reply){ 554, { 5, 6, 0 }, STR("the header cannot be changed as it must be") };
    return false;
}

static bool look_into(struct naming *n, struct identity *ret, struct reply *ret_refusal)
{
    struct identity_ask ask = {
        .directory = &n->core->directory,
        .account = n->account,
        .stream = n->stream,
        .reverse_path = n->envelope->reverse_path,
    };

    if (!naming_render(n, &ask.section, ret_refusal))
        return false;
    identity_judge(&ask, n->arena, ret);
    /* The buffer is used again: what is kept of it moves to the arena. */
    ret->from = address_copy(n->arena, &ret->from);
    ret->arg = arena_str(n->arena, ret->arg);
    return true;
}

/* What steers us is left out first, and where From is rewritten (R115), the result is looked at
 * again: all that is judged is what will be sent. */
static bool identify(struct naming *n, const struct naming_fields *f, struct identity *ret,
                     struct reply *ret_refusal)
{
    if (!naming_strip(n, f))
        return cannot_change(ret_refusal);
    if (!look_into(n, ret, ret_refusal))
        return false;
    if (ret->rewrites) {
        if (!naming_rewrite_from(n, f, ret))
            return cannot_change(ret_refusal);
        if (!look_into(n, ret, ret_refusal))
            return false;
        if (ret->rewrites || !ret->may_sign)
            return cannot_change(ret_refusal);
    }
    return ret->code == CODE_NONE || hold_identity(n, ret->code, ret->arg, ret_refusal);
}

/* --- what policy changes --- */

/* Its own domain, or one that the relay receives for. */
static bool may_rewrite_at(const struct naming *n, struct str domain)
{
    return domain.len > 0 && (directory_grant(&n->core->directory, n->account, domain) ||
                              config_is_local_domain(n->core->config, domain));
}

/* A stranger's mail that is passed on: its return path becomes ours (SRS), so that SPF holds; it is
 * signed by that domain, not in From's name. */
static bool forward(struct naming *n, struct identity *i, struct reply *ret)
{
    struct str domain = forwards_domain_of(n->account);
    struct envelope *e = n->envelope;
    struct address sender;
    struct buf path;

    e->sign_domain = arena_str(n->arena, domain);
    if (e->reverse_path.len == 0 || i->sender_grant ||
        !address_parse(e->reverse_path, &sender, NULL))
        return true;
    buf_init(&path, ADDRESS_TEXT_MAX);
    bool ok =
        may_rewrite_at(n, domain) &&
        srs_forward(&path, &sender, domain, n->core->directory.secret, core_now(n->core), NULL);
    if (ok)
        e->reverse_path = arena_str(n->arena, buf_str(&path));
    buf_done(&path);
    i->sender_grant = ok ? directory_grant(&n->core->directory, n->account, domain) : NULL;
    return ok || hold_identity(n, CODE_FORWARD, sender.domain, ret);
}

/* A stream's bounces come to a domain of their own. */
static void set_return_domain(struct naming *n, struct identity *i)
{
    struct envelope *e = n->envelope;
    struct dir_domain *g;
    struct str local, domain;

    if (!n->stream || n->stream->return_domain.len == 0 || !i->sender_grant ||
        !str_cut_last(e->reverse_path, '@', &local, &domain))
        return;
    g = directory_grant(&n->core->directory, n->account, n->stream->return_domain);
    if (!g)
        return; /* it is no longer the account's */
    e->reverse_path =
        arena_strf(n->arena, "%.*s@%.*s", STR_FMT(local), STR_FMT(n->stream->return_domain));
    i->sender_grant = g;
}

static void change(struct naming *n, struct identity *i)
{
    if (i->may_sign)
        n->envelope->sign_domain = arena_str(n->arena, i->from_grant->name);
    set_return_domain(n, i);
}

/* --- all of it --- */

bool naming_judge(struct naming *n, struct reply *ret)
{
    struct naming_fields f;
    struct identity identity;

    if (!session_may_send(n->session))
        return true; /* from anybody, for a domain that we receive for: judged by where it goes */
    if (!n->core->directory.known) {
        *ret = (struct reply){ 451, { 4, 3, 2 }, STR("the server is starting, try again soon") };
        return false;
    }
    naming_look(n, &f);
    if (!find_account(n, &f, ret) || !identify(n, &f, &identity, ret))
        return false;
    if (identity.forwards) {
        if (!forward(n, &identity, ret))
            return false;
    } else {
        change(n, &identity);
    }
    return naming_foretell(n, &identity, &f, ret);
}

void naming_taken(const struct naming *n, uint64_t id)
{
    /* The account may have gone while the disk was waited for. */
    const struct dir_account *a = directory_account(&n->core->directory, n->envelope->account);

    for (size_t i = 0; a && i < n->note_count; i++)
        observed_add(n->core, a, n->notes[i].code, id, n->notes[i].arg);
}

/* --- on the way back --- */

bool naming_return(struct core *c, const struct address *rcpt, struct arena *a,
                   struct str *ret_address, struct reply *ret)
{
    struct str text = arena_strf(a, "%.*s@%.*s", STR_FMT(rcpt->local), STR_FMT(rcpt->domain));
    struct address home;
    struct buf found;
    struct err err;

    if (!c->directory.known) {
        *ret = (struct reply){ 451, { 4, 3, 2 }, STR("the server is starting, try again soon") };
        return false;
    }
    buf_init(&found, ADDRESS_TEXT_MAX);
    bool ok = srs_reverse(&found, rcpt, c->directory.secret, core_now(c), &err) &&
              address_parse(buf_str(&found), &home, &err);
    if (ok)
        *ret_address = arena_str(a, buf_str(&found));
    buf_done(&found);
    if (!ok)
        *ret = code_reply(a, CODE_SRS, &text, 1, c->config->why_url);
    return ok;
}
