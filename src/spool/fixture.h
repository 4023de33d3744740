// SPDX-License-Identifier: Apache-2.0
/* spool/fixture.h - what the spool's tests share: a folder of their own, a spool over small
 * segments, messages whose content follows from a number, so that it can be checked without being
 * kept. Tests only. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/mem.h"
#include "io/loop.h"
#include "spool/spool.h"

enum { SEGMENT = 512 * 1024 };

struct fixture {
    struct idmap counted; /* the tally: seed -> how often its message was counted */
    char folder[64];
    struct spool_options options;
    struct spool *spool;
    struct spool_recovery found;
    struct {
        const char *kind;
        uint64_t message;
    } alarms[64];
    size_t alarm_count;
};

static inline void fixture_alarm(void *arg, const char *kind, uint64_t message, const char *text)
{
    struct fixture *f = arg;

    (void)text;
    if (f->alarm_count < ARRAY_LEN(f->alarms)) {
        f->alarms[f->alarm_count].kind = kind;
        f->alarms[f->alarm_count++].message = message;
    }
}

static inline size_t fixture_alarms(const struct fixture *f, const char *kind)
{
    size_t n = 0;

    for (size_t i = 0; i < f->alarm_count; i++)
        n += strcmp(f->alarms[i].kind, kind) == 0;
    return n;
}

/* The tally ----------------------------------------------------------------------------------- */

static inline size_t fixture_counted(const struct fixture *f, uint64_t seed)
{
    return (size_t)(uintptr_t)idmap_find(&f->counted, seed);
}

/* The mark is the seed, which the fixture's messages have as their account, too. */
static inline void fixture_tally_count(void *arg, const struct envelope *e, struct str mark)
{
    struct fixture *f = arg;
    uint64_t seed;

    if (mark.len != sizeof(seed))
        fail_msg("a mark of %zu bytes", mark.len);
    memcpy(&seed, mark.ptr, sizeof(seed));
    if (e->account != seed || e->rcpt_count == 0)
        fail_msg("the mark of another message");
    (void)idmap_put(&f->counted, seed, (void *)(uintptr_t)(fixture_counted(f, seed) + 1));
}

static inline bool fixture_tally_write(void *arg, struct buf *to)
{
    const struct fixture *f = arg;
    uint64_t seed;
    size_t at = 0;
    void *count;

    while (idmap_each(&f->counted, &at, &seed, &count)) {
        uint64_t words[] = { seed, (uintptr_t)count };

        buf_add(to, str_make(words, sizeof(words)));
    }
    return buf_ok(to);
}

static inline bool fixture_tally_read(void *arg, struct str bytes, struct err *err)
{
    struct fixture *f = arg;
    uint64_t words[2];

    for (; bytes.len >= sizeof(words); bytes = str_skip(bytes, sizeof(words))) {
        memcpy(words, bytes.ptr, sizeof(words));
        (void)idmap_put(&f->counted, words[0], (void *)(uintptr_t)words[1]);
    }
    return bytes.len == 0 || err_set(err, ERR_DAMAGED, "bytes left over");
}

static inline void fixture_counts(struct fixture *f)
{
    f->options.tally = (struct spool_tally){ .count = fixture_tally_count,
                                             .write = fixture_tally_write,
                                             .read = fixture_tally_read,
                                             .arg = f };
}

static inline void fixture_open(struct fixture *f)
{
    struct err err;

    idmap_done(&f->counted);
    f->alarm_count = 0;
    if (!spool_open(&f->options, &f->spool, &f->found, &err))
        fail_msg("%s", err.text);
    spool_on_alarm(f->spool, fixture_alarm, f);
}

static inline struct fixture *fixture_new(void)
{
    struct fixture *f = NEW(struct fixture);
    const char *tmp = getenv("TMPDIR");

    loop_init();
    (void)snprintf(f->folder, sizeof(f->folder), "%s/spool-XXXXXX",
                   tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    spool_options_default(&f->options);
    f->options.folder = f->folder;
    f->options.segment_bytes = SEGMENT;
    f->options.reserve_bytes = 2 * SEGMENT;
    f->options.disk_max_bytes = 64 * SEGMENT;
    fixture_counts(f);
    return f;
}

/* Takes the descriptor. */
static inline void fixture_empty(int fd)
{
    DIR *dir = fdopendir(fd);
    struct dirent *e;

    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, e->d_name, 0) == 0)
            continue;
        fixture_empty(openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        (void)unlinkat(fd, e->d_name, AT_REMOVEDIR);
    }
    (void)closedir(dir);
}

static inline void fixture_free(struct fixture *f)
{
    fixture_empty(open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    (void)rmdir(f->folder);
    idmap_done(&f->counted);
    free(f);
}

static inline void fixture_reopen(struct fixture *f)
{
    spool_close(f->spool);
    fixture_open(f);
}

/* The byte of message `seed` at `at`. */
static inline char fixture_byte(uint64_t seed, uint64_t at)
{
    uint64_t x = (seed << 32 | at) * UINT64_C(0x9e3779b97f4a7c15);

    return (char)((x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 40);
}

static inline char *fixture_content(uint64_t seed, size_t size)
{
    char *bytes = mem_new(size + 1);

    for (size_t i = 0; i < size; i++)
        bytes[i] = fixture_byte(seed, i);
    return bytes;
}

#define FIXTURE_RCPTS_MAX 4
static inline bool fixture_commit(struct fixture *f, uint64_t seed, size_t size, size_t rcpts,
                                  uint64_t *ret_id, struct spool_message **ret, struct err *err)
{
    struct envelope_rcpt list[FIXTURE_RCPTS_MAX];
    char text[32];
    struct envelope e = { .account = seed,
                          .size_bytes = size,
                          .header_bytes = (uint32_t)(size < 100 ? size : 100),
                          .accepted_wall_ms = 1000,
                          .reverse_path = STR("a@example.org"),
                          .rcpts = list,
                          .rcpt_count = rcpts,
                          .client = { .family = 4, .bytes = { 192, 0, 2, 1 } } };
    struct spool_tx *tx = spool_begin(f->spool);
    char *bytes = fixture_content(seed, size);
    struct spool_message *m;
    uint64_t id;
    bool ok;

    (void)snprintf(text, sizeof(text), "r%llu@example.net", (unsigned long long)seed);
    for (size_t i = 0; i < rcpts; i++)
        list[i] = (struct envelope_rcpt){ .address = str_of(text) };
    for (size_t at = 0; at < size; at += 10000)
        spool_add(tx, str_make(bytes + at, size - at < 10000 ? size - at : 10000));
    free(bytes);
    spool_mark(tx, str_make(&seed, sizeof(seed)));
    ok = spool_commit(tx, &e, ret_id ? ret_id : &id, ret ? ret : &m, err);
    return ok;
}

static inline struct spool_message *fixture_message(struct fixture *f, uint64_t seed, size_t size,
                                                    size_t rcpts)
{
    struct spool_message *m = NULL;
    struct err err;

    if (!fixture_commit(f, seed, size, rcpts, NULL, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

static inline bool fixture_settle(struct fixture *f, struct spool_message *m, uint32_t rcpt,
                                  enum rcpt_state state, struct err *err)
{
    struct settle_rcpt r = {
        .rcpt = rcpt,
        .now = { .state = (uint8_t)state, .tries = 1, .due_wall_ms = 77 },
        .event = { .kind = state == RCPT_DONE ? EVENT_DELIVERED : EVENT_DEFERRED,
                   .account = spool_message_account(m),
                   .wall_ms = 5,
                   .outcome = { .kind = OUTCOME_DELIVERED, .scope = SCOPE_RECIPIENT } }
    };

    return spool_settle(f->spool, m, &r, 1, NULL, NULL, NULL, err);
}

static inline void fixture_done(struct fixture *f, struct spool_message *m)
{
    struct err err;

    for (uint32_t i = 0, n = spool_message_rcpts(m); i < n; i++)
        if (!fixture_settle(f, m, i, RCPT_DONE, &err))
            fail_msg("%s", err.text);
}

/* Content and envelope are what seed says. */
static inline bool fixture_check(struct fixture *f, struct spool_message *m, struct err *err)
{
    uint64_t seed = spool_message_account(m), size = spool_message_size(m);
    char *got = mem_new(size + 1), *want = fixture_content(seed, size);
    struct envelope e;
    struct arena a;
    bool ok;

    arena_init(&a, 1024);
    ok = spool_envelope(f->spool, m, &a, &e, err) && spool_content(f->spool, m, 0, size, got, err);
    if (ok && (e.account != seed || e.size_bytes != size || memcmp(got, want, size) != 0))
        ok = err_set(err, ERR_SYNTAX, "other bytes than were given");
    arena_done(&a);
    free(got);
    free(want);
    return ok;
}

static inline void fixture_assert(struct fixture *f, uint64_t id)
{
    struct spool_message *m = spool_find(f->spool, id);
    struct err err;

    assert_non_null(m);
    if (!fixture_check(f, m, &err))
        fail_msg("%s", err.text);
}

/* Tends until nothing is left to do. */
static inline void fixture_tend(struct fixture *f)
{
    bool did = true;
    struct err err;

    for (int i = 0; i < 100 && did; i++)
        if (!spool_tend(f->spool, &did, &err))
            fail_msg("%s", err.text);
}
