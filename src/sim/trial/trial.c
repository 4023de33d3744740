// SPDX-License-Identifier: Apache-2.0
/* sim/trial/trial.c - each life of the relay is a forked process that ends in one of four ways: its
 * machine loses power, it is killed, it is told to stop, or it is the last one, in calm, which must
 * empty the queue. Clock, disk and ledger go on from one to the next. */
#include "sim/trial/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "io/loop.h"
#include "sim/trial/client.h"
#include "sim/trial/plan.h"
#include "sim/trial/relay.h"
#include "sim/trial/server.h"

#define STORMY_LIVES_MAX 6
#define STORMY_LIFE_MS (20 * 60 * 1000)
#define EVENTS_OF_A_LIFE 2000
#define CHANGES_OF_A_LIFE 200
#define LAST_LIFE_MS (24 * 60 * 60 * 1000)
#define LOOK_MS 1000
/* Real time: a life that takes so long does not come to an end. */
#define HANG_SECONDS 120

/* Exit codes of a life. */
enum life_end { LIFE_STOPPED = 0, LIFE_KILLED = 40, LIFE_NOT_STARTED = 41 };

struct life {
    struct ledger *ledger;
    bool last;
    bool roles_die;
    int64_t until_ms;
};

/* In the relay's process ----------------------------------------------------------------------- */

static void die(void)
{
    sim_trace("killed");
    _exit(LIFE_KILLED);
}

/* report tells of what is durable: from then on a delivery can't be repeated by a crash. */
static void on_log(void *arg, enum log_level level, struct str line)
{
    struct ledger *l = arg;
    struct str rest, address;

    (void)level;
    sim_trace("log %.*s", STR_FMT(line));
    if (str_find(line, STR("event=delivered")) == line.len &&
        str_find(line, STR("event=relayed")) == line.len)
        return;
    rest = str_skip(line, str_find(line, STR(" rcpt=")) + 6);
    address = str_sub(rest, 0, str_index(rest, ' '));
    ledger_reported(l, address);
}

static bool is_done(const struct life *life, struct relay *r)
{
    if (loop_now_ms() >= life->until_ms)
        return true;
    return ledger_all_sent(life->ledger) && relay_queued(r) == 0;
}

/* Now and then, while a life's roles die. */
static void kill_a_role(const struct life *life, struct relay *r)
{
    static const enum role_kind mortals[] = { ROLE_ACCEPT, ROLE_DELIVER, ROLE_DELIVER,
                                              ROLE_REPORT, ROLE_RESOLVE, ROLE_VAULT };
    struct err err;

    if (!life->roles_die || sim_draw(20) != 0)
        return;
    ledger_role_died(life->ledger);
    if (!relay_kill_role(r, mortals[sim_draw(ARRAY_LEN(mortals))], &err)) {
        sim_trace("role not started: %s", err.text);
        _exit(LIFE_NOT_STARTED);
    }
}

static _Noreturn void live(const struct life *life)
{
    struct relay *r;
    struct err err;

    alarm(HANG_SECONDS);
    sim_on_death(die);
    loop_init();
    log_set_sink(on_log, life->ledger);
    plan_world();
    servers_start(life->ledger);
    if (!relay_start(&r, &err)) {
        sim_trace("not started: %s", err.text);
        _exit(LIFE_NOT_STARTED);
    }
    clients_start(life->ledger);
    while (!is_done(life, r)) {
        int64_t look_ms = loop_now_ms() + LOOK_MS;

        while (loop_now_ms() < look_ms)
            loop_turn(LOOK_MS);
        kill_a_role(life, r);
    }
    if (life->last && relay_queued(r) > 0)
        ledger_violation(life->ledger, "L6 %llu messages are still queued",
                         (unsigned long long)relay_queued(r));
    relay_stop(r);
    sim_trace("stopped");
    _exit(LIFE_STOPPED);
}

/* In ours -------------------------------------------------------------------------------------- */

static void judge_end(struct ledger *l, const struct life *life, int status)
{
    if (WIFSIGNALED(status))
        ledger_violation(l, "L7 the relay died of signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == LIFE_NOT_STARTED && life->last)
        ledger_violation(l, "L7 the relay does not start");
    else if (WEXITSTATUS(status) != LIFE_STOPPED && WEXITSTATUS(status) != LIFE_KILLED &&
             WEXITSTATUS(status) != LIFE_NOT_STARTED)
        ledger_violation(l, "L7 the relay died with code %d", WEXITSTATUS(status));
}

static void run_life(const struct life *life)
{
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        live(life);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("sim");
        abort();
    }
    judge_end(life->ledger, life, status);
    ledger_relay_ended(life->ledger, WIFSIGNALED(status) || WEXITSTATUS(status) != LIFE_STOPPED);
    if (!WIFSIGNALED(status) && WEXITSTATUS(status) == LIFE_KILLED && sim_draw(3) > 0)
        sim_cut_power();
    else
        sim_process_gone();
}

/* Each storm has its own weather. */
static void draw_weather(void)
{
    static const struct sim_faults weathers[] = {
        { .reset = 0 },
        { .reset = 100000, .refused = 50000, .dns_fails = 20000 },
        { .reset = 30000, .stall = 2000, .stall_ms_max = 15 * 60 * 1000 },
        { .sync_fails = 20000, .read_fails = 1000 },
        { .write_full = 10000, .reset = 20000 },
        { .sync_fails = 5000,
          .write_full = 2000,
          .read_fails = 500,
          .reset = 50000,
          .refused = 20000,
          .stall = 500,
          .stall_ms_max = 5 * 60 * 1000,
          .dns_fails = 10000 },
    };
    struct sim_faults *f = sim_faults();

    *f = weathers[sim_draw(ARRAY_LEN(weathers))];
    if (sim_draw(2))
        f->die_at_change = 1 + sim_draw(sim_draw(4) ? CHANGES_OF_A_LIFE : CHANGES_OF_A_LIFE / 20);
    else if (sim_draw(2))
        f->die_at_event = 1 + sim_draw(sim_draw(4) ? EVENTS_OF_A_LIFE : EVENTS_OF_A_LIFE / 20);
    sim_trace("weather: reset %u sync %u full %u dies at event %llu, change %llu", f->reset,
              f->sync_fails, f->write_full, (unsigned long long)f->die_at_event,
              (unsigned long long)f->die_at_change);
}

static void run_lives(struct ledger *l, struct trial *t)
{
    struct life life = { .ledger = l };

    l->storm = true;
    for (uint64_t n = sim_draw(STORMY_LIVES_MAX + 1); n > 0 && l->violation_count == 0; n--) {
        draw_weather();
        life.until_ms = sim_now_ms() + (int64_t)sim_draw(STORMY_LIFE_MS);
        life.roles_die = sim_draw(3) == 0;
        run_life(&life);
        t->lives++;
    }
    if (l->violation_count > 0)
        return;
    l->storm = false;
    *sim_faults() = (struct sim_faults){ .reset = 0 };
    life.last = true;
    life.roles_die = false;
    life.until_ms = sim_now_ms() + LAST_LIFE_MS;
    run_life(&life);
    t->lives++;
}

void trial_run(const struct sim_options *o, struct trial *ret)
{
    struct ledger *l = ledger_new();

    sim_new(o);
    *ret = (struct trial){ .lives = 0 };
    plan_messages(l);
    run_lives(l, ret);
    if (l->violation_count == 0)
        ledger_judge(l);
    for (uint32_t i = 0; i < l->violation_count && i < VIOLATIONS_MAX; i++)
        printf("  %s\n", l->violations[i]);
    ret->trace_hash = sim_trace_hash();
    ret->virtual_ms = sim_now_ms();
    ret->messages = l->message_count;
    ret->violations = l->violation_count;
    ledger_free(l);
    sim_free();
}
