// SPDX-License-Identifier: Apache-2.0
/* core/stage.c - the stage itself: core's folder, links, frames that wait; and small talk with
 * vault, resolve, web. */
#include "core/stage.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/role.h"
#include "io/loop.h"
#include "io/ring.h"

#define TURNS_MAX 3000

static const char own_yaml[] = "hostname: relay.example\n"
                               "postmaster: postmaster\n"
                               "sandbox: {domain: sandbox.example}\n"
                               "listeners: [{kind: relay, address: \"127.0.0.1:2525\"}]\n"
                               "spool: {segment_bytes: 1M, reserve_bytes: 2M}\n";

/* --- players --- */

static bool on_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct player *p = owner;

    (void)c;
    if (!wire_check(f, ROLE_CORE, p->kind, err))
        fail_msg("%s", err->text);
    assert_true(p->count < PLAYER_FRAMES_MAX);
    p->frames[p->count] = mem_new(f->len);
    memcpy(p->frames[p->count++], f, f->len);
    return true;
}

static void on_closed(void *owner, struct channel *c, const struct err *why)
{
    struct player *p = owner;

    (void)why;
    p->closed = true;
    p->channel = NULL;
    channel_free(c);
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

static void player_forget(struct player *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->frames[i]);
    p->count = 0;
    memset(p->seen, 0, sizeof p->seen);
}

static void ring_drop(struct player *p)
{
    ring_free(p->ring_core);
    ring_free(p->ring_mine);
    p->ring_core = p->ring_mine = NULL;
}

/* Who writes frees last: the other end is a share of it. */
static void rings_make(struct player *p, struct role_link *l)
{
    struct err err;
    struct ring *writer;

    if (p->kind != ROLE_ACCEPT && p->kind != ROLE_DELIVER && p->kind != ROLE_REPORT)
        return;
    if (!ring_new(RING_BYTES, &writer, NULL, &err))
        fail_msg("%s", err.text);
    p->ring_mine = p->kind == ROLE_ACCEPT ? writer : ring_share(writer);
    p->ring_core = p->kind == ROLE_ACCEPT ? ring_share(writer) : writer;
    l->ring_in = p->kind == ROLE_ACCEPT ? p->ring_core : NULL;
    l->ring_out = p->kind == ROLE_ACCEPT ? NULL : p->ring_core;
}

void stage_tell(struct stage *s, struct frame *f)
{
    char *to = channel_add(s->vault.channel, f->type, f->len);

    memcpy(to + sizeof *f, (char *)f + sizeof *f, f->len - sizeof *f);
    free(f);
}

static void tell_accounts(struct stage *s)
{
    stage_tell(s, people_begin());
    for (uint64_t id = 1; id <= STAGE_ACCOUNTS; id++)
        stage_tell(s, people_account(&(struct person){ .id = id, .mode = POLICY_OBSERVE }));
    stage_tell(s, people_end());
}

void stage_link(struct stage *s, struct player *p)
{
    struct role_link l = { .peer = p->kind, .generation = ++s->generation };

    assert_null(p->channel);
    player_forget(p);
    ring_drop(p);
    p->closed = false;
    rings_make(p, &l);
    channel_pair(20, &l.channel, 50, &p->channel);
    channel_set_owner(p->channel, &events, p);
    core_role.link(s->core, &l);
    if (p == &s->vault && !s->untold)
        tell_accounts(s);
}

void stage_cut(struct stage *s, struct player *p)
{
    channel_free(p->channel);
    p->channel = NULL;
    stage_settle(s);
}

void stage_await_closed(struct player *p)
{
    for (int turn = 0; turn < TURNS_MAX && !p->closed; turn++)
        loop_turn(10);
    assert_true(p->closed);
}

const void *player_next(struct player *p, enum wire_type type)
{
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        for (size_t i = 0; i < p->count; i++)
            if (!p->seen[i] && p->frames[i]->type == type) {
                p->seen[i] = true;
                return p->frames[i];
            }
        loop_turn(10);
    }
    fail_msg("%s did not come", wire_type_name(type));
    return NULL;
}

size_t player_waiting(const struct player *p, enum wire_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++)
        count += !p->seen[i] && p->frames[i]->type == type;
    return count;
}

/* --- the stage --- */

static void start_core(struct stage *s)
{
    struct role_start start = { .kind = ROLE_CORE, .config = s->config, .unix_fd = -1 };
    struct err err;

    if (!core_role.start(&start, &s->core, &err))
        fail_msg("%s", err.text);
}

struct stage *stage_raise_bare(const char *yaml)
{
    struct stage *s = NEW(struct stage);
    struct err err;
    struct buf text;

    loop_init();
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/core-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    buf_init(&text, 16 * 1024);
    buf_addf(&text, "%s%sstate_folder: %s\n", own_yaml, yaml, s->folder);
    if (!config_parse(STR("stage"), buf_str(&text), &s->config, &err))
        fail_msg("%s", err.text);
    buf_done(&text);
    s->accept.kind = ROLE_ACCEPT;
    s->vault.kind = ROLE_VAULT;
    s->resolve.kind = ROLE_RESOLVE;
    s->deliver.kind = ROLE_DELIVER;
    s->report.kind = ROLE_REPORT;
    s->web.kind = ROLE_WEB;
    start_core(s);
    return s;
}

void stage_link_all(struct stage *s)
{
    struct player *all[] = { &s->accept, &s->vault, &s->resolve, &s->deliver, &s->report, &s->web };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        stage_link(s, all[i]);
}

void stage_events_from(struct stage *s, uint64_t position)
{
    struct wire_events_from *m = wire_add(s->report.channel, WIRE_EVENTS_FROM, 0);

    m->position = position;
}

struct stage *stage_raise(const char *yaml)
{
    struct stage *s = stage_raise_bare(yaml);

    stage_link_all(s);
    stage_gate(s, true);
    stage_events_from(s, 0);
    return s;
}

static void drop_links(struct stage *s)
{
    struct player *all[] = { &s->accept, &s->vault, &s->resolve, &s->deliver, &s->report, &s->web };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        channel_free(all[i]->channel);
        all[i]->channel = NULL;
    }
}

static void is_drained(void *arg)
{
    *(bool *)arg = true;
}

void stage_restart_core(struct stage *s)
{
    bool drained = false;

    drop_links(s);
    core_role.drain(s->core, is_drained, &drained);
    for (int turn = 0; turn < TURNS_MAX && !drained; turn++)
        loop_turn(10);
    assert_true(drained);
    core_role.free(s->core);
    start_core(s);
}

static size_t damage_file(const char *path, struct str text)
{
    FILE *f = fopen(path, "r+b");
    char *bytes = mem_new(4 << 20);
    size_t len, found = 0;

    assert_non_null(f);
    len = fread(bytes, 1, 4 << 20, f);
    for (size_t at = 0; (at += str_find(str_make(bytes + at, len - at), text)) < len;
         at += text.len, found++) {
        char turned = (char)(bytes[at] ^ 1);
        assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
        assert_int_equal(fwrite(&turned, 1, 1, f), 1);
    }
    free(bytes);
    (void)fclose(f);
    return found;
}

void stage_damage(struct stage *s, const char *text)
{
    size_t found = 0;
    glob_t g;
    char pattern[100];

    (void)snprintf(pattern, sizeof pattern, "%s/spool/seg-*", s->folder);
    assert_int_equal(glob(pattern, 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++)
        found += damage_file(g.gl_pathv[i], str_of(text));
    globfree(&g);
    assert_true(found > 0);
}

static void remove_folder(const char *folder)
{
    char command[100];

    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

void stage_end(struct stage *s)
{
    struct player *all[] = { &s->accept, &s->vault, &s->resolve, &s->deliver, &s->report, &s->web };

    core_role.free(s->core);
    drop_links(s);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        player_forget(all[i]);
        ring_drop(all[i]);
    }
    remove_folder(s->folder);
    config_free(s->config);
    free(s);
}

/* web asks a thing that core answers at once: by then it has seen what was sent before. */
void stage_settle(struct stage *s)
{
    size_t rows;

    if (s->web.channel)
        for (int i = 0; i < 3; i++)
            (void)stage_admin(s, ADMIN_QUEUE_SUMMARY, 0, 0, "", &rows);
}

void stage_retry_at_once(struct stage *s)
{
    for (size_t i = 0; i < s->config->retry.step_count; i++)
        s->config->retry.steps_ms[i] = 1;
}

bool str_has(struct str text, const char *part)
{
    return str_find(text, str_of(part)) < text.len;
}

uint64_t stage_figure(struct stage *s, const char *key)
{
    char quoted[64];
    uint64_t value;
    struct buf text;

    (void)snprintf(quoted, sizeof quoted, "\"%s\":", key);
    buf_init(&text, 64 * 1024);
    core_role.status(s->core, &text);
    struct str rest = buf_str(&text);
    size_t at = str_find(rest, str_of(quoted));
    assert_true(at < rest.len);
    rest = str_skip(rest, at + strlen(quoted));
    assert_true(str_eat_u64(&rest, &value));
    buf_done(&text);
    return value;
}

/* --- vault, resolve, web --- */

void stage_gate(struct stage *s, bool open)
{
    struct wire_gate *m = wire_add(s->vault.channel, WIRE_GATE, 0);

    m->open = open;
}

void stage_bind(struct stage *s, const struct binding *b)
{
    struct ip client;

    assert_true(ip_parse(str_of(b->client ? b->client : "192.0.2.1"), &client, NULL));
    struct wire_session_bind *m = wire_add(s->vault.channel, WIRE_SESSION_BIND, 200);
    m->session = b->session ? b->session : STAGE_SESSION;
    m->account = b->account;
    m->flags = b->flags;
    m->opening = b->opening;
    m->client = wire_ip_of(&client, 1234);
    m->credential = b->credential;
    m->stream = b->stream;
    wire_put(m, &m->login, STR("shop"));
    wire_put(m, &m->upstream, str_of(b->upstream));
    wire_put(m, &m->tenant_header, str_of(b->tenant_header));
}

unsigned stage_ready_code(struct stage *s)
{
    const struct wire_session_ready *r = player_next(&s->accept, WIRE_SESSION_READY);

    return r->code;
}

void stage_open(struct stage *s, uint64_t account)
{
    stage_bind(s, &(struct binding){
                      .account = account, .opening = 1, .flags = account ? BIND_TRUSTED : 0 });
    assert_int_equal(stage_ready_code(s), 0);
}

static struct wire_site_answer *answer_site(struct stage *s, const char *domain, size_t len)
{
    const struct wire_site_ask *ask = player_next(&s->resolve, WIRE_SITE_ASK);
    struct wire_site_answer *m = wire_add(s->resolve.channel, WIRE_SITE_ANSWER, len);

    if (!str_eq(wire_get(ask, ask->domain), str_of(domain)))
        fail_msg("core asks for %.*s", STR_FMT(wire_get(ask, ask->domain)));
    m->question = ask->question;
    m->ttl_s = 3600;
    return m;
}

void stage_site(struct stage *s, const char *domain, const char *site)
{
    struct wire_site_answer *m = answer_site(s, domain, strlen(site));

    wire_put(m, &m->site, str_of(site));
}

void stage_no_site(struct stage *s, const char *domain, uint16_t code, const char *text)
{
    struct wire_site_answer *m = answer_site(s, domain, strlen(text));

    m->code = code;
    m->status_subject = 1;
    m->status_detail = 2;
    wire_put(m, &m->text, str_of(text));
}

static unsigned await_rows(struct stage *s, size_t *ret_rows)
{
    const struct wire_admin_end *end = player_next(&s->web, WIRE_ADMIN_END);

    assert_int_equal(end->request, s->last_request);
    for (*ret_rows = 0; player_waiting(&s->web, WIRE_ADMIN_ROW) > 0; ++*ret_rows) {
        const struct wire_admin_row *r = player_next(&s->web, WIRE_ADMIN_ROW);
        s->row = wire_get(r, r->json);
    }
    return end->status;
}

unsigned stage_admin_of(struct stage *s, enum admin_verb verb, const char *account,
                        size_t *ret_rows)
{
    struct wire_admin *m = wire_add(s->web.channel, WIRE_ADMIN, strlen(account));

    m->request = ++s->last_request;
    m->verb = verb;
    wire_put(m, &m->account, str_of(account));
    return await_rows(s, ret_rows);
}

unsigned stage_admin(struct stage *s, enum admin_verb verb, uint64_t id, uint32_t flags,
                     const char *reason, size_t *ret_rows)
{
    struct wire_admin *m = wire_add(s->web.channel, WIRE_ADMIN, 8 + strlen(reason));

    m->request = ++s->last_request;
    m->id = id;
    m->verb = verb;
    m->flags = flags;
    wire_put(m, &m->actor, STR("olga"));
    wire_put(m, &m->reason, str_of(reason));
    return await_rows(s, ret_rows);
}
