// SPDX-License-Identifier: Apache-2.0
/* sim/trial/server.c - a scripted mail server: takes mail, and in a storm does what servers do to
 * those who send to them.
 *
 * What was taken is written into the ledger before 250 is said. The relay has heard that 250 only
 * if another command comes after it: otherwise it could not know (L4). */
#include "sim/trial/server.h"

#include <stdlib.h>

#include "io/loop.h"
#include "sim/sim.h"
#include "sim/trial/line.h"

#define PATIENCE_MS (10 * 60 * 1000)
#define TARPIT_MS (4 * 60 * 1000)
#define TX_RCPTS_MAX 64
#define CONTENT_MAX (4u * 1024 * 1024)

struct server {
    struct ledger *ledger;
    const struct plan_domain *domain;
};

struct guest {
    struct server *server;
    struct stream *stream;
    struct ledger *ledger;
    enum temper temper;
    bool mail, over;
    char rcpts[TX_RCPTS_MAX][LINE_TEXT_MAX];
    size_t rcpt_count;
    char unsure[TX_RCPTS_MAX][LINE_TEXT_MAX]; /* of the 250 that may not have been heard */
    size_t unsure_count;
    struct buf content;
};

static void say(struct guest *g, const char *text)
{
    bool waits = g->temper == TEMPER_SLOW && sim_draw(3) == 0;

    if (waits && !fiber_sleep((int64_t)sim_draw(TARPIT_MS), NULL))
        g->over = true;
    if (!line_put(g->stream, "%s", text) || !stream_flush(g->stream, NULL))
        g->over = true;
}

/* In a storm: puts off, refuses or hangs up instead of what was asked. */
static bool has_mood(struct guest *g)
{
    static const char *const moods[] = { "451 4.3.0 not now", "421 4.3.2 closing", "450 4.2.0 busy",
                                         "452 4.3.1 full" };

    if (g->temper != TEMPER_MOODY || !g->ledger->storm || sim_draw(12) != 0)
        return false;
    if (sim_draw(3) == 0) {
        g->over = true;
        return true;
    }
    const char *mood = moods[sim_draw(ARRAY_LEN(moods))];
    say(g, mood);
    g->over = g->over || str_starts(str_of(mood), STR("421"));
    return true;
}

/* Recipients ----------------------------------------------------------------------------------- */

/* The address between the angle brackets. */
static struct str path_of(const char *line)
{
    struct str text = str_of(line);
    size_t from = str_index(text, '<') + 1, to = str_index(text, '>');

    return from < to ? str_sub(text, from, to - from) : STR("");
}

static bool is_ours(const struct guest *g, struct str address)
{
    struct ledger_message *m;

    return g->temper == TEMPER_MAILBOX ? ledger_is_sender(g->ledger, address)
                                       : ledger_find(g->ledger, address, &m) != NULL;
}

/* "-bad" in the local part is refused for good, "-grey" at first. */
static const char *rcpt_verdict(struct guest *g, struct str address)
{
    struct ledger_message *m;
    struct ledger_rcpt *r = ledger_find(g->ledger, address, &m);

    if (g->rcpt_count == TX_RCPTS_MAX)
        return "452 4.5.3 too many";
    if (!is_ours(g, address)) {
        ledger_violation(g->ledger, "L2 RCPT names %.*s, whom nobody named", STR_FMT(address));
        return "550 5.1.1 nobody of that name";
    }
    if (str_find(address, STR("-bad@")) < address.len)
        return "550 5.1.1 no such mailbox";
    if (r != NULL && str_find(address, STR("-grey@")) < address.len && r->asked++ == 0)
        return "450 4.2.0 greylisted";
    return NULL;
}

static void on_rcpt(struct guest *g, const char *line)
{
    struct str address = path_of(line);
    const char *no;

    if (has_mood(g))
        return;
    no = rcpt_verdict(g, address);
    if (no != NULL) {
        say(g, no);
        return;
    }
    memcpy(g->rcpts[g->rcpt_count], address.ptr, address.len);
    g->rcpts[g->rcpt_count++][address.len] = '\0';
    say(g, "250 2.1.5 ok");
}

/* Content -------------------------------------------------------------------------------------- */

static bool read_content(struct guest *g)
{
    buf_clear(&g->content);
    for (;;) {
        struct str window = stream_window(g->stream), line;
        size_t at = str_index(window, '\n');

        if (at == window.len) {
            if (!stream_fill(g->stream, loop_now_ms() + PATIENCE_MS, NULL))
                return false;
            continue;
        }
        line = str_sub(window, 0, at + 1);
        if (str_eq(line, STR(".\r\n"))) {
            stream_take(g->stream, line.len);
            return true;
        }
        buf_add(&g->content, str_skip(line, str_starts(line, STR(".")) ? 1 : 0));
        stream_take(g->stream, at + 1);
    }
}

static void take(struct guest *g)
{
    if (g->temper == TEMPER_MAILBOX) {
        ledger_notified(g->ledger, buf_str(&g->content));
        return;
    }
    for (size_t i = 0; i < g->rcpt_count; i++)
        ledger_delivered(g->ledger, str_of(g->rcpts[i]), buf_str(&g->content));
    memcpy(g->unsure, g->rcpts, sizeof g->unsure);
    g->unsure_count = g->rcpt_count;
}

static void on_content(struct guest *g)
{
    bool moody = g->temper == TEMPER_MOODY && g->ledger->storm;

    if (!read_content(g)) {
        g->over = true;
        return;
    }
    if (moody && sim_draw(10) == 0) {
        say(g, "451 4.3.0 try again");
    } else if (moody && sim_draw(10) == 0) {
        g->over = true; /* nothing taken, nothing said */
    } else {
        take(g);
        if (moody && sim_draw(8) == 0)
            g->over = true; /* taken, and the reply lost */
        else
            say(g, "250 2.0.0 taken");
    }
    g->mail = false;
    g->rcpt_count = 0;
}

static void on_data(struct guest *g)
{
    if (has_mood(g))
        return;
    if (!g->mail || g->rcpt_count == 0) {
        say(g, "503 5.5.1 no recipients");
        return;
    }
    say(g, "354 go on");
    if (!g->over)
        on_content(g);
}

/* Commands ------------------------------------------------------------------------------------- */

static void on_hello(struct guest *g)
{
    if (has_mood(g))
        return;
    if (!line_put(g->stream, "250-%s", g->server->domain->mx[0]))
        g->over = true;
    if (g->server->domain->last[0] % 2 && !line_put(g->stream, "250-PIPELINING"))
        g->over = true;
    say(g, "250 8BITMIME");
}

static void on_mail(struct guest *g)
{
    if (has_mood(g))
        return;
    g->mail = true;
    g->rcpt_count = 0;
    say(g, "250 2.1.0 ok");
}

static void on_command(struct guest *g, const char *line)
{
    struct str text = str_of(line);

    if (str_starts_nocase(text, STR("EHLO ")) || str_starts_nocase(text, STR("HELO "))) {
        on_hello(g);
    } else if (str_starts_nocase(text, STR("MAIL FROM:"))) {
        on_mail(g);
    } else if (str_starts_nocase(text, STR("RCPT TO:"))) {
        on_rcpt(g, line);
    } else if (str_starts_nocase(text, STR("DATA"))) {
        on_data(g);
    } else if (str_starts_nocase(text, STR("RSET"))) {
        g->mail = false;
        g->rcpt_count = 0;
        say(g, "250 2.0.0 ok");
    } else if (str_starts_nocase(text, STR("QUIT"))) {
        say(g, "221 2.0.0 bye");
        g->over = true;
    } else {
        say(g, "502 5.5.1 what?");
    }
}

/* What became of the reply to the last content. */
static void reply_ends(struct guest *g, bool was_heard)
{
    for (size_t i = 0; i < g->unsure_count; i++)
        ledger_replied(g->ledger, str_of(g->unsure[i]), was_heard);
    g->unsure_count = 0;
}

static void guest_story(void *arg)
{
    struct guest *g = arg;
    char line[LINE_TEXT_MAX];

    if (!has_mood(g))
        say(g, "220 sim.test ESMTP");
    while (!g->over && line_read(g->stream, PATIENCE_MS, line)) {
        reply_ends(g, /* was_heard= */ true);
        on_command(g, line);
    }
    reply_ends(g, /* was_heard= */ false);
    buf_done(&g->content);
    stream_free(g->stream);
    free(g);
}

static void on_connect(void *arg, struct stream *s)
{
    struct server *server = arg;
    struct guest *g = NEW(struct guest);

    g->server = server;
    g->stream = s;
    g->ledger = server->ledger;
    g->temper = server->domain->temper;
    buf_init(&g->content, CONTENT_MAX);
    fiber_spawn("server", guest_story, g);
}

/* Starting ------------------------------------------------------------------------------------- */

static void server_start(struct ledger *l, const struct plan_domain *d, uint8_t last)
{
    struct endpoint at = { .ip = plan_server_ip(last), .port = 25 };
    struct listener *listener;
    struct server *s;

    if (!listener_new(&at, &listener, NULL))
        return; /* the host of another domain too */
    s = NEW(struct server);
    *s = (struct server){ .ledger = l, .domain = d };
    listener_start(listener, on_connect, s);
}

void servers_start(struct ledger *l)
{
    for (const struct plan_domain *d = plan_domains; d < plan_domains + plan_domain_count; d++)
        for (size_t i = 0; i < ARRAY_LEN(d->mx) && d->mx[i] != NULL; i++)
            if (d->temper != TEMPER_CLOSED && d->temper != TEMPER_SILENT)
                server_start(l, d, d->last[i]);
}
