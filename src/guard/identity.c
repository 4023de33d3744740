// SPDX-License-Identifier: Apache-2.0
/* guard/identity.c - in whose name is this message?
 *
 * One walk over the section finds the fields that name somebody; then each is held against what the
 * account was granted. What more than one reader could understand in two ways is refused, so that
 * the domain that was judged is the one that receivers see (faults T01, Y03). */
#include "guard/identity.h"

#include "guard/domain_name.h"
#include "guard/header_names.h"
#include "mail/mailbox.h"

#define SIGNATURES_MAX 20 /* that are looked at; so many stand in no honest message */
#define RESENT_MAX 20

struct fields {
    struct str from, sender; /* values of the first ones */
    struct str signatures[SIGNATURES_MAX], resent[RESENT_MAX];
    size_t signature_count, resent_count;
    unsigned char counts[HEADER_ONCE_END];
    unsigned received;
    enum header_name duplicate; /* the first that stands twice */
    const char *doubt;          /* why the section is understood in two ways; NULL */
};

struct judge {
    const struct identity_ask *ask;
    struct arena *arena;
    struct identity *ret;
    struct fields fields;
    unsigned authors;      /* mailboxes in From */
    struct str stranger;   /* the first domain in From that is not granted */
    struct str own_domain; /* of the first mailbox in From */
    const char *from_doubt;
};

/* The first by the order of the table is told. */
static void note(struct judge *j, enum policy_code code, struct str arg)
{
    if (j->ret->code != CODE_NONE && j->ret->code <= code)
        return;
    j->ret->code = code;
    j->ret->arg = arg;
}

/* --- the section --- */

/* A line end that is none to every reader makes two headers of one. */
static const char *doubt_of_lines(struct str section)
{
    const char *at = section.ptr, *end = section.ptr + section.len;
    size_t line_ends = 0, feeds = 0;

    for (; at < end && (at = memchr(at, '\r', (size_t)(end - at))) != NULL; at++, line_ends++)
        if (at + 1 == end || at[1] != '\n')
            return "the header has a CR without LF";
    for (at = section.ptr; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        feeds++;
    if (feeds != line_ends)
        return "the header has an LF without CR";
    if (section.len > 0 && memchr(section.ptr, '\0', section.len))
        return "the header has a NUL";
    return NULL;
}

/* "From :" is a field to some (RFC 5322 §4.5) and none to others. */
static bool has_blank_before_colon(struct str section, const struct header_field *f)
{
    return section.ptr[f->offset + f->name.len] != ':';
}

static void look_at(struct fields *s, struct str section, const struct header_field *f)
{
    enum header_name name = header_name_of(f->name);

    if (name == HEADER_OTHER)
        return;
    if (name < HEADER_ONCE_END) {
        if (s->counts[name] > 0 && s->duplicate == HEADER_OTHER)
            s->duplicate = name;
        if (s->counts[name] < 2)
            s->counts[name]++;
    }
    if ((name == HEADER_FROM || name == HEADER_SENDER) && has_blank_before_colon(section, f))
        s->doubt = "the header has a blank between a name and its colon";
    if (name == HEADER_FROM && s->counts[name] == 1)
        s->from = f->value;
    else if (name == HEADER_SENDER && s->counts[name] == 1)
        s->sender = f->value;
    else if (name == HEADER_RECEIVED)
        s->received++;
    else if (name == HEADER_DKIM_SIGNATURE && s->signature_count++ < SIGNATURES_MAX)
        s->signatures[s->signature_count - 1] = f->value;
    else if ((name == HEADER_RESENT_FROM || name == HEADER_RESENT_SENDER) &&
             s->resent_count++ < RESENT_MAX)
        s->resent[s->resent_count - 1] = f->value;
}

static void look_over(struct fields *s, struct str section)
{
    struct header_field f;
    size_t at = 0;

    s->from = s->sender = STR_NONE;
    s->signature_count = s->resent_count = 0;
    memset(s->counts, 0, sizeof s->counts);
    s->received = 0;
    s->duplicate = HEADER_OTHER;
    s->doubt = doubt_of_lines(section);
    while (header_next(section, &at, &f))
        look_at(s, section, &f);
    if (at < section.len && !str_eq(str_skip(section, at), STR("\r\n")))
        s->doubt = "the header has a line that is no field";
    if (s->signature_count > SIGNATURES_MAX || s->resent_count > RESENT_MAX)
        s->doubt = "the header has too many signatures or Resent fields";
}

struct str identity_duplicate(struct str section)
{
    struct fields s;

    look_over(&s, section);
    return s.duplicate == HEADER_OTHER ? STR("") : header_name_text(s.duplicate);
}

/* --- one address --- */

/* The grant by which the account may use the address; its domain as tables have it in *ret_name. */
static struct dir_domain *grant_of(struct judge *j, const struct address *a, struct str *ret_name)
{
    *ret_name = a->domain;
    if (a->is_literal || !domain_name(a->domain, j->arena, ret_name))
        return NULL;
    return directory_grant(j->ask->directory, j->ask->account, *ret_name);
}

/* A leased domain comes with one local part; in a return path it may have a detail (VERP). */
static void hold_to_lease(struct judge *j, const struct dir_domain *g, const struct address *a,
                          bool with_detail)
{
    struct str local = a->local;

    if (!(g->flags & DOMAIN_LEASED) || g->local.len == 0)
        return;
    if (with_detail)
        local = str_sub(local, 0, str_index(local, '+'));
    if (!str_eq_nocase(local, g->local))
        note(j, CODE_LEASE, arena_strf(j->arena, "%.*s@%.*s", STR_FMT(g->local), STR_FMT(g->name)));
}

/* --- From --- */

static void read_author(struct judge *j, const struct address *a)
{
    const struct dir_stream *stream = j->ask->stream;
    struct str name;
    struct dir_domain *g = grant_of(j, a, &name);

    if (j->authors++ == 0) {
        j->ret->from = *a;
        j->ret->from_grant = g;
        j->own_domain = name;
    }
    if (!g) {
        j->ret->from_grant = NULL;
        if (j->stranger.len == 0)
            j->stranger = name;
        return;
    }
    hold_to_lease(j, g, a, false);
    if (stream && stream->domain.len > 0 && !domain_name_is_below(name, stream->domain))
        note(j, CODE_STREAM_DOMAIN, stream->domain);
}

static void read_from(struct judge *j)
{
    struct mailbox_reader r;
    struct address a;
    enum mailbox_read read;
    struct err err = { 0 };

    mailbox_begin(&r, j->fields.from);
    while ((read = mailbox_next(&r, &a, &err)) == MAILBOX_ONE)
        read_author(j, &a);
    if (read == MAILBOX_BAD) {
        j->ret->from_grant = NULL;
        j->from_doubt = arena_strf(j->arena, "From: %s", err.text).ptr;
    }
}

static bool from_is_strange(const struct judge *j)
{
    return j->from_doubt || j->stranger.len > 0 || j->authors == 0;
}

static bool is_rewritable(struct judge *j)
{
    struct address stand_in;
    struct str name;

    if (j->ask->account->rewrite_from.len == 0 || j->from_doubt || j->stranger.len == 0 ||
        !address_parse(j->ask->account->rewrite_from, &stand_in, NULL))
        return false;
    j->ret->from_grant = grant_of(j, &stand_in, &name);
    return j->ret->from_grant != NULL;
}

static void judge_from(struct judge *j, bool is_passed_on)
{
    if (j->fields.counts[HEADER_FROM] == 0 || (j->authors == 0 && !j->from_doubt))
        note(j, CODE_FROM_MISSING, STR(""));
    else if (j->from_doubt)
        note(j, CODE_FROM_SYNTAX, str_of(j->from_doubt));
    else if (j->stranger.len > 0 && !j->ret->rewrites)
        note(j, is_passed_on ? CODE_FORWARD : CODE_FROM, j->stranger);
    if (j->authors > 1 && j->fields.counts[HEADER_SENDER] == 0 && !j->ret->rewrites)
        note(j, CODE_SENDER_MISSING, STR(""));
}

/* --- MAIL FROM --- */

/* True: null, or the account's own. */
static bool read_reverse_path(struct judge *j, struct str *ret_name)
{
    struct address a;

    *ret_name = j->ask->reverse_path;
    if (j->ask->reverse_path.len == 0)
        return true;
    if (!address_parse(j->ask->reverse_path, &a, NULL))
        return false;
    j->ret->sender_grant = grant_of(j, &a, ret_name);
    if (j->ret->sender_grant)
        hold_to_lease(j, j->ret->sender_grant, &a, true);
    return j->ret->sender_grant != NULL;
}

static void judge_reverse_path(struct judge *j, bool is_own, struct str name, bool is_passed_on)
{
    const struct dir_account *a = j->ask->account;

    if (!is_own)
        note(j, is_passed_on ? CODE_FORWARD : CODE_MAIL_FROM, name);
    else if (j->ask->reverse_path.len == 0 && !(a->flags & ACCOUNT_NULL_SENDER))
        note(j, CODE_NULL_SENDER, a->name);
}

/* --- the others --- */

static void judge_sender(struct judge *j)
{
    struct mailbox_reader r;
    struct address a, second;
    struct str name;
    struct err err = { 0 };

    if (j->fields.counts[HEADER_SENDER] == 0)
        return;
    mailbox_begin(&r, j->fields.sender);
    if (mailbox_next(&r, &a, &err) != MAILBOX_ONE ||
        mailbox_next(&r, &second, &err) != MAILBOX_END) {
        note(j, CODE_FROM_SYNTAX,
             arena_strf(j->arena, "Sender: %s",
                        err.kind != ERR_NONE ? err.text : "it has not exactly one address"));
        return;
    }
    struct dir_domain *g = grant_of(j, &a, &name);
    if (g)
        hold_to_lease(j, g, &a, false);
    else
        note(j, CODE_SENDER, name);
}

/* Somebody else's, who has proved it: used by an account that was not granted it. */
static bool is_anothers(struct judge *j, struct str domain, struct str *ret_name)
{
    *ret_name = domain;
    return domain_name(domain, j->arena, ret_name) &&
           directory_domain_is_taken(j->ask->directory, *ret_name) &&
           !directory_grant(j->ask->directory, j->ask->account, *ret_name);
}

/* Resent fields name who passed it on by hand (RFC 5322 §3.6.6): readers show them, nobody judges
 * by them, so only what is proved to be another's is refused. */
static void judge_resent(struct judge *j, struct str value)
{
    struct mailbox_reader r;
    struct address a;
    struct str name;
    enum mailbox_read read;
    struct err err;

    mailbox_begin(&r, value);
    while ((read = mailbox_next(&r, &a, &err)) == MAILBOX_ONE)
        if (!a.is_literal && is_anothers(j, a.domain, &name))
            note(j, CODE_SENDER, name);
    if (read == MAILBOX_BAD)
        note(j, CODE_FROM_SYNTAX, arena_strf(j->arena, "Resent: %s", err.text));
}

/* Folds and blanks may stand anywhere in a tag's value (RFC 6376 §3.2). */
static struct str without_space(struct str text, struct arena *a)
{
    char *to = arena_alloc(a, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]) || text.ptr[i] == '\0')
            to[len++] = text.ptr[i];
    return str_make(to, len);
}

/* Every d= and i=, also of a signature that is not valid or has one twice: whoever verifies may be
 * of another mind. */
static void judge_signature(struct judge *j, struct str value)
{
    struct str tag, name, domain, local;

    value = without_space(value, j->arena);
    while (str_next(&value, ';', &tag)) {
        if (str_starts(tag, STR("d=")))
            domain = str_skip(tag, 2);
        else if (!str_starts(tag, STR("i=")) || !str_cut_last(tag, '@', &local, &domain))
            continue;
        if (is_anothers(j, domain, &name))
            note(j, CODE_SIGNATURE, name);
    }
}

static void judge_others(struct judge *j)
{
    judge_sender(j);
    for (size_t i = 0; i < j->fields.resent_count && i < RESENT_MAX; i++)
        judge_resent(j, j->fields.resent[i]);
    for (size_t i = 0; i < j->fields.signature_count && i < SIGNATURES_MAX; i++)
        judge_signature(j, j->fields.signatures[i]);
}

/* --- all of it --- */

/* No such message may be signed: which of the two would receivers show? */
static void judge_duplicates(struct judge *j)
{
    const unsigned char *counts = j->fields.counts;

    if (counts[HEADER_FROM] > 1 || counts[HEADER_SENDER] > 1) {
        j->ret->code = CODE_DUPLICATE;
        j->ret->arg = header_name_text(counts[HEADER_FROM] > 1 ? HEADER_FROM : HEADER_SENDER);
        j->ret->may_sign = false;
    } else if (j->fields.duplicate != HEADER_OTHER) {
        note(j, CODE_DUPLICATE, header_name_text(j->fields.duplicate));
    }
}

void identity_judge(const struct identity_ask *ask, struct arena *a, struct identity *ret)
{
    struct judge j = { .ask = ask, .arena = a, .ret = ret };
    struct str reverse_name;

    *ret = (struct identity){ .code = CODE_NONE };
    look_over(&j.fields, ask->section);
    read_from(&j);

    /* Our own Received is the first: another one behind it tells that the message came to this
     * account from elsewhere. A name that is the account's in From, in mail with a stranger's
     * return path, may be forged: it is passed on, and not vouched for. */
    bool reverse_is_own = read_reverse_path(&j, &reverse_name);
    bool came_a_way = j.fields.received > 1 && (from_is_strange(&j) || !reverse_is_own);
    bool is_passed_on = came_a_way && from_is_strange(&j) && !reverse_is_own;
    if (came_a_way && (ask->account->flags & ACCOUNT_FORWARDS)) {
        *ret = (struct identity){ .from = ret->from,
                                  .sender_grant = ret->sender_grant,
                                  .forwards = true };
    } else {
        ret->rewrites = is_rewritable(&j);
        judge_from(&j, is_passed_on);
        judge_reverse_path(&j, reverse_is_own, reverse_name, is_passed_on);
        judge_others(&j);
        ret->may_sign = ret->from_grant && (ret->rewrites || j.authors == 1) && !j.fields.doubt;
    }
    if (j.fields.doubt)
        note(&j, CODE_FROM_SYNTAX, str_of(j.fields.doubt));
    judge_duplicates(&j);
}
