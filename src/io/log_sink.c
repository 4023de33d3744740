// SPDX-License-Identifier: Apache-2.0
/* io/log_sink.c - where log lines go: gathered during a turn, written with one call at its end,
 * each with the time in front. Several roles append to the same file; whole lines go out together,
 * so they do not mix. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/process.h"

/* Behind everything else that a turn ends with. */
#define SINK_ORDER 1000
#define GATHER_BYTES (64 * 1024)

static struct {
    int fd;
    char bytes[GATHER_BYTES];
    size_t len;
    uint64_t lines;      /* in bytes */
    uint64_t lost_lines; /* the log could not be written: mail goes on (fault D11) */
    bool with_time;
    struct turn_end turn_end;
} sink = { .fd = -1, .with_time = true };

static void write_out(void *arg)
{
    size_t done = 0;

    (void)arg;
    while (done < sink.len) {
        ssize_t n = write(sink.fd, sink.bytes + done, sink.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            sink.lost_lines += sink.lines;
            break;
        }
        done += (size_t)n;
    }
    sink.len = 0;
    sink.lines = 0;
}

static size_t put_time(char *to, size_t room)
{
    int64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm tm;
    size_t len;

    gmtime_r(&seconds, &tm);
    len = strftime(to, room, "time=%Y-%m-%dT%H:%M:%S", &tm);
    return len + (size_t)snprintf(to + len, room - len, ".%03dZ ", (int)(now % 1000));
}

static void gather(void *arg, enum log_level level, struct str line)
{
    (void)arg;
    if (sink.len + line.len + 64 > sizeof sink.bytes)
        write_out(NULL);
    if (sink.with_time)
        sink.len += put_time(sink.bytes + sink.len, 64);
    memcpy(sink.bytes + sink.len, line.ptr, line.len);
    sink.len += line.len;
    sink.bytes[sink.len++] = '\n';
    sink.lines++;
    if (level == LOG_ALERT)
        write_out(NULL); /* whatever comes next, this is said */
}

void process_log_to(int fd)
{
    sink.fd = fd;
    log_set_sink(gather, NULL);
    turn_end_add(&sink.turn_end, SINK_ORDER, write_out, NULL);
}

void process_log_flush(void)
{
    write_out(NULL);
}

void process_log_bare(void)
{
    sink.with_time = false;
}

uint64_t process_log_lost(void)
{
    return sink.lost_lines;
}
