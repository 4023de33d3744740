// SPDX-License-Identifier: Apache-2.0
/* vault/tell_test.c - what core is told, when it is linked and when something changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vault/world_test.h"

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

    make_account(
        w, "host", "",
        "state=active\nforward=true\nforward_domain=fwd.example\nrewrite_from=form@host.example\n"
        "soft_percent=75\nlimit.minute.messages=1\nlimit.day.bytes=9");
    make_account(w, "shop", "host", "quota_451=true\nnull_sender=false\nshares_domains=true");
    make_stream(w, "host", "news", "");
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

    set_account(w, "office", "limit.day.messages=5");
    w->log.len = 0;
    far_forget(&w->core);
    set_account(w, "office", "limit.day.messages=5\nstate=active");
    ask_for(w, 200, (struct ask){ .verb = ADMIN_LIVE_OPEN });
    (void)far_expect(&w->core, WIRE_GATE);
    assert_int_equal(w->core.count, 1);
    assert_false(log_has(w, "account-changed"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_directory_is_whole_at_the_link),
        TEST(the_key_of_srs_is_derived),
        TEST(what_changes_nothing_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
