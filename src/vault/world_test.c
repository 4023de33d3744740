// SPDX-License-Identifier: Apache-2.0
/* vault/world_test.c - accept, core, web and resolve as far ends that keep what they are sent. */
#include "vault/world_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"

/* Far ends ------------------------------------------------------------------------------------- */

static bool far_frame(void *owner, struct channel *c, const struct frame *f, struct err *err)
{
    struct far *far = owner;

    (void)c;
    if (!wire_check(f, ROLE_VAULT, far->kind, err))
        return false;
    if (far->on_frame) {
        far->on_frame(far->arg, f);
        return true;
    }
    assert_true(far->count < ARRAY_LEN(far->frames));
    far->frames[far->count] = mem_new(f->len);
    memcpy(far->frames[far->count++], f, f->len);
    return true;
}

static void far_closed(void *owner, struct channel *c, const struct err *why)
{
    struct far *far = owner;

    (void)why;
    far->closed = true;
    far->channel = NULL;
    channel_free(c);
}

static const struct channel_events far_events = { .frame = far_frame, .closed = far_closed };

void far_forget(struct far *far)
{
    for (size_t i = 0; i < far->count; i++)
        free(far->frames[i]);
    far->count = 0;
}

void far_link(struct world *w, struct far *far, enum role_kind kind)
{
    struct role_link l = { .peer = kind, .generation = 1 };

    far->kind = kind;
    far->closed = false;
    channel_pair(0, &l.channel, 1, &far->channel);
    channel_set_owner(far->channel, &far_events, far);
    vault_role.link(w->vault, &l);
}

void far_unlink(struct far *far)
{
    far_forget(far);
    channel_free(far->channel);
    far->channel = NULL;
}

const void *far_nth(const struct far *far, enum wire_type type, size_t n)
{
    for (size_t i = 0; i < far->count; i++)
        if (far->frames[i]->type == type && n-- == 0)
            return far->frames[i];
    return NULL;
}

size_t far_count(const struct far *far, enum wire_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < far->count; i++)
        count += far->frames[i]->type == type;
    return count;
}

const void *far_expect(struct far *far, enum wire_type type)
{
    for (int turn = 0; turn < 2000; turn++) {
        for (size_t i = far->count; i-- > 0;)
            if (far->frames[i]->type == type)
                return far->frames[i];
        loop_turn(10);
    }
    fail_msg("%s did not come", wire_type_name(type));
    return NULL;
}

const void *far_only(struct far *far, enum wire_type type)
{
    const void *f = far_expect(far, type);

    assert_int_equal(far->count, 1);
    return f;
}

/* The world ------------------------------------------------------------------------------------ */

bool str_has(struct str text, const char *part)
{
    return str_find(text, str_of(part)) < text.len;
}

bool log_has(const struct world *w, const char *part)
{
    return str_has(buf_str(&w->log), part);
}

static void keep_line(void *arg, enum log_level level, struct str line)
{
    struct buf *log = arg;

    (void)level;
    buf_add(log, line);
    buf_add_char(log, '\n');
}

bool world_try_start(struct world *w, struct err *err)
{
    const struct role_start s = { .kind = ROLE_VAULT,
                                  .config = w->config,
                                  .unix_fd = -1,
                                  .secret = str_make(w->secret, sizeof w->secret) };
    void *role;

    w->config->state_folder = w->state_folder;
    if (!vault_role.start(&s, &role, err))
        return false;
    w->vault = role;
    return true;
}

void world_start(struct world *w)
{
    struct err err = { 0 };

    if (!world_try_start(w, &err))
        fail_msg("%s", err.text);
    far_link(w, &w->core, ROLE_CORE);
    far_link(w, &w->accept, ROLE_ACCEPT);
    far_link(w, &w->web, ROLE_WEB);
    far_link(w, &w->resolve, ROLE_RESOLVE);
    (void)far_expect(&w->core, WIRE_DIRECTORY_END);
}

void world_stop(struct world *w)
{
    far_unlink(&w->core);
    far_unlink(&w->accept);
    far_unlink(&w->web);
    far_unlink(&w->resolve);
    vault_role.free(w->vault);
    w->vault = NULL;
}

static void make_config(struct world *w)
{
    w->config = NEW(struct config);
    w->config->hostname = STR("relay.example");
    w->config->networks = w->networks;
    w->config->network_count = ARRAY_LEN(w->networks);
    w->config->first_identity = FIRST_ENFORCE;
    w->networks[0] = (struct config_network){ .account = STR("office") };
    w->networks[1] = (struct config_network){ .account = STR("printers"), .normalize = true };
    assert_true(ip_net_parse(STR("192.0.2.0/24"), &w->networks[0].net, NULL));
    assert_true(ip_net_parse(STR("192.0.2.128/25"), &w->networks[1].net, NULL));
}

int world_set_up(void **state)
{
    struct world *w = NEW(struct world);

    loop_init();
    buf_init(&w->log, 16 << 20);
    log_set_sink(keep_line, &w->log);
    log_set_level(LOG_DEBUG);
    make_config(w);
    memset(w->secret, 7, sizeof w->secret);
    world_start(w);
    *state = w;
    return 0;
}

int world_tear_down(void **state)
{
    struct world *w = *state;

    if (w->vault)
        world_stop(w);
    log_set_sink(NULL, NULL);
    buf_done(&w->log);
    free(w->config);
    free(w);
    return 0;
}

/* Operators ------------------------------------------------------------------------------------ */

const struct wire_admin_end *ask(struct world *w, struct ask a)
{
    struct wire_admin *f;

    far_forget(&w->web);
    f = wire_add(w->web.channel, WIRE_ADMIN, FRAME_BYTES_MAX - sizeof *f);
    f->request = 5;
    f->verb = (uint32_t)a.verb;
    f->id = a.id;
    f->limit = a.limit;
    f->flags = a.flags;
    wire_put(f, &f->actor, STR("root"));
    wire_put(f, &f->name, str_of(a.name));
    wire_put(f, &f->account, str_of(a.account));
    wire_put(f, &f->state, str_of(a.state));
    wire_put(f, &f->from, str_of(a.from));
    wire_put(f, &f->to, str_of(a.to));
    wire_put(f, &f->reason, str_of(a.reason));
    wire_put(f, &f->settings, str_of(a.settings));
    return far_expect(&w->web, WIRE_ADMIN_END);
}

void ask_for(struct world *w, uint16_t status, struct ask a)
{
    const struct wire_admin_end *end = ask(w, a);

    if (end->status != status)
        fail_msg("verb %d of %s: %u %.*s", (int)a.verb, a.name ? a.name : "nothing", end->status,
                 STR_FMT(wire_get(end, end->text)));
}

struct str row(struct world *w, size_t n)
{
    const struct wire_admin_row *f = far_nth(&w->web, WIRE_ADMIN_ROW, n);

    return f ? wire_get(f, f->json) : STR("");
}

size_t row_count(const struct world *w)
{
    return far_count(&w->web, WIRE_ADMIN_ROW);
}

void admin_cases_run(struct world *w, const struct admin_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct admin_case *c = &cases[i];
        const struct wire_admin_end *end = ask(w, c->ask);
        struct str words = c->status == 200 ? row(w, 0) : wire_get(end, end->text);

        if (end->status != c->status || (c->words[0] && !str_has(words, c->words)))
            fail_msg("%s: %u %.*s", c->name, end->status, STR_FMT(words));
    }
}

struct account *account_named(struct world *w, const char *name)
{
    struct account *a = roster_account(&w->vault->roster, str_of(name));

    if (!a)
        fail_msg("no account %s", name);
    return a;
}

void make_account(struct world *w, const char *name, const char *parent, const char *settings)
{
    ask_for(w, 200,
            (struct ask){
                .verb = ADMIN_ACCOUNT_ADD, .name = name, .account = parent, .settings = settings });
}

void set_account(struct world *w, const char *name, const char *settings)
{
    ask_for(w, 200, (struct ask){ .verb = ADMIN_ACCOUNT_SET, .name = name, .settings = settings });
}

void make_stream(struct world *w, const char *of, const char *name, const char *settings)
{
    ask_for(w, 200,
            (struct ask){
                .verb = ADMIN_STREAM_ADD, .account = of, .name = name, .settings = settings });
}

/* Clients -------------------------------------------------------------------------------------- */

void open_session(struct world *w, uint64_t session, const char *client)
{
    struct wire_session_open *f = wire_add(w->accept.channel, WIRE_SESSION_OPEN, 0);
    struct ip ip;

    assert_true(ip_parse(str_of(client), &ip, NULL));
    f->session = session;
    f->client = wire_ip_of(&ip, 4711);
    f->listener = 2;
}

void send_auth(struct world *w, uint64_t session, const char *user, const char *secret)
{
    struct wire_auth *f = wire_add(w->accept.channel, WIRE_AUTH, strlen(user) + strlen(secret));

    f->session = session;
    wire_put(f, &f->user, str_of(user));
    wire_put(f, &f->secret, str_of(secret));
}
