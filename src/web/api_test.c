// SPDX-License-Identifier: Apache-2.0
/* web/api_test.c - requests to asks: routes, fields, bodies (fault B11); header checks (fault B12).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "web/api.h"
#include "web/strict.h"

static const struct api_case {
    const char *name, *method, *target, *body;
    int status; /* 0: taken */
    enum admin_verb verb;
} api_cases[] = {
    { "status", "GET", "/v1/status", "", 0, ADMIN_STATUS },
    { "queue", "GET", "/v1/queue?limit=5&to=%40example.org", "", 0, ADMIN_QUEUE_LIST },
    { "summary", "GET", "/v1/queue/summary", "", 0, ADMIN_QUEUE_SUMMARY },
    { "show", "GET", "/v1/queue/0123456789ABC", "", 0, ADMIN_QUEUE_SHOW },
    { "why", "GET", "/v1/queue/0123456789abc/why", "", 0, ADMIN_QUEUE_WHY },
    { "retry one", "POST", "/v1/queue/retry", "{\"id\":\"0123456789ABC\"}", 0, ADMIN_QUEUE_RETRY },
    { "drop many", "POST", "/v1/queue/drop",
      " { \"all\" : true, \"site\": \"a.example\", \"silent\": true, \"reason\": \"spam\" } ", 0,
      ADMIN_QUEUE_DROP },
    { "account", "POST", "/v1/accounts", "{\"name\":\"a\"}", 0, ADMIN_ACCOUNT_ADD },
    { "credential away", "DELETE", "/v1/credentials/a%2Fb", "", 0, ADMIN_CRED_REMOVE },
    { "sandbox", "GET", "/v1/sandbox/12", "", 0, ADMIN_SANDBOX_SHOW },

    { "account with settings", "POST", "/v1/accounts",
      "{\"name\":\"a\",\"settings\":{\"state\":\"active\",\"limit.day.messages\":1000}}", 0,
      ADMIN_ACCOUNT_ADD },
    { "account shown", "GET", "/v1/accounts/a", "", 0, ADMIN_ACCOUNT_SHOW },
    { "account changed", "PATCH", "/v1/accounts/a", "{\"settings\":{}}", 0, ADMIN_ACCOUNT_SET },
    { "account away, tried", "DELETE", "/v1/accounts/a?dry_run=true", "", 0, ADMIN_ACCOUNT_REMOVE },
    { "credential rotated", "POST", "/v1/credentials/a/rotate", "", 0, ADMIN_CRED_ROTATE },
    { "stream", "PATCH", "/v1/accounts/a/streams/b", "{\"settings\":{\"kind\":\"marketing\"}}", 0,
      ADMIN_STREAM_SET },
    { "streams", "GET", "/v1/accounts/a/streams", "", 0, ADMIN_STREAM_LIST },
    { "domain records", "GET", "/v1/domains/a.example/records?account=a&format=zone", "", 0,
      ADMIN_DOMAIN_RECORDS },
    { "domain transferred", "POST", "/v1/domains/a.example/transfer",
      "{\"account\":\"a\",\"to\":\"b\",\"dry_run\":true}", 0, ADMIN_DOMAIN_TRANSFER },
    { "change without settings", "PATCH", "/v1/accounts/a", "", 422, 0 },
    { "change of nothing", "PATCH", "/v1/accounts", "{\"settings\":{}}", 405, 0 },
    { "settings where there are none", "POST", "/v1/live", "{\"settings\":{}}", 400, 0 },
    { "settings in the query", "PATCH", "/v1/accounts/a?settings=x", "", 400, 0 },
    { "transfer to nobody", "POST", "/v1/domains/a.example/transfer", "{\"account\":\"a\"}", 422,
      0 },
    { "B11 settings' key twice", "PATCH", "/v1/accounts/a",
      "{\"settings\":{\"state\":\"active\",\"state\":\"suspended\"}}", 400, 0 },
    { "B11 settings twice", "PATCH", "/v1/accounts/a", "{\"settings\":{},\"settings\":{}}", 400,
      0 },

    { "root", "GET", "/", "", 404, 0 },
    { "empty", "GET", "", "", 404, 0 },
    { "unknown", "GET", "/v1/queues", "", 404, 0 },
    { "too long", "GET", "/v1/status/x", "", 404, 0 },
    { "B13 two slashes", "GET", "/v1//status", "", 404, 0 },
    { "B13 slash at the end", "GET", "/v1/status/", "", 404, 0 },
    { "B13 coded slash", "GET", "/v1%2Fstatus", "", 404, 0 },
    { "B13 whole URL", "GET", "http://a/v1/status", "", 404, 0 },
    { "case", "GET", "/V1/status", "", 404, 0 },
    { "method", "POST", "/v1/status", "", 405, 0 },
    { "no method", "", "/v1/status", "", 405, 0 },
    { "not an id", "GET", "/v1/queue/123", "", 404, 0 },
    { "number past 64 bits", "GET", "/v1/sandbox/99999999999999999999", "", 404, 0 },
    { "bad escape", "GET", "/v1/queue?to=%4", "", 400, 0 },
    { "bad escape's digit", "GET", "/v1/queue?to=%4g", "", 400, 0 },
    { "B13 NUL", "GET", "/v1/queue?to=%00", "", 422, 0 },
    { "not UTF-8", "GET", "/v1/queue?to=%ff", "", 422, 0 },
    { "unknown field", "GET", "/v1/queue?color=red", "", 400, 0 },
    { "field of another", "GET", "/v1/queue?silent=true", "", 400, 0 },
    { "field twice", "GET", "/v1/queue?to=a&to=b", "", 400, 0 },
    { "no value", "GET", "/v1/queue?to", "", 400, 0 },
    { "limit 0", "GET", "/v1/queue?limit=0", "", 400, 0 },
    { "limit", "GET", "/v1/queue?limit=10001", "", 400, 0 },
    { "GET with body", "GET", "/v1/queue", "{}", 400, 0 },
    { "neither id nor all", "POST", "/v1/queue/retry", "{\"site\":\"a\"}", 422, 0 },
    { "both id and all", "POST", "/v1/queue/retry", "{\"id\":\"0123456789ABC\",\"all\":true}", 422,
      0 },
    { "all is false", "POST", "/v1/queue/retry", "{\"all\":false}", 422, 0 },
    { "silent without reason", "POST", "/v1/queue/drop", "{\"all\":true,\"silent\":true}", 422, 0 },
    { "no name", "POST", "/v1/accounts", "", 422, 0 },

    { "B11 not JSON", "POST", "/v1/accounts", "name=a", 400, 0 },
    { "B11 no end", "POST", "/v1/accounts", "{\"name\":\"a\"", 400, 0 },
    { "B11 something behind", "POST", "/v1/accounts", "{\"name\":\"a\"}x", 400, 0 },
    { "B11 two values", "POST", "/v1/accounts", "{\"name\":\"a\"}{}", 400, 0 },
    { "B11 array", "POST", "/v1/accounts", "[\"name\"]", 400, 0 },
    { "B11 null", "POST", "/v1/accounts", "null", 400, 0 },
    { "B11 text", "POST", "/v1/accounts", "\"name\"", 400, 0 },
    { "B11 key twice", "POST", "/v1/accounts", "{\"name\":\"a\",\"name\":\"b\"}", 400, 0 },
    { "B11 key twice, escaped", "POST", "/v1/accounts", "{\"name\":\"a\",\"n\\u0061me\":\"b\"}",
      400, 0 },
    { "B11 unknown key", "POST", "/v1/accounts", "{\"name\":\"a\",\"x\":1}", 400, 0 },
    { "B11 object as value", "POST", "/v1/accounts", "{\"name\":{}}", 400, 0 },
    { "B11 null as value", "POST", "/v1/accounts", "{\"name\":null}", 400, 0 },
    { "B11 bad UTF-8", "POST", "/v1/accounts", "{\"name\":\"\xff\"}", 400, 0 },
    { "B11 surrogate alone", "POST", "/v1/accounts", "{\"name\":\"\\ud800\\n\"}", 422, 0 },
    { "B11 NUL", "POST", "/v1/accounts", "{\"name\":\"a\\u0000b\"}", 422, 0 },
    { "B11 control character", "POST", "/v1/accounts", "{\"name\":\"a\\nb\"}", 422, 0 },
    { "B10 U+0085", "POST", "/v1/accounts", "{\"name\":\"a\\u0085b\"}", 422, 0 },
    { "B10 U+2028", "POST", "/v1/accounts", "{\"name\":\"a\\u2028b\"}", 422, 0 },
    { "B11 NUL ends a key", "POST", "/v1/queue/drop", "{\"all\\u0000x\":true}", 422, 0 },
    { "B11 half a pair", "POST", "/v1/live", "{\"reason\":\"\\ud800\\u0041\"}", 422, 0 },
    { "B11 pair turned round", "POST", "/v1/live", "{\"reason\":\"\\udc00\\ud800\"}", 422, 0 },
    { "B11 pair", "POST", "/v1/live", "{\"reason\":\"\\ud83d\\ude42\\\\'\"}", 0, ADMIN_LIVE_OPEN },
    { "B11 single quotes at a key", "POST", "/v1/queue/drop", "{'all':true}", 400, 0 },
    { "account of a queue", "POST", "/v1/queue/drop", "{\"all\":true,\"account\":\"a\"}", 400, 0 },
    { "B11 trailing comma", "POST", "/v1/accounts", "{\"name\":\"a\",}", 400, 0 },
    { "B11 single quotes", "POST", "/v1/accounts", "{'name':'a'}", 400, 0 },
    { "B11 comment", "POST", "/v1/accounts", "/* */{\"name\":\"a\"}", 400, 0 },
    { "B11 deep", "POST", "/v1/accounts",
      "{\"name\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
      400, 0 },
};

static void test_api_read_B11_B13(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(api_cases); i++) {
        const struct api_case *c = &api_cases[i];
        struct api_ask ask = { 0 };
        struct err err = { 0 };
        struct arena a;
        int status = 0;

        arena_init(&a, 1024);
        bool ok = api_read(str_of(c->method), str_of(c->target), str_of(c->body), &a, &ask, &status,
                           &err);
        if (ok != (c->status == 0) || (!ok && status != c->status))
            fail_msg("%s: %d %s", c->name, status, err.text);
        if (ok)
            assert_int_equal(ask.route->verb, c->verb);
        else
            assert_true(err.text[0] != '\0');
        arena_done(&a);
    }
}

static void test_api_read_fields(void **state)
{
    struct api_ask ask = { 0 };
    struct arena a;
    int status;

    (void)state;
    arena_init(&a, 1024);
    assert_true(api_read(STR("GET"), STR("/v1/queue?limit=5&after=77&to=%40example.org&from=a+b"),
                         STR(""), &a, &ask, &status, NULL));
    assert_int_equal(ask.limit, 5);
    assert_int_equal(ask.id, 77);
    assert_true(str_eq(ask.to, STR("@example.org")));
    assert_true(str_eq(ask.from, STR("a+b")));
    assert_true(
        api_read(STR("DELETE"), STR("/v1/credentials/a%2Fb"), STR(""), &a, &ask, &status, NULL));
    assert_true(str_eq(ask.name, STR("a/b")));
    assert_true(
        api_read(STR("POST"), STR("/v1/queue/drop"),
                 STR("{\"all\":true,\"silent\":true,\"reason\":\"\\u00fc\",\"dry_run\":false}"), &a,
                 &ask, &status, NULL));
    assert_int_equal(ask.flags, ADMIN_ALL | ADMIN_SILENT);
    assert_true(str_eq(ask.reason, STR("ü")));
    arena_done(&a);
}

static const struct settings_case {
    const char *name, *json;
    const char *want; /* NULL: refused */
} settings_cases[] = {
    { "none", "{}", "" },
    { "all kinds", "{\"a\":\"x y\",\"b.c_1\":12,\"d\":true,\"e\":false,\"f\":[\"1\",\"2\"]}",
      "a=x y\nb.c_1=12\nd=true\ne=false\nf=1,2\n" },
    { "back to the default", "{\"a\":\"\",\"b\":[]}", "a=\nb=\n" },
    { "equals sign", "{\"note\":\"a=b\"}", "note=a=b\n" },
    { "less than zero", "{\"a\":-1}", "a=-1\n" },
    { "list", "[]", NULL },
    { "text", "\"a=b\"", NULL },
    { "null", "null", NULL },
    { "null as value", "{\"a\":null}", NULL },
    { "object as value", "{\"a\":{}}", NULL },
    { "fraction", "{\"a\":1.5}", NULL },
    { "list of numbers", "{\"a\":[1]}", NULL },
    { "list of lists", "{\"a\":[[]]}", NULL },
    { "comma in a list", "{\"a\":[\"1,2\"]}", NULL },
    { "nothing in a list", "{\"a\":[\"\"]}", NULL },
    { "empty key", "{\"\":\"x\"}", NULL },
    { "capitals", "{\"State\":\"x\"}", NULL },
    { "equals sign in a key", "{\"a=b\":\"x\"}", NULL },
    { "B10 newline", "{\"a\":\"x\\nstate=active\"}", NULL },
    { "B10 newline in a list", "{\"a\":[\"x\\nstate=active\"]}", NULL },
    { "B10 newline in a key", "{\"a\\nb\":\"x\"}", NULL },
    { "B10 U+2028", "{\"a\":\"\\u2028\"}", NULL },
};

static void test_settings_B10_B11(void **state)
{
    char body[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(settings_cases); i++) {
        const struct settings_case *c = &settings_cases[i];
        struct api_ask ask = { 0 };
        struct err err = { 0 };
        struct arena a;
        int status = 0;

        arena_init(&a, 1024);
        (void)snprintf(body, sizeof body, "{\"settings\":%s}", c->json);
        bool ok =
            api_read(STR("PATCH"), STR("/v1/users/ann"), str_of(body), &a, &ask, &status, &err);
        if (ok != (c->want != NULL) || (ok && !str_eq(ask.settings, str_of(c->want))))
            fail_msg("%s: %d %s%.*s", c->name, status, err.text, STR_FMT(ask.settings));
        arena_done(&a);
    }
}

/* `count` settings of 100 octets each. */
static int read_long(size_t count)
{
    struct api_ask ask = { 0 };
    struct arena a;
    struct buf body;
    int status = 0;

    buf_init(&body, 64 * 1024);
    (void)buf_addf(&body, "{\"settings\":{\"a\":\"\"");
    for (size_t i = 0; i < count; i++)
        (void)buf_addf(&body, ",\"k%zu\":\"%096d\"", i, 0);
    (void)buf_addf(&body, "}}");
    arena_init(&a, 1024);
    if (api_read(STR("PATCH"), STR("/v1/users/ann"), buf_str(&body), &a, &ask, &status, NULL))
        status = 0;
    arena_done(&a);
    buf_done(&body);
    return status;
}

static void test_settings_are_bounded_B11(void **state)
{
    (void)state;
    assert_int_equal(read_long(29), 0);
    assert_int_equal(read_long(30), 422);
    assert_int_equal(read_long(500), 422);
}

static void test_every_ask_fits_a_frame(void **state)
{
    (void)state;
    assert_true(API_SETTINGS_MAX + 2 * API_TEXT_MAX <= API_ASK_MAX);
    assert_true(sizeof(struct wire_admin) + API_ASK_MAX + sizeof "uid:4294967295" <=
                FRAME_BYTES_MAX);
    for (size_t i = 0; i < api_route_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(str_eq(str_of(api_routes[i].path), str_of(api_routes[j].path)) &&
                         str_eq(str_of(api_routes[i].method), str_of(api_routes[j].method)));
}

/* Headers -------------------------------------------------------------------------------------- */

static const struct strict_case {
    const char *name;
    const char *headers[8]; /* name, value, … */
    bool ok;
} strict_cases[] = {
    { "plain", { "Host", "localhost", "Content-Length", "5" }, true },
    { "B12 chunked", { "Host", "localhost", "transfer-encoding", "chunked" }, false },
    { "B12 no Host", { "Content-Length", "5" }, false },
    { "B12 two Hosts", { "Host", "a", "host", "a" }, false },
    { "B12 two lengths", { "Host", "a", "Content-Length", "5", "Content-Length", "5" }, false },
    { "B12 +5", { "Host", "a", "Content-Length", "+5" }, false },
    { "B12 5,5", { "Host", "a", "Content-Length", "5,5" }, false },
    { "B12 no digits", { "Host", "a", "Content-Length", "" }, false },
    { "B12 0x5", { "Host", "a", "Content-Length", "0x5" }, false },
    { "B12 past 64 bits", { "Host", "a", "Content-Length", "99999999999999999999" }, false },
    { "B12 length and coding",
      { "Host", "a", "Content-Length", "5", "Transfer-Encoding", "chunked" },
      false },
    { "B12 xchunked", { "Host", "a", "Transfer-Encoding", "xchunked" }, false },
    { "B12 gzip, chunked", { "Host", "a", "Transfer-Encoding", "gzip, chunked" }, false },
    { "B12 Chunked", { "Host", "a", "Transfer-Encoding", "Chunked" }, false },
    { "B12 space before colon", { "Host", "a", "Content-Length ", "5" }, false },
    { "B12 empty name", { "Host", "a", "", "5" }, false },
    { "B12 bare CR", { "Host", "a", "X", "a\rb" }, false },
    { "B12 folded", { "Host", "a", "X", "a\n b" }, false },
};

static void test_strict_B12(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strict_cases); i++) {
        struct http_header headers[4];
        size_t count = 0;

        for (size_t j = 0; j < 8 && strict_cases[i].headers[j]; j += 2)
            headers[count++] = (struct http_header){ str_of(strict_cases[i].headers[j]),
                                                     str_of(strict_cases[i].headers[j + 1]) };
        const char *refusal = strict_refusal(headers, count);
        if ((refusal == NULL) != strict_cases[i].ok)
            fail_msg("%s: %s", strict_cases[i].name, refusal ? refusal : "was taken");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_read_B11_B13),
        cmocka_unit_test(test_api_read_fields),
        cmocka_unit_test(test_settings_B10_B11),
        cmocka_unit_test(test_settings_are_bounded_B11),
        cmocka_unit_test(test_every_ask_fits_a_frame),
        cmocka_unit_test(test_strict_B12),
    };
    return cmocka_run_group_tests_name("web/api", tests, NULL, NULL);
}
