// SPDX-License-Identifier: Apache-2.0
/* spool/envelope_test.c - what is written is read back; what was changed on disk is refused (C12).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spool/envelope.h"

static struct envelope_rcpt rcpts[] = {
    { .address = STR("ann@example.org"), .orcpt = STR("rfc822;ann@example.org"), .notify = 4 },
    { .address = STR("\xc3\xa9@example.net") },
};
static struct header_edit edits[] = {
    { .kind = EDIT_INSERT, .text = STR("Received: from x\r\n") },
    { .kind = EDIT_INSERT_ID },
    { .kind = EDIT_DELETE, .offset = 17, .len = 40 },
};

static const struct envelope whole = {
    .account = 7,
    .credential = 9,
    .flags = ENVELOPE_8BIT,
    .body = BODY_8BITMIME,
    .ret = RET_HDRS,
    .header_bytes = 300,
    .size_bytes = UINT64_C(1) << 40,
    .accepted_wall_ms = -1,
    .reverse_path = STR("bob@example.com"),
    .envid = STR("e1"),
    .client = { .family = 4, .bytes = { 192, 0, 2, 1 } },
    .helo = STR("mx"),
    .login = STR("bob"),
    .stream = 11,
    .sign_domain = STR("example.com"),
    .body_hash = STR("0123456789abcdef0123456789abcdef"),
    .edits = edits,
    .edit_count = ARRAY_LEN(edits),
    .rcpts = rcpts,
    .rcpt_count = ARRAY_LEN(rcpts),
};
static const struct envelope smallest = { .rcpts = rcpts + 1, .rcpt_count = 1 };

static void assert_str(struct str a, struct str b)
{
    assert_true(str_eq(a, b));
}

static void assert_same(const struct envelope *a, const struct envelope *b)
{
    assert_true(a->account == b->account && a->credential == b->credential && a->flags == b->flags);
    assert_true(a->body == b->body && a->ret == b->ret && a->header_bytes == b->header_bytes);
    assert_true(a->size_bytes == b->size_bytes && a->accepted_wall_ms == b->accepted_wall_ms);
    assert_memory_equal(&a->client, &b->client, sizeof(a->client));
    assert_str(a->reverse_path, b->reverse_path);
    assert_str(a->envid, b->envid);
    assert_str(a->helo, b->helo);
    assert_str(a->login, b->login);
    assert_true(a->stream == b->stream);
    assert_str(a->sign_domain, b->sign_domain);
    assert_str(a->body_hash, b->body_hash);
    assert_int_equal(a->edit_count, b->edit_count);
    for (size_t i = 0; i < a->edit_count; i++) {
        assert_int_equal(a->edits[i].kind, b->edits[i].kind);
        assert_int_equal(a->edits[i].offset, b->edits[i].offset);
        assert_int_equal(a->edits[i].len, b->edits[i].len);
        assert_str(a->edits[i].text, b->edits[i].text);
    }
    assert_int_equal(a->rcpt_count, b->rcpt_count);
    for (size_t i = 0; i < a->rcpt_count; i++) {
        assert_str(a->rcpts[i].address, b->rcpts[i].address);
        assert_str(a->rcpts[i].orcpt, b->rcpts[i].orcpt);
        assert_int_equal(a->rcpts[i].notify, b->rcpts[i].notify);
    }
}

static void round_trip(const struct envelope *e)
{
    struct arena arena;
    struct buf bytes;
    struct envelope back;

    arena_init(&arena, 1024);
    buf_init(&bytes, ENVELOPE_BYTES_MAX);
    assert_true(envelope_write(&bytes, e));
    assert_true(envelope_read(buf_str(&bytes), &arena, &back, NULL));
    assert_same(e, &back);
    buf_done(&bytes);
    arena_done(&arena);
}

static void test_round_trip(void **state)
{
    (void)state;
    round_trip(&whole);
    round_trip(&smallest);
}

/* C12: every shorter form, and one byte more, is refused. */
static void test_c12_other_lengths(void **state)
{
    struct arena arena;
    struct buf bytes;
    struct envelope back;
    struct err err;

    (void)state;
    arena_init(&arena, 1024);
    buf_init(&bytes, ENVELOPE_BYTES_MAX);
    assert_true(envelope_write(&bytes, &whole));
    for (size_t len = 0; len < bytes.len; len++) {
        assert_false(envelope_read(str_make(bytes.ptr, len), &arena, &back, &err));
        assert_int_equal(err.kind, ERR_DAMAGED);
    }
    assert_true(buf_add_char(&bytes, 0));
    assert_false(envelope_read(buf_str(&bytes), &arena, &back, &err));
    buf_done(&bytes);
    arena_done(&arena);
}

static const struct damage_case {
    const char *name;
    size_t at;
    uint8_t value;
} damage_cases[] = {
    { "a later version", 0, 3 },       { "no version", 0, 0 },
    { "body of no kind", 2, 3 },       { "ret of no kind", 3, 3 },
    { "address of no family", 40, 5 }, { "text past the end", 57 + 3, 1 },
};

static void test_c12_bad_values(void **state)
{
    struct arena arena;
    struct buf bytes;
    struct envelope back;

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(damage_cases); i++) {
        buf_init(&bytes, ENVELOPE_BYTES_MAX);
        assert_true(envelope_write(&bytes, &whole));
        bytes.ptr[damage_cases[i].at] = (char)damage_cases[i].value;
        if (envelope_read(buf_str(&bytes), &arena, &back, NULL))
            fail_msg("%s", damage_cases[i].name);
        buf_done(&bytes);
    }
    arena_done(&arena);
}

/* What a relay of the first version wrote, octet by octet. */
static void test_first_version_still_reads(void **state)
{
    static const char first[] = "\x01"         /* version */
                                "\x04\x01\x02" /* flags, body, ret */
                                "\x2c\x01\0\0" /* header_bytes */
                                "\x07\0\0\0\0\0\0\0"
                                "\x09\0\0\0\0\0\0\0" /* account, credential */
                                "\xe8\x03\0\0\0\0\0\0"
                                "\x40\x42\x0f\0\0\0\0\0"                     /* size, accepted */
                                "\x04\xc0\0\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0" /* client */
                                "\x05\0\0\0a@b.c"
                                "\0\0\0\0"
                                "\x02\0\0\0mx"
                                "\x03\0\0\0bob" /* texts */
                                "\x01\0\0\0"
                                "\x01"
                                "\x11\0\0\0"
                                "\0\0\0\0"
                                "\x06\0\0\0X: y\r\n" /* an edit */
                                "\x01\0\0\0"
                                "\x04"
                                "\x05\0\0\0d@e.f"
                                "\0\0\0"; /* a recipient; the last NUL is C's */
    struct arena arena;
    struct envelope e;
    struct err err;

    (void)state;
    arena_init(&arena, 1024);
    if (!envelope_read(str_make(first, sizeof first), &arena, &e, &err))
        fail_msg("%s", err.text);
    assert_true(e.account == 7 && e.credential == 9 && e.size_bytes == 1000);
    assert_true(e.header_bytes == 300 && e.accepted_wall_ms == 1000000 && e.client.family == 4);
    assert_str(e.reverse_path, STR("a@b.c"));
    assert_str(e.login, STR("bob"));
    assert_true(e.edit_count == 1 && e.edits[0].offset == 17);
    assert_str(e.rcpts[0].address, STR("d@e.f"));
    assert_true(e.stream == 0 && e.sign_domain.len == 0 && e.body_hash.len == 0);
    arena_done(&arena);
}

static void test_no_recipient(void **state)
{
    struct envelope none = whole, back;
    struct arena arena;
    struct buf bytes;

    (void)state;
    none.rcpt_count = 0;
    arena_init(&arena, 1024);
    buf_init(&bytes, ENVELOPE_BYTES_MAX);
    assert_true(envelope_write(&bytes, &none));
    assert_false(envelope_read(buf_str(&bytes), &arena, &back, NULL));
    buf_clear(&bytes);
    bytes.max = 100;
    assert_false(envelope_write(&bytes, &whole));
    buf_done(&bytes);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_c12_other_lengths),
        cmocka_unit_test(test_c12_bad_values), cmocka_unit_test(test_first_version_still_reads),
        cmocka_unit_test(test_no_recipient),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
