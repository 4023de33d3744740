// SPDX-License-Identifier: Apache-2.0
/* vault/keybox_test.c - what is sealed opens in its place and nowhere else (Y12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vault/keybox.h"
#include "vault/secret.h"

static const uint8_t secret[KEYBOX_SECRET_BYTES] = { 1, 2, 3 };
static const uint8_t other_secret[KEYBOX_SECRET_BYTES] = { 1, 2, 4 };
static const struct keybox_place place = { 7, STR("b1r") };

static bool opens(const struct keybox *box, const struct keybox_place *at, struct str sealed)
{
    struct buf plain;
    struct err err = { 0 };

    buf_init(&plain, 1000);
    bool ok = keybox_unseal(box, at, sealed, &plain, &err);
    assert_true(!ok || str_eq(buf_str(&plain), STR("a private key")));
    assert_true(ok || err.kind == ERR_DAMAGED);
    buf_done(&plain);
    return ok;
}

static void sealed_opens_in_its_place_Y12(void **state)
{
    struct keybox *box = keybox_new(), *another = keybox_new();
    struct buf sealed;

    (void)state;
    buf_init(&sealed, 1000);
    keybox_seal(box, &place, STR("a private key"), &sealed);
    assert_true(opens(box, &place, buf_str(&sealed)));
    assert_false(opens(another, &place, buf_str(&sealed)));
    assert_false(opens(box, &(struct keybox_place){ 8, STR("b1r") }, buf_str(&sealed)));
    assert_false(opens(box, &(struct keybox_place){ 7, STR("b1e") }, buf_str(&sealed)));
    assert_true(str_find(buf_str(&sealed), STR("private")) == sealed.len);
    buf_done(&sealed);
    keybox_free(box);
    keybox_free(another);
}

static void any_flipped_bit_is_refused_Y12(void **state)
{
    struct keybox *box = keybox_new();
    struct buf sealed;

    (void)state;
    buf_init(&sealed, 1000);
    keybox_seal(box, &place, STR("a private key"), &sealed);
    for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
        sealed.ptr[bit / 8] ^= (char)(1 << (bit % 8));
        assert_false(opens(box, &place, buf_str(&sealed)));
        sealed.ptr[bit / 8] ^= (char)(1 << (bit % 8));
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_false(opens(box, &place, str_sub(buf_str(&sealed), 0, len)));
    assert_true(opens(box, &place, buf_str(&sealed)));
    buf_done(&sealed);
    keybox_free(box);
}

static void wrapped_opens_with_its_secret_Y12(void **state)
{
    struct keybox *box = keybox_new(), *again;
    struct buf wrapped, sealed;
    struct err err;

    (void)state;
    buf_init(&wrapped, KEYBOX_WRAPPED_BYTES);
    buf_init(&sealed, 1000);
    keybox_seal(box, &place, STR("a private key"), &sealed);
    keybox_wrap(box, secret, &wrapped);
    keybox_free(box);
    assert_true(buf_ok(&wrapped));
    assert_false(keybox_open(other_secret, buf_str(&wrapped), &again, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_false(keybox_open(secret, str_sub(buf_str(&wrapped), 0, wrapped.len - 1), &again, &err));
    for (size_t i = 0; i < wrapped.len; i++) {
        wrapped.ptr[i] ^= 0x10;
        assert_false(keybox_open(secret, buf_str(&wrapped), &again, &err));
        wrapped.ptr[i] ^= 0x10;
    }
    assert_true(keybox_open(secret, buf_str(&wrapped), &again, &err));
    assert_true(opens(again, &place, buf_str(&sealed)));
    keybox_free(again);
    buf_done(&wrapped);
    buf_done(&sealed);
}

static void the_secret_is_exchanged_Y12(void **state)
{
    struct keybox *box = keybox_new(), *again;
    struct buf before, after, sealed;
    struct err err;

    (void)state;
    buf_init(&before, KEYBOX_WRAPPED_BYTES);
    buf_init(&after, KEYBOX_WRAPPED_BYTES);
    buf_init(&sealed, 1000);
    keybox_seal(box, &place, STR("a private key"), &sealed);
    keybox_wrap(box, secret, &before);
    keybox_free(box);
    assert_false(keybox_rewrap(other_secret, secret, buf_str(&before), &after, &err));
    assert_true(keybox_rewrap(secret, other_secret, buf_str(&before), &after, &err));
    assert_false(keybox_open(secret, buf_str(&after), &again, &err));
    assert_true(keybox_open(other_secret, buf_str(&after), &again, &err));
    assert_true(opens(again, &place, buf_str(&sealed)));
    keybox_free(again);
    buf_done(&before);
    buf_done(&after);
    buf_done(&sealed);
}

static int set_up(void **state)
{
    struct err err;

    (void)state;
    return secret_init(&err) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_opens_in_its_place_Y12),
        cmocka_unit_test(any_flipped_bit_is_refused_Y12),
        cmocka_unit_test(wrapped_opens_with_its_secret_Y12),
        cmocka_unit_test(the_secret_is_exchanged_Y12),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
