// SPDX-License-Identifier: Apache-2.0
/* bench/smtp_sink.c - a mail server that takes everything and keeps only counts: the far end of the
 * relay that is measured. Commands of its own: XCOUNT answers with the number of messages, cheap
 * enough to be asked while mail flows; XSTAT with all counts as JSON; XRESET begins anew. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/disk.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/stream.h"

#define TIMEOUT_MS 600000
#define NUMBERS_MAX 20000000u

struct sink {
    struct tls_server *tls;
    uint64_t messages, connections, recipients, bytes, repeated, latencies;
    uint64_t signatures; /* DKIM-Signature fields, in all messages together */
    int64_t first_us, last_us;
    uint8_t *seen;        /* by number: repeats show */
    uint32_t *latency_us; /* MAIL at the client … the end of content here */
};

struct session {
    struct sink *sink;
    struct stream *stream;
    bool quit;
};

/* --- counting --- */

static void count_signatures(struct sink *k, struct str head)
{
    const struct str name = STR("DKIM-Signature: ");

    for (size_t at; (at = str_find(head, name)) < head.len; head = str_skip(head, at + name.len))
        k->signatures++;
}

static void count_message(struct sink *k, struct str content)
{
    int64_t now = clock_mono_us();
    size_t at = str_find(str_sub(content, 0, 4096), STR("X-Bench: "));
    struct str text = str_skip(content, at + 9);
    uint64_t number, begin;

    if (k->messages++ == 0)
        k->first_us = now;
    k->last_us = now;
    count_signatures(k, content);
    if (!str_eat_u64(&text, &number) || number >= NUMBERS_MAX)
        return;
    k->repeated += k->seen[number];
    k->seen[number] = 1;
    text = str_skip(text, 1);
    if (str_eat_u64(&text, &begin) && k->latencies < NUMBERS_MAX)
        k->latency_us[k->latencies++] = (uint32_t)(now - (int64_t)begin);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double latency_ms(const struct sink *k, double part)
{
    return k->latencies == 0
               ? 0
               : k->latency_us[(uint64_t)(part * (double)(k->latencies - 1))] / 1000.0;
}

static void reset(struct sink *k)
{
    struct sink fresh = { .tls = k->tls, .seen = k->seen, .latency_us = k->latency_us };

    memset(k->seen, 0, NUMBERS_MAX);
    *k = fresh;
}

static bool put_stat(struct session *s, struct err *err)
{
    struct sink *k = s->sink;
    struct rusage use;
    char text[500];

    qsort(k->latency_us, k->latencies, sizeof *k->latency_us, compare);
    getrusage(RUSAGE_SELF, &use);
    snprintf(
        text, sizeof text,
        "250 {\"messages\":%llu,\"repeated\":%llu,\"connections\":%llu,\"recipients\":%llu,\"bytes\":%llu,"
        "\"signatures\":%llu,"
        "\"first_us\":%lld,\"last_us\":%lld,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"cpu_s\":%.2f}\r\n",
        (unsigned long long)k->messages, (unsigned long long)k->repeated,
        (unsigned long long)k->connections, (unsigned long long)k->recipients,
        (unsigned long long)k->bytes, (unsigned long long)k->signatures, (long long)k->first_us,
        (long long)k->last_us, latency_ms(k, 0.5), latency_ms(k, 0.99),
        (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
            (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    return stream_put(s->stream, str_of(text), err);
}

static bool put_count(struct session *s, struct err *err)
{
    char text[40];

    snprintf(text, sizeof text, "250 %llu\r\n", (unsigned long long)s->sink->messages);
    return stream_put(s->stream, str_of(text), err);
}

/* --- content --- */

/* Up to CRLF.CRLF; only the beginning is kept, for the X-Bench field. Waits. */
static bool read_content(struct session *s, struct err *err)
{
    char head[4096];
    size_t head_len = 0;

    for (;;) {
        struct str window = stream_window(s->stream);
        size_t end = str_find(window, STR("\r\n.\r\n"));
        size_t part = end < window.len ? end : window.len;
        size_t keep = part < sizeof head - head_len ? part : sizeof head - head_len;
        if (keep > 0)
            memcpy(head + head_len, window.ptr, keep);
        head_len += keep;
        if (end < window.len) {
            s->sink->bytes += end + 5;
            stream_take(s->stream, end + 5);
            count_message(s->sink, str_make(head, head_len));
            return true;
        }
        /* The end may be split: its first four bytes stay. */
        size_t take = window.len > 4 ? window.len - 4 : 0;
        head_len -= keep > take ? keep - take : 0;
        s->sink->bytes += take;
        stream_take(s->stream, take);
        if (!stream_fill(s->stream, loop_now_ms() + TIMEOUT_MS, err))
            return false;
    }
}

/* --- commands --- */

static bool say(struct session *s, struct str text, struct err *err)
{
    return stream_put(s->stream, text, err);
}

static bool on_ehlo(struct session *s, struct err *err)
{
    if (!say(s, STR("250-sink.test\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n"), err))
        return false;
    if (s->sink->tls && !stream_tls(s->stream) && !say(s, STR("250-STARTTLS\r\n"), err))
        return false;
    return say(s, STR("250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"), err);
}

static bool on_starttls(struct session *s, struct err *err)
{
    return say(s, STR("220 go\r\n"), err) && stream_flush(s->stream, err) &&
           stream_start_tls_server(s->stream, s->sink->tls, loop_now_ms() + TIMEOUT_MS, NULL, err);
}

static bool on_data(struct session *s, struct err *err)
{
    return say(s, STR("354 go\r\n"), err) && stream_flush(s->stream, err) && read_content(s, err) &&
           say(s, STR("250 2.0.0 taken\r\n"), err);
}

static bool on_command(struct session *s, struct str line, struct err *err)
{
    struct str verb = str_sub(line, 0, 4);

    if (str_eq_nocase(verb, STR("EHLO")) || str_eq_nocase(verb, STR("LHLO")))
        return on_ehlo(s, err);
    if (str_eq_nocase(verb, STR("DATA")))
        return on_data(s, err);
    if (str_eq_nocase(verb, STR("STAR")) && s->sink->tls)
        return on_starttls(s, err);
    if (str_eq_nocase(line, STR("XCOUNT")))
        return put_count(s, err);
    if (str_eq_nocase(line, STR("XSTAT")))
        return put_stat(s, err);
    if (str_eq_nocase(line, STR("XRESET")))
        reset(s->sink);
    s->sink->recipients += str_eq_nocase(verb, STR("RCPT"));
    s->quit = str_eq_nocase(verb, STR("QUIT"));
    return say(s, s->quit ? STR("221 2.0.0 bye\r\n") : STR("250 2.0.0 fine\r\n"), err);
}

static void session_story(void *arg)
{
    struct session *s = arg;
    struct err err;
    bool ok = say(s, STR("220 sink.test ESMTP\r\n"), &err);

    while (ok && !s->quit) {
        struct str window = stream_window(s->stream);
        size_t end = str_index(window, '\n');
        if (end == window.len) {
            ok = stream_flush(s->stream, &err) &&
                 stream_fill(s->stream, loop_now_ms() + TIMEOUT_MS, &err);
            continue;
        }
        char line[1024];
        size_t len = end < sizeof line ? end : sizeof line;
        memcpy(line, window.ptr, len);
        stream_take(s->stream, end + 1);
        ok = on_command(
            s,
            str_trim(str_sub(str_make(line, len), 0, len > 0 ? len - (line[len - 1] == '\r') : 0)),
            &err);
    }
    if (ok)
        (void)!stream_flush(s->stream, &err);
    stream_free(s->stream);
    free(s);
}

static void on_connection(void *arg, struct stream *stream)
{
    struct session *s = NEW(struct session);

    s->sink = arg;
    s->stream = stream;
    s->sink->connections++;
    fiber_spawn("session", session_story, s);
}

static bool read_tls(struct sink *k, const char *chain_file, const char *key_file, struct err *err)
{
    struct arena arena;
    struct str chain, key;

    arena_init(&arena, 16 * 1024);
    bool ok = disk_read_file(chain_file, 65536, &arena, &chain, err) &&
              disk_read_file(key_file, 65536, &arena, &key, err) &&
              tls_server_new(chain, key, &k->tls, err);
    arena_done(&arena);
    return ok;
}

int main(int argc, char **argv)
{
    struct sink k = { 0 };
    struct endpoint at;
    struct listener *listener;
    struct err err;

    process_prepare(false);
    loop_init();
    if ((argc != 2 && argc != 4) || !endpoint_parse(str_of(argv[1]), &at, &err) ||
        (argc == 4 && !read_tls(&k, argv[2], argv[3], &err))) {
        fprintf(stderr, "usage: smtp-sink 127.0.0.1:PORT [CERTIFICATE KEY]\n");
        return 2;
    }
    k.seen = NEW_ARRAY(uint8_t, NUMBERS_MAX);
    k.latency_us = NEW_ARRAY(uint32_t, NUMBERS_MAX);
    if (!listener_new(&at, &listener, &err)) {
        fprintf(stderr, "smtp-sink: %s\n", err.text);
        return 1;
    }
    listener_start(listener, on_connection, &k);
    loop_run();
    return 0;
}
