// SPDX-License-Identifier: Apache-2.0
/* wire/wire_test.c - frames that fit the table pass, all others end the peer (fault P05). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/loop.h"
#include "wire/wire.h"

static struct wire_auth auth_frame(uint16_t user_at, uint16_t user_len)
{
    return (struct wire_auth){
        .head = { .len = sizeof(struct wire_auth), .type = WIRE_AUTH },
        .session = 7,
        .user = { user_at, user_len },
    };
}

static const struct check_case {
    const char *name;
    enum role_kind from, to;
    uint8_t type, flags;
    int len_change;
    uint16_t user_at, user_len;
    bool want;
} check_cases[] = {
    { "as it should be", ROLE_ACCEPT, ROLE_VAULT, WIRE_AUTH, 0, 8, sizeof(struct wire_auth), 8,
      true },
    { "empty string anywhere", ROLE_ACCEPT, ROLE_VAULT, WIRE_AUTH, 0, 0, 3, 0, true },
    { "string inside the struct", ROLE_ACCEPT, ROLE_VAULT, WIRE_AUTH, 0, 8, 8, 8, false },
    { "string past the end", ROLE_ACCEPT, ROLE_VAULT, WIRE_AUTH, 0, 8, sizeof(struct wire_auth), 9,
      false },
    { "string far past the end", ROLE_ACCEPT, ROLE_VAULT, WIRE_AUTH, 0, 8, 0xffff, 0xffff, false },
    { "struct cut short", ROLE_ACCEPT, ROLE_VAULT, WIRE_AUTH, 0, -8, 0, 0, false },
    { "type zero", ROLE_ACCEPT, ROLE_VAULT, 0, 0, 0, 0, 0, false },
    { "type without a row", ROLE_ACCEPT, ROLE_VAULT, 9, 0, 0, 0, 0, false },
    { "type past the table", ROLE_ACCEPT, ROLE_VAULT, 255, 0, 0, 0, 0, false },
    { "flags", ROLE_ACCEPT, ROLE_VAULT, WIRE_AUTH, 1, 0, 0, 0, false },
    { "a password for core", ROLE_ACCEPT, ROLE_CORE, WIRE_AUTH, 0, 0, 0, 0, false },
    { "deliver speaks for accept", ROLE_DELIVER, ROLE_VAULT, WIRE_AUTH, 0, 0, 0, 0, false },
    { "accept binds its own session", ROLE_ACCEPT, ROLE_CORE, WIRE_SESSION_BIND, 0, 64, 0, 0,
      false },
    { "P05 accept asks core for its facts", ROLE_ACCEPT, ROLE_CORE, WIRE_ROLE_STATUS, 0, 0, 0, 0,
      false },
    { "P05 vault drains core", ROLE_VAULT, ROLE_CORE, WIRE_ROLE_DRAIN, 0, 0, 0, 0, false },
    { "super drains core", ROLE_SUPER, ROLE_CORE, WIRE_ROLE_DRAIN, 0, 0, 0, 0, true },
    { "core has drained", ROLE_CORE, ROLE_SUPER, WIRE_ROLE_DRAINED, 0, 0, 0, 0, true },
    { "web starts a role", ROLE_WEB, ROLE_CORE, WIRE_ROLE_START, 0, 0, 0, 0, false },
};

static void check_holds_frames_against_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(check_cases); i++) {
        const struct check_case *c = &check_cases[i];
        union {
            struct wire_auth auth;
            char bytes[256];
        } u = { .bytes = { 0 } };
        struct err err = { 0 };

        u.auth = auth_frame(c->user_at, c->user_len);
        u.auth.head.type = c->type;
        u.auth.head.flags = c->flags;
        u.auth.head.len = (uint16_t)((int)u.auth.head.len + c->len_change);
        if (wire_check(&u.auth.head, c->from, c->to, &err) != c->want)
            fail_msg("%s: %s", c->name, err.text);
    }
}

static void strings_come_back_as_put(void **state)
{
    (void)state;
    struct channel *a, *b;
    struct err err;

    loop_init();
    channel_pair(0, &a, 0, &b);
    struct wire_tx_rcpt *r = wire_add(a, WIRE_TX_RCPT, 40);
    wire_put(r, &r->address, STR("ann@example.org"));
    wire_put(r, &r->orcpt, STR("rfc822;ann@example.org"));
    assert_true(wire_check(&r->head, ROLE_ACCEPT, ROLE_CORE, &err));
    assert_true(str_eq(wire_get(r, r->address), STR("ann@example.org")));
    assert_true(str_eq(wire_get(r, r->orcpt), STR("rfc822;ann@example.org")));
    assert_int_equal(r->head.len % 8, 0);
    channel_free(a);
    channel_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_holds_frames_against_the_table),
        cmocka_unit_test(strings_come_back_as_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
