// SPDX-License-Identifier: Apache-2.0
/* io/dns_direct_test.c - one server on loopback that answers, lies, stalls, cuts off: a thread that
 * follows a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/dns_direct.h"
#include "io/dns_message.h"
#include "io/loop.h"

enum act {
    ANSWER,      /* TXT "x" */
    ANSWER_CUT,  /* TC: come again over TCP */
    ANSWER_LAME, /* without AA */
    SERVFAIL,
    FORMERR,    /* to a question with EDNS; else the answer */
    WRONG_ID,   /* then the answer */
    WRONG_NAME, /* then the answer */
    FLOOD,      /* of wrong ids, without end */
    DAMAGED,
    NOTHING, /* not answered at all */
    CLOSE,   /* of a TCP connection */
};

static struct {
    int udp, tcp;
    struct endpoint at;
    pthread_t thread;
    const enum act *acts; /* one a question */
    size_t count;
    uint16_t ids[64], ports[64]; /* of the questions heard */
} server;

/* The server
 * --------------------------------------------------------------------------------------------
 */

/* The question with other flags and one TXT record behind, without its OPT if it has one. */
static size_t make_answer(const char *question, size_t len, enum act act, char *to)
{
    static const char record[] = "\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x02\x01x";
    bool edns = question[11] != 0;
    size_t body = edns ? len - 11 : len;

    if (act == FORMERR && !edns)
        act = ANSWER;
    memcpy(to, question, body);
    to[2] = act == ANSWER_LAME ? '\x80' : act == ANSWER_CUT ? '\x86' : '\x84';
    to[3] = act == SERVFAIL ? 2 : act == FORMERR ? 1 : 0;
    to[11] = 0;
    if (act == WRONG_ID || act == FLOOD)
        to[0] = (char)(to[0] ^ 0x40);
    if (act == WRONG_NAME)
        to[13] = 'z';
    if (act == SERVFAIL || act == FORMERR || act == ANSWER_CUT)
        return body;
    to[7] = 1;
    memcpy(to + body, record, sizeof record - 1);
    return body + sizeof record - 1 - (act == DAMAGED);
}

static void say_udp(const struct sockaddr_in *peer, const char *question, size_t len, enum act act)
{
    char answer[600];
    size_t size = make_answer(question, len, act, answer);

    (void)!sendto(server.udp, answer, size, 0, (const struct sockaddr *)peer, sizeof *peer);
}

static void serve_udp(enum act act, size_t at)
{
    struct sockaddr_in peer;
    socklen_t peer_len = sizeof peer;
    char question[512];

    ssize_t len =
        recvfrom(server.udp, question, sizeof question, 0, (struct sockaddr *)&peer, &peer_len);
    if (len < 0)
        return;
    server.ids[at] = (uint16_t)((uint8_t)question[0] << 8 | (uint8_t)question[1]);
    server.ports[at] = ntohs(peer.sin_port);
    if (act == NOTHING)
        return;
    for (int i = 0; act == FLOOD && i < 200; i++)
        say_udp(&peer, question, (size_t)len, act);
    if (act == FLOOD)
        return;
    say_udp(&peer, question, (size_t)len, act);
    if (act == WRONG_ID || act == WRONG_NAME)
        say_udp(&peer, question, (size_t)len, ANSWER);
}

/* Two pieces, since TCP has no packets. */
static void serve_tcp(enum act act)
{
    char question[512], answer[600];
    int fd = accept(server.tcp, NULL, NULL);

    ssize_t len = recv(fd, question, sizeof question, 0);
    if (len > 2 && act != CLOSE) {
        size_t size = make_answer(question + 2, (size_t)len - 2, act, answer + 2);
        answer[0] = (char)(size >> 8);
        answer[1] = (char)size;
        (void)!send(fd, answer, 1, MSG_NOSIGNAL);
        (void)!send(fd, answer + 1, size + 1, MSG_NOSIGNAL);
    }
    close(fd);
}

static void *serve(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < server.count; i++) {
        if (i > 0 && server.acts[i - 1] == ANSWER_CUT)
            serve_tcp(server.acts[i]);
        else
            serve_udp(server.acts[i], i);
    }
    return NULL;
}

static int open_server(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;

    (void)state;
    loop_init();
    server.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(server.udp, (struct sockaddr *)&a, len) != 0 ||
        getsockname(server.udp, (struct sockaddr *)&a, &len) != 0)
        return -1;
    server.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server.tcp, (struct sockaddr *)&a, len) != 0 || listen(server.tcp, 5) != 0)
        return -1;
    server.at =
        (struct endpoint){ ip_make4((const uint8_t[4]){ 127, 0, 0, 1 }), ntohs(a.sin_port) };
    return 0;
}

static int close_server(void **state)
{
    (void)state;
    close(server.udp);
    close(server.tcp);
    return 0;
}

static struct dns_direct_answer ask_as(bool once, const enum act *acts, size_t count,
                                       int64_t wait_ms, struct arena *a)
{
    struct dns_direct_question q = { server.at, STR("a.example"), DNS_TXT, once, 0 };
    struct dns_direct_answer answer;
    struct err err = { 0 };

    server.acts = acts;
    server.count = count;
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    loop_turn(0);
    q.deadline_ms = loop_now_ms() + wait_ms;
    if (!dns_direct_ask(&q, a, &answer, &err))
        fail_msg("%s", err.text);
    pthread_join(server.thread, NULL);
    return answer;
}

static struct dns_direct_answer ask(const enum act *acts, size_t count, int64_t wait_ms,
                                    struct arena *a)
{
    return ask_as(false, acts, count, wait_ms, a);
}

/* Tests
 * ----------------------------------------------------------------------------------------------
 */

static const struct direct_case {
    const char *name;
    enum act acts[4];
    size_t count;
    enum dns_direct_end want;
    const char *why;
} direct_cases[] = {
    { "F27 an answer", { ANSWER }, 1, DNS_DIRECT_ANSWERED, NULL },
    { "S03 a cut answer, whole over TCP", { ANSWER_CUT, ANSWER }, 2, DNS_DIRECT_ANSWERED, NULL },
    { "F27 asked again when a packet is lost", { NOTHING, ANSWER }, 2, DNS_DIRECT_ANSWERED, NULL },
    { "S05 another id is passed over", { WRONG_ID }, 1, DNS_DIRECT_ANSWERED, NULL },
    { "S05 another name is passed over", { WRONG_NAME }, 1, DNS_DIRECT_ANSWERED, NULL },
    { "S05 a flood ends the try, not the question",
      { FLOOD, ANSWER },
      2,
      DNS_DIRECT_ANSWERED,
      NULL },
    { "F27 a server that does not know EDNS", { FORMERR, FORMERR }, 2, DNS_DIRECT_ANSWERED, NULL },
    { "S01 SERVFAIL", { SERVFAIL }, 1, DNS_DIRECT_FAILED, "SERVFAIL" },
    { "F27 a server that is no authority", { ANSWER_LAME }, 1, DNS_DIRECT_FAILED, "no authority" },
    { "S04 a damaged answer", { DAMAGED }, 1, DNS_DIRECT_FAILED, "malformed" },
    { "S04 a damaged answer over TCP", { ANSWER_CUT, DAMAGED }, 2, DNS_DIRECT_FAILED, "malformed" },
    { "S03 cut over TCP as well", { ANSWER_CUT, ANSWER_CUT }, 2, DNS_DIRECT_FAILED, "truncated" },
    { "S03 closed over TCP", { ANSWER_CUT, CLOSE }, 2, DNS_DIRECT_FAILED, "over TCP" },
    { "S05 another id over TCP",
      { ANSWER_CUT, WRONG_ID },
      2,
      DNS_DIRECT_FAILED,
      "another question" },
};

static void f27_s01_s03_s04_s05_what_a_server_says(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(direct_cases); i++) {
        const struct direct_case *c = &direct_cases[i];
        struct dns_direct_answer answer = ask(c->acts, c->count, 60000, &arena);
        if (answer.end != c->want)
            fail_msg("%s: %d %.*s", c->name, answer.end, STR_FMT(answer.why));
        if (c->why && str_find(answer.why, str_of(c->why)) == answer.why.len)
            fail_msg("%s: %.*s", c->name, STR_FMT(answer.why));
        if (answer.end != DNS_DIRECT_ANSWERED)
            continue;
        assert_int_equal(answer.answer.count, 1);
        assert_true(str_eq(answer.answer.records[0].bytes, STR("x")));
        assert_int_equal(answer.answer.ttl_s, 60);
    }
    arena_done(&arena);
}

/* Whoever is not on the way has to guess both: each bit of the id is seen set and clear, and ports
 * are not one after the other. By chance this fails once in 2^58 runs. */
static void s05_ids_and_ports_cannot_be_guessed(void **state)
{
    enum act acts[ARRAY_LEN(server.ids)];
    unsigned set = 0, clear = 0, next_to = 0;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        acts[i] = ANSWER;
    for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
        assert_int_equal(ask(acts, 1, 60000, &arena).end, DNS_DIRECT_ANSWERED);
        server.ids[i] = server.ids[0];
        server.ports[i] = server.ports[0];
    }
    for (size_t i = 1; i < ARRAY_LEN(acts); i++) {
        set |= server.ids[i];
        clear |= ~(unsigned)server.ids[i];
        next_to += abs(server.ports[i] - server.ports[i - 1]) <= 2;
    }
    assert_int_equal(set & 0xffff, 0xffff);
    assert_int_equal(clear & 0xffff, 0xffff);
    assert_true(next_to < ARRAY_LEN(acts) / 4);
    arena_done(&arena);
}

static void silence_ends_at_the_deadline_or_after_one_try(void **state)
{
    static const enum act acts[] = { NOTHING };
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    assert_int_equal(ask(acts, 1, 50, &arena).end, DNS_DIRECT_SILENT);
    assert_int_equal(ask_as(true, acts, 1, 60000, &arena).end, DNS_DIRECT_SILENT);
    arena_done(&arena);
}

/* Nobody listens there: the kernel says so at once. */
static void nobody_there(void **state)
{
    struct dns_direct_question q = { server.at, STR("a.example"), DNS_TXT, false, NO_DEADLINE };
    struct dns_direct_answer answer;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1024);
    q.server.ip = ip_make4((const uint8_t[4]){ 127, 0, 0, 2 });
    assert_true(dns_direct_ask(&q, &arena, &answer, NULL));
    assert_int_equal(answer.end, DNS_DIRECT_FAILED);
    q.name = STR("a..example");
    assert_true(dns_direct_ask(&q, &arena, &answer, NULL));
    assert_int_equal(answer.end, DNS_DIRECT_ANSWERED);
    assert_int_equal(answer.answer.status, DNS_NO_NAME);
    arena_done(&arena);
}

static void ask_on_fiber(void *arg)
{
    struct dns_direct_question q = { server.at, STR("a.example"), DNS_TXT, false, NO_DEADLINE };
    struct dns_direct_answer answer;
    struct arena arena;
    struct err err = { 0 };

    arena_init(&arena, 1024);
    *(bool *)arg = !dns_direct_ask(&q, &arena, &answer, &err) && err.kind == ERR_CANCELLED;
    arena_done(&arena);
}

static void a_cancelled_question_ends(void **state)
{
    bool cancelled = false;

    (void)state;
    struct fiber *f = fiber_spawn("ask", ask_on_fiber, &cancelled);
    loop_turn(0);
    fiber_cancel(f);
    while (fiber_count() > 0)
        loop_turn(100);
    assert_true(cancelled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f27_s01_s03_s04_s05_what_a_server_says),
        cmocka_unit_test(s05_ids_and_ports_cannot_be_guessed),
        cmocka_unit_test(silence_ends_at_the_deadline_or_after_one_try),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(a_cancelled_question_ends),
    };
    return cmocka_run_group_tests(tests, open_server, close_server);
}
