// SPDX-License-Identifier: Apache-2.0
/* io/dns_record_test.c - record data, sound and damaged (fault S04). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/dns_record.h"

#define LABEL_63 \
    "\x3f"       \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LABEL_61 \
    "\x3d"       \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"
#define LABEL_62 \
    "\x3e"       \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij"

#define SOA_NUMBERS "12345678901234567890"

static const struct record_case {
    const char *name;
    enum dns_type type;
    struct str data;
    bool ok;
    uint16_t preference;
    const char *want; /* name, bytes, or address as text */
} record_cases[] = {
    { "A", DNS_A, STR("\xc0\x00\x02\x01"), true, 0, "192.0.2.1" },
    { "A, short", DNS_A, STR("\xc0\x00\x02"), false, 0, NULL },
    { "A, long", DNS_A, STR("\xc0\x00\x02\x01\x00"), false, 0, NULL },
    { "A, empty", DNS_A, STR(""), false, 0, NULL },
    { "AAAA", DNS_AAAA, STR("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"), true, 0, "2001:db8::1" },
    { "AAAA, of 4", DNS_AAAA, STR("\xc0\x00\x02\x01"), false, 0, NULL },
    { "NS", DNS_NS, STR("\x02ns\x03ORG\x00"), true, 0, "ns.org" },
    { "NS, octets behind", DNS_NS, STR("\x02ns\x00\x00"), false, 0, NULL },
    { "NS, pointer", DNS_NS, STR("\xc0\x0c"), false, 0, NULL },
    { "SOA", DNS_SOA, STR("\x02ns\x00\x01h\x00" SOA_NUMBERS), true, 0, "ns" },
    { "SOA, any byte in its mailbox", DNS_SOA, STR("\x02ns\x00\x03.\\\x80\x00" SOA_NUMBERS), true,
      0, "ns" },
    { "SOA, one number short", DNS_SOA,
      STR("\x02ns\x00\x01h\x00"
          "1234567890123456"),
      false, 0, NULL },
    { "SOA, one octet long", DNS_SOA, STR("\x02ns\x00\x01h\x00" SOA_NUMBERS "1"), false, 0, NULL },
    { "SOA, mailbox past the end", DNS_SOA, STR("\x02ns\x00\x3f" SOA_NUMBERS), false, 0, NULL },
    { "SOA, pointer in its mailbox", DNS_SOA, STR("\x02ns\x00\xc0\x00" SOA_NUMBERS), false, 0,
      NULL },
    { "SOA, ends behind its name", DNS_SOA, STR("\x02ns\x00"), false, 0, NULL },
    { "MX", DNS_MX,
      STR("\x00\x0a\x02mx\x07"
          "Example\x03org\x00"),
      true, 10, "mx.example.org" },
    { "MX, null", DNS_MX, STR("\x00\x00\x00"), true, 0, "" },
    { "MX, highest preference", DNS_MX,
      STR("\xff\xff\x01"
          "a\x00"),
      true, 65535, "a" },
    { "MX, no name", DNS_MX, STR("\x00\x0a"), false, 0, NULL },
    { "MX, half a preference", DNS_MX, STR("\x00"), false, 0, NULL },
    { "MX, empty", DNS_MX, STR(""), false, 0, NULL },
    { "MX, name without its end", DNS_MX, STR("\x00\x0a\x02mx"), false, 0, NULL },
    { "MX, label past the end", DNS_MX, STR("\x00\x0a\x3fmx\x00"), false, 0, NULL },
    { "MX, pointer to itself", DNS_MX, STR("\x00\x0a\xc0\x02"), false, 0, NULL },
    { "MX, pointer behind a label", DNS_MX, STR("\x00\x0a\x02mx\xc0\x00"), false, 0, NULL },
    { "MX, reserved label", DNS_MX,
      STR("\x00\x0a\x41"
          "a\x00"),
      false, 0, NULL },
    { "MX, octets behind", DNS_MX,
      STR("\x00\x0a\x01"
          "a\x00\x00"),
      false, 0, NULL },
    { "MX, dot inside a label", DNS_MX,
      STR("\x00\x0a\x03"
          "a.b\x00"),
      false, 0, NULL },
    { "MX, line end inside a label", DNS_MX,
      STR("\x00\x0a\x03"
          "a\r\n\x00"),
      false, 0, NULL },
    { "MX, NUL inside a label", DNS_MX,
      STR("\x00\x0a\x03"
          "a\x00"
          "b\x00"),
      false, 0, NULL },
    { "MX, 8-bit label", DNS_MX, STR("\x00\x0a\x02\xc3\xa4\x00"), false, 0, NULL },
    { "CNAME", DNS_CNAME,
      STR("\x03www\x07"
          "example\x00"),
      true, 0, "www.example" },
    { "CNAME, slash of RFC 2317", DNS_CNAME,
      STR("\x04"
          "0/25\x01"
          "2\x00"),
      true, 0, "0/25.2" },
    { "CNAME, empty", DNS_CNAME, STR(""), false, 0, NULL },
    { "PTR, longest", DNS_PTR, STR(LABEL_63 LABEL_63 LABEL_63 LABEL_61 "\x00"), true, 0, NULL },
    { "PTR, one octet over", DNS_PTR, STR(LABEL_63 LABEL_63 LABEL_63 LABEL_62 "\x00"), false, 0,
      NULL },
    { "PTR, far over", DNS_PTR, STR(LABEL_63 LABEL_63 LABEL_63 LABEL_63 LABEL_63 "\x00"), false, 0,
      NULL },
    { "TXT, joined", DNS_TXT, STR("\x07v=spf1 \x04-all"), true, 0, "v=spf1 -all" },
    { "TXT, empty string", DNS_TXT, STR("\x00"), true, 0, "" },
    { "TXT, empty data", DNS_TXT, STR(""), false, 0, NULL },
    { "TXT, string past the end", DNS_TXT,
      STR("\x05"
          "abc"),
      false, 0, NULL },
    { "TXT, second string past the end", DNS_TXT,
      STR("\x01"
          "a\xff"),
      false, 0, NULL },
    { "TLSA", DNS_TLSA, STR("\x03\x01\x01\xaa"), true, 0, "\x03\x01\x01\xaa" },
    { "TLSA, no digest", DNS_TLSA, STR("\x03\x01\x01"), false, 0, NULL },
};

static bool record_is(const struct dns_record *r, enum dns_type type, const char *want)
{
    char text[IP_TEXT_MAX];

    if (type == DNS_A || type == DNS_AAAA)
        return str_eq(str_of(ip_format(&r->ip, text)), str_of(want));
    if (type == DNS_TXT || type == DNS_TLSA)
        return str_eq(r->bytes, str_of(want));
    return str_eq(r->name, str_of(want));
}

static void s04_record_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(record_cases); i++) {
        const struct record_case *c = &record_cases[i];
        struct dns_record r = { .preference = 7 };
        struct err err = { 0 };
        struct arena arena;

        arena_init(&arena, 512);
        /* In memory of exactly its size, so that ASan sees a read behind it. */
        char *data = mem_new(c->data.len + 1);
        memcpy(data + 1, c->data.ptr, c->data.len);
        bool ok = dns_record_read(c->type, str_make(data + 1, c->data.len), &arena, &r, &err);
        bool good = ok == c->ok && (ok ? r.preference == c->preference &&
                                             (!c->want || record_is(&r, c->type, c->want))
                                       : r.preference == 7 && err.kind == ERR_SYNTAX);
        if (!good)
            fail_msg("%s: %s", c->name, ok ? "accepted" : err.text);
        free(data);
        arena_done(&arena);
    }
}

static const struct name_case {
    struct str name;
    bool ok;
} name_cases[] = {
    { STR("example.org"), true },
    { STR("example.org."), true },
    { STR("a"), true },
    { STR("_25._tcp.mx.example.org"), true },
    { STR("1.2.0.192.in-addr.arpa"), true },
    { STR(""), false },
    { STR("."), false },
    { STR(".example.org"), false },
    { STR("example..org"), false },
    { STR("example.org.."), false },
    { STR("exa mple.org"), false },
    { STR("exa\0mple.org"), false },
    { STR("ex\\046ample.org"), false },
    { STR("b\xc3\xbc"
          "cher.example"),
      false },
    { STR("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.org"), false },
};

static void names_to_ask_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(name_cases); i++)
        if (dns_name_ok(name_cases[i].name) != name_cases[i].ok)
            fail_msg("\"%.*s\"", STR_FMT(name_cases[i].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s04_record_data),
        cmocka_unit_test(names_to_ask_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
