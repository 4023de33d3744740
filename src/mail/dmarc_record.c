// SPDX-License-Identifier: Apache-2.0
/* mail/dmarc_record.c - reads the tags of a DMARC record.
 *
 * A wrong value of one tag does not spoil the others: receivers then do as if that tag were not
 * there (RFC 9989 §4.7), and so do we, remembering it for whoever tells the domain's owner. */
#include "mail/dmarc_record.h"

#define VERSION STR("DMARC1")

struct reading {
    struct dmarc_record record;
    uint32_t seen; /* bit of each row of `tags` */
};

static bool eat_version(struct str *text)
{
    struct str name, value, rest = *text;
    size_t end = str_index(rest, ';');

    *text = str_skip(rest, end + 1);
    return str_cut(str_sub(rest, 0, end), '=', &name, &value) &&
           str_eq_nocase(str_trim(name), STR("v")) && str_eq(str_trim(value), VERSION) &&
           name.len > 0 && ascii_is_alpha(name.ptr[0]);
}

bool dmarc_record_is(struct str text)
{
    return eat_version(&text);
}

/* Tags
 * -----------------------------------------------------------------------------------------------------
 */

static bool word_in(struct str value, const char *const *words, size_t count, unsigned *ret)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(value, str_of(words[i]))) {
            *ret = (unsigned)i;
            return true;
        }
    return false;
}

static const char *const policies[] = { "none", "quarantine", "reject" };

const char *dmarc_policy_name(enum dmarc_policy policy)
{
    return policies[policy];
}

static bool take_policy(struct str value, enum dmarc_policy *ret)
{
    unsigned at;

    if (!word_in(value, policies, sizeof policies / sizeof policies[0], &at))
        return false;
    *ret = (enum dmarc_policy)at;
    return true;
}

static bool take_p(struct str value, struct dmarc_record *r)
{
    return take_policy(value, &r->policy);
}

static bool take_sp(struct str value, struct dmarc_record *r)
{
    return take_policy(value, &r->subdomains);
}

static bool take_np(struct str value, struct dmarc_record *r)
{
    return take_policy(value, &r->absent);
}

static bool take_alignment(struct str value, bool *ret_strict)
{
    static const char *const words[] = { "r", "s" };
    unsigned at;

    if (!word_in(value, words, 2, &at))
        return false;
    *ret_strict = at == 1;
    return true;
}

static bool take_adkim(struct str value, struct dmarc_record *r)
{
    return take_alignment(value, &r->strict_dkim);
}

static bool take_aspf(struct str value, struct dmarc_record *r)
{
    return take_alignment(value, &r->strict_spf);
}

static bool take_t(struct str value, struct dmarc_record *r)
{
    static const char *const words[] = { "n", "y" };
    unsigned at;

    if (!word_in(value, words, 2, &at))
        return false;
    r->testing = at == 1;
    return true;
}

static bool take_psd(struct str value, struct dmarc_record *r)
{
    static const char *const words[] = { "u", "y", "n" };
    unsigned at;

    if (!word_in(value, words, 3, &at))
        return false;
    r->psd = (enum dmarc_psd)at;
    return true;
}

static bool take_pct(struct str value, struct dmarc_record *r)
{
    uint64_t percent;

    if (!str_to_u64(value, 100, &percent))
        return false;
    r->percent = (unsigned)percent;
    return true;
}

/* scheme ":" and something printable without blanks behind (RFC 3986 §3). */
static bool uri_ok(struct str uri)
{
    size_t colon = str_index(uri, ':');

    if (colon == 0 || colon + 1 >= uri.len || !ascii_is_alpha(uri.ptr[0]))
        return false;
    for (size_t i = 0; i < uri.len; i++)
        if (uri.ptr[i] <= ' ' || uri.ptr[i] > '~')
            return false;
    return true;
}

/* At least one of the list is a URI. */
static bool take_rua(struct str value, struct dmarc_record *r)
{
    struct str rest = value, uri;
    bool any = false;

    while (str_next(&rest, ',', &uri))
        any |= uri_ok(str_trim(uri));
    if (any)
        r->reports = value;
    return any;
}

static const struct {
    struct str name;
    bool (*take)(struct str value, struct dmarc_record *r);
} tags[] = {
    { STR("p"), take_p },     { STR("sp"), take_sp },       { STR("np"), take_np },
    { STR("t"), take_t },     { STR("adkim"), take_adkim }, { STR("aspf"), take_aspf },
    { STR("psd"), take_psd }, { STR("pct"), take_pct },     { STR("rua"), take_rua },
};
enum { TAG_P, TAG_SP, TAG_NP }; /* their places above */

static bool has(const struct reading *r, unsigned tag)
{
    return r->seen & 1u << tag;
}

static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alpha(name.ptr[i]) && !ascii_is_digit(name.ptr[i]))
            return false;
    return name.len > 0 && ascii_is_alpha(name.ptr[0]);
}

static void note_flaw(struct reading *r, struct str tag)
{
    if (r->record.flaw.len == 0)
        r->record.flaw = tag;
}

/* Of two tags of one name the first counts; tags without a name of ours are nobody's. */
static void tag_take(struct reading *r, struct str tag, struct str name, struct str value)
{
    for (unsigned i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (!str_eq_nocase(name, tags[i].name))
            continue;
        if (has(r, i) || !tags[i].take(value, &r->record))
            note_flaw(r, tag);
        else
            r->seen |= 1u << i;
    }
}

/* What was left out follows from what was not. */
static void settle(struct reading *r)
{
    if (!has(r, TAG_SP))
        r->record.subdomains = r->record.policy;
    if (!has(r, TAG_NP))
        r->record.absent = r->record.subdomains;
}

bool dmarc_record_parse(struct str text, struct dmarc_record *ret, struct err *err)
{
    struct reading r = { .record.percent = 100 };
    struct str tag, name, value;

    if (!eat_version(&text))
        return err_set(err, ERR_SYNTAX, "does not begin with v=DMARC1");
    while (str_next(&text, ';', &tag)) {
        tag = str_trim(tag);
        if (tag.len == 0)
            continue;
        if (!str_cut(tag, '=', &name, &value) || !name_ok(str_trim(name)))
            return err_set(err, ERR_SYNTAX, "\"%.*s\" is no tag of a DMARC record",
                           STR_FMT(str_sub(tag, 0, 80)));
        tag_take(&r, tag, str_trim(name), str_trim(value));
    }
    /* Whoever asks for reports and says no policy that is one wants to watch (RFC 9989 §4.7). */
    if (!has(&r, TAG_P) && r.record.reports.len == 0)
        return err_set(err, ERR_SYNTAX, "has no p= of none, quarantine or reject");
    settle(&r);
    *ret = r.record;
    return true;
}
