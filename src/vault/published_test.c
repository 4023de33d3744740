// SPDX-License-Identifier: Apache-2.0
/* vault/published_test.c - every mixture of servers against every state of a key; and the keys
 * themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vault/published.h"
#include "vault/signing_key.h"

#define HOUR_MS (3600 * (int64_t)1000)
#define OURS "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define OTHER "v=DKIM1; k=ed25519; p=AAAAAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

/* u ours, w ours with other white space, d ours twice, o another, r revoked, n none, x no name,
 * t timeout, s SERVFAIL */
static struct proof_look look_of(const char *letters, struct proof_server servers[8])
{
    static const struct str ours[] = { STR(OURS), STR(OURS) };
    static const struct str spaced[] = { STR("v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7h"
                                             "cvPapiMlrwIaaPcHURo=") };
    static const struct str other[] = { STR(OTHER) };
    static const struct str revoked[] = { STR("v=DKIM1; k=ed25519; p=") };
    size_t n = 0;

    for (; letters[n]; n++) {
        const char c = letters[n];
        servers[n] = (struct proof_server){ .name = STR("ns") };
        if (c == 'u' || c == 'd')
            servers[n].values = ours, servers[n].count = c == 'd' ? 2 : 1;
        else if (c == 'w')
            servers[n].values = spaced, servers[n].count = 1;
        else if (c == 'o')
            servers[n].values = other, servers[n].count = 1;
        else if (c == 'r')
            servers[n].values = revoked, servers[n].count = 1;
        else if (c == 'x')
            servers[n].said = DNS_SAID_NO_NAME;
        else if (c == 't')
            servers[n].said = DNS_SAID_TIMEOUT;
        else if (c == 's')
            servers[n].said = DNS_SAID_FAILED;
    }
    return (struct proof_look){ servers, n };
}

static const struct judge_case {
    const char *servers;
    enum key_state before;
    int64_t age_ms; /* of a pending key since it was made, a retiring one since then */
    enum published_verdict want;
} judge_cases[] = {
    { "u", KEY_PENDING, 0, PUBLISHED_NOW },
    { "uw", KEY_PENDING, 0, PUBLISHED_NOW },
    { "un", KEY_PENDING, 0, PUBLISHED_AS_BEFORE },
    { "ux", KEY_PENDING, 0, PUBLISHED_AS_BEFORE },
    { "uo", KEY_PENDING, 0, PUBLISHED_AS_BEFORE },
    { "ud", KEY_PENDING, 0, PUBLISHED_AS_BEFORE },
    { "d", KEY_PENDING, 0, PUBLISHED_AS_BEFORE },
    { "r", KEY_PENDING, 0, PUBLISHED_AS_BEFORE },
    { "ut", KEY_PENDING, 0, PUBLISHED_AS_BEFORE },
    { "us", KEY_PENDING, 23 * HOUR_MS, PUBLISHED_AS_BEFORE },
    { "us", KEY_PENDING, 25 * HOUR_MS, PUBLISHED_NOW },
    { "t", KEY_PENDING, 25 * HOUR_MS, PUBLISHED_AS_BEFORE },
    { "nt", KEY_PENDING, 25 * HOUR_MS, PUBLISHED_AS_BEFORE },
    { "", KEY_PENDING, 25 * HOUR_MS, PUBLISHED_AS_BEFORE },
    { "u", KEY_ACTIVE, 0, PUBLISHED_AS_BEFORE },
    { "un", KEY_ACTIVE, 0, PUBLISHED_AS_BEFORE },
    { "n", KEY_ACTIVE, 0, PUBLISHED_AS_BEFORE }, /* not for long enough */
    { "ts", KEY_ACTIVE, 0, PUBLISHED_AS_BEFORE },
    { "", KEY_ACTIVE, 0, PUBLISHED_AS_BEFORE },
    { "uo", KEY_ACTIVE, 0, PUBLISHED_LOST },
    { "ot", KEY_ACTIVE, 0, PUBLISHED_LOST },
    { "r", KEY_ACTIVE, 0, PUBLISHED_LOST },
    { "d", KEY_ACTIVE, 0, PUBLISHED_LOST },
    { "n", KEY_RETIRING, 24 * HOUR_MS, PUBLISHED_AS_BEFORE },
    { "n", KEY_RETIRING, 49 * HOUR_MS, PUBLISHED_OVER },
    { "u", KEY_RETIRING, 49 * HOUR_MS, PUBLISHED_AS_BEFORE },
    { "t", KEY_RETIRING, 49 * HOUR_MS, PUBLISHED_AS_BEFORE },
    { "u", KEY_RETIRING, 9000 * HOUR_MS, PUBLISHED_OVER },
};

static void every_mixture_against_every_state_F27(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(judge_cases); i++) {
        const struct judge_case *c = &judge_cases[i];
        const int64_t now_ms = 100000 * HOUR_MS;
        const struct published_rules rules = { .now_ms = now_ms,
                                               .lost_ms = 72 * HOUR_MS,
                                               .retire_ms = 48 * HOUR_MS,
                                               .gap_max_ms = 12 * HOUR_MS,
                                               .checked_ms = now_ms - HOUR_MS };
        struct key_row k = { .state = c->before,
                             .created_wall_ms = now_ms - c->age_ms,
                             .retired_wall_ms = now_ms - c->age_ms };
        struct proof_server servers[8];
        const struct proof_look look = look_of(c->servers, servers);
        const struct published_sight sight = published_see(&look, STR(OURS));
        print_message("\"%s\" in state %d\n", c->servers, (int)c->before);
        assert_int_equal(published_judge(&k, &sight, &rules), c->want);
        assert_int_equal(k.state, c->want == PUBLISHED_NOW    ? KEY_ACTIVE
                                  : c->want == PUBLISHED_LOST ? KEY_PENDING
                                                              : c->before);
    }
}

/* Looks an hour apart at an active key; lost after three. */
static void missing_for_three_hours(void **state)
{
    static const struct {
        const char *looks[8];
        bool lost; /* at the last of them */
    } cases[] = {
        { { "n", "n", "n" }, false },           { { "n", "n", "n", "n" }, true },
        { { "n", "u", "n", "n", "n" }, false }, { { "n", "t", "t", "t", "t", "t" }, false },
        { { "n", "n", "t", "n", "n" }, true },  { { "n", "nt", "nt", "nt", "nt" }, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct key_row k = { .state = KEY_ACTIVE };
        struct published_rules r = { .now_ms = 1, .lost_ms = 3 * HOUR_MS, .gap_max_ms = HOUR_MS };
        for (size_t n = 0; cases[i].looks[n]; n++) {
            struct proof_server servers[8];
            const struct proof_look look = look_of(cases[i].looks[n], servers);
            const struct published_sight sight = published_see(&look, STR(OURS));
            r.checked_ms = r.now_ms;
            r.now_ms += HOUR_MS;
            assert_int_equal(k.state, KEY_ACTIVE);
            (void)published_judge(&k, &sight, &r);
        }
        print_message("case %zu\n", i);
        assert_int_equal(k.state, cases[i].lost ? KEY_PENDING : KEY_ACTIVE);
    }
}

static void keys_are_written_and_read_Y12(void **state)
{
    static const uint8_t hash[DKIM_HASH_BYTES] = { 1, 2, 3 };

    (void)state;
    for (enum dkim_algorithm al = DKIM_RSA_SHA256; al <= DKIM_ED25519_SHA256; al++) {
        struct signing_key *key, *again;
        struct buf record, bytes;
        uint8_t one[SIGNATURE_BYTES_MAX], two[SIGNATURE_BYTES_MAX];
        size_t one_len, two_len;
        struct err err;
        buf_init(&record, KEY_RECORD_BYTES_MAX);
        buf_init(&bytes, SIGNING_KEY_BYTES_MAX);
        assert_true(signing_key_make(al, &key, &record, &err));
        assert_true(signing_key_write(key, &bytes, &err));
        assert_true(signing_key_read(al, buf_str(&bytes), &again, &err));
        assert_true(signing_key_sign(key, hash, one, &one_len, &err));
        assert_true(signing_key_sign(again, hash, two, &two_len, &err));
        assert_int_equal(one_len, al == DKIM_RSA_SHA256 ? 256 : 64);
        assert_true(str_eq(str_make(one, one_len), str_make(two, two_len)));
        signing_key_free(again);
        signing_key_free(key);
        /* Neither a piece of it nor a key of the other kind. */
        assert_false(
            signing_key_read(al, str_sub(buf_str(&bytes), 0, bytes.len / 2), &again, &err));
        assert_int_equal(err.kind, ERR_DAMAGED);
        assert_false(signing_key_read(al == DKIM_RSA_SHA256 ? DKIM_ED25519_SHA256 : DKIM_RSA_SHA256,
                                      buf_str(&bytes), &again, &err));
        assert_false(signing_key_read(al, STR(""), &again, &err));
        buf_done(&record);
        buf_done(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mixture_against_every_state_F27),
        cmocka_unit_test(missing_for_three_hours),
        cmocka_unit_test(keys_are_written_and_read_Y12),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
