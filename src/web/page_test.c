// SPDX-License-Identifier: Apache-2.0
/* web/page_test.c - requests from strangers: what is read and what is not (fault B12), what they
 * get (R07). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "web/clients.h"
#include "web/page.h"

static const char config_text[] = "hostname: relay.example.org\n"
                                  "listeners:\n"
                                  "- {kind: submission, address: '192.0.2.1:587'}\n"
                                  "- {kind: submissions, address: '192.0.2.1:465'}\n"
                                  "- {kind: relay, address: '192.0.2.1:25'}\n"
                                  "web: {listeners: ['192.0.2.1:443']}\n";

/* The answer to octets from the network; caller frees. */
static struct buf ask(const char *head, const char *body)
{
    struct http_request request;
    struct config *c;
    struct err err = { 0 };
    struct buf answer;

    buf_init(&answer, 1 << 20);
    assert_true(config_parse(STR("test"), str_of(config_text), &c, &err));
    assert_int_equal(http_head_len(str_of(head)), strlen(head));
    if (http_request_read(str_of(head), &request, &err))
        page_respond(c, &request, str_of(body), &answer);
    else
        page_refuse(&answer, 400, err.text);
    config_free(c);
    return answer;
}

#define HOST "Host: autoconfig.example.net\r\n"
#define GET_CONFIG "GET /mail/config-v1.1.xml?emailaddress="
#define POST_AUTODISCOVER "POST /autodiscover/autodiscover.xml HTTP/1.1\r\n" HOST "\r\n"

static const struct page_case {
    const char *name, *head, *body;
    int status;
    const char *has; /* in the answer */
} page_cases[] = {
    { "R07 Thunderbird", GET_CONFIG "ann%40example.net HTTP/1.1\r\n" HOST "\r\n", "", 200,
      "<emailProvider id=\"example.net\">" },
    { "R07 Thunderbird, submissions first", GET_CONFIG "ann@example.net HTTP/1.1\r\n" HOST "\r\n",
      "", 200, "<port>465</port>\n<socketType>SSL</socketType>" },
    { "R07 Thunderbird, STARTTLS", GET_CONFIG "ann@example.net HTTP/1.1\r\n" HOST "\r\n", "", 200,
      "<hostname>relay.example.org</hostname>\n<port>587</port>\n<socketType>STARTTLS</socketType>" },
    { "R07 well known, by its host alone",
      "GET /.well-known/autoconfig/mail/config-v1.1.xml HTTP/1.1\r\nHost: example.net:8443\r\n\r\n",
      "", 200, "<domain>example.net</domain>" },
    { "R07 autoconfig by its host alone", "GET /mail/config-v1.1.xml HTTP/1.0\r\n" HOST "\r\n", "",
      200, "<domain>example.net</domain>" },
    { "R07 Outlook", POST_AUTODISCOVER,
      "<Autodiscover><Request><EMailAddress>ann@example.net</EMailAddress></Request></Autodiscover>",
      200, "<Server>relay.example.org</Server>\n<Port>465</Port>\n<DomainRequired>off" },
    { "R07 Outlook's own spelling", "POST /Autodiscover/Autodiscover.XML HTTP/1.1\r\n" HOST "\r\n",
      "<EMailAddress> ann@example.net </EMailAddress>", 200,
      "<LoginName>ann@example.net</LoginName>" },
    { "R07 Outlook by GET",
      "GET /autodiscover/autodiscover.xml?EmailAddress=ann@example.net HTTP/1.1\r\n" HOST "\r\n",
      "", 200, "<Encryption>TLS</Encryption>" },

    { "markup in an address is text", GET_CONFIG "a'%26b@example.net HTTP/1.1\r\n" HOST "\r\n", "",
      200, "example.net" },
    { "markup in a login", POST_AUTODISCOVER, "<EMailAddress>a'&b@example.net</EMailAddress>", 200,
      "<LoginName>a&#39;&amp;b@example.net</LoginName>" },
    { "root", "GET / HTTP/1.1\r\n" HOST "\r\n", "", 404, "nothing is here" },
    { "the API is not here", "GET /v1/status HTTP/1.1\r\n" HOST "\r\n", "", 404, "nothing" },
    { "no way around", "GET /mail/../v1/status HTTP/1.1\r\n" HOST "\r\n", "", 404, "nothing" },
    { "B13 coded", "GET /mail%2Fconfig-v1.1.xml HTTP/1.1\r\n" HOST "\r\n", "", 404, "nothing" },
    { "method", "POST /mail/config-v1.1.xml HTTP/1.1\r\n" HOST "\r\n", "", 405, "method" },
    { "another method", "DELETE /autodiscover/autodiscover.xml HTTP/1.1\r\n" HOST "\r\n", "", 405,
      "method" },
    { "no address", GET_CONFIG "ann HTTP/1.1\r\n" HOST "\r\n", "", 400, "Bad Request" },
    { "tags are no address", GET_CONFIG "%3Cb%3E@example.net HTTP/1.1\r\n" HOST "\r\n", "", 400,
      "" },
    { "line ends are no address", GET_CONFIG "a%0d%0ab@example.net HTTP/1.1\r\n" HOST "\r\n", "",
      400, "" },
    { "bad escape", GET_CONFIG "%4 HTTP/1.1\r\n" HOST "\r\n", "", 400, "hexadecimal" },
    { "host is no domain", "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: a_b<c>\r\n\r\n", "", 400,
      "expected ?emailaddress=" },
    { "no EMailAddress", POST_AUTODISCOVER, "<Autodiscover/>", 400, "expected EMailAddress" },
    { "EMailAddress without end", POST_AUTODISCOVER, "<EMailAddress>ann", 400, "" },
    { "an entity is no address", POST_AUTODISCOVER, "<EMailAddress>&xxe;</EMailAddress>", 400, "" },

    { "B12 no version", "GET /mail/config-v1.1.xml\r\n" HOST "\r\n", "", 400, "expected METHOD" },
    { "B12 HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", "", 400, "expected METHOD" },
    { "B12 two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", "", 400, "expected METHOD" },
    { "B12 tab", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", "", 400, "expected METHOD" },
    { "B12 whole URL", "GET http://a/ HTTP/1.1\r\n" HOST "\r\n", "", 400, "expected METHOD" },
    { "B12 fragment", "GET /#x HTTP/1.1\r\n" HOST "\r\n", "", 400, "expected METHOD" },
    { "B12 8 bits in the path", "GET /\xff HTTP/1.1\r\n" HOST "\r\n", "", 400, "expected METHOD" },
    { "B12 no host", "GET / HTTP/1.1\r\n\r\n", "", 400, "expected one Host" },
    { "B12 two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", "", 400, "expected one Host" },
    { "B12 chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "", 400,
      "Transfer-Encoding" },
    { "B12 folded", "GET / HTTP/1.1\r\n" HOST " more: x\r\n\r\n", "", 400, "not a token" },
    { "B12 space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "", 400, "not a token" },
    { "B12 no colon", "GET / HTTP/1.1\r\n" HOST "x\r\n\r\n", "", 400, "colon" },
    { "B12 bare line feed", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "", 400,
      "control character" },
    { "B12 length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1,1\r\n\r\n", "", 400, "number" },
};

static void test_pages_R07_B12(void **state)
{
    char status[40];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(page_cases); i++) {
        const struct page_case *c = &page_cases[i];
        struct buf answer = ask(c->head, c->body);
        (void)snprintf(status, sizeof status, "HTTP/1.1 %d ", c->status);
        if (!str_starts(buf_str(&answer), str_of(status)) ||
            str_find(buf_str(&answer), str_of(c->has)) == answer.len)
            fail_msg("%s: %s", c->name, buf_cstr(&answer));
        buf_done(&answer);
    }
}

static void test_head_comes_in_pieces(void **state)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    (void)state;
    for (size_t len = 0; len < sizeof head - 1; len++)
        assert_int_equal(http_head_len(str_make(head, len)), 0);
    assert_int_equal(http_head_len(str_of("GET / HTTP/1.1\r\nHost: a\r\n\r\nmore")),
                     sizeof head - 1);
}

static void test_too_many_fields_B12(void **state)
{
    struct http_request request;
    struct buf head;

    (void)state;
    buf_init(&head, 1 << 20);
    (void)buf_addf(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 1; i < HTTP_HEADERS_MAX; i++)
        (void)buf_addf(&head, "X: y\r\n");
    size_t len = head.len;
    (void)buf_addf(&head, "\r\n");
    assert_true(http_request_read(buf_str(&head), &request, NULL));
    head.len = len;
    (void)buf_addf(&head, "X: y\r\n\r\n");
    assert_false(http_request_read(buf_str(&head), &request, NULL));
    buf_done(&head);
}

/* What a domain's owner publishes (RFC 6186). */
static void test_records_R07(void **state)
{
    struct config *c;
    struct buf text;

    (void)state;
    buf_init(&text, 4096);
    assert_true(config_parse(STR("test"), str_of(config_text), &c, NULL));
    assert_true(clients_records(c, STR("example.net"), &text));
    assert_string_equal(buf_cstr(&text),
                        "_submissions._tcp.example.net. IN SRV 0 1 465 relay.example.org.\n"
                        "_submission._tcp.example.net. IN SRV 0 1 587 relay.example.org.\n"
                        "autoconfig.example.net. IN CNAME relay.example.org.\n"
                        "_autodiscover._tcp.example.net. IN SRV 0 1 443 relay.example.org.\n");
    config_free(c);
    buf_clear(&text);
    assert_true(config_parse(STR("test"),
                             STR("hostname: r.test\n"
                                 "listeners: [{kind: submission, address: '192.0.2.1:2587'}]\n"),
                             &c, NULL));
    assert_true(clients_records(c, STR("example.net"), &text));
    assert_string_equal(buf_cstr(&text), "_submissions._tcp.example.net. IN SRV 0 0 0 .\n"
                                         "_submission._tcp.example.net. IN SRV 0 1 2587 r.test.\n");
    config_free(c);
    buf_done(&text);
}

static void test_xml_text(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 4096);
    xml_text(&text, STR("<a href=\"x\">&'ü\x01\xff]]>"));
    assert_string_equal(buf_cstr(&text), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;ü\xef\xbf\xbd"
                                         "\xef\xbf\xbd]]&gt;");
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_R07_B12),
        cmocka_unit_test(test_head_comes_in_pieces),
        cmocka_unit_test(test_too_many_fields_B12),
        cmocka_unit_test(test_records_R07),
        cmocka_unit_test(test_xml_text),
    };
    return cmocka_run_group_tests_name("web/page", tests, NULL, NULL);
}
