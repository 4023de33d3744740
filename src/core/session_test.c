// SPDX-License-Identifier: Apache-2.0
/* core/session_test.c - whose a session is, as vault says it: certificates, upstreams that speak
 * for several accounts, streams. Limits are intake_test.c's. */
#include "core/core.h"
#include "core/stage.h"

static int set_up(void **state)
{
    *state = stage_raise("local_domains: [home.example]\n"
                         "limits: {sessions_per_client: 2, sessions_per_account: 2}\n"
                         "routes: [{domain: home.example, via: smarthost, host: 127.0.0.1}]\n");
    return 0;
}

static int tear_down(void **state)
{
    stage_end(*state);
    return 0;
}

static unsigned bound(struct stage *s, const struct binding *b)
{
    stage_bind(s, b);
    return stage_ready_code(s);
}

static struct core_session *session_of(struct stage *s, uint64_t id)
{
    struct core *c = s->core;

    return session_find(&c->accept[0], id);
}

static void R09_a_certificate_moves_the_session_to_its_account(void **state)
{
    struct stage *s = *state;

    assert_int_equal(bound(s, &(struct binding){ .session = 1, .opening = 1 }), 0);
    assert_int_equal(bound(s, &(struct binding){ .session = 1,
                                                 .opening = BIND_CERT,
                                                 .account = 8,
                                                 .credential = 3,
                                                 .stream = 4,
                                                 .flags = BIND_CERTIFICATE | BIND_AUTHENTICATED }),
                     0);
    assert_int_equal(session_of(s, 1)->account, 8);
    assert_int_equal(session_of(s, 1)->credential, 3);
    assert_int_equal(session_of(s, 1)->stream, 4);
    /* It counts against its account now, no longer against its address. */
    assert_int_equal(bound(s, &(struct binding){ .session = 2, .opening = 1 }), 0);
    assert_int_equal(bound(s, &(struct binding){ .session = 3, .opening = 1 }), 0);
    assert_int_equal(bound(s, &(struct binding){ .session = 4, .opening = 1 }), 421);
}

static void R25_a_certificate_of_nobody_changes_nothing(void **state)
{
    struct stage *s = *state;

    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(bound(s, &(struct binding){ .session = i, .opening = 1 }), 0);
        assert_int_equal(bound(s, &(struct binding){ .session = i, .opening = BIND_CERT }), 0);
    }
    assert_int_equal(session_of(s, 1)->account, 0);
    assert_int_equal(bound(s, &(struct binding){ .session = 3, .opening = 1 }), 421);
}

static void R25_certificates_meet_the_limit_of_their_account(void **state)
{
    struct stage *s = *state;

    for (uint64_t i = 1; i <= 3; i++) {
        char client[] = "192.0.2.0";
        client[sizeof client - 2] = (char)('0' + i);
        assert_int_equal(
            bound(s, &(struct binding){ .session = i, .opening = 1, .client = client }), 0);
        assert_int_equal(bound(s, &(struct binding){ .session = i,
                                                     .opening = BIND_CERT,
                                                     .account = 8,
                                                     .credential = 3,
                                                     .flags = BIND_AUTHENTICATED }),
                         i <= 2 ? 0 : 421);
    }
}

static void P05_a_certificate_opens_no_session(void **state)
{
    struct stage *s = *state;

    stage_bind(s, &(struct binding){ .session = 9, .opening = BIND_CERT, .account = 8 });
    stage_settle(s);
    assert_int_equal(player_waiting(&s->accept, WIRE_SESSION_READY), 0);
    assert_null(session_of(s, 9));
}

static void T10_an_upstream_is_known_by_name_and_header(void **state)
{
    struct stage *s = *state;
    struct core_session *one;

    assert_int_equal(bound(s, &(struct binding){ .session = 1,
                                                 .opening = 1,
                                                 .flags = BIND_TRUSTED | BIND_TENANTS,
                                                 .upstream = "panel",
                                                 .tenant_header = "X-Customer" }),
                     0);
    one = session_of(s, 1);
    assert_true(str_eq(one->upstream, STR("panel")));
    assert_true(str_eq(one->tenant_header, STR("X-Customer")));
    /* Taken from it, it is nobody's. */
    stage_bind(s, &(struct binding){ .session = 1, .opening = BIND_UNASKED });
    stage_settle(s);
    assert_int_equal(one->flags, 0);
    assert_int_equal(one->upstream.len, 0);
    assert_int_equal(one->tenant_header.len, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R09_a_certificate_moves_the_session_to_its_account),
        TEST(R25_a_certificate_of_nobody_changes_nothing),
        TEST(R25_certificates_meet_the_limit_of_their_account),
        TEST(P05_a_certificate_opens_no_session),
        TEST(T10_an_upstream_is_known_by_name_and_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
