// SPDX-License-Identifier: Apache-2.0
/* spool/event_test.c - events: written, read back, refused when changed (C12), handled unread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spool/codec.h"
#include "spool/event.h"
#include "spool/event_bytes.h"

static const struct event delivered = {
    .position = 0x100001000,
    .kind = EVENT_DELIVERED,
    .message = 42,
    .account = 3,
    .dsn = 43,
    .wall_ms = 1,
    .accepted_wall_ms = 2,
    .due_wall_ms = 3,
    .size_bytes = 4,
    .rcpt = 5,
    .tries = 6,
    .reverse_path = STR("a@b"),
    .address = STR("c@d"),
    .destination = STR("d"),
    .source = STR("192.0.2.1"),
    .actor = STR("root"),
    .reason = STR("why"),
    .outcome = { .kind = OUTCOME_DELIVERED,
                 .scope = SCOPE_RECIPIENT,
                 .reply = { .code = 250, .status = { 2, 1, 5 }, .text = STR("ok") },
                 .host = STR("mx.d"),
                 .tls = true,
                 .waited_ms = 9,
                 .dialogue_ms = 10,
                 .ip = { .family = 4, .bytes = { 192, 0, 2, 9 } } },
};
static const struct event accepted = { .kind = EVENT_ACCEPTED,
                                       .client = STR("192.0.2.7"),
                                       .helo = STR("h"),
                                       .login = STR("l"),
                                       .rcpt_count = 2 };

static void assert_str(struct str a, struct str b)
{
    assert_true(str_eq(a, b));
}

static void assert_same(const struct event *a, const struct event *b)
{
    assert_true(a->position == b->position && a->kind == b->kind && a->message == b->message);
    assert_true(a->account == b->account && a->dsn == b->dsn && a->wall_ms == b->wall_ms);
    assert_true(a->accepted_wall_ms == b->accepted_wall_ms && a->due_wall_ms == b->due_wall_ms);
    assert_true(a->size_bytes == b->size_bytes && a->rcpt == b->rcpt && a->tries == b->tries);
    assert_int_equal(a->rcpt_count, b->rcpt_count);
    assert_str(a->reverse_path, b->reverse_path);
    assert_str(a->address, b->address);
    assert_str(a->destination, b->destination);
    assert_str(a->source, b->source);
    assert_str(a->client, b->client);
    assert_str(a->helo, b->helo);
    assert_str(a->login, b->login);
    assert_str(a->actor, b->actor);
    assert_str(a->reason, b->reason);
    assert_str(a->outcome.host, b->outcome.host);
    assert_str(a->outcome.reply.text, b->outcome.reply.text);
    assert_int_equal(a->outcome.reply.code, b->outcome.reply.code);
    assert_int_equal(a->outcome.reply.status.detail, b->outcome.reply.status.detail);
    assert_int_equal(a->outcome.tls, b->outcome.tls);
    assert_int_equal(a->outcome.dialogue_ms, b->outcome.dialogue_ms);
}

static void test_two_in_a_row(void **state)
{
    struct buf bytes;
    struct event back;
    struct str rest;

    (void)state;
    buf_init(&bytes, 4096);
    assert_true(event_write(&bytes, &delivered) && event_write(&bytes, &accepted));
    rest = buf_str(&bytes);
    assert_true(event_read(&rest, &back, NULL));
    assert_same(&delivered, &back);
    assert_true(event_read(&rest, &back, NULL));
    assert_same(&accepted, &back);
    assert_int_equal(rest.len, 0);
    assert_false(event_read(&rest, &back, NULL));
    buf_done(&bytes);
}

static void test_placed_unread(void **state)
{
    struct buf bytes;
    struct event back;
    struct str rest;

    (void)state;
    buf_init(&bytes, 4096);
    assert_true(event_write(&bytes, &accepted));
    assert_int_equal(event_bytes_len(buf_str(&bytes)), bytes.len);
    assert_int_equal(event_bytes_len(str_make(bytes.ptr, bytes.len - 1)), 0);
    event_bytes_place(bytes.ptr, 77);
    rest = buf_str(&bytes);
    assert_true(event_read(&rest, &back, NULL));
    assert_int_equal(back.position, 77);
    buf_done(&bytes);
}

static void test_c12_damaged(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = { { 4, 9 }, { 5, 0 }, { 5, 12 }, { 82, 8 }, { 83, 5 }, { 84, 2 }, { 0, 20 } };
    struct buf bytes;
    struct event back;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str in;

        buf_init(&bytes, 4096);
        assert_true(event_write(&bytes, &delivered));
        bytes.ptr[rows[i].at] = (char)rows[i].value;
        in = buf_str(&bytes);
        assert_false(event_read(&in, &back, &err));
        assert_int_equal(err.kind, ERR_DAMAGED);
        assert_int_equal(in.len, bytes.len);
        buf_done(&bytes);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(event_kind_name(EVENT_DELIVERED), "email.delivered");
    assert_string_equal(event_kind_name(EVENT_DELAY_WARNED), "email.delay_warned");
    assert_string_equal(event_kind_name((enum event_kind)99), "email.unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_in_a_row),
        cmocka_unit_test(test_placed_unread),
        cmocka_unit_test(test_c12_damaged),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
