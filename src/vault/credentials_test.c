// SPDX-License-Identifier: Apache-2.0
/* vault/credentials_test.c - credentials of every kind: made, listed, changed, rotated, removed.
 * How they sign in is auth_test.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vault/world_test.h"

#define PRINT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PRINT_COLONS \
    "FF:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"
#define ADD(who, what)                                                             \
    {                                                                              \
        .verb = ADMIN_CRED_ADD, .name = who, .account = "office", .settings = what \
    }
#define SET(who, what)                                        \
    {                                                         \
        .verb = ADMIN_CRED_SET, .name = who, .settings = what \
    }

static const struct admin_case cases[] = {
    { "smtp", ADD("a", ""), 200, "\"secret\":\"bt_" },
    { "its kind", { .verb = ADMIN_CRED_LIST }, 200, "\"kind\":\"smtp\"" },
    { "api", ADD("key", "kind=api\nscopes=sends.send,domains.*\n"), 200, "\"secret\":\"bt_live_" },
    { "api without scopes", ADD("key2", "kind=api\n"), 422, "scopes: a credential of kind api" },
    { "an unknown scope", ADD("key2", "kind=api\nscopes=root\n"), 422, "scopes" },
    { "scopes of smtp", ADD("b", "scopes=sends.send\n"), 422, "scopes: a credential of kind smtp" },
    { "fingerprint of smtp", ADD("b", "fingerprint=" PRINT "\n"), 422, "fingerprint" },
    { "an unknown kind", ADD("b", "kind=ticket\n"), 422, "kind" },
    { "networks", ADD("b", "networks=192.0.2.0/24,2001:db8::/32\n"), 200, "\"networks\":[" },
    { "a bad network", ADD("c", "networks=192.0.2.0/33\n"), 422, "networks" },
    { "expires in days", ADD("c", "expires=90d\n"), 200, "\"expired\":false" },
    { "expired from the first", ADD("d", "expires=2020-01-01T00:00:00Z\n"), 200,
      "\"expired\":true" },
    { "a bad date", ADD("e", "expires=tomorrow\n"), 422, "expires" },
    { "an unknown stream", ADD("e", "stream=news\n"), 404, "has no stream news" },
    { "a stream", { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "office" }, 200, "news" },
    { "of that stream", ADD("e", "stream=news\n"), 200, "\"stream\":\"news\"" },
    { "cert", ADD("host", "kind=cert\nfingerprint=" PRINT "\n"), 200, "\"kind\":\"cert\"" },
    { "cert without a fingerprint", ADD("host2", "kind=cert\n"), 422, "fingerprint" },
    { "half a fingerprint", ADD("host2", "kind=cert\nfingerprint=0011\n"), 422, "fingerprint" },
    { "the same certificate", ADD("host2", "kind=cert\nfingerprint=" PRINT "\n"), 409,
      "credential host of account office is the same already" },
    { "another certificate", ADD("host2", "kind=cert\nfingerprint=" PRINT_COLONS "\n"), 200,
      "ff11" },
    { "a certificate taken over", SET("host2", "fingerprint=" PRINT "\n"), 409,
      "the same already" },
    { "a certificate changed to itself", SET("host", "fingerprint=" PRINT "\n"), 200, "host" },
    { "tenant", ADD("t", "kind=tenant\nupstream=panel\nvalue=customer 7\n"), 200, "customer 7" },
    { "tenant without value", ADD("t2", "kind=tenant\nupstream=panel\n"), 422, "value" },
    { "tenant without upstream", ADD("t2", "kind=tenant\nvalue=customer 7\n"), 422, "upstream" },
    { "the same tenant", ADD("t2", "kind=tenant\nupstream=panel\nvalue=customer 7\n"), 409,
      "credential t of account office" },
    { "networks of a tenant",
      ADD("t2", "kind=tenant\nupstream=panel\nvalue=8\nnetworks=192.0.2.0/24\n"), 422, "networks" },
    { "twice", ADD("a", ""), 409, "user a is there already" },
    { "of no account",
      { .verb = ADMIN_CRED_ADD, .name = "z", .account = "none" },
      404,
      "no account none" },
    { "set", SET("a", "networks=10.0.0.0/8\nnote=for the shop\n"), 200, "for the shop" },
    { "set back", SET("a", "networks=\n"), 200, "\"note\":\"for the shop\"" },
    { "another kind", SET("a", "kind=api\n"), 422, "kind" },
    { "set what is not there", SET("none", "note=x\n"), 404, "no user none" },
    { "rotate", { .verb = ADMIN_CRED_ROTATE, .name = "a" }, 200, "\"secret\":\"bt_" },
    { "rotate a key", { .verb = ADMIN_CRED_ROTATE, .name = "key" }, 200, "\"secret\":\"bt_live_" },
    { "rotate a certificate", { .verb = ADMIN_CRED_ROTATE, .name = "host" }, 422, "has no secret" },
    { "rotate what is not there", { .verb = ADMIN_CRED_ROTATE, .name = "none" }, 404, "no user" },
    { "remove", { .verb = ADMIN_CRED_REMOVE, .name = "host" }, 200, "" },
    { "its certificate is free again", SET("host2", "fingerprint=" PRINT "\n"), 200, PRINT },
};

static void R16_credentials_of_every_kind(void **state)
{
    admin_cases_run(*state, cases, ARRAY_LEN(cases));
}

static void a_dry_run_changes_nothing(void **state)
{
    struct world *w = *state;

    ask_for(w, 200, (struct ask)ADD("a", ""));
    const struct credential *c = roster_credential(&w->vault->roster, STR("a"));
    uint8_t hash[SECRET_HASH_BYTES];
    memcpy(hash, c->hash, sizeof hash);

    struct ask add = ADD("b", ""), set = SET("a", "note=x\n");
    struct ask rotate = { .verb = ADMIN_CRED_ROTATE, .name = "a", .flags = ADMIN_DRY_RUN };
    struct ask remove = { .verb = ADMIN_CRED_REMOVE, .name = "a", .flags = ADMIN_DRY_RUN };
    add.flags = set.flags = ADMIN_DRY_RUN;
    ask_for(w, 200, add);
    assert_false(str_has(row(w, 0), "secret"));
    ask_for(w, 200, set);
    assert_true(str_has(row(w, 0), "\"note\":\"x\""));
    ask_for(w, 200, rotate);
    assert_false(str_has(row(w, 0), "secret"));
    ask_for(w, 200, remove);
    c = roster_credential(&w->vault->roster, STR("a"));
    assert_non_null(c);
    assert_int_equal(c->settings.len, 0);
    assert_memory_equal(c->hash, hash, sizeof hash);
    assert_null(roster_credential(&w->vault->roster, STR("b")));
}

static void T10_core_is_told_of_tenants(void **state)
{
    struct world *w = *state;

    ask_for(w, 200, (struct ask)ADD("t", "kind=tenant\nupstream=panel\nvalue=7\n"));
    const struct wire_directory_tenant *t = far_expect(&w->core, WIRE_DIRECTORY_TENANT);
    assert_int_equal(t->account, 1);
    assert_true(str_eq(wire_get(t, t->upstream), STR("panel")));
    assert_true(str_eq(wire_get(t, t->value), STR("7")));
    uint64_t id = t->id;
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "t" });
    const struct wire_directory_gone *gone = far_expect(&w->core, WIRE_DIRECTORY_GONE);
    assert_int_equal(gone->noun, DIRECTORY_TENANT);
    assert_int_equal(gone->id, id);
}

static void R69_who_made_and_changed_it_is_audited(void **state)
{
    struct world *w = *state;

    ask_for(w, 200, (struct ask)ADD("a", "note=x\n"));
    char secret[SECRET_TEXT_LEN + 1];
    size_t at = str_find(row(w, 0), STR("bt_"));
    memcpy(secret, row(w, 0).ptr + at, SECRET_TEXT_LEN);
    secret[SECRET_TEXT_LEN] = '\0';
    ask_for(w, 200, (struct ask)SET("a", "note=y\n"));
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ROTATE, .name = "a" });
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "a" });
    static const char *const verbs[] = { "credential-removed", "credential-rotated",
                                         "credential-changed", "credential-added" };
    ask_for(w, 200, (struct ask){ .verb = ADMIN_AUDIT_LIST, .name = "a" });
    assert_int_equal(row_count(w), ARRAY_LEN(verbs));
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        assert_true(str_has(row(w, i), verbs[i]));
        assert_true(str_has(row(w, i), "\"actor\":\"root\""));
        assert_false(str_has(row(w, i), secret)); /* A06 */
    }
    assert_false(log_has(w, secret));
}

static void what_was_made_is_there_after_a_restart(void **state)
{
    struct world *w = *state;
    char folder[] = "/tmp/vault-XXXXXX", command[64];

    assert_non_null(mkdtemp(folder));
    world_stop(w);
    w->state_folder = str_of(folder);
    world_start(w);
    ask_for(w, 200, (struct ask)ADD("a", "networks=10.0.0.0/8\n"));
    ask_for(w, 200, (struct ask)ADD("host", "kind=cert\nfingerprint=" PRINT "\n"));
    struct scram_verifier before = roster_credential(&w->vault->roster, STR("a"))->scram;
    world_stop(w);
    world_start(w);
    const struct credential *c = roster_credential(&w->vault->roster, STR("a"));
    assert_int_equal(c->network_count, 1);
    assert_int_equal(c->scram.iterations, SCRAM_ITERATIONS);
    assert_memory_equal(c->scram.stored_key, before.stored_key, sizeof before.stored_key);
    uint8_t sha256[SECRET_HASH_BYTES];
    secret_fingerprint(STR(PRINT), sha256);
    assert_non_null(roster_certificate(&w->vault->roster, sha256));
    world_stop(w);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    w->state_folder = STR("");
    world_start(w);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R16_credentials_of_every_kind),
        TEST(a_dry_run_changes_nothing),
        TEST(T10_core_is_told_of_tenants),
        TEST(R69_who_made_and_changed_it_is_audited),
        TEST(what_was_made_is_there_after_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
