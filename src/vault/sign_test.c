// SPDX-License-Identifier: Apache-2.0
/* vault/sign_test.c - core asks for signatures: good ones, refused ones, keys that cannot be read,
 * the secret exchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/clock.h"
#include "vault/control_sql.h"
#include "vault/domains_own.h"
#include "vault/zone_test.h"

#define HOUR_MS (3600 * 1000)

static void configure(struct config *c)
{
    c->proof = (struct config_proof){ .check_ms = HOUR_MS,
                                      .pending_ms = HOUR_MS,
                                      .lost_ms = 72 * (int64_t)HOUR_MS };
}

static const char *of_keys(struct str name, uint16_t rrtype);
static struct zone *the_zone;

static int set_up(void **state)
{
    struct zone *z = NEW(struct zone);
    void *w;

    if (world_set_up(&w) != 0)
        return -1;
    zone_init(z, w);
    the_zone = z;
    configure(z->world->config);
    *state = z;
    return 0;
}

static int tear_down(void **state)
{
    struct zone *z = *state;
    void *w = z->world;

    world_tear_down(&w);
    free(z);
    return 0;
}

static struct domains *domains_of(const struct zone *z)
{
    return z->world->vault->domains;
}

/* Every key's record is where it belongs. */
static const char *of_keys(struct str name, uint16_t rrtype)
{
    static char text[700];

    LIST_EACH (&domains_of(the_zone)->grants.all, struct grant, g, link)
        LIST_EACH (&g->keys, struct key, k, link) {
            char at[300];
            (void)snprintf(at, sizeof at, "%.*s._domainkey.%.*s", STR_FMT(k->selector),
                           STR_FMT(g->domain));
            if (rrtype != DNS_TXT || !str_eq(str_of(at), name))
                continue;
            (void)snprintf(text, sizeof text, "%.*s", STR_FMT(k->record));
            return text;
        }
    return "";
}

/* Waits like a request, while questions are answered by of_keys(). */
static void pump_until(struct zone *z, bool (*done)(const struct zone *z))
{
    const int64_t last_ms = clock_mono_ms() + 60000; /* RSA takes its time */

    while (!done(z)) {
        assert_true(clock_mono_ms() < last_ms);
        zone_answer(z);
        loop_turn(5);
    }
}

static bool all_active(const struct zone *z)
{
    bool active = true;

    LIST_EACH (&domains_of(z)->grants.all, struct grant, g, link) {
        active = active && !list_empty(&g->keys);
        LIST_EACH (&g->keys, struct key, k, link)
            active = active && k->state == KEY_ACTIVE;
        checker_watch(domains_of(z), g, 0);
    }
    return active;
}

static void have_domain(struct zone *z, const char *domain, const char *account,
                        const char *settings)
{
    ask_for(
        z->world, 200,
        (struct ask){ ADMIN_DOMAIN_ADD, .name = domain, .account = account, .settings = settings });
    z->any = of_keys;
    pump_until(z, all_active);
    z->any = NULL;
    zone_answer(z);
}

static const struct key *key_of(const struct zone *z, const char *domain,
                                enum dkim_algorithm algorithm)
{
    LIST_EACH (&grants_named(&domains_of(z)->grants, str_of(domain))->keys, struct key, k, link)
        if (k->algorithm == algorithm)
            return k;
    return NULL;
}

static void ask_sign(struct zone *z, uint64_t question, uint64_t account, uint64_t key,
                     struct str hash)
{
    struct wire_sign *f = wire_add(z->world->core.channel, WIRE_SIGN, hash.len);

    f->question = question;
    f->account = account;
    f->key = key;
    wire_put(f, &f->hash, hash);
}

static const struct wire_signed *signed_for(struct zone *z, uint64_t question)
{
    for (int turn = 0; turn < 2000; turn++) {
        const struct wire_signed *f;
        for (size_t n = 0; (f = far_nth(&z->world->core, WIRE_SIGNED, n)) != NULL; n++)
            if (f->question == question)
                return f;
        loop_turn(10);
    }
    fail_msg("no answer to %d", (int)question);
    return NULL;
}

static bool verifies(const struct key *k, struct str hash, struct str signature)
{
    static const uint8_t body_hash[DKIM_HASH_BYTES];
    struct dkim_signature s = { .algorithm = k->algorithm,
                                .body_length = UINT64_MAX,
                                .domain = k->grant->domain,
                                .selector = k->selector,
                                .identity = STR("@example.com"),
                                .signature = signature };
    struct dkim_key key;
    struct arena a;
    struct err err;

    arena_init(&a, 1024);
    assert_true(dkim_key_read(k->record, &a, &key, &err));
    bool ok = dkim_verify(&s, &key, (const uint8_t *)hash.ptr, body_hash, 1000, &err);
    arena_done(&a);
    return ok;
}

static const struct str hash_one = STR("0123456789abcdef0123456789abcdef");
static const struct str hash_two = STR("0123456789abcdef0123456789abcdeF");

static void signatures_verify_R43(void **state)
{
    struct zone *z = *state;

    have_domain(z, "example.com", "office", "method=attested\n");
    for (enum dkim_algorithm al = DKIM_RSA_SHA256; al <= DKIM_ED25519_SHA256; al++) {
        const struct key *k = key_of(z, "example.com", al);
        ask_sign(z, al, 1, k->id, hash_one);
        const struct wire_signed *f = signed_for(z, al);
        assert_int_equal(f->code, 0);
        assert_true(verifies(k, hash_one, wire_get(f, f->signature)));
        assert_false(verifies(k, hash_two, wire_get(f, f->signature)));
    }
}

static void many_at_once_and_the_same_again(void **state)
{
    struct zone *z = *state;
    char hashes[40][DKIM_HASH_BYTES];

    have_domain(z, "example.com", "office", "method=attested\nalgorithms=ed25519\n");
    const struct key *k = key_of(z, "example.com", DKIM_ED25519_SHA256);
    /* Each hash is asked for twice while it is under way, and once afterwards. */
    for (uint64_t i = 0; i < 80; i++) {
        memset(hashes[i / 2], (int)(i / 2), DKIM_HASH_BYTES);
        ask_sign(z, i, 1, k->id, str_make(hashes[i / 2], DKIM_HASH_BYTES));
    }
    for (uint64_t i = 0; i < 80; i++) {
        const struct wire_signed *f = signed_for(z, i);
        assert_true(
            verifies(k, str_make(hashes[i / 2], DKIM_HASH_BYTES), wire_get(f, f->signature)));
    }
    for (uint64_t i = 0; i < 40; i++)
        ask_sign(z, 100 + i, 1, k->id, str_make(hashes[i], DKIM_HASH_BYTES));
    for (uint64_t i = 0; i < 40; i++) {
        const struct wire_signed *f = signed_for(z, 100 + i), *before = signed_for(z, 2 * i);
        assert_true(str_eq(wire_get(f, f->signature), wire_get(before, before->signature)));
    }
    assert_int_equal(far_count(&z->world->core, WIRE_SIGNED), 120);
}

static void expect_refusal(struct zone *z, uint64_t question, const char *words)
{
    const struct wire_signed *f = signed_for(z, question);

    assert_int_equal(f->code, 451);
    assert_int_equal(f->signature.len, 0);
    if (!str_has(wire_get(f, f->text), words))
        fail_msg("%.*s", STR_FMT(wire_get(f, f->text)));
}

static void only_whose_domain_it_is_T01(void **state)
{
    struct zone *z = *state;

    have_domain(z, "example.com", "office", "method=attested\nalgorithms=ed25519\n");
    const uint64_t key = key_of(z, "example.com", DKIM_ED25519_SHA256)->id;
    ask_sign(z, 1, 2, key, hash_one);
    expect_refusal(z, 1, "may not sign for example.com");
    ask_sign(z, 2, 77, key, hash_one);
    expect_refusal(z, 2, "may not sign");
    ask_sign(z, 3, 1, 4711, hash_one);
    expect_refusal(z, 3, "was taken away");
    ask_sign(z, 4, 1, key, hash_one);
    assert_int_equal(signed_for(z, 4)->code, 0);
    /* What is kept is not given to others either. */
    ask_sign(z, 5, 2, key, hash_one);
    expect_refusal(z, 5, "may not sign");

    z->world->config->dkim.also_sign = STR("example.com");
    ask_sign(z, 6, 2, key, hash_one);
    assert_int_equal(signed_for(z, 6)->code, 0);
    z->world->config->dkim.also_sign = STR("");

    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_REMOVE, .name = "example.com" });
    ask_sign(z, 7, 1, key, hash_one);
    expect_refusal(z, 7, "was taken away");
}

static void accounts_below_share_R49(void **state)
{
    struct zone *z = *state;

    ask_for(z->world, 200,
            (struct ask){ ADMIN_ACCOUNT_ADD, .name = "desk", .account = "office" }); /* a3 */
    have_domain(z, "example.com", "office", "method=attested\nalgorithms=ed25519\n");
    const struct key *k = key_of(z, "example.com", DKIM_ED25519_SHA256);
    ask_sign(z, 1, 3, k->id, hash_one);
    expect_refusal(z, 1, "may not sign");
    ask_for(
        z->world, 200,
        (struct ask){ ADMIN_ACCOUNT_SET, .name = "office", .settings = "shares_domains=true\n" });
    ask_sign(z, 2, 3, k->id, hash_one);
    assert_int_equal(signed_for(z, 2)->code, 0);
}

static void a_pending_key_does_not_sign(void **state)
{
    struct zone *z = *state;

    ask_for(z->world, 200,
            (struct ask){ ADMIN_DOMAIN_ADD, .name = "example.com", .account = "office",
                          .settings = "method=attested\nalgorithms=ed25519\n" });
    ask_for(z->world, 200, (struct ask){ ADMIN_DOMAIN_RECORDS, .name = "example.com" });
    ask_sign(z, 1, 1, key_of(z, "example.com", DKIM_ED25519_SHA256)->id, hash_one);
    expect_refusal(z, 1, "not in force");
}

static void a_hash_is_32_octets(void **state)
{
    struct zone *z = *state;

    ask_sign(z, 1, 1, 1, str_sub(hash_one, 0, 31));
    while (!z->world->core.closed)
        loop_turn(10);
}

/* The database is the worker's, which has nothing to do just now. */
static void damage(struct zone *z, const char *sql)
{
    struct err err;

    assert_true(database_run(z->world->vault->control->db, sql, &err));
}

static void a_key_that_cannot_be_read_defers_Y04(void **state)
{
    struct zone *z = *state;

    have_domain(z, "example.com", "office", "method=attested\nalgorithms=ed25519\n");
    const uint64_t key = key_of(z, "example.com", DKIM_ED25519_SHA256)->id;
    damage(z, "CREATE TABLE safe AS SELECT sealed FROM dkim_key");
    damage(z, "UPDATE dkim_key SET sealed = zeroblob(100)");
    ask_sign(z, 1, 1, key, hash_one);
    ask_sign(z, 2, 1, key, hash_two);
    expect_refusal(z, 1, "does not open");
    expect_refusal(z, 2, "does not open");
    assert_true(log_has(z->world, "event=signing-failed"));
    damage(z, "UPDATE dkim_key SET sealed = (SELECT sealed FROM safe)");
    ask_sign(z, 3, 1, key, hash_one);
    assert_int_equal(signed_for(z, 3)->code, 0);
}

/* --- over restarts --- */

static char folder[64];

static int set_up_on_disk(void **state)
{
    struct zone *z;

    if (set_up(state) != 0)
        return -1;
    z = *state;
    (void)snprintf(folder, sizeof folder, "/tmp/baton-sign-XXXXXX");
    assert_non_null(mkdtemp(folder));
    world_stop(z->world);
    z->world->state_folder = str_of(folder);
    world_start(z->world);
    return 0;
}

static int tear_down_on_disk(void **state)
{
    static const char *const names[] = { "vault/control.db", "vault/control.db-wal",
                                         "vault/control.db-shm", "vault/lock", "vault" };
    char path[128];
    int failed = tear_down(state);

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    (void)rmdir(folder);
    return failed;
}

static void keys_outlive_the_process_Y12(void **state)
{
    struct zone *z = *state;

    have_domain(z, "example.com", "office", "method=attested\nalgorithms=ed25519\n");
    world_stop(z->world);
    world_start(z->world);
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_DOMAIN), 1);
    assert_int_equal(far_count(&z->world->core, WIRE_DIRECTORY_KEY), 1);
    const struct key *k = key_of(z, "example.com", DKIM_ED25519_SHA256);
    ask_sign(z, 1, 1, k->id, hash_one);
    const struct wire_signed *f = signed_for(z, 1);
    assert_true(verifies(k, hash_one, wire_get(f, f->signature)));
}

struct rewrapping {
    const char *before, *after;
};

static bool rewrap(struct control *c, const struct rewrapping *r, struct err *err)
{
    struct buf before, after;
    bool found;

    buf_init(&before, KEYBOX_WRAPPED_BYTES);
    buf_init(&after, KEYBOX_WRAPPED_BYTES);
    bool ok = control_read_sealed_key(c, SEALED_SEALING_KEY, &before, &found, err) && found &&
              keybox_rewrap((const uint8_t *)r->before, (const uint8_t *)r->after, buf_str(&before),
                            &after, err) &&
              control_write_sealed_key(c, SEALED_SEALING_KEY, buf_str(&after), 1, err);
    buf_done(&before);
    buf_done(&after);
    return ok;
}

static void the_secret_is_exchanged_Y12(void **state)
{
    struct zone *z = *state;
    struct world *w = z->world;
    char before[32], path[128];
    struct control *c;
    struct err err = { 0 };

    have_domain(z, "example.com", "office", "method=attested\nalgorithms=ed25519\n");
    world_stop(w);
    memcpy(before, w->secret, sizeof before);
    memset(w->secret, 9, sizeof w->secret);
    assert_false(world_try_start(w, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_true(str_has(str_of(err.text), "put the former secret file back"));

    (void)snprintf(path, sizeof path, "%s/vault/control.db", folder);
    assert_true(control_open(str_of(path), &c, &err));
    assert_true(rewrap(c, &(struct rewrapping){ before, w->secret }, &err));
    control_free(c);
    world_start(w);
    const struct key *k = key_of(z, "example.com", DKIM_ED25519_SHA256);
    ask_sign(z, 1, 1, k->id, hash_one);
    assert_int_equal(signed_for(z, 1)->code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(signatures_verify_R43),
        TEST(many_at_once_and_the_same_again),
        TEST(only_whose_domain_it_is_T01),
        TEST(accounts_below_share_R49),
        TEST(a_pending_key_does_not_sign),
        TEST(a_hash_is_32_octets),
        TEST(a_key_that_cannot_be_read_defers_Y04),
#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, set_up_on_disk, tear_down_on_disk)
        ON_DISK(keys_outlive_the_process_Y12),
        ON_DISK(the_secret_is_exchanged_Y12),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
