// SPDX-License-Identifier: Apache-2.0
/* vault/role_test.c - the whole role, with accept, core and web played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "vault/role.h"
#include "vault/vault.h"

/* The far end of a link, which keeps the frames that came. */
struct far {
    enum role_kind kind;
    struct channel *channel;
    bool closed;
    size_t count;
    struct frame *frames[64];
};

struct world {
    struct config *config;
    struct str state_folder; /* empty: in memory */
    char secret[32];
    struct vault *vault;
    struct far core, accept, web;
    struct buf log;
};

static bool far_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct far *far = owner;

    (void)c;
    if (!wire_check(f, ROLE_VAULT, far->kind, err))
        return false;
    assert_true(far->count < ARRAY_LEN(far->frames));
    far->frames[far->count] = mem_new(f->len);
    memcpy(far->frames[far->count++], f, f->len);
    return true;
}

static void far_closed(void *owner, struct channel *c, const struct err *why)
{
    struct far *far = owner;

    (void)why;
    far->closed = true;
    far->channel = NULL;
    channel_free(c);
}

static const struct channel_events far_events = { .frame = far_frame, .closed = far_closed };

static void far_forget(struct far *far)
{
    for (size_t i = 0; i < far->count; i++)
        free(far->frames[i]);
    far->count = 0;
}

static void far_link(struct world *w, struct far *far, enum role_kind kind)
{
    struct role_link l = { .peer = kind, .generation = 1 };

    *far = (struct far){ .kind = kind };
    channel_pair(0, &l.channel, 1, &far->channel);
    channel_set_owner(far->channel, &far_events, far);
    vault_role.link(w->vault, &l);
}

static void far_done(struct far *far)
{
    far_forget(far);
    channel_free(far->channel);
}

/* The frame of that type which came, the newest; waits for it. */
static const void *far_expect(struct far *far, enum wire_type type)
{
    for (int turn = 0; turn < 2000; turn++) {
        for (size_t i = far->count; i-- > 0;)
            if (far->frames[i]->type == type)
                return far->frames[i];
        loop_turn(10);
    }
    fail_msg("%s did not come", wire_type_name(type));
    return NULL;
}

static bool str_has(struct str text, const char *part)
{
    return str_find(text, str_of(part)) < text.len;
}

static void keep_line(void *arg, enum log_level level, struct str line)
{
    struct buf *log = arg;

    (void)level;
    buf_add(log, line);
    buf_add_char(log, '\n');
}

static struct config *make_config(struct world *w)
{
    static struct config_network networks[2];
    struct config *c = w->config;

    *c = (struct config){ .state_folder = w->state_folder,
                          .networks = networks,
                          .network_count = ARRAY_LEN(networks) };
    networks[0] = (struct config_network){ .account = STR("office") };
    networks[1] = (struct config_network){ .account = STR("printers"), .normalize = true };
    assert_true(ip_net_parse(STR("192.0.2.0/24"), &networks[0].net, NULL));
    assert_true(ip_net_parse(STR("192.0.2.128/25"), &networks[1].net, NULL));
    return c;
}

static void start(struct world *w)
{
    const struct role_start s = { .kind = ROLE_VAULT,
                                  .config = make_config(w),
                                  .unix_fd = -1,
                                  .secret = str_make(w->secret, sizeof w->secret) };
    struct err err = { 0 };
    void *role;

    if (!vault_role.start(&s, &role, &err))
        fail_msg("%s", err.text);
    w->vault = role;
    far_link(w, &w->core, ROLE_CORE);
    far_link(w, &w->accept, ROLE_ACCEPT);
    far_link(w, &w->web, ROLE_WEB);
}

static int set_up(void **state)
{
    struct world *w = NEW(struct world);

    loop_init();
    buf_init(&w->log, 1 << 20);
    log_set_sink(keep_line, &w->log);
    log_set_level(LOG_DEBUG);
    w->config = NEW(struct config);
    memset(w->secret, 7, sizeof w->secret);
    start(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    far_done(&w->core);
    far_done(&w->accept);
    far_done(&w->web);
    vault_role.free(w->vault);
    log_set_sink(NULL, NULL);
    buf_done(&w->log);
    free(w->config);
    free(w);
    return 0;
}

/* What an operator asks, and how that ended. */
struct ask {
    enum admin_verb verb;
    const char *name, *account, *state;
    uint64_t id;
    uint32_t limit;
};

static const struct wire_admin_end *ask(struct world *w, struct ask a)
{
    struct wire_admin *f;

    far_forget(&w->web);
    f = wire_add(w->web.channel, WIRE_ADMIN, 512);
    f->request = 5;
    f->verb = (uint32_t)a.verb;
    f->id = a.id;
    f->limit = a.limit;
    wire_put(f, &f->actor, STR("root"));
    wire_put(f, &f->name, str_of(a.name));
    wire_put(f, &f->account, str_of(a.account));
    wire_put(f, &f->state, str_of(a.state));
    return far_expect(&w->web, WIRE_ADMIN_END);
}

static struct str row(struct world *w, size_t n)
{
    for (size_t i = 0; i < w->web.count; i++)
        if (w->web.frames[i]->type == WIRE_ADMIN_ROW && n-- == 0) {
            const struct wire_admin_row *f = (const void *)w->web.frames[i];
            return wire_get(f, f->json);
        }
    return STR("");
}

/* Makes a credential; its secret goes to `secret`. */
static void make_credential(struct world *w, const char *user, char secret[SECRET_TEXT_LEN + 1])
{
    assert_int_equal(
        ask(w, (struct ask){ .verb = ADMIN_CRED_ADD, .name = user, .account = "office" })->status,
        200);
    struct str json = row(w, 0);
    size_t at = str_find(json, STR("bt_"));
    assert_true(at + SECRET_TEXT_LEN < json.len);
    memcpy(secret, json.ptr + at, SECRET_TEXT_LEN);
    secret[SECRET_TEXT_LEN] = '\0';
    far_forget(&w->web);
}

static void open_session(struct world *w, uint64_t session, const char *client)
{
    struct wire_session_open *f = wire_add(w->accept.channel, WIRE_SESSION_OPEN, 0);
    struct ip ip;

    assert_true(ip_parse(str_of(client), &ip, NULL));
    f->session = session;
    f->client = wire_ip_of(&ip, 4711);
    f->listener = 2;
}

static void send_auth(struct world *w, uint64_t session, const char *user, const char *secret)
{
    struct wire_auth *f = wire_add(w->accept.channel, WIRE_AUTH, strlen(user) + strlen(secret));

    f->session = session;
    wire_put(f, &f->user, str_of(user));
    wire_put(f, &f->secret, str_of(secret));
}

/* Lets answers that slowdown holds back come now. */
static const struct wire_auth_failed *failure(struct world *w)
{
    return far_expect(&w->accept, WIRE_AUTH_FAILED);
}

static void R09_trusted_networks_are_bound_to_their_account(void **state)
{
    static const struct {
        const char *client;
        uint64_t account;
        uint32_t flags;
    } cases[] = {
        { "192.0.2.1", 1, BIND_TRUSTED },
        { "192.0.2.200", 2, BIND_TRUSTED | BIND_NORMALIZE },
        { "::ffff:192.0.2.1", 1, BIND_TRUSTED },
        { "198.51.100.1", 0, 0 },
        { "127.0.0.1", 0, 0 },
        { "2001:db8::1", 0, 0 },
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        far_forget(&w->core);
        open_session(w, 100 + i, cases[i].client);
        const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
        assert_int_equal(b->session, 100 + i);
        assert_int_equal(b->account, cases[i].account);
        assert_int_equal(b->flags, cases[i].flags);
        assert_int_equal(b->opening, 1);
        assert_int_equal(b->listener, 2);
        assert_int_equal(b->credential, 0);
    }
    assert_true(
        str_has(buf_str(&w->log), "event=account-added actor=configuration account=office"));
}

static void R09_right_secret_binds_the_session(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop@example.org", secret);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    send_auth(w, 1, "shop@example.org", secret);
    const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->opening, 0);
    assert_int_equal(b->account, 1);
    assert_int_equal(b->flags, BIND_AUTHENTICATED);
    assert_true(str_eq(wire_get(b, b->login), STR("shop@example.org")));
    assert_int_equal(w->accept.count, 1); /* the gate; core is the one who tells accept */
}

static void A04_unknown_user_costs_the_same_work(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    static const char *const users[] = { "shop", "nobody", "", "SHOP" };
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        char client[32];
        uint64_t hashes = w->vault->hashes, compares = w->vault->compares;
        (void)snprintf(client, sizeof client, "198.51.100.%zu", i + 1);
        far_forget(&w->accept);
        open_session(w, i, client);
        send_auth(w, i, users[i], "bt_wrong");
        assert_int_equal(failure(w)->code, 535);
        assert_int_equal(w->vault->hashes, hashes + 1);
        assert_int_equal(w->vault->compares, compares + 1);
    }
}

static void A05_secrets_are_256_bits_and_stored_hashed(void **state)
{
    struct world *w = *state;
    char a[SECRET_TEXT_LEN + 1], b[SECRET_TEXT_LEN + 1];

    make_credential(w, "a", a);
    make_credential(w, "b", b);
    assert_string_not_equal(a, b);
    struct credential *c = roster_credential(&w->vault->roster, STR("a"));
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash((const uint8_t *)w->secret, str_of(a), hash);
    assert_memory_equal(hash, c->hash, sizeof hash);
    uint8_t other_key[SECRET_KEY_BYTES] = { 1 };
    secret_hash(other_key, str_of(a), hash);
    assert_false(secret_hash_eq(hash, c->hash)); /* the file alone lets nobody try */
}

static void A06_no_secret_in_logs_or_lists(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];
    struct buf status;

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    send_auth(w, 1, secret, "swapped"); /* secret where the user belongs */
    (void)failure(w);
    far_forget(&w->accept);
    open_session(w, 2, "198.51.100.2");
    send_auth(w, 2, "wrong user", secret);
    (void)failure(w);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_CRED_LIST })->status, 200);
    assert_true(str_has(row(w, 0), "\"user\":\"shop\""));
    assert_false(str_has(row(w, 0), secret));
    buf_init(&status, 4096);
    vault_role.status(w->vault, &status);
    assert_false(str_has(buf_str(&status), secret));
    buf_done(&status);
    assert_true(str_has(buf_str(&w->log), "event=auth-failed"));
    assert_false(str_has(buf_str(&w->log), secret));
    assert_false(str_has(buf_str(&w->log), "swapped"));
}

static void A07_revocation_acts_on_open_sessions(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    send_auth(w, 1, "shop", secret);
    while (w->core.count < 3) /* gate, opening, AUTH */
        loop_turn(10);
    far_forget(&w->core);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "shop" })->status,
                     200);
    const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->session, 1);
    assert_int_equal(b->account, 0);
    assert_int_equal(b->flags, 0);
    assert_int_equal(b->opening, BIND_UNASKED);
    far_forget(&w->accept);
    open_session(w, 2, "198.51.100.2");
    send_auth(w, 2, "shop", secret);
    assert_int_equal(failure(w)->code, 535);
    assert_true(
        str_has(buf_str(&w->log), "event=credential-removed actor=root account=office name=shop"));
    make_credential(w, "shop", secret); /* the name is free again */
}

static void A07_revocation_between_check_and_answer(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    send_auth(w, 1, "shop", "bt_wrong");
    (void)failure(w);
    far_forget(&w->accept);
    far_forget(&w->core);
    send_auth(w, 1, "shop", secret); /* right, but this address waits now */
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_CRED_REMOVE, .name = "shop" })->status,
                     200);
    assert_int_equal(failure(w)->code, 535);
    assert_int_equal(w->core.count, 0);
}

static void without_core_there_is_no_verdict(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    channel_free(w->core.channel);
    w->core.channel = NULL;
    while (w->vault->core.channel)
        loop_turn(10);
    send_auth(w, 1, "shop", secret);
    assert_int_equal(failure(w)->code, 454);
}

static const struct admin_case {
    const char *name;
    struct ask ask;
    uint16_t status;
    const char *words; /* of the end, or of the first row */
} admin_cases[] = {
    { "account", { .verb = ADMIN_ACCOUNT_ADD, .name = "shop" }, 200, "\"name\":\"shop\"" },
    { "account twice", { .verb = ADMIN_ACCOUNT_ADD, .name = "shop" }, 409, "there already" },
    { "account without name", { .verb = ADMIN_ACCOUNT_ADD, .name = "" }, 422, "letters, digits" },
    { "account with a blank",
      { .verb = ADMIN_ACCOUNT_ADD, .name = "a b" },
      422,
      "letters, digits" },
    { "accounts", { .verb = ADMIN_ACCOUNT_LIST }, 200, "\"name\":\"office\"" },
    { "the second page",
      { .verb = ADMIN_ACCOUNT_LIST, .id = 1, .limit = 1 },
      200,
      "\"name\":\"printers\"" },
    { "credential",
      { .verb = ADMIN_CRED_ADD, .name = "u", .account = "shop" },
      200,
      "\"secret\":\"bt_" },
    { "credential twice",
      { .verb = ADMIN_CRED_ADD, .name = "u", .account = "shop" },
      409,
      "there already" },
    { "nobody's",
      { .verb = ADMIN_CRED_ADD, .name = "v", .account = "none" },
      404,
      "no account none" },
    { "no user", { .verb = ADMIN_CRED_ADD, .name = "", .account = "shop" }, 422, "user: 1 to 64" },
    { "quote in user",
      { .verb = ADMIN_CRED_ADD, .name = "a\"b", .account = "shop" },
      422,
      "user: 1 to 64" },
    { "newline in user",
      { .verb = ADMIN_CRED_ADD, .name = "a\nb", .account = "shop" },
      422,
      "user: 1" },
    { "user of 65",
      { .verb = ADMIN_CRED_ADD,
        .name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        .account = "shop" },
      422,
      "user: 1 to 64" },
    { "normalize",
      { .verb = ADMIN_CRED_ADD, .name = "old-printer", .account = "shop", .state = "normalize" },
      200,
      "\"user\":\"old-printer\"" },
    { "odd state",
      { .verb = ADMIN_CRED_ADD, .name = "w", .account = "shop", .state = "loose" },
      422,
      "normalize" },
    { "credentials", { .verb = ADMIN_CRED_LIST, .account = "shop" }, 200, "\"user\":\"u\"" },
    { "credentials of none",
      { .verb = ADMIN_CRED_LIST, .account = "none" },
      404,
      "no account none" },
    { "removed", { .verb = ADMIN_CRED_REMOVE, .name = "u" }, 200, "" },
    { "removed twice", { .verb = ADMIN_CRED_REMOVE, .name = "u" }, 404, "no user u" },
    { "open", { .verb = ADMIN_LIVE_OPEN }, 200, "" },
    { "close", { .verb = ADMIN_LIVE_CLOSE }, 200, "" },
    { "another role's verb", { .verb = ADMIN_QUEUE_LIST }, 422, "does not answer" },
    { "no verb", { .verb = ADMIN_VERBS }, 422, "does not answer" },
};

static void operators_are_answered(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(admin_cases); i++) {
        const struct admin_case *c = &admin_cases[i];
        const struct wire_admin_end *end = ask(w, c->ask);
        struct str words = c->status == 200 ? row(w, 0) : wire_get(end, end->text);

        if (end->status != c->status || (c->words[0] && !str_has(words, c->words)))
            fail_msg("%s: %u %.*s", c->name, end->status, STR_FMT(words));
    }
}

static void lists_say_where_they_go_on(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_LIST, .limit = 1 })->next, 1);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_LIST, .id = 1, .limit = 1 })->next,
                     0);
}

static void gate_is_told_on_link_and_on_change(void **state)
{
    struct world *w = *state;

    assert_int_equal(((const struct wire_gate *)far_expect(&w->core, WIRE_GATE))->open, 0);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->accept, WIRE_GATE))->open, 0);
    far_forget(&w->core);
    far_forget(&w->accept);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_LIVE_OPEN })->status, 200);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->core, WIRE_GATE))->open, 1);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->accept, WIRE_GATE))->open, 1);
    assert_true(str_has(buf_str(&w->log), "event=gate-opened actor=root"));
}

static void P05_what_cannot_be_ends_the_peer(void **state)
{
    struct world *w = *state;

    send_auth(w, 99, "u", "s"); /* no such session */
    while (!w->accept.closed)
        loop_turn(10);
    assert_null(w->vault->accept[0].channel);
}

static void stop(struct world *w)
{
    far_done(&w->core);
    far_done(&w->accept);
    far_done(&w->web);
    vault_role.free(w->vault);
}

static void what_was_answered_is_there_after_a_restart(void **state)
{
    struct world *w = *state;
    char folder[] = "/tmp/vault-XXXXXX", secret[SECRET_TEXT_LEN + 1], command[128];

    assert_non_null(mkdtemp(folder));
    stop(w);
    w->state_folder = str_of(folder);
    start(w);
    make_credential(w, "shop", secret);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_LIVE_OPEN })->status, 200);
    stop(w);
    start(w);
    assert_int_equal(((const struct wire_gate *)far_expect(&w->accept, WIRE_GATE))->open, 1);
    open_session(w, 1, "198.51.100.1");
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    far_forget(&w->core);
    send_auth(w, 1, "shop", secret);
    const struct wire_session_bind *b = far_expect(&w->core, WIRE_SESSION_BIND);
    assert_int_equal(b->flags, BIND_AUTHENTICATED);
    stop(w);
    w->state_folder = STR("");
    (void)snprintf(command, sizeof command, "grep -rqs %s %s", secret, folder);
    assert_int_not_equal(system(command), 0); /* A06: not in the files */
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    start(w);
}

static void done_is_called(void *arg)
{
    *(bool *)arg = true;
}

static void drain_saves_and_ends(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];
    bool done = false;

    make_credential(w, "shop", secret);
    open_session(w, 1, "198.51.100.1");
    send_auth(w, 1, "shop", secret);
    (void)far_expect(&w->core, WIRE_SESSION_BIND);
    while (!roster_credential(&w->vault->roster, STR("shop"))->use_unsaved)
        loop_turn(10);
    assert_true(roster_credential(&w->vault->roster, STR("shop"))->use_unsaved);
    vault_role.drain(w->vault, done_is_called, &done);
    while (!done)
        loop_turn(10);
    assert_false(roster_credential(&w->vault->roster, STR("shop"))->use_unsaved);
    assert_int_equal(ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "late" })->status,
                     503);
}

static void a_key_of_another_length_is_refused(void **state)
{
    struct world *w = *state;
    const struct role_start s = { .config = w->config, .secret = STR("short") };
    struct err err = { 0 };
    void *role;

    assert_false(vault_role.start(&s, &role, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(R09_trusted_networks_are_bound_to_their_account),
        TEST(R09_right_secret_binds_the_session),
        TEST(A04_unknown_user_costs_the_same_work),
        TEST(A05_secrets_are_256_bits_and_stored_hashed),
        TEST(A06_no_secret_in_logs_or_lists),
        TEST(A07_revocation_acts_on_open_sessions),
        TEST(A07_revocation_between_check_and_answer),
        TEST(without_core_there_is_no_verdict),
        TEST(operators_are_answered),
        TEST(lists_say_where_they_go_on),
        TEST(gate_is_told_on_link_and_on_change),
        TEST(P05_what_cannot_be_ends_the_peer),
        TEST(what_was_answered_is_there_after_a_restart),
        TEST(drain_saves_and_ends),
        TEST(a_key_of_another_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
