// SPDX-License-Identifier: Apache-2.0
/* spool/life_sim.c - the script of a life, and its ends. */
#include "spool/life_sim.h"

#include <sys/wait.h>

#include "sim/world.h"
#include "spool/internal.h"

enum { SEGMENT_SIM = 256 * 1024, FIBERS = 4, RCPTS_FEW = 12, RCPTS_MANY = 200 };

struct life {
    struct ledger *ledger;
    const struct life_plan *plan;
    struct fixture fixture;
    uint64_t cursor;
    unsigned running;
};

void life_fixture(struct fixture *f, size_t rcpts_max)
{
    *f = (struct fixture){ .folder = "/spool" };
    spool_options_default(&f->options);
    f->options.folder = f->folder;
    f->options.segment_bytes = SEGMENT_SIM;
    f->options.reserve_bytes = 2 * SEGMENT_SIM;
    f->options.disk_max_bytes = 12 * SEGMENT_SIM;
    f->options.content_memory_max_bytes = 512 * 1024;
    f->options.index_rcpts_max = rcpts_max;
    fixture_counts(f);
}

static bool is_read_only(const struct fixture *f)
{
    struct spool_figures now;

    spool_figures(f->spool, &now);
    return now.read_only;
}

/* What a client does -------------------------------------------------------------------------- */

static void client_commit(struct life *t)
{
    static const uint32_t sizes[] = { 0, 300, 300, 5000, 5000, 20000, 65536, 70000, 140000 };
    struct ledger *l = t->ledger;
    uint32_t number =
        promise_begin(l, sizes[sim_draw(ARRAY_LEN(sizes))], 1 + (uint32_t)sim_draw(PROMISE_RCPTS));
    struct promise *p = &l->promises[number];
    struct spool_message *m;
    struct err err;
    uint64_t id;

    if (fixture_commit(&t->fixture, number, p->size, p->rcpt_count, &id, &m, &err)) {
        p->state = PROMISE_KEPT;
        l->coverage.parked += m == NULL;
        return;
    }
    l->coverage.refused += err.kind == ERR_IO;
    l->coverage.full += err.kind == ERR_FULL;
    if (!is_read_only(&t->fixture)) /* else nothing could be written that says so */
        p->state = PROMISE_REFUSED;
}

/* What the schedule does ---------------------------------------------------------------------- */

static struct spool_message *any_message(struct life *t)
{
    struct spool_message *m = NULL;
    struct spool_figures now;
    size_t at = 0;

    spool_figures(t->fixture.spool, &now);
    for (uint64_t left = now.messages > 0 ? 1 + sim_draw(now.messages) : 0; left > 0; left--)
        m = spool_each(t->fixture.spool, &at);
    return m;
}

static struct settle_dsn dsn_make(const struct ledger *l, uint32_t number, char head[64],
                                  char tail[64], struct envelope_rcpt *to)
{
    *to = (struct envelope_rcpt){ .address = STR("a@example.org") };
    return (struct settle_dsn){
        .envelope = { .account = number, .accepted_wall_ms = 1000, .rcpts = to, .rcpt_count = 1 },
        .head = promise_dsn_head(number, head),
        .tail = promise_dsn_tail(number, tail),
        .original_full = l->promises[number].full
    };
}

static void settle_begin(struct ledger *l, uint32_t number, uint32_t rcpt, enum rcpt_state to)
{
    struct promise_rcpt *r = &l->promises[number].rcpts[rcpt];

    r->begun = (struct spool_rcpt){ .state = (uint8_t)to,
                                    .tries = (uint16_t)(r->told.tries + 1),
                                    .due_wall_ms = 2000 + (int64_t)sim_draw(1000) };
    r->dsn = l->promises[number].original == 0 && sim_draw(4) == 0
                 ? promise_begin_dsn(l, number, sim_draw(2) == 0)
                 : 0;
    r->open = true;
}

static void settle_end(struct life *t, struct promise_rcpt *r, uint32_t news, bool ok)
{
    struct ledger *l = t->ledger;
    enum promise_state state = ok ? PROMISE_KEPT : PROMISE_REFUSED;

    if (!ok && is_read_only(&t->fixture))
        return;
    if (ok)
        r->told = r->begun;
    r->open = false;
    l->news[news].state = state;
    if (r->dsn != 0)
        l->promises[r->dsn].state = state;
}

static void settle_one(struct life *t, struct spool_message *m, uint32_t number, uint32_t rcpt)
{
    struct ledger *l = t->ledger;
    struct promise_rcpt *r = &l->promises[number].rcpts[rcpt];
    uint32_t news = news_begin(l);
    struct settle_rcpt change = { .rcpt = rcpt };
    struct envelope_rcpt to;
    struct settle_dsn dsn;
    char head[64], tail[64];
    struct err err;
    bool ok;

    settle_begin(l, number, rcpt, sim_draw(4) > 0 ? RCPT_DONE : RCPT_QUEUED);
    change.now = r->begun;
    change.event = (struct event){ .kind = EVENT_DEFERRED, .account = number, .wall_ms = news };
    if (r->dsn != 0)
        dsn = dsn_make(l, r->dsn, head, tail, &to);
    ok = spool_settle(t->fixture.spool, m, &change, 1, r->dsn != 0 ? &dsn : NULL, NULL, NULL, &err);
    l->coverage.notified += ok && r->dsn != 0;
    l->coverage.refused += !ok;
    settle_end(t, r, news, ok);
}

static void schedule_settle(struct life *t)
{
    struct spool_message *m = any_message(t);
    uint32_t number = m ? (uint32_t)spool_message_account(m) : 0, rcpt;
    struct promise *p = &t->ledger->promises[number];

    /* What is open since the disk failed stays so: it may not be asked for twice. */
    if (!m || p->busy)
        return;
    rcpt = (uint32_t)sim_draw(p->rcpt_count);
    if (spool_message_rcpt(m, rcpt)->state == RCPT_DONE || p->rcpts[rcpt].open)
        return;
    p->busy = true;
    settle_one(t, m, number, rcpt);
    p->busy = false;
}

static void deliver_read(struct life *t)
{
    struct spool_message *m = any_message(t);

    if (!m)
        return;
    if (sim_draw(3) == 0)
        spool_content_drop(t->fixture.spool, m);
    (void)ledger_check(t->ledger, &t->fixture, m);
}

/* What report does ---------------------------------------------------------------------------- */

static void report_read(struct life *t)
{
    struct ledger *l = t->ledger;
    struct buf bytes;
    struct str rest;
    struct event e;
    struct err err;

    buf_init(&bytes, 64 * 1024);
    if (spool_events(t->fixture.spool, &t->cursor, 1 + sim_draw(20), &bytes, &err))
        for (rest = buf_str(&bytes); rest.len > 0 && event_read(&rest, &e, &err);)
            if (e.kind != EVENT_ACCEPTED)
                l->news[e.wall_ms].read = true;
    buf_done(&bytes);
    if (sim_draw(2) == 0)
        return;
    spool_events_ack(t->fixture.spool, t->cursor);
    for (size_t i = 1; i < l->news_count; i++)
        l->news[i].acked |= l->news[i].read;
}

/* Housekeeping -------------------------------------------------------------------------------- */

static void count_moves(struct life *t)
{
    struct spool_message *m;

    for (size_t at = 0; (m = spool_each(t->fixture.spool, &at)) != NULL;) {
        struct promise *p = &t->ledger->promises[spool_message_account(m)];

        t->ledger->coverage.moved += p->position != 0 && p->position != m->position;
        p->position = m->position;
    }
    t->ledger->coverage.read_only += is_read_only(&t->fixture);
}

static void nobody_told(void *arg, struct spool_message *m)
{
    (void)arg, (void)m;
}

/* Before it is due: so short a life would hardly see one while others commit. */
static void snapshot_now(struct life *t)
{
    struct spool *s = t->fixture.spool;
    uint64_t commits = s->figures.commits;
    struct err err;

    if (!s->snapshots.busy && snapshot_write(s, &err))
        t->ledger->coverage.fuzzy += s->figures.commits != commits;
}

static void tend_on(void *arg)
{
    struct life *t = arg;
    struct err err;
    bool did;

    while (t->running > 1) {
        never_mind(spool_tend(t->fixture.spool, &did, &err));
        never_mind(spool_refill(t->fixture.spool, nobody_told, NULL, &err));
        report_read(t);
        count_moves(t);
        if (sim_draw(5) == 0)
            snapshot_now(t);
        if (!fiber_sleep(1 + (int64_t)sim_draw(12), &err))
            break;
    }
    if (--t->running == 0)
        loop_stop();
}

static void work_on(void *arg)
{
    struct life *t = arg;
    struct err err;

    for (unsigned i = 0; i < t->plan->rounds && t->ledger->violation[0] == '\0'; i++) {
        uint64_t what = sim_draw(100);

        if (t->plan->weather)
            t->plan->weather();
        if (what < 30)
            client_commit(t);
        else if (what < 90)
            schedule_settle(t);
        else
            deliver_read(t);
        if (!fiber_sleep((int64_t)sim_draw(4), &err))
            break;
    }
    if (--t->running == 0)
        loop_stop();
}

/* Lives --------------------------------------------------------------------------------------- */

static void die(void)
{
    _exit(LIFE_CUT);
}

static bool open_or_leave(struct fixture *f, struct ledger *l)
{
    struct err err;

    if (spool_open(&f->options, &f->spool, &f->found, &err)) {
        spool_on_alarm(f->spool, fixture_alarm, f);
        return true;
    }
    (void)snprintf(l->violation, sizeof(l->violation), "open: %s", err.text);
    return false;
}

static _Noreturn void leave(const struct ledger *l, enum life_end how)
{
    _exit(l->violation[0] != '\0' ? LIFE_VIOLATED : (int)how);
}

static _Noreturn void work(struct ledger *l, const struct life_plan *p)
{
    struct life t = { .ledger = l, .plan = p, .running = FIBERS + 1 };

    life_fixture(&t.fixture, sim_draw(3) == 0 ? RCPTS_FEW : RCPTS_MANY);
    if (!open_or_leave(&t.fixture, l)) {
        l->violation[0] = '\0';
        _exit(LIFE_NOT_OPENED);
    }
    t.cursor = spool_events_acked(t.fixture.spool);
    for (unsigned i = 0; i < FIBERS; i++)
        (void)fiber_spawn("work", work_on, &t);
    (void)fiber_spawn("tend", tend_on, &t);
    loop_run();
    if (!p->closes)
        leave(l, LIFE_LEFT);
    spool_close(t.fixture.spool);
    leave(l, LIFE_DONE);
}

/* In a process of its own; NULL: a plan that only opens. */
static enum life_end run(struct ledger *l, uint64_t die_at, const struct life_plan *p,
                         void (*also)(struct ledger *l))
{
    int status;
    pid_t pid;

    ledger_next_life(l);
    (void)fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr)) /* mutants end in every way */
            leave(l, LIFE_LEFT);
        sim_faults()->die_at_event = die_at;
        sim_on_death(die);
        loop_init();
        if (p)
            work(l, p);
        also(l);
        leave(l, LIFE_LEFT);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) < LIFE_CRASHED)
        return (enum life_end)WEXITSTATUS(status);
    ledger_violated(l, "it died with status %x", (unsigned)status);
    return LIFE_CRASHED;
}

enum life_end life_work(struct ledger *l, const struct life_plan *p)
{
    return run(l, p->die_at, p, NULL);
}

static void only_open(struct ledger *l)
{
    struct fixture f;

    life_fixture(&f, RCPTS_FEW);
    (void)open_or_leave(&f, l);
}

enum life_end life_open(struct ledger *l, uint64_t die_at)
{
    return run(l, die_at, NULL, only_open);
}

static void open_and_judge(struct ledger *l)
{
    struct fixture f;

    life_fixture(&f, PROMISES_MAX * PROMISE_RCPTS);
    if (open_or_leave(&f, l))
        ledger_judge(l, &f);
}

static void judge_and_close(struct ledger *l)
{
    struct fixture f;

    life_fixture(&f, PROMISES_MAX * PROMISE_RCPTS);
    if (!open_or_leave(&f, l))
        return;
    ledger_judge(l, &f);
    spool_close(f.spool);
}

enum life_end life_judge(struct ledger *l, bool closes)
{
    return run(l, 0, NULL, closes ? judge_and_close : open_and_judge);
}

/* Ends ---------------------------------------------------------------------------------------- */

static uint64_t sectors_left;

static bool none(void)
{
    return false;
}

static bool some(void)
{
    return sim_draw(2) == 0;
}

static bool first_ones(void)
{
    return sectors_left > 0 && sectors_left-- > 0;
}

void life_cut(struct ledger *l, enum cut how)
{
    struct disk_image *d = &world_get()->disk;

    l->coverage.cuts++;
    sectors_left = sim_draw(300);
    switch (how) {
    case CUT_NONE:
        image_close_all(d);
        break;
    case CUT_ALL:
        image_forget(d, none, 0);
        break;
    case CUT_SECTORS:
        image_forget(d, some, (size_t)sim_draw(d->change_count + 1));
        break;
    default:
        image_forget(d, first_ones, d->change_count);
        break;
    }
}

/* Stories ------------------------------------------------------------------------------------- */

enum { ROUNDS = 30, EVENTS_OF_A_LIFE = 700, EVENTS_OF_OPENING = 12, OPENINGS_CUT = 3 };

static void cut_and_forge(struct ledger *l, const struct mutant *m)
{
    const char *lies_of = m->sync_lies_of;

    life_cut(l, (enum cut)sim_draw(CUT_KINDS));
    if (m->forge)
        m->forge();
    *sim_faults() = (struct sim_faults){ .sync_lies_of = lies_of };
}

static void story_life(struct ledger *l, const struct mutant *m)
{
    struct life_plan p = { .rounds = ROUNDS,
                           .die_at = 1 + sim_draw(EVENTS_OF_A_LIFE),
                           .closes = sim_draw(2) == 0,
                           .weather = m->weather };

    (void)life_work(l, &p);
    cut_and_forge(l, m);
    for (uint64_t n = sim_draw(OPENINGS_CUT + 1); n > 0; n--) {
        (void)life_open(l, 1 + sim_draw(EVENTS_OF_OPENING));
        cut_and_forge(l, m);
    }
    for (int again = 0; again < 2 && l->violation[0] == '\0'; again++) {
        (void)life_judge(l, again > 0 && sim_draw(2) == 0);
        cut_and_forge(l, m);
    }
}

void life_story(struct ledger *l, uint64_t seed, const struct mutant *m)
{
    sim_new(&(struct sim_options){ .seed = seed });
    sim_faults()->sync_lies_of = m->sync_lies_of;
    for (unsigned i = 0; i < STORY_LIVES && l->violation[0] == '\0'; i++)
        story_life(l, m);
}
