// SPDX-License-Identifier: Apache-2.0
/* mail/header_test.c - fields, folds, edits and facts (B09, R19, O12, M03). */
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct walk_case {
    const char *name;
    struct str section;
    const char *want; /* name=value|… with LF as '/' and CR left out */
    size_t end;       /* header_end() */
} walk_cases[] = {
    { "two fields", STR("A: 1\r\nB: 2\r\n\r\nbody"), "A= 1|B= 2|", 14 },
    { "fold", STR("A: 1\r\n 2\r\n\t3\r\nB:\r\n\r\n"), "A= 1/ 2/\t3|B=|", 20 },
    { "fold of blanks only", STR("A: 1\r\n \r\nB: 2\r\n\r\n"), "A= 1/ |B= 2|", 17 },
    { "blanks before the colon", STR("A \t: 1\r\n\r\n"), "A= 1|", 10 },
    { "no end", STR("A: 1\r\nB: 2"), "A= 1|B= 2|", 0 },
    { "no field at all", STR("\r\nA: 1\r\n"), "", 2 },
    { "nothing", STR(""), "", 0 },
    { "a line that is no field", STR("A: 1\r\nhello\r\nB: 2\r\n\r\n"), "A= 1|", 21 },
    { "fold before any field", STR(" A: 1\r\n\r\n"), "", 9 },
    { "empty name", STR(": 1\r\n\r\n"), "", 7 },
    { "mbox line", STR("From ann@x.org Sun Nov 22\r\nA: 1\r\n\r\n"), "", 35 },
    { "blank in a name", STR("A B: 1\r\n\r\n"), "", 10 },
    { "control in a name", STR("A\x01: 1\r\n\r\n"), "", 9 },
    { "8-bit in a name", STR("\xc3\x84: 1\r\n\r\n"), "", 9 },
    { "NUL in a name", STR("A\0B: 1\r\n\r\n"), "", 10 },
    { "prototype", STR("__proto__: 1\r\n\r\n"), "__proto__= 1|", 16 },
    { "bare LF ends a line", STR("A: 1\nBcc: 2\n\nbody"), "A= 1|Bcc= 2|", 13 },
    { "bare CR does not", STR("A: 1\rB: 2\r\n\r\n"), "A= 1B: 2|", 13 },
};

static void b09_fields_are_walked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(walk_cases); i++) {
        const struct walk_case *c = &walk_cases[i];
        struct header_field f;
        struct buf got;
        size_t at = 0, covered = 0;

        buf_init(&got, 1000);
        while (header_next(c->section, &at, &f)) {
            assert_int_equal(f.offset, covered);
            covered += f.len;
            buf_add(&got, f.name);
            buf_add_char(&got, '=');
            for (size_t j = 0; j < f.value.len; j++)
                if (f.value.ptr[j] != '\r')
                    buf_add_char(&got, f.value.ptr[j] == '\n' ? '/' : f.value.ptr[j]);
            buf_add_char(&got, '|');
        }
        assert_int_equal(at, covered);
        if (strcmp(buf_cstr(&got), c->want) != 0 || header_end(c->section) != c->end)
            fail_msg("%s: %s, end %zu", c->name, buf_cstr(&got), header_end(c->section));
        buf_done(&got);
    }
}

static void b09_unfolding_leaves_no_line_end(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 256);
    assert_true(str_eq(header_unfold(&a, STR(" a\r\n\tb \r\n")), STR("a\tb")));
    assert_true(str_eq(header_unfold(&a, STR(" a\rb\nc\0d ")), STR("abcd")));
    assert_true(str_eq(header_unfold(&a, STR("")), STR("")));
    arena_done(&a);
}

static void r19_edits_are_applied(void **state)
{
    const struct str section = STR("A: 1\r\nBcc: x\r\nC: 3\r\n");
    const struct header_edit edits[] = {
        { .kind = EDIT_INSERT, .offset = 0, .text = STR("R: id ") },
        { .kind = EDIT_INSERT_ID, .offset = 0 },
        { .kind = EDIT_INSERT, .offset = 0, .text = STR("\r\n") },
        { .kind = EDIT_DELETE, .offset = 6, .len = 8 },
        { .kind = EDIT_INSERT, .offset = 14, .text = STR("N: 1\r\n") },
        { .kind = EDIT_INSERT, .offset = 20, .text = STR("Z: 1\r\n") },
    };
    struct buf got;

    (void)state;
    buf_init(&got, 1000);
    assert_true(header_render(&got, section, edits, ARRAY_LEN(edits), STR("42"), NULL));
    assert_string_equal(buf_cstr(&got), "R: id 42\r\nA: 1\r\nN: 1\r\nC: 3\r\nZ: 1\r\n");
    buf_done(&got);
}

static const struct bad_edits_case {
    const char *name;
    struct header_edit edits[2];
} bad_edits[] = {
    { "behind the end", { { EDIT_INSERT, 11, 0, STR("x") } } },
    { "cut over the end", { { EDIT_DELETE, 9, 2, STR("") } } },
    { "cut far over the end", { { EDIT_DELETE, 9, UINT32_MAX, STR("") } } },
    { "out of order", { { EDIT_INSERT, 5, 0, STR("x") }, { EDIT_INSERT, 4, 0, STR("x") } } },
    { "inside a cut", { { EDIT_DELETE, 2, 5, STR("") }, { EDIT_INSERT, 4, 0, STR("x") } } },
    { "no kind", { { 0, 0, 0, STR("") } } },
    { "unknown kind", { { (enum edit_kind)9, 0, 0, STR("") } } },
};

static void r19_bad_edits_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_edits); i++) {
        struct err err = { .kind = ERR_NONE };
        struct buf got;

        buf_init(&got, 1000);
        if (header_render(&got, STR("A: 123456\n"), bad_edits[i].edits, 2, STR("42"), &err) ||
            err.kind != ERR_SYNTAX)
            fail_msg("%s: %s", bad_edits[i].name, err.text);
        buf_done(&got);
    }
}

static void facts_are_counted(void **state)
{
    struct header_facts f;
    const struct str section = STR(
        "Received: from a by b.org; date\r\nReturn-path: <a@b>\r\nFROM: a\r\nsender: b\r\nTo: c\r\n"
        "CC: d\r\nBcc: e\r\nbcc: f\r\nDate: g\r\nMessage-Id:\r\n <1@x>\r\nMessage-ID: <2@x>\r\n"
        "Resent-From: h\r\nResent-Bcc: i\r\nX-From: j\r\n\r\n");

    (void)state;
    assert_true(header_look(section, STR("mx.example.org"), &f, NULL));
    assert_int_equal(f.received, 1);
    assert_int_equal(f.received_by_us, 0);
    assert_int_equal(f.return_path, 1);
    assert_int_equal(f.from, 1);
    assert_int_equal(f.sender, 1);
    assert_int_equal(f.to_cc_bcc, 4);
    assert_int_equal(f.bcc, 2);
    assert_int_equal(f.date, 1);
    assert_int_equal(f.message_id, 2);
    assert_int_equal(f.resent, 2);
    assert_true(str_eq(f.message_id_text, STR("<1@x>")));
    assert_false(f.eight_bit || f.long_line);

    assert_true(header_look(STR("Subject: \xc3\xbc\r\n"), STR("x"), &f, NULL));
    assert_true(f.eight_bit);
    assert_int_equal(f.message_id_text.len, 0);
    assert_true(header_look(STR("Message-ID: <a b>\r\n"), STR("x"), &f, NULL));
    assert_int_equal(f.message_id_text.len, 0);
}

static const struct by_case {
    struct str field;
    bool ours;
} by_cases[] = {
    { STR("Received: from x ([1.2.3.4]) by mx.example.org with ESMTP id 1; date\r\n"), true },
    { STR("Received: from x\r\n\tby MX.Example.ORG. with ESMTP\r\n"), true },
    { STR("Received: by mx.example.org; date\r\n"), true },
    { STR("Received: (a (b) by) from x BY(c)mx.example.org(d)\r\n"), true },
    { STR("Received: from x (by mx.example.org) by other.org\r\n"), false },
    { STR("Received: from mx.example.org by other.org\r\n"), false },
    { STR("Received: from x by mx.example.org.evil.org\r\n"), false },
    { STR("Received: from \"by mx.example.org\" by y\r\n"), false },
    { STR("Received: from x by other.org; by mx.example.org\r\n"), false },
    { STR("Received: by\r\n"), false },
    { STR("Received: (by mx.example.org\r\n"), false },
    { STR("Received: \"\\\r\n"), false },
    { STR("Received:\r\n"), false },
    { STR("X-Received: by mx.example.org\r\n"), false },
};

static void o12_our_own_name_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(by_cases); i++) {
        struct header_facts f;

        assert_true(header_look(by_cases[i].field, STR("mx.example.org"), &f, NULL));
        if (f.received_by_us != by_cases[i].ours)
            fail_msg("%s", by_cases[i].field.ptr);
    }
}

static void m03_too_many_fields_are_refused(void **state)
{
    struct header_facts f;
    struct err err;
    struct buf section;

    (void)state;
    buf_init(&section, HEADER_SECTION_MAX);
    for (int i = 0; i < HEADER_FIELDS_MAX; i++)
        buf_add(&section, STR("a: b\r\n"));
    assert_true(header_look(buf_str(&section), STR("x"), &f, NULL));
    buf_add(&section, STR("a: b\r\n"));
    assert_false(header_look(buf_str(&section), STR("x"), &f, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_done(&section);
}

static void b17_long_lines_are_told(void **state)
{
    (void)state;
    for (int len = 997; len <= 1000; len++) {
        struct header_facts f;
        struct buf section;

        buf_init(&section, 4000);
        buf_addf(&section, "A:%*s\r\n %*s\r\n", 900, "x", len - 1, "y");
        assert_true(header_look(buf_str(&section), STR("x"), &f, NULL));
        assert_int_equal(f.long_line, len > HEADER_LINE_MAX);
        buf_done(&section);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b09_fields_are_walked),
        cmocka_unit_test(b09_unfolding_leaves_no_line_end),
        cmocka_unit_test(r19_edits_are_applied),
        cmocka_unit_test(r19_bad_edits_are_refused),
        cmocka_unit_test(facts_are_counted),
        cmocka_unit_test(o12_our_own_name_is_found),
        cmocka_unit_test(m03_too_many_fields_are_refused),
        cmocka_unit_test(b17_long_lines_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
