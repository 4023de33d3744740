// SPDX-License-Identifier: Apache-2.0
/* deliver/rehearsal.c - what the tests of the role share. */
#include "deliver/rehearsal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct peer peer;
struct fixture fixture;

int rehearsal_group_setup(void **state)
{
    (void)state;
    loop_init();
    peer_start(&peer, "127.0.0.1", 0);
    return 0;
}

int rehearsal_group_teardown(void **state)
{
    (void)state;
    peer_stop(&peer);
    return 0;
}

void set_up(const char *const *script)
{
    fixture_start(&fixture, peer_port(&peer));
    fixture.routes[0].tls = fixture.routes[1].tls = TLS_NEVER;
    peer_play(&peer, script);
}

void tear_down(void)
{
    fixture_stop(&fixture);
    while (peer.running > 0)
        loop_turn(10);
}

void check(const char *told)
{
    if (peer.failure[0] || fixture.failure[0])
        fail_msg("%s%s", peer.failure, fixture.failure);
    assert_string_equal(buf_cstr(&fixture.told), told);
}

bool ended_well(const char *name, const char *told, const char *content)
{
    struct str got = buf_str(&fixture.told);

    if (peer.failure[0] || fixture.failure[0])
        print_error("%s: %s%s\n", name, peer.failure, fixture.failure);
    else if (!str_eq(got, str_of(told)))
        print_error("%s: got \"%.*s\", want \"%s\"\n", name, STR_FMT(got), told);
    else if (content && !str_eq(buf_str(&peer.content), str_of(content)))
        print_error("%s: content \"%.*s\"\n", name, STR_FMT(buf_str(&peer.content)));
    else
        return true;
    return false;
}
