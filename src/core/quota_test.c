// SPDX-License-Identifier: Apache-2.0
/* core/quota_test.c - messages against the quotas of accounts, those above them, and streams: what
 * is answered, that many at once do not overshoot, that a crash neither loses nor doubles (R96,
 * A10). A core of quotas and a real spool alone. */
#include "core/quota.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/loop.h"

/* 2024-02-29 12:34:56.789 UTC */
#define LEAP_DAY INT64_C(1709210096789)
#define AT(w, m) ((w)*QUOTA_MEASURES + (m))

struct world {
    char folder[64];
    struct core core;
    struct config config;
    struct arena arena;
    struct dir_account above, shop;
    struct dir_stream news;
};

static void clock_set(struct world *w, int64_t wall_ms)
{
    w->core.wall_at_start = wall_ms;
    w->core.mono_at_start = loop_now_ms();
}

static void world_open(struct world *w)
{
    struct spool_options o;
    struct spool_recovery found;
    struct err err;

    spool_options_default(&o);
    o.folder = w->folder;
    o.segment_bytes = 512 * 1024;
    o.reserve_bytes = 1024 * 1024;
    o.disk_max_bytes = 32 * 1024 * 1024;
    w->core.config = &w->config;
    quota_start(&w->core, &o.tally);
    if (!spool_open(&o, &w->core.spool, &found, &err))
        fail_msg("%s", err.text);
}

static void world_close(struct world *w)
{
    spool_close(w->core.spool);
    w->core.spool = NULL;
    quota_end(&w->core);
}

/* As after a kill: what closing writes is not there. */
static void world_kill(struct world *w)
{
    char pattern[100];
    glob_t g;

    world_close(w);
    (void)snprintf(pattern, sizeof pattern, "%s/snapshot-*", w->folder);
    assert_int_equal(glob(pattern, 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++)
        assert_int_equal(unlink(g.gl_pathv[i]), 0);
    globfree(&g);
}

static void account_add(struct world *w, struct dir_account *a)
{
    list_init(&a->streams);
    list_init(&a->grants);
    (void)idmap_put(&w->core.directory.accounts_by_id, a->id, a);
}

static struct world *world_new(void)
{
    struct world *w = NEW(struct world);

    loop_init();
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/quota-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    arena_init(&w->arena, 4096);
    w->above = (struct dir_account){ .id = 1, .name = STR("reseller") };
    w->shop = (struct dir_account){ .id = 7, .parent = 1, .name = STR("shop") };
    w->news = (struct dir_stream){ .id = 7, .account = &w->shop, .name = STR("news") };
    account_add(w, &w->above);
    account_add(w, &w->shop);
    clock_set(w, LEAP_DAY);
    world_open(w);
    return w;
}

static void world_free(struct world *w)
{
    char command[100];

    world_close(w);
    arena_done(&w->arena);
    idmap_done(&w->core.directory.accounts_by_id);
    (void)snprintf(command, sizeof command, "rm -r %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
}

static uint64_t used(const struct world *w, uint64_t who, enum quota_window window,
                     enum quota_measure m)
{
    return quota_used_now(&w->core, who, window, m);
}

/* A message on its way. */
struct letter {
    struct envelope envelope;
    struct envelope_rcpt rcpts[4];
    struct reservation held;
    struct reply reply;
};

static bool reserve(struct world *w, struct letter *l, const char *const *to)
{
    struct quota_facts f = { &w->shop, &w->news, &l->envelope };

    *l = (struct letter){
        .envelope = { .account = 7, .size_bytes = 5, .accepted_wall_ms = core_now(&w->core) }
    };
    l->envelope.rcpts = l->rcpts;
    for (; to[l->envelope.rcpt_count]; l->envelope.rcpt_count++)
        l->rcpts[l->envelope.rcpt_count].address = str_of(to[l->envelope.rcpt_count]);
    return quota_reserve(&w->core, &f, &w->arena, &l->held, &l->reply);
}

static void commit(struct world *w, struct letter *l)
{
    struct spool_tx *tx = spool_begin(w->core.spool);
    struct spool_message *m;
    struct err err;
    uint64_t id;

    spool_add(tx, STR("12345"));
    spool_mark(tx, l->held.mark);
    if (!spool_commit(tx, &l->envelope, &id, &m, &err))
        fail_msg("%s", err.text);
}

static const char *const to_ann[] = { "Ann@Remote.example", NULL };
static const char *const to_both[] = { "ann@remote.example", "bob@remote.example",
                                       "ANN@remote.example", NULL };

static void send_to(struct world *w, const char *const *to)
{
    struct letter l;

    if (!reserve(w, &l, to))
        fail_msg("%.*s", STR_FMT(l.reply.text));
    commit(w, &l);
}

/* Answers ---------------------------------------------------------------------------------------
 */

enum whose { OF_ACCOUNT, OF_ABOVE, OF_STREAM };
static const struct answer_case {
    const char *name;
    enum whose whose;
    enum quota_window window;
    enum quota_measure measure;
    uint64_t limit;
    uint32_t flags;
    uint16_t code;
    const char *text;
} answer_cases[] = {
    { "minute", OF_ACCOUNT, QUOTA_MINUTE, QUOTA_MESSAGES, 1, 0, 451,
      "[QUOTA-MINUTE] account shop may send 1 messages a minute (UTC), and that is used up; go on "
      "at 2024-02-29T12:35:00.000Z" },
    { "hour", OF_ACCOUNT, QUOTA_HOUR, QUOTA_RECIPIENTS, 4, 0, 451,
      "[QUOTA-HOUR] account shop may send 4 recipients an hour (UTC), and that is used up; go on "
      "at 2024-02-29T13:00:00.000Z" },
    { "day", OF_STREAM, QUOTA_DAY, QUOTA_BYTES, 9, 0, 550,
      "[QUOTA-DAY] stream news of account shop may send 9 bytes a day (UTC), and that is used up; "
      "go on at 2024-03-01T00:00:00.000Z" },
    { "month", OF_ABOVE, QUOTA_MONTH, QUOTA_MESSAGES, 1, 0, 550,
      "[QUOTA-MONTH] account reseller may send 1 messages a month (UTC), and that is used up; go "
      "on at 2024-03-01T00:00:00.000Z" },
    { "day, by option", OF_ACCOUNT, QUOTA_DAY, QUOTA_MESSAGES, 1, ACCOUNT_QUOTA_451, 451,
      "[QUOTA-DAY] account shop may send 1 messages a day (UTC), and that is used up; go on at "
      "2024-03-01T00:00:00.000Z" },
    { "distinct, the same ones", OF_ACCOUNT, QUOTA_DAY, QUOTA_DISTINCT, 2, 0, 0, "" },
};

static uint64_t *limits_of(struct world *w, enum whose whose)
{
    return whose == OF_STREAM  ? w->news.limits
           : whose == OF_ABOVE ? w->above.limits
                               : w->shop.limits;
}

static void refusals_name_who_what_and_when_R96(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answer_cases); i++) {
        const struct answer_case *c = &answer_cases[i];
        struct world *w = world_new();
        struct letter l;

        limits_of(w, c->whose)[AT(c->window, c->measure)] = c->limit;
        w->shop.flags = c->flags;
        send_to(w, to_both);
        (void)reserve(w, &l, to_both);
        if (l.reply.code != c->code || !str_eq(l.reply.text, str_of(c->text)))
            fail_msg("%s: %u %.*s", c->name, l.reply.code, STR_FMT(l.reply.text));
        if (c->code != 0)
            assert_int_equal(l.reply.status.klass, c->code / 100);
        world_free(w);
    }
}

/* No waiting helps. */
static void a_message_that_never_fits_is_refused_for_good_R96(void **state)
{
    struct world *w = world_new();
    struct letter l;

    (void)state;
    w->shop.limits[AT(QUOTA_MINUTE, QUOTA_RECIPIENTS)] = 2;
    assert_false(reserve(w, &l, to_both));
    assert_int_equal(l.reply.code, 550);
    assert_int_equal(l.reply.status.klass, 5);
    assert_true(str_starts(l.reply.text, STR("[QUOTA-MINUTE] this message alone has more")));
    assert_true(reserve(w, &l, to_ann));
    quota_release(&w->core, &l.envelope, &l.held);
    world_free(w);
}

static void a_soft_limit_warns_once_R96(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->shop.limits[AT(QUOTA_DAY, QUOTA_MESSAGES)] = 5;
    w->shop.soft_percent = 80;
    for (int i = 1; i <= 5; i++) {
        struct letter l;

        assert_true(reserve(w, &l, to_ann));
        if (i == 4)
            assert_true(str_eq(l.held.warning,
                               STR("[QUOTA-SOFT] account shop has used 4 of 5 messages of this "
                                   "day, which ends at 2024-03-01T00:00:00.000Z")));
        else
            assert_int_equal(l.held.warning.len, 0);
        commit(w, &l);
    }
    world_free(w);
}

static void windows_follow_the_clock_R96(void **state)
{
    struct world *w = world_new();
    struct letter l;

    (void)state;
    w->shop.limits[AT(QUOTA_MINUTE, QUOTA_MESSAGES)] = 1;
    w->shop.limits[AT(QUOTA_HOUR, QUOTA_MESSAGES)] = 2;
    send_to(w, to_ann);
    assert_false(reserve(w, &l, to_ann));
    clock_set(w, LEAP_DAY + 60000);
    send_to(w, to_ann);
    clock_set(w, LEAP_DAY + 120000);
    assert_false(reserve(w, &l, to_ann));
    assert_true(str_starts(l.reply.text, STR("[QUOTA-HOUR]")));
    world_free(w);
}

/* Races -----------------------------------------------------------------------------------------
 */

enum { LIMIT = 40, TRIES = 100 };

static void exactly_the_limit_is_taken_A10(void **state)
{
    struct world *w = world_new();
    struct letter *all = NEW_ARRAY(struct letter, TRIES);
    bool taken[TRIES];
    size_t count = 0, failed = 0;

    (void)state;
    w->above.limits[AT(QUOTA_DAY, QUOTA_MESSAGES)] = LIMIT;
    for (size_t i = 0; i < TRIES; i++)
        count += taken[i] = reserve(w, &all[i], to_ann);
    assert_int_equal(count, LIMIT);
    for (size_t i = 0; i < TRIES; i++) {
        if (!taken[i])
            continue;
        if (i % 4 == 0) { /* the disk refused */
            quota_release(&w->core, &all[i].envelope, &all[i].held);
            failed++;
        } else {
            commit(w, &all[i]);
        }
        assert_int_equal(used(w, 1, QUOTA_DAY, QUOTA_MESSAGES), LIMIT - failed);
    }
    for (size_t i = 0; i < TRIES; i++)
        if (reserve(w, &all[i], to_ann))
            commit(w, &all[i]);
    assert_int_equal(used(w, 1, QUOTA_DAY, QUOTA_MESSAGES), LIMIT);
    assert_int_equal(used(w, 7, QUOTA_DAY, QUOTA_MESSAGES), LIMIT);
    assert_int_equal(used(w, 7 | QUOTA_STREAM, QUOTA_DAY, QUOTA_MESSAGES), LIMIT);
    free(all);
    world_free(w);
}

/* Crashes ---------------------------------------------------------------------------------------
 */

static void assert_used(const struct world *w, uint64_t messages, uint64_t distinct)
{
    const uint64_t whos[] = { 1, 7, 7 | QUOTA_STREAM };

    for (size_t i = 0; i < ARRAY_LEN(whos); i++) {
        assert_int_equal(used(w, whos[i], QUOTA_DAY, QUOTA_MESSAGES), messages);
        assert_int_equal(used(w, whos[i], QUOTA_MONTH, QUOTA_BYTES), 5 * messages);
    }
    assert_int_equal(used(w, 1, QUOTA_MONTH, QUOTA_DISTINCT), distinct);
    assert_int_equal(used(w, 7, QUOTA_MONTH, QUOTA_DISTINCT), 0);
}

/* Counted at opening without the accounts being known: vault tells of them later. */
static void restarts_and_kills_keep_the_counts_A10(void **state)
{
    struct world *w = world_new();
    struct letter l;

    (void)state;
    w->above.limits[AT(QUOTA_MONTH, QUOTA_DISTINCT)] = 2;
    for (uint64_t turn = 1; turn <= 6; turn++) {
        send_to(w, to_both);
        send_to(w, to_ann);
        assert_true(reserve(w, &l, to_ann)); /* on its way when the end comes */
        if (turn % 2 == 0)
            world_kill(w);
        else
            world_close(w);
        w->above.limits[AT(QUOTA_MONTH, QUOTA_DISTINCT)] = 0;
        world_open(w);
        w->above.limits[AT(QUOTA_MONTH, QUOTA_DISTINCT)] = 2;
        assert_used(w, 2 * turn, 2);
        assert_false(reserve(w, &l, (const char *const[]){ "eve@remote.example", NULL }));
        assert_int_equal(l.reply.code, 550);
    }
    world_free(w);
}

/* What was sent "tomorrow" does not count today, nor keep today from counting. */
static void a_clock_set_back_counts_on_K01(void **state)
{
    struct world *w = world_new();

    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        clock_set(w, LEAP_DAY + 24 * 3600 * 1000);
        send_to(w, to_ann);
        killed ? world_kill(w) : world_close(w);
        clock_set(w, LEAP_DAY);
        world_open(w);
        send_to(w, to_ann);
        assert_int_equal(used(w, 7, QUOTA_MINUTE, QUOTA_MESSAGES), 1 + (unsigned)killed);
        assert_int_equal(used(w, 7, QUOTA_DAY, QUOTA_MESSAGES), 1 + (unsigned)killed);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_name_who_what_and_when_R96),
        cmocka_unit_test(a_message_that_never_fits_is_refused_for_good_R96),
        cmocka_unit_test(a_soft_limit_warns_once_R96),
        cmocka_unit_test(windows_follow_the_clock_R96),
        cmocka_unit_test(exactly_the_limit_is_taken_A10),
        cmocka_unit_test(restarts_and_kills_keep_the_counts_A10),
        cmocka_unit_test(a_clock_set_back_counts_on_K01),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
