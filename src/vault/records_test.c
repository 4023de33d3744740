// SPDX-License-Identifier: Apache-2.0
/* vault/records_test.c - what is to be published, in every form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "guard/directory.h"
#include "vault/records.h"
#include "vault/suffix.h"

static const struct records_key keys[] = {
    { STR("b1e"), STR("v=DKIM1; k=ed25519; p=old"), .state = KEY_RETIRING, .may_go = true },
    { STR("b2e"), STR("v=DKIM1; k=ed25519; p=kept"), .state = KEY_RETIRING },
    { STR("b3e"), STR("v=DKIM1; k=ed25519; p=\"\\\x01"), .state = KEY_ACTIVE },
    { STR("b4e"), STR("v=DKIM1; k=ed25519; p=new"), .why = STR("not at ns1"),
      .state = KEY_PENDING },
};
static const struct str return_domains[] = { STR("bounce.example.com") };

static struct records_about about(void)
{
    return (struct records_about){ .domain = STR("example.com"),
                                   .relay = STR("relay.example"),
                                   .account = STR("a7"),
                                   .hostname = STR("mx.relay.example"),
                                   .method = METHOD_DNS,
                                   .state = GRANT_PENDING,
                                   .keys = keys,
                                   .key_count = ARRAY_LEN(keys),
                                   .return_domains = return_domains,
                                   .return_domain_count = 1,
                                   .submissions_port = 465,
                                   .submission_port = 587 };
}

static void add_line(void *arg, struct str line)
{
    buf_add(arg, line);
    buf_add_char(arg, '\n');
}

static struct buf text;

static bool written(const struct records_about *a, enum record_form form, const char *part)
{
    struct record *records;
    struct arena arena;
    size_t count;

    arena_init(&arena, 4096);
    records_of(a, &arena, &records, &count);
    buf_clear(&text);
    records_write(form, records, count, add_line, &text);
    arena_done(&arena);
    return str_find(buf_str(&text), str_of(part)) < text.len;
}

static const struct form_case {
    enum record_form form;
    bool there;
    const char *part;
} form_cases[] = {
    { RECORD_FORM_ZONE, true,
      "\n_baton.example.com. 3600 IN TXT \"v=baton1; relay=relay.example; account=a7\"\n" },
    { RECORD_FORM_ZONE, true,
      "\nb3e._domainkey.example.com. 3600 IN TXT \"v=DKIM1; k=ed25519; p=\\\"\\\\\\001\"\n" },
    { RECORD_FORM_ZONE, true, "\n; remove, retiring: " },
    { RECORD_FORM_ZONE, true, "\n; b1e._domainkey.example.com. 3600 IN TXT " },
    { RECORD_FORM_ZONE, true, "\nb2e._domainkey.example.com. 3600 IN TXT " },
    { RECORD_FORM_ZONE, true, "; must, pending: not at ns1\n" },
    { RECORD_FORM_ZONE, true, "\n; example.com. 3600 IN TXT \"v=spf1 a:mx.relay.example ~all\"\n" },
    { RECORD_FORM_ZONE, true, "\n; bounce.example.com. 3600 IN MX 10 mx.relay.example.\n" },
    { RECORD_FORM_ZONE, true,
      "\n; _submissions._tcp.example.com. 3600 IN SRV 0 1 465 mx.relay.example.\n" },
    { RECORD_FORM_JSON, true,
      "{\"need\":\"must\",\"name\":\"_baton.example.com\",\"type\":\"TXT\",\"value\":\"v=baton1; "
      "relay=relay.example; account=a7\",\"state\":\"pending\",\"why\":\"proves" },
    { RECORD_FORM_JSON, true, "{\"need\":\"should\",\"name\":\"_dmarc.example.com\"" },
    { RECORD_FORM_JSON, true, "{\"need\":\"may\",\"name\":\"_submission._tcp.example.com\"" },
    { RECORD_FORM_TEXT, true, "TXT b4e._domainkey.example.com (must, pending)\n    v=DKIM1;" },
    { RECORD_FORM_CLOUDFLARE, true,
      "{\"posts\":[\n    {\"type\":\"TXT\",\"name\":\"_baton.example.com\",\"content\":\"\\\"v=baton1;" },
    { RECORD_FORM_CLOUDFLARE, true, "\"ttl\":3600,\"proxied\":false}\n]}\n" },
    { RECORD_FORM_CLOUDFLARE, false, "b1e._domainkey" },
    { RECORD_FORM_CLOUDFLARE, false, "spf1" },
    { RECORD_FORM_ROUTE53, true,
      "{\"Changes\":[\n    {\"Action\":\"CREATE\",\"ResourceRecordSet\":{\"Name\":"
      "\"_baton.example.com.\",\"Type\":\"TXT\",\"TTL\":3600,\"ResourceRecords\":[{\"Value\":"
      "\"\\\"v=baton1; relay=relay.example; account=a7\\\"\"}]}},\n" },
    { RECORD_FORM_ROUTE53, true, "p=new\\\"\"}]}}\n]}\n" },
    { RECORD_FORM_ROUTE53, false, "UPSERT" },
};

static void every_form_R42_R46(void **state)
{
    const struct records_about a = about();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(form_cases); i++)
        if (written(&a, form_cases[i].form, form_cases[i].part) != form_cases[i].there)
            fail_msg("%s\n--- in ---\n%.*s", form_cases[i].part, STR_FMT(buf_str(&text)));
}

static void a_long_record_is_split_at_255(void **state)
{
    char record[600];
    struct records_key key = { STR("b1r"), { record, 510 }, .state = KEY_PENDING };
    struct records_about a = about();
    char want[700];

    (void)state;
    memset(record, 'x', sizeof record);
    a.keys = &key;
    a.key_count = 1;
    (void)snprintf(want, sizeof want, "IN TXT \"%.255s\" \"%.255s\"\n", record, record + 255);
    assert_true(written(&a, RECORD_FORM_ZONE, want));
    key.record.len = 511;
    (void)snprintf(want, sizeof want, "IN TXT \"%.255s\" \"%.255s\" \"x\"\n", record, record + 255);
    assert_true(written(&a, RECORD_FORM_ZONE, want));
    key.record.len = 0;
    assert_true(written(&a, RECORD_FORM_ZONE, "IN TXT \"\"\n"));
}

static void facts_are_states_F14(void **state)
{
    struct records_about a = about();

    (void)state;
    assert_true(written(&a, RECORD_FORM_TEXT, "TXT example.com (should, unknown)"));
    a.facts = FACT_SPF_PASS | FACT_DMARC_NONE;
    assert_true(written(&a, RECORD_FORM_TEXT, "TXT example.com (should, found)"));
    assert_true(written(&a, RECORD_FORM_TEXT, "TXT _dmarc.example.com (should, missing)"));
    a.facts = FACT_SPF_FAIL;
    assert_true(written(&a, RECORD_FORM_TEXT, "leaves this relay out: put a:mx.relay.example"));
}

static void the_lock_is_there_for_every_method_T03(void **state)
{
    struct records_about a = about();

    (void)state;
    a.method = METHOD_HOST;
    assert_true(written(&a, RECORD_FORM_TEXT, "TXT _baton.example.com (may, pending)"));
    assert_true(written(&a, RECORD_FORM_TEXT, "locks out accounts that it does not name"));
}

static void forms_by_name(void **state)
{
    enum record_form form;
    struct err err;

    (void)state;
    assert_true(record_form_of(STR(""), &form, &err) && form == RECORD_FORM_JSON);
    assert_true(record_form_of(STR("zone"), &form, &err) && form == RECORD_FORM_ZONE);
    assert_true(record_form_of(STR("route53"), &form, &err) && form == RECORD_FORM_ROUTE53);
    assert_false(record_form_of(STR("Zone"), &form, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
}

static const struct suffix_case {
    const char *domain;
    bool is_public, has_tenants;
    const char *registered;
} suffix_cases[] = {
    { "com", true, true, "com" },
    { "co.uk", true, true, "co.uk" },
    { "example.co.uk", false, false, "example.co.uk" },
    { "a.b.example.co.uk", false, false, "example.co.uk" },
    { "github.io", false, true, "github.io" },
    { "someone.github.io", false, false, "someone.github.io" },
    { "test", true, true, "test" },
    { "example.test", false, false, "example.test" },
    { "a.example.test", false, false, "example.test" },
    { "xn--55qx5d.cn", true, true, "xn--55qx5d.cn" },
};

static void registries_are_nobodys_T02(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(suffix_cases); i++) {
        const struct suffix_case *c = &suffix_cases[i];
        print_message("%s\n", c->domain);
        assert_int_equal(suffix_is_public(str_of(c->domain)), c->is_public);
        assert_int_equal(suffix_has_tenants(str_of(c->domain)), c->has_tenants);
        assert_true(str_eq(suffix_registered(str_of(c->domain)), str_of(c->registered)));
    }
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&text, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_R42_R46),
        cmocka_unit_test(a_long_record_is_split_at_255),
        cmocka_unit_test(facts_are_states_F14),
        cmocka_unit_test(the_lock_is_there_for_every_method_T03),
        cmocka_unit_test(forms_by_name),
        cmocka_unit_test(registries_are_nobodys_T02),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
