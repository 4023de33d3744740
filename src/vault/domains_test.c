// SPDX-License-Identifier: Apache-2.0
/* vault/domains_test.c - domains proved, lost, locked, leased and moved, over the whole role; the
 * name servers are a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "mail/spf.h"
#include "vault/domains_own.h"
#include "vault/zone_test.h"

#define HOUR_MS (3600 * 1000)
#define DAY_MS ((int64_t)24 * HOUR_MS)

static struct ip_net host_networks[1];
static struct str host_names[] = { STR("ns.host.example") };

static void configure(struct config *c)
{
    c->proof = (struct config_proof){ .check_ms = HOUR_MS,
                                      .pending_ms = HOUR_MS,
                                      .lost_ms = 3 * DAY_MS,
                                      .host_networks = host_networks,
                                      .host_network_count = 1,
                                      .host_names = host_names,
                                      .host_name_count = 1 };
    c->dkim = (struct config_dkim){ .rotate_ms = 180 * DAY_MS, .retire_ms = 14 * DAY_MS };
}

/* Accounts: office is a1 and printers a2 (world_test.h); shop a3, corner a4 below shop. */
static int set_up(void **state)
{
    struct zone *z = NEW(struct zone);
    void *w;

    if (world_set_up(&w) != 0)
        return -1;
    zone_init(z, w);
    assert_true(ip_net_parse(STR("198.51.100.0/24"), &host_networks[0], NULL));
    configure(z->world->config);
    ask_for(w, 200,
            (struct ask){ ADMIN_ACCOUNT_ADD, .name = "shop", .settings = "state=active\n" });
    ask_for(w, 200, (struct ask){ ADMIN_ACCOUNT_ADD, .name = "corner", .account = "shop" });
    far_forget(&z->world->core);
    *state = z;
    return 0;
}

static int tear_down(void **state)
{
    struct zone *z = *state;
    void *w = z->world;

    world_tear_down(&w);
    free(z);
    return 0;
}

static void add(struct zone *z, const char *domain, const char *account, const char *settings)
{
    char text[300];

    /* RSA takes its time: where the keys do not matter they are the other ones. */
    (void)snprintf(text, sizeof text, "algorithms=ed25519\n%s", settings);
    ask_for(z->world, 200,
            (struct ask){ ADMIN_DOMAIN_ADD, .name = domain, .account = account, .settings = text });
}

static void check(struct zone *z, const char *domain, const char *account)
{
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_CHECK, .name = domain, .account = account });
}

static void expect_state(struct zone *z, const char *domain, const char *account, const char *words)
{
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_SHOW, .name = domain, .account = account });
    if (!str_has(row(z->world, 0), words))
        fail_msg("%.*s: no %s", STR_FMT(row(z->world, 0)), words);
}

#define RECORD(account) "v=baton1; relay=relay.example; account=" account
#define AT_BATON "_baton.example.com"

/* dns ------------------------------------------------------------------------------------------ */

static void proved_when_every_server_shows_it_R45_F27(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_domain *told;

    zone_say(z, AT_BATON, DNS_TXT, "ns1", "");
    zone_fail(z, AT_BATON, DNS_TXT, "ns2", DNS_SAID_NO_NAME);
    add(z, "Example.COM.", "shop", "");
    assert_true(str_has(row(z->world, 0), "\"domain\":\"example.com\""));
    assert_true(str_has(row(z->world, 0), "\"state\":\"pending\""));
    assert_true(str_has(row(z->world, 0), "\"settings\":{\"algorithms\":\"ed25519\"}}"));
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "account=a3\\\" at _baton: not at ns1, ns2\"");

    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a3"));
    check(z, "example.com", NULL);
    assert_true(
        str_has(row(z->world, 0), "\"server\":\"ns1\",\"address\":\"-\",\"found\":\"yes\""));
    assert_true(str_has(row(z->world, 1), "\"server\":\"ns2\",\"address\":\"-\",\"found\":\"no\""));
    expect_state(z, "example.com", NULL, "at _baton: not at ns2\"");
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_DOMAIN), 0);

    zone_say(z, AT_BATON, DNS_TXT, "ns2", RECORD("a3"));
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\",\"why\":\"\"");
    told = far_expect(&z->world->core, WIRE_DIRECTORY_DOMAIN);
    assert_true(str_eq(wire_get(told, told->name), STR("example.com")));
    assert_int_equal(told->account, 3);
    assert_int_equal(told->flags, 0);
    assert_true((told->facts & FACT_SPF_PASS) && (told->facts & FACT_DMARC_NONE) &&
                (told->facts & FACT_DKIM_PENDING) && (told->facts & FACT_MX_NONE));
    assert_true(log_has(z->world, "domain-proved"));
    ask_for(z->world, 200, (struct ask){ ADMIN_AUDIT_LIST, .name = "example.com" });
    assert_true(str_has(row(z->world, 0), "domain-proved"));
}

static void another_accounts_record_proves_nothing_T01_T04(void **state)
{
    struct zone *z = *state;

    add(z, "example.com", "shop", "");
    add(z, "example.com", "office", "");
    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a1"));
    check(z, "example.com", "shop");
    check(z, "example.com", "office");
    expect_state(z, "example.com", "shop", "\"state\":\"pending\"");
    expect_state(z, "example.com", "office", "\"state\":\"proved\"");
    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a3"));
    check(z, "example.com", "shop");
    check(z, "example.com", "office");
    expect_state(z, "example.com", "shop", "\"state\":\"proved\"");
    expect_state(z, "example.com", "office", "\"state\":\"proved\"");
}

static void silence_never_loses_a_domain_T02(void **state)
{
    struct zone *z = *state;

    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a3"));
    add(z, "example.com", "shop", "");
    check(z, "example.com", NULL);
    z->world->config->proof.lost_ms = 0;
    zone_fail(z, AT_BATON, DNS_TXT, "ns1", DNS_SAID_TIMEOUT);
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\"");
    zone_fail(z, AT_BATON, DNS_TXT, "ns1", DNS_SAID_FAILED);
    zone_fail(z, AT_BATON, DNS_TXT, "ns2", DNS_SAID_NO_NAME);
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\"");
}

static void lost_when_all_are_without_it_for_long_T02(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_gone *gone;

    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a3"));
    add(z, "example.com", "shop", "");
    check(z, "example.com", NULL);
    zone_forget(z, AT_BATON);
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\",\"why\":\"no server shows");
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\"");
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_GONE), 0);
    z->world->config->proof.lost_ms = 0;
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"lost\"");
    gone = far_expect(&z->world->core, WIRE_DIRECTORY_GONE);
    assert_int_equal(gone->noun, DIRECTORY_DOMAIN);
    assert_true(log_has(z->world, "domain-lost"));
}

/* Hosts ---------------------------------------------------------------------------------------- */

static const struct host_case {
    const char *name, *record_name;
    uint16_t rrtype;
    const char *value, *state;
} host_cases[] = {
    { "NS by name", "one.example", DNS_NS, "ns.host.example", "proved" },
    { "MX by name", "one.example", DNS_MX, "ns.host.example", "proved" },
    { "A", "one.example", DNS_A, "198.51.100.7", "proved" },
    { "AAAA elsewhere", "one.example", DNS_AAAA, "2001:db8::1", "pending" },
    { "A elsewhere", "one.example", DNS_A, "198.51.101.7", "pending" },
    { "NS elsewhere", "one.example", DNS_NS, "ns.other.example", "pending" },
    { "nothing", "two.example", DNS_A, "198.51.100.7", "pending" },
};

static void hosts_domains_are_proved_by_where_they_lie_R102(void **state)
{
    struct zone *z = *state;

    for (size_t i = 0; i < ARRAY_LEN(host_cases); i++) {
        const struct host_case *c = &host_cases[i];
        char words[40];
        print_message("%s\n", c->name);
        zone_say(z, c->record_name, c->rrtype, "ns1", c->value);
        add(z, "one.example", "shop", "method=host\n");
        check(z, "one.example", NULL);
        (void)snprintf(words, sizeof words, "\"state\":\"%s\"", c->state);
        expect_state(z, "one.example", NULL, words);
        ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_REMOVE, .name = "one.example" });
        zone_forget(z, c->record_name);
    }
}

static void an_ns_is_looked_up_R102(void **state)
{
    struct zone *z = *state;

    zone_say(z, "one.example", DNS_NS, "ns1", "ns9.other.example");
    zone_say(z, "ns9.other.example", DNS_A, "ns1", "198.51.100.53");
    add(z, "one.example", "shop", "method=host\n");
    check(z, "one.example", NULL);
    expect_state(z, "one.example", NULL, "it lies with the host: 198.51.100.53");
}

static void the_owner_has_a_veto_T03(void **state)
{
    struct zone *z = *state;

    zone_say(z, "example.com", DNS_A, "ns1", "198.51.100.7");
    add(z, "example.com", "shop", "method=host\n");
    add(z, "mail.example.com", "shop", "method=attested\n");
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\"");
    expect_state(z, "mail.example.com", NULL, "\"state\":\"proved\"");
    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a77"));
    check(z, "example.com", NULL);
    check(z, "mail.example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"locked\"");
    expect_state(z, "mail.example.com", NULL, "\"state\":\"locked\"");
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_GONE), 2);
    assert_true(log_has(z->world, "domain-locked"));

    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a3")); /* and names this account too */
    check(z, "example.com", NULL);
    check(z, "mail.example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\"");
    expect_state(z, "mail.example.com", NULL, "\"state\":\"proved\"");
}

static void others_relays_lock_nobody_T03(void **state)
{
    struct zone *z = *state;

    zone_say(z, AT_BATON, DNS_TXT, "ns1", "v=baton1; relay=other.example; account=a77");
    add(z, "example.com", "shop", "method=attested\n");
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\"");
}

static void the_first_holds_it_T04(void **state)
{
    struct zone *z = *state;
    static const struct admin_case cases[] = {
        { "attested",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "office",
            .settings = "method=attested\n" },
          409,
          "example.com is taken" },
        { "host",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "office",
            .settings = "method=host\n" },
          409,
          "is taken" },
        { "below it",
          { ADMIN_DOMAIN_ADD, .name = "a.example.com", .account = "office",
            .settings = "method=attested\n" },
          409,
          "is taken" },
        { "twice",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "shop",
            .settings = "method=attested\n" },
          409,
          "shop has example.com already" },
        { "by a record of its own",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "office",
            .settings = "algorithms=ed25519\n" },
          200,
          "\"state\":\"pending\"" },
        { "of an account below",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "corner",
            .settings = "method=attested\nalgorithms=ed25519\n" },
          200,
          "\"state\":\"proved\"" },
    };

    add(z, "example.com", "shop", "method=attested\nsubdomains=true\n");
    admin_cases_run(z->world, cases, ARRAY_LEN(cases));
    assert_false(str_has(row(z->world, 0), "shop")); /* nor is anybody told whose it is */
}

static void of_two_that_wait_one_gets_it_T04(void **state)
{
    struct zone *z = *state;

    add(z, "one.example", "shop", "method=host\n");
    add(z, "one.example", "office", "method=host\n");
    zone_say(z, "one.example", DNS_A, "ns1", "198.51.100.7");
    check(z, "one.example", "office");
    check(z, "one.example", "shop");
    expect_state(z, "one.example", "office", "\"state\":\"proved\"");
    expect_state(z, "one.example", "shop", "\"state\":\"pending\",\"why\":\"the domain is taken\"");
}

/* Leases, transfer ----------------------------------------------------------------------------- */

static void a_lease_ends_with_its_lessors_proof_R47(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_domain *told;

    add(z, "example.com", "shop", "method=attested\n");
    check(z, "example.com", "shop");
    far_forget(&z->world->core);
    add(z, "example.com", "office", "method=lease\nlessor=shop\nlocal=news\n");
    told = far_expect(&z->world->core, WIRE_DIRECTORY_DOMAIN);
    assert_int_equal(told->flags, DOMAIN_LEASED);
    assert_true(str_eq(wire_get(told, told->local), STR("news")));
    check(z, "example.com", "office");
    expect_state(z, "example.com", "office", "\"state\":\"proved\"");
    ask_for(z->world, 200,
            (struct ask){ ADMIN_DOMAIN_REMOVE, .name = "example.com", .account = "shop" });
    check(z, "example.com", "office");
    expect_state(z, "example.com", "office", "\"state\":\"lost\"");
    (void)far_expect(&z->world->core, WIRE_DIRECTORY_GONE);
}

static void a_domain_moves_with_its_keys_T02(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_domain *told;

    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a3"));
    add(z, "example.com", "shop", "");
    check(z, "example.com", NULL);
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_RECORDS, .name = "example.com" });
    check(z, "example.com", NULL);
    far_forget(&z->world->core);
    ask_for(z->world, 200,
            (struct ask){ ADMIN_DOMAIN_TRANSFER, .name = "example.com", .to = "office" });
    assert_true(str_has(row(z->world, 0), "\"account\":\"office\""));
    assert_true(str_has(row(z->world, 0), "\"selector\":\"b1e\""));
    told = far_expect(&z->world->core, WIRE_DIRECTORY_DOMAIN);
    assert_int_equal(told->account, 1);
    assert_ptr_equal(far_nth(&z->world->core, WIRE_DIRECTORY_GONE, 0), z->world->core.frames[0]);
    ask_for(z->world, 200, (struct ask){ ADMIN_AUDIT_LIST, .name = "example.com", .limit = 2 });
    assert_true(str_has(row(z->world, 0), "from shop to office"));
    assert_true(str_has(row(z->world, 1), "from shop to office"));
    /* The record names the old account: the clock runs, and the domain is not lost yet. */
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\",\"why\":\"no server shows");
    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a1"));
    check(z, "example.com", NULL);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\",\"why\":\"\"");
}

/* Requests ------------------------------------------------------------------------------------- */

static void requests_are_held_against_the_rules_R100_T02(void **state)
{
    static const struct admin_case cases[] = {
        { "no account",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "nobody" },
          404,
          "there is no account nobody" },
        { "no name", { ADMIN_DOMAIN_ADD, .account = "shop" }, 422, "domain" },
        { "no domain name", { ADMIN_DOMAIN_ADD, .name = "a b", .account = "shop" }, 422, "domain" },
        { "public suffix",
          { ADMIN_DOMAIN_ADD, .name = "co.uk", .account = "shop" },
          422,
          "public suffix" },
        { "an address",
          { ADMIN_DOMAIN_ADD, .name = "192.0.2.1", .account = "shop" },
          422,
          "is an address" },
        { "single label",
          { ADMIN_DOMAIN_ADD, .name = "localhost", .account = "shop" },
          422,
          "public suffix" },
        { "below a private suffix",
          { ADMIN_DOMAIN_ADD, .name = "github.io", .account = "shop",
            .settings = "subdomains=true\n" },
          422,
          "are others'" },
        { "local without lease",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "shop", .settings = "local=a\n" },
          422,
          "method=lease" },
        { "lease of nobody",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "shop",
            .settings = "method=lease\n" },
          422,
          "wants lessor" },
        { "lease of itself",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "shop",
            .settings = "method=lease\nlessor=shop\n" },
          422,
          "does not lease" },
        { "lease of what is not proved",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "shop",
            .settings = "method=lease\nlessor=office\n" },
          0,
          "office has not proved example.com" },
        { "dry run",
          { ADMIN_DOMAIN_ADD, .name = "example.com", .account = "shop", .flags = ADMIN_DRY_RUN },
          200,
          "" },
        { "was dry", { ADMIN_DOMAIN_SHOW, .name = "example.com" }, 404, "nobody has" },
        { "IDN",
          { ADMIN_DOMAIN_ADD,
            .name = "B\xc3\x9c"
                    "cher.example.",
            .account = "shop", .settings = "algorithms=ed25519\n" },
          200,
          "\"domain\":\"xn--bcher-kva.example\"" },
        { "IDN as A-label",
          { ADMIN_DOMAIN_SHOW, .name = "XN--bcher-kva.example" },
          200,
          "\"account\":\"shop\"" },
        { "removed",
          { ADMIN_DOMAIN_REMOVE, .name = "b\xc3\xbc"
                                         "cher.example" },
          200,
          "" },
        { "removed twice",
          { ADMIN_DOMAIN_REMOVE, .name = "b\xc3\xbc"
                                         "cher.example" },
          404,
          "" },
        { "odd state", { ADMIN_DOMAIN_LIST, .state = "sold" }, 422, "pending, proved" },
        { "odd format", { ADMIN_DOMAIN_RECORDS, .name = "example.com", .state = "xml" }, 404, "" },
    };
    struct zone *z = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct admin_case c = cases[i];
        if (c.status == 0) /* ERR_DENIED: whichever status operate.c has for it */
            c.status = ask(z->world, c.ask)->status;
        assert_int_not_equal(c.name[0], '\0');
        admin_cases_run(z->world, &c, 1);
    }
}

static void several_at_once_R102(void **state)
{
    struct zone *z = *state;

    ask_for(z->world, 200,
            (struct ask){ ADMIN_DOMAIN_ADD, .name = "a.example", .account = "shop",
                          .settings = "method=attested\nalgorithms=ed25519\n"
                                      "names=b.example,c.example, a.example\n" });
    assert_int_equal(row_count(z->world), 3);
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_LIST, .limit = 2 });
    assert_int_equal(row_count(z->world), 2);
    ask_for(z->world, 200, (struct ask){ ADMIN_AUDIT_LIST, .account = "shop" });
    assert_true(str_has(row(z->world, 0), "domain-added") || row_count(z->world) >= 3);
    ask_for(z->world, 409,
            (struct ask){ ADMIN_DOMAIN_ADD, .name = "d.example", .account = "shop",
                          .settings = "names=c.example\n" });
    ask_for(z->world, 404, (struct ask){ ADMIN_DOMAIN_SHOW, .name = "d.example" });
}

static void an_account_takes_its_domains_along(void **state)
{
    struct zone *z = *state;

    ask_for(z->world, 200, (struct ask){ ADMIN_ACCOUNT_ADD, .name = "brief" });
    add(z, "brief.example", "brief", "method=attested\n");
    far_forget(&z->world->core);
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_REMOVE, .name = "brief.example" });
    ask_for(z->world, 200, (struct ask){ ADMIN_ACCOUNT_REMOVE, .name = "brief" });
    ask_for(z->world, 404, (struct ask){ ADMIN_DOMAIN_SHOW, .name = "brief.example" });
}

/* Facts ---------------------------------------------------------------------------------------- */

static const struct fact_case {
    const char *name, *at;
    uint16_t rrtype;
    const char *value; /* empty: SERVFAIL */
    uint32_t spf_result, facts;
} fact_cases[] = {
    { "nothing", "x", DNS_TXT, "x", SPF_NONE, FACT_SPF_NONE | FACT_DMARC_NONE | FACT_MX_NONE },
    { "own policy", "_dmarc.mail.example.com", DNS_TXT, "v=DMARC1; p=none", SPF_PASS,
      FACT_SPF_PASS | FACT_DMARC | FACT_MX_NONE },
    { "the organisation's", "_dmarc.example.com", DNS_TXT, "v=DMARC1; p=none; sp=reject; aspf=s",
      SPF_SOFTFAIL,
      FACT_SPF_FAIL | FACT_DMARC | FACT_DMARC_REJECT | FACT_DMARC_STRICT_SPF | FACT_MX_NONE },
    { "strict", "_dmarc.mail.example.com", DNS_TXT, "v=DMARC1; p=quarantine; adkim=s", SPF_FAIL,
      FACT_SPF_FAIL | FACT_DMARC | FACT_DMARC_REJECT | FACT_DMARC_STRICT_DKIM | FACT_MX_NONE },
    { "unanswered stays as it was", "_dmarc.example.com", DNS_TXT, "", SPF_TEMPERROR,
      FACT_SPF_FAIL | FACT_DMARC | FACT_DMARC_REJECT | FACT_DMARC_STRICT_DKIM | FACT_MX_NONE },
    { "MX", "mail.example.com", DNS_MX, "mx.example.net", SPF_NONE,
      FACT_SPF_NONE | FACT_DMARC_NONE | FACT_MX },
    { "address", "mail.example.com", DNS_A, "192.0.2.1", SPF_NONE,
      FACT_SPF_NONE | FACT_DMARC_NONE | FACT_MX },
    { "MX unanswered", "mail.example.com", DNS_MX, "", SPF_NONE,
      FACT_SPF_NONE | FACT_DMARC_NONE | FACT_MX },
};

static void facts_for_preflight_F14(void **state)
{
    struct zone *z = *state;

    add(z, "mail.example.com", "shop", "method=attested\n");
    for (size_t i = 0; i < ARRAY_LEN(fact_cases); i++) {
        const struct fact_case *c = &fact_cases[i];
        print_message("%s\n", c->name);
        z->spf_result = c->spf_result;
        if (c->value[0])
            zone_say(z, c->at, c->rrtype, "ns1", c->value);
        else
            zone_fail(z, c->at, c->rrtype, "ns1", DNS_SAID_FAILED);
        check(z, "mail.example.com", NULL);
        assert_int_equal(
            grants_named(&z->world->vault->domains->grants, STR("mail.example.com"))->facts,
            c->facts);
        zone_forget(z, c->at);
    }
}

/* resolve -------------------------------------------------------------------------------------- */

static void questions_survive_resolve(void **state)
{
    struct zone *z = *state;

    zone_say(z, AT_BATON, DNS_TXT, "ns1", RECORD("a3"));
    z->deaf = true;
    add(z, "example.com", "shop", "");
    while (z->waiting == 0)
        loop_turn(10);
    far_unlink(&z->world->resolve);
    loop_turn(0);
    z->waiting = 0;
    z->deaf = false;
    far_link(z->world, &z->world->resolve, ROLE_RESOLVE);
    for (int turn = 0; turn < 2000 && !log_has(z->world, "domain-proved"); turn++)
        loop_turn(10);
    expect_state(z, "example.com", NULL, "\"state\":\"proved\"");
}

static void a_value_of_no_server(struct channel *c, uint64_t question)
{
    struct wire_dns_value *f = wire_add(c, WIRE_DNS_VALUE, 1);

    f->question = question;
    wire_put(f, &f->value, STR("x"));
}

static void fewer_servers_than_said(struct channel *c, uint64_t question)
{
    struct wire_dns_end *f = wire_add(c, WIRE_DNS_END, 0);

    f->question = question;
    f->servers = 1;
}

static void a_server_that_says_nothing_known(struct channel *c, uint64_t question)
{
    struct wire_dns_server *f = wire_add(c, WIRE_DNS_SERVER, 0);

    f->question = question;
    f->said = DNS_SAID_FAILED + 1;
}

static void too_many_servers(struct channel *c, uint64_t question)
{
    for (size_t i = 0; i <= PROOF_SERVERS_MAX; i++) {
        struct wire_dns_server *f = wire_add(c, WIRE_DNS_SERVER, 0);
        f->question = question;
    }
}

static void another_kind_of_answer(struct channel *c, uint64_t question)
{
    struct wire_spf_answer *f = wire_add(c, WIRE_SPF_ANSWER, 0);

    f->question = question;
}

static void resolve_is_held_to_the_form_of_answers(void **state)
{
    static void (*const lies[])(struct channel * c, uint64_t question) = {
        a_value_of_no_server, fewer_servers_than_said, a_server_that_says_nothing_known,
        too_many_servers, another_kind_of_answer
    };
    struct zone *z = *state;

    z->deaf = true;
    add(z, "example.com", "shop", "");
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        while (z->waiting == 0 || z->questions[z->waiting - 1].is_spf)
            loop_turn(10);
        lies[i](z->world->resolve.channel, z->questions[z->waiting - 1].id);
        while (!z->world->resolve.closed)
            loop_turn(10);
        z->waiting = 0;
        far_link(z->world, &z->world->resolve, ROLE_RESOLVE);
    }
}

/* Many ----------------------------------------------------------------------------------------- */

enum { MANY = 50000, A_REQUEST = 250 };

static const char *on_host(struct str name, uint16_t rrtype)
{
    (void)name;
    return rrtype == DNS_A ? "198.51.100.7" : "";
}

static void add_many(struct zone *z)
{
    char settings[4000];

    for (int i = 0; i < MANY; i += A_REQUEST) {
        int len = snprintf(settings, sizeof settings, "method=host\nalgorithms=ed25519\nnames=");
        for (int n = 0; n < A_REQUEST; n++)
            len += snprintf(settings + len, sizeof settings - (size_t)len, "d%d.test,", i + n);
        (void)snprintf(settings + len, sizeof settings - (size_t)len, "\n");
        ask_for(z->world, 200,
                (struct ask){ ADMIN_DOMAIN_ADD, .account = "shop", .settings = settings });
    }
}

static void count_told(void *arg, const struct frame *f)
{
    size_t *told = arg;
    const struct wire_directory_domain *d = (const struct wire_directory_domain *)f;

    /* Facts come later, in frames of their own: the first of each domain is the proof. */
    if (f->type == WIRE_DIRECTORY_DOMAIN && d->id > *told)
        *told = (size_t)d->id;
}

static void a_host_with_50000_domains_R102(void **state)
{
    struct zone *z = *state;
    size_t told = 0, turns = 0;

    z->any = on_host;
    z->world->core.on_frame = count_told;
    z->world->core.arg = &told;
    log_set_sink(NULL, NULL);
    add_many(z);
    struct grants *grants = &z->world->vault->domains->grants;
    assert_int_equal(grants->by_id.count, MANY);
    /* All are looked at, so many at a time: resolve never has more than those ask. */
    for (bool open = true; open; turns++) {
        zone_answer(z);
        loop_turn(1);
        if (turns % 256 != 0)
            continue;
        open = false;
        LIST_EACH (&grants->all, struct grant, g, link)
            open = open || !grant_holds(g);
        assert_true(turns < 2000000);
    }
    assert_true(told > 0);
    assert_in_range(z->waiting_most, 1, 32 * 16);
    world_stop(z->world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(proved_when_every_server_shows_it_R45_F27),
        TEST(another_accounts_record_proves_nothing_T01_T04),
        TEST(silence_never_loses_a_domain_T02),
        TEST(lost_when_all_are_without_it_for_long_T02),
        TEST(hosts_domains_are_proved_by_where_they_lie_R102),
        TEST(an_ns_is_looked_up_R102),
        TEST(the_owner_has_a_veto_T03),
        TEST(others_relays_lock_nobody_T03),
        TEST(the_first_holds_it_T04),
        TEST(of_two_that_wait_one_gets_it_T04),
        TEST(a_lease_ends_with_its_lessors_proof_R47),
        TEST(a_domain_moves_with_its_keys_T02),
        TEST(requests_are_held_against_the_rules_R100_T02),
        TEST(several_at_once_R102),
        TEST(an_account_takes_its_domains_along),
        TEST(facts_for_preflight_F14),
        TEST(questions_survive_resolve),
        TEST(resolve_is_held_to_the_form_of_answers),
        TEST(a_host_with_50000_domains_R102),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
