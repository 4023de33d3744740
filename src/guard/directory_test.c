// SPDX-License-Identifier: Apache-2.0
/* guard/directory_test.c - what is told is there, what is not told again is gone, and whose a name
 * is (R49, T02, T07, T10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guard/people.h"

static void tell(struct directory *d, struct frame *f)
{
    assert_true(people_tell(d, f));
}

static void tell_all(struct directory *d)
{
    tell(d, people_begin());
    tell(d, people_account(&(struct person){ .id = 1, .name = "host" }));
    tell(d, people_account(&(struct person){
                .id = 2, .parent = 1, .name = "shop", .flags = ACCOUNT_SHARES_DOMAINS }));
    tell(d, people_account(&(struct person){ .id = 3, .parent = 2, .name = "web" }));
    tell(d, people_account(&(struct person){ .id = 9, .name = "other" }));
    tell(d, people_stream(1, 2, STREAM_MARKETING, "news", "news.shop.example", ""));
    tell(d, people_domain(1, 2, "shop.example", DOMAIN_SUBDOMAINS, 0, ""));
    tell(d, people_domain(2, 1, "host.example", DOMAIN_SUBDOMAINS, 0, ""));
    tell(d, people_domain(3, 9, "x.shop.example", DOMAIN_SUBDOMAINS, 0, ""));
    tell(d, people_domain(4, 9, "both.example", 0, 0, ""));
    tell(d, people_domain(5, 2, "both.example", 0, 0, ""));
    tell(d, people_domain(6, 3, "web.shop.example", 0, 0, ""));
    tell(d, people_domain(7, 9, "deep.plain.example", 0, 0, ""));
    tell(d, people_domain(8, 2, "plain.example", 0, 0, ""));
    tell(d, people_key(1, 1, 0, 1, 0, "shop.example", "s1"));
    tell(d, people_key(2, 2, 0, 1, KEY_RELAY, "host.example", "r1"));
    tell(d, people_tenant(1, 3, "mx.host", "web"));
    tell(d, people_end());
}

static const struct grant_case {
    const char *name;
    uint64_t account;
    const char *domain;
    uint64_t want; /* grant; 0: none */
} grant_cases[] = {
    { "its own", 2, "shop.example", 1 },
    { "below its own", 2, "a.b.shop.example", 1 },
    { "T02 below, but another's own", 2, "x.shop.example", 0 },
    { "T02 below that", 2, "y.x.shop.example", 0 },
    { "the other's", 9, "y.x.shop.example", 3 },
    { "T02 above the other's", 9, "shop.example", 0 },
    { "R49 shared from above", 3, "shop.example", 1 },
    { "R49 its own before the shared one", 3, "web.shop.example", 6 },
    { "below its own that is for one name, the shared one", 3, "a.web.shop.example", 1 },
    { "not shared from above", 2, "host.example", 0 },
    { "nor from below", 1, "shop.example", 0 },
    { "two hold it: this one's", 2, "both.example", 5 },
    { "two hold it: that one's", 9, "both.example", 4 },
    { "two hold it: nobody else", 1, "both.example", 0 },
    { "not for subdomains", 2, "a.both.example", 0 },
    { "T02 a name that ends alike", 2, "notshop.example", 0 },
    { "T02 the top alone", 2, "example", 0 },
    { "T02 nothing", 2, "", 0 },
    { "T02 nearer one is another's, for itself alone", 2, "a.deep.plain.example", 0 },
};

static void test_t02_r49_grants(void **state)
{
    struct directory d;

    (void)state;
    directory_init(&d);
    tell_all(&d);
    for (size_t i = 0; i < ARRAY_LEN(grant_cases); i++) {
        const struct grant_case *c = &grant_cases[i];
        struct dir_domain *g =
            directory_grant(&d, directory_account(&d, c->account), str_of(c->domain));

        if ((g ? g->id : 0) != c->want)
            fail_msg("%s: %llu", c->name, g ? (unsigned long long)g->id : 0);
    }
    assert_true(directory_domain_is_taken(&d, STR("shop.example")));
    assert_true(directory_domain_is_taken(&d, STR("q.shop.example")));
    assert_true(directory_domain_is_taken(&d, STR("both.example")));
    assert_false(directory_domain_is_taken(&d, STR("q.both.example")));
    assert_false(directory_domain_is_taken(&d, STR("free.example")));
    directory_done(&d);
}

static void test_t07_states_cascade(void **state)
{
    struct directory d;

    (void)state;
    directory_init(&d);
    tell_all(&d);
    assert_int_equal(directory_state(&d, directory_account(&d, 3)), ACCOUNT_ACTIVE);
    tell(&d, people_account(&(struct person){ .id = 1, .state = ACCOUNT_SANDBOX }));
    assert_int_equal(directory_state(&d, directory_account(&d, 3)), ACCOUNT_SANDBOX);
    assert_int_equal(directory_state(&d, directory_account(&d, 9)), ACCOUNT_ACTIVE);
    tell(&d, people_account(&(struct person){ .id = 2, .parent = 1, .state = ACCOUNT_SUSPENDED }));
    assert_int_equal(directory_state(&d, directory_account(&d, 3)), ACCOUNT_SUSPENDED);
    assert_int_equal(directory_state(&d, directory_account(&d, 1)), ACCOUNT_SANDBOX);
    /* One whose parent is not there, and two that are each other's. */
    tell(&d, people_account(&(struct person){ .id = 20, .parent = 77 }));
    assert_int_equal(directory_state(&d, directory_account(&d, 20)), ACCOUNT_SUSPENDED);
    tell(&d, people_account(&(struct person){ .id = 21, .parent = 22 }));
    tell(&d, people_account(&(struct person){ .id = 22, .parent = 21 }));
    assert_int_equal(directory_state(&d, directory_account(&d, 21)), ACCOUNT_SUSPENDED);
    directory_done(&d);
}

static void test_t10_tenants(void **state)
{
    struct directory d;

    (void)state;
    directory_init(&d);
    tell_all(&d);
    assert_non_null(directory_tenant(&d, STR("mx.host"), STR("web")));
    assert_null(directory_tenant(&d, STR("mx.host"), STR("webb")));
    assert_null(directory_tenant(&d, STR("mx.other"), STR("web")));
    assert_null(directory_tenant(&d, STR("mx.host\nweb"), STR("")));
    tell(&d, people_gone(DIRECTORY_TENANT, 1));
    assert_null(directory_tenant(&d, STR("mx.host"), STR("web")));
    directory_done(&d);
}

static void test_changes(void **state)
{
    struct directory d;

    (void)state;
    directory_init(&d);
    assert_false(d.known);
    tell_all(&d);
    assert_true(d.known);
    assert_non_null(directory_stream_named(directory_account(&d, 2), STR("NEWS")));
    assert_null(directory_stream_named(directory_account(&d, 3), STR("news")));
    assert_false(list_empty(&d.relay_keys));

    /* The first of a name goes, the other stays. */
    tell(&d, people_gone(DIRECTORY_DOMAIN, 5));
    assert_null(directory_grant(&d, directory_account(&d, 2), STR("both.example")));
    assert_non_null(directory_grant(&d, directory_account(&d, 9), STR("both.example")));
    tell(&d, people_gone(DIRECTORY_DOMAIN, 4));
    assert_false(directory_domain_is_taken(&d, STR("both.example")));

    /* T02: a transfer moves a grant from one to another. */
    tell(&d, people_domain(1, 9, "shop.example", DOMAIN_SUBDOMAINS, 0, ""));
    assert_null(directory_grant(&d, directory_account(&d, 2), STR("shop.example")));
    assert_non_null(directory_grant(&d, directory_account(&d, 9), STR("shop.example")));

    /* An account goes with all that is its own. */
    tell(&d, people_gone(DIRECTORY_ACCOUNT, 9));
    assert_false(directory_domain_is_taken(&d, STR("shop.example")));
    assert_null(idmap_find(&d.keys_by_id, 1));
    tell(&d, people_gone(DIRECTORY_KEY, 2));
    assert_true(list_empty(&d.relay_keys));
    tell(&d, people_gone(DIRECTORY_KEY, 2));
    directory_done(&d);
}

static void test_a_whole_one_anew(void **state)
{
    struct directory d;

    (void)state;
    directory_init(&d);
    tell_all(&d);
    tell(&d, people_begin());
    tell(&d, people_account(&(struct person){ .id = 2, .name = "shop" }));
    tell(&d, people_domain(1, 2, "shop.example", 0, FACT_MX, ""));
    assert_non_null(directory_account(&d, 9)); /* until the end it is as it was */
    tell(&d, people_end());
    assert_null(directory_account(&d, 9));
    assert_null(directory_account(&d, 1));
    assert_null(directory_stream(&d, 1));
    assert_null(directory_tenant(&d, STR("mx.host"), STR("web")));
    assert_null(idmap_find(&d.keys_by_id, 1));
    struct dir_domain *g = directory_grant(&d, directory_account(&d, 2), STR("shop.example"));
    assert_int_equal(g->facts, FACT_MX);
    assert_true(list_empty(&g->keys));
    tell_all(&d);
    assert_int_equal(g->facts, 0);
    directory_done(&d);
}

static void test_contradictions_are_refused(void **state)
{
    struct directory d;

    (void)state;
    directory_init(&d);
    tell(&d, people_account(&(struct person){ .id = 1 }));
    assert_false(people_tell(&d, people_stream(1, 2, STREAM_INTERNAL, "s", "", "")));
    assert_false(people_tell(&d, people_domain(1, 2, "a.example", 0, 0, "")));
    assert_false(people_tell(&d, people_key(1, 1, 0, 1, 0, "a.example", "s")));
    tell(&d, people_gone(DIRECTORY_ACCOUNT, 7));
    directory_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t02_r49_grants),   cmocka_unit_test(test_t07_states_cascade),
        cmocka_unit_test(test_t10_tenants),      cmocka_unit_test(test_changes),
        cmocka_unit_test(test_a_whole_one_anew), cmocka_unit_test(test_contradictions_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
