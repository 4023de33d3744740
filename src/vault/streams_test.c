// SPDX-License-Identifier: Apache-2.0
/* vault/streams_test.c - streams as operators make them, and what core is told of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vault/world_test.h"

static const struct admin_case stream_cases[] = {
    { "of none",
      { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "none" },
      404,
      "no account none" },
    { "no name", { .verb = ADMIN_STREAM_ADD, .account = "office" }, 422, "stream: 1 to 64" },
    { "made",
      { .verb = ADMIN_STREAM_ADD,
        .name = "news",
        .account = "office",
        .settings = "kind=marketing\npreflight=enforce\ndomain=News.example\n"
                    "return_domain=bounce.news.example\nlimit.day.messages=10" },
      200,
      "\"account\":\"office\",\"name\":\"news\",\"kind\":\"marketing\",\"default\":false,"
      "\"settings\":{\"kind\":\"marketing\",\"preflight\":\"enforce\",\"domain\":\"news.example\","
      "\"return_domain\":\"bounce.news.example\",\"limit.day.messages\":10}" },
    { "twice",
      { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "office" },
      409,
      "there already" },
    { "the same name elsewhere",
      { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "printers" },
      200,
      "\"kind\":\"transactional\"" },
    { "a value that is none",
      { .verb = ADMIN_STREAM_SET, .name = "news", .account = "office", .settings = "kind=spam" },
      422,
      "kind: expected one of transactional" },
    { "set",
      { .verb = ADMIN_STREAM_SET,
        .name = "news",
        .account = "office",
        .settings = "preflight=off" },
      200,
      "\"preflight\":\"off\"" },
    { "set, of none",
      { .verb = ADMIN_STREAM_SET, .name = "none", .account = "office" },
      404,
      "account office has no stream none" },
    { "listed",
      { .verb = ADMIN_STREAM_LIST, .account = "printers" },
      200,
      "\"account\":\"printers\"" },
    { "listed, of none", { .verb = ADMIN_STREAM_LIST, .account = "none" }, 404, "no account none" },
    { "all", { .verb = ADMIN_STREAM_LIST }, 200, "\"account\":\"office\"" },
    { "default",
      { .verb = ADMIN_ACCOUNT_SET, .name = "office", .settings = "default_stream=news" },
      200,
      "\"default_stream\":\"news\"" },
    { "removed while default",
      { .verb = ADMIN_STREAM_REMOVE, .name = "news", .account = "office" },
      409,
      "default_stream" },
    { "removed", { .verb = ADMIN_STREAM_REMOVE, .name = "news", .account = "printers" }, 200, "" },
    { "removed twice",
      { .verb = ADMIN_STREAM_REMOVE, .name = "news", .account = "printers" },
      404,
      "no stream news" },
};

static void R48_streams_are_kept_apart(void **state)
{
    struct world *w = *state;

    admin_cases_run(w, stream_cases, ARRAY_LEN(stream_cases));
}

static void R48_core_is_told_of_streams(void **state)
{
    struct world *w = *state;

    set_account(w, "office", "limit.hour.messages=7");
    make_account(w, "shop", "", "default_stream=news");
    assert_null(account_named(w, "shop")->default_stream);
    far_forget(&w->core);
    make_stream(w, "shop", "news", "kind=marketing\ndomain=news.example\nlimit.month.bytes=5");
    const struct wire_directory_account *a = far_expect(&w->core, WIRE_DIRECTORY_ACCOUNT);
    const struct wire_directory_stream *s = far_expect(&w->core, WIRE_DIRECTORY_STREAM);
    assert_int_equal(a->default_stream, s->id); /* which it was waiting for */
    assert_int_equal(s->account, account_named(w, "shop")->id);
    assert_int_equal(s->kind, STREAM_MARKETING);
    assert_int_equal(s->preflight, POLICY_OBSERVE);
    assert_int_equal(s->limits[DIRECTORY_LIMITS - 1], 5);
    assert_true(str_eq(wire_get(s, s->name), STR("news")));
    assert_true(str_eq(wire_get(s, s->domain), STR("news.example")));
    far_forget(&w->core);
    ask_for(w, 200,
            (struct ask){ .verb = ADMIN_STREAM_SET,
                          .account = "shop",
                          .name = "news",
                          .settings = "preflight=enforce" });
    s = far_only(&w->core, WIRE_DIRECTORY_STREAM);
    assert_int_equal(s->preflight, POLICY_ENFORCE);
    set_account(w, "shop", "default_stream=");
    far_forget(&w->core);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_STREAM_REMOVE, .account = "shop", .name = "news" });
    const struct wire_directory_gone *g = far_only(&w->core, WIRE_DIRECTORY_GONE);
    assert_int_equal(g->noun, DIRECTORY_STREAM);
}

static void lists_of_streams_go_on(void **state)
{
    struct world *w = *state;

    make_stream(w, "printers", "a", "");
    make_stream(w, "office", "b", "");
    make_stream(w, "printers", "c", "");
    const struct wire_admin_end *end =
        ask(w, (struct ask){ .verb = ADMIN_STREAM_LIST, .limit = 2 });
    assert_int_equal(end->next, 2);
    assert_int_equal(row_count(w), 2);
    end = ask(w, (struct ask){ .verb = ADMIN_STREAM_LIST, .limit = 2, .id = 2 });
    assert_int_equal(end->next, 0);
    assert_true(str_has(row(w, 0), "\"name\":\"c\""));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R48_streams_are_kept_apart),
        TEST(R48_core_is_told_of_streams),
        TEST(lists_of_streams_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
