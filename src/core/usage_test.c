// SPDX-License-Identifier: Apache-2.0
/* core/usage_test.c - quotas as clients and operators meet them: refused and warned at the end of
 * data, listed, and still known after a restart (R96, A10). */
#include "core/stage.h"
#include "guard/people.h"
#include "guard/quota.h"

enum { SHOP = 80, RESELLER = 81, NEWS = 90, LIMIT = 3 };

#define AT(w, m) ((w)*QUOTA_MEASURES + (m))

/* The month's: no other window is sure to last as long as a test. */
static void tell(struct stage *s, uint32_t soft_percent)
{
    const struct person shop = { .id = SHOP,
                                 .parent = RESELLER,
                                 .name = "shop",
                                 .mode = POLICY_OBSERVE,
                                 .default_stream = NEWS };
    const struct person reseller = { .id = RESELLER, .name = "reseller" };
    struct frame *above = people_account(&reseller), *below = people_account(&shop);

    ((struct wire_directory_account *)(void *)above)->limits[AT(QUOTA_MONTH, QUOTA_MESSAGES)] =
        LIMIT;
    ((struct wire_directory_account *)(void *)above)->soft_percent = soft_percent;
    stage_tell(s, above);
    stage_tell(s, below);
    stage_tell(s, people_stream(NEWS, SHOP, STREAM_MARKETING, "news", "", ""));
}

static struct stage *raise_with(uint32_t soft_percent)
{
    struct stage *s = stage_raise("");

    tell(s, soft_percent);
    stage_open(s, SHOP);
    return s;
}

static const struct letter plain = { .from = "shop@sender.example" };

static void many_at_once_take_exactly_the_limit_A10(void **state)
{
    struct stage *s = raise_with(0);
    struct str text;
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < 3 * LIMIT; i++)
        (void)stage_send(s, &plain);
    for (size_t i = 0; i < 3 * LIMIT; i++) {
        const struct wire_tx_answer *a = player_next(&s->accept, WIRE_TX_ANSWER);

        text = wire_get(a, a->text);
        taken += a->code == 250;
        if (a->code != 250 && (a->code != 550 || !str_has(text, "[QUOTA-MONTH] account reseller")))
            fail_msg("%u %.*s", a->code, STR_FMT(text));
    }
    assert_int_equal(taken, LIMIT);
    stage_end(s);
}

static void a_restart_forgets_nothing_A10(void **state)
{
    struct stage *s = raise_with(0);
    struct str text;

    (void)state;
    for (size_t i = 0; i < LIMIT; i++) {
        (void)stage_accept(s, &plain);
        stage_restart_core(s);
        stage_link_all(s);
        stage_gate(s, true);
        tell(s, 0);
        stage_open(s, SHOP);
    }
    assert_int_equal(stage_answer(s, stage_send(s, &plain), &text, NULL), 550);
    assert_true(str_has(text, "may send 3 messages a month"));
    stage_end(s);
}

static void the_soft_limit_is_told_in_the_250_R96(void **state)
{
    struct stage *s = raise_with(60);
    struct str text;

    (void)state;
    for (size_t i = 1; i <= LIMIT; i++) {
        assert_int_equal(stage_answer(s, stage_send(s, &plain), &text, NULL), 250);
        assert_int_equal(str_has(text, "[QUOTA-SOFT] account reseller has used 2 of 3"), i == 2);
    }
    stage_end(s);
}

/* Messages, recipients and bytes of four windows, for shop, its stream and the reseller. */
static void usage_is_listed_R96(void **state)
{
    struct stage *s = raise_with(0);
    size_t rows;

    (void)state;
    assert_int_equal(stage_admin(s, ADMIN_USAGE_LIST, 0, 0, "", &rows), 200);
    assert_int_equal(rows, 1); /* the limit alone */
    assert_true(str_has(s->row, "\"used\":0,\"limit\":3"));
    (void)stage_accept(s, &plain);
    assert_int_equal(stage_admin(s, ADMIN_USAGE_LIST, SHOP, 0, "", &rows), 200);
    assert_int_equal(rows, 12); /* those behind SHOP: the reseller */
    assert_true(str_has(s->row, "\"account\":\"reseller\",\"stream\":\"\",\"window\":\"month\""));
    assert_int_equal(stage_admin(s, ADMIN_USAGE_LIST, 0, 0, "", &rows), 200);
    assert_int_equal(rows, 36);
    stage_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once_take_exactly_the_limit_A10),
        cmocka_unit_test(a_restart_forgets_nothing_A10),
        cmocka_unit_test(the_soft_limit_is_told_in_the_250_R96),
        cmocka_unit_test(usage_is_listed_R96),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
