// SPDX-License-Identifier: Apache-2.0
/* resolve/authority_test.c - name servers that agree, differ, stall, fail: two knots and a mute
 * socket on addresses of loopback, all at one port. The first of them is the resolver's as well, so
 * it has every zone. Without knotd on this machine the tests are skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/loop.h"
#include "resolve/authority.h"

#define KNOTD "/usr/sbin/knotd"
#define PATIENCE_MS (60 * 1000)
#define SILENCE_MS 3000 /* where a server says nothing, this long */

/* Records behind SOA and NS. `second` NULL: the second server does not know the zone; "": it cannot
 * load it. */
static const struct zone_case {
    const char *name;
    const char *servers;
    const char *first, *second;
} zones[] = {
    { "test.", "@ NS ns\n",
      "ns A 127.0.0.1\nns2 A 127.0.0.2\ntwin A 127.0.0.1\nmute A 127.0.0.3\nprivate A 10.1.2.3\n"
      "deaf6 AAAA ::1\n",
      NULL },
    { "agree.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "_baton TXT \"v=baton1; relay=r\"\n",
      "_baton TXT \"v=baton1; \" \"relay=r\"\n" },
    { "differ.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "key TXT new\n", "key TXT old\n" },
    { "half.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "key TXT new\n", "key A 127.0.0.9\n" },
    { "gone.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "key TXT new\n", "other TXT x\n" },
    { "fails.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "key TXT new\n", "" },
    { "lame.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "key TXT new\n", NULL },
    { "quiet.test.", "@ NS ns.test.\n@ NS mute.test.\n", "key TXT new\n", NULL },
    { "mutes.test.", "@ NS mute.test.\n", "key TXT new\n", NULL },
    { "inner.test.", "@ NS ns.test.\n@ NS private.test.\n", "key TXT new\n", NULL },
    { "absent.test.", "@ NS ns.test.\n@ NS nobody.test.\n", "key TXT new\n", NULL },
    { "twins.test.", "@ NS ns.test.\n@ NS twin.test.\n", "key TXT new\n", NULL },
    { "dual.test.", "@ NS dual.test.\n", "@ A 127.0.0.1\n@ AAAA ::1\nkey TXT new\n", NULL },
    { "deaf.test.", "@ NS ns.test.\n@ NS deaf6.test.\n", "key TXT new\n", NULL },
    { "customer.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "sel._domainkey CNAME sel.relay.test.\n",
      "sel._domainkey CNAME sel.relay.test.\n" },
    { "moving.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "sel._domainkey CNAME sel.relay.test.\n",
      "sel._domainkey TXT own\n" },
    { "relay.test.", "@ NS ns.test.\n@ NS ns2.test.\n", "sel TXT k1\n", "sel TXT k2\n" },
    { "circle.test.", "@ NS ns.test.\n", "a CNAME b\nb CNAME a\n", NULL },
    { "long.test.", "@ NS ns.test.\n", "a CNAME b\nb CNAME c\nc CNAME d\nd CNAME e\ne TXT end\n",
      NULL },
    { "dead.test.", "@ NS ns.test.\n", "a CNAME b.dead.example.\n", NULL },
    { "parent.test.", "@ NS ns.test.\n", "x.sub TXT parent\nwww CNAME agree.test.\n", NULL },
    { "sub.parent.test.", "@ NS ns2.test.\n", "x TXT first\n", "x TXT child\n" },
};

static struct {
    char folder[64];
    int pids[2], mute[2];
    uint16_t port;
    struct lookups *lookups;
    struct ip_net nets[2];
    struct target_policy policy;
    struct silence silence;
} world;

/* Name servers
 * --------------------------------------------------------------------------------------------
 */

static int socket_at(int family, const char *ip, int type, uint16_t port)
{
    struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    bool is_ip4 = family == AF_INET;

    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        inet_pton(family, ip, is_ip4 ? (void *)&a4.sin_addr : (void *)&a6.sin6_addr) != 1 ||
        bind(fd, is_ip4 ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6,
             is_ip4 ? sizeof a4 : sizeof a6) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A port that is free at each address, held where nobody answers. */
static bool take_port(void)
{
    for (int i = 0; i < 50; i++) {
        struct sockaddr_in a = { 0 };
        socklen_t len = sizeof a;

        world.mute[0] = socket_at(AF_INET, "127.0.0.3", SOCK_DGRAM, 0);
        if (getsockname(world.mute[0], (struct sockaddr *)&a, &len) != 0)
            return false;
        world.port = ntohs(a.sin_port);
        world.mute[1] = socket_at(AF_INET6, "::1", SOCK_DGRAM, world.port);
        int first = socket_at(AF_INET, "127.0.0.1", SOCK_STREAM, world.port);
        int second = socket_at(AF_INET, "127.0.0.2", SOCK_STREAM, world.port);
        close(first);
        close(second);
        if (world.mute[1] >= 0 && first >= 0 && second >= 0)
            return true;
        close(world.mute[0]);
        close(world.mute[1]);
    }
    return false;
}

static FILE *open_file(const char *name, int server)
{
    char path[192];

    snprintf(path, sizeof path, "%s/%d-%s", world.folder, server, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    return f;
}

static void write_zone(const struct zone_case *z, const char *records, int server)
{
    FILE *f = open_file(z->name, server);

    if (records[0] != '\0')
        fprintf(f, "$ORIGIN %s\n$TTL 60\n@ SOA ns.test. hostmaster.test. 1 3600 600 86400 30\n%s%s",
                z->name, z->servers, records);
    assert_int_equal(fclose(f), 0);
}

static void write_server(int server)
{
    FILE *f = open_file("conf", server);

    fprintf(f,
            "server:\n    listen: 127.0.0.%d@%u\n    rundir: %s/%d-run\n    background-workers: 1\n"
            "    udp-workers: 1\n    tcp-workers: 1\nlog:\n  - target: stderr\n    any: info\n"
            "database:\n    storage: %s/%d-run\nzone:\n",
            server, world.port, world.folder, server, world.folder, server);
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        const char *records = server == 1 ? zones[i].first : zones[i].second;
        if (!records)
            continue;
        write_zone(&zones[i], records, server);
        fprintf(f,
                "  - domain: %s\n    file: %s/%d-%s\n    zonefile-load: whole\n"
                "    journal-content: none\n",
                zones[i].name, world.folder, server, zones[i].name);
    }
    assert_int_equal(fclose(f), 0);
}

/* It says so when it answers. */
static bool await_start(int fd)
{
    char text[16384];
    size_t len = 0;

    while (len < sizeof text - 1) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n <= 0)
            return false;
        len += (size_t)n;
        text[len] = '\0';
        if (strstr(text, "server started"))
            return true;
    }
    return false;
}

static bool start_server(int server)
{
    char path[128];
    int words[2];

    snprintf(path, sizeof path, "%s/%d-run", world.folder, server);
    assert_int_equal(mkdir(path, 0700), 0);
    write_server(server);
    snprintf(path, sizeof path, "%s/%d-conf", world.folder, server);
    assert_int_equal(pipe(words), 0);
    world.pids[server - 1] = fork();
    if (world.pids[server - 1] == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(words[1], 2);
        execl(KNOTD, "knotd", "-c", path, (char *)NULL);
        _exit(127);
    }
    close(words[1]);
    return await_start(words[0]);
}

static int start(void **state)
{
    struct dns *dns;
    struct err err = { 0 };
    uint8_t key[16];

    (void)state;
    if (access(KNOTD, X_OK) != 0)
        return 0;
    random_bytes(key, sizeof key);
    hash_set_key(key);
    loop_init();
    snprintf(world.folder, sizeof world.folder, "/tmp/baton-authority-XXXXXX");
    if (!mkdtemp(world.folder) || !take_port() || !start_server(1) || !start_server(2))
        return -1;
    const struct endpoint resolver = { ip_make4((const uint8_t[4]){ 127, 0, 0, 1 }), world.port };
    if (!dns_new(&(struct dns_options){ .servers = &resolver, .server_count = 1 }, &dns, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    world.lookups = lookups_new(dns);
    assert_true(ip_net_parse(STR("127.0.0.0/8"), &world.nets[0], NULL));
    assert_true(ip_net_parse(STR("::1"), &world.nets[1], NULL));
    world.policy = (struct target_policy){
        .allow_networks = world.nets, .allow_network_count = 2, .ip4 = true, .ip6 = true
    };
    return 0;
}

static int stop(void **state)
{
    char command[128];

    (void)state;
    if (!world.lookups)
        return 0;
    lookups_free(world.lookups);
    while (fiber_count() > 0)
        loop_turn(100);
    for (int i = 0; i < 2; i++) {
        kill(world.pids[i], SIGTERM);
        waitpid(world.pids[i], NULL, 0);
        close(world.mute[i]);
    }
    snprintf(command, sizeof command, "rm -r '%s'", world.folder);
    return system(command);
}

/* Tests
 * ----------------------------------------------------------------------------------------------
 */

static const struct authority_case {
    const char *name, *asked;
    const char *want; /* "server address said [records]", one a line */
    bool silence;
} authority_cases[] = {
    { "F27 all agree, however their strings are cut", "_baton.agree.test",
      "ns.test 127.0.0.1 records [v=baton1; relay=r]\n"
      "ns2.test 127.0.0.2 records [v=baton1; relay=r]\n",
      false },
    { "F27 one is behind", "key.differ.test",
      "ns.test 127.0.0.1 records [new]\nns2.test 127.0.0.2 records [old]\n", false },
    { "F27 one has other types only", "key.half.test",
      "ns.test 127.0.0.1 records [new]\nns2.test 127.0.0.2 records\n", false },
    { "F27 one says that there is no such name", "KEY.gone.test.",
      "ns.test 127.0.0.1 records [new]\nns2.test 127.0.0.2 no-name\n", false },
    { "T02 SERVFAIL is no answer", "key.fails.test",
      "ns.test 127.0.0.1 records [new]\nns2.test 127.0.0.2 failed\n", false },
    { "T02 REFUSED is no answer", "key.lame.test",
      "ns.test 127.0.0.1 records [new]\nns2.test 127.0.0.2 failed\n", false },
    { "T02 silence is no answer", "key.quiet.test",
      "mute.test 127.0.0.3 silent\nns.test 127.0.0.1 records [new]\n", true },
    { "S02 a private address is not asked", "key.inner.test",
      "ns.test 127.0.0.1 records [new]\nprivate.test 10.1.2.3 failed\n", false },
    { "F27 a server without address", "key.absent.test",
      "nobody.test - failed\nns.test 127.0.0.1 records [new]\n", false },
    { "F27 one address, two names", "key.twins.test", "ns.test 127.0.0.1 records [new]\n", false },
    { "F27 a family that is silent as a whole is ours", "key.dual.test",
      "dual.test 127.0.0.1 records [new]\n", true },
    { "F27 but a server that has no other is told of", "key.deaf.test",
      "deaf6.test ::1 silent\nns.test 127.0.0.1 records [new]\n", true },
    { "F27 an alias: the servers of what it leads to", "sel._domainkey.customer.test",
      "ns.test 127.0.0.1 records [k1]\nns2.test 127.0.0.2 records [k2]\n", false },
    { "F27 an alias at one server alone", "sel._domainkey.moving.test",
      "ns2.test 127.0.0.2 records [own]\nns.test 127.0.0.1 records [k1]\n"
      "ns2.test 127.0.0.2 records [k2]\n",
      false },
    { "S02 aliases in a circle", "a.circle.test", "ns.test 127.0.0.1 failed\n", false },
    { "S02 aliases too far", "a.long.test", "ns.test 127.0.0.1 failed\n", false },
    { "F27 a name in a child zone", "x.sub.parent.test", "ns2.test 127.0.0.2 records [child]\n",
      false },
    { "F27 an alias of a zone is not its apex", "www.parent.test",
      "ns.test 127.0.0.1 records\nns2.test 127.0.0.2 records\n", false },
    { "F27 no name, and none above it but the zone", "a.b.c.agree.test",
      "ns.test 127.0.0.1 no-name\nns2.test 127.0.0.2 no-name\n", false },
};

static void describe(const struct authority_answer *answer, char *text, size_t size)
{
    static const char *const said[] = { "records", "no-name", "silent", "failed" };
    char ip[IP_TEXT_MAX];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < answer->count; i++) {
        const struct authority_server *s = &answer->servers[i];
        len += (size_t)snprintf(text + len, size - len, "%.*s %s %s", STR_FMT(s->name),
                                ip_format(&s->ip, ip), said[s->said]);
        for (size_t r = 0; r < s->answer.count; r++)
            len += (size_t)snprintf(text + len, size - len, " [%.*s]",
                                    STR_FMT(s->answer.records[r].bytes));
        len += (size_t)snprintf(text + len, size - len, "\n");
        if ((s->said >= AUTHORITY_SILENT) != (s->why.len > 0))
            fail_msg("%.*s: \"%.*s\"", STR_FMT(s->name), STR_FMT(s->why));
    }
}

static void ask(const char *name, int64_t wait_ms, struct arena *a, struct authority_answer *ret)
{
    struct err err = { 0 };

    loop_turn(0);
    const struct authority_question q = { .name = str_of(name),
                                          .type = DNS_TXT,
                                          .port = world.port,
                                          .policy = &world.policy,
                                          .silence = &world.silence,
                                          .deadline_ms = loop_now_ms() + wait_ms };
    if (!authority_ask(world.lookups, &q, a, ret, &err))
        fail_msg("%s: %s", name, err.text);
}

static void f27_t02_each_server_by_itself(void **state)
{
    struct authority_answer answer;
    struct arena arena;
    char text[1000];

    (void)state;
    if (!world.lookups)
        skip();
    arena_init(&arena, 4096);
    for (size_t i = 0; i < ARRAY_LEN(authority_cases); i++) {
        const struct authority_case *c = &authority_cases[i];
        ask(c->asked, c->silence ? SILENCE_MS : PATIENCE_MS, &arena, &answer);
        assert_int_equal(answer.found, ZONE_FOUND);
        describe(&answer, text, sizeof text);
        if (strcmp(text, c->want) != 0)
            fail_msg("%s:\n%s", c->name, text);
    }
    arena_done(&arena);
}

static void t02_what_dns_cannot_tell_is_told(void **state)
{
    struct authority_answer answer;
    struct arena arena;

    (void)state;
    if (!world.lookups)
        skip();
    arena_init(&arena, 4096);
    ask("key.elsewhere.example", PATIENCE_MS, &arena, &answer); /* the resolver REFUSES it */
    assert_int_equal(answer.found, ZONE_TEMP);
    assert_true(answer.why.len > 0);
    assert_int_equal(answer.count, 0);
    ask("a.dead.test", PATIENCE_MS, &arena, &answer);
    assert_int_equal(answer.found, ZONE_FOUND);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.servers[0].said, AUTHORITY_FAILED);
    ask("_baton.agree.test", -1, &arena, &answer);
    assert_int_equal(answer.found, ZONE_TEMP);
    arena_done(&arena);
}

/* No server at a forbidden address is asked, whatever a customer's zone says. */
static void s02_loopback_only_when_allowed(void **state)
{
    struct authority_answer answer;
    struct arena arena;

    (void)state;
    if (!world.lookups)
        skip();
    arena_init(&arena, 4096);
    world.policy.allow_network_count = 0;
    ask("_baton.agree.test", PATIENCE_MS, &arena, &answer);
    world.policy.allow_network_count = 2;
    assert_int_equal(answer.count, 2);
    for (size_t i = 0; i < answer.count; i++) {
        assert_int_equal(answer.servers[i].said, AUTHORITY_FAILED);
        assert_non_null(strstr(answer.servers[i].why.ptr, "not public"));
    }
    arena_done(&arena);
}

static void ask_on_fiber(void *arg)
{
    const struct authority_question q = { .name = STR("key.mutes.test"),
                                          .type = DNS_TXT,
                                          .port = world.port,
                                          .policy = &world.policy,
                                          .silence = &world.silence,
                                          .deadline_ms = NO_DEADLINE };
    struct authority_answer *answer;
    struct arena arena;
    struct err err = { 0 };

    arena_init(&arena, 4096);
    answer = ARENA_NEW(&arena, struct authority_answer);
    *(bool *)arg =
        !authority_ask(world.lookups, &q, &arena, answer, &err) && err.kind == ERR_CANCELLED;
    arena_done(&arena);
}

static void a_cancelled_question_leaves_nobody_asking(void **state)
{
    bool cancelled = false;

    (void)state;
    if (!world.lookups)
        skip();
    struct fiber *f = fiber_spawn("ask", ask_on_fiber, &cancelled);
    while (fiber_count() < 2 || lookups_flying(world.lookups) > 0) /* it, and who asks the server */
        loop_turn(100);
    fiber_cancel(f);
    while (fiber_count() > 0)
        loop_turn(100);
    assert_true(cancelled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f27_t02_each_server_by_itself),
        cmocka_unit_test(t02_what_dns_cannot_tell_is_told),
        cmocka_unit_test(s02_loopback_only_when_allowed),
        cmocka_unit_test(a_cancelled_question_leaves_nobody_asking),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
