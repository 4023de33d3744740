// SPDX-License-Identifier: Apache-2.0
/* mail/spf.c - check_host(): walks the terms of a record, and of those that it leads to, until one
 * matches (RFC 7208 §4.6 to §6). */
#include "mail/spf_check.h"

#include "mail/spf_macro.h"

const char *spf_result_name(enum spf_result result)
{
    static const char *const names[] = {
        [SPF_PASS] = "pass",       [SPF_TEMPERROR] = "temperror", [SPF_NONE] = "none",
        [SPF_NEUTRAL] = "neutral", [SPF_SOFTFAIL] = "softfail",   [SPF_PERMERROR] = "permerror",
        [SPF_FAIL] = "fail",
    };

    return names[result];
}

/* The one record of the domain (§4.4, §4.5). SPF_END_NO with an empty text: it has none. */
static enum spf_end record_find(struct spf_checking *c, struct str domain, struct str *ret)
{
    struct spf_rr_answer txt;
    enum spf_end end = spf_ask_dns(c, SPF_RR_TXT, domain, &txt);
    size_t count = 0;

    *ret = STR_NONE;
    if (end != SPF_END_NO)
        return end;
    if (txt.status == SPF_RR_TEMP)
        return spf_temperror(c, domain);
    for (size_t i = 0; i < txt.count; i++)
        if (spf_record_is(txt.texts[i])) {
            *ret = txt.texts[i];
            count++;
        }
    if (count <= 1)
        return SPF_END_NO;
    return spf_permerror(
        c, arena_strf(c->arena, "%.*s has %zu SPF records; only one is allowed (RFC 7208 §4.5)",
                      STR_FMT(domain), count));
}

static void decided(struct spf_checking *c, struct str domain, struct str term)
{
    char ip[IP_TEXT_MAX];

    c->answer->domain = domain;
    c->answer->mechanism = term;
    ip_format(&c->ask->ip, ip);
    c->answer->why = term.len > 0 ? arena_strf(c->arena, "\"%.*s\" of %.*s's SPF record matches %s",
                                               STR_FMT(term), STR_FMT(domain), ip)
                                  : arena_strf(c->arena, "no term of %.*s's SPF record matches %s",
                                               STR_FMT(domain), ip);
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

/* The text at exp=, expanded; empty when anything is wrong with it. NO or CANCELLED. */
static enum spf_end explanation_find(struct spf_checking *c, struct str spec, struct str domain,
                                     struct str *ret)
{
    struct spf_rr_answer txt = { 0 };
    struct str name, text;

    *ret = STR_NONE;
    enum spf_end end = spf_target_name(c, domain, spec, &name);
    if (end == SPF_END_NO)
        end = spf_ask_dns(c, SPF_RR_TXT, name, &txt);
    if (end == SPF_END_NO && (txt.count != 1 || !spf_macro_ok(txt.texts[0], SPF_TEXT_EXPLANATION)))
        return SPF_END_NO;
    if (end == SPF_END_NO)
        end = spf_expand(c, domain, txt.texts[0], &text);
    if (end == SPF_END_NO && is_printable(text))
        *ret = text;
    return end == SPF_END_CANCELLED ? end : SPF_END_NO;
}

/* The domain's words for the sender (§6.2). Whatever is wrong with them changes nothing else. */
static enum spf_end explain(struct spf_checking *c, const struct spf_record *record,
                            struct str domain)
{
    const struct str why = c->answer->why;

    c->answer->explanation = STR_NONE;
    if (record->explanation.len == 0 || c->includes > 0)
        return SPF_END_NO;
    enum spf_end end = explanation_find(c, record->explanation, domain, &c->answer->explanation);
    c->answer->why = why;
    return end;
}

/* No term matched: another record may decide in place of this one (§6.1). */
static enum spf_end redirected(struct spf_checking *c, const struct spf_record *record,
                               struct str domain, enum spf_result *ret)
{
    struct str target;

    enum spf_end end = spf_count_lookup(c);
    if (end == SPF_END_NO)
        end = spf_target_name(c, domain, record->redirect, &target);
    if (end == SPF_END_NO)
        end = spf_check_host(c, target, ret);
    if (end != SPF_END_NO || *ret != SPF_NONE)
        return end;
    return spf_permerror(c, arena_strf(c->arena, "redirect leads to %.*s, which has no SPF record",
                                       STR_FMT(target)));
}

/* The first match decides. SPF_END_NO with *ret, or what kept us from telling. */
static enum spf_end record_evaluate(struct spf_checking *c, const struct spf_record *record,
                                    struct str domain, enum spf_result *ret)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct spf_directive *d = &record->directives[i];
        enum spf_end end = spf_match(c, d, domain);
        if (end == SPF_END_NO)
            continue;
        if (end != SPF_END_MATCH)
            return end;
        *ret = d->result;
        decided(c, domain, d->text);
        return *ret == SPF_FAIL ? explain(c, record, domain) : SPF_END_NO;
    }
    if (record->redirect.len > 0)
        return redirected(c, record, domain, ret);
    *ret = SPF_NEUTRAL; /* §4.7 */
    decided(c, domain, STR_NONE);
    return SPF_END_NO;
}

static enum spf_end record_read(struct spf_checking *c, struct str domain, struct str text,
                                struct spf_record *ret)
{
    struct err err = { 0 };

    if (spf_record_parse(text, c->arena, ret, &err))
        return SPF_END_NO;
    return spf_permerror(c,
                         arena_strf(c->arena, "SPF record of %.*s: %s", STR_FMT(domain), err.text));
}

/* §4.3: what no mail domain can be has no record. */
static bool domain_is_checked(struct str domain)
{
    return spf_name_ok(domain) &&
           str_index(spf_without_dot(domain), '.') < spf_without_dot(domain).len;
}

enum spf_end spf_check_host(struct spf_checking *c, struct str domain, enum spf_result *ret)
{
    struct spf_record record;
    struct str text = STR_NONE;

    enum spf_end end = domain_is_checked(domain) ? record_find(c, domain, &text) : SPF_END_NO;
    if (end == SPF_END_NO && text.len == 0) {
        *ret = SPF_NONE;
        c->answer->domain = domain;
        c->answer->why = arena_strf(c->arena, "%.*s has no SPF record", STR_FMT(domain));
        return SPF_END_NO;
    }
    if (end == SPF_END_NO)
        end = record_read(c, domain, text, &record);
    if (end == SPF_END_NO)
        end = record_evaluate(c, &record, domain, ret);
    if (end != SPF_END_TEMPERROR && end != SPF_END_PERMERROR)
        return end;
    *ret = end == SPF_END_TEMPERROR ? SPF_TEMPERROR : SPF_PERMERROR;
    c->answer->domain = domain;
    c->answer->mechanism = STR_NONE;
    return SPF_END_NO;
}

bool spf_check(const struct spf_ask *ask, const struct spf_dns *dns, struct arena *a,
               struct spf_answer *ret, struct err *err)
{
    struct spf_answer answer = { 0 };
    struct spf_checking c = { .ask = ask, .dns = dns, .arena = a, .err = err, .answer = &answer };

    c.sender_domain = spf_without_dot(ask->domain.len > 0 ? ask->domain : ask->helo);
    c.local = ask->domain.len > 0 && ask->local.len > 0 ? ask->local : STR("postmaster");
    if (spf_check_host(&c, c.sender_domain, &answer.result) == SPF_END_CANCELLED)
        return false;
    if (answer.result != SPF_FAIL)
        answer.explanation = STR_NONE;
    answer.lookups = c.lookups;
    answer.voids = c.voids;
    *ret = answer;
    return true;
}
