// SPDX-License-Identifier: Apache-2.0
/* vault/keys_test.c - signing keys made, published, rotated, lost and retired, over the whole role.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vault/domains_own.h"
#include "vault/zone_test.h"

#define HOUR_MS (3600 * 1000)
#define DAY_MS ((int64_t)24 * HOUR_MS)
#define FIRST "b1e._domainkey.example.com"
#define SECOND "b2e._domainkey.example.com"
#define ANOTHER "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

/* office (a1) has example.com, by an operator's word. */
static int set_up_with(void **state, const char *settings)
{
    struct zone *z = NEW(struct zone);
    void *w;

    if (world_set_up(&w) != 0)
        return -1;
    zone_init(z, w);
    z->world->config->proof =
        (struct config_proof){ .check_ms = HOUR_MS, .pending_ms = HOUR_MS, .lost_ms = 3 * DAY_MS };
    z->world->config->dkim =
        (struct config_dkim){ .rotate_ms = 180 * DAY_MS, .retire_ms = 14 * DAY_MS };
    ask_for(w, 200,
            (struct ask){ ADMIN_DOMAIN_ADD, .name = "example.com", .account = "office",
                          .settings = settings });
    ask_for(w, 200, (struct ask){ ADMIN_DOMAIN_RECORDS, .name = "example.com" });
    *state = z;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, "method=attested\nalgorithms=ed25519\n");
}

static int set_up_both(void **state)
{
    return set_up_with(state, "method=attested\n");
}

static int tear_down(void **state)
{
    struct zone *z = *state;
    void *w = z->world;

    world_tear_down(&w);
    free(z);
    return 0;
}

static void check(struct zone *z)
{
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_CHECK, .name = "example.com" });
}

static struct grant *the_grant(const struct zone *z)
{
    return grants_named(&z->world->vault->domains->grants, STR("example.com"));
}

static const struct key *key_named(const struct zone *z, const char *selector)
{
    LIST_EACH (&the_grant(z)->keys, struct key, k, link)
        if (str_eq(k->selector, str_of(selector)))
            return k;
    return NULL;
}

static void publish(struct zone *z, const char *selector, const char *server)
{
    const struct key *k = key_named(z, selector);
    char name[100], record[700];

    assert_non_null(k);
    (void)snprintf(name, sizeof name, "%s._domainkey.example.com", selector);
    (void)snprintf(record, sizeof record, "%.*s", STR_FMT(k->record));
    zone_say(z, name, DNS_TXT, server, record);
}

static void expect_key(const struct zone *z, const char *selector, enum key_state state,
                       const char *why)
{
    const struct key *k = key_named(z, selector);

    assert_non_null(k);
    assert_int_equal(k->state, state);
    if (why[0] && !str_has(k->why, why))
        fail_msg("%s: %.*s", selector, STR_FMT(k->why));
}

static void a_key_signs_once_every_server_shows_it_R43_F27(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_key *told;

    check(z);
    expect_key(z, "b1e", KEY_PENDING, "not at ns1");
    publish(z, "b1e", "ns1");
    zone_say(z, FIRST, DNS_TXT, "ns2", "");
    check(z);
    expect_key(z, "b1e", KEY_PENDING, "not at ns2");
    zone_say(z, FIRST, DNS_TXT, "ns2", ANOTHER);
    check(z);
    expect_key(z, "b1e", KEY_PENDING, "another record, or more than one, stands there: not at ns2");
    publish(z, "b1e", "ns2"); /* beside the other one */
    check(z);
    expect_key(z, "b1e", KEY_PENDING, "another record, or more than one");
    zone_fail(z, FIRST, DNS_TXT, "ns2", DNS_SAID_TIMEOUT);
    check(z);
    expect_key(z, "b1e", KEY_PENDING, "no answer from ns2");
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_KEY), 0);

    zone_forget(z, FIRST);
    publish(z, "b1e", "ns1");
    publish(z, "b1e", "ns2");
    check(z);
    expect_key(z, "b1e", KEY_ACTIVE, "");
    told = far_expect(&z->world->core, WIRE_DIRECTORY_KEY);
    assert_true(str_eq(wire_get(told, told->selector), STR("b1e")));
    assert_int_equal(told->algorithm, DKIM_ED25519_SHA256);
    assert_int_equal(told->flags, 0);
    assert_true(log_has(z->world, "key-published"));
}

static void both_kinds_stand_side_by_side_R43(void **state)
{
    struct zone *z = *state;

    assert_int_equal(row_count(z->world) >= 2, 1);
    assert_true(str_has(row(z->world, 1), "b1r._domainkey.example.com"));
    assert_true(str_has(row(z->world, 1), "v=DKIM1; k=rsa; p=MIIB"));
    assert_true(str_has(row(z->world, 2), "b1e._domainkey.example.com"));
    publish(z, "b1r", "ns1");
    check(z);
    expect_key(z, "b1r", KEY_ACTIVE, "");
    expect_key(z, "b1e", KEY_PENDING, "");
}

static void rotated_without_a_gap_F27(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_key *told;

    publish(z, "b1e", "ns1");
    check(z);
    expect_key(z, "b1e", KEY_ACTIVE, "");
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_ROTATE, .name = "example.com" });
    assert_int_equal(row_count(z->world), 1);
    assert_true(str_has(row(z->world, 0), SECOND));
    ask_for(z->world, 409, (struct ask){ ADMIN_DOMAIN_ROTATE, .name = "example.com" });
    check(z);
    expect_key(z, "b1e", KEY_ACTIVE, "");
    expect_key(z, "b2e", KEY_PENDING, "not at ns1");

    far_forget(&z->world->core);
    publish(z, "b2e", "ns1");
    check(z);
    expect_key(z, "b2e", KEY_ACTIVE, "");
    expect_key(z, "b1e", KEY_RETIRING, "");
    /* core has the new one before the old one goes. */
    told = far_nth(&z->world->core, WIRE_DIRECTORY_KEY, 0);
    assert_non_null(told);
    for (size_t i = 0; &z->world->core.frames[i]->type != &told->head.type; i++)
        assert_int_not_equal(z->world->core.frames[i]->type, WIRE_DIRECTORY_GONE);
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_GONE), 1);

    check(z);
    expect_key(z, "b1e", KEY_RETIRING, "");
    z->world->config->dkim.retire_ms = 0;
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_RECORDS, .name = "example.com" });
    assert_true(str_has(row(z->world, 1), "\"need\":\"remove\",\"name\":\"" FIRST));
    check(z);
    expect_key(z, "b1e", KEY_RETIRING, ""); /* its record still stands */
    zone_forget(z, FIRST);
    check(z);
    assert_null(key_named(z, "b1e"));
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_ROTATE, .name = "example.com" });
    assert_non_null(key_named(z, "b3e")); /* no name comes again */
}

static void an_old_key_gets_a_successor_by_itself_F27(void **state)
{
    struct zone *z = *state;

    publish(z, "b1e", "ns1");
    check(z);
    z->world->config->dkim.rotate_ms = 1;
    loop_turn(5);
    check(z);
    for (int turn = 0; turn < 2000 && !key_named(z, "b2e"); turn++)
        loop_turn(10);
    expect_key(z, "b1e", KEY_ACTIVE, "");
    expect_key(z, "b2e", KEY_PENDING, "");
    check(z);
    assert_null(key_named(z, "b3e"));
}

static void a_replaced_record_ends_it_at_once_Y04(void **state)
{
    struct zone *z = *state;

    publish(z, "b1e", "ns1");
    publish(z, "b1e", "ns2");
    check(z);
    far_forget(&z->world->core);
    zone_fail(z, FIRST, DNS_TXT, "ns2", DNS_SAID_RECORDS);
    zone_say(z, FIRST, DNS_TXT, "ns2", ANOTHER);
    check(z);
    expect_key(z, "b1e", KEY_PENDING, "another record");
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_GONE), 1);
    assert_true(log_has(z->world, "event=key-lost"));
    ask_for(z->world, 200, (struct ask){ ADMIN_AUDIT_LIST, .name = FIRST, .limit = 1 });
    assert_true(str_has(row(z->world, 0), "key-lost"));
}

static void a_missing_record_ends_it_after_its_time(void **state)
{
    struct zone *z = *state;

    publish(z, "b1e", "ns1");
    check(z);
    zone_forget(z, FIRST);
    check(z);
    check(z);
    expect_key(z, "b1e", KEY_ACTIVE, "not at ns1");
    zone_fail(z, FIRST, DNS_TXT, "ns1", DNS_SAID_FAILED);
    z->world->config->proof.lost_ms = 0;
    check(z);
    expect_key(z, "b1e", KEY_ACTIVE, "no answer from ns1");
    zone_forget(z, FIRST);
    check(z);
    expect_key(z, "b1e", KEY_PENDING, "not at ns1");
}

static void streams_may_have_keys_of_their_own_R47_R48(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_key *told;

    ask_for(z->world, 200,
            (struct ask){ ADMIN_STREAM_ADD, .name = "news", .account = "office",
                          .settings = "kind=marketing\n" });
    ask_for(z->world, 200,
            (struct ask){ ADMIN_DOMAIN_SET, .name = "example.com", .settings = "streams=news\n" });
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_RECORDS, .name = "example.com" });
    assert_non_null(key_named(z, "b2e"));
    assert_int_not_equal(key_named(z, "b2e")->stream, 0);
    publish(z, "b2e", "ns1");
    check(z);
    expect_key(z, "b1e", KEY_PENDING, "");
    expect_key(z, "b2e", KEY_ACTIVE, "");
    told = far_expect(&z->world->core, WIRE_DIRECTORY_KEY);
    assert_int_equal(told->stream, key_named(z, "b2e")->stream);

    /* It ends with the setting, and then the stream may go. */
    far_forget(&z->world->core);
    ask_for(z->world, 200,
            (struct ask){ ADMIN_DOMAIN_SET, .name = "example.com", .settings = "streams=\n" });
    assert_null(key_named(z, "b2e"));
    assert_non_null(key_named(z, "b1e"));
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_GONE), 1);
    ask_for(z->world, 200,
            (struct ask){ ADMIN_STREAM_REMOVE, .name = "news", .account = "office" });
}

static void the_relays_own_keys_are_told_so(void **state)
{
    struct zone *z = *state;
    const struct wire_directory_key *told;

    publish(z, "b1e", "ns1");
    check(z);
    z->world->config->dkim.also_sign = STR("example.com");
    far_forget(&z->world->core);
    vault_role.reload(z->world->vault, z->world->config, NULL);
    told = far_expect(&z->world->core, WIRE_DIRECTORY_KEY);
    assert_int_equal(told->flags, KEY_RELAY);
    z->world->config->dkim.also_sign = STR("");
    far_forget(&z->world->core);
    vault_role.reload(z->world->vault, z->world->config, NULL);
    told = far_expect(&z->world->core, WIRE_DIRECTORY_KEY);
    assert_int_equal(told->flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_key_signs_once_every_server_shows_it_R43_F27),
        cmocka_unit_test_setup_teardown(both_kinds_stand_side_by_side_R43, set_up_both, tear_down),
        TEST(rotated_without_a_gap_F27),
        TEST(an_old_key_gets_a_successor_by_itself_F27),
        TEST(a_replaced_record_ends_it_at_once_Y04),
        TEST(a_missing_record_ends_it_after_its_time),
        TEST(streams_may_have_keys_of_their_own_R47_R48),
        TEST(the_relays_own_keys_are_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
