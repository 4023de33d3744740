// SPDX-License-Identifier: Apache-2.0
/* vault/accounts_test.c - accounts and streams as operators make them, what core is told of them,
 * and who is told of a state that cascades. */
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

static struct account *account(struct world *w, const char *name)
{
    struct account *a = roster_account(&w->vault->roster, str_of(name));

    if (!a)
        fail_msg("no account %s", name);
    return a;
}

static void add(struct world *w, const char *name, const char *parent, const char *settings)
{
    ask_for(w, 200,
            (struct ask){
                .verb = ADMIN_ACCOUNT_ADD, .name = name, .account = parent, .settings = settings });
}

static void set(struct world *w, const char *name, const char *settings)
{
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_SET, .name = name, .settings = settings });
}

static void add_stream(struct world *w, const char *of, const char *name, const char *settings)
{
    ask_for(w, 200,
            (struct ask){
                .verb = ADMIN_STREAM_ADD, .account = of, .name = name, .settings = settings });
}

/* The one frame that core was sent since far_forget(), and nothing else. */
static const void *only_frame(struct world *w, enum wire_type type)
{
    const void *f = far_expect(&w->core, type);

    assert_int_equal(w->core.count, 1);
    return f;
}

/* Accounts ------------------------------------------------------------------------------------- */

static void R15_new_accounts_wait_for_approval(void **state)
{
    struct world *w = *state;

    add(w, "shop", "", "");
    assert_true(str_has(row(w, 0), "\"state\":\"sandbox\""));
    assert_true(str_has(row(w, 0), "\"identity\":\"enforce\""));
    assert_int_equal(account(w, "shop")->state, ACCOUNT_SANDBOX);
    assert_int_equal(account(w, "shop")->identity, POLICY_ENFORCE);
    far_forget(&w->core);
    set(w, "shop", "state=active");
    const struct wire_directory_account *f = only_frame(w, WIRE_DIRECTORY_ACCOUNT);
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
    add(w, "old-hand", "", "");
    add(w, "strict", "", "identity=enforce");
    w->config->first_state = FIRST_SANDBOX;
    w->config->first_identity = FIRST_ENFORCE;
    vault_role.reload(w->vault, w->config, &(struct role_start){ .kind = ROLE_VAULT });
    add(w, "new-hand", "", "");
    assert_int_equal(account(w, "old-hand")->state, ACCOUNT_ACTIVE);
    assert_int_equal(account(w, "old-hand")->identity, POLICY_OBSERVE);
    assert_int_equal(account(w, "strict")->state, ACCOUNT_ACTIVE);
    assert_int_equal(account(w, "strict")->identity, POLICY_ENFORCE);
    assert_int_equal(account(w, "new-hand")->state, ACCOUNT_SANDBOX);
    assert_int_equal(account(w, "new-hand")->identity, POLICY_ENFORCE);
}

static void R103_accounts_of_trusted_networks_are_observed(void **state)
{
    struct world *w = *state;

    assert_int_equal(account(w, "office")->state, ACCOUNT_ACTIVE);
    assert_int_equal(account(w, "office")->identity, POLICY_OBSERVE);
    set(w, "office", "identity=enforce"); /* the operator's word stays */
    w->vault->networks_due = true;
    operate_wake(w->vault);
    add(w, "later", "", "");
    assert_int_equal(account(w, "office")->identity, POLICY_ENFORCE);
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
      "still has 0 credentials, 0 users, 1 accounts below" },
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
        add(w, name, above, "");
        (void)snprintf(above, sizeof above, "%s", name);
    }
    ask_for(w, 422, (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "deeper", .account = above });
}

static void an_account_in_use_is_not_removed(void **state)
{
    struct world *w = *state;

    add(w, "shop", "", "");
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ADD, .name = "till", .account = "shop" });
    ask_for(w, 409, (struct ask){ .verb = ADMIN_ACCOUNT_REMOVE, .name = "shop" });
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "till" });
    add_stream(w, "shop", "news", "");
    far_forget(&w->core);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_REMOVE, .name = "shop" });
    (void)far_expect(&w->core, WIRE_DIRECTORY_GONE);
    assert_int_equal(far_count(&w->core, WIRE_DIRECTORY_GONE), 2);
    const struct wire_directory_gone *f = far_nth(&w->core, WIRE_DIRECTORY_GONE, 0);
    assert_int_equal(f->noun, DIRECTORY_STREAM);
    f = far_nth(&w->core, WIRE_DIRECTORY_GONE, 1);
    assert_int_equal(f->noun, DIRECTORY_ACCOUNT);
    assert_int_equal(f->id, 3);
    add(w, "shop", "", ""); /* the name is free again, the number is not */
    assert_true(str_has(row(w, 0), "\"id\":\"a4\""));
}

/* States --------------------------------------------------------------------------------------- */

static void R113_suspension_cascades(void **state)
{
    struct world *w = *state;

    add(w, "host", "", "state=active");
    add(w, "reseller", "host", "state=active");
    add(w, "shop", "reseller", "state=active");
    add(w, "trial", "reseller", "state=sandbox");
    add(w, "other", "host", "state=active");
    far_forget(&w->core);
    set(w, "reseller", "state=suspended");
    /* core finds by itself who is below */
    const struct wire_directory_account *f = only_frame(w, WIRE_DIRECTORY_ACCOUNT);
    assert_int_equal(f->state, ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account(w, "host")), ACCOUNT_ACTIVE);
    assert_int_equal(account_state_of(account(w, "shop")), ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account(w, "trial")), ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account(w, "other")), ACCOUNT_ACTIVE);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_SHOW, .name = "shop" });
    assert_true(str_has(row(w, 0), "\"state\":\"suspended\",\"held_by\":\"reseller\""));
    assert_true(str_has(row(w, 0), "\"settings\":{\"state\":\"active\""));
    set(w, "reseller", "state=sandbox");
    assert_int_equal(account_state_of(account(w, "shop")), ACCOUNT_SANDBOX);
    set(w, "reseller", "state=active");
    assert_int_equal(account_state_of(account(w, "shop")), ACCOUNT_ACTIVE);
    assert_int_equal(account_state_of(account(w, "trial")), ACCOUNT_SANDBOX);
    assert_true(account_is_below(account(w, "shop"), account(w, "host")));
    assert_false(account_is_below(account(w, "other"), account(w, "reseller")));
}

static void R96_a_trial_ends_by_itself(void **state)
{
    struct world *w = *state;
    char at[DATE_TEXT_MAX], settings[80];

    (void)snprintf(settings, sizeof settings, "state=active\nuntil=%s",
                   date_format_iso(clock_wall_ms() + 50, at));
    add(w, "trial", "", settings);
    add(w, "below", "trial", "state=active");
    assert_int_equal(account_state_of(account(w, "below")), ACCOUNT_ACTIVE);
    far_forget(&w->core);
    const struct wire_directory_account *f = only_frame(w, WIRE_DIRECTORY_ACCOUNT);
    assert_int_equal(f->state, ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account(w, "below")), ACCOUNT_SUSPENDED);
    assert_true(log_has(w, "event=account-ended account=trial"));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_SHOW, .name = "trial" });
    assert_true(str_has(row(w, 0), "\"state\":\"suspended\",\"ended\":true"));
    set(w, "trial", "until=");
    assert_int_equal(account_state_of(account(w, "below")), ACCOUNT_ACTIVE);
    set(w, "trial", "until=2020-01-01");
    assert_int_equal(account_state_of(account(w, "below")), ACCOUNT_SUSPENDED);
    set(w, "trial", "until=90d");
    assert_int_equal(account_state_of(account(w, "below")), ACCOUNT_ACTIVE);
}

/* Sessions that a suspended account's credential opened are nobody's at once. */
static void A07_suspension_acts_on_open_sessions(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    add(w, "host", "", "state=active");
    add(w, "shop", "host", "state=active");
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
    assert_int_equal(b->account, account(w, "shop")->id);
    far_forget(&w->core);
    set(w, "host", "state=suspended");
    b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->session, 1);
    assert_int_equal(b->account, 0);
    assert_int_equal(b->opening, BIND_UNASKED);
}

/* Streams -------------------------------------------------------------------------------------- */

static const struct admin_case stream_cases[] = {
    { "of none",
      { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "none" },
      404,
      "no account none" },
    { "no name", { .verb = ADMIN_STREAM_ADD, .account = "office" }, 422, "stream: 1 to 64" },
    { "made",
      { .verb = ADMIN_STREAM_ADD,
        .name = "news",
        .account = "office",
        .settings = "kind=marketing\npreflight=enforce\ndomain=News.example\n"
                    "return_domain=bounce.news.example\nlimit.day.messages=10" },
      200,
      "\"account\":\"office\",\"name\":\"news\",\"kind\":\"marketing\",\"default\":false,"
      "\"settings\":{\"kind\":\"marketing\",\"preflight\":\"enforce\",\"domain\":\"news.example\","
      "\"return_domain\":\"bounce.news.example\",\"limit.day.messages\":10}" },
    { "twice",
      { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "office" },
      409,
      "there already" },
    { "the same name elsewhere",
      { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "printers" },
      200,
      "\"kind\":\"transactional\"" },
    { "a value that is none",
      { .verb = ADMIN_STREAM_SET, .name = "news", .account = "office", .settings = "kind=spam" },
      422,
      "kind: expected one of transactional" },
    { "set",
      { .verb = ADMIN_STREAM_SET,
        .name = "news",
        .account = "office",
        .settings = "preflight=off" },
      200,
      "\"preflight\":\"off\"" },
    { "set, of none",
      { .verb = ADMIN_STREAM_SET, .name = "none", .account = "office" },
      404,
      "account office has no stream none" },
    { "listed",
      { .verb = ADMIN_STREAM_LIST, .account = "printers" },
      200,
      "\"account\":\"printers\"" },
    { "listed, of none", { .verb = ADMIN_STREAM_LIST, .account = "none" }, 404, "no account none" },
    { "all", { .verb = ADMIN_STREAM_LIST }, 200, "\"account\":\"office\"" },
    { "default",
      { .verb = ADMIN_ACCOUNT_SET, .name = "office", .settings = "default_stream=news" },
      200,
      "\"default_stream\":\"news\"" },
    { "removed while default",
      { .verb = ADMIN_STREAM_REMOVE, .name = "news", .account = "office" },
      409,
      "default_stream" },
    { "removed", { .verb = ADMIN_STREAM_REMOVE, .name = "news", .account = "printers" }, 200, "" },
    { "removed twice",
      { .verb = ADMIN_STREAM_REMOVE, .name = "news", .account = "printers" },
      404,
      "no stream news" },
};

static void R48_streams_are_kept_apart(void **state)
{
    struct world *w = *state;

    admin_cases_run(w, stream_cases, ARRAY_LEN(stream_cases));
}

static void R48_core_is_told_of_streams(void **state)
{
    struct world *w = *state;

    set(w, "office", "limit.hour.messages=7");
    add(w, "shop", "", "default_stream=news");
    assert_null(account(w, "shop")->default_stream);
    far_forget(&w->core);
    add_stream(w, "shop", "news", "kind=marketing\ndomain=news.example\nlimit.month.bytes=5");
    const struct wire_directory_account *a = far_expect(&w->core, WIRE_DIRECTORY_ACCOUNT);
    const struct wire_directory_stream *s = far_expect(&w->core, WIRE_DIRECTORY_STREAM);
    assert_int_equal(a->default_stream, s->id); /* which it was waiting for */
    assert_int_equal(s->account, account(w, "shop")->id);
    assert_int_equal(s->kind, STREAM_MARKETING);
    assert_int_equal(s->preflight, POLICY_OBSERVE);
    assert_int_equal(s->limits[DIRECTORY_LIMITS - 1], 5);
    assert_true(str_eq(wire_get(s, s->name), STR("news")));
    assert_true(str_eq(wire_get(s, s->domain), STR("news.example")));
    far_forget(&w->core);
    ask_for(w, 200,
            (struct ask){ .verb = ADMIN_STREAM_SET,
                          .account = "shop",
                          .name = "news",
                          .settings = "preflight=enforce" });
    s = only_frame(w, WIRE_DIRECTORY_STREAM);
    assert_int_equal(s->preflight, POLICY_ENFORCE);
    set(w, "shop", "default_stream=");
    far_forget(&w->core);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_STREAM_REMOVE, .account = "shop", .name = "news" });
    const struct wire_directory_gone *g = only_frame(w, WIRE_DIRECTORY_GONE);
    assert_int_equal(g->noun, DIRECTORY_STREAM);
}

static void lists_of_streams_go_on(void **state)
{
    struct world *w = *state;

    add_stream(w, "printers", "a", "");
    add_stream(w, "office", "b", "");
    add_stream(w, "printers", "c", "");
    const struct wire_admin_end *end =
        ask(w, (struct ask){ .verb = ADMIN_STREAM_LIST, .limit = 2 });
    assert_int_equal(end->next, 2);
    assert_int_equal(row_count(w), 2);
    end = ask(w, (struct ask){ .verb = ADMIN_STREAM_LIST, .limit = 2, .id = 2 });
    assert_int_equal(end->next, 0);
    assert_true(str_has(row(w, 0), "\"name\":\"c\""));
}

/* What core is told ---------------------------------------------------------------------------- */

static void the_directory_is_whole_at_the_link(void **state)
{
    static const enum wire_type order[] = { WIRE_GATE,
                                            WIRE_DIRECTORY_BEGIN,
                                            WIRE_DIRECTORY_ACCOUNT, /* office */
                                            WIRE_DIRECTORY_ACCOUNT, /* printers */
                                            WIRE_DIRECTORY_ACCOUNT, /* host */
                                            WIRE_DIRECTORY_STREAM,
                                            WIRE_DIRECTORY_ACCOUNT, /* shop */
                                            WIRE_DIRECTORY_END };
    struct world *w = *state;

    add(w, "host", "",
        "state=active\nforward=true\nforward_domain=fwd.example\nrewrite_from=form@host.example\n"
        "soft_percent=75\nlimit.minute.messages=1\nlimit.day.bytes=9");
    add(w, "shop", "host", "quota_451=true\nnull_sender=false\nshares_domains=true");
    add_stream(w, "host", "news", "");
    far_unlink(&w->core);
    far_link(w, &w->core, ROLE_CORE);
    (void)far_expect(&w->core, WIRE_DIRECTORY_END);
    assert_int_equal(w->core.count, ARRAY_LEN(order));
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_int_equal(w->core.frames[i]->type, order[i]);
    const struct wire_directory_account *host = far_nth(&w->core, WIRE_DIRECTORY_ACCOUNT, 2);
    const struct wire_directory_account *shop = far_nth(&w->core, WIRE_DIRECTORY_ACCOUNT, 3);
    assert_int_equal(host->id, 3);
    assert_int_equal(host->parent, 0);
    assert_int_equal(host->state, ACCOUNT_ACTIVE);
    assert_int_equal(host->mode, POLICY_ENFORCE);
    assert_int_equal(host->flags, ACCOUNT_FORWARDS | ACCOUNT_NULL_SENDER);
    assert_int_equal(host->soft_percent, 75);
    assert_int_equal(host->limits[0], 1);
    assert_int_equal(host->limits[2 * 4 + 3], 9);
    assert_true(str_eq(wire_get(host, host->name), STR("host")));
    assert_true(str_eq(wire_get(host, host->forward_domain), STR("fwd.example")));
    assert_true(str_eq(wire_get(host, host->rewrite_from), STR("form@host.example")));
    assert_int_equal(shop->parent, 3);
    assert_int_equal(shop->flags, ACCOUNT_QUOTA_451 | ACCOUNT_SHARES_DOMAINS);
}

static void the_key_of_srs_is_derived(void **state)
{
    struct world *w = *state;
    const struct wire_directory_begin *f = far_expect(&w->core, WIRE_DIRECTORY_BEGIN);
    char before[32];

    struct str secret = wire_get(f, f->secret);
    assert_int_equal(secret.len, sizeof before);
    assert_memory_not_equal(secret.ptr, w->secret, sizeof w->secret);
    memcpy(before, secret.ptr, sizeof before);
    world_stop(w);
    world_start(w);
    f = far_expect(&w->core, WIRE_DIRECTORY_BEGIN);
    assert_memory_equal(wire_get(f, f->secret).ptr, before, sizeof before); /* addresses return */
    world_stop(w);
    w->secret[0] ^= 1;
    world_start(w);
    f = far_expect(&w->core, WIRE_DIRECTORY_BEGIN);
    assert_memory_not_equal(wire_get(f, f->secret).ptr, before, sizeof before);
}

static void what_changes_nothing_tells_nothing(void **state)
{
    struct world *w = *state;

    set(w, "office", "limit.day.messages=5");
    w->log.len = 0;
    far_forget(&w->core);
    set(w, "office", "limit.day.messages=5\nstate=active");
    ask_for(w, 200, (struct ask){ .verb = ADMIN_LIVE_OPEN });
    (void)far_expect(&w->core, WIRE_GATE);
    assert_int_equal(w->core.count, 1);
    assert_false(log_has(w, "account-changed"));
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

    add(w, "spare", "", "");
    add_stream(w, "spare", "a", "");
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
    assert_int_equal(account_state_of(account(w, "office")), ACCOUNT_ACTIVE);
    assert_false(vault_gate_is_open(w->vault));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_AUDIT_LIST });
    assert_int_equal(row_count(w), audited);
    add(w, "next", "", "");
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
    add(w, "host", "", "state=active\nuntil=2020-01-01");
    add(w, "shop", "host", "state=active\nlimit.day.messages=5\ndefault_stream=news");
    add_stream(w, "shop", "news", "kind=marketing");
    set(w, "shop", "note=gold");
    world_stop(w);
    world_start(w);
    struct account *shop = account(w, "shop");
    assert_ptr_equal(shop->parent, account(w, "host"));
    assert_int_equal(shop->limits[2 * 4], 5);
    assert_true(str_eq(shop->note, STR("gold")));
    assert_non_null(shop->default_stream);
    assert_int_equal(shop->default_stream->kind, STREAM_MARKETING);
    assert_int_equal(account_state_of(shop), ACCOUNT_SUSPENDED); /* its host's end was long ago */
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
    set(w, "account-0", "state=suspended");
    assert_int_equal(account_state_of(account(w, "account-99")), ACCOUNT_SUSPENDED);
    assert_int_equal(account_state_of(account(w, "account-100")), ACCOUNT_ACTIVE);
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

    add_stream(w, "office", "news", "");
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
        TEST(R48_streams_are_kept_apart),
        TEST(R48_core_is_told_of_streams),
        TEST(lists_of_streams_go_on),
        TEST(the_directory_is_whole_at_the_link),
        TEST(the_key_of_srs_is_derived),
        TEST(what_changes_nothing_tells_nothing),
        TEST(a_dry_run_changes_nothing),
        TEST(all_of_it_is_there_after_a_restart),
        TEST(R113_ten_thousand_accounts_start_and_are_listed),
        TEST(facts_are_in_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
