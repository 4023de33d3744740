// SPDX-License-Identifier: Apache-2.0
/* sim/trial/ledger.c - the book, and the verdict at its end. */
#include "sim/trial/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim/sim.h"

struct ledger *ledger_new(void)
{
    void *l = mmap(NULL, sizeof(struct ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);

    if (l == MAP_FAILED) {
        perror("ledger");
        abort();
    }
    return l;
}

void ledger_free(struct ledger *l)
{
    munmap(l, sizeof *l);
}

void ledger_violation(struct ledger *l, const char *fmt, ...)
{
    char text[200];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    sim_trace("VIOLATION %s", text);
    if (l->violation_count < VIOLATIONS_MAX)
        memcpy(l->violations[l->violation_count], text, sizeof text);
    l->violation_count++;
}

/* Finding -------------------------------------------------------------------------------------- */

struct ledger_rcpt *ledger_find(struct ledger *l, struct str address,
                                struct ledger_message **ret_message)
{
    for (uint32_t i = 0; i < l->message_count; i++)
        for (uint32_t r = 0; r < l->messages[i].rcpt_count; r++)
            if (str_eq_nocase(str_of(l->messages[i].rcpts[r].address), address)) {
                *ret_message = &l->messages[i];
                return &l->messages[i].rcpts[r];
            }
    return NULL;
}

bool ledger_is_sender(const struct ledger *l, struct str address)
{
    for (uint32_t i = 0; i < l->message_count; i++)
        if (str_eq_nocase(str_of(l->messages[i].sender), address))
            return true;
    return false;
}

/* Content -------------------------------------------------------------------------------------- */

/* Of its own, not the world's: it must be the same whenever it is asked for. */
static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void add_line(struct buf *to, uint64_t *state)
{
    static const char *const starts[] = { "", ".", "..", ". ", "From " };
    size_t len = (size_t)(next(state) % 4 ? next(state) % 78 : next(state) % 900);

    buf_add(to, str_of(starts[next(state) % ARRAY_LEN(starts)]));
    for (size_t i = 0; i < len; i++)
        buf_add_char(to, (char)('!' + next(state) % 94));
    buf_add(to, STR("\r\n"));
}

void ledger_content(const struct ledger *l, const struct ledger_message *m, struct buf *to)
{
    uint64_t state = m->content_seed;

    buf_addf(to,
             "From: <%s>\r\nTo: <%s>\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
             "Message-ID: <%td.%llu@sim.test>\r\nSubject: message %td\r\n\r\n",
             m->sender, m->rcpts[0].address, m - l->messages, (unsigned long long)m->content_seed,
             m - l->messages);
    for (size_t end = to->len + m->body_bytes; to->len < end;)
        add_line(to, &state);
}

/* What the relay added stands in front, as whole fields; the rest is as it was sent. */
static bool is_unaltered(const struct ledger *l, const struct ledger_message *m, struct str content)
{
    struct buf sent;
    struct str added, rest;
    bool same;

    buf_init(&sent, 4 * 1024 * 1024);
    ledger_content(l, m, &sent);
    same = content.len >= sent.len;
    added = str_sub(content, 0, content.len - (same ? sent.len : 0));
    rest = str_skip(content, added.len);
    same = same && str_eq(rest, buf_str(&sent)) && str_starts(added, STR("Received: ")) &&
           str_find(added, STR("\r\n\r\n")) == added.len;
    buf_done(&sent);
    return same;
}

/* Entries -------------------------------------------------------------------------------------- */

void ledger_delivered(struct ledger *l, struct str address, struct str content)
{
    struct ledger_message *m;
    struct ledger_rcpt *r = ledger_find(l, address, &m);

    if (r == NULL) {
        ledger_violation(l, "L2 delivered to %.*s, which nobody named", STR_FMT(address));
        return;
    }
    sim_trace("ledger: delivered to %s", r->address);
    r->deliveries++;
    r->open++;
    r->unheard++;
    if (!is_unaltered(l, m, content))
        ledger_violation(l, "L3 what %s got is not what was sent", r->address);
}

void ledger_replied(struct ledger *l, struct str address, bool was_heard)
{
    struct ledger_message *m;
    struct ledger_rcpt *r = ledger_find(l, address, &m);

    if (r == NULL)
        return;
    r->unheard--;
    r->uncertain += !was_heard;
}

void ledger_reported(struct ledger *l, struct str address)
{
    struct ledger_message *m;
    struct ledger_rcpt *r = ledger_find(l, address, &m);

    if (r != NULL)
        r->open = 0;
}

static void notified_of(struct ledger *l, struct str address, struct str action)
{
    struct ledger_message *m;
    struct ledger_rcpt *r = ledger_find(l, address, &m);

    if (r == NULL)
        ledger_violation(l, "L2 a notification names %.*s", STR_FMT(address));
    else if (str_starts(action, STR("failed")))
        r->failures++;
    else if (str_starts(action, STR("delayed")))
        r->delays++;
    sim_trace("ledger: notified of %.*s: %.*s", STR_FMT(address), STR_FMT(action));
}

void ledger_notified(struct ledger *l, struct str content)
{
    static const struct str rcpt_field = { "Final-Recipient: rfc822;", 24 };
    static const struct str action_field = { "Action: ", 8 };
    struct str line, address = STR("");

    while (str_next(&content, '\n', &line)) {
        line = str_trim(str_sub(line, 0, str_index(line, '\r')));
        if (str_starts(line, rcpt_field))
            address = str_trim(str_skip(line, rcpt_field.len));
        else if (str_starts(line, action_field) && address.len > 0)
            notified_of(l, address, str_skip(line, action_field.len));
    }
}

void ledger_role_died(struct ledger *l)
{
    l->role_deaths++;
    for (uint32_t i = 0; i < l->message_count; i++)
        for (uint32_t n = 0; n < l->messages[i].rcpt_count; n++) {
            struct ledger_rcpt *r = &l->messages[i].rcpts[n];

            if (r->open > r->unheard) /* the others' servers will tell */
                r->uncertain += r->open - r->unheard;
        }
}

/* A client whose session died with the relay tries again, or leaves it, as clients do. */
static void message_relay_ended(struct ledger_message *m)
{
    if (m->submission == SUBMISSION_RUNS) {
        m->submission = SUBMISSION_WAITS;
        if (m->in_doubt) {
            m->doubts++;
            m->submission = sim_draw(2) ? SUBMISSION_WAITS : SUBMISSION_OVER;
        }
    }
    m->in_doubt = false;
}

static void rcpt_relay_ended(struct ledger_rcpt *r, bool was_killed)
{
    r->uncertain += was_killed && r->open > r->unheard ? r->open : r->unheard;
    r->open = r->unheard = 0;
}

void ledger_relay_ended(struct ledger *l, bool was_killed)
{
    for (uint32_t i = 0; i < l->message_count; i++) {
        struct ledger_message *m = &l->messages[i];

        message_relay_ended(m);
        for (uint32_t r = 0; r < m->rcpt_count; r++)
            rcpt_relay_ended(&m->rcpts[r], was_killed);
    }
}

bool ledger_all_sent(const struct ledger *l)
{
    for (uint32_t i = 0; i < l->message_count; i++)
        if (l->messages[i].submission != SUBMISSION_OVER)
            return false;
    return true;
}

/* The verdict ---------------------------------------------------------------------------------- */

static void judge_rcpt(struct ledger *l, const struct ledger_message *m,
                       const struct ledger_rcpt *r)
{
    unsigned copies = m->accepted + m->doubts;

    if (m->accepted > 0 && r->deliveries == 0 && r->failures == 0)
        ledger_violation(l, "L1 LOST: %s was promised, not delivered, and nobody was told",
                         r->address);
    if (copies == 0 && r->deliveries > 0)
        ledger_violation(l, "L2 %s got what the relay had refused", r->address);
    if (r->deliveries > copies + r->uncertain)
        ledger_violation(l, "L4 %s got %u copies of %u, %u times uncertain", r->address,
                         r->deliveries, copies, r->uncertain);
    if (copies == 1 && r->deliveries > 0 && r->failures > 0 && r->uncertain == 0)
        ledger_violation(l, "L5 %s got it, and its sender was told that it failed", r->address);
}

void ledger_judge(struct ledger *l)
{
    for (uint32_t i = 0; i < l->message_count; i++)
        for (uint32_t r = 0; r < l->messages[i].rcpt_count; r++)
            judge_rcpt(l, &l->messages[i], &l->messages[i].rcpts[r]);
}
