// SPDX-License-Identifier: Apache-2.0
/* resolve/live_spf_test.c - records that name this host, forget it, or lead elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolve/live_spf.h"

static const struct cover_case {
    const char *record;
    enum spf_cover want;
} cover_cases[] = {
    { "v=spf1 a -all", SPF_COVERS },
    { "v=spf1 +a -all", SPF_COVERS },
    { "v=spf1 A -ALL", SPF_COVERS },
    { "v=spf1 a:mail.test ~all", SPF_COVERS },
    { "v=spf1 a/24 -all", SPF_COVERS },
    { "v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all", SPF_COVERS },
    { "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", SPF_COVERS },
    { "v=spf1 +all", SPF_COVERS },
    { "v=spf1 mx a -all", SPF_COVERS },
    { "v=spf1 ip4:192.0.2.7 -all", SPF_FORGETS }, /* the second address */
    { "v=spf1 ip4:198.51.100.0/24 -all", SPF_FORGETS },
    { "v=spf1 -all", SPF_FORGETS },
    { "v=spf1", SPF_FORGETS },
    { "v=spf1 -a +all", SPF_FORGETS },
    { "v=spf1 -all a", SPF_FORGETS }, /* nothing behind all is read */
    { "v=spf1 ip4:nonsense -all", SPF_FORGETS },
    { "v=spf1 include:_spf.example.org -all", SPF_ASKS_MORE },
    { "v=spf1 mx -all", SPF_ASKS_MORE },
    { "v=spf1 a:other.test -all", SPF_ASKS_MORE },
    { "v=spf1 redirect=_spf.example.org", SPF_ASKS_MORE },
    { "v=spf1 exists:%{i}.spf.test -all", SPF_ASKS_MORE },
};

static void a_record_names_this_host_or_not(void **state)
{
    (void)state;
    struct ip ips[2], missing;

    assert_true(ip_parse(STR("192.0.2.7"), &ips[0], NULL));
    assert_true(ip_parse(STR("2001:db8::7"), &ips[1], NULL));
    for (size_t i = 0; i < ARRAY_LEN(cover_cases); i++) {
        const struct cover_case *c = &cover_cases[i];
        if (live_spf_covers(str_of(c->record), STR("mail.test"), ips, 2, &missing) != c->want)
            fail_msg("%s", c->record);
    }
    assert_int_equal(
        live_spf_covers(STR("v=spf1 ip4:192.0.2.7 -all"), STR("mail.test"), ips, 2, &missing),
        SPF_FORGETS);
    assert_true(ip_eq(&missing, &ips[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_record_names_this_host_or_not) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
