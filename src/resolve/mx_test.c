// SPDX-License-Identifier: Apache-2.0
/* resolve/mx_test.c - MX answers made by hand, and what follows from them (R28, S01-S03). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolve/mx.h"

#define MX(pref, host)                                              \
    {                                                               \
        .preference = (pref), .name = { "" host, sizeof(host) - 1 } \
    }
#define RECORDS_MAX 5

static const struct str self_names[] = { { "relay.example", 13 }, { "mx.relay.example", 16 } };
static const struct mx_self self = { .names = self_names, .name_count = ARRAY_LEN(self_names) };

static const struct view_case {
    const char *name;
    enum dns_status status;
    size_t count;
    struct dns_record records[RECORDS_MAX];
    enum verdict verdict;
    const char *hosts; /* in order */
} view_cases[] = {
    { "S01 one host", DNS_OK, 1, { MX(10, "mx.example.org") }, VERDICT_OK, "mx.example.org" },
    { "R28 by preference",
      DNS_OK,
      3,
      { MX(30, "c.example"), MX(10, "a.example"), MX(20, "b.example") },
      VERDICT_OK,
      "a.example b.example c.example" },
    { "R28 no MX: the domain itself", DNS_OK, 0, { MX(0, "") }, VERDICT_OK, "example.org" },
    { "S01 NXDOMAIN", DNS_NO_NAME, 0, { MX(0, "") }, VERDICT_NO_DOMAIN, "" },
    { "S01 SERVFAIL, timeout, refused", DNS_TEMP, 0, { MX(0, "") }, VERDICT_TEMP, "" },
    { "S01 null MX", DNS_OK, 1, { MX(0, "") }, VERDICT_NULL_MX, "" },
    { "S01 null MX of any preference", DNS_OK, 1, { MX(10, "") }, VERDICT_NULL_MX, "" },
    { "S01 null MX beside a host is none",
      DNS_OK,
      2,
      { MX(0, ""), MX(10, "mx.example.org") },
      VERDICT_OK,
      "mx.example.org" },
    { "S01 two null MX name no host", DNS_OK, 2, { MX(0, ""), MX(10, "") }, VERDICT_BAD_MX, "" },
    { "S02 IPv4 literal", DNS_OK, 1, { MX(10, "192.0.2.1") }, VERDICT_BAD_MX, "" },
    { "S02 IPv6 literal", DNS_OK, 1, { MX(10, "2001:db8::1") }, VERDICT_BAD_MX, "" },
    { "S02 literal beside a host",
      DNS_OK,
      2,
      { MX(10, "127.0.0.1"), MX(20, "mx.example.org") },
      VERDICT_OK,
      "mx.example.org" },
    { "S02 no host name", DNS_OK, 1, { MX(10, "mx@example.org") }, VERDICT_BAD_MX, "" },
    { "S02 only ourselves", DNS_OK, 1, { MX(10, "relay.example") }, VERDICT_LOOP, "" },
    { "S02 ourselves, other case", DNS_OK, 1, { MX(10, "Relay.Example") }, VERDICT_LOOP, "" },
    { "S02 ourselves best",
      DNS_OK,
      2,
      { MX(10, "mx.relay.example"), MX(20, "b.example") },
      VERDICT_LOOP,
      "" },
    { "S02 ourselves as backup",
      DNS_OK,
      3,
      { MX(20, "relay.example"), MX(10, "a.example"), MX(30, "c.example") },
      VERDICT_OK,
      "a.example" },
    { "S02 ourselves among equals",
      DNS_OK,
      3,
      { MX(10, "a.example"), MX(20, "relay.example"), MX(20, "b.example") },
      VERDICT_OK,
      "a.example" },
    { "a host named twice",
      DNS_OK,
      3,
      { MX(20, "a.example"), MX(10, "A.example"), MX(15, "b.example") },
      VERDICT_OK,
      "A.example b.example" },
};

static struct str hosts_joined(const struct mx_view *view, struct arena *a)
{
    struct str all = STR_NONE;

    for (size_t i = 0; i < view->count; i++)
        all = arena_strf(a, "%.*s%s%.*s", STR_FMT(all), i > 0 ? " " : "",
                         STR_FMT(view->hosts[i].name));
    return all;
}

static void r28_s01_s02_views(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(view_cases); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            const struct view_case *c = &view_cases[i];
            struct dns_record records[RECORDS_MAX];
            struct dns_answer mx = {
                .status = c->status, .records = records, .count = c->count, .ttl_s = 60
            };
            struct mx_view view;
            struct arena arena;

            memcpy(records, c->records, sizeof records);
            arena_init(&arena, 1024);
            mx_view_make(STR("example.org"), &mx, &self, seed, &arena, &view);
            struct str hosts = hosts_joined(&view, &arena);
            if (view.verdict != c->verdict || !str_eq(hosts, str_of(c->hosts)))
                fail_msg("%s: verdict %d, hosts %.*s", c->name, (int)view.verdict, STR_FMT(hosts));
            arena_done(&arena);
        }
}

static void s02_implicit_mx_of_ourselves(void **state)
{
    const struct dns_answer none = { .status = DNS_OK };
    struct mx_view view;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    mx_view_make(STR("relay.example"), &none, &self, 1, &arena, &view);
    assert_int_equal(view.verdict, VERDICT_LOOP);
    arena_done(&arena);
}

static void r28_equal_preferences_are_shuffled(void **state)
{
    struct dns_record records[] = { MX(10, "a.example"), MX(10, "b.example"), MX(10, "c.example"),
                                    MX(20, "d.example") };
    const struct dns_answer mx = { .status = DNS_OK,
                                   .records = records,
                                   .count = ARRAY_LEN(records) };
    unsigned first[3] = { 0 };
    struct mx_view view;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    for (uint64_t seed = 0; seed < 3000; seed++) {
        mx_view_make(STR("example.org"), &mx, &self, seed, &arena, &view);
        assert_int_equal(view.count, 4);
        assert_true(str_eq(view.hosts[3].name, STR("d.example")));
        first[view.hosts[0].name.ptr[0] - 'a']++;
    }
    for (size_t i = 0; i < 3; i++)
        assert_in_range(first[i], 900, 1100);
    arena_done(&arena);
}

/* As many hosts as an answer can have. */
static struct dns_answer many_hosts(struct arena *a)
{
    struct dns_answer mx = { .status = DNS_OK, .count = DNS_RECORDS_MAX };

    mx.records = ARENA_ARRAY(a, struct dns_record, mx.count);
    for (size_t i = 0; i < mx.count; i++) {
        mx.records[i].preference = (uint16_t)(mx.count - i);
        mx.records[i].name = arena_strf(a, "mx%zu.a-long-name-of-some-mail-server.example", i);
    }
    return mx;
}

static void s03_200_hosts_are_capped(void **state)
{
    struct mx_view view;
    struct arena arena;

    (void)state;
    arena_init(&arena, 65536);
    const struct dns_answer mx = many_hosts(&arena);
    mx_view_make(STR("example.org"), &mx, &self, 1, &arena, &view);
    assert_int_equal(view.count, MX_HOSTS_MAX);
    assert_int_equal(view.hosts[0].preference, 1);
    assert_int_equal(view.hosts[MX_HOSTS_MAX - 1].preference, MX_HOSTS_MAX);
    struct str site = mx_view_site(&view, STR("example.org"), &arena);
    assert_true(site.len <= SITE_TEXT_MAX);
    assert_true(site.len > 0 && str_index(site, '#') < site.len);
    arena_done(&arena);
}

static struct str site_of(const struct dns_answer *mx, struct str domain, uint64_t seed,
                          struct arena *a)
{
    struct mx_view view;

    mx_view_make(domain, mx, &self, seed, a, &view);
    return mx_view_site(&view, domain, a);
}

static void same_hosts_share_a_site(void **state)
{
    struct dns_record one[] = { MX(10, "mx1.host.example"), MX(20, "mx2.host.example") };
    struct dns_record two[] = { MX(5, "mx2.host.example"), MX(5, "mx1.host.example") };
    struct dns_record three[] = { MX(10, "mx1.host.example") };
    const struct dns_answer a1 = { .records = one, .count = 2 },
                            a2 = { .records = two, .count = 2 };
    const struct dns_answer a3 = { .records = three, .count = 1 }, none = { .count = 0 };
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct str want = STR("mx1.host.example,mx2.host.example");
        assert_true(str_eq(site_of(&a1, STR("one.example"), seed, &arena), want));
        assert_true(str_eq(site_of(&a2, STR("two.example"), seed, &arena), want));
        assert_true(
            str_eq(site_of(&a3, STR("three.example"), seed, &arena), STR("mx1.host.example")));
        assert_true(str_eq(site_of(&none, STR("four.example"), seed, &arena), STR("four.example")));
    }
    arena_done(&arena);
}

static void s01_codes(void **state)
{
    static const struct {
        enum verdict verdict;
        uint16_t code, klass, subject, detail;
    } rows[] = {
        { VERDICT_NO_DOMAIN, 550, 5, 1, 2 },  { VERDICT_NULL_MX, 556, 5, 1, 10 },
        { VERDICT_TEMP, 451, 4, 4, 3 },       { VERDICT_LOOP, 554, 5, 4, 6 },
        { VERDICT_NO_ADDRESS, 550, 5, 1, 2 }, { VERDICT_OK, 0, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct reply r = verdict_reply(rows[i].verdict);
        assert_int_equal(r.code, rows[i].code);
        assert_int_equal(r.status.klass, rows[i].klass);
        assert_int_equal(r.status.subject, rows[i].subject);
        assert_int_equal(r.status.detail, rows[i].detail);
    }
    for (enum verdict v = VERDICT_BAD_NAME; v <= VERDICT_BUSY; v++) {
        const struct reply r = verdict_reply(v);
        assert_int_equal(r.code / 100, r.status.klass);
        assert_true(r.text.len > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r28_s01_s02_views),
        cmocka_unit_test(s02_implicit_mx_of_ourselves),
        cmocka_unit_test(r28_equal_preferences_are_shuffled),
        cmocka_unit_test(s03_200_hosts_are_capped),
        cmocka_unit_test(same_hosts_share_a_site),
        cmocka_unit_test(s01_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
