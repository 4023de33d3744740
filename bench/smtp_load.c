// SPDX-License-Identifier: Apache-2.0
/* bench/smtp_load.c - hands mail to a relay as fast as it is taken, or keeps idle sessions open,
 * and says what happened in one line of JSON.
 *
 * Every session is a fiber. Commands are pipelined where the relay offers it, as Postfix and others
 * do. The first header field of each message, X-Bench, carries its number and the time at which its
 * MAIL was sent, for the sink. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/stream.h"

#define TIMEOUT_MS 60000
#define RCPT_DOMAIN "sink.test"

struct load {
    struct endpoint relay;
    uint64_t sessions, messages, size, per_connection, rate, distinct, rcpts;
    bool tls, idle;
    struct tls_client *tls_client;
    struct buf body;
    uint64_t started, acked, refused, lost, running, idle_now;
    int64_t begin_us, end_us;
    uint32_t *latency_us; /* end of content … 250, one per acked message */
    char last[200];       /* the last refusal or failure */
};

struct session {
    struct load *load;
    struct stream *stream;
    bool pipelining;
};

/* --- one reply --- */

/* Reads lines up to the last one of a reply. Returns its code, 0 when the connection is lost. */
static unsigned read_reply(struct session *s, struct err *err)
{
    for (;;) {
        struct str window = stream_window(s->stream);
        size_t end = str_index(window, '\n');
        if (end == window.len) {
            if (!stream_fill(s->stream, loop_now_ms() + TIMEOUT_MS, err))
                return 0;
            continue;
        }
        struct str line = str_sub(window, 0, end);
        uint64_t code = 0;
        bool last = line.len < 4 || line.ptr[3] != '-';
        if (str_find(line, STR("PIPELINING")) < line.len)
            s->pipelining = true;
        if (!str_to_u64(str_sub(line, 0, 3), 999, &code) || code >= 400)
            snprintf(s->load->last, sizeof s->load->last, "%.*s", STR_FMT(str_trim(line)));
        stream_take(s->stream, end + 1);
        if (last)
            return (unsigned)code;
    }
}

static unsigned ask(struct session *s, struct str command, struct err *err)
{
    if (!stream_put(s->stream, command, err) || !stream_flush(s->stream, err))
        return 0;
    return read_reply(s, err);
}

/* --- a session --- */

static bool greet(struct session *s, struct err *err)
{
    if (read_reply(s, err) != 220 || ask(s, STR("EHLO bench.test\r\n"), err) != 250)
        return false;
    if (!s->load->tls)
        return true;
    return ask(s, STR("STARTTLS\r\n"), err) == 220 &&
           stream_start_tls_client(s->stream, s->load->tls_client, STR("localhost"),
                                   loop_now_ms() + TIMEOUT_MS, NULL, err) &&
           ask(s, STR("EHLO bench.test\r\n"), err) == 250;
}

static void write_envelope(struct session *s, uint64_t number, struct buf *to)
{
    buf_clear(to);
    buf_add(to, STR("MAIL FROM:<sender@bench.test>\r\n"));
    for (uint64_t r = 0; r < s->load->rcpts; r++)
        buf_addf(to, "RCPT TO:<user%llu@" RCPT_DOMAIN ">\r\n",
                 (unsigned long long)((number * s->load->rcpts + r) % s->load->distinct));
    buf_add(to, STR("DATA\r\n"));
}

/* MAIL, the RCPTs and DATA; true when content may follow. *ret_code is what stood in the way, 0 for
 * a lost line. */
static bool send_envelope(struct session *s, uint64_t number, struct buf *scratch,
                          unsigned *ret_code, struct err *err)
{
    uint64_t replies = s->load->rcpts + 2;
    unsigned code = 0;

    write_envelope(s, number, scratch);
    if (!s->pipelining) {
        struct str rest = buf_str(scratch), line;
        for (uint64_t i = 0; i < replies && str_next(&rest, '\n', &line); i++) {
            code = ask(s, str_make(line.ptr, line.len + 1), err);
            if (code == 0 || code >= 400)
                break;
        }
    } else {
        if (!stream_put(s->stream, buf_str(scratch), err) || !stream_flush(s->stream, err))
            replies = 0;
        for (uint64_t i = 0; i < replies; i++) {
            code = read_reply(s, err);
            if (code == 0)
                break;
        }
    }
    *ret_code = code;
    return code == 354;
}

static bool send_message(struct session *s, uint64_t number, struct buf *scratch, struct err *err)
{
    struct load *l = s->load;
    int64_t begin = clock_mono_us();
    unsigned code;

    if (!send_envelope(s, number, scratch, &code, err)) {
        l->refused += code != 0;
        return code != 0;
    }
    buf_clear(scratch);
    buf_addf(scratch, "X-Bench: %llu %lld\r\nMessage-ID: <%llu.%lld@bench.test>\r\n",
             (unsigned long long)number, (long long)begin, (unsigned long long)number,
             (long long)begin);
    int64_t sent = clock_mono_us();
    if (!stream_put(s->stream, buf_str(scratch), err) ||
        !stream_put(s->stream, buf_str(&l->body), err) || !stream_flush(s->stream, err))
        return false;
    code = read_reply(s, err);
    if (code == 250) {
        l->end_us = clock_mono_us();
        l->latency_us[l->acked++] = (uint32_t)(l->end_us - sent);
    } else if (code != 0) {
        l->refused++;
    }
    return code != 0;
}

/* The number of the next message, when its time has come; false when there are no more. */
static bool next_message(struct load *l, uint64_t *ret)
{
    struct err err;

    while (l->rate > 0 && l->started < l->messages &&
           l->started * 1000000 > (uint64_t)(clock_mono_us() - l->begin_us) * l->rate)
        if (!fiber_sleep(1, &err))
            return false;
    if (l->started >= l->messages)
        return false;
    *ret = l->started++;
    return true;
}

static bool talk(struct session *s, struct buf *scratch, struct err *err)
{
    struct load *l = s->load;
    uint64_t number, done = 0;

    if (!greet(s, err))
        return false;
    if (l->idle) {
        l->idle_now++;
        bool readable = stream_fill(s->stream, NO_DEADLINE, err);
        l->idle_now--;
        return readable;
    }
    while ((l->per_connection == 0 || done < l->per_connection) && next_message(l, &number)) {
        if (!send_message(s, number, scratch, err)) {
            l->lost++;
            return false;
        }
        done++;
    }
    (void)ask(s, STR("QUIT\r\n"), err);
    return true;
}

static void session_story(void *arg)
{
    struct load *l = arg;
    struct ip any = { 0 };
    struct buf scratch;
    struct err err;

    buf_init(&scratch, 1024 * 1024);
    do {
        struct session s = { .load = l };
        if (!stream_connect(&l->relay, &any, loop_now_ms() + TIMEOUT_MS, &s.stream, &err)) {
            snprintf(l->last, sizeof l->last, "%s", err.text);
            break;
        }
        if (!talk(&s, &scratch, &err))
            snprintf(l->last, sizeof l->last, "%s", err.text);
        stream_free(s.stream);
    } while (!l->idle && l->started < l->messages);
    buf_done(&scratch);
    if (--l->running == 0)
        loop_stop();
}

/* --- all of it --- */

static void make_body(struct load *l)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t x = 7;

    buf_init(&l->body, l->size + 1024);
    buf_add(&l->body, STR("From: <sender@bench.test>\r\nTo: <list@" RCPT_DOMAIN
                          ">\r\nSubject: a message of the bench\r\n"
                          "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
                          "Content-Type: text/plain; charset=us-ascii\r\n\r\n"));
    while (l->body.len + 80 < l->size) {
        for (int i = 0; i < 76; i++) {
            x = x * 6364136223846793005ull + 1442695040888963407ull;
            buf_add_char(&l->body, letters[x >> 58]);
        }
        buf_add(&l->body, STR("\r\n"));
    }
    buf_add(&l->body, STR(".\r\n"));
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double latency_ms(struct load *l, double part)
{
    return l->acked == 0 ? 0 : l->latency_us[(uint64_t)(part * (double)(l->acked - 1))] / 1000.0;
}

static void print_result(struct load *l)
{
    struct rusage use;
    double seconds = (double)(l->end_us - l->begin_us) / 1e6;

    qsort(l->latency_us, l->acked, sizeof *l->latency_us, compare);
    getrusage(RUSAGE_SELF, &use);
    printf(
        "{\"acked\":%llu,\"seconds\":%.3f,\"rate\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"refused\":%llu,"
        "\"lost\":%llu,\"cpu_s\":%.2f,\"begin_us\":%lld,\"last\":\"%s\"}\n",
        (unsigned long long)l->acked, seconds, seconds > 0 ? (double)l->acked / seconds : 0,
        latency_ms(l, 0.5), latency_ms(l, 0.99), (unsigned long long)l->refused,
        (unsigned long long)l->lost,
        (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
            (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
        (long long)l->begin_us, l->last);
}

/* Idle sessions are held until somebody ends this process; how many stand is told once they all do.
 */
static void tell_idle(void *arg)
{
    static struct timer again;
    struct load *l = arg;

    if (l->idle_now == l->sessions) {
        printf("{\"idle\":%llu}\n", (unsigned long long)l->idle_now);
        fflush(stdout);
        return;
    }
    timer_init(&again, tell_idle, l);
    timer_set(&again, loop_now_ms() + 50);
}

static const struct number_option {
    const char *name;
    size_t offset;
    uint64_t fallback;
} number_options[] = {
    { "--sessions", offsetof(struct load, sessions), 50 },
    { "--messages", offsetof(struct load, messages), 1000 },
    { "--size", offsetof(struct load, size), 2048 },
    { "--per-connection", offsetof(struct load, per_connection), 0 },
    { "--rate", offsetof(struct load, rate), 0 },
    { "--distinct", offsetof(struct load, distinct), 1000 },
    { "--rcpts", offsetof(struct load, rcpts), 1 },
};

static bool set_number(struct load *l, const char *name, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(number_options); i++)
        if (strcmp(number_options[i].name, name) == 0)
            return str_to_u64(str_of(text), UINT64_MAX,
                              (uint64_t *)(void *)((char *)l + number_options[i].offset));
    return false;
}

static bool read_options(struct load *l, int argc, char **argv, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(number_options); i++)
        *(uint64_t *)(void *)((char *)l + number_options[i].offset) = number_options[i].fallback;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tls") == 0)
            l->tls = true;
        else if (strcmp(argv[i], "--idle") == 0)
            l->idle = true;
        else if (i + 1 < argc && strcmp(argv[i], "--relay") == 0 &&
                 endpoint_parse(str_of(argv[i + 1]), &l->relay, err))
            i++;
        else if (i + 1 < argc && set_number(l, argv[i], argv[i + 1]))
            i++;
        else
            return err_set(err, ERR_SYNTAX, "%s: not understood", argv[i]);
    }
    if (l->relay.port == 0)
        return err_set(err, ERR_SYNTAX, "--relay 127.0.0.1:PORT is needed");
    return !l->tls || tls_client_new(TLS_VERIFY_NONE, NULL, &l->tls_client, err);
}

int main(int argc, char **argv)
{
    struct load l = { .last = "" };
    struct err err;

    process_prepare(false);
    loop_init();
    if (!read_options(&l, argc, argv, &err)) {
        fprintf(stderr, "smtp-load: %s\n", err.text);
        return 2;
    }
    make_body(&l);
    l.latency_us = NEW_ARRAY(uint32_t, l.messages + 1);
    l.begin_us = l.end_us = clock_mono_us();
    for (uint64_t i = 0; i < l.sessions; i++) {
        l.running++;
        fiber_spawn("session", session_story, &l);
    }
    if (l.idle)
        tell_idle(&l);
    loop_run();
    print_result(&l);
    return l.acked == l.messages ? 0 : 1;
}
