// SPDX-License-Identifier: Apache-2.0
/* web/web_test.c - the role over a real UNIX socket, with stand-ins for core and report behind it:
 * answers, problems, tails, a role that goes away, and raw requests that two readers could read
 * differently (fault B12). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/loop.h"
#include "io/process.h"
#include "web/role.h"
#include "wire/wire.h"

#define ORDER 1

/* A role that answers what it is asked. */
struct stand_in {
    struct channel *channel;
    uint32_t verb, flags;
    uint64_t request, id;
    char actor[32], reason[32];
    unsigned asked;
    bool mute;
};

struct world {
    char path[64];
    void *web;
    struct stand_in core, report;
};

static void row_send(struct channel *c, uint64_t request, const char *json)
{
    struct wire_admin_row *row = wire_add(c, WIRE_ADMIN_ROW, strlen(json));

    row->request = request;
    wire_put(row, &row->json, str_of(json));
}

static void end_send(struct channel *c, uint64_t request, uint16_t status, const char *text)
{
    struct wire_admin_end *end = wire_add(c, WIRE_ADMIN_END, strlen(text));

    end->request = request;
    end->status = status;
    end->next = status == 200 ? 42 : 0;
    wire_put(end, &end->text, str_of(text));
}

static void answer(struct channel *c, const struct wire_admin *f)
{
    switch (f->verb) {
    case ADMIN_QUEUE_LIST:
        row_send(c, f->request, "{\"n\":1}");
        row_send(c, f->request, "{\"n\":2}");
        end_send(c, f->request, 200, "");
        return;
    case ADMIN_QUEUE_SHOW:
        end_send(c, f->request, 404, "no message \"x\"");
        return;
    case ADMIN_TAIL:
        if (!(f->flags & ADMIN_STOP))
            row_send(c, f->request, "{\"event\":\"delivered\"}");
        return;
    default:
        row_send(c, f->request, "{\"ok\":true}");
        end_send(c, f->request, 200, "");
    }
}

static bool stand_in_frame(void *owner, struct channel *c, const struct frame *frame,
                           struct err *err)
{
    const struct wire_admin *f = (const void *)frame;
    struct stand_in *s = owner;

    if (!wire_check(frame, ROLE_WEB, ROLE_CORE, err))
        return false;
    s->asked++;
    s->verb = f->verb;
    s->flags = f->flags;
    s->request = f->request;
    s->id = f->id;
    snprintf(s->actor, sizeof s->actor, "%.*s", STR_FMT(wire_get(f, f->actor)));
    snprintf(s->reason, sizeof s->reason, "%.*s", STR_FMT(wire_get(f, f->reason)));
    if (!s->mute)
        answer(c, f);
    return true;
}

static void stand_in_closed(void *owner, struct channel *c, const struct err *why)
{
    struct stand_in *s = owner;

    (void)why;
    if (s->channel == c)
        s->channel = NULL;
    channel_free(c);
}

static const struct channel_events stand_in_events = { stand_in_frame, stand_in_closed };

static void join(struct world *w, enum role_kind peer, struct stand_in *s)
{
    struct role_link link = { .peer = peer, .generation = 1 };

    channel_pair(ORDER, &link.channel, ORDER, &s->channel);
    channel_set_owner(s->channel, &stand_in_events, s);
    web_role.link(w->web, &link);
}

static int setup(void **state)
{
    struct world *w = NEW(struct world);
    struct role_start start = { .kind = ROLE_WEB, .unix_fd = -1 };
    struct err err = { 0 };

    loop_init();
    snprintf(w->path, sizeof w->path, "/tmp/baton-web-test-%d.sock", (int)getpid());
    if (!process_listen_unix(w->path, (int)getgid(), &start.unix_fd, &err) ||
        !web_role.start(&start, &w->web, &err))
        fail_msg("%s", err.text);
    join(w, ROLE_CORE, &w->core);
    join(w, ROLE_REPORT, &w->report);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    web_role.free(w->web);
    for (int i = 0; i < 5; i++)
        loop_turn(0);
    if (w->core.channel)
        channel_free(w->core.channel);
    if (w->report.channel)
        channel_free(w->report.channel);
    unlink(w->path);
    free(w);
    return 0;
}

/* A client ------------------------------------------------------------------------------------- */

static int client_open(const struct world *w, const char *request)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path, sizeof to.sun_path, "%s", w->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
    return fd;
}

/* Turns the loop until the answer holds `until`, or the connection ends. */
static void client_read(int fd, const char *until, char *to, size_t size)
{
    size_t len = 0;

    for (int turns = 0; turns < 2000; turns++) {
        ssize_t n = recv(fd, to + len, size - 1 - len, MSG_DONTWAIT);
        if (n > 0)
            len += (size_t)n;
        to[len] = '\0';
        if (n == 0 || (until && strstr(to, until)))
            return;
        loop_turn(10);
    }
    fail_msg("no \"%s\" in \"%s\"", until ? until : "end", to);
}

static void expect(const struct world *w, const char *request, const char *status, const char *body)
{
    char text[8192];
    int fd = client_open(w, request);

    client_read(fd, "}\n", text, sizeof text);
    if (!strstr(text, status) || !strstr(text, body))
        fail_msg("wanted %s %s, got \"%s\"", status, body, text);
    close(fd);
}

#define HOST "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_answers(void **state)
{
    struct world *w = *state;

    expect(w, GET("/v1/queue"), "200 OK", "{\"items\":[{\"n\":1},{\"n\":2}],\"next\":\"42\"}");
    expect(w, GET("/v1/queue/summary"), "200 OK", "{\"items\":[{\"ok\":true}],\"next\":\"42\"}");
    expect(w, GET("/v1/queue/0123456789ABC"), "404 Not Found",
           "\"status\":404,\"detail\":\"no message \\\"x\\\"\"");
    assert_int_equal(w->core.id != 0, true);
    expect(w, GET("/nowhere"), "404 Not Found", "application/problem+json");
    expect(w, GET("/v1/accounts"), "503 Service Unavailable", "vault is away");
}

static void test_change_names_its_operator(void **state)
{
    struct world *w = *state;
    char want[32];

    expect(w,
           "POST /v1/queue/drop HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
           "Content-Length: 48\r\n\r\n{\"all\":true,\"silent\":true,\"reason\":\"test drop\"}  ",
           "200 OK", "\"items\":[{\"ok\":true}]");
    snprintf(want, sizeof want, "uid:%d", (int)getuid());
    assert_string_equal(w->core.actor, getuid() == 0 ? "root" : want);
    assert_string_equal(w->core.reason, "test drop");
    assert_int_equal(w->core.verb, ADMIN_QUEUE_DROP);
    assert_int_equal(w->core.flags, ADMIN_ALL | ADMIN_SILENT);
}

static const struct raw_case {
    const char *name, *request, *want;
} raw_cases[] = {
    { "no Host", "GET /v1/queue HTTP/1.1\r\n\r\n", " 400 " },
    { "two Hosts", "GET /v1/queue HTTP/1.1\r\n" HOST HOST "\r\n", " 400 " },
    { "two lengths",
      "POST /v1/reload HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
      " 400 " },
    { "space before colon", "GET /v1/queue HTTP/1.1\r\n" HOST "X : y\r\n\r\n", " 400 " },
    { "xchunked", "POST /v1/reload HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
      " 400 " },
    { "both",
      "POST /v1/reload HTTP/1.1\r\n" HOST
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      " 400 " },
    { "body without type", "POST /v1/accounts HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}",
      " 415 " },
    { "another method", "PUT /v1/queue HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", " 501 " },
};

static void test_raw_B12(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(raw_cases); i++) {
        char text[8192];
        int fd = client_open(w, raw_cases[i].request);

        client_read(fd, NULL, text, sizeof text); /* up to its end: refused and closed */
        if (!strstr(text, raw_cases[i].want))
            fail_msg("%s: \"%s\"", raw_cases[i].name, text);
        close(fd);
    }
    assert_int_equal(w->core.asked, 0);
}

static void test_tail_stops_with_its_reader(void **state)
{
    struct world *w = *state;
    char text[8192];
    int fd = client_open(w, GET("/v1/events"));

    client_read(fd, "delivered", text, sizeof text);
    assert_non_null(strstr(text, "application/x-ndjson"));
    assert_int_equal(w->report.verb, ADMIN_TAIL);
    close(fd);
    /* The end is seen at the latest when the next rows cannot be written. */
    for (int turns = 0; turns < 2000 && !(w->report.flags & ADMIN_STOP); turns++) {
        row_send(w->report.channel, w->report.request, "{\"event\":\"more\"}");
        loop_turn(1);
    }
    assert_int_equal(w->report.flags, ADMIN_STOP);
}

static void test_role_lost(void **state)
{
    struct world *w = *state;
    char text[8192];

    w->core.mute = true;
    int fd = client_open(w, GET("/v1/queue"));
    for (int turns = 0; turns < 2000 && w->core.asked == 0; turns++)
        loop_turn(10);
    assert_int_equal(w->core.asked, 1);
    channel_free(w->core.channel);
    w->core.channel = NULL;
    client_read(fd, "}\n", text, sizeof text);
    assert_non_null(strstr(text, " 503 "));
    assert_non_null(strstr(text, "core was restarted"));
    close(fd);
    expect(w, GET("/v1/queue"), "503", "core is away");
    w->core.mute = false;
    join(w, ROLE_CORE, &w->core);
    expect(w, GET("/v1/queue"), "200 OK", "items");
}

static void on_drained(void *arg)
{
    *(bool *)arg = true;
}

static void test_drain(void **state)
{
    struct world *w = *state;
    bool drained = false;
    char text[8192];
    int fd = client_open(w, GET("/v1/events"));

    client_read(fd, "delivered", text, sizeof text);
    web_role.drain(w->web, on_drained, &drained);
    assert_true(drained);
    client_read(fd, "0\r\n\r\n", text, sizeof text);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_change_names_its_operator, setup, teardown),
        cmocka_unit_test_setup_teardown(test_raw_B12, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tail_stops_with_its_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_role_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
    };
    return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
