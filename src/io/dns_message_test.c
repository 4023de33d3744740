// SPDX-License-Identifier: Apache-2.0
/* io/dns_message_test.c - packets of name servers, sound, damaged (fault S04) and of somebody else
 * (S05). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/dns_message.h"

/* What was asked: a.example, id 0x1234. Its name lies at 12, its end at 23, so records begin at 27.
 */
#define ID "\x12\x34"
#define ASKED \
    "\x01"    \
    "a\x07"   \
    "example\x00"
#define IS_TXT "\x00\x10\x00\x01"
#define IS_A "\x00\x01\x00\x01"
#define IS_MX "\x00\x0f\x00\x01"
#define IS_CNAME "\x00\x05\x00\x01"
#define IS_SOA "\x00\x06\x00\x01"
#define TTL "\x00\x00\x00\x3c"
#define OWNER "\xc0\x0c" /* the name asked */
#define AA "\x84\x00"
#define COUNTS(answers, authorities, more) "\x00\x01\x00" answers "\x00" authorities "\x00" more
#define ONE COUNTS("\x01", "\x00", "\x00")
#define NONE COUNTS("\x00", "\x00", "\x00")
#define QUESTION ASKED IS_TXT
#define TXT_X OWNER IS_TXT TTL "\x00\x02\x01x"
#define SOA_RECORD                                               \
    "\x07"                                                       \
    "example\x00" IS_SOA "\x00\x00\x01\x00\x00\x18\x01n\x00\x00" \
    "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x1e"

static const struct answers_case {
    const char *name;
    struct str packet;
    bool want;
} answers_cases[] = {
    { "ours", STR(ID AA NONE QUESTION), true },
    { "ours, in capitals",
      STR(ID AA NONE "\x01"
                     "A\x07"
                     "EXAMPLE\x00" IS_TXT),
      true },
    { "S05 another id", STR("\x12\x35" AA NONE QUESTION), false },
    { "S05 another name",
      STR(ID AA NONE "\x01"
                     "b\x07"
                     "example\x00" IS_TXT),
      false },
    { "S05 a longer name",
      STR(ID AA NONE "\x01"
                     "a\x07"
                     "example\x01"
                     "b\x00" IS_TXT),
      false },
    { "S05 another type", STR(ID AA NONE ASKED IS_A), false },
    { "S05 another class", STR(ID AA NONE ASKED "\x00\x10\x00\x03"), false },
    { "S05 a question itself", STR(ID "\x04\x00" NONE QUESTION), false },
    { "S05 another opcode", STR(ID "\xac\x00" NONE QUESTION), false },
    { "S05 no question", STR(ID AA "\x00\x00\x00\x00\x00\x00\x00\x00" QUESTION), false },
    { "S05 two questions", STR(ID AA "\x00\x02\x00\x00\x00\x00\x00\x00" QUESTION QUESTION), false },
    { "S04 empty", STR(""), false },
    { "S04 half a header", STR(ID AA "\x00\x01"), false },
    { "S04 half a question",
      STR(ID AA NONE "\x01"
                     "a\x07"
                     "exam"),
      false },
    { "S04 no type", STR(ID AA NONE ASKED "\x00"), false },
};

static void s05_only_what_answers_the_question(void **state)
{
    const struct dns_question q = { 0x1234, DNS_TXT, STR("a.example"), false };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers_cases); i++)
        if (dns_message_answers(answers_cases[i].packet, &q) != answers_cases[i].want)
            fail_msg("%s", answers_cases[i].name);
}

static const struct read_case {
    const char *name;
    struct str packet;
    bool ok;
    enum dns_status status;
    const char *text; /* of the first record, or the alias */
    uint32_t ttl_s;
} read_cases[] = {
    { "one record", STR(ID AA ONE QUESTION TXT_X), true, DNS_OK, "x", 60 },
    { "a name written out", STR(ID AA ONE QUESTION ASKED IS_TXT TTL "\x00\x02\x01x"), true, DNS_OK,
      "x", 60 },
    { "TTL with its top bit", STR(ID AA ONE QUESTION OWNER IS_TXT "\x80\x00\x00\x01\x00\x02\x01x"),
      true, DNS_OK, "x", 0 },
    { "no record", STR(ID AA NONE QUESTION), true, DNS_OK, NULL, 0 },
    { "no record, for 30 s", STR(ID AA COUNTS("\x00", "\x01", "\x00") QUESTION SOA_RECORD), true,
      DNS_OK, NULL, 30 },
    { "no such name", STR(ID "\x84\x03" NONE QUESTION), true, DNS_NO_NAME, NULL, 0 },
    { "SERVFAIL", STR(ID "\x84\x02" NONE QUESTION), true, DNS_TEMP, NULL, 0 },
    { "REFUSED", STR(ID "\x80\x05" NONE QUESTION), true, DNS_TEMP, NULL, 0 },
    { "unknown code", STR(ID "\x80\x0f" NONE QUESTION), true, DNS_TEMP, NULL, 0 },
    { "alias",
      STR(ID AA ONE QUESTION OWNER IS_CNAME TTL "\x00\x04\x01"
                                                "b\xc0\x0e"),
      true, DNS_OK, "b.example", 60 },
    { "alias of what does not exist",
      STR(ID "\x84\x03" ONE QUESTION OWNER IS_CNAME TTL "\x00\x04\x01"
             "b\xc0\x0e"),
      true, DNS_OK, "b.example", 60 },
    { "what stands behind an alias is not taken",
      STR(ID AA COUNTS("\x02", "\x00", "\x00") QUESTION OWNER IS_CNAME TTL "\x00\x04\x01"
                                                                           "b\xc0\x0e"
                                                                           "\xc0\x27" IS_TXT TTL
                                                                           "\x00\x02\x01x"),
      true, DNS_OK, "b.example", 60 },
    { "another's record beside it",
      STR(ID AA COUNTS("\x02", "\x00", "\x00") QUESTION "\xc0\x0e" IS_TXT TTL
                                                        "\x00\x02\x01y" TXT_X),
      true, DNS_OK, "x", 60 },
    { "OPT behind",
      STR(ID AA COUNTS("\x01", "\x00", "\x01") QUESTION TXT_X
          "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"),
      true, DNS_OK, "x", 60 },
    { "S04 record cut off", STR(ID AA ONE QUESTION OWNER IS_TXT TTL "\x00\x02\x01"), false, 0, NULL,
      0 },
    { "S04 record that is not there", STR(ID AA ONE QUESTION), false, 0, NULL, 0 },
    { "S04 65535 records", STR(ID AA "\x00\x01\xff\xff\x00\x00\x00\x00" QUESTION TXT_X), false, 0,
      NULL, 0 },
    { "S04 octets behind", STR(ID AA ONE QUESTION TXT_X "x"), false, 0, NULL, 0 },
    { "S04 TXT string past its record", STR(ID AA ONE QUESTION OWNER IS_TXT TTL "\x00\x02\x02x"),
      false, 0, NULL, 0 },
    { "S04 empty TXT", STR(ID AA ONE QUESTION OWNER IS_TXT TTL "\x00\x00"), false, 0, NULL, 0 },
    { "S04 owner points at itself", STR(ID AA ONE QUESTION "\xc0\x1b" IS_TXT TTL "\x00\x02\x01x"),
      false, 0, NULL, 0 },
    { "S04 owner points ahead", STR(ID AA ONE QUESTION "\xc0\x30" IS_TXT TTL "\x00\x02\x01x"),
      false, 0, NULL, 0 },
    { "S04 pointer cut off", STR(ID AA ONE QUESTION "\xc0"), false, 0, NULL, 0 },
    { "S04 pointers in a circle",
      STR(ID AA ONE QUESTION "\x01"
                             "a\xc0\x1b" IS_TXT TTL "\x00\x02\x01x"),
      false, 0, NULL, 0 },
    { "S04 reserved label",
      STR(ID AA ONE QUESTION "\x41"
                             "a\x00" IS_TXT TTL "\x00\x02\x01x"),
      false, 0, NULL, 0 },
    { "S04 alias with octets behind its name",
      STR(ID AA ONE QUESTION OWNER IS_CNAME TTL "\x00\x05\x01"
                                                "b\xc0\x0e"
                                                "x"),
      false, 0, NULL, 0 },
    { "S04 alias past its record",
      STR(ID AA ONE QUESTION OWNER IS_CNAME TTL "\x00\x03\x01"
                                                "b\xc0\x0e"),
      false, 0, NULL, 0 },
    { "S04 alias of the root", STR(ID AA ONE QUESTION OWNER IS_CNAME TTL "\x00\x01\x00"), false, 0,
      NULL, 0 },
    { "S04 two aliases",
      STR(ID AA COUNTS("\x02", "\x00", "\x00") QUESTION OWNER IS_CNAME TTL
          "\x00\x04\x01"
          "b\xc0\x0e" OWNER IS_CNAME TTL "\x00\x04\x01"
          "c\xc0\x0e"),
      false, 0, NULL, 0 },
    { "S04 alias beside a record",
      STR(ID AA COUNTS("\x02", "\x00", "\x00") QUESTION OWNER IS_CNAME TTL "\x00\x04\x01"
                                                                           "b\xc0\x0e" TXT_X),
      false, 0, NULL, 0 },
    { "S04 NXDOMAIN with records", STR(ID "\x84\x03" ONE QUESTION TXT_X), false, 0, NULL, 0 },
    { "S04 damaged behind the answer",
      STR(ID AA COUNTS("\x01", "\x00", "\x01") QUESTION TXT_X "\x00\x00\x29\x04"), false, 0, NULL,
      0 },
};

static void s04_answers_are_read_strictly(void **state)
{
    const struct dns_question q = { 0x1234, DNS_TXT, STR("a.example"), false };
    struct dns_message m;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(read_cases); i++) {
        const struct read_case *c = &read_cases[i];
        assert_true(dns_message_answers(c->packet, &q));
        err = (struct err){ 0 };
        if (dns_message_read(c->packet, &q, &arena, &m, &err) != c->ok)
            fail_msg("%s: %s", c->name, err.text);
        if (!c->ok)
            continue;
        struct str text = m.answer.count > 0 ? m.answer.records[0].bytes : m.alias;
        if (m.answer.status != c->status || !str_eq(text, str_of(c->text)) ||
            (c->status != DNS_TEMP && m.answer.ttl_s != c->ttl_s))
            fail_msg("%s: %d \"%.*s\" %u", c->name, m.answer.status, STR_FMT(text), m.answer.ttl_s);
        assert_int_equal(m.answer.status == DNS_TEMP, m.answer.why.len > 0);
    }
    arena_done(&arena);
}

/* Names may be compressed in the data of MX as well. */
static void a_compressed_name_in_mx(void **state)
{
    static const struct str packet =
        STR(ID AA ONE ASKED IS_MX OWNER IS_MX TTL "\x00\x07\x00\x0a\x02mx\xc0\x0e");
    const struct dns_question q = { 0x1234, DNS_MX, STR("A.example."), false };
    struct dns_message m;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    assert_true(dns_message_answers(packet, &q));
    assert_true(dns_message_read(packet, &q, &arena, &m, NULL));
    assert_int_equal(m.answer.count, 1);
    assert_int_equal(m.answer.records[0].preference, 10);
    assert_true(str_eq(m.answer.records[0].name, STR("mx.example")));
    arena_done(&arena);
}

static void flags_are_told(void **state)
{
    static const struct str cut = STR(ID "\x86\x00" ONE QUESTION);
    static const struct str passed_on = STR(ID "\x80\x80" NONE QUESTION);
    const struct dns_question q = { 0x1234, DNS_TXT, STR("a.example"), false };
    struct dns_message m;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    assert_true(dns_message_read(cut, &q, &arena, &m, NULL));
    assert_true(m.truncated && m.authoritative);
    assert_true(dns_message_read(passed_on, &q, &arena, &m, NULL));
    assert_true(!m.truncated && !m.authoritative);
    arena_done(&arena);
}

static void a_question_asks_for_no_recursion(void **state)
{
    static const struct str want = STR(ID "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01" QUESTION
                                          "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00");
    static const struct str want_plain = STR(ID "\x00\x00" NONE QUESTION);
    struct dns_question q = { 0x1234, DNS_TXT, STR("a.example."), .plain = false };
    struct buf packet;

    (void)state;
    buf_init(&packet, DNS_QUESTION_BYTES_MAX);
    assert_true(dns_question_write(&packet, &q));
    assert_true(str_eq(buf_str(&packet), want));
    buf_clear(&packet);
    q.plain = true;
    assert_true(dns_question_write(&packet, &q));
    assert_true(str_eq(buf_str(&packet), want_plain));
    buf_done(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s05_only_what_answers_the_question),
        cmocka_unit_test(s04_answers_are_read_strictly),
        cmocka_unit_test(a_compressed_name_in_mx),
        cmocka_unit_test(flags_are_told),
        cmocka_unit_test(a_question_asks_for_no_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
