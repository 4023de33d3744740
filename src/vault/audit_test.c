// SPDX-License-Identifier: Apache-2.0
/* vault/audit_test.c - every change leaves a row, in one transaction with it, and nobody takes one
 * away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vault/control_sql.h"
#include "vault/operate.h"
#include "vault/world_test.h"

/* Rows, newest first. */
static size_t audit(struct world *w, const char *account, const char *name)
{
    ask_for(w, 200, (struct ask){ .verb = ADMIN_AUDIT_LIST, .account = account, .name = name });
    return row_count(w);
}

static const struct change_case {
    struct ask ask;
    const char *want;
} change_cases[] = {
    { { .verb = ADMIN_ACCOUNT_ADD, .name = "shop", .account = "office", .settings = "note=x" },
      "\"verb\":\"account-added\",\"account\":\"shop\",\"name\":\"\","
      "\"detail\":\"parent: office, state=sandbox, identity=enforce, note=x\"" },
    { { .verb = ADMIN_ACCOUNT_SET, .name = "shop", .settings = "state=active" },
      "\"verb\":\"account-changed\",\"account\":\"shop\",\"name\":\"\","
      "\"detail\":\"state: sandbox -> active\"" },
    { { .verb = ADMIN_STREAM_ADD, .name = "news", .account = "shop", .settings = "kind=marketing" },
      "\"verb\":\"stream-added\",\"account\":\"shop\",\"name\":\"news\","
      "\"detail\":\"kind=marketing\"" },
    { { .verb = ADMIN_STREAM_SET, .name = "news", .account = "shop", .settings = "kind=internal" },
      "\"verb\":\"stream-changed\",\"account\":\"shop\",\"name\":\"news\","
      "\"detail\":\"kind: marketing -> internal\"" },
    { { .verb = ADMIN_STREAM_REMOVE, .name = "news", .account = "shop" },
      "\"verb\":\"stream-removed\",\"account\":\"shop\",\"name\":\"news\",\"detail\":\"\"" },
    { { .verb = ADMIN_CRED_ADD, .name = "till", .account = "shop" },
      "\"verb\":\"credential-added\",\"account\":\"shop\",\"name\":\"till\"" },
    { { .verb = ADMIN_CRED_REMOVE, .name = "till" },
      "\"verb\":\"credential-removed\",\"account\":\"shop\",\"name\":\"till\"" },
    { { .verb = ADMIN_ACCOUNT_REMOVE, .name = "shop" },
      "\"verb\":\"account-removed\",\"account\":\"shop\"" },
    { { .verb = ADMIN_LIVE_OPEN }, "\"verb\":\"gate-opened\"" },
    { { .verb = ADMIN_LIVE_CLOSE }, "\"verb\":\"gate-closed\"" },
};

static void every_change_leaves_a_row(void **state)
{
    struct world *w = *state;
    size_t rows = audit(w, "", ""); /* the configuration's two accounts */

    assert_int_equal(rows, 2);
    assert_true(str_has(row(w, 0), "\"actor\":\"configuration\",\"verb\":\"account-added\","
                                   "\"account\":\"printers\""));
    for (size_t i = 0; i < ARRAY_LEN(change_cases); i++) {
        ask_for(w, 200, change_cases[i].ask);
        assert_int_equal(audit(w, "", ""), ++rows);
        if (!str_has(row(w, 0), "\"actor\":\"root\"") || !str_has(row(w, 0), change_cases[i].want))
            fail_msg("%s: %.*s", change_cases[i].want, STR_FMT(row(w, 0)));
    }
    for (size_t i = 0; i < ARRAY_LEN(change_cases); i++) {
        struct ask again = change_cases[i].ask; /* what is refused leaves none */
        again.name = again.name ? "none" : NULL;
        again.verb = again.name ? ADMIN_ACCOUNT_SHOW : ADMIN_STATUS;
        assert_int_not_equal(ask(w, again)->status, 200);
    }
    assert_int_equal(audit(w, "", ""), rows);
}

static void rows_are_listed_by_whom_they_concern(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(change_cases); i++)
        ask_for(w, 200, change_cases[i].ask);
    assert_int_equal(audit(w, "shop", ""), 8);
    assert_int_equal(audit(w, "shop", "till"), 2);
    assert_int_equal(audit(w, "", "news"), 3);
    assert_int_equal(audit(w, "nobody", ""), 0);
    assert_int_equal(audit(w, "' OR 1 = 1 --", ""), 0);
}

struct job {
    struct vault *vault;
    piece_fn *fn;
    bool done, ok;
};

static void run_job(void *arg)
{
    struct job *j = arg;

    j->ok = operate_run(j->vault, j->fn, NULL, NULL);
    j->done = true;
}

static void on_the_database(struct world *w, piece_fn *fn)
{
    struct job j = { .vault = w->vault, .fn = fn };

    (void)fiber_spawn("job", run_job, &j);
    while (!j.done)
        loop_turn(10);
    assert_true(j.ok);
}

static bool add_grants(struct control *c, void *arg, struct err *err)
{
    (void)arg;
    return database_run(c->db,
                        "INSERT INTO grant_(account, domain, method, lessor, created) VALUES"
                        " (3, 'own.example', 'attested', NULL, 1),"
                        " (1, 'leased.example', 'lease', 3, 1),"
                        " (1, 'other.example', 'attested', NULL, 1)",
                        err);
}

static void what_goes_with_an_account_leaves_rows_too(void **state)
{
    struct world *w = *state;

    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "shop" });
    ask_for(w, 200, (struct ask){ .verb = ADMIN_STREAM_ADD, .name = "news", .account = "shop" });
    on_the_database(w, add_grants);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_REMOVE, .name = "shop" });
    assert_int_equal(audit(w, "shop", "news"), 2);
    assert_true(str_has(row(w, 0), "\"actor\":\"root\",\"verb\":\"stream-removed\""));
    assert_true(str_has(row(w, 0), "\"detail\":\"account shop was removed\""));
    assert_int_equal(audit(w, "shop", "own.example"), 1);
    assert_true(str_has(row(w, 0), "\"verb\":\"domain-removed\""));
    assert_int_equal(audit(w, "office", "leased.example"), 1);
    assert_true(str_has(row(w, 0), "\"verb\":\"domain-removed\""));
    assert_int_equal(audit(w, "office", "other.example"), 0);
    audit(w, "shop", "");
    assert_true(str_has(row(w, 0), "\"verb\":\"account-removed\""));
}

static void the_list_goes_on(void **state)
{
    struct world *w = *state;
    uint64_t next = 0;
    size_t seen = 0;

    for (size_t i = 0; i < ARRAY_LEN(change_cases); i++)
        ask_for(w, 200, change_cases[i].ask);
    do {
        const struct wire_admin_end *end =
            ask(w, (struct ask){ .verb = ADMIN_AUDIT_LIST, .limit = 5, .id = next });
        assert_true(next == 0 || end->next < next); /* newest first */
        next = end->next;
        seen += row_count(w);
    } while (next != 0);
    assert_int_equal(seen, ARRAY_LEN(change_cases) + 2);
}

static void A06_no_secret_is_audited(void **state)
{
    struct world *w = *state;
    char secret[SECRET_TEXT_LEN + 1];

    ask_for(w, 200, (struct ask){ .verb = ADMIN_CRED_ADD, .name = "till", .account = "office" });
    struct str json = row(w, 0);
    size_t at = str_find(json, STR("bt_"));
    assert_true(at + SECRET_TEXT_LEN < json.len);
    memcpy(secret, json.ptr + at, SECRET_TEXT_LEN);
    secret[SECRET_TEXT_LEN] = '\0';
    for (size_t i = 0, rows = audit(w, "", ""); i < rows; i++)
        assert_false(str_has(row(w, i), secret));
}

static void a_long_detail_is_shortened(void **state)
{
    struct world *w = *state;
    struct buf settings;

    /* Every limit, and a text full of what JSON doubles. */
    static const char *const windows[] = { "minute", "hour", "day", "month" };
    static const char *const measures[] = { "messages", "recipients", "distinct", "bytes" };
    buf_init(&settings, 4096);
    for (size_t i = 0; i < 16; i++)
        buf_addf(&settings, "limit.%s.%s=1000000000000\n", windows[i / 4], measures[i % 4]);
    buf_add(&settings, STR("note="));
    for (size_t i = 0; i < 200; i++)
        buf_add_char(&settings, '"');
    ask_for(
        w, 200,
        (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "big", .settings = buf_cstr(&settings) });
    buf_done(&settings);
    assert_int_equal(row_count(w), 1);
    assert_int_equal(audit(w, "big", ""), 1);
    assert_true(str_has(row(w, 0), "limit.month.bytes=1000000000000"));
    assert_true(row(w, 0).ptr[row(w, 0).len - 1] == '}');
}

/* One transaction ------------------------------------------------------------------------------ */

static bool refuse_rows(struct control *c, void *arg, struct err *err)
{
    (void)arg;
    return database_run(c->db,
                        "CREATE TEMP TRIGGER full BEFORE INSERT ON audit BEGIN"
                        " SELECT RAISE(ABORT, 'no room for a row'); END",
                        err);
}

static bool allow_rows(struct control *c, void *arg, struct err *err)
{
    (void)arg;
    return database_run(c->db, "DROP TRIGGER full", err);
}

static void without_its_row_nothing_changes(void **state)
{
    struct world *w = *state;

    on_the_database(w, refuse_rows);
    far_forget(&w->core);
    for (size_t i = 0; i < 2; i++) {
        const struct wire_admin_end *end =
            ask(w, (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "shop" });
        assert_int_not_equal(end->status, 200);
        assert_true(str_has(wire_get(end, end->text), "no room for a row"));
    }
    assert_int_not_equal(ask(w, (struct ask){ .verb = ADMIN_LIVE_OPEN })->status, 200);
    assert_false(vault_gate_is_open(w->vault));
    assert_null(roster_account(&w->vault->roster, STR("shop")));
    assert_int_equal(w->core.count, 0);
    assert_false(log_has(w, "account=shop"));
    on_the_database(w, allow_rows);
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_ADD, .name = "shop" });
    assert_int_equal(audit(w, "shop", ""), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_change_leaves_a_row),
        TEST(rows_are_listed_by_whom_they_concern),
        TEST(what_goes_with_an_account_leaves_rows_too),
        TEST(the_list_goes_on),
        TEST(A06_no_secret_is_audited),
        TEST(a_long_detail_is_shortened),
        TEST(without_its_row_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
