// SPDX-License-Identifier: Apache-2.0
/* resolve/target_test.c - address answers made by hand, and the list of connections to try (R29,
 * S02, S03). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolve/target.h"

#define HOSTS 2

/* ip4, ip6: addresses with blanks between; "!" for no answer. */
static const struct target_case {
    const char *name;
    struct {
        uint16_t preference;
        const char *ip4, *ip6;
        bool broken;
    } hosts[HOSTS];
    const char *allow, *self;
    enum verdict verdict;
    const char *want;
} target_cases[] = {
    { "R29 one", { { 10, "198.41.0.4", "", false } }, "", "", VERDICT_OK, "198.41.0.4" },
    { "R29 both families alternate, IPv6 first",
      { { 10, "198.41.0.4", "2001:503:ba3e::2:30", false } },
      "",
      "",
      VERDICT_OK,
      "2001:503:ba3e::2:30 198.41.0.4" },
    { "R29 next host after all of the first",
      { { 10, "198.41.0.4", "2001:503:ba3e::2:30", false }, { 20, "199.9.14.201", "", false } },
      "",
      "",
      VERDICT_OK,
      "2001:503:ba3e::2:30 198.41.0.4 199.9.14.201" },
    { "R29 first host without address",
      { { 10, "", "", false }, { 20, "199.9.14.201", "", false } },
      "",
      "",
      VERDICT_OK,
      "199.9.14.201" },
    { "S01 no address at all",
      { { 10, "", "", false }, { 20, "", "", false } },
      "",
      "",
      VERDICT_NO_ADDRESS,
      "" },
    { "S01 no answer for the only host", { { 10, "!", "", false } }, "", "", VERDICT_TEMP, "" },
    { "S01 no answer for one family",
      { { 10, "198.41.0.4", "!", false } },
      "",
      "",
      VERDICT_OK,
      "198.41.0.4" },
    { "S01 no answer for one host",
      { { 10, "!", "!", false }, { 20, "199.9.14.201", "", false } },
      "",
      "",
      VERDICT_OK,
      "199.9.14.201" },
    { "S02 alias in a circle", { { 10, "!", "!", true } }, "", "", VERDICT_NO_ADDRESS, "" },
    { "S02 loopback", { { 10, "127.0.0.1", "::1", false } }, "", "", VERDICT_NOT_PUBLIC, "" },
    { "S02 private",
      { { 10, "10.1.2.3 192.168.0.1", "fd00::1", false } },
      "",
      "",
      VERDICT_NOT_PUBLIC,
      "" },
    { "S02 private, but no answer for the rest",
      { { 10, "10.1.2.3", "!", false } },
      "",
      "",
      VERDICT_TEMP,
      "" },
    { "S02 private beside public",
      { { 10, "10.1.2.3 198.41.0.4", "", false } },
      "",
      "",
      VERDICT_OK,
      "198.41.0.4" },
    { "S02 private, allowed",
      { { 10, "10.1.2.3", "", false } },
      "10.0.0.0/8",
      "",
      VERDICT_OK,
      "10.1.2.3" },
    { "S02 private, another allowed",
      { { 10, "10.1.2.3", "", false } },
      "192.168.0.0/16",
      "",
      VERDICT_NOT_PUBLIC,
      "" },
    { "S02 our own address",
      { { 10, "198.41.0.4", "", false } },
      "",
      "198.41.0.4",
      VERDICT_LOOP,
      "" },
    { "S02 our own address as backup",
      { { 10, "199.9.14.201", "", false }, { 20, "198.41.0.4", "", false } },
      "",
      "198.41.0.4",
      VERDICT_OK,
      "199.9.14.201" },
    { "S02 our own address among equals",
      { { 10, "199.9.14.201", "", false }, { 10, "198.41.0.4", "", false } },
      "",
      "198.41.0.4",
      VERDICT_LOOP,
      "" },
};

static struct dns_answer answer_of(const char *ips, struct arena *a)
{
    struct dns_answer answer = { .status = DNS_OK, .ttl_s = 60 };
    struct str rest = str_of(ips), word;

    if (ips && strcmp(ips, "!") == 0)
        return (struct dns_answer){ .status = DNS_TEMP };
    answer.records = ARENA_ARRAY(a, struct dns_record, 4);
    while (str_next(&rest, ' ', &word))
        assert_true(ip_parse(word, &answer.records[answer.count++].ip, NULL));
    return answer;
}

static struct str targets_joined(const struct target_list *list, struct arena *a)
{
    char text[IP_TEXT_MAX];
    struct str all = STR_NONE;

    for (size_t i = 0; i < list->count; i++)
        all = arena_strf(a, "%.*s%s%s", STR_FMT(all), i > 0 ? " " : "",
                         ip_format(&list->targets[i].ip, text));
    return all;
}

static void check_case(const struct target_case *c, uint64_t seed)
{
    struct mx_host hosts[HOSTS] = { { .name = STR("a.example") }, { .name = STR("b.example") } };
    struct mx_view view = { .hosts = hosts, .ttl_s = 300 };
    struct host_answers answers[HOSTS];
    struct ip self_ip = { 0 };
    struct ip_net allow;
    struct target_list list;
    struct arena arena;

    arena_init(&arena, 2048);
    for (; view.count < HOSTS && c->hosts[view.count].ip4; view.count++) {
        hosts[view.count].preference = c->hosts[view.count].preference;
        answers[view.count] = (struct host_answers){ answer_of(c->hosts[view.count].ip4, &arena),
                                                     answer_of(c->hosts[view.count].ip6, &arena),
                                                     c->hosts[view.count].broken };
    }
    struct target_policy policy = { .self = { .ips = &self_ip, .ip_count = c->self[0] != '\0' },
                                    .allow_networks = &allow,
                                    .allow_network_count = c->allow[0] != '\0' };
    if (c->self[0])
        assert_true(ip_parse(str_of(c->self), &self_ip, NULL));
    if (c->allow[0])
        assert_true(ip_net_parse(str_of(c->allow), &allow, NULL));

    target_list_make(&view, answers, &policy, seed, &arena, &list);
    struct str got = targets_joined(&list, &arena);
    if (list.verdict != c->verdict || !str_eq(got, str_of(c->want)))
        fail_msg("%s: verdict %d, %.*s", c->name, (int)list.verdict, STR_FMT(got));
    arena_done(&arena);
}

static void r29_s02_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(target_cases); i++)
        for (uint64_t seed = 0; seed < 10; seed++)
            check_case(&target_cases[i], seed);
}

static struct dns_answer many_ips(uint8_t family, struct arena *a)
{
    struct dns_answer answer = { .status = DNS_OK, .count = 50, .ttl_s = 60 };

    answer.records = ARENA_ARRAY(a, struct dns_record, answer.count);
    for (uint8_t i = 0; i < answer.count; i++)
        answer.records[i].ip = family == 4
                                   ? ip_make4((const uint8_t[4]){ 198, 41, 0, i })
                                   : ip_make6((const uint8_t[16]){ 0x20, 1, 5, 3, [15] = i });
    return answer;
}

static void s03_20_hosts_of_100_addresses_are_capped(void **state)
{
    struct mx_host hosts[MX_HOSTS_MAX];
    struct host_answers answers[MX_HOSTS_MAX];
    const struct mx_view view = { .hosts = hosts, .count = MX_HOSTS_MAX, .ttl_s = 300 };
    const struct target_policy policy = { .any_network = false };
    struct target_list list;
    struct arena arena;

    (void)state;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < MX_HOSTS_MAX; i++) {
        hosts[i] = (struct mx_host){ .name = STR("a.example"), .preference = (uint16_t)i };
        answers[i] = (struct host_answers){ many_ips(4, &arena), many_ips(6, &arena), false };
    }
    target_list_make(&view, answers, &policy, 1, &arena, &list);
    assert_int_equal(list.count, TARGETS_MAX);
    assert_int_equal(list.ttl_s, 60);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.targets[i].ip.family, i % 2 == 0 ? 6 : 4);
        assert_int_equal(list.targets[i].preference, i / HOST_IPS_MAX);
    }
    arena_done(&arena);
}

static const struct literal_case {
    struct str text;
    uint8_t family; /* 0: refused */
} literal_cases[] = {
    { STR("[192.0.2.1]"), 4 },
    { STR("[IPv6:2001:db8::1]"), 6 },
    { STR("[ipv6:::1]"), 6 },
    { STR("[IPv6:::ffff:192.0.2.1]"), 4 }, /* one host has one spelling */
    { STR("[2001:db8::1]"), 0 },
    { STR("192.0.2.1"), 0 },
    { STR("[192.0.2.1"), 0 },
    { STR("[]"), 0 },
    { STR("[IPv6:]"), 0 },
    { STR("[192.0.2.256]"), 0 },
    { STR("[mx.example.org]"), 0 },
    { STR("["), 0 },
    { STR(""), 0 },
};

static void address_literals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(literal_cases); i++) {
        struct ip ip = { 0 };
        bool ok = target_parse_literal(literal_cases[i].text, &ip, NULL);
        if (ok != (literal_cases[i].family != 0) || ip.family != literal_cases[i].family)
            fail_msg("%.*s", STR_FMT(literal_cases[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r29_s02_targets),
        cmocka_unit_test(s03_20_hosts_of_100_addresses_are_capped),
        cmocka_unit_test(address_literals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
