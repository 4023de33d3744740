// SPDX-License-Identifier: Apache-2.0
/* mail/dmarc_test.c - DMARC records, sound and flawed, and the walk to the one that holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/dmarc_walk.h"

static const struct record_case {
    const char *text;
    const char *want; /* p sp np adkim aspf t pct psd, or a piece of the refusal */
    const char *flaw;
    bool ok;
} record_cases[] = {
    { "v=DMARC1; p=none", "none none none r r n 100 u", "", true },
    { "v=DMARC1;p=reject;", "reject reject reject r r n 100 u", "", true },
    { "v = DMARC1 ; p = quarantine ; sp = none", "quarantine none none r r n 100 u", "", true },
    { "v=DMARC1; p=none; sp=quarantine; np=reject", "none quarantine reject r r n 100 u", "",
      true },
    { "v=DMARC1; p=reject; np=none", "reject reject none r r n 100 u", "", true },
    { "v=DMARC1; P=REJECT; ADKIM=S; aspf=s", "reject reject reject s s n 100 u", "", true },
    { "v=DMARC1; p=reject; t=y; psd=n", "reject reject reject r r y 100 n", "", true },
    { "v=DMARC1; p=reject; pct=0; psd=y", "reject reject reject r r n 0 y", "", true },
    { "v=DMARC1; p=none; rua=mailto:d@example.org,mailto:e@example.org!10m",
      "none none none r r n 100 u", "", true },
    { "v=DMARC1; p=none; x=y; fo=1:d; ri=86400", "none none none r r n 100 u", "", true },
    { "v=DMARC1; p=none;; ;", "none none none r r n 100 u", "", true },
    { "v=DMARC1; sp=reject; p=none", "none reject reject r r n 100 u", "", true },
    /* passed over by receivers */
    { "v=DMARC1; p=none; sp=refuse", "none none none r r n 100 u", "sp=refuse", true },
    { "v=DMARC1; p=none; adkim=strict; aspf=x", "none none none r r n 100 u", "adkim=strict",
      true },
    { "v=DMARC1; p=none; pct=101", "none none none r r n 100 u", "pct=101", true },
    { "v=DMARC1; p=none; p=reject", "none none none r r n 100 u", "p=reject", true },
    { "v=DMARC1; p=none; rua=nobody", "none none none r r n 100 u", "rua=nobody", true },
    { "v=DMARC1; p=monitor; rua=mailto:d@example.org", "none none none r r n 100 u", "p=monitor",
      true },
    { "v=DMARC1; rua=mailto:d@example.org", "none none none r r n 100 u", "", true },
    /* no records */
    { "v=DMARC1", "has no p=", "", false },
    { "v=DMARC1; p=", "has no p=", "", false },
    { "v=DMARC1; p=monitor; rua=nobody", "has no p=", "", false },
    { "v=DMARC1; p=none; nonsense", "\"nonsense\"", "", false },
    { "v=DMARC1; =none", "\"=none\"", "", false },
    { "v=DMARC1; p-=none", "\"p-=none\"", "", false },
    { "v=dmarc1; p=none", "v=DMARC1", "", false },
    { "v=DMARC2; p=none", "v=DMARC1", "", false },
    { "v=DMARC1 p=none", "v=DMARC1", "", false },
    { "p=none; v=DMARC1", "v=DMARC1", "", false },
    { " v=DMARC1; p=none", "v=DMARC1", "", false },
    { "", "v=DMARC1", "", false },
};

static void describe(const struct dmarc_record *r, char *text, size_t size)
{
    snprintf(text, size, "%s %s %s %c %c %c %u %c", dmarc_policy_name(r->policy),
             dmarc_policy_name(r->subdomains), dmarc_policy_name(r->absent),
             r->strict_dkim ? 's' : 'r', r->strict_spf ? 's' : 'r', r->testing ? 'y' : 'n',
             r->percent, "uyn"[r->psd]);
}

static void f14_records(void **state)
{
    char text[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(record_cases); i++) {
        const struct record_case *c = &record_cases[i];
        struct dmarc_record record;
        struct err err = { 0 };
        if (dmarc_record_parse(str_of(c->text), &record, &err) != c->ok)
            fail_msg("%s: %s", c->text, err.text);
        if (!c->ok) {
            if (!strstr(err.text, c->want))
                fail_msg("%s: %s", c->text, err.text);
            continue;
        }
        describe(&record, text, sizeof text);
        if (strcmp(text, c->want) != 0 || !str_eq(record.flaw, str_of(c->flaw)))
            fail_msg("%s: %s, \"%.*s\"", c->text, text, STR_FMT(record.flaw));
    }
}

static const struct walk_case {
    const char *domain, *names;
} walk_cases[] = {
    { "example.org", "example.org org " },
    { "org", "org " },
    { "a.b.example.org", "a.b.example.org b.example.org example.org org " },
    { "a.b.c.d.e.f.g.h",
      "a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h " },
    { "x.y.a.b.c.d.e.f.g.h",
      "x.y.a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h " },
    { "", "" },
};

static void at_most_eight_names_are_asked(void **state)
{
    struct dmarc_walk walk;
    char text[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(walk_cases); i++) {
        size_t len = 0;
        dmarc_walk_begin(&walk, str_of(walk_cases[i].domain));
        text[0] = '\0';
        for (size_t s = 0; s < walk.count; s++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%.*s ",
                                    STR_FMT(walk.steps[s].domain));
        assert_string_equal(text, walk_cases[i].names);
    }
}

static const struct holds_case {
    const char *name, *domain;
    const char *records[4];            /* of each step; NULL: none */
    const char *organisation, *policy; /* "-": no record holds */
} holds_cases[] = {
    { "no record at all", "a.example.org", { NULL }, "a.example.org", "-" },
    { "its own", "example.org", { "v=DMARC1; p=reject" }, "example.org", "reject" },
    { "its own beside the organisation's",
      "a.example.org",
      { "v=DMARC1; p=none", "v=DMARC1; p=reject" },
      "example.org",
      "none" },
    { "the organisation's",
      "a.example.org",
      { NULL, "v=DMARC1; p=reject; sp=quarantine" },
      "example.org",
      "quarantine" },
    { "the highest one",
      "a.b.example.org",
      { NULL, "v=DMARC1; p=none", "v=DMARC1; p=reject" },
      "example.org",
      "reject" },
    { "psd=n ends the way up",
      "a.b.example.org",
      { NULL, "v=DMARC1; p=none; psd=n", "v=DMARC1; p=reject" },
      "b.example.org",
      "none" },
    { "psd=y: one below",
      "a.b.bank",
      { NULL, NULL, "v=DMARC1; p=reject; psd=y" },
      "b.bank",
      "reject" },
    { "psd=y below the organisation's own",
      "a.b.bank",
      { NULL, "v=DMARC1; p=none", "v=DMARC1; p=reject; psd=y" },
      "b.bank",
      "none" },
    { "psd=y at the name itself", "bank", { "v=DMARC1; p=reject; psd=y" }, "bank", "reject" },
    { "a record that is wrong",
      "a.example.org",
      { "v=DMARC1; x", "v=DMARC1; p=reject" },
      "example.org",
      "reject" },
};

static void f14_whose_record_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(holds_cases); i++) {
        const struct holds_case *c = &holds_cases[i];
        struct dmarc_walk walk;
        enum dmarc_policy policy = DMARC_NONE;
        dmarc_walk_begin(&walk, str_of(c->domain));
        for (size_t s = 0; s < walk.count; s++) {
            struct str text = str_of(s < 4 ? c->records[s] : NULL);
            if (!dmarc_walk_take(&walk, s, &text, text.len > 0))
                break;
        }
        struct str organisation = dmarc_walk_organisation(&walk);
        const char *holds = dmarc_walk_policy(&walk, &policy) ? dmarc_policy_name(policy) : "-";
        if (!str_eq(organisation, str_of(c->organisation)) || strcmp(holds, c->policy) != 0)
            fail_msg("%s: %.*s, %s", c->name, STR_FMT(organisation), holds);
    }
}

static void two_records_are_none(void **state)
{
    const struct str one[] = { STR("other"), STR("v=DMARC1; p=reject"), STR("v=DMARC10; p=none") };
    const struct str two[] = { STR("v=DMARC1; p=reject"), STR("v=DMARC1; p=reject") };
    struct dmarc_walk walk;

    (void)state;
    dmarc_walk_begin(&walk, STR("example.org"));
    assert_true(dmarc_walk_take(&walk, 0, two, 2));
    assert_false(walk.steps[0].found);
    assert_true(dmarc_walk_take(&walk, 0, one, 3));
    assert_true(walk.steps[0].found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f14_records),
        cmocka_unit_test(at_most_eight_names_are_asked),
        cmocka_unit_test(f14_whose_record_holds),
        cmocka_unit_test(two_records_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
