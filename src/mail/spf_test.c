// SPDX-License-Identifier: Apache-2.0
/* mail/spf_test.c - RFC 7208 by its own examples (§7.4, appendix A), its grammar, and its limits
 * hit on purpose (fault S07). The suite of vectors that others keep is test/spf's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/spf.h"
#include "mail/spf_macro.h"
#include "mail/spf_record.h"

/* DNS
 * ------------------------------------------------------------------------------------------------
 */

struct row {
    const char *name;
    enum spf_rr type;
    const char *value; /* NULL: no answer */
};

/* Appendix A, with the records of A.1 to A.4; then ours. */
static const struct row zone[] = {
    { "example.com", SPF_RR_A, "192.0.2.10" },
    { "example.com", SPF_RR_A, "192.0.2.11" },
    { "example.com", SPF_RR_MX, "mail-a.example.com" },
    { "example.com", SPF_RR_MX, "mail-b.example.com" },
    { "amy.example.com", SPF_RR_A, "192.0.2.65" },
    { "bob.example.com", SPF_RR_A, "192.0.2.66" },
    { "mail-a.example.com", SPF_RR_A, "192.0.2.129" },
    { "mail-b.example.com", SPF_RR_A, "192.0.2.130" },
    { "mail-c.example.org", SPF_RR_A, "192.0.2.140" },
    { "example.org", SPF_RR_MX, "mail-c.example.org" },
    { "10.2.0.192.in-addr.arpa", SPF_RR_PTR, "example.com" },
    { "11.2.0.192.in-addr.arpa", SPF_RR_PTR, "example.com" },
    { "65.2.0.192.in-addr.arpa", SPF_RR_PTR, "amy.example.com" },
    { "66.2.0.192.in-addr.arpa", SPF_RR_PTR, "bob.example.com" },
    { "129.2.0.192.in-addr.arpa", SPF_RR_PTR, "mail-a.example.com" },
    { "130.2.0.192.in-addr.arpa", SPF_RR_PTR, "mail-b.example.com" },
    { "140.2.0.192.in-addr.arpa", SPF_RR_PTR, "mail-c.example.org" },
    { "10.0.0.4.in-addr.arpa", SPF_RR_PTR, "bob.example.com" },
    { "dnsbl.test", SPF_RR_TXT, "v=spf1 exists:%{ir}.list.test -all" },
    { "1.2.0.192.list.test", SPF_RR_A, "127.0.0.2" },
    { "local.test", SPF_RR_TXT, "v=spf1 exists:%{l1r+}.users.%{d} -all" },
    { "joe.users.local.test", SPF_RR_A, "127.0.0.2" },
    { "pass.test", SPF_RR_TXT, "v=spf1 ip4:192.0.2.1 -all" },
    { "soft.test", SPF_RR_TXT, "v=spf1 ip4:192.0.2.2 ~all" },
    { "neutral.test", SPF_RR_TXT, "v=spf1 ?all" },
    { "empty.test", SPF_RR_TXT, "v=spf1" },
    { "other.test", SPF_RR_TXT, "v=spf10 +all" },
    { "two.test", SPF_RR_TXT, "v=spf1 +all" },
    { "two.test", SPF_RR_TXT, "V=SPF1 -all" },
    { "dead.test", SPF_RR_TXT, NULL },
    { "wants.test", SPF_RR_TXT, "v=spf1 a:gone.test -all" },
    { "gone.test", SPF_RR_A, NULL },
    { "early.test", SPF_RR_TXT, "v=spf1 +all a:gone.test" },
    { "wrong.test", SPF_RR_TXT, "v=spf1 +all ip4:nonsense" },
    { "includes.test", SPF_RR_TXT, "v=spf1 include:soft.test include:pass.test -all" },
    { "included-none.test", SPF_RR_TXT, "v=spf1 include:nothing.test +all" },
    { "included-dead.test", SPF_RR_TXT, "v=spf1 include:dead.test +all" },
    { "included-wrong.test", SPF_RR_TXT, "v=spf1 include:wrong.test +all" },
    { "redirects.test", SPF_RR_TXT, "v=spf1 redirect=pass.test" },
    { "redirects-none.test", SPF_RR_TXT, "v=spf1 redirect=nothing.test" },
    { "circle.test", SPF_RR_TXT, "v=spf1 include:circle.test -all" },
    { "round.test", SPF_RR_TXT, "v=spf1 redirect=round.test" },
    { "ten.test", SPF_RR_TXT,
      "v=spf1 a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test "
      "a:t.test +all" },
    { "eleven.test", SPF_RR_TXT,
      "v=spf1 a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test a:t.test "
      "a:t.test a:t.test +all" },
    { "t.test", SPF_RR_A, "198.51.100.1" },
    { "voids.test", SPF_RR_TXT, "v=spf1 a:v1.test a:v2.test +all" },
    { "more-voids.test", SPF_RR_TXT, "v=spf1 a:v1.test a:v2.test a:v3.test +all" },
    { "mx10.test", SPF_RR_TXT, "v=spf1 mx:ten-hosts.test +all" },
    { "mx11.test", SPF_RR_TXT, "v=spf1 mx:eleven-hosts.test +all" },
    { "ptr11.test", SPF_RR_TXT, "v=spf1 ptr:last.test -all" },
    { "says.test", SPF_RR_TXT, "v=spf1 -all exp=why.says.test" },
    { "why.says.test", SPF_RR_TXT, "%{c} is no host of %{d}, %{l}; ask %{r}" },
    { "says-badly.test", SPF_RR_TXT, "v=spf1 -all exp=bad.says.test" },
    { "bad.says.test", SPF_RR_TXT, "%{x}" },
    { "leads.test", SPF_RR_TXT, "v=spf1 include:says.test -all" },
    { "six.test", SPF_RR_TXT, "v=spf1 ip6:2001:db8::/32 -all" },
    { "mapped.test", SPF_RR_TXT, "v=spf1 ip6:::ffff:192.0.2.1 -all" },
    { "null-mx.test", SPF_RR_TXT, "v=spf1 mx:null-mx-host.test -all" },
    { "null-mx-host.test", SPF_RR_MX, "" },
};

struct tables {
    const struct row *more; /* one row, or NULL */
    unsigned asked;
    bool cancels;
};

static void take(struct spf_rr_answer *ret, struct ip *ips, struct str *texts,
                 const struct row *row)
{
    if (!row->value) {
        ret->status = SPF_RR_TEMP;
        return;
    }
    texts[ret->count] = str_of(row->value);
    (void)!ip_parse(str_of(row->value), &ips[ret->count], NULL);
    ret->count++;
}

/* "ten-hosts.test" and the PTR of 203.0.113.1 are made here. */
static void take_many(struct str name, enum spf_rr type, struct spf_rr_answer *ret,
                      struct str *texts)
{
    static const struct str hosts[] = { STR("t.test"), STR("t.test"),   STR("t.test"),
                                        STR("t.test"), STR("t.test"),   STR("t.test"),
                                        STR("t.test"), STR("t.test"),   STR("t.test"),
                                        STR("t.test"), STR("last.test") };
    size_t count = 0;

    if (type == SPF_RR_MX && str_eq(name, STR("ten-hosts.test")))
        count = 10;
    if ((type == SPF_RR_MX && str_eq(name, STR("eleven-hosts.test"))) ||
        (type == SPF_RR_PTR && str_eq(name, STR("1.113.0.203.in-addr.arpa"))))
        count = 11;
    for (size_t i = 0; i < count; i++)
        texts[ret->count++] = hosts[i];
}

static bool look(void *arg, enum spf_rr type, struct str name, struct arena *a,
                 struct spf_rr_answer *ret, struct err *err)
{
    struct tables *t = arg;
    struct ip *ips = ARENA_ARRAY(a, struct ip, 32);
    struct str *texts = ARENA_ARRAY(a, struct str, 32);

    t->asked++;
    if (t->cancels)
        return err_set(err, ERR_CANCELLED, "cancelled");
    *ret = (struct spf_rr_answer){ .status = SPF_RR_FOUND, .ips = ips, .texts = texts };
    if (t->more && t->more->type == type && str_eq_nocase(name, str_of(t->more->name)))
        take(ret, ips, texts, t->more);
    for (size_t i = 0; i < ARRAY_LEN(zone); i++)
        if (zone[i].type == type && str_eq_nocase(name, str_of(zone[i].name)))
            take(ret, ips, texts, &zone[i]);
    take_many(name, type, ret, texts);
    if (ret->count == 0 && ret->status == SPF_RR_FOUND)
        ret->status = SPF_RR_NO_NAME;
    return true;
}

/* Checking
 * ------------------------------------------------------------------------------------------------
 */

static const struct check_case {
    const char *name, *domain, *ip;
    enum spf_result want;
    const char *mechanism; /* or a piece of why, where none matched */
} check_cases[] = {
    { "a pass", "pass.test", "192.0.2.1", SPF_PASS, "ip4:192.0.2.1" },
    { "a fail", "pass.test", "192.0.2.2", SPF_FAIL, "-all" },
    { "a softfail", "soft.test", "192.0.2.1", SPF_SOFTFAIL, "~all" },
    { "neutral by its record", "neutral.test", "192.0.2.1", SPF_NEUTRAL, "?all" },
    { "neutral by default", "empty.test", "192.0.2.1", SPF_NEUTRAL, "no term" },
    { "no record", "nothing.test", "192.0.2.1", SPF_NONE, "no SPF record" },
    { "another version", "other.test", "192.0.2.1", SPF_NONE, "no SPF record" },
    { "a single label", "localhost", "192.0.2.1", SPF_NONE, "no SPF record" },
    { "no name at all", "a..test", "192.0.2.1", SPF_NONE, "no SPF record" },
    { "S07 two records", "two.test", "192.0.2.1", SPF_PERMERROR, "2 SPF records" },
    { "no answer for the record", "dead.test", "192.0.2.1", SPF_TEMPERROR, "dead.test now" },
    { "no answer for a term", "wants.test", "192.0.2.1", SPF_TEMPERROR, "gone.test now" },
    { "what stands behind a match is not asked", "early.test", "192.0.2.1", SPF_PASS, "+all" },
    { "but it is read", "wrong.test", "192.0.2.1", SPF_PERMERROR, "\"ip4:nonsense\"" },
    { "include, a pass", "includes.test", "192.0.2.1", SPF_PASS, "include:pass.test" },
    { "include, no pass", "includes.test", "192.0.2.3", SPF_FAIL, "-all" },
    { "include of nothing", "included-none.test", "192.0.2.1", SPF_PERMERROR, "nothing.test" },
    { "include without answer", "included-dead.test", "192.0.2.1", SPF_TEMPERROR, "dead.test" },
    { "include of a wrong record", "included-wrong.test", "192.0.2.1", SPF_PERMERROR, "nonsense" },
    { "redirect", "redirects.test", "192.0.2.1", SPF_PASS, "ip4:192.0.2.1" },
    { "redirect to nothing", "redirects-none.test", "192.0.2.1", SPF_PERMERROR, "nothing.test" },
    { "a list of addresses", "dnsbl.test", "192.0.2.1", SPF_PASS, "exists:%{ir}.list.test" },
    { "an address not in it", "dnsbl.test", "192.0.2.2", SPF_FAIL, "-all" },
    { "IPv6", "six.test", "2001:db8::1", SPF_PASS, "ip6:2001:db8::/32" },
    { "IPv6 outside", "six.test", "2001:db9::1", SPF_FAIL, "-all" },
    { "IPv4 is no IPv6", "six.test", "192.0.2.1", SPF_FAIL, "-all" },
    { "nor by its mapped form", "mapped.test", "192.0.2.1", SPF_FAIL, "-all" },
    { "null MX names nobody", "null-mx.test", "192.0.2.1", SPF_FAIL, "-all" },
    { "S07 ten look-ups", "ten.test", "192.0.2.1", SPF_PASS, "+all" },
    { "S07 eleven look-ups", "eleven.test", "192.0.2.1", SPF_PERMERROR, "more than 10" },
    { "S07 a record that includes itself", "circle.test", "192.0.2.1", SPF_PERMERROR,
      "more than 10" },
    { "S07 a record that redirects to itself", "round.test", "192.0.2.1", SPF_PERMERROR,
      "more than 10" },
    { "S07 two void look-ups", "voids.test", "192.0.2.1", SPF_PASS, "+all" },
    { "S07 three void look-ups", "more-voids.test", "192.0.2.1", SPF_PERMERROR, "more than 2" },
    { "S07 ten mail servers", "mx10.test", "192.0.2.1", SPF_PASS, "+all" },
    { "S07 eleven mail servers", "mx11.test", "192.0.2.1", SPF_PERMERROR, "more than 10" },
    { "S07 the eleventh name of an address", "ptr11.test", "203.0.113.1", SPF_FAIL, "-all" },
};

static struct spf_answer check(const char *domain, const char *ip, const struct row *more,
                               struct arena *a)
{
    struct tables tables = { .more = more };
    const struct spf_dns dns = { look, &tables };
    struct spf_ask ask = { .helo = STR("mail.test"),
                           .local = STR("strong-bad"),
                           .domain = str_of(domain),
                           .receiver = STR("us.test") };
    struct spf_answer answer;

    assert_true(ip_parse(str_of(ip), &ask.ip, NULL));
    assert_true(spf_check(&ask, &dns, a, &answer, NULL));
    assert_true(tables.asked <= 120);
    assert_true(answer.why.len > 0);
    return answer;
}

static void s07_records_and_their_results(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < ARRAY_LEN(check_cases); i++) {
        const struct check_case *c = &check_cases[i];
        struct spf_answer answer = check(c->domain, c->ip, NULL, &arena);
        bool found = str_eq(answer.mechanism, str_of(c->mechanism)) ||
                     (answer.mechanism.len == 0 &&
                      str_find(answer.why, str_of(c->mechanism)) < answer.why.len);
        if (answer.result != c->want || !found)
            fail_msg("%s: %s, \"%.*s\", %.*s", c->name, spf_result_name(answer.result),
                     STR_FMT(answer.mechanism), STR_FMT(answer.why));
    }
    arena_done(&arena);
}

/* RFC 7208, appendix A.1: who passes under each record of example.com. */
static const struct appendix_case {
    const char *record, *passes, *fails; /* last octets of 192.0.2.0/24 */
} appendix_cases[] = {
    { "v=spf1 +all", "1 10 129", "" },
    { "v=spf1 a -all", "10 11", "65 129 140" },
    { "v=spf1 a:example.org -all", "", "10 65 129 140" },
    { "v=spf1 mx -all", "129 130", "10 65 140" },
    { "v=spf1 mx:example.org -all", "140", "10 65 129" },
    { "v=spf1 mx mx:example.org -all", "129 130 140", "10 65" },
    { "v=spf1 mx/30 mx:example.org/30 -all", "128 129 130 131 140 141 142 143", "127 132 139 144" },
    { "v=spf1 ptr -all", "10 11 65 66 129 130", "140 1" },
    { "v=spf1 ip4:192.0.2.128/28 -all", "129 130 140", "65 10" },
    { "v=spf1 ptr:example.org -all", "140", "129" },
    { "v=spf1 exists:%{p}.example.com.%{d} -all", "", "10" },
};

static void rfc7208_appendix_a(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < ARRAY_LEN(appendix_cases); i++) {
        const struct appendix_case *c = &appendix_cases[i];
        const struct row row = { "example.com", SPF_RR_TXT, c->record };
        for (int want = 0; want < 2; want++) {
            struct str list = str_of(want ? c->passes : c->fails), octet;
            while (str_next(&list, ' ', &octet)) {
                char ip[32];
                snprintf(ip, sizeof ip, "192.0.2.%.*s", STR_FMT(octet));
                struct spf_answer answer = check("example.com", ip, &row, &arena);
                if ((answer.result == SPF_PASS) != want)
                    fail_msg("%s: %s is %s (%.*s)", c->record, ip, spf_result_name(answer.result),
                             STR_FMT(answer.why));
            }
        }
    }
    /* A PTR that its name does not confirm (§5.5). */
    const struct row row = { "example.com", SPF_RR_TXT, "v=spf1 ptr -all" };
    assert_int_equal(check("example.com", "4.0.0.10", &row, &arena).result, SPF_FAIL);
    arena_done(&arena);
}

static void a_domain_explains_itself(void **state)
{
    struct arena arena;
    struct spf_answer answer;

    (void)state;
    arena_init(&arena, 4096);
    answer = check("says.test", "192.0.2.1", NULL, &arena);
    assert_true(str_eq(answer.explanation,
                       STR("192.0.2.1 is no host of says.test, strong-bad; ask us.test")));
    assert_int_equal(check("says-badly.test", "192.0.2.1", NULL, &arena).explanation.len, 0);
    assert_int_equal(check("leads.test", "192.0.2.1", NULL, &arena).explanation.len, 0);
    arena_done(&arena);
}

/* What the client says of itself comes back in those words: not with controls in it (S10). */
static void s10_no_controls_in_an_explanation(void **state)
{
    struct tables tables = { 0 };
    const struct spf_dns dns = { look, &tables };
    struct spf_ask ask = { .helo = STR("mail.test"),
                           .local = STR("a\r\nb"),
                           .domain = STR("says.test") };
    struct spf_answer answer;
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    assert_true(ip_parse(STR("192.0.2.1"), &ask.ip, NULL));
    assert_true(spf_check(&ask, &dns, &arena, &answer, NULL));
    assert_int_equal(answer.result, SPF_FAIL);
    assert_int_equal(answer.explanation.len, 0);
    arena_done(&arena);
}

static void who_is_asked_about(void **state)
{
    struct tables tables = { 0 };
    const struct spf_dns dns = { look, &tables };
    struct spf_ask ask = { .helo = STR("pass.test."), .local = STR("joe") };
    struct spf_answer answer;
    struct arena arena;
    struct err err = { 0 };

    (void)state;
    arena_init(&arena, 4096);
    assert_true(ip_parse(STR("192.0.2.1"), &ask.ip, NULL));
    assert_true(spf_check(&ask, &dns, &arena, &answer, &err)); /* null reverse-path: HELO (§2.4) */
    assert_int_equal(answer.result, SPF_PASS);
    ask.domain = STR("local.test");
    assert_true(spf_check(&ask, &dns, &arena, &answer, &err));
    assert_int_equal(answer.result, SPF_PASS);
    ask.local = STR("jim");
    assert_true(spf_check(&ask, &dns, &arena, &answer, &err));
    assert_int_equal(answer.result, SPF_FAIL);
    tables.cancels = true;
    assert_false(spf_check(&ask, &dns, &arena, &answer, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
    arena_done(&arena);
}

/* Grammar
 * -------------------------------------------------------------------------------------------------
 */

static const struct grammar_case {
    const char *term;
    bool ok;
} grammar_cases[] = {
    { "all", true },
    { "-ALL", true },
    { "all:x.test", false },
    { "all/8", false },
    { "--all", false },
    { "a", true },
    { "a/24", true },
    { "a//64", true },
    { "a/24//64", true },
    { "a/33", false },
    { "a/024", false },
    { "a//129", false },
    { "a/", false },
    { "a//", false },
    { "a/24/64", false },
    { "a:", false },
    { "a:x.test/0", true },
    { "a:test", false },
    { "a:x.test.", true },
    { "a:x.123", false },
    { "a:x.-test", false },
    { "a:x:y/z.test", true },
    { "a:%{d}", true },
    { "a:%{d}x", false },
    { "a:%{d}.x", true },
    { "a:%{d2r.-+,/_=}/24", true },
    { "a:%{d0}.x", false },
    { "a:%{d99999999999999999999}.x", true },
    { "a:%{d2r.x}.x", false },
    { "a:%{c}.x", false },
    { "a:%{z}.x", false },
    { "a:%{d.x", false },
    { "a:%d.x", false },
    { "a:x%", false },
    { "a:\x80.test", false },
    { "mx:x.test/30", true },
    { "ptr", true },
    { "ptr:x.test", true },
    { "ptr/24", false },
    { "include", false },
    { "include:x.test", true },
    { "include:x.test/24", false },
    { "exists:x.test", true },
    { "exists", false },
    { "ip4:192.0.2.1", true },
    { "ip4:192.0.2.1/24", true },
    { "ip4:192.0.2.1/33", false },
    { "ip4:192.0.2.1/", false },
    { "ip4:192.0.2.1//32", false },
    { "ip4:192.0.2", false },
    { "ip4:192.0.2.001", false },
    { "ip4:2001:db8::1", false },
    { "ip4", false },
    { "ip6:2001:db8::/32", true },
    { "ip6:2001:db8::/129", false },
    { "ip6:192.0.2.1", false },
    { "ip5:192.0.2.1", false },
    { "redirect=x.test", true },
    { "redirect=", false },
    { "redirect=x.test redirect=x.test", false },
    { "exp=x.test exp=x.test", false },
    { "redirect:x.test", false },
    { "unknown=anything/%{l}%%", true },
    { "unknown=", true },
    { "un-known_2.x=y", true },
    { "2unknown=y", false },
    { "unknown=%{c}", false },
    { "unknown=%", false },
    { "=x", false },
    { "-redirect=x.test", false },
    { "a\tb", false },
    { "", true },
    { "  a   -all  ", true },
};

static void s07_terms(void **state)
{
    struct spf_record record;
    struct arena arena;
    char text[200];

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(grammar_cases); i++) {
        const struct grammar_case *c = &grammar_cases[i];
        snprintf(text, sizeof text, "v=spf1 %s", c->term);
        assert_true(spf_record_is(str_of(text)));
        if (spf_record_parse(str_of(text), &arena, &record, NULL) != c->ok)
            fail_msg("%s", text);
    }
    assert_false(spf_record_is(STR("v=spf1a")));
    assert_false(spf_record_is(STR("v=spf")));
    assert_true(spf_record_is(STR("V=spf1")));
    arena_done(&arena);
}

/* RFC 7208 §7.4, and what our own eyes found. */
static const struct macro_case {
    const char *text, *want;
    bool is_ip6;
} macro_cases[] = {
    { "%{s}", "strong-bad@email.example.com", false },
    { "%{o}", "email.example.com", false },
    { "%{d}", "email.example.com", false },
    { "%{d4}", "email.example.com", false },
    { "%{d3}", "email.example.com", false },
    { "%{d2}", "example.com", false },
    { "%{d1}", "com", false },
    { "%{dr}", "com.example.email", false },
    { "%{d2r}", "example.email", false },
    { "%{l}", "strong-bad", false },
    { "%{l-}", "strong.bad", false },
    { "%{lr}", "strong-bad", false },
    { "%{lr-}", "bad.strong", false },
    { "%{l1r-}", "strong", false },
    { "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com", false },
    { "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com", false },
    { "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
      false },
    { "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com", false },
    { "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net", false },
    { "%{ir}.%{v}._spf.%{d2}",
      "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
      true },
    { "%%%_%-", "% %20", false },
    { "%{S}", "strong-bad%40email.example.com", false },
    { "%{h} %{p} %{c} %{r} %{t}", "mx.example.org valid.example 192.0.2.3 us.test 1000", false },
    { "%{d-}", "email.example.com", false },
    { "%{o.-}", "email.example.com", false },
};

static void rfc7208_7_4_macros(void **state)
{
    struct spf_letters letters = { .local = STR("strong-bad"),
                                   .sender_domain = STR("email.example.com"),
                                   .domain = STR("email.example.com"),
                                   .helo = STR("mx.example.org"),
                                   .receiver = STR("us.test"),
                                   .validated = STR("valid.example"),
                                   .now_s = 1000 };
    struct buf to;

    (void)state;
    buf_init(&to, SPF_EXPANDED_MAX);
    for (size_t i = 0; i < ARRAY_LEN(macro_cases); i++) {
        const struct macro_case *c = &macro_cases[i];
        assert_true(
            ip_parse(c->is_ip6 ? STR("2001:db8::cb01") : STR("192.0.2.3"), &letters.ip, NULL));
        buf_clear(&to);
        assert_true(spf_macro_ok(str_of(c->text), SPF_TEXT_EXPLANATION));
        assert_true(spf_macro_expand(str_of(c->text), &letters, &to));
        if (!str_eq(buf_str(&to), str_of(c->want)))
            fail_msg("%s: %.*s", c->text, STR_FMT(buf_str(&to)));
    }
    buf_done(&to);
    buf_init(&to, 10);
    assert_false(spf_macro_expand(STR("%{d}%{d}"), &letters, &to));
    buf_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s07_records_and_their_results),
        cmocka_unit_test(rfc7208_appendix_a),
        cmocka_unit_test(a_domain_explains_itself),
        cmocka_unit_test(s10_no_controls_in_an_explanation),
        cmocka_unit_test(who_is_asked_about),
        cmocka_unit_test(s07_terms),
        cmocka_unit_test(rfc7208_7_4_macros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
