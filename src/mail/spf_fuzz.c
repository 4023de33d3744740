// SPDX-License-Identifier: Apache-2.0
/* mail/spf_fuzz.c - any bytes as SPF records and as everything else that DNS says: the records lie
 * one after the other in the input, and each answer is the next of them. The first bytes are
 * address and sender. Whatever the records say, the number of questions is bounded (fault S07). */
#include <assert.h>

#include "base/mem.h"
#include "mail/spf.h"
#include "mail/spf_macro.h"
#include "mail/spf_record.h"

/* 11 terms; 10 of MX with 10 hosts each, or of PTR with 10 names; the records themselves; exp. */
#define QUESTIONS_MAX (12 * 13 + 12 + 2 * 11)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct feed {
    struct str rest;
    unsigned questions;
};

static bool feed_answer(void *arg, enum spf_rr type, struct str name, struct arena *a,
                        struct spf_rr_answer *ret, struct err *err)
{
    struct feed *f = arg;
    struct str *text = ARENA_NEW(a, struct str);
    struct ip *ip = ARENA_NEW(a, struct ip);

    (void)err;
    assert(name.len > 0 && name.len <= 254);
    f->questions++;
    *ret = (struct spf_rr_answer){ .status = SPF_RR_NO_NAME, .texts = text, .ips = ip };
    if (!str_next(&f->rest, '\n', text))
        return true;
    ret->status = str_eq(*text, STR("dead")) ? SPF_RR_TEMP : SPF_RR_FOUND;
    if (type == SPF_RR_A || type == SPF_RR_AAAA)
        *ip = ip_make4((const uint8_t[4]){ 192, 0, 2, (uint8_t)text->len });
    ret->count = ret->status == SPF_RR_FOUND;
    return true;
}

static void check_record(struct str text)
{
    struct spf_record record;
    struct arena arena;

    arena_init(&arena, 1024);
    if (spf_record_is(text) && spf_record_parse(text, &arena, &record, NULL))
        for (size_t i = 0; i < record.count; i++) {
            const struct spf_directive *d = &record.directives[i];
            assert(d->bits4 <= 32 && d->bits6 <= 128);
            assert(d->domain.len == 0 || spf_macro_ok(d->domain, SPF_TEXT_DOMAIN));
        }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed feed = { 0 };
    const struct spf_dns dns = { feed_answer, &feed };
    struct spf_ask ask = { .helo = STR("mail.example") };
    struct spf_answer answer;
    struct arena arena;

    if (size < 2)
        return 0;
    ask.ip = data[0] & 1 ? ip_make6((const uint8_t[16]){ 0x20, 1, [15] = data[1] })
                         : ip_make4((const uint8_t[4]){ 192, 0, 2, data[1] });
    feed.rest = str_make(data + 2, size - 2);
    check_record(feed.rest);
    if (!str_next(&feed.rest, '\n', &ask.local))
        ask.local = STR_NONE;
    ask.domain = STR("sender.example");

    arena_init(&arena, 4096);
    bool ok = spf_check(&ask, &dns, &arena, &answer, NULL);
    assert(ok && answer.result >= SPF_PASS && answer.result <= SPF_FAIL);
    assert(feed.questions <= QUESTIONS_MAX);
    assert(answer.why.len > 0);
    for (size_t i = 0; i < answer.explanation.len; i++)
        assert(answer.explanation.ptr[i] >= ' ' && answer.explanation.ptr[i] <= '~');
    arena_done(&arena);
    return 0;
}
