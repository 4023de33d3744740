// SPDX-License-Identifier: Apache-2.0
/* resolve/role_test.c - the role as core and deliver see it, over a real name server: knot on a
 * free port of loopback, with a zone written here. Without knotd on this machine the tests are
 * skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/dns_direct.h"
#include "io/loop.h"
#include "io/sandbox.h"
#include "mail/spf.h"
#include "resolve/role.h"
#include "wire/wire.h"

#define KNOTD "/usr/sbin/knotd"

static const char zone[] = "$ORIGIN test.\n"
                           "$TTL 60\n"
                           "@ SOA ns hostmaster 1 3600 600 86400 30\n"
                           "@ NS ns\n"
                           "ns A 127.0.0.1\n"
                           "one MX 10 mx.one\n"
                           "mx.one A 198.41.0.4\n"
                           "mx.one AAAA 2001:503:ba3e::2:30\n"
                           "two MX 20 mx.one\n"
                           "two MX 10 mx.two\n"
                           "mx.two A 199.9.14.201\n"
                           "alias CNAME one\n"
                           "implicit A 198.41.0.5\n"
                           "nullmx MX 0 .\n"
                           "nothing TXT nothing\n"
                           "private MX 10 mx.private\n"
                           "mx.private A 10.0.0.1\n"
                           "mx.private A 127.0.0.1\n"
                           "circle MX 10 mx.circle\n"
                           "mx.circle CNAME round.circle\n"
                           "round.circle CNAME mx.circle\n"
                           "own MX 10 relay.example.\n"
                           "server A 198.41.0.4\n"
                           "server A 198.41.0.5\n"
                           "server A 10.0.0.1\n"
                           "server TXT \"v=spf1 a -all\"\n"
                           "sender TXT \"v=spf1 include:server.test -all\"\n"
                           "spins TXT \"v=spf1 include:spins.test -all\"\n"
                           "forgets TXT \"v=spf1 ip4:198.41.0.4 -all\"\n"
                           "bare TXT nothing\n";

static const char reverse_zone[] = "$ORIGIN 0.41.198.in-addr.arpa.\n"
                                   "$TTL 60\n"
                                   "@ SOA ns.test. hostmaster.test. 1 3600 600 86400 30\n"
                                   "@ NS ns.test.\n"
                                   "4 PTR server.test.\n"
                                   "5 PTR other.test.\n";

static struct {
    char folder[64];
    int pid;
    struct endpoint at;
    struct config config;
    void *role;
    struct channel *core, *deliver, *web, *vault;
} world;

/* What came back for the question at hand. */
static struct {
    bool done;
    unsigned answers;
    uint64_t question;
    unsigned code, subject, detail;
    uint32_t ttl_s, count;
    char site[300], text[600], hosts[2000], rows[4000];
    char said[4000]; /* servers and what they say */
    unsigned result; /* of SPF */
} heard;

/* The name server
 * ------------------------------------------------------------------------------------------------
 */

static void write_file(const char *name, const char *text, const char *more)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", world.folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fputs(more, f);
    assert_int_equal(fclose(f), 0);
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* 200 mail servers: over what fits into one datagram (fault S03). */
static const char *many_hosts(char *text, size_t size)
{
    size_t len = 0;

    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(text + len, size - len,
                                "many MX %d h%d.many\nh%d.many A 198.41.1.%d\n", i, i, i, i + 1);
    assert_true(len < size);
    return text;
}

/* It says so when it answers. */
static bool await_start(int fd)
{
    char text[8192];
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

static bool start_knot(void)
{
    char conf[1024], path[128], many[20000];
    int words[2];

    snprintf(world.folder, sizeof world.folder, "/tmp/baton-knot-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    world.at = (struct endpoint){ ip_make4((const uint8_t[4]){ 127, 0, 0, 1 }), free_port() };
    snprintf(
        conf, sizeof conf,
        "server:\n    listen: 127.0.0.1@%u\n    rundir: %s\n    background-workers: 1\n    udp-workers: 1\n"
        "    tcp-workers: 1\nlog:\n  - target: stderr\n    any: info\ndatabase:\n    storage: %s\n"
        "zone:\n  - domain: test.\n    file: %s/zone\n    zonefile-load: whole\n    journal-content: none\n"
        "  - domain: 0.41.198.in-addr.arpa.\n    file: %s/reverse\n    zonefile-load: whole\n"
        "    journal-content: none\n",
        world.at.port, world.folder, world.folder, world.folder, world.folder);
    write_file("reverse", reverse_zone, "");
    write_file("conf", conf, "");
    write_file("zone", zone, many_hosts(many, sizeof many));
    snprintf(path, sizeof path, "%s/conf", world.folder);
    assert_int_equal(pipe(words), 0);
    world.pid = fork();
    if (world.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(words[1], 2);
        execl(KNOTD, "knotd", "-c", path, (char *)NULL);
        _exit(127);
    }
    close(words[1]);
    return await_start(words[0]); /* the pipe stays: it goes on logging into it */
}

static void stop_knot(void)
{
    static const char *const names[] = { "conf",           "zone",     "reverse",
                                         "knot.sock",      "knot.pid", "timers/data.mdb",
                                         "timers/lock.mdb" };
    char path[128];

    if (world.pid > 0) {
        kill(world.pid, SIGTERM);
        waitpid(world.pid, NULL, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", world.folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/timers", world.folder);
    rmdir(path);
    rmdir(world.folder);
}

/* Core's and deliver's ends
 * -------------------------------------------------------------------------------------- */

static void hear_site(const struct frame *f)
{
    const struct wire_site_answer *w = (const struct wire_site_answer *)f;
    struct str site = wire_get(f, w->site), text = wire_get(f, w->text);

    heard.question = w->question;
    heard.code = w->code;
    heard.subject = w->status_subject;
    heard.detail = w->status_detail;
    heard.ttl_s = w->ttl_s;
    snprintf(heard.site, sizeof heard.site, "%.*s", STR_FMT(site));
    snprintf(heard.text, sizeof heard.text, "%.*s", STR_FMT(text));
    heard.answers++;
    heard.done = true;
}

static void hear_host(const struct frame *f)
{
    const struct wire_host *w = (const struct wire_host *)f;
    const struct ip ip = wire_ip_get(&w->ip);
    char text[IP_TEXT_MAX];
    size_t len = strlen(heard.hosts);

    snprintf(heard.hosts + len, sizeof heard.hosts - len, "%s%s", len > 0 ? " " : "",
             ip_format(&ip, text));
}

static void hear_hosts(const struct frame *f)
{
    const struct wire_hosts_answer *w = (const struct wire_hosts_answer *)f;
    struct str text = wire_get(f, w->text);

    heard.question = w->question;
    heard.code = w->code;
    heard.subject = w->status_subject;
    heard.detail = w->status_detail;
    heard.ttl_s = w->ttl_s;
    heard.count = w->count;
    snprintf(heard.text, sizeof heard.text, "%.*s", STR_FMT(text));
    heard.answers++;
    heard.done = true;
}

static void hear_row(const struct frame *f)
{
    struct str json = wire_get(f, ((const struct wire_admin_row *)f)->json);
    size_t len = strlen(heard.rows);

    snprintf(heard.rows + len, sizeof heard.rows - len, "%.*s\n", STR_FMT(json));
}

static void hear_end_of_rows(const struct frame *f)
{
    const struct wire_admin_end *w = (const struct wire_admin_end *)f;

    heard.question = w->request;
    heard.code = w->status;
    heard.done = true;
}

static void hear_server(const struct frame *f)
{
    const struct wire_dns_server *w = (const struct wire_dns_server *)f;
    const struct ip ip = wire_ip_get(&w->ip);
    struct str name = wire_get(f, w->name);
    char text[IP_TEXT_MAX];
    size_t len = strlen(heard.said);

    assert_int_equal(w->question, 77);
    snprintf(heard.said + len, sizeof heard.said - len, "(%.*s %s %u)", STR_FMT(name),
             ip_format(&ip, text), w->said);
}

static void hear_value(const struct frame *f)
{
    struct str value = wire_get(f, ((const struct wire_dns_value *)f)->value);
    size_t len = strlen(heard.said);

    snprintf(heard.said + len, sizeof heard.said - len, " %.*s", STR_FMT(value));
}

static void hear_dns_end(const struct frame *f)
{
    const struct wire_dns_end *w = (const struct wire_dns_end *)f;
    struct str text = wire_get(f, w->text);

    heard.question = w->question;
    heard.code = w->code;
    heard.count = w->servers;
    heard.ttl_s = w->ttl_s;
    snprintf(heard.text, sizeof heard.text, "%.*s", STR_FMT(text));
    heard.answers++;
    heard.done = true;
}

static void hear_spf(const struct frame *f)
{
    const struct wire_spf_answer *w = (const struct wire_spf_answer *)f;
    struct str text = wire_get(f, w->text);

    heard.question = w->question;
    heard.result = w->result;
    snprintf(heard.text, sizeof heard.text, "%.*s", STR_FMT(text));
    heard.done = true;
}

static bool hear(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    (void)c;
    if (!wire_check(f, ROLE_RESOLVE, *(enum role_kind *)owner, err))
        fail_msg("%s", err->text);
    if (f->type == WIRE_SITE_ANSWER)
        hear_site(f);
    else if (f->type == WIRE_HOST)
        hear_host(f);
    else if (f->type == WIRE_HOSTS_ANSWER)
        hear_hosts(f);
    else if (f->type == WIRE_ADMIN_ROW)
        hear_row(f);
    else if (f->type == WIRE_DNS_SERVER)
        hear_server(f);
    else if (f->type == WIRE_DNS_VALUE)
        hear_value(f);
    else if (f->type == WIRE_DNS_END)
        hear_dns_end(f);
    else if (f->type == WIRE_SPF_ANSWER)
        hear_spf(f);
    else
        hear_end_of_rows(f);
    return true;
}

static void hear_end(void *owner, struct channel *c, const struct err *why)
{
    (void)owner;
    (void)c;
    (void)why;
}

static void await_heard(void)
{
    while (!heard.done)
        loop_turn(1000);
    assert_int_equal(heard.question, 77);
}

static void ask_site(const char *domain)
{
    struct str name = str_of(domain);

    memset(&heard, 0, sizeof heard);
    struct wire_site_ask *w = wire_add(world.core, WIRE_SITE_ASK, name.len);
    w->question = 77;
    wire_put(w, &w->domain, name);
    channel_flush(world.core);
    await_heard();
}

static void ask_hosts(const char *domain, bool plain)
{
    struct str name = str_of(domain);

    memset(&heard, 0, sizeof heard);
    struct wire_hosts_ask *w = wire_add(world.deliver, WIRE_HOSTS_ASK, name.len);
    w->question = 77;
    w->plain = plain;
    wire_put(w, &w->name, name);
    channel_flush(world.deliver);
    await_heard();
}

static void say_dns_ask(const char *name, enum dns_type type, enum dns_how how)
{
    struct str asked = str_of(name);

    struct wire_dns_ask *w = wire_add(world.vault, WIRE_DNS_ASK, asked.len);
    w->question = 77;
    w->rrtype = (uint16_t)type;
    w->how = (uint16_t)how;
    wire_put(w, &w->name, asked);
}

static void ask_dns(const char *name, enum dns_type type, enum dns_how how)
{
    memset(&heard, 0, sizeof heard);
    say_dns_ask(name, type, how);
    channel_flush(world.vault);
    await_heard();
}

static void ask_spf(const char *domain, const char *ip)
{
    struct str name = str_of(domain);
    struct ip from = { 0 };

    memset(&heard, 0, sizeof heard);
    if (ip)
        assert_true(ip_parse(str_of(ip), &from, NULL));
    struct wire_spf_ask *w = wire_add(world.vault, WIRE_SPF_ASK, name.len);
    w->question = 77;
    w->ip = wire_ip_of(&from, 0);
    wire_put(w, &w->domain, name);
    channel_flush(world.vault);
    await_heard();
}

static struct channel *link_to(enum role_kind *peer)
{
    static const struct channel_events events = { .frame = hear, .closed = hear_end };
    struct role_link link = { .peer = *peer };
    struct channel *ours;

    channel_pair(0, &ours, 0, &link.channel);
    channel_set_owner(ours, &events, peer);
    resolve_role.link(world.role, &link);
    return ours;
}

static int start(void **state)
{
    static enum role_kind core = ROLE_CORE, deliver = ROLE_DELIVER, web = ROLE_WEB,
                          vault = ROLE_VAULT;
    struct role_start s = { .kind = ROLE_RESOLVE, .config = &world.config };
    struct err err = { 0 };
    uint8_t key[16];

    (void)state;
    if (access(KNOTD, X_OK) != 0)
        return 0;
    random_bytes(key, sizeof key);
    hash_set_key(key);
    loop_init();
    if (!start_knot())
        return -1;
    world.config.hostname = STR("relay.example");
    world.config.dns_servers = &world.at;
    world.config.dns_server_count = 1;
    world.config.delivery.port = 25;
    world.config.dns_authority_port = world.at.port;
    world.config.delivery.ipv4 = world.config.delivery.ipv6 = true;
    if (!resolve_role.start(&s, &world.role, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    world.core = link_to(&core);
    world.deliver = link_to(&deliver);
    world.web = link_to(&web);
    world.vault = link_to(&vault);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (!world.role)
        return 0;
    resolve_role.free(world.role);
    channel_free(world.core);
    channel_free(world.deliver);
    channel_free(world.web);
    channel_free(world.vault);
    for (int i = 0; i < 10; i++)
        loop_turn(0);
    stop_knot();
    return 0;
}

static void ask_admin(uint32_t verb)
{
    memset(&heard, 0, sizeof heard);
    struct wire_admin *w = wire_add(world.web, WIRE_ADMIN, 0);
    w->request = 77;
    w->verb = verb;
    channel_flush(world.web);
    await_heard();
}

/* Confined
 * -------------------------------------------------------------------------------------------------------
 */

/* As another process, since confinement is for good, and on a fiber, where super's child starts its
 * role: look-ups must go on behind it, over UDP and TCP. */
static void confined_story(void *arg)
{
    struct sandbox_rule rule = { .needs = SANDBOX_CONNECT };
    struct dns_options o = { .servers = &world.at, .server_count = 1 };
    struct sandbox_state in_force;
    struct dns_direct_question direct = { world.at, STR("many.test"), DNS_MX, false, NO_DEADLINE };
    struct dns_direct_answer cut; /* over UDP, so it comes over TCP */
    struct dns_answer one, many;
    struct dns *dns = NULL;
    struct arena arena;
    struct err err = { 0 };

    arena_init(&arena, 65536);
    bool ok = sandbox_enter_files(&rule, &err) && dns_new(&o, &dns, &err) &&
              sandbox_enter(&rule, &in_force, &err) && sandbox_self_test(&rule, &in_force, &err) &&
              dns_lookup(dns, STR("one.test"), DNS_MX, NO_DEADLINE, &arena, &one, &err) &&
              dns_lookup(dns, STR("many.test"), DNS_MX, NO_DEADLINE, &arena, &many, &err) &&
              dns_direct_ask(&direct, &arena, &cut, &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    *(bool *)arg = ok && one.count == 1 && many.count == DNS_RECORDS_MAX &&
                   cut.answer.count == DNS_RECORDS_MAX;
    dns_free(dns);
    arena_done(&arena);
}

static int confined_main(const char *port)
{
    uint64_t number = 0;
    bool good = false;

    if (!str_to_u64(str_of(port), UINT16_MAX, &number))
        return 1;
    world.at = (struct endpoint){ ip_make4((const uint8_t[4]){ 127, 0, 0, 1 }), (uint16_t)number };
    loop_init();
    (void)fiber_spawn("confined", confined_story, &good);
    do
        loop_turn(100);
    while (fiber_count() > 0);
    return good ? 0 : 1;
}

static void look_ups_go_on_when_confined(void **state)
{
    char port[16];
    int status = -1;

    (void)state;
    if (!world.role)
        skip();
    snprintf(port, sizeof port, "%u", world.at.port);
    int pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "role_test", "confined", port, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Tests
 * ----------------------------------------------------------------------------------------------------------
 */

static const struct domain_case {
    const char *name, *domain, *site, *hosts;
    unsigned site_code, hosts_code, subject, detail;
} domain_cases[] = {
    { "R28 one host", "one.test", "mx.one.test", "2001:503:ba3e::2:30 198.41.0.4", 0, 0, 0, 0 },
    { "R28 by preference", "two.test", "mx.one.test,mx.two.test",
      "199.9.14.201 2001:503:ba3e::2:30 198.41.0.4", 0, 0, 0, 0 },
    { "R28 case and final dot", "ONE.test.", "mx.one.test", "2001:503:ba3e::2:30 198.41.0.4", 0, 0,
      0, 0 },
    { "R28 alias of a domain", "alias.test", "mx.one.test", "2001:503:ba3e::2:30 198.41.0.4", 0, 0,
      0, 0 },
    { "R28 implicit MX", "implicit.test", "implicit.test", "198.41.0.5", 0, 0, 0, 0 },
    { "S01 null MX", "nullmx.test", "", "", 556, 556, 1, 10 },
    { "S01 no such domain", "absent.test", "", "", 550, 550, 1, 2 },
    { "S01 neither MX nor address", "nothing.test", "nothing.test", "", 0, 550, 1, 2 },
    { "S01 REFUSED", "elsewhere.example", "", "", 451, 451, 4, 3 },
    { "S02 private and loopback", "private.test", "mx.private.test", "", 0, 550, 4, 4 },
    { "S02 aliases in a circle", "circle.test", "mx.circle.test", "", 0, 550, 1, 2 },
    { "S02 ourselves", "own.test", "", "", 554, 554, 4, 6 },
    { "S02 literal", "[198.41.0.4]", "", "", 550, 550, 1, 2 },
    { "S02 no domain", "exa mple.test", "", "", 553, 553, 1, 3 },
};

static void check_status(const struct domain_case *c, unsigned code)
{
    if (heard.code != code ||
        (code != 0 && (heard.subject != c->subject || heard.detail != c->detail)))
        fail_msg("%s: %u %u.%u %s", c->name, heard.code, heard.subject, heard.detail, heard.text);
    if ((code == 0) != (heard.text[0] == '\0'))
        fail_msg("%s: \"%s\"", c->name, heard.text);
}

static void r28_s01_s02_domains(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(domain_cases); i++) {
        const struct domain_case *c = &domain_cases[i];
        ask_site(c->domain);
        check_status(c, c->site_code);
        if (strcmp(heard.site, c->site) != 0)
            fail_msg("%s: site %s", c->name, heard.site);
        ask_hosts(c->domain, false);
        check_status(c, c->hosts_code);
        if (strcmp(heard.hosts, c->hosts) != 0)
            fail_msg("%s: hosts %s", c->name, heard.hosts);
    }
}

static void s03_200_hosts_over_tcp(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    ask_hosts("many.test", false);
    assert_int_equal(heard.code, 0);
    assert_int_equal(heard.count, 20);
    assert_true(strncmp(heard.hosts, "198.41.1.1 198.41.1.2 ", 22) == 0);
}

/* What the operator names is believed: no MX, private addresses too. */
static void r29_plain_hosts(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    ask_hosts("one.test", true);
    assert_int_equal(heard.code, 550);
    ask_hosts("implicit.test", true);
    assert_string_equal(heard.hosts, "198.41.0.5");
    ask_hosts("10.1.2.3", true);
    assert_string_equal(heard.hosts, "10.1.2.3");
    ask_hosts("mx.private.test", true);
    assert_int_equal(heard.count, 2);
}

static void s02_allowed_networks(void **state)
{
    struct ip_net net;

    (void)state;
    if (!world.role)
        skip();
    assert_true(ip_net_parse(STR("10.0.0.0/8"), &net, NULL));
    world.config.delivery.allow_networks = &net;
    world.config.delivery.allow_network_count = 1;
    ask_hosts("private.test", false);
    world.config.delivery.allow_network_count = 0;
    assert_string_equal(heard.hosts, "10.0.0.1");
}

static void equal_questions_are_all_answered(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    memset(&heard, 0, sizeof heard);
    for (int i = 0; i < 50; i++) {
        struct wire_site_ask *w = wire_add(world.core, WIRE_SITE_ASK, 9);
        w->question = 77;
        wire_put(w, &w->domain, STR("new1.test"));
    }
    channel_flush(world.core);
    while (heard.answers < 50)
        loop_turn(1000);
    assert_int_equal(heard.code, 550);
}

static void s01_the_words_of_dns_come_along(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    ask_site("elsewhere.example");
    assert_int_equal(heard.code, 451);
    assert_non_null(strstr(heard.text, "SERVFAIL"));
}

static const struct live_case {
    const char *hostname;
    const char *rows[6];
} live_cases[] = {
    { "server.test",
      { "{\"check\":\"hostname\",\"ok\":true,",
        "{\"check\":\"ptr\",\"ok\":true,\"text\":\"the PTR record of 198.41.0.4 is",
        "{\"check\":\"ptr\",\"ok\":false,\"text\":\"the PTR record of 198.41.0.5 is other.test;",
        "{\"check\":\"address\",\"ok\":false,\"text\":\"server.test has the address 10.0.0.1, which is not public",
        "{\"check\":\"spf\",\"ok\":true," } },
    { "bare.test", { "{\"check\":\"address\",\"ok\":false,", "{\"check\":\"spf\",\"ok\":false," } },
    { "elsewhere.example",
      { "no answer for the address of elsewhere.example",
        "{\"check\":\"spf\",\"ok\":false,\"text\":\"DNS gives no answer for elsewhere.example" } },
    { "localhost", { "{\"check\":\"hostname\",\"ok\":false,", "127.0.0.1, which is not public" } },
};

static void live_says_what_is_missing(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(live_cases); i++) {
        const struct live_case *c = &live_cases[i];
        world.config.hostname = str_of(c->hostname);
        ask_admin(ADMIN_LIVE_DNS);
        world.config.hostname = STR("relay.example");
        assert_int_equal(heard.code, 200);
        for (size_t r = 0; r < ARRAY_LEN(c->rows) && c->rows[r]; r++)
            if (!strstr(heard.rows, c->rows[r]))
                fail_msg("%s: no %s in\n%s", c->hostname, c->rows[r], heard.rows);
    }
    ask_admin(ADMIN_QUEUE_LIST);
    assert_int_equal(heard.code, 404);
}

static const struct dns_case {
    const char *name, *asked;
    enum dns_type type;
    enum dns_how how;
    unsigned code;
    const char *said;
} dns_cases[] = {
    { "F27 TXT", "server.test", DNS_TXT, DNS_HOW_EACH_AUTHORITY, 0,
      "(ns.test 127.0.0.1 0) v=spf1 a -all" },
    { "F27 A", "mx.one.test", DNS_A, DNS_HOW_EACH_AUTHORITY, 0,
      "(ns.test 127.0.0.1 0) 198.41.0.4" },
    { "F27 AAAA", "mx.one.test", DNS_AAAA, DNS_HOW_EACH_AUTHORITY, 0,
      "(ns.test 127.0.0.1 0) 2001:503:ba3e::2:30" },
    { "F27 MX without preference", "ONE.test.", DNS_MX, DNS_HOW_EACH_AUTHORITY, 0,
      "(ns.test 127.0.0.1 0) mx.one.test" },
    { "F27 NS", "test", DNS_NS, DNS_HOW_EACH_AUTHORITY, 0, "(ns.test 127.0.0.1 0) ns.test" },
    { "F27 no such record", "mx.one.test", DNS_MX, DNS_HOW_EACH_AUTHORITY, 0,
      "(ns.test 127.0.0.1 0)" },
    { "F27 no such name", "absent.test", DNS_TXT, DNS_HOW_EACH_AUTHORITY, 0,
      "(ns.test 127.0.0.1 1)" },
    { "F27 more records than can be judged", "many.test", DNS_MX, DNS_HOW_EACH_AUTHORITY, 0,
      "(ns.test 127.0.0.1 3)" },
    { "T02 no zone now", "elsewhere.example", DNS_TXT, DNS_HOW_EACH_AUTHORITY, 451, "" },
    { "T02 no name at all", "a..b", DNS_TXT, DNS_HOW_EACH_AUTHORITY, 550, "" },
    { "T02 an empty name", "", DNS_TXT, DNS_HOW_EACH_AUTHORITY, 550, "" },
    { "of the resolver", "server.test", DNS_TXT, DNS_HOW_RECURSIVE, 0, "( - 0) v=spf1 a -all" },
    { "of the resolver, PTR", "4.0.41.198.in-addr.arpa", DNS_PTR, DNS_HOW_RECURSIVE, 0,
      "( - 0) server.test" },
    { "of the resolver, no such name", "absent.test", DNS_TXT, DNS_HOW_RECURSIVE, 0, "( - 1)" },
    { "of the resolver, REFUSED", "elsewhere.example", DNS_TXT, DNS_HOW_RECURSIVE, 0, "( - 3)" },
};

static void f27_t02_what_vault_hears(void **state)
{
    static struct ip_net net;

    (void)state;
    if (!world.role)
        skip();
    assert_true(ip_net_parse(STR("127.0.0.0/8"), &net, NULL));
    world.config.delivery.allow_networks = &net;
    world.config.delivery.allow_network_count = 1;
    for (size_t i = 0; i < ARRAY_LEN(dns_cases); i++) {
        const struct dns_case *c = &dns_cases[i];
        ask_dns(c->asked, c->type, c->how);
        if (heard.code != c->code || strcmp(heard.said, c->said) != 0)
            fail_msg("%s: %u %s %s", c->name, heard.code, heard.said, heard.text);
        assert_int_equal(heard.count, heard.said[0] == '(');
        assert_int_equal(heard.code != 0, heard.text[0] != '\0');
    }
    world.config.delivery.allow_network_count = 0;
    ask_dns("server.test", DNS_TXT, DNS_HOW_EACH_AUTHORITY);
    assert_string_equal(heard.said, "(ns.test 127.0.0.1 3)"); /* S02: loopback was not asked */
}

/* More than may run at once, all answered. */
static void f27_vault_may_ask_about_all_its_domains(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    memset(&heard, 0, sizeof heard);
    for (int i = 0; i < 1000; i++)
        say_dns_ask("server.test", DNS_TXT, DNS_HOW_EACH_AUTHORITY);
    channel_flush(world.vault);
    while (heard.answers < 1000)
        loop_turn(1000);
    assert_int_equal(heard.code, 0);
}

static const struct spf_case {
    const char *domain, *ip;
    enum spf_result want;
} spf_cases[] = {
    { "server.test", NULL, SPF_PASS },
    { "sender.test", NULL, SPF_PASS },
    { "forgets.test", NULL, SPF_FAIL }, /* our second address */
    { "nothing.test", NULL, SPF_NONE },
    { "absent.test", NULL, SPF_NONE },
    { "elsewhere.example", NULL, SPF_TEMPERROR },
    { "spins.test", NULL, SPF_PERMERROR }, /* S07, as deep as it goes on a fiber's stack */
    { "forgets.test", "198.41.0.4", SPF_PASS },
    { "forgets.test", "198.41.0.9", SPF_FAIL },
    { "sender.test", "2001:db8::1", SPF_FAIL },
};

static void f14_may_we_send_for_that_domain(void **state)
{
    (void)state;
    if (!world.role)
        skip();
    world.config.hostname = STR("server.test");
    for (size_t i = 0; i < ARRAY_LEN(spf_cases); i++) {
        const struct spf_case *c = &spf_cases[i];
        ask_spf(c->domain, c->ip);
        if (heard.result != c->want || heard.text[0] == '\0')
            fail_msg("%s: %u %s", c->domain, heard.result, heard.text);
    }
    world.config.hostname = STR("relay.example"); /* no address is known */
    ask_spf("server.test", NULL);
    assert_int_equal(heard.result, SPF_TEMPERROR);
    world.config.delivery.source4 = ip_make4((const uint8_t[4]){ 198, 41, 0, 9 });
    ask_spf("server.test", NULL);
    world.config.delivery.source4 = (struct ip){ 0 };
    world.config.hostname = STR("relay.example");
    assert_int_equal(heard.result, SPF_FAIL);
}

/* A server that never answers: the role is freed while its questions wait, and leaves nothing
 * behind. */
static void s09_role_goes_with_questions_under_way(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    struct config config = world.config;
    const struct role_start s = { .kind = ROLE_RESOLVE, .config = &config };
    static enum role_kind core = ROLE_CORE;
    void *first = world.role;
    struct channel *ours;
    struct err err = { 0 };

    (void)state;
    if (!world.role)
        skip();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    struct endpoint silent = { world.at.ip, ntohs(address.sin_port) };
    config.dns_servers = &silent;
    assert_true(resolve_role.start(&s, &world.role, &err));
    ours = link_to(&core);
    for (int i = 0; i < 20; i++) {
        struct wire_site_ask *w = wire_add(ours, WIRE_SITE_ASK, 8);
        wire_put(w, &w->domain, i % 2 ? STR("one.test") : STR("two.test"));
    }
    channel_flush(ours);
    while (fiber_count() < 22) /* a question each, and two look-ups */
        loop_turn(100);
    resolve_role.free(world.role);
    world.role = first;
    while (fiber_count() > 0)
        loop_turn(100);
    channel_free(ours);
    close(fd);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(r28_s01_s02_domains),
        cmocka_unit_test(s03_200_hosts_over_tcp),
        cmocka_unit_test(r29_plain_hosts),
        cmocka_unit_test(s02_allowed_networks),
        cmocka_unit_test(equal_questions_are_all_answered),
        cmocka_unit_test(s01_the_words_of_dns_come_along),
        cmocka_unit_test(live_says_what_is_missing),
        cmocka_unit_test(f27_t02_what_vault_hears),
        cmocka_unit_test(f27_vault_may_ask_about_all_its_domains),
        cmocka_unit_test(f14_may_we_send_for_that_domain),
        cmocka_unit_test(s09_role_goes_with_questions_under_way),
        cmocka_unit_test(look_ups_go_on_when_confined),
    };

    if (argc == 3 && strcmp(argv[1], "confined") == 0)
        return confined_main(argv[2]);
    return cmocka_run_group_tests(tests, start, stop);
}
