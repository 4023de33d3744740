// SPDX-License-Identifier: Apache-2.0
/* vault/accounts_test.c - accounts as operators make them, states that cascade and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "io/clock.h"
#include "mail/header.h"
#include "vault/world_test.h"

/* Accounts ------------------------------------------------------------------------------------- */

static void R15_new_accounts_wait_for_approval(void **state)
{
    struct world *w = *state;

    make_account(w, "shop", "", "");
    assert_true(str_has(row(w, 0), "\"state\":\"sandbox\""));
    assert_true(str_has(row(w, 0), "\"identity\":\"enforce\""));
    assert_int_equal(account_named(w, "shop")->state, ACCOUNT_SANDBOX);
    assert_int_equal(account_named(w, "shop")->identity, POLICY_ENFORCE);
    far_forget(&w->core);
    set_account(w, "shop", "state=active");
    const struct wire_directory_account *f = far_only(&w->core, WIRE_DIRECTORY_ACCOUNT);
    assert_int_equal(f->state, ACCOUNT_ACTIVE);
    assert_int_equal(f->mode, POLICY_ENFORCE);
    assert_true(log_has(w, "event=account-changed actor=root account=shop "
                           "detail=\"state: sandbox -> active\""));
}

static void R103_the_configuration_says_how_accounts_begin(void **state)
{
    struct world *w = *state;

    w->config->first_state = FIRST_ACTIVE;
    w->config->first_identity = FIRST_OBSERVE;
    make_account(w, "old-hand", "", "");
    make_account(w, "strict", "", "identity=enforce");
    w->config->first_state = FIRST_SANDBOX;
    w->config->first_identity = FIRST_ENFORCE;
    vault_role.reload(w->vault, w->config, &(struct role_start){ .kind = ROLE_VAULT });
    make_account(w, "new-hand", "", "");
    assert_int_equal(account_named(w, "old-hand")->state, ACCOUNT_ACTIVE);
    assert_int_equal(account_named(w, "old-hand")->identity, POLICY_OBSERVE);
    assert_int_equal(account_named(w, "strict")->state, ACCOUNT_ACTIVE);
    assert_int_equal(account_named(w, "strict")->identity, POLICY_ENFORCE);
    assert_int_equal(account_named(w, "new-hand")->state, ACCOUNT_SANDBOX);
    assert_int_equal(account_named(w, "new-hand")->identity, POLICY_ENFORCE);
}

static void R103_accounts_of_trusted_networks_are_observed(void **state)
{
    struct world *w = *state;

    assert_int_equal(account_named(w, "office")->state, ACCOUNT_ACTIVE);
    assert_int_equal(account_named(w, "office")->identity, POLICY_OBSERVE);
    set_account(w, "office", "identity=enforce"); /* the operator's word stays */
    w->vault->networks_due = true;
    operate_wake(w->vault);
    make_account(w, "later", "", "");
    assert_int_equal(account_named(w, "office")->identity, POLICY_ENFORCE);
}

static void T10_a_network_of_tenants_names_no_account(void **state)
{
    struct world *w = *state;

    world_stop(w);
    w->networks[0].account = STR("");
    w->networks[0].upstream = STR("panel");
    w->networks[0].tenant_header = STR("X-Tenant");
    world_start(w);
    assert_null(roster_account(&w->vault->roster, STR("")));
    assert_int_equal(w->vault->roster.accounts_by_id.count, 1);
}

static const struct admin_case account_cases[] = {
    { "parent that is none",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "a", .account = "nobody" },
      404,
      "no account nobody" },
    { "a setting that is none",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "a", .settings = "colour=red" },
      422,
      "no setting of account" },
    { "a value that is none",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "a", .settings = "state=open" },
      422,
      "state: expected one of" },
    { "all of them",
      { .verb = ADMIN_ACCOUNT_ADD,
        .name = "all",
        .settings = "state=active\nidentity=observe\nuntil=2999-01-01\nnull_sender=false\n"
                    "forward=true\nforward_domain=Fwd.example\nrewrite_from=form@All.example\n"
                    "shares_domains=true\nquota_451=true\nsoft_percent=90\n"
                    "limit.minute.messages=1\nlimit.hour.recipients=2\nlimit.day.distinct=3\n"
                    "limit.month.bytes=4G\ndefault_stream=news\nnote=gold" },
      200,
      "\"settings\":{\"state\":\"active\",\"identity\":\"observe\","
      "\"until\":\"2999-01-01T00:00:00.000Z\",\"null_sender\":false,\"forward\":true,"
      "\"forward_domain\":\"fwd.example\",\"rewrite_from\":\"form@all.example\","
      "\"shares_domains\":true,\"default_stream\":\"news\",\"quota_451\":true,"
      "\"soft_percent\":90,\"limit.minute.messages\":1,\"limit.hour.recipients\":2,"
      "\"limit.day.distinct\":3,\"limit.month.bytes\":4294967296,\"note\":\"gold\"}" },
    { "shown", { .verb = ADMIN_ACCOUNT_SHOW, .name = "all" }, 200, "\"id\":\"a3\"" },
    { "shown, of none", { .verb = ADMIN_ACCOUNT_SHOW, .name = "none" }, 404, "no account none" },
    { "set, of none", { .verb = ADMIN_ACCOUNT_SET, .name = "none" }, 404, "no account none" },
    { "back to the default",
      { .verb = ADMIN_ACCOUNT_SET, .name = "all", .settings = "note=\nforward=" },
      200,
      "\"limit.month.bytes\":4294967296}" },
    { "a default stream that is none",
      { .verb = ADMIN_ACCOUNT_SET, .name = "all", .settings = "default_stream=nwes" },
      404,
      "account all has no stream nwes" },
    { "below it",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "below", .account = "all" },
      200,
      "\"parent\":\"all\"" },
    { "what is below",
      { .verb = ADMIN_ACCOUNT_LIST, .account = "below" },
      200,
      "\"name\":\"below\"" },
    { "below none", { .verb = ADMIN_ACCOUNT_LIST, .account = "none" }, 404, "no account none" },
    { "in a state", { .verb = ADMIN_ACCOUNT_LIST, .state = "sandbox" }, 200, "\"name\":\"below\"" },
    { "removed while others are below",
      { .verb = ADMIN_ACCOUNT_REMOVE, .name = "all" },
      409,
      "still has 1 account below: remove" },
    { "removed", { .verb = ADMIN_ACCOUNT_REMOVE, .name = "below" }, 200, "" },
    { "removed twice", { .verb = ADMIN_ACCOUNT_REMOVE, .name = "below" }, 404, "no account below" },
    { "of the configuration",
      { .verb = ADMIN_ACCOUNT_REMOVE, .name = "office" },
      409,
      "trusted_networks" },
};

static void R49_accounts_are_made_in_one_another(void **state)
{
    struct world *w = *state;

    admin_cases_run(w, account_cases, ARRAY_LEN(account_cases));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_LIST, .state = "active" });
    assert_int_equal(row_count(w), 3);
}

static void accounts_are_not_nested_without_end(void **state)
{
    struct world *w = *state;
    char name[8] = "d0", above[8] = "";

    for (int i = 0; i < ACCOUNT_DEPTH_MAX; i++) {
        (void)snprintf(name, sizeof name, "d%d", i);
        make_account(w, name, above, "");
        (void)snprintf(above, sizeof above, "%s", name);
    }
    ask_for(w, 422, (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "deeper", .account = above });
}

static void an_account_in_use_is_not_removed(void **state)
{
    struct world *w = *state;

    make_account(w, "shop", "", "");
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ADD, .name = "till", .account = "shop" });
    ask_for(w, 409, (struct ask){ .verb = ADMIN_ACCOUNT_REMOVE, .name = "shop" });
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "till" });
    make_stream(w, "shop", "news", "");
    far_forget(&w->core);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_REMOVE, .name = "shop" });
    (void)far_expect(&w->core, WIRE_DIRECTORY_GONE);
    assert_int_equal(far_count(&w->core, WIRE_DIRECTORY_GONE), 2);
    const struct wire_directory_gone *f = far_nth(&w->core, WIRE_DIRECTORY_GONE, 0);
    assert_int_equal(f->noun, DIRECTORY_STREAM);
    f = far_nth(&w->core, WIRE_DIRECTORY_GONE, 1);
    assert_int_equal(f->noun, DIRECTORY_ACCOUNT);
    assert_int_equal(f->id, 3);
    make_account(w, "shop", "", ""); /* the name is free again, the number is not */
    assert_true(str_has(row(w, 0), "\"id\":\"a4\""));
}

/* States --------------------------------------------------------------------------------------- */

static void R113_suspension_cascades(void **state)
{
    struct world *w = *state;

    make_account(w, "host", "", "state=active");
    make_account(w, "reseller", "host", "state=active");
    make_account(w, "shop", "reseller", "state=active");
    make_account(w, "trial", "reseller", "state=sandbox");
    make_account(w, "other", "host", "state=active");
    far_forget(&w->core);
    set_account(w, "reseller", "state=suspended");
    /* core finds by itself who is below */
    const struct wire_directory_account *f = far_only(&w->core, WIRE_DIRECTORY_ACCOUNT);
    assert_int_equal(f->state, ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account_named(w, "host")), ACCOUNT_ACTIVE);
    assert_int_equal(account_state_of(account_named(w, "shop")), ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account_named(w, "trial")), ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account_named(w, "other")), ACCOUNT_ACTIVE);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_SHOW, .name = "shop" });
    assert_true(str_has(row(w, 0), "\"state\":\"suspended\",\"held_by\":\"reseller\""));
    assert_true(str_has(row(w, 0), "\"settings\":{\"state\":\"active\""));
    set_account(w, "reseller", "state=sandbox");
    assert_int_equal(account_state_of(account_named(w, "shop")), ACCOUNT_SANDBOX);
    set_account(w, "reseller", "state=active");
    assert_int_equal(account_state_of(account_named(w, "shop")), ACCOUNT_ACTIVE);
    assert_int_equal(account_state_of(account_named(w, "trial")), ACCOUNT_SANDBOX);
    assert_true(account_is_below(account_named(w, "shop"), account_named(w, "host")));
    assert_false(account_is_below(account_named(w, "other"), account_named(w, "reseller")));
}

static void R96_a_trial_ends_by_itself(void **state)
{
    struct world *w = *state;
    char at[DATE_TEXT_MAX], settings[80];

    (void)snprintf(settings, sizeof settings, "state=active\nuntil=%s",
                   date_format_iso(clock_wall_ms() + 50, at));
    make_account(w, "trial", "", settings);
    make_account(w, "below", "trial", "state=active");
    assert_int_equal(account_state_of(account_named(w, "below")), ACCOUNT_ACTIVE);
    far_forget(&w->core);
    const struct wire_directory_account *f = far_only(&w->core, WIRE_DIRECTORY_ACCOUNT);
    assert_int_equal(f->state, ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account_named(w, "below")), ACCOUNT_SUSPENDED);
    assert_true(log_has(w, "event=account-ended account=trial"));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_SHOW, .name = "trial" });
    assert_true(str_has(row(w, 0), "\"state\":\"suspended\",\"ended\":true"));
    set_account(w, "trial", "until=");
    assert_int_equal(account_state_of(account_named(w, "below")), ACCOUNT_ACTIVE);
    set_account(w, "trial", "until=2020-01-01");
    assert_int_equal(account_state_of(account_named(w, "below")), ACCOUNT_SUSPENDED);
    set_account(w, "trial", "until=90d");
    assert_int_equal(account_state_of(account_named(w, "below")), ACCOUNT_ACTIVE);
}

/* Sessions that a suspended account's credential opened are nobody's at once. */
static void A07_suspension_acts_on_open_sessions(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_account(w, "host", "", "state=active");
    make_account(w, "shop", "host", "state=active");
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ADD, .name = "till", .account = "shop" });
    struct str json = row(w, 0);
    size_t at = str_find(json, STR("bt_"));
    assert_true(at + SECRET_TEXT_LEN < json.len);
    memcpy(secret, json.ptr + at, SECRET_TEXT_LEN);
    secret[SECRET_TEXT_LEN] = '\0';
    far_forget(&w->core);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    send_auth(w, 1, "till", secret);
    const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->account, account_named(w, "shop")->id);
    far_forget(&w->core);
    set_account(w, "host", "state=suspended");
    b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->session, 1);
    assert_int_equal(b->account, 0);
    assert_int_equal(b->opening, BIND_UNASKED);
}

/* Dry runs ------------------------------------------------------------------------------------- */

static const struct admin_case dry_cases[] = {
    { "account",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "shop", .account = "office" },
      200,
      "\"name\":\"shop\",\"parent\":\"office\",\"state\":\"sandbox\"" },
    { "account that is there",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "office" },
      409,
      "there already" },
    { "settings",
      { .verb = ADMIN_ACCOUNT_SET, .name = "office", .settings = "state=suspended" },
      200,
      "\"state\":\"suspended\"" },
    { "settings that are wrong",
      { .verb = ADMIN_ACCOUNT_SET, .name = "office", .settings = "state=gone" },
      422,
      "state: expected" },
    { "an end that has been",
      { .verb = ADMIN_ACCOUNT_SET, .name = "office", .settings = "until=2020-01-01" },
      200,
      "\"ended\":true" },
    { "removal", { .verb = ADMIN_ACCOUNT_REMOVE, .name = "spare" }, 200, "" },
    { "removal of none", { .verb = ADMIN_ACCOUNT_REMOVE, .name = "none" }, 404, "no account" },
    { "stream",
      { .verb = ADMIN_STREAM_ADD, .name = "b", .account = "spare" },
      200,
      "\"name\":\"b\"" },
    { "stream's settings",
      { .verb = ADMIN_STREAM_SET, .name = "a", .account = "spare", .settings = "kind=internal" },
      200,
      "\"kind\":\"internal\"" },
    { "stream's removal",
      { .verb = ADMIN_STREAM_REMOVE, .name = "a", .account = "spare" },
      200,
      "" },
    { "gate", { .verb = ADMIN_LIVE_OPEN }, 200, "" },
};

static void a_dry_run_changes_nothing(void **state)
{
    struct world *w = *state;
    struct admin_case cases[ARRAY_LEN(dry_cases)];

    make_account(w, "spare", "", "");
    make_stream(w, "spare", "a", "");
    ask_for(w, 200, (struct ask){ .verb = ADMIN_AUDIT_LIST });
    size_t audited = row_count(w);
    far_forget(&w->core);
    w->log.len = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cases[i] = dry_cases[i];
        cases[i].ask.flags = ADMIN_DRY_RUN;
    }
    admin_cases_run(w, cases, ARRAY_LEN(cases));
    assert_int_equal(w->core.count, 0);
    assert_int_equal(w->log.len, 0);
    assert_int_equal(w->vault->roster.accounts_by_id.count, 3);
    assert_int_equal(w->vault->roster.streams_by_id.count, 1);
    assert_int_equal(account_state_of(account_named(w, "office")), ACCOUNT_ACTIVE);
    assert_false(vault_gate_is_open(w->vault));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_AUDIT_LIST });
    assert_int_equal(row_count(w), audited);
    make_account(w, "next", "", "");
    assert_true(str_has(row(w, 0), "\"id\":\"a4\"")); /* nor was a number used up */
}

/* Sizes and restarts --------------------------------------------------------------------------- */

static void all_of_it_is_there_after_a_restart(void **state)
{
    struct world *w = *state;
    char folder[] = "/tmp/accounts-XXXXXX", command[64];

    assert_non_null(mkdtemp(folder));
    world_stop(w);
    w->state_folder = str_of(folder);
    world_start(w);
    make_account(w, "host", "", "state=active\nuntil=2020-01-01");
    make_account(w, "shop", "host", "state=active\nlimit.day.messages=5\ndefault_stream=news");
    make_stream(w, "shop", "news", "kind=marketing");
    set_account(w, "shop", "note=gold");
    assert_true(log_has(w, "event=account-ended account=host"));
    w->log.len = 0;
    world_stop(w);
    world_start(w);
    struct account *shop = account_named(w, "shop");
    assert_ptr_equal(shop->parent, account_named(w, "host"));
    assert_int_equal(shop->limits[2 * 4], 5);
    assert_true(str_eq(shop->note, STR("gold")));
    assert_non_null(shop->default_stream);
    assert_int_equal(shop->default_stream->kind, STREAM_MARKETING);
    assert_int_equal(account_state_of(shop), ACCOUNT_SUSPENDED); /* its host's end was long ago */
    assert_false(log_has(w, "event=account-ended"));             /* which was told then */
    const struct wire_directory_account *f = far_nth(&w->core, WIRE_DIRECTORY_ACCOUNT, 2);
    assert_int_equal(f->state, ACCOUNT_SUSPENDED); /* and core hears of it at the link */
    world_stop(w);
    w->state_folder = STR("");
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    world_start(w);
}

static void fill_with_accounts(const char *folder, unsigned count)
{
    char path[96], name[32];
    struct control *c;
    uint64_t id = 0;

    (void)snprintf(path, sizeof path, "%s/vault", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/vault/control.db", folder);
    assert_true(control_open(str_of(path), &c, NULL));
    assert_true(control_begin(c, NULL));
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "account-%u", i);
        const struct account_row row = { .parent = i % 100 == 0 ? 0 : i / 100 * 100 + 1,
                                         .name = str_of(name),
                                         .settings = STR("state=active\nidentity=enforce\n"
                                                         "limit.day.messages=1000\n") };
        assert_true(control_add_account(c, &row, &id, NULL));
    }
    assert_true(control_commit(c, NULL));
    control_free(c);
}

static void count_frame(void *arg, const struct frame *f)
{
    size_t *counts = arg;
    counts[f->type]++;
}

static void R113_ten_thousand_accounts_start_and_are_listed(void **state)
{
    enum { COUNT = 10000 };
    struct world *w = *state;
    char folder[] = "/tmp/accounts-XXXXXX", command[64];
    size_t counts[256] = { 0 }, listed = 0;
    uint64_t next = 0;

    assert_non_null(mkdtemp(folder));
    world_stop(w);
    fill_with_accounts(folder, COUNT);
    w->state_folder = str_of(folder);
    assert_true(world_try_start(w, NULL));
    w->core.on_frame = count_frame;
    w->core.arg = counts;
    far_link(w, &w->core, ROLE_CORE);
    far_link(w, &w->web, ROLE_WEB);
    while (counts[WIRE_DIRECTORY_END] == 0)
        loop_turn(10);
    assert_int_equal(counts[WIRE_DIRECTORY_ACCOUNT], COUNT + 2); /* and the configuration's */
    do {
        const struct wire_admin_end *end =
            ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_LIST, .id = next });
        next = end->next;
        listed += row_count(w);
    } while (next != 0);
    assert_int_equal(listed, COUNT + 2);
    /* A host's suspension is one frame, however many are below it. */
    counts[WIRE_DIRECTORY_ACCOUNT] = 0;
    set_account(w, "account-0", "state=suspended");
    assert_int_equal(account_state_of(account_named(w, "account-99")), ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account_named(w, "account-100")), ACCOUNT_ACTIVE);
    while (counts[WIRE_DIRECTORY_ACCOUNT] == 0)
        loop_turn(10);
    assert_int_equal(counts[WIRE_DIRECTORY_ACCOUNT], 1);
    w->core.on_frame = NULL;
    world_stop(w);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void facts_are_in_the_status(void **state)
{
    struct world *w = *state;
    struct buf status;

    make_stream(w, "office", "news", "");
    buf_init(&status, 4096);
    vault_role.status(w->vault, &status);
    assert_true(str_has(buf_str(&status), "\"accounts\":2,\"users\":0,\"streams\":1,"
                                          "\"credentials\":0"));
    buf_done(&status);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R15_new_accounts_wait_for_approval),
        TEST(R103_the_configuration_says_how_accounts_begin),
        TEST(R103_accounts_of_trusted_networks_are_observed),
        TEST(T10_a_network_of_tenants_names_no_account),
        TEST(R49_accounts_are_made_in_one_another),
        TEST(accounts_are_not_nested_without_end),
        TEST(an_account_in_use_is_not_removed),
        TEST(R113_suspension_cascades),
        TEST(R96_a_trial_ends_by_itself),
        TEST(A07_suspension_acts_on_open_sessions),
        TEST(a_dry_run_changes_nothing),
        TEST(all_of_it_is_there_after_a_restart),
        TEST(R113_ten_thousand_accounts_start_and_are_listed),
        TEST(facts_are_in_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
