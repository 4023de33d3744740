// SPDX-License-Identifier: Apache-2.0
/* accept/proxy_test.c - the PROXY header (R34, fault B14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "accept/proxy.h"
#include "base/mem.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define TCP4_ADDRESSES "\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x00\x19"
#define TCP6_ADDRESSES                           \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" \
    "\xdc\x04\x00\x19"

static const struct proxy_case {
    const char *name;
    struct str bytes; /* the header; "QUIT" is put behind it */
    const char *want; /* the client; NULL: refused */
} cases[] = {
    { "v1 IPv4", STR("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n"), "192.0.2.1:56324" },
    { "v1 IPv6", STR("PROXY TCP6 2001:db8::1 2001:db8::2 56324 25\r\n"), "[2001:db8::1]:56324" },
    { "v1 mapped IPv6 is the IPv4 host",
      STR("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 25\r\n"), "192.0.2.1:1" },
    { "v1 unknown", STR("PROXY UNKNOWN\r\n"), "-:0" },
    { "v1 unknown, with more", STR("PROXY UNKNOWN ffff:f... ffff::1 65535 65535\r\n"), "-:0" },
    { "v2 IPv4", STR(V2 "\x21\x11\x00\x0c" TCP4_ADDRESSES), "192.0.2.1:56324" },
    { "v2 IPv4 with additions", STR(V2 "\x21\x11\x00\x10" TCP4_ADDRESSES "\x04\x00\x01\x00"),
      "192.0.2.1:56324" },
    { "v2 IPv6", STR(V2 "\x21\x21\x00\x24" TCP6_ADDRESSES), "[2001:db8::1]:56324" },
    { "v2 local", STR(V2 "\x20\x00\x00\x00"), "-:0" },
    { "v2 local with additions", STR(V2 "\x20\x00\x00\x02xx"), "-:0" },

    { "B14 no header", STR("EHLO x\r\n"), NULL },
    { "B14 lower case", STR("proxy TCP4 192.0.2.1 198.51.100.2 1 25\r\n"), NULL },
    { "B14 v1 LF", STR("PROXY TCP4 192.0.2.1 198.51.100.2 1 25\n"), NULL },
    { "B14 v1 a port too many", STR("PROXY TCP4 192.0.2.1 198.51.100.2 1 25 3\r\n"), NULL },
    { "B14 v1 port over 65535", STR("PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n"), NULL },
    { "B14 v1 port with zeros", STR("PROXY TCP4 192.0.2.1 198.51.100.2 01 25\r\n"), NULL },
    { "B14 v1 two blanks", STR("PROXY TCP4  192.0.2.1 198.51.100.2 1 25\r\n"), NULL },
    { "B14 v1 IPv6 as TCP4", STR("PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n"), NULL },
    { "B14 v1 IPv4 as TCP6", STR("PROXY TCP6 192.0.2.1 198.51.100.2 1 25\r\n"), NULL },
    { "B14 v1 a name", STR("PROXY TCP4 localhost 198.51.100.2 1 25\r\n"), NULL },
    { "B14 v1 UDP", STR("PROXY UDP4 192.0.2.1 198.51.100.2 1 25\r\n"), NULL },
    { "B14 v1 too long",
      STR("PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          "xxxxxxxxxxxxxxxxxx\r\n"),
      NULL },
    { "B14 v2 version 3", STR(V2 "\x31\x11\x00\x0c" TCP4_ADDRESSES), NULL },
    { "B14 v2 command 2", STR(V2 "\x22\x11\x00\x0c" TCP4_ADDRESSES), NULL },
    { "B14 v2 UDP", STR(V2 "\x21\x12\x00\x0c" TCP4_ADDRESSES), NULL },
    { "B14 v2 UNIX", STR(V2 "\x21\x31\x00\x0c" TCP4_ADDRESSES), NULL },
    { "B14 v2 IPv4 too short", STR(V2 "\x21\x11\x00\x04\xc0\x00\x02\x01"), NULL },
    { "B14 v2 IPv6 too short", STR(V2 "\x21\x21\x00\x0c" TCP4_ADDRESSES), NULL },
    { "B14 v2 64 KiB of additions", STR(V2 "\x21\x11\xff\xff" TCP4_ADDRESSES), NULL },
};

/* However the bytes come in, the same answer: never another one before all are there. */
static enum proxy_read parse_slowly(struct str all, size_t header_len, struct proxy_header *ret)
{
    enum proxy_read read = PROXY_MORE;

    for (size_t len = 0; len <= all.len && read == PROXY_MORE; len++) {
        struct err err;

        read = proxy_parse(str_sub(all, 0, len), ret, &err);
        if (read == PROXY_DONE)
            assert_int_equal(len, header_len);
        if (read == PROXY_MORE)
            assert_true(proxy_wants(str_sub(all, 0, len)) >= 1);
    }
    return read;
}

/* Asked for as much as is certainly its own, the reader never takes a byte from behind the header.
 */
static void check_wants(struct str all, size_t header_len)
{
    struct proxy_header h;
    size_t len = 0;

    while (proxy_parse(str_sub(all, 0, len), &h, NULL) == PROXY_MORE) {
        len += proxy_wants(str_sub(all, 0, len));
        assert_true(len <= header_len);
    }
}

static void test_proxy(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct proxy_case *c = &cases[i];
        struct proxy_header h;
        char text[ENDPOINT_TEXT_MAX];
        char all[256];
        enum proxy_read read;

        print_message("%s\n", c->name);
        assert_true(c->bytes.len + 4 <= sizeof(all));
        memcpy(all, c->bytes.ptr, c->bytes.len);
        memcpy(all + c->bytes.len, "QUIT", 4);
        read = parse_slowly(str_make(all, c->bytes.len + 4), c->bytes.len, &h);
        if (c->want == NULL) {
            assert_int_equal(read, PROXY_BAD);
            continue;
        }
        assert_int_equal(read, PROXY_DONE);
        assert_int_equal(h.len, c->bytes.len);
        assert_string_equal(endpoint_format(&h.client, text), c->want);
        check_wants(str_make(all, c->bytes.len + 4), c->bytes.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_proxy) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
