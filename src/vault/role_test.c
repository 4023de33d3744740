// SPDX-License-Identifier: Apache-2.0
/* vault/role_test.c - the whole role: whose sessions are, what operators ask, start and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vault/world_test.h"

/* Makes a credential; its secret goes to `secret`. */
static void make_credential(struct world *w, const char *user, char secret[SECRET_TEXT_LEN + 1])
{
    assert_int_equal(
        ask(w, (struct ask){ .verb = ADMIN_CRED_ADD, .name = user, .account = "office" })->status,
        200);
    struct str json = row(w, 0);
    size_t at = str_find(json, STR("bt_"));
    assert_true(at + SECRET_TEXT_LEN < json.len);
    memcpy(secret, json.ptr + at, SECRET_TEXT_LEN);
    secret[SECRET_TEXT_LEN] = '\0';
    far_forget(&w->web);
}

/* Lets answers that slowdown holds back come now. */
static const struct wire_auth_failed *failure(struct world *w)
{
    return far_expect(&w->accept, WIRE_AUTH_FAILED);
}

static void R09_trusted_networks_are_bound_to_their_account(void **state)
{
    static const struct {
        const char *client;
        uint64_t account;
        uint32_t flags;
    } cases[] = {
        { "192.0.2.1", 1, BIND_TRUSTED },
        { "192.0.2.200", 2, BIND_TRUSTED | BIND_NORMALIZE },
        { "::ffff:192.0.2.1", 1, BIND_TRUSTED },
        { "198.51.100.1", 0, 0 },
        { "127.0.0.1", 0, 0 },
        { "2001:db8::1", 0, 0 },
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        far_forget(&w->core);
        open_session(w, 100 + i, cases[i].client);
        const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
        assert_int_equal(b->session, 100 + i);
        assert_int_equal(b->account, cases[i].account);
        assert_int_equal(b->flags, cases[i].flags);
        assert_int_equal(b->opening, 1);
        assert_int_equal(b->listener, 2);
        assert_int_equal(b->credential, 0);
    }
    assert_true(log_has(w, "event=account-added actor=configuration account=office"));
}

static void R09_right_secret_binds_the_session(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop@example.org", secret);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    send_auth(w, 1, "shop@example.org", secret);
    const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->opening, 0);
    assert_int_equal(b->account, 1);
    assert_int_equal(b->flags, BIND_AUTHENTICATED);
    assert_true(str_eq(wire_get(b, b->login), STR("shop@example.org")));
    assert_int_equal(w->accept.count, 1); /* the gate; core is the one who tells accept */
}

static void A04_unknown_user_costs_the_same_work(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    static const char *const users[] = { "shop", "nobody", "", "SHOP" };
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        char client[32];
        uint64_t hashes = w->vault->hashes, compares = w->vault->compares;
        (void)snprintf(client, sizeof client, "198.51.100.%zu", i + 1);
        far_forget(&w->accept);
        open_session(w, i, client);
        send_auth(w, i, users[i], "bt_wrong");
        assert_int_equal(failure(w)->code, 535);
        assert_int_equal(w->vault->hashes, hashes + 1);
        assert_int_equal(w->vault->compares, compares + 1);
    }
}

static void A05_secrets_are_256_bits_and_stored_hashed(void **state)
{
    struct world *w = *state;
    char a[SECRET_TEXT_LEN + 1], b[SECRET_TEXT_LEN + 1];

    make_credential(w, "a", a);
    make_credential(w, "b", b);
    assert_string_not_equal(a, b);
    struct credential *c = roster_credential(&w->vault->roster, STR("a"));
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash((const uint8_t *)w->secret, str_of(a), hash);
    assert_memory_equal(hash, c->hash, sizeof hash);
    uint8_t other_key[SECRET_KEY_BYTES] = { 1 };
    secret_hash(other_key, str_of(a), hash);
    assert_false(secret_hash_eq(hash, c->hash)); /* the file alone lets nobody try */
}

static void A06_no_secret_in_logs_or_lists(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];
    struct buf status;

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    send_auth(w, 1, secret, "swapped"); /* secret where the user belongs */
    (void)failure(w);
    far_forget(&w->accept);
    open_session(w, 2, "198.51.100.2");
    send_auth(w, 2, "wrong user", secret);
    (void)failure(w);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_CRED_LIST })->status, 200);
    assert_true(str_has(row(w, 0), "\"user\":\"shop\""));
    assert_false(str_has(row(w, 0), secret));
    buf_init(&status, 4096);
    vault_role.status(w->vault, &status);
    assert_false(str_has(buf_str(&status), secret));
    buf_done(&status);
    assert_true(log_has(w, "event=auth-failed"));
    assert_false(log_has(w, secret));
    assert_false(log_has(w, "swapped"));
}

static void A07_revocation_acts_on_open_sessions(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    send_auth(w, 1, "shop", secret);
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "shop" })->status,
                     200);
    const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->session, 1);
    assert_int_equal(b->account, 0);
    assert_int_equal(b->flags, 0);
    assert_int_equal(b->opening, BIND_UNASKED);
    far_forget(&w->accept);
    open_session(w, 2, "198.51.100.2");
    send_auth(w, 2, "shop", secret);
    assert_int_equal(failure(w)->code, 535);
    assert_true(log_has(w, "event=credential-removed actor=root account=office name=shop"));
    make_credential(w, "shop", secret); /* the name is free again */
}

static void A07_revocation_between_check_and_answer(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    send_auth(w, 1, "shop", "bt_wrong");
    (void)failure(w);
    far_forget(&w->accept);
    far_forget(&w->core);
    send_auth(w, 1, "shop", secret); /* right, but this address waits now */
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "shop" })->status,
                     200);
    assert_int_equal(failure(w)->code, 535);
    assert_int_equal(w->core.count, 0);
}

static void without_core_there_is_no_verdict(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    channel_free(w->core.channel);
    w->core.channel = NULL;
    while (w->vault->core.channel)
        loop_turn(10);
    send_auth(w, 1, "shop", secret);
    assert_int_equal(failure(w)->code, 454);
}

static const struct admin_case admin_cases[] = {
    { "account", { .verb = ADMIN_ACCOUNT_ADD, .name = "shop" }, 200, "\"name\":\"shop\"" },
    { "account twice", { .verb = ADMIN_ACCOUNT_ADD, .name = "shop" }, 409, "there already" },
    { "account without name", { .verb = ADMIN_ACCOUNT_ADD, .name = "" }, 422, "letters, digits" },
    { "account with a blank",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "a b" },
      422,
      "letters, digits" },
    { "accounts", { .verb = ADMIN_ACCOUNT_LIST }, 200, "\"name\":\"office\"" },
    { "the second page",
      { .verb = ADMIN_ACCOUNT_LIST, .id = 1, .limit = 1 },
      200,
      "\"name\":\"printers\"" },
    { "credential",
      { .verb = ADMIN_CRED_ADD, .name = "u", .account = "shop" },
      200,
      "\"secret\":\"bt_" },
    { "credential twice",
      { .verb = ADMIN_CRED_ADD, .name = "u", .account = "shop" },
      409,
      "there already" },
    { "nobody's",
      { .verb = ADMIN_CRED_ADD, .name = "v", .account = "none" },
      404,
      "no account none" },
    { "no user", { .verb = ADMIN_CRED_ADD, .name = "", .account = "shop" }, 422, "user: 1 to 64" },
    { "quote in user",
      { .verb = ADMIN_CRED_ADD, .name = "a\"b", .account = "shop" },
      422,
      "user: 1 to 64" },
    { "newline in user",
      { .verb = ADMIN_CRED_ADD, .name = "a\nb", .account = "shop" },
      422,
      "user: 1" },
    { "user of 65",
      { .verb = ADMIN_CRED_ADD,
        .name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        .account = "shop" },
      422,
      "user: 1 to 64" },
    { "normalize",
      { .verb = ADMIN_CRED_ADD,
        .name = "old-printer",
        .account = "shop",
        .settings = "normalize=true\n" },
      200,
      "\"normalize\":true" },
    { "odd setting",
      { .verb = ADMIN_CRED_ADD, .name = "w", .account = "shop", .settings = "normalize=loose\n" },
      422,
      "normalize" },
    { "credentials", { .verb = ADMIN_CRED_LIST, .account = "shop" }, 200, "\"user\":\"u\"" },
    { "credentials of none",
      { .verb = ADMIN_CRED_LIST, .account = "none" },
      404,
      "no account none" },
    { "removed", { .verb = ADMIN_CRED_REMOVE, .name = "u" }, 200, "" },
    { "removed twice", { .verb = ADMIN_CRED_REMOVE, .name = "u" }, 404, "no user u" },
    { "open", { .verb = ADMIN_LIVE_OPEN }, 200, "" },
    { "close", { .verb = ADMIN_LIVE_CLOSE }, 200, "" },
    { "another role's verb", { .verb = ADMIN_QUEUE_LIST }, 422, "does not answer" },
    { "no verb", { .verb = ADMIN_VERBS }, 422, "does not answer" },
};

static void operators_are_answered(void **state)
{
    struct world *w = *state;

    admin_cases_run(w, admin_cases, ARRAY_LEN(admin_cases));
}

static void lists_say_where_they_go_on(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_LIST, .limit = 1 })->next, 1);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_LIST, .id = 1, .limit = 1 })->next,
                     0);
}

static void gate_is_told_on_link_and_on_change(void **state)
{
    struct world *w = *state;

    assert_int_equal(((const struct wire_gate *)far_expect(&w->core, WIRE_GATE))->open, 0);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->accept, WIRE_GATE))->open, 0);
    far_forget(&w->core);
    far_forget(&w->accept);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_LIVE_OPEN })->status, 200);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->core, WIRE_GATE))->open, 1);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->accept, WIRE_GATE))->open, 1);
    assert_true(log_has(w, "event=gate-opened actor=root"));
}

static void P05_what_cannot_be_ends_the_peer(void **state)
{
    struct world *w = *state;

    send_auth(w, 99, "u", "s"); /* no such session */
    while (!w->accept.closed)
        loop_turn(10);
    assert_null(w->vault->accept[0].channel);
}

static void what_was_answered_is_there_after_a_restart(void **state)
{
    struct world *w = *state;
    char folder[] = "/tmp/vault-XXXXXX", secret[SECRET_TEXT_LEN + 1], command[128];

    assert_non_null(mkdtemp(folder));
    world_stop(w);
    w->state_folder = str_of(folder);
    world_start(w);
    make_credential(w, "shop", secret);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_LIVE_OPEN })->status, 200);
    world_stop(w);
    world_start(w);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->accept, WIRE_GATE))->open, 1);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    send_auth(w, 1, "shop", secret);
    const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->flags, BIND_AUTHENTICATED);
    world_stop(w);
    w->state_folder = STR("");
    (void)snprintf(command, sizeof command, "grep -rqs %s %s", secret, folder);
    assert_int_not_equal(system(command), 0); /* A06: not in the files */
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    world_start(w);
}

static void done_is_called(void *arg)
{
    *(bool *)arg = true;
}

static void drain_saves_and_ends(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];
    bool done = false;

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    send_auth(w, 1, "shop", secret);
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    while (!roster_credential(&w->vault->roster, STR("shop"))->use_unsaved)
        loop_turn(10);
    assert_true(roster_credential(&w->vault->roster, STR("shop"))->use_unsaved);
    vault_role.drain(w->vault, done_is_called, &done);
    while (!done)
        loop_turn(10);
    assert_false(roster_credential(&w->vault->roster, STR("shop"))->use_unsaved);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "late" })->status,
                     503);
}

static void a_key_of_another_length_is_refused(void **state)
{
    struct world *w = *state;
    const struct role_start s = { .config = w->config, .secret = STR("short") };
    struct err err = { 0 };
    void *role;

    assert_false(vault_role.start(&s, &role, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R09_trusted_networks_are_bound_to_their_account),
        TEST(R09_right_secret_binds_the_session),
        TEST(A04_unknown_user_costs_the_same_work),
        TEST(A05_secrets_are_256_bits_and_stored_hashed),
        TEST(A06_no_secret_in_logs_or_lists),
        TEST(A07_revocation_acts_on_open_sessions),
        TEST(A07_revocation_between_check_and_answer),
        TEST(without_core_there_is_no_verdict),
        TEST(operators_are_answered),
        TEST(lists_say_where_they_go_on),
        TEST(gate_is_told_on_link_and_on_change),
        TEST(P05_what_cannot_be_ends_the_peer),
        TEST(what_was_answered_is_there_after_a_restart),
        TEST(drain_saves_and_ends),
        TEST(a_key_of_another_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
