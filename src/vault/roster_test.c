// SPDX-License-Identifier: Apache-2.0
/* vault/roster_test.c - the image in memory: who belongs to whom, what settings mean, how each is
 * found and forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vault/roster.h"

static const uint8_t one_hash[SECRET_HASH_BYTES] = { 1 }, two_hash[SECRET_HASH_BYTES] = { 2 };

static int set_up(void **state)
{
    struct roster *r = NEW(struct roster);

    roster_init(r);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    roster_done(*state);
    free(*state);
    return 0;
}

static struct account *add_account(struct roster *r, uint64_t id, uint64_t parent,
                                   const char *settings)
{
    char name[16];

    (void)snprintf(name, sizeof name, "account-%u", (unsigned)id);
    return roster_add_account(
        r, &(struct account_row){
               .id = id, .parent = parent, .name = str_of(name), .settings = str_of(settings) });
}

static struct credential *add_credential(struct roster *r, uint64_t id, const char *user,
                                         const uint8_t *hash, const char *settings)
{
    return roster_add_credential(r, &(struct credential_row){ .id = id,
                                                              .account = 1,
                                                              .user = str_of(user),
                                                              .hash = hash,
                                                              .settings = str_of(settings) });
}

static const struct name_case {
    const char *name;
    bool ok;
} name_cases[] = {
    { "shop", true },
    { "ann@example.org", true },
    { "a", true },
    { "-_.@", true },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
    { "", false },
    { "a b", false },
    { "a/b", false },
    { "a\nb", false },
    { "a=b", false },
    { "a\"b", false },
    { "\xc3\xa4", false },
};

static void names_are_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(name_cases); i++)
        if (roster_name_ok(str_of(name_cases[i].name)) != name_cases[i].ok)
            fail_msg("\"%s\"", name_cases[i].name);
    assert_false(roster_name_ok(str_make("a\0b", 3)));
}

/* The state of an account below one of state `above`, below one that is `top`. */
static const struct state_case {
    const char *top, *above, *own;
    enum account_state want;
} state_cases[] = {
    { "active", "active", "active", ACCOUNT_ACTIVE },
    { "active", "active", "sandbox", ACCOUNT_SANDBOX },
    { "active", "active", "suspended", ACCOUNT_SUSPENDED },
    { "active", "sandbox", "active", ACCOUNT_SANDBOX },
    { "active", "sandbox", "suspended", ACCOUNT_SUSPENDED },
    { "active", "suspended", "active", ACCOUNT_SUSPENDED },
    { "active", "suspended", "sandbox", ACCOUNT_SUSPENDED },
    { "sandbox", "active", "active", ACCOUNT_SANDBOX },
    { "sandbox", "suspended", "active", ACCOUNT_SUSPENDED },
    { "suspended", "active", "active", ACCOUNT_SUSPENDED },
    { "suspended", "sandbox", "sandbox", ACCOUNT_SUSPENDED },
};

static void R113_the_worst_state_above_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(state_cases); i++) {
        const struct state_case *c = &state_cases[i];
        const char *const words[] = { c->top, c->above, c->own };
        struct account *a = NULL;
        struct roster r;
        roster_init(&r);
        for (uint64_t n = 0; n < ARRAY_LEN(words); n++) {
            char settings[32];
            (void)snprintf(settings, sizeof settings, "state=%s\n", words[n]);
            a = add_account(&r, n + 1, n, settings);
        }
        if (account_state_of(a) != c->want)
            fail_msg("%s %s %s: %d", c->top, c->above, c->own, (int)account_state_of(a));
        assert_int_equal(a->depth, 2);
        roster_done(&r);
    }
}

static void R96_an_end_counts_as_suspended(void **state)
{
    struct roster *r = *state;
    struct account *host = add_account(r, 1, 0, "state=active\n");
    struct account *shop = add_account(r, 2, 1, "state=active\n");

    host->ended = true;
    assert_int_equal(account_own_state(host), ACCOUNT_SUSPENDED);
    assert_int_equal(account_own_state(shop), ACCOUNT_ACTIVE);
    assert_int_equal(account_state_of(shop), ACCOUNT_SUSPENDED);
}

static void accounts_know_what_is_theirs(void **state)
{
    struct roster *r = *state;
    struct account *host = add_account(r, 1, 0, "");
    struct account *shop = add_account(r, 2, 1, "");
    char id[ACCOUNT_ID_TEXT_MAX];

    assert_int_equal(host->children, 1);
    assert_ptr_equal(roster_account(r, STR("account-2")), shop);
    assert_ptr_equal(roster_account_of_id(r, 2), shop);
    assert_null(roster_account(r, STR("Account-2")));
    assert_string_equal(account_id_text(shop, id), "a2");
    struct credential *c = add_credential(r, 1, "till", one_hash, "");
    assert_int_equal(host->credentials, 1);
    roster_remove_credential(r, c);
    assert_int_equal(host->credentials, 0);
    assert_null(roster_credential(r, STR("till")));
    roster_remove_account(r, shop);
    assert_int_equal(host->children, 0);
    assert_null(roster_account_of_id(r, 2));
}

static void R48_the_default_stream_is_found_when_it_comes(void **state)
{
    struct roster *r = *state;
    struct account *a = add_account(r, 1, 0, "default_stream=news\n");

    assert_null(a->default_stream);
    struct stream *other =
        roster_add_stream(r, &(struct stream_row){ .id = 1, .account = 1, .name = STR("other") });
    assert_null(a->default_stream);
    struct stream *news =
        roster_add_stream(r, &(struct stream_row){ .id = 2, .account = 1, .name = STR("news") });
    assert_ptr_equal(a->default_stream, news);
    assert_ptr_equal(roster_stream(a, STR("other")), other);
    assert_ptr_equal(idmap_find(&r->streams_by_id, 1), other);
    roster_set_account(r, a, STR("default_stream=other\n"));
    assert_ptr_equal(a->default_stream, other);
    roster_remove_stream(r, other);
    assert_null(a->default_stream);
    roster_remove_account(r, a); /* and what is left of its streams */
    assert_null(idmap_find(&r->streams_by_id, 2));
}

static void settings_may_be_given_back_to_themselves(void **state)
{
    struct roster *r = *state;
    struct account *a = add_account(r, 1, 0, "state=active\nnote=gold\n");

    roster_set_account(r, a, a->settings);
    assert_true(str_eq(a->settings, STR("state=active\nnote=gold\n")));
    assert_true(str_eq(a->note, STR("gold")));
}

static void people_keep_their_password(void **state)
{
    struct roster *r = *state;

    add_account(r, 1, 0, "");
    struct user *u = roster_add_user(r, &(struct user_row){ .id = 1,
                                                            .account = 1,
                                                            .name = STR("ann"),
                                                            .password = STR("$one"),
                                                            .settings = STR("role=analyst\n") });
    assert_int_equal(u->role, USER_ANALYST);
    roster_set_user(r, u, STR("role=marketer\nstate=suspended\nsubmits=true\n"));
    assert_int_equal(u->role, USER_MARKETER);
    assert_true(u->suspended && u->submits);
    assert_true(str_eq(u->password, STR("$one")));
    roster_set_password(r, u, STR("$two"));
    assert_true(str_eq(u->password, STR("$two")));
    assert_true(str_eq(u->settings, STR("role=marketer\nstate=suspended\nsubmits=true\n")));
    assert_ptr_equal(roster_user(r, STR("ann")), u);
    assert_int_equal(u->account->users, 1);
    roster_remove_user(r, u);
    assert_null(roster_user(r, STR("ann")));
    assert_int_equal(roster_account_of_id(r, 1)->users, 0);
}

static void A08_networks_of_a_credential_are_read(void **state)
{
    struct roster *r = *state;
    struct ip ip;

    add_account(r, 1, 0, "");
    struct credential *c = add_credential(r, 1, "till", one_hash,
                                          "kind=api\nnetworks=192.0.2.0/24,2001:db8::/32\n"
                                          "expires=2027-01-31T12:00:00.000Z\nnormalize=true\n"
                                          "scopes=sends.send\n");
    assert_int_equal(c->kind, CREDENTIAL_API);
    assert_int_equal(c->network_count, 2);
    assert_true(ip_parse(STR("::ffff:192.0.2.7"), &ip, NULL));
    assert_true(ip_net_has(&c->networks[0], &ip));
    assert_int_equal(c->expires_wall_ms, 1801396800000);
    assert_true(c->normalize);
    assert_true(str_eq(c->scopes, STR("sends.send")));
    roster_set_credential(r, c, STR("kind=api\n"));
    assert_int_equal(c->network_count, 0);
    assert_int_equal(c->expires_wall_ms, 0);
}

static void certificates_are_found_by_what_they_are(void **state)
{
    struct roster *r = *state;

    add_account(r, 1, 0, "");
    struct credential *c = add_credential(r, 1, "gate", one_hash, "kind=cert\n");
    (void)add_credential(r, 2, "till", two_hash, ""); /* a secret's hash is no certificate */
    assert_ptr_equal(roster_certificate(r, one_hash), c);
    assert_null(roster_certificate(r, two_hash));
    roster_set_secret(r, c, &(struct credential_row){ .hash = two_hash });
    assert_null(roster_certificate(r, one_hash));
    assert_ptr_equal(roster_certificate(r, two_hash), c);
    roster_remove_credential(r, c);
    assert_null(roster_certificate(r, two_hash));
}

static void T10_tenants_are_found_by_upstream_and_value(void **state)
{
    struct roster *r = *state;

    add_account(r, 1, 0, "");
    struct credential *c =
        add_credential(r, 1, "t1", one_hash, "kind=tenant\nupstream=panel\nvalue=joe\n");
    assert_ptr_equal(roster_tenant(r, STR("panel"), STR("joe")), c);
    assert_null(roster_tenant(r, STR("panel"), STR("jo")));
    assert_null(roster_tenant(r, STR("pane"), STR("ljoe")));
    assert_null(roster_tenant(r, STR("other"), STR("joe")));
    roster_set_credential(r, c, STR("kind=tenant\nupstream=panel\nvalue=joe\nnote=x\n"));
    assert_ptr_equal(roster_tenant(r, STR("panel"), STR("joe")), c);
    roster_remove_credential(r, c);
    assert_null(roster_tenant(r, STR("panel"), STR("joe")));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_plain),
        TEST(R113_the_worst_state_above_counts),
        TEST(R96_an_end_counts_as_suspended),
        TEST(accounts_know_what_is_theirs),
        TEST(R48_the_default_stream_is_found_when_it_comes),
        TEST(settings_may_be_given_back_to_themselves),
        TEST(people_keep_their_password),
        TEST(A08_networks_of_a_credential_are_read),
        TEST(certificates_are_found_by_what_they_are),
        TEST(T10_tenants_are_found_by_upstream_and_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
