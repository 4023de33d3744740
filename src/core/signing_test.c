// SPDX-License-Identifier: Apache-2.0
/* core/signing_test.c - which keys sign a job, and the way of a signature from vault to deliver
 * (R43, R48; Y04). */
#include <stdlib.h>

#include "core/stage.h"
#include "io/loop.h"
#include "mail/dkim.h"

#define HASH "0123456789abcdef0123456789abcdef"

static int set_up(void **state)
{
    struct stage *s = stage_raise("dkim: {also_sign: relay.example}\n");

    stage_tell(s, people_domain(1, 5, "sender.example", DOMAIN_SUBDOMAINS, 0, ""));
    stage_tell(s, people_domain(2, 60, "relay.example", 0, 0, ""));
    stage_tell(s, people_key(1, 1, 0, DKIM_RSA_SHA256, 0, "sender.example", "r1"));
    stage_tell(s, people_key(2, 1, 0, DKIM_ED25519_SHA256, 0, "sender.example", "e1"));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    stage_end(*state);
    return 0;
}

static void expect_signs(const struct job_seen *j, const char *want)
{
    struct buf got;

    buf_init(&got, 1024);
    for (size_t i = 0; i < j->sign_count; i++)
        buf_addf(&got, "%s%.*s/%.*s", i ? " " : "",
                 STR_FMT(wire_get(j->signs[i], j->signs[i]->selector)),
                 STR_FMT(wire_get(j->signs[i], j->signs[i]->domain)));
    if (!str_eq(buf_str(&got), str_of(want)))
        fail_msg("%.*s", STR_FMT(buf_str(&got)));
    buf_done(&got);
}

/* --- which keys --- */

static void r43_both_algorithms_sign(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ .body_hash = HASH });
    expect_signs(&j, "e1/sender.example r1/sender.example");
    assert_true(str_eq(j.body_hash, STR(HASH)));
    const struct wire_job_sign *m = j.signs[0];
    assert_int_equal(m->algorithm, DKIM_ED25519_SHA256);
    assert_int_equal(m->expires_s - m->signed_s, s->config->retry.expire_ms / 1000 + 7 * 24 * 3600);
    job_seen_done(&j);
}

static void r43_a_hash_of_another_length_is_none(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ .body_hash = "short" });
    assert_int_equal(j.body_hash.len, 0);
    job_seen_done(&j);
}

static void r43_the_relays_own_keys_sign_beside(void **state)
{
    struct stage *s = *state;

    stage_tell(s, people_key(3, 2, 0, DKIM_RSA_SHA256, KEY_RELAY, "relay.example", "own"));
    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    expect_signs(&j, "e1/sender.example r1/sender.example own/relay.example");
    job_seen_done(&j);
}

/* Not granted: in observe it is sent, in nobody's name but the relay's. */
static void t01_a_strangers_name_is_not_signed(void **state)
{
    struct stage *s = *state;

    stage_tell(s, people_key(3, 2, 0, DKIM_RSA_SHA256, KEY_RELAY, "relay.example", "own"));
    stage_open(s, 6);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    expect_signs(&j, "own/relay.example");
    job_seen_done(&j);
}

static void y03_two_from_are_not_signed(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(
        s, &(struct letter){ .content =
                                 "From: a@sender.example\r\nFrom: a@sender.example\r\n\r\nx\r\n" });
    expect_signs(&j, "");
    job_seen_done(&j);
}

static void r48_a_streams_own_key(void **state)
{
    struct stage *s = *state;

    stage_tell(s, people_stream(7, 5, STREAM_MARKETING, "news", "", ""));
    stage_tell(s, people_key(3, 1, 7, DKIM_RSA_SHA256, 0, "sender.example", "news"));
    stage_tell(s, people_key(4, 1, 8, DKIM_ED25519_SHA256, 0, "sender.example", "other"));
    stage_open(s, 5);
    struct job_seen j = stage_one_job(
        s, &(struct letter){ .content =
                                 "X-Baton-Stream: news\r\nFrom: a@sender.example\r\n\r\nx\r\n" });
    expect_signs(&j, "e1/sender.example news/sender.example");
    job_seen_done(&j);
    stage_accept(s, &(struct letter){ 0 });
    j = stage_job(s, &s->deliver);
    expect_signs(&j, "e1/sender.example r1/sender.example");
    job_seen_done(&j);
}

/* Keys are those of the day it leaves; a domain that is no longer the account's signs no more. */
static void f27_keys_are_chosen_when_it_leaves(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    stage_accept(s, &(struct letter){ 0 });
    stage_accept(s, &(struct letter){ .to = { "ann@second.example" } });
    stage_tell(s, people_gone(DIRECTORY_KEY, 2));
    stage_tell(s, people_key(9, 1, 0, DKIM_RSA_SHA256, 0, "sender.example", "r2"));
    stage_tell(s, people_gone(DIRECTORY_KEY, 1));
    stage_site(s, "remote.example", "mx.remote.example");
    struct job_seen j = stage_job(s, &s->deliver);
    expect_signs(&j, "r2/sender.example");
    job_seen_done(&j);
    stage_tell(s, people_gone(DIRECTORY_DOMAIN, 1));
    stage_site(s, "second.example", "mx.second.example");
    j = stage_job(s, &s->deliver);
    expect_signs(&j, "");
    job_seen_done(&j);
}

/* Our own notifications: by whoever has the postmaster's domain. */
static void r43_notifications_are_signed_by_the_relays_domain(void **state)
{
    struct stage *s = *state;

    stage_tell(s, people_key(3, 2, 0, DKIM_RSA_SHA256, 0, "relay.example", "own"));
    stage_open(s, 6);
    struct job_seen j = stage_one_job(s, &(struct letter){ .from = "bob@home.example" });
    expect_signs(&j, "");
    stage_result(s, &s->deliver, &j,
                 &(struct verdict){ OUTCOME_BOUNCED, 550, 1, 1, "no such user", false });
    stage_site(s, "home.example", "mx.home.example");
    j = stage_job(s, &s->deliver);
    assert_int_equal(j.reverse_path.len, 0);
    expect_signs(&j, "own/relay.example");

    struct wire_sign_ask *ask = wire_add(s->deliver.channel, WIRE_SIGN_ASK, 32);
    ask->job = j.job;
    ask->key = 3;
    wire_put(ask, &ask->hash, STR(HASH));
    const struct wire_sign *sign = player_next(&s->vault, WIRE_SIGN);
    assert_int_equal(sign->account, 60);
    job_seen_done(&j);
}

static void the_sandbox_shows_no_signatures(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    stage_accept(s, &(struct letter){ .to = { "a@sandbox.example" } });
    struct job_seen j = stage_job(s, &s->report);
    expect_signs(&j, "");
    job_seen_done(&j);
}

/* --- signatures --- */

static void ask(struct stage *s, uint64_t job, uint64_t key, const char *hash)
{
    struct wire_sign_ask *m = wire_add(s->deliver.channel, WIRE_SIGN_ASK, strlen(hash));

    m->job = job;
    m->key = key;
    wire_put(m, &m->hash, str_of(hash));
}

static void sign(struct stage *s, uint64_t question, uint16_t code, const char *text)
{
    struct wire_signed *m = wire_add(s->vault.channel, WIRE_SIGNED, strlen(text));

    m->question = question;
    m->code = code;
    wire_put(m, code ? &m->text : &m->signature, str_of(text));
}

static void y04_signatures_come_back_to_who_asked(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    ask(s, j.job, 1, HASH);
    ask(s, j.job, 2, HASH);
    const struct wire_sign *first = player_next(&s->vault, WIRE_SIGN);
    const struct wire_sign *second = player_next(&s->vault, WIRE_SIGN);
    assert_true(first->account == 5 && first->key == 1 && second->key == 2);
    assert_true(str_eq(wire_get(first, first->hash), STR(HASH)));
    sign(s, second->question, 0, "signature two");
    sign(s, first->question, 451, "the key cannot be read");
    sign(s, 999, 0, "nobody asked");
    const struct wire_job_signed *got = player_next(&s->deliver, WIRE_JOB_SIGNED);
    assert_true(got->job == j.job && got->key == 2 && got->code == 0);
    assert_true(str_eq(wire_get(got, got->signature), STR("signature two")));
    got = player_next(&s->deliver, WIRE_JOB_SIGNED);
    assert_true(got->key == 1 && got->code == 451);
    assert_true(str_has(wire_get(got, got->text), "cannot be read"));
    job_seen_done(&j);
}

static void y04_without_vault_it_waits(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    ask(s, j.job, 1, HASH);
    (void)player_next(&s->vault, WIRE_SIGN);
    stage_cut(s, &s->vault); /* with the question */
    const struct wire_job_signed *got = player_next(&s->deliver, WIRE_JOB_SIGNED);
    assert_int_equal(got->code, 451);
    ask(s, j.job, 2, HASH);
    got = player_next(&s->deliver, WIRE_JOB_SIGNED);
    assert_true(got->key == 2 && got->code == 451);
    job_seen_done(&j);
}

/* The result is faster than the signature. */
static void a_signature_for_a_job_that_is_over(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    ask(s, j.job, 1, HASH);
    const struct wire_sign *m = player_next(&s->vault, WIRE_SIGN);
    uint64_t job = j.job;
    stage_result(s, &s->deliver, &j,
                 &(struct verdict){ OUTCOME_DELIVERED, 250, 0, 0, "ok", false });
    stage_await_empty(s);
    sign(s, m->question, 0, "late");
    ask(s, job, 1, HASH); /* nothing comes of this either */
    stage_settle(s);
    assert_int_equal(player_waiting(&s->deliver, WIRE_JOB_SIGNED), 0);
    assert_int_equal(player_waiting(&s->vault, WIRE_SIGN), 0);
    assert_false(s->deliver.closed);
}

/* A deliver that was taken over gets nothing that its job does not name. */
static void y04_a_deliver_out_of_its_mind_loses_its_link(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    ask(s, j.job, 3, HASH);
    stage_await_closed(&s->deliver);
    assert_int_equal(player_waiting(&s->vault, WIRE_SIGN), 0);
    job_seen_done(&j);
}

static void y04_a_hash_that_is_none(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    ask(s, j.job, 1, "short");
    stage_await_closed(&s->deliver);
    job_seen_done(&j);
}

static void y04_too_many_at_once(void **state)
{
    struct stage *s = *state;

    stage_open(s, 5);
    struct job_seen j = stage_one_job(s, &(struct letter){ 0 });
    for (int i = 0; i < 2 * JOB_SIGNS_MAX; i++)
        ask(s, j.job, 1, HASH);
    stage_settle(s);
    assert_false(s->deliver.closed);
    ask(s, j.job, 1, HASH);
    stage_await_closed(&s->deliver);
    job_seen_done(&j);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(r43_both_algorithms_sign),
        TEST(r43_a_hash_of_another_length_is_none),
        TEST(r43_the_relays_own_keys_sign_beside),
        TEST(t01_a_strangers_name_is_not_signed),
        TEST(y03_two_from_are_not_signed),
        TEST(r48_a_streams_own_key),
        TEST(f27_keys_are_chosen_when_it_leaves),
        TEST(r43_notifications_are_signed_by_the_relays_domain),
        TEST(the_sandbox_shows_no_signatures),
        TEST(y04_signatures_come_back_to_who_asked),
        TEST(y04_without_vault_it_waits),
        TEST(a_signature_for_a_job_that_is_over),
        TEST(y04_a_deliver_out_of_its_mind_loses_its_link),
        TEST(y04_a_hash_that_is_none),
        TEST(y04_too_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
