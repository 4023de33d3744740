// SPDX-License-Identifier: Apache-2.0
/* vault/auth_test.c - signing in: by secret, password, SCRAM and certificate; what it costs, who is
 * refused, and what becomes of open sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/code.h"
#include "io/clock.h"
#include "mail/header.h"
#include "vault/world_test.h"

#define NONCE "fyko+d2lbbFgONRv9qkxdawL"
#define PRINT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PASSWORD "correct horse"

/* What others do ------------------------------------------------------------------------------- */

/* Makes a credential of office's with these settings; its secret goes to `secret`. */
static void make(struct world *w, const char *user, const char *settings,
                 char secret[SECRET_TEXT_MAX + 1])
{
    struct str mark = STR("\"secret\":\""), rest, text;

    ask_for(w, 200,
            (struct ask){
                .verb = ADMIN_CRED_ADD, .name = user, .account = "office", .settings = settings });
    size_t at = str_find(row(w, 0), mark);
    assert_true(at < row(w, 0).len);
    assert_true(str_cut(str_skip(row(w, 0), at + mark.len), '"', &text, &rest));
    assert_true(text.len <= SECRET_TEXT_MAX);
    memcpy(secret, text.ptr, text.len);
    secret[text.len] = '\0';
}

static void make_person(struct world *w, const char *name, const char *settings)
{
    ask_for(w, 200,
            (struct ask){
                .verb = ADMIN_USER_ADD, .name = name, .account = "office", .settings = settings });
}

static uint64_t come_from(struct world *w, const char *client)
{
    static uint64_t count;

    far_forget(&w->core);
    open_session(w, ++count, client);
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    far_forget(&w->accept);
    return count;
}

/* Each a client of its own, so that none waits for another's failures. */
static uint64_t come(struct world *w)
{
    static unsigned count;
    char client[48];

    (void)snprintf(client, sizeof client, "2001:db8:%x::1", ++count);
    return come_from(w, client);
}

/* The answer to an attempt: 0 when core was told of a binding. */
static unsigned answer(struct world *w)
{
    for (int turn = 0; turn < 2000; turn++) {
        const struct wire_auth_failed *no = far_nth(&w->accept, WIRE_AUTH_FAILED, 0);
        if (no)
            return no->code;
        if (far_count(&w->core, WIRE_SESSION_BIND) > 0)
            return 0;
        loop_turn(10);
    }
    fail_msg("no answer came");
    return 1;
}

static unsigned sign_in(struct world *w, uint64_t session, const char *user, const char *secret)
{
    far_forget(&w->accept);
    far_forget(&w->core);
    send_auth(w, session, user, secret);
    return answer(w);
}

static const struct wire_session_bind *bound(struct world *w)
{
    return far_expect(&w->core, WIRE_SESSION_BIND);
}

static void show_certificate(struct world *w, uint64_t session, const char *print)
{
    struct wire_session_cert *f = wire_add(w->accept.channel, WIRE_SESSION_CERT, 32);
    uint8_t sha256[SECRET_HASH_BYTES];

    secret_fingerprint(str_of(print), sha256);
    far_forget(&w->core);
    f->session = session;
    wire_put(f, &f->fingerprint, str_make(sha256, sizeof sha256));
}

static void send_step(struct world *w, uint64_t session, uint32_t step, struct str message)
{
    struct wire_auth_step *f = wire_add(w->accept.channel, WIRE_AUTH_STEP, message.len);

    far_forget(&w->accept);
    far_forget(&w->core);
    f->session = session;
    f->step = step;
    wire_put(f, &f->message, message);
}

/* SCRAM as the client sees it ------------------------------------------------------------------ */

struct client {
    char first[128], server_first[512], final[512], server_final[128];
    uint8_t salted[32];
};

static void keep_challenge(struct world *w, char *to, size_t room)
{
    const struct wire_auth_challenge *c = far_expect(&w->accept, WIRE_AUTH_CHALLENGE);
    struct str message = wire_get(c, c->message);

    assert_true(message.len < room);
    memcpy(to, message.ptr, message.len);
    to[message.len] = '\0';
}

static void hmac(const uint8_t *key, size_t len, struct str text, uint8_t ret[32])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, len);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)text.ptr, text.len);
    crypto_auth_hmacsha256_final(&state, ret);
}

static void salt_secret(struct client *c, const char *secret, struct str salt, uint64_t iterations)
{
    uint8_t u[32];
    struct buf block;

    buf_init(&block, 64);
    buf_add(&block, salt);
    buf_add(&block, STR("\0\0\0\1"));
    hmac((const uint8_t *)secret, strlen(secret), buf_str(&block), u);
    memcpy(c->salted, u, sizeof u);
    for (uint64_t i = 1; i < iterations; i++) {
        hmac((const uint8_t *)secret, strlen(secret), str_make(u, sizeof u), u);
        for (size_t n = 0; n < sizeof u; n++)
            c->salted[n] ^= u[n];
    }
    buf_done(&block);
}

static void prove(struct client *c, const char *secret)
{
    struct str rest = str_of(c->server_first), nonce, salt64, count, auth;
    uint8_t key[32], stored[32], signature[32];
    uint64_t iterations;
    struct buf salt, text, proof;

    assert_true(str_next(&rest, ',', &nonce));
    assert_true(str_next(&rest, ',', &salt64));
    assert_true(str_next(&rest, ',', &count));
    assert_true(str_to_u64(str_skip(count, 2), 100000, &iterations));
    buf_init(&salt, 64);
    buf_init(&text, 2048);
    buf_init(&proof, 64);
    assert_true(base64_read(&salt, str_skip(salt64, 2), NULL));
    salt_secret(c, secret, buf_str(&salt), iterations);
    buf_addf(&text, "%s,%s,c=biws,%.*s", c->first + 3, c->server_first, STR_FMT(nonce));
    auth = buf_str(&text);
    hmac(c->salted, 32, STR("Client Key"), key);
    (void)crypto_hash_sha256(stored, key, sizeof key);
    hmac(stored, 32, auth, signature);
    for (size_t i = 0; i < 32; i++)
        key[i] ^= signature[i];
    base64_add(&proof, str_make(key, sizeof key));
    (void)snprintf(c->final, sizeof c->final, "c=biws,%.*s,p=%.*s", STR_FMT(nonce),
                   STR_FMT(buf_str(&proof)));
    hmac(c->salted, 32, STR("Server Key"), key);
    hmac(key, 32, auth, signature);
    buf_clear(&proof);
    base64_add(&proof, str_make(signature, sizeof signature));
    (void)snprintf(c->server_final, sizeof c->server_final, "v=%.*s", STR_FMT(buf_str(&proof)));
    buf_done(&salt);
    buf_done(&text);
    buf_done(&proof);
}

static void begin_scram(struct world *w, struct client *c, uint64_t session, const char *user)
{
    (void)snprintf(c->first, sizeof c->first, "n,,n=%s,r=" NONCE, user);
    send_step(w, session, 0, str_of(c->first));
    keep_challenge(w, c->server_first, sizeof c->server_first);
}

/* Up to the server's last word, which must be what the client expects; else the failure's code. */
static unsigned scram(struct world *w, struct client *c, uint64_t session, const char *user,
                      const char *secret)
{
    char said[128];

    begin_scram(w, c, session, user);
    prove(c, secret);
    send_step(w, session, 1, str_of(c->final));
    for (int turn = 0; turn < 2000 && far_count(&w->accept, WIRE_AUTH_CHALLENGE) == 0; turn++) {
        const struct wire_auth_failed *no = far_nth(&w->accept, WIRE_AUTH_FAILED, 0);
        if (no)
            return no->code;
        loop_turn(10);
    }
    keep_challenge(w, said, sizeof said);
    assert_string_equal(said, c->server_final);
    send_step(w, session, 2, STR(""));
    return answer(w);
}

/* Signing in ----------------------------------------------------------------------------------- */

static void R10_scram_signs_in(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    struct client c;
    uint64_t session = come(w);

    make(w, "shop", "normalize=true\n", secret);
    assert_int_equal(scram(w, &c, session, "shop", secret), 0);
    assert_int_equal(bound(w)->session, session);
    assert_int_equal(bound(w)->account, 1);
    assert_int_equal(bound(w)->flags, BIND_AUTHENTICATED | BIND_NORMALIZE);
    assert_true(str_eq(wire_get(bound(w), bound(w)->login), STR("shop")));
    assert_int_equal(w->vault->answers_waiting, 0);
    session = come(w);
    assert_int_equal(scram(w, &c, session, "shop", "bt_wrong"), 535);
    assert_int_equal(scram(w, &c, session, "nobody", secret), 535);
    assert_int_equal(scram(w, &c, session, "shop", secret), 0);
}

static void R07_people_sign_in_from_mail_programs(void **state)
{
    struct world *w = *state;

    make_person(w, "ann", "role=developer\nsubmits=true\npassword=" PASSWORD "\n");
    make_person(w, "bob", "role=developer\npassword=" PASSWORD "\n");
    assert_int_equal(sign_in(w, come(w), "ann", PASSWORD), 0);
    assert_int_equal(bound(w)->account, 1);
    assert_int_equal(bound(w)->credential, 0);
    assert_int_equal(bound(w)->flags, BIND_AUTHENTICATED);
    assert_true(roster_user(&w->vault->roster, STR("ann"))->use_unsaved);
    assert_int_equal(sign_in(w, come(w), "ann", "wrong horse "), 535);
    assert_int_equal(sign_in(w, come(w), "bob", PASSWORD), 535);
    assert_true(log_has(w, "submits=true is not set"));
    assert_false(log_has(w, PASSWORD));
}

static void R16_api_keys_send_when_their_scope_says_so(void **state)
{
    struct world *w = *state;
    char may[SECRET_TEXT_MAX + 1], may_not[SECRET_TEXT_MAX + 1];
    struct client c;

    make(w, "may", "kind=api\nscopes=domains.*,sends.send\n", may);
    make(w, "may-not", "kind=api\nscopes=sends.read\n", may_not);
    assert_int_equal(sign_in(w, come(w), "may", may), 0);
    assert_int_equal(scram(w, &c, come(w), "may", may), 0);
    assert_int_equal(sign_in(w, come(w), "may-not", may_not), 535);
    assert_int_equal(scram(w, &c, come(w), "may-not", may_not), 535);
    assert_true(log_has(w, "lacks the scope sends.send"));
}

static void R48_a_credential_has_its_stream(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];

    ask_for(w, 200, (struct ask){ .verb = ADMIN_STREAM_ADD, .name = "news", .account = "office" });
    make(w, "shop", "stream=news\n", secret);
    assert_int_equal(sign_in(w, come(w), "shop", secret), 0);
    assert_int_equal(bound(w)->stream,
                     roster_credential(&w->vault->roster, STR("shop"))->stream->id);
}

/* What it costs -------------------------------------------------------------------------------- */

struct work {
    uint64_t hashes, compares, passwords;
};

static struct work work_of(const struct vault *v)
{
    return (struct work){ v->hashes, v->compares, v->passwords };
}

static void expect_work(const struct vault *v, struct work before, struct work more)
{
    assert_int_equal(v->hashes - before.hashes, more.hashes);
    assert_int_equal(v->compares - before.compares, more.compares);
    assert_int_equal(v->passwords - before.passwords, more.passwords);
}

static void A04_the_form_of_the_secret_alone_says_what_it_costs(void **state)
{
    static const char *const names[] = { "shop", "ann", "silent", "nobody", "key" };
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    struct client c;

    make(w, "shop", "", secret);
    make(w, "key", "kind=api\nscopes=sends.send\n", secret);
    make_person(w, "ann", "role=developer\nsubmits=true\npassword=" PASSWORD "\n");
    make_person(w, "silent", "role=developer\n");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct work before = work_of(w->vault);
        assert_int_equal(sign_in(w, come(w), names[i], "bt_wrong"), 535);
        expect_work(w->vault, before, (struct work){ 1, 1, 0 });
        before = work_of(w->vault);
        assert_int_equal(sign_in(w, come(w), names[i], "something else"), 535);
        expect_work(w->vault, before, (struct work){ 0, 0, 1 });
        before = work_of(w->vault);
        assert_int_equal(scram(w, &c, come(w), names[i], "bt_wrong"), 535);
        expect_work(w->vault, before, (struct work){ 1, 1, 0 });
    }
}

static void A04_scram_of_nobody_has_the_same_salt_each_time(void **state)
{
    struct world *w = *state;
    struct client one, two, other;

    begin_scram(w, &one, come(w), "nobody");
    begin_scram(w, &two, come(w), "nobody");
    begin_scram(w, &other, come(w), "nobody2");
    struct str of_one = str_of(one.server_first), of_two = str_of(two.server_first);
    struct str salt_one = str_skip(of_one, str_index(of_one, ','));
    assert_true(str_eq(salt_one, str_skip(of_two, str_index(of_two, ','))));
    assert_string_not_equal(one.server_first, two.server_first); /* the nonce */
    struct str of_other = str_of(other.server_first);
    assert_false(str_eq(salt_one, str_skip(of_other, str_index(of_other, ','))));
    assert_true(str_has(of_one, ",i=4096"));
}

static void A05_without_a_verifier_scram_is_refused_until_it_is_rotated(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    struct client c;

    make(w, "shop", "", secret);
    /* As one from before there were any. */
    roster_credential(&w->vault->roster, STR("shop"))->scram.iterations = 0;
    assert_int_equal(scram(w, &c, come(w), "shop", secret), 535);
    assert_true(log_has(w, "no SCRAM verifier"));
    assert_int_equal(sign_in(w, come(w), "shop", secret), 0);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ROTATE, .name = "shop" });
    memcpy(secret, row(w, 0).ptr + str_find(row(w, 0), STR("bt_")), SECRET_TEXT_LEN);
    assert_int_equal(scram(w, &c, come(w), "shop", secret), 0);
}

/* Guessing ------------------------------------------------------------------------------------- */

static void A03_of_one_client_a_few_passwords_are_checked_at_once(void **state)
{
    enum { TRIES = 12 };
    struct world *w = *state;
    uint64_t sessions[TRIES];
    unsigned later = 0;

    for (unsigned i = 0; i < TRIES; i++)
        sessions[i] = come_from(w, "198.51.100.7");
    for (unsigned i = 0; i < TRIES; i++)
        send_auth(w, sessions[i], "nobody", "something else");
    while (far_count(&w->accept, WIRE_AUTH_FAILED) == 0)
        loop_turn(10);
    for (const struct wire_auth_failed *f;
         (f = far_nth(&w->accept, WIRE_AUTH_FAILED, later)) && f->code == 454;)
        later++;
    assert_true(later > 0);
    /* Those who are being looked at, or were. */
    assert_true(w->vault->passwords > 0 && w->vault->passwords <= TRIES - later);
}

static void A03_where_many_were_wrong_the_work_waits(void **state)
{
    struct world *w = *state;
    uint64_t session;

    for (int i = 0; i < 2; i++)
        assert_int_equal(sign_in(w, come_from(w, "198.51.100.8"), "nobody", "bt_wrong"), 535);
    session = come_from(w, "198.51.100.8");
    send_auth(w, session, "nobody", "something else");
    while (w->vault->answers_waiting == 0)
        loop_turn(10);
    assert_int_equal(w->vault->passwords, 0); /* it was heard, and is not looked at yet */
    assert_int_equal(answer(w), 535);
    assert_int_equal(w->vault->passwords, 1);
}

static void a_session_may_end_while_its_password_is_checked(void **state)
{
    struct world *w = *state;
    uint64_t session = come(w);
    struct wire_session_close *f;

    send_auth(w, session, "nobody", "something else");
    while (w->vault->passwords_at_work == 0)
        loop_turn(10);
    f = wire_add(w->accept.channel, WIRE_SESSION_CLOSE, 0);
    f->session = session;
    while (w->vault->answers_waiting > 0)
        loop_turn(10);
    assert_int_equal(far_count(&w->accept, WIRE_AUTH_FAILED), 0);
}

/* Refusals ------------------------------------------------------------------------------------- */

static void A08_networks_of_a_credential(void **state)
{
    static const struct {
        const char *client;
        unsigned code;
    } cases[] = {
        { "198.51.100.9", 0 },           { "::ffff:198.51.100.10", 0 }, { "198.51.101.9", 535 },
        { "::ffff:198.51.101.10", 535 }, { "2001:db8:ffff::1", 0 },     { "2001:db9:ffff::1", 535 },
        { "::198.51.100.9", 535 }, /* compatible is not mapped */
    };
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    struct client c;

    make(w, "shop", "networks=198.51.100.0/24,2001:db8:ffff::/48\n", secret);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (sign_in(w, come_from(w, cases[i].client), "shop", secret) != cases[i].code)
            fail_msg("%s", cases[i].client);
        if (scram(w, &c, come_from(w, cases[i].client), "shop", secret) != cases[i].code)
            fail_msg("%s by SCRAM", cases[i].client);
    }
    assert_true(log_has(w, "in none of the credential's networks"));
}

static void R16_expired_is_refused_as_wrong_is(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    struct client c;

    make(w, "shop", "expires=2020-01-01T00:00:00Z\n", secret);
    assert_int_equal(sign_in(w, come(w), "shop", secret), 535);
    assert_int_equal(scram(w, &c, come(w), "shop", secret), 535);
    assert_true(log_has(w, "the credential has expired"));
}

static void R113_suspension_is_told_to_who_knows_the_secret(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    struct client c;

    ask_for(w, 200,
            (struct ask){ .verb = ADMIN_ACCOUNT_ADD,
                          .name = "branch",
                          .account = "office",
                          .settings = "state=active\n" });
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ADD, .name = "shop", .account = "branch" });
    memcpy(secret, row(w, 0).ptr + str_find(row(w, 0), STR("bt_")), SECRET_TEXT_LEN);
    secret[SECRET_TEXT_LEN] = '\0';
    make_person(w, "ann", "role=developer\nsubmits=true\npassword=" PASSWORD "\n");
    set_account(w, "office", "state=suspended\n"); /* the one above */
    assert_int_equal(sign_in(w, come(w), "shop", secret), 525);
    assert_int_equal(sign_in(w, come(w), "shop", "bt_wrong"), 535);
    assert_int_equal(scram(w, &c, come(w), "shop", secret), 525);
    assert_int_equal(scram(w, &c, come(w), "shop", "bt_wrong"), 535);
    assert_int_equal(sign_in(w, come(w), "ann", PASSWORD), 525);
    assert_int_equal(sign_in(w, come(w), "ann", "wrong horse "), 535);
    set_account(w, "office", "state=sandbox\n");
    assert_int_equal(sign_in(w, come(w), "shop", secret), 0); /* it may try things */
}

/* Certificates and upstreams ------------------------------------------------------------------- */

static void R09_a_certificate_binds(void **state)
{
    struct world *w = *state;
    uint64_t session = come(w);

    ask_for(w, 200,
            (struct ask){ .verb = ADMIN_CRED_ADD,
                          .name = "host",
                          .account = "office",
                          .settings = "kind=cert\nfingerprint=" PRINT "\n" });
    show_certificate(w, session, PRINT);
    assert_int_equal(bound(w)->opening, BIND_CERT);
    assert_int_equal(bound(w)->account, 1);
    assert_int_equal(bound(w)->flags, BIND_CERTIFICATE | BIND_AUTHENTICATED);
    assert_int_equal(sign_in(w, come(w), "host", "bt_anything"), 535);
    /* Its end reaches the session. */
    far_forget(&w->core);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "host" });
    assert_int_equal(bound(w)->session, session);
    assert_int_equal(bound(w)->opening, BIND_UNASKED);
    assert_int_equal(bound(w)->account, 0);
    show_certificate(w, come(w), PRINT);
    assert_int_equal(bound(w)->account, 0);
    assert_int_equal(bound(w)->opening, BIND_CERT);
    assert_true(log_has(w, "event=certificate-refused"));
}

static void R09_a_certificate_that_may_not_be_used_leaves_the_network(void **state)
{
    struct world *w = *state;

    ask_for(w, 200,
            (struct ask){ .verb = ADMIN_CRED_ADD,
                          .name = "host",
                          .account = "printers",
                          .settings = "kind=cert\nnetworks=10.0.0.0/8\nfingerprint=" PRINT "\n" });
    show_certificate(w, come_from(w, "192.0.2.1"), PRINT);
    assert_int_equal(bound(w)->account, 1); /* office's */
    assert_int_equal(bound(w)->flags, BIND_TRUSTED);
    show_certificate(w, come_from(w, "10.1.1.1"), PRINT);
    assert_int_equal(bound(w)->account, 2);
}

static void T10_an_upstream_speaks_for_several_accounts(void **state)
{
    struct world *w = *state;
    const uint32_t flags = BIND_TENANTS | BIND_SIGNS;

    w->networks[1].account = STR("");
    w->networks[1].upstream = STR("panel");
    w->networks[1].tenant_header = STR("X-Customer");
    open_session(w, 1, "192.0.2.200");
    assert_int_equal(bound(w)->account, 0);
    assert_int_equal(bound(w)->flags, flags | BIND_TRUSTED | BIND_NORMALIZE);
    assert_true(str_eq(wire_get(bound(w), bound(w)->upstream), STR("panel")));
    assert_true(str_eq(wire_get(bound(w), bound(w)->tenant_header), STR("X-Customer")));
    ask_for(w, 200,
            (struct ask){ .verb = ADMIN_CRED_ADD,
                          .name = "host",
                          .account = "office",
                          .settings = "kind=cert\nupstream=panel\nfingerprint=" PRINT "\n" });
    show_certificate(w, come(w), PRINT);
    assert_int_equal(bound(w)->account, 0);
    assert_int_equal(bound(w)->flags, flags | BIND_CERTIFICATE | BIND_AUTHENTICATED);
    assert_true(str_eq(wire_get(bound(w), bound(w)->tenant_header), STR("X-Customer")));
}

/* Open sessions -------------------------------------------------------------------------------- */

/* The session is nobody's any more, and core was told so unasked. */
static void expect_fallen(struct world *w, uint64_t session)
{
    assert_int_equal(bound(w)->session, session);
    assert_int_equal(bound(w)->opening, BIND_UNASKED);
    assert_int_equal(bound(w)->account, 0);
    assert_int_equal(bound(w)->flags, 0);
    far_forget(&w->core);
}

static void A07_what_ends_reaches_open_sessions(void **state)
{
    static const struct {
        const char *name;
        struct ask ask;
    } cases[] = {
        { "rotated", { .verb = ADMIN_CRED_ROTATE, .name = "shop" } },
        { "from elsewhere only",
          { .verb = ADMIN_CRED_SET, .name = "shop", .settings = "networks=10.0.0.0/8\n" } },
        { "expired",
          { .verb = ADMIN_CRED_SET,
            .name = "shop",
            .settings = "expires=2020-01-01T00:00:00Z\n" } },
        { "its account suspended",
          { .verb = ADMIN_ACCOUNT_SET, .name = "office", .settings = "state=suspended\n" } },
        { "its account ended",
          { .verb = ADMIN_ACCOUNT_SET,
            .name = "office",
            .settings = "until=2020-01-01T00:00:00Z\n" } },
        { "removed", { .verb = ADMIN_CRED_REMOVE, .name = "shop" } },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = *state;
        char secret[SECRET_TEXT_MAX + 1];
        uint64_t session = come(w);

        print_message("%s\n", cases[i].name);
        make(w, "shop", "", secret);
        assert_int_equal(sign_in(w, session, "shop", secret), 0);
        far_forget(&w->core);
        ask_for(w, 200, cases[i].ask);
        expect_fallen(w, session);
        assert_int_equal(world_tear_down(state), 0);
        assert_int_equal(world_set_up(state), 0);
    }
}

static void A07_people_lose_their_sessions(void **state)
{
    static const char *const settings[] = { "state=suspended\n", "submits=false\n",
                                            "password=another good one\n" };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        uint64_t session = come(w);
        char name[] = "ann0";
        name[3] = (char)('0' + i);
        make_person(w, name, "role=developer\nsubmits=true\npassword=" PASSWORD "\n");
        assert_int_equal(sign_in(w, session, name, PASSWORD), 0);
        far_forget(&w->core);
        ask_for(w, 200,
                (struct ask){ .verb = ADMIN_USER_SET, .name = name, .settings = settings[i] });
        expect_fallen(w, session);
    }
}

static void A07_an_expiry_reaches_open_sessions(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1], settings[64], date[DATE_TEXT_MAX];
    uint64_t session = come(w);

    /* Dates are kept by the second. */
    (void)snprintf(settings, sizeof settings, "expires=%s\n",
                   date_format_iso(clock_wall_ms() + 1500, date));
    make(w, "shop", settings, secret);
    assert_int_equal(sign_in(w, session, "shop", secret), 0);
    far_forget(&w->core);
    expect_fallen(w, session);
}

static void A07_a_stream_reaches_open_sessions(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    uint64_t session = come(w);

    make(w, "shop", "", secret);
    assert_int_equal(sign_in(w, session, "shop", secret), 0);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_STREAM_ADD, .name = "news", .account = "office" });
    far_forget(&w->core);
    ask_for(w, 200,
            (struct ask){ .verb = ADMIN_CRED_SET, .name = "shop", .settings = "stream=news\n" });
    assert_int_equal(bound(w)->session, session);
    assert_int_equal(bound(w)->account, 1);
    assert_int_equal(bound(w)->opening, BIND_UNASKED);
    assert_true(bound(w)->stream != 0);
}

static void A07_a_secret_rotated_within_the_exchange(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    uint64_t session = come(w);
    struct client c;

    make(w, "shop", "", secret);
    begin_scram(w, &c, session, "shop");
    prove(&c, secret);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ROTATE, .name = "shop" });
    send_step(w, session, 1, str_of(c.final));
    assert_int_equal(answer(w), 535);
}

/* Form ----------------------------------------------------------------------------------------- */

static void B07_what_is_misspelt_is_said(void **state)
{
    static const char *const firsts[] = { "", "n,,n=,r=" NONCE, "p=x,,n=a,r=" NONCE,
                                          "n,a=b,n=a,r=" NONCE };
    struct world *w = *state;
    uint64_t session = come(w);
    struct client c;

    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        send_step(w, session, 0, str_of(firsts[i]));
        assert_int_equal(answer(w), 501);
    }
    begin_scram(w, &c, session, "nobody");
    send_step(w, session, 1, STR("c=biws,r=other,p=AAAA"));
    assert_int_equal(answer(w), 501);
    assert_int_equal(w->vault->answers_waiting, 0);
}

static void B07_what_is_begun_anew_forgets_the_old(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_MAX + 1];
    uint64_t session = come(w);
    struct client old, c;

    make(w, "shop", "", secret);
    begin_scram(w, &old, session, "shop");
    prove(&old, secret);
    begin_scram(w, &c, session, "shop");
    send_step(w, session, 1, str_of(old.final)); /* proves the other nonce */
    assert_int_equal(answer(w), 501);
    begin_scram(w, &c, session, "shop");
    assert_int_equal(sign_in(w, session, "shop", secret), 0); /* PLAIN instead */
    assert_int_equal(w->vault->answers_waiting, 0);
}

static void P05_steps_out_of_order_end_the_peer(void **state)
{
    struct world *w = *state;

    send_step(w, come(w), 1, STR("c=biws,r=x,p=AAAA"));
    while (!w->accept.closed)
        loop_turn(10);
    assert_null(w->vault->accept[0].channel);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R10_scram_signs_in),
        TEST(R07_people_sign_in_from_mail_programs),
        TEST(R16_api_keys_send_when_their_scope_says_so),
        TEST(R48_a_credential_has_its_stream),
        TEST(A04_the_form_of_the_secret_alone_says_what_it_costs),
        TEST(A04_scram_of_nobody_has_the_same_salt_each_time),
        TEST(A05_without_a_verifier_scram_is_refused_until_it_is_rotated),
        TEST(A03_of_one_client_a_few_passwords_are_checked_at_once),
        TEST(A03_where_many_were_wrong_the_work_waits),
        TEST(a_session_may_end_while_its_password_is_checked),
        TEST(A08_networks_of_a_credential),
        TEST(R16_expired_is_refused_as_wrong_is),
        TEST(R113_suspension_is_told_to_who_knows_the_secret),
        TEST(R09_a_certificate_binds),
        TEST(R09_a_certificate_that_may_not_be_used_leaves_the_network),
        TEST(T10_an_upstream_speaks_for_several_accounts),
        TEST(A07_what_ends_reaches_open_sessions),
        TEST(A07_people_lose_their_sessions),
        TEST(A07_an_expiry_reaches_open_sessions),
        TEST(A07_a_stream_reaches_open_sessions),
        TEST(A07_a_secret_rotated_within_the_exchange),
        TEST(B07_what_is_misspelt_is_said),
        TEST(B07_what_is_begun_anew_forgets_the_old),
        TEST(P05_steps_out_of_order_end_the_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
