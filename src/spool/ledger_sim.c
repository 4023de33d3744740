// SPDX-License-Identifier: Apache-2.0
/* spool/ledger_sim.c - promises, and whether they were kept. */
#include "spool/ledger_sim.h"

#include <sys/mman.h>

#include "spool/internal.h"

struct ledger *ledger_new(void)
{
    struct ledger *l =
        mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(l, MAP_FAILED);
    l->promise_count = l->news_count = 1;
    return l;
}

void ledger_free(struct ledger *l)
{
    (void)munmap(l, sizeof(*l));
}

void ledger_violated(struct ledger *l, const char *fmt, ...)
{
    va_list args;

    if (l->violation[0] != '\0')
        return;
    va_start(args, fmt);
    (void)vsnprintf(l->violation, sizeof(l->violation), fmt, args);
    va_end(args);
}

void ledger_next_life(struct ledger *l)
{
    l->coverage.lives++;
    for (size_t i = 1; i < l->promise_count; i++)
        l->promises[i].busy = false;
    for (size_t i = 1; i < l->news_count; i++)
        l->news[i].read = false;
}

/* Promising ----------------------------------------------------------------------------------- */

uint32_t promise_begin(struct ledger *l, uint32_t size, uint32_t rcpt_count)
{
    struct promise *p = &l->promises[l->promise_count];

    assert_true(l->promise_count < PROMISES_MAX && rcpt_count <= PROMISE_RCPTS);
    *p = (struct promise){ .state = PROMISE_BEGUN, .size = size, .rcpt_count = rcpt_count };
    for (uint32_t i = 0; i < rcpt_count; i++)
        p->rcpts[i].told = (struct spool_rcpt){ .due_wall_ms = 1000, .state = RCPT_QUEUED };
    return (uint32_t)l->promise_count++;
}

/* As fixture_commit() says. */
static uint32_t header_size(uint32_t size)
{
    return size < 100 ? size : 100;
}

uint32_t promise_begin_dsn(struct ledger *l, uint32_t original, bool full)
{
    const struct promise *from = &l->promises[original];
    uint32_t number = promise_begin(l, 0, 1);
    char head[64], tail[64];

    l->promises[number].original = original;
    l->promises[number].full = full;
    l->promises[number].size = (uint32_t)promise_dsn_head(number, head).len +
                               (full ? from->size : header_size(from->size)) +
                               (uint32_t)promise_dsn_tail(number, tail).len;
    return number;
}

uint32_t news_begin(struct ledger *l)
{
    assert_true(l->news_count < NEWS_MAX);
    l->news[l->news_count] = (struct news){ .state = PROMISE_BEGUN };
    return (uint32_t)l->news_count++;
}

struct str promise_dsn_head(uint32_t number, char text[64])
{
    (void)snprintf(text, 64, "Subject: notification %u\r\n\r\n", number);
    return str_of(text);
}

struct str promise_dsn_tail(uint32_t number, char text[64])
{
    (void)snprintf(text, 64, "\r\n-- %u --\r\n", number);
    return str_of(text);
}

char *promise_content(const struct ledger *l, uint32_t number)
{
    const struct promise *p = &l->promises[number];
    char *content, *original, head[64], tail[64];
    struct str before, behind;

    if (p->original == 0)
        return fixture_content(number, p->size);
    before = promise_dsn_head(number, head);
    behind = promise_dsn_tail(number, tail);
    original = promise_content(l, p->original);
    content = mem_new(p->size + 1);
    memcpy(content, before.ptr, before.len);
    memcpy(content + before.len, original, p->size - before.len - behind.len);
    memcpy(content + p->size - behind.len, behind.ptr, behind.len);
    free(original);
    return content;
}

/* Judging messages ---------------------------------------------------------------------------- */

bool ledger_check(struct ledger *l, struct fixture *f, struct spool_message *m)
{
    uint32_t number = (uint32_t)spool_message_account(m);
    const struct promise *p = &l->promises[number];
    char *got = mem_new(p->size + 1), *want = promise_content(l, number);
    struct err err = { 0 };
    struct envelope e;
    struct arena a;
    bool ok;

    arena_init(&a, 1024);
    spool_pin(m);
    if (spool_message_size(m) != p->size || spool_message_rcpts(m) != p->rcpt_count)
        ledger_violated(l, "message %u has another size, or other recipients", number);
    ok = l->violation[0] == '\0' && spool_envelope(f->spool, m, &a, &e, &err) &&
         spool_content(f->spool, m, 0, p->size, got, &err);
    if (ok && (e.account != number || e.size_bytes != p->size || memcmp(got, want, p->size) != 0))
        ledger_violated(l, "message %u has other bytes than were given", number);
    if (!ok && err.kind == ERR_DAMAGED)
        ledger_violated(l, "message %u: %s", number, err.text);
    spool_unpin(f->spool, m);
    arena_done(&a);
    free(got);
    free(want);
    return ok;
}

static bool rcpt_is(const struct spool_message *m, uint32_t rcpt, const struct spool_rcpt *want)
{
    const struct spool_rcpt *is = m ? spool_message_rcpt(m, rcpt) : NULL;

    if (!is || is->state == RCPT_DONE || want->state == RCPT_DONE)
        return (!is || is->state == RCPT_DONE) && want->state == RCPT_DONE;
    return is->state == want->state && is->tries == want->tries &&
           is->due_wall_ms == want->due_wall_ms;
}

/* A settle that was begun holds as a whole, with its notification, or not at all (fault C09). */
static void judge_rcpt(struct ledger *l, uint32_t number, uint32_t rcpt,
                       const struct spool_message *m)
{
    struct promise_rcpt *r = &l->promises[number].rcpts[rcpt];
    bool moved_on = r->open && rcpt_is(m, rcpt, &r->begun);

    if (!moved_on && !rcpt_is(m, rcpt, &r->told))
        ledger_violated(l, "message %u recipient %u is %u after %u tries, told %u after %u%s",
                        number, rcpt, m ? spool_message_rcpt(m, rcpt)->state : RCPT_DONE,
                        m ? spool_message_rcpt(m, rcpt)->tries : 0, r->told.state, r->told.tries,
                        m ? "" : "; it is gone");
    if (r->open && r->dsn != 0)
        l->promises[r->dsn].state = moved_on ? PROMISE_KEPT : PROMISE_REFUSED;
    if (moved_on)
        r->told = r->begun;
    r->open = false;
}

static bool all_may_be_done(const struct promise *p)
{
    for (uint32_t i = 0; i < p->rcpt_count; i++)
        if (p->rcpts[i].told.state != RCPT_DONE &&
            !(p->rcpts[i].open && p->rcpts[i].begun.state == RCPT_DONE))
            return false;
    return true;
}

static void judge_promise(struct ledger *l, struct fixture *f, uint32_t number,
                          struct spool_message *m)
{
    struct promise *p = &l->promises[number];

    if (m && p->state == PROMISE_REFUSED)
        ledger_violated(l, "message %u was refused, and is there", number);
    if (!m && p->state == PROMISE_KEPT && !all_may_be_done(p))
        ledger_violated(l, "message %u is lost", number);
    if (p->state == PROMISE_BEGUN)
        p->state = m ? PROMISE_KEPT : PROMISE_REFUSED;
    if (p->state == PROMISE_REFUSED)
        return;
    for (uint32_t i = 0; i < p->rcpt_count; i++)
        judge_rcpt(l, number, i, m);
    if (m && !ledger_check(l, f, m))
        ledger_violated(l, "message %u can't be read", number);
}

/* A message that is there, or was, is counted once; a notification never is (fault A10). */
static void judge_count(struct ledger *l, const struct fixture *f, uint32_t number)
{
    const struct promise *p = &l->promises[number];
    size_t is = fixture_counted(f, number);

    if (is != (p->state == PROMISE_KEPT && p->original == 0))
        ledger_violated(l, "message %u, which was %s, is counted %zu times", number,
                        p->state == PROMISE_KEPT ? "kept" : "refused", is);
    l->coverage.counted += is > 0;
}

static void judge_messages(struct ledger *l, struct fixture *f)
{
    struct spool_message **there = NEW_ARRAY(struct spool_message *, PROMISES_MAX), *m;

    for (size_t at = 0; (m = spool_each(f->spool, &at)) != NULL;) {
        uint64_t number = spool_message_account(m);

        if (number == 0 || number >= l->promise_count)
            ledger_violated(l, "a message of account %llu was never given",
                            (unsigned long long)number);
        else if (there[number])
            ledger_violated(l, "message %llu is there twice", (unsigned long long)number);
        else
            there[number] = m;
    }
    for (uint32_t i = 1; i < l->promise_count && l->violation[0] == '\0'; i++)
        judge_promise(l, f, i, there[i]);
    for (uint32_t i = 1; i < l->promise_count && l->violation[0] == '\0'; i++)
        judge_count(l, f, i);
    free(there);
}

/* Judging events ------------------------------------------------------------------------------ */

static void judge_event(struct ledger *l, const struct event *e)
{
    uint64_t number = (uint64_t)e->wall_ms;

    if (e->kind == EVENT_ACCEPTED)
        return;
    if (number == 0 || number >= l->news_count || l->news[number].state == PROMISE_REFUSED)
        ledger_violated(l, "event %llu was refused, and is there", (unsigned long long)number);
    else if (l->news[number].seen)
        ledger_violated(l, "event %llu is there twice", (unsigned long long)number);
    else
        l->news[number].seen = true;
}

static bool events_read(struct ledger *l, struct fixture *f, uint64_t *cursor)
{
    uint64_t before = *cursor;
    struct buf bytes;
    struct str rest;
    struct event e;
    struct err err;

    buf_init(&bytes, 256 * 1024);
    if (!spool_events(f->spool, cursor, 50, &bytes, &err))
        ledger_violated(l, "events: %s", err.text);
    for (rest = buf_str(&bytes); rest.len > 0 && event_read(&rest, &e, &err);)
        judge_event(l, &e);
    buf_done(&bytes);
    return *cursor != before;
}

static void judge_events(struct ledger *l, struct fixture *f)
{
    uint64_t cursor = spool_events_acked(f->spool);

    for (size_t i = 1; i < l->news_count; i++)
        l->news[i].seen = false;
    while (l->violation[0] == '\0' && events_read(l, f, &cursor))
        ;
    for (size_t i = 1; i < l->news_count; i++) {
        struct news *n = &l->news[i];

        if (n->state == PROMISE_KEPT && !n->acked && !n->seen)
            ledger_violated(l, "event %zu is lost", i);
        if (n->state == PROMISE_BEGUN)
            n->state = n->seen ? PROMISE_KEPT : PROMISE_REFUSED;
    }
}

/* A power cut tears only what nobody was told of: that is no damage, and nobody is alarmed. But for
 * "segment-damaged": where the first group reached the disk and the header beside it did not, that
 * looks the same as a header that was lost later. */
static void judge_alarms(struct ledger *l, struct fixture *f)
{
    static const char *const kinds[] = { "record-damaged",   "message-lost",  "segment-missing",
                                         "snapshot-damaged", "tally-damaged", "quarantined" };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (fixture_alarms(f, kinds[i]) > 0)
            ledger_violated(l, "alarm %s", kinds[i]);
}

static void nobody_told(void *arg, struct spool_message *m)
{
    (void)arg, (void)m;
}

void ledger_judge(struct ledger *l, struct fixture *f)
{
    struct err err;

    judge_alarms(l, f);
    if (!spool_refill(f->spool, nobody_told, NULL, &err))
        ledger_violated(l, "refill: %s", err.text);
    judge_messages(l, f);
    judge_events(l, f);
    l->coverage.torn += f->found.groups_torn > 0;
    l->coverage.groups_refused += f->found.groups_refused > 0;
    if (f->spool->segments.generation > l->coverage.generation)
        l->coverage.generation = f->spool->segments.generation;
}
