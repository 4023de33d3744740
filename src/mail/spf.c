// SPDX-License-Identifier: Apache-2.0
/* mail/spf.c - check_host(): walks the terms of a record, and of those that it leads to, until one
 * matches (RFC 7208 §4.6 to §6).
 *
 * Everything that a record can make us do is bounded (§4.6.4, fault S07): terms that ask DNS, names
 * of MX and PTR, answers that hold nothing. The bounds hold for the whole check, so they also end
 * records that lead to themselves. */
#include "mail/spf.h"

#include "mail/spf_macro.h"
#include "mail/spf_record.h"

#define NAME_MAX 253

/* One spf_check(). */
struct check {
    const struct spf_ask *ask;
    const struct spf_dns *dns;
    struct arena *arena;
    struct err *err;
    struct str local, sender_domain;
    unsigned lookups, voids;
    unsigned includes;         /* that we are within: their words are not the domain's (§6.2) */
    struct spf_answer *answer; /* why, mechanism and domain of what decided */
};

/* How evaluating a term, or a whole record, ended where it did not just end. */
enum end {
    END_NO, /* no match */
    END_MATCH,
    END_TEMPERROR, /* answer->why is set, as with the next one */
    END_PERMERROR,
    END_CANCELLED,
};

static enum end check_host(struct check *c, struct str domain, enum spf_result *ret);

const char *spf_result_name(enum spf_result result)
{
    static const char *const names[] = {
        [SPF_PASS] = "pass",       [SPF_TEMPERROR] = "temperror", [SPF_NONE] = "none",
        [SPF_NEUTRAL] = "neutral", [SPF_SOFTFAIL] = "softfail",   [SPF_PERMERROR] = "permerror",
        [SPF_FAIL] = "fail",
    };

    return names[result];
}

/* DNS
 * ------------------------------------------------------------------------------------------------
 */

static enum end temperror(struct check *c, struct str name)
{
    c->answer->why = arena_strf(c->arena, "DNS gives no answer for %.*s now", STR_FMT(name));
    return END_TEMPERROR;
}

static enum end permerror(struct check *c, struct str why)
{
    c->answer->why = why;
    return END_PERMERROR;
}

/* A name that cannot exist: too long, an empty label, one over 63 octets. */
static bool name_ok(struct str name)
{
    size_t label = 0;

    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '.' && label == 0)
            return false;
        label = name.ptr[i] == '.' ? 0 : label + 1;
        if (label > 63 || name.ptr[i] < ' ' || name.ptr[i] > '~')
            return false;
    }
    return label > 0 && name.len <= NAME_MAX;
}

/* END_NO or END_CANCELLED. A name that cannot exist does not, without asking. */
static enum end ask_dns(struct check *c, enum spf_rr type, struct str name,
                        struct spf_rr_answer *ret)
{
    *ret = (struct spf_rr_answer){ .status = SPF_RR_NO_NAME };
    if (!name_ok(name))
        return END_NO;
    return c->dns->ask(c->dns->arg, type, name, c->arena, ret, c->err) ? END_NO : END_CANCELLED;
}

/* One more term that asks DNS. */
static enum end count_lookup(struct check *c)
{
    if (++c->lookups <= SPF_LOOKUPS_MAX)
        return END_NO;
    return permerror(c, STR("more than 10 terms that ask DNS (RFC 7208 §4.6.4)"));
}

/* For a term's own questions: an answer that holds nothing is counted, a failure ends the check. */
static enum end ask_counted(struct check *c, enum spf_rr type, struct str name,
                            struct spf_rr_answer *ret)
{
    enum end end = ask_dns(c, type, name, ret);

    if (end != END_NO)
        return end;
    if (ret->status == SPF_RR_TEMP)
        return temperror(c, name);
    if (ret->count == 0 && ++c->voids > SPF_VOIDS_MAX)
        return permerror(c, STR("more than 2 terms lead to names without records "
                                "(RFC 7208 §4.6.4)"));
    return END_NO;
}

/* Addresses
 * -----------------------------------------------------------------------------------------------
 */

static bool prefix_eq(const struct ip *a, const struct ip *b, unsigned bits)
{
    if (memcmp(a->bytes, b->bytes, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || (a->bytes[bits / 8] ^ b->bytes[bits / 8]) >> (8 - rest) == 0;
}

static bool in_net(const struct spf_directive *d, const struct ip *ip, const struct ip *net)
{
    return ip->family == net->family && prefix_eq(ip, net, ip->family == 4 ? d->bits4 : d->bits6);
}

static bool any_in_net(const struct spf_directive *d, const struct ip *ip,
                       const struct spf_rr_answer *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (in_net(d, ip, &addresses->ips[i]))
            return true;
    return false;
}

static enum spf_rr own_family(const struct check *c)
{
    return c->ask->ip.family == 4 ? SPF_RR_A : SPF_RR_AAAA;
}

/* "1.2.0.192.in-addr.arpa" (RFC 1035 §3.5, RFC 3596 §2.5). */
static struct str reverse_name(const struct check *c)
{
    static const struct str spec = STR("%{ir}.%{v}.arpa");
    const struct spf_letters letters = { .ip = c->ask->ip };
    struct buf name;

    buf_init(&name, NAME_MAX);
    (void)spf_macro_expand(spec, &letters, &name);
    struct str ret = arena_str(c->arena, buf_str(&name));
    buf_done(&name);
    return ret;
}

static bool is_below(struct str name, struct str domain)
{
    if (!str_ends_nocase(name, domain))
        return false;
    return name.len == domain.len || name.ptr[name.len - domain.len - 1] == '.';
}

static struct str without_dot(struct str name)
{
    return name.len > 0 && name.ptr[name.len - 1] == '.' ? str_sub(name, 0, name.len - 1) : name;
}

/* The names of the address's PTR records that lead back to it (§5.5), into *names, which has room
 * for SPF_NAMES_MAX. What DNS fails to tell is as if it were not there. END_NO, END_PERMERROR,
 * END_CANCELLED. */
static enum end names_validated(struct check *c, bool counted, struct str *names, size_t *ret_count)
{
    const struct spf_directive whole = { .bits4 = 32, .bits6 = 128 };
    struct spf_rr_answer ptr, addresses;

    *ret_count = 0;
    enum end end = ask_dns(c, SPF_RR_PTR, reverse_name(c), &ptr);
    if (end != END_NO)
        return end;
    if (counted && ptr.status != SPF_RR_TEMP && ptr.count == 0 && ++c->voids > SPF_VOIDS_MAX)
        return permerror(c, STR("more than 2 terms lead to names without records "
                                "(RFC 7208 §4.6.4)"));
    for (size_t i = 0; i < ptr.count && i < SPF_NAMES_MAX; i++) {
        end = ask_dns(c, own_family(c), ptr.texts[i], &addresses);
        if (end != END_NO)
            return end;
        if (any_in_net(&whole, &c->ask->ip, &addresses))
            names[(*ret_count)++] = without_dot(ptr.texts[i]);
    }
    return END_NO;
}

/* %{p}: the domain itself, else a name below it, else any, else "unknown" (§7.3). */
static enum end validated_name(struct check *c, struct str domain, struct str *ret)
{
    struct str names[SPF_NAMES_MAX];
    size_t count, best = 0;

    *ret = STR("unknown");
    enum end end = names_validated(c, false, names, &count);
    if (end != END_NO || count == 0)
        return end;
    for (size_t i = count; i-- > 0;)
        if (is_below(names[i], domain))
            best = i;
    for (size_t i = count; i-- > 0;)
        if (str_eq_nocase(names[i], domain))
            best = i;
    *ret = names[best];
    return END_NO;
}

/* Target names
 * -------------------------------------------------------------------------------------------------
 */

/* A macro-string with its macros expanded, in the arena. END_NO, END_PERMERROR (it became longer
 * than anything is), END_CANCELLED. */
static enum end expand(struct check *c, struct str domain, struct str spec, struct str *ret)
{
    struct spf_letters letters = {
        .local = c->local,
        .sender_domain = c->sender_domain,
        .domain = domain,
        .helo = c->ask->helo,
        .receiver = c->ask->receiver.len > 0 ? c->ask->receiver : STR("unknown"),
        .ip = c->ask->ip,
        .now_s = c->ask->now_s,
    };
    struct buf text;

    if (spf_macro_wants_validated(spec)) {
        enum end end = validated_name(c, domain, &letters.validated);
        if (end != END_NO)
            return end;
    }
    buf_init(&text, SPF_EXPANDED_MAX);
    bool ok = spf_macro_expand(spec, &letters, &text);
    *ret = arena_str(c->arena, buf_str(&text));
    buf_done(&text);
    return ok ? END_NO : permerror(c, STR("a macro of the SPF record grows too long"));
}

/* The <target-name> of a term (§4.8), too long ones cut at the left, label by label (§7.3). */
static enum end target_name(struct check *c, struct str domain, struct str spec, struct str *ret)
{
    *ret = domain;
    if (spec.len == 0)
        return END_NO;
    enum end end = expand(c, domain, spec, ret);
    *ret = without_dot(*ret);
    while (ret->len > NAME_MAX && str_index(*ret, '.') < ret->len)
        *ret = str_skip(*ret, str_index(*ret, '.') + 1);
    return end;
}

/* Mechanisms
 * ----------------------------------------------------------------------------------------------
 */

static enum end matched(bool match)
{
    return match ? END_MATCH : END_NO;
}

static enum end match_a(struct check *c, const struct spf_directive *d, struct str target)
{
    struct spf_rr_answer addresses;
    enum end end = ask_counted(c, own_family(c), target, &addresses);

    return end != END_NO ? end : matched(any_in_net(d, &c->ask->ip, &addresses));
}

static enum end match_mx(struct check *c, const struct spf_directive *d, struct str target)
{
    struct spf_rr_answer mx;
    enum end end = ask_counted(c, SPF_RR_MX, target, &mx);

    if (end != END_NO)
        return end;
    if (mx.count > SPF_NAMES_MAX)
        return permerror(c, STR("a domain named by mx has more than 10 mail servers "
                                "(RFC 7208 §4.6.4)"));
    for (size_t i = 0; i < mx.count && end == END_NO; i++)
        if (without_dot(mx.texts[i]).len > 0) /* null MX */
            end = match_a(c, d, without_dot(mx.texts[i]));
    return end;
}

static enum end match_ptr(struct check *c, struct str target)
{
    struct str names[SPF_NAMES_MAX];
    size_t count;
    enum end end = names_validated(c, true, names, &count);

    for (size_t i = 0; i < count && end == END_NO; i++)
        end = matched(is_below(names[i], target));
    return end;
}

static enum end match_exists(struct check *c, struct str target)
{
    struct spf_rr_answer addresses;
    enum end end = ask_counted(c, SPF_RR_A, target, &addresses);

    return end != END_NO ? end : matched(addresses.count > 0);
}

/* Another record as a condition (§5.2): only its pass is a match. */
static enum end match_include(struct check *c, struct str target)
{
    enum spf_result result;
    c->includes++;
    enum end end = check_host(c, target, &result);
    c->includes--;
    if (end != END_NO)
        return end;
    if (result == SPF_TEMPERROR)
        return END_TEMPERROR;
    if (result == SPF_PERMERROR)
        return END_PERMERROR;
    if (result == SPF_NONE)
        return permerror(c,
                         arena_strf(c->arena, "included %.*s has no SPF record", STR_FMT(target)));
    return matched(result == SPF_PASS);
}

static bool asks_dns(enum spf_mechanism mechanism)
{
    return mechanism != SPF_ALL && mechanism != SPF_IP4 && mechanism != SPF_IP6;
}

static enum end match(struct check *c, const struct spf_directive *d, struct str domain)
{
    struct str target;
    enum end end = asks_dns(d->mechanism) ? count_lookup(c) : END_NO;

    if (end == END_NO)
        end = target_name(c, domain, d->domain, &target);
    if (end != END_NO)
        return end;
    switch (d->mechanism) {
    case SPF_ALL:
        return END_MATCH;
    case SPF_INCLUDE:
        return match_include(c, target);
    case SPF_A:
        return match_a(c, d, target);
    case SPF_MX:
        return match_mx(c, d, target);
    case SPF_PTR:
        return match_ptr(c, target);
    case SPF_EXISTS:
        return match_exists(c, target);
    case SPF_IP4:
        return matched(in_net(d, &c->ask->ip, &d->ip));
    case SPF_IP6: /* a mapped IPv4 address has become one of the other family: nobody's */
        return matched(d->ip.family == 6 && in_net(d, &c->ask->ip, &d->ip));
    }
    return END_NO;
}

/* Records
 * --------------------------------------------------------------------------------------------------
 */

/* The one record of the domain (§4.4, §4.5). END_NO with an empty text: it has none. */
static enum end record_find(struct check *c, struct str domain, struct str *ret)
{
    struct spf_rr_answer txt;
    enum end end = ask_dns(c, SPF_RR_TXT, domain, &txt);
    size_t count = 0;

    *ret = STR_NONE;
    if (end != END_NO)
        return end;
    if (txt.status == SPF_RR_TEMP)
        return temperror(c, domain);
    for (size_t i = 0; i < txt.count; i++)
        if (spf_record_is(txt.texts[i])) {
            *ret = txt.texts[i];
            count++;
        }
    if (count <= 1)
        return END_NO;
    return permerror(c, arena_strf(c->arena,
                                   "%.*s has %zu SPF records; only one is allowed (RFC 7208 §4.5)",
                                   STR_FMT(domain), count));
}

static void decided(struct check *c, struct str domain, struct str term)
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

/* The domain's words for the sender (§6.2). Whatever is wrong with them, there are none. */
static enum end explain(struct check *c, const struct spf_record *record, struct str domain)
{
    struct spf_rr_answer txt;
    struct str name, text;

    c->answer->explanation = STR_NONE;
    if (record->explanation.len == 0 || c->includes > 0)
        return END_NO;
    enum end end = target_name(c, domain, record->explanation, &name);
    if (end == END_NO)
        end = ask_dns(c, SPF_RR_TXT, name, &txt);
    if (end != END_NO)
        return end == END_CANCELLED ? end : END_NO;
    if (txt.count != 1 || !spf_macro_ok(txt.texts[0], SPF_TEXT_EXPLANATION))
        return END_NO;
    struct str why = c->answer->why;
    end = expand(c, domain, txt.texts[0], &text);
    c->answer->why = why;
    if (end == END_NO && str_is_ascii(text))
        c->answer->explanation = text;
    return end == END_CANCELLED ? end : END_NO;
}

/* No term matched: another record may decide in place of this one (§6.1). */
static enum end redirected(struct check *c, const struct spf_record *record, struct str domain,
                           enum spf_result *ret)
{
    struct str target;

    enum end end = count_lookup(c);
    if (end == END_NO)
        end = target_name(c, domain, record->redirect, &target);
    if (end == END_NO)
        end = check_host(c, target, ret);
    if (end != END_NO || *ret != SPF_NONE)
        return end;
    return permerror(c, arena_strf(c->arena, "redirect leads to %.*s, which has no SPF record",
                                   STR_FMT(target)));
}

/* The first match decides. END_NO with *ret, or what kept us from telling. */
static enum end record_evaluate(struct check *c, const struct spf_record *record, struct str domain,
                                enum spf_result *ret)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct spf_directive *d = &record->directives[i];
        enum end end = match(c, d, domain);
        if (end == END_NO)
            continue;
        if (end != END_MATCH)
            return end;
        *ret = d->result;
        decided(c, domain, d->text);
        return *ret == SPF_FAIL ? explain(c, record, domain) : END_NO;
    }
    if (record->redirect.len > 0)
        return redirected(c, record, domain, ret);
    *ret = SPF_NEUTRAL; /* §4.7 */
    decided(c, domain, STR_NONE);
    return END_NO;
}

static enum end record_read(struct check *c, struct str domain, struct str text,
                            struct spf_record *ret)
{
    struct err err = { 0 };

    if (spf_record_parse(text, c->arena, ret, &err))
        return END_NO;
    return permerror(c, arena_strf(c->arena, "SPF record of %.*s: %s", STR_FMT(domain), err.text));
}

/* §4.3: what no mail domain can be has no record. */
static bool domain_is_checked(struct str domain)
{
    return name_ok(domain) && str_index(without_dot(domain), '.') < without_dot(domain).len;
}

/* END_NO with *ret, or END_CANCELLED. */
static enum end check_host(struct check *c, struct str domain, enum spf_result *ret)
{
    struct spf_record record;
    struct str text = STR_NONE;

    enum end end = domain_is_checked(domain) ? record_find(c, domain, &text) : END_NO;
    if (end == END_NO && text.len == 0) {
        *ret = SPF_NONE;
        c->answer->domain = domain;
        c->answer->why = arena_strf(c->arena, "%.*s has no SPF record", STR_FMT(domain));
        return END_NO;
    }
    if (end == END_NO)
        end = record_read(c, domain, text, &record);
    if (end == END_NO)
        end = record_evaluate(c, &record, domain, ret);
    if (end != END_TEMPERROR && end != END_PERMERROR)
        return end;
    *ret = end == END_TEMPERROR ? SPF_TEMPERROR : SPF_PERMERROR;
    c->answer->domain = domain;
    c->answer->mechanism = STR_NONE;
    return END_NO;
}

bool spf_check(const struct spf_ask *ask, const struct spf_dns *dns, struct arena *a,
               struct spf_answer *ret, struct err *err)
{
    struct spf_answer answer = { 0 };
    struct check c = { .ask = ask, .dns = dns, .arena = a, .err = err, .answer = &answer };

    c.sender_domain = without_dot(ask->domain.len > 0 ? ask->domain : ask->helo);
    c.local = ask->domain.len > 0 && ask->local.len > 0 ? ask->local : STR("postmaster");
    if (check_host(&c, c.sender_domain, &answer.result) == END_CANCELLED)
        return false;
    if (answer.result != SPF_FAIL)
        answer.explanation = STR_NONE;
    answer.lookups = c.lookups;
    answer.voids = c.voids;
    *ret = answer;
    return true;
}
