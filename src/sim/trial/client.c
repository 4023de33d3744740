// SPDX-License-Identifier: Apache-2.0
/* sim/trial/client.c - sessions that hand over what the ledger holds: several messages each, in one
 * group of commands or one by one, hanging up now and then. What the relay answers goes into the
 * ledger; so does the fact that it may have been about to answer. */
#include "sim/trial/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/loop.h"
#include "sim/sim.h"
#include "sim/trial/line.h"
#include "sim/trial/plan.h"

#define CLIENTS 8
#define PATIENCE_MS (12 * 60 * 1000)
#define MESSAGES_PER_SESSION 5
#define LOOK_AGAIN_MS 5000

struct client {
    struct ledger *ledger;
    struct ip ip;
    struct stream *stream;
    struct buf content;
};

static struct ledger_message *next_message(struct ledger *l)
{
    for (uint32_t i = 0; i < l->message_count; i++) {
        struct ledger_message *m = &l->messages[i];

        if (m->submission == SUBMISSION_WAITS && m->from_ms <= loop_now_ms())
            return m;
    }
    return NULL;
}

static void put_off(struct ledger_message *m)
{
    m->submission = SUBMISSION_WAITS;
    m->from_ms = loop_now_ms() + 1000 + (int64_t)sim_draw(60 * 1000);
}

/* Clients hang up in the middle, in a storm. */
static bool hangs_up(const struct client *c)
{
    return c->ledger->storm && sim_draw(60) == 0;
}

/* Handing over one message --------------------------------------------------------------------- */

static bool say_envelope(struct client *c, const struct ledger_message *m)
{
    if (!line_put(c->stream, "MAIL FROM:<%s>", m->sender))
        return false;
    for (uint32_t r = 0; r < m->rcpt_count; r++)
        if (!line_put(c->stream, "RCPT TO:<%s>", m->rcpts[r].address))
            return false;
    return line_put(c->stream, "DATA") && stream_flush(c->stream, NULL);
}

/* The refusal, or 354; 0 when the connection is lost. */
static unsigned hear_envelope(struct client *c, const struct ledger_message *m)
{
    unsigned refusal = 0, code = 0;

    for (uint32_t i = 0; i < m->rcpt_count + 2; i++) {
        code = line_reply(c->stream, PATIENCE_MS);
        if (code == 0)
            return 0;
        if (code >= 400 && refusal == 0)
            refusal = code;
    }
    /* Some recipients were taken, but this message goes whole or not at all. */
    return refusal != 0 ? refusal : code;
}

static unsigned ask(struct client *c, const char *command, const char *address)
{
    bool said = address != NULL ? line_put(c->stream, "%s<%s>", command, address)
                                : line_put(c->stream, "%s", command);

    if (hangs_up(c) || !said || !stream_flush(c->stream, NULL))
        return 0;
    return line_reply(c->stream, PATIENCE_MS);
}

static unsigned envelope_by_steps(struct client *c, const struct ledger_message *m)
{
    unsigned code = ask(c, "MAIL FROM:", m->sender);

    for (uint32_t r = 0; code == 250 && r < m->rcpt_count; r++)
        code = ask(c, "RCPT TO:", m->rcpts[r].address);
    return code == 250 ? ask(c, "DATA", NULL) : code;
}

static bool put_content(struct client *c)
{
    struct str rest = buf_str(&c->content), line;

    while (str_next(&rest, '\n', &line)) {
        if (str_starts(line, STR(".")) && !stream_put(c->stream, STR("."), NULL))
            return false;
        if (!stream_put(c->stream, line, NULL) || !stream_put(c->stream, STR("\n"), NULL))
            return false;
    }
    return true;
}

/* Long content goes out in part before its last line; only with that may the relay take it. */
static unsigned send_content(struct client *c, struct ledger_message *m)
{
    buf_clear(&c->content);
    ledger_content(c->ledger, m, &c->content);
    if (!put_content(c) || hangs_up(c) || !line_put(c->stream, "."))
        return 0;
    m->in_doubt = true;
    m->deaths_before = c->ledger->role_deaths;
    if (!stream_flush(c->stream, NULL) || hangs_up(c))
        return 0;
    return line_reply(c->stream, PATIENCE_MS);
}

static void enter_answer(struct client *c, struct ledger_message *m, unsigned code)
{
    bool lost = m->in_doubt && (code == 0 || m->deaths_before != c->ledger->role_deaths);

    sim_trace("client: %s is answered %u", m->rcpts[0].address, code);
    if (code == 250) {
        m->accepted++;
        m->submission = SUBMISSION_OVER;
    } else if (code >= 500) {
        m->submission = SUBMISSION_OVER;
        ledger_violation(c->ledger, "an ordinary message to %s was refused: %u",
                         m->rcpts[0].address, code);
    } else {
        m->doubts += lost;
        put_off(m);
        if (lost && sim_draw(2))
            m->submission = SUBMISSION_OVER;
    }
    m->in_doubt = false;
}

/* False when the connection can't be used any more. */
static bool hand_over(struct client *c, struct ledger_message *m)
{
    unsigned code;

    m->submission = SUBMISSION_RUNS;
    if (sim_draw(2))
        code = envelope_by_steps(c, m);
    else
        code = say_envelope(c, m) ? hear_envelope(c, m) : 0;
    if (code == 354)
        code = send_content(c, m);
    enter_answer(c, m, code);
    return code == 250;
}

/* Sessions ------------------------------------------------------------------------------------- */

static bool greet(struct client *c)
{
    return line_reply(c->stream, PATIENCE_MS) == 220 && ask(c, "EHLO client.test", NULL) == 250;
}

static void session(struct client *c)
{
    struct endpoint to = { .port = 25 };
    struct ledger_message *m;
    struct err err;

    if (!ip_parse(STR(PLAN_RELAY_ADDRESS), &to.ip, &err) ||
        !stream_connect(&to, &c->ip, loop_now_ms() + PATIENCE_MS, &c->stream, &err))
        return;
    if (greet(c))
        for (size_t i = sim_draw(MESSAGES_PER_SESSION); (m = next_message(c->ledger)) != NULL; i--)
            if (!hand_over(c, m) || i == 0)
                break;
    if (sim_draw(4))
        (void)ask(c, "QUIT", NULL);
    stream_free(c->stream);
}

static void client_story(void *arg)
{
    struct client *c = arg;
    struct err err;

    while (!ledger_all_sent(c->ledger)) {
        if (next_message(c->ledger) != NULL)
            session(c);
        if (!fiber_sleep(1 + (int64_t)sim_draw(LOOK_AGAIN_MS), &err))
            break;
    }
    buf_done(&c->content);
    free(c);
}

void clients_start(struct ledger *l)
{
    for (uint8_t i = 1; i <= CLIENTS; i++) {
        struct client *c = NEW(struct client);

        c->ledger = l;
        c->ip = plan_client_ip(i);
        buf_init(&c->content, 4 * 1024 * 1024);
        fiber_spawn("client", client_story, c);
    }
}
