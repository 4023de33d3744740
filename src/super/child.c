// SPDX-License-Identifier: Apache-2.0
/* super/child.c - the process of one role: takes its orders from super, starts the role, confines
 * itself, joins links.
 *
 * Order matters: the role's threads run and its files are open before the filters are loaded;
 * links, with their maps, may come at any time afterwards. When super is gone, so is the role. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "io/disk.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/sandbox.h"
#include "io/stream.h"
#include "super/settings.h"
#include "super/super.h"
#include "super/table.h"
#include "wire/wire.h"

#define CONTROL_FD 3
#define SEALED_MAX (1024 * 1024)

struct child {
    const struct role_ops *ops;
    unsigned instance;
    struct channel *control;
    struct config *config, *config_before;
    struct arena arena;  /* the listeners' array */
    struct arena sealed; /* PEM, secrets: until the role has taken what it needs of them */
    struct role_start start;
    void *role;        /* NULL until started */
    struct list rings; /* struct child_ring */
};

struct child_ring {
    struct list link;
    enum role_kind peer;
    unsigned instance;
    struct ring *ring;
};

/* --- what comes sealed --- */

static bool take_sealed(struct child *c, struct str *ret, struct err *err)
{
    char *bytes;
    size_t len;
    int fd = channel_take_fd(c->control);

    if (fd < 0)
        return err_set(err, ERR_SYNTAX, "super sent too few descriptors");
    bool ok = process_read_sealed(fd, SEALED_MAX, &bytes, &len, err);
    process_close(fd);
    if (!ok)
        return false;
    *ret = arena_str(&c->sealed, str_make(bytes, len));
    mem_wipe(bytes, len);
    free(bytes);
    return true;
}

static void forget(struct str *secret)
{
    mem_wipe((char *)secret->ptr, secret->len);
    *secret = STR("");
}

/* What the role needs of it stands in its own tables now (fault P06). */
static void forget_sealed(struct child *c)
{
    forget(&c->start.tls_key_pem);
    forget(&c->start.secret);
    c->start.tls_chain_pem = STR("");
    arena_reset(&c->sealed);
}

static bool take_config(struct child *c, uint32_t flags, struct err *err)
{
    struct str yaml;
    struct config *config;

    if (!take_sealed(c, &yaml, err) || !config_parse(STR("configuration"), yaml, &config, err))
        return false;
    settings_fill_hostname(config);
    if ((flags & START_TLS) && (!take_sealed(c, &c->start.tls_chain_pem, err) ||
                                !take_sealed(c, &c->start.tls_key_pem, err)))
        return false;
    if ((flags & START_SECRET) && !take_sealed(c, &c->start.secret, err))
        return false;
    if (c->ops->kind == ROLE_DELIVER)
        settings_put_passwords(config, c->start.secret);
    config_free(c->config_before);
    c->config_before = c->config;
    c->config = config;
    c->start.config = config;
    return true;
}

static bool take_listeners(struct child *c, const struct wire_role_start *m, struct err *err)
{
    uint32_t tcp = m->listeners - ((m->flags & START_UNIX) ? 1 : 0);

    c->start.unix_fd = -1;
    c->start.listeners = ARENA_ARRAY(&c->arena, struct listener *, tcp + 1);
    for (uint32_t i = 0; i < tcp; i++)
        if (!listener_from_fd(channel_take_fd(c->control), &c->start.listeners[i], err))
            return false;
    c->start.listener_count = tcp;
    if (m->flags & START_UNIX)
        c->start.unix_fd = channel_take_fd(c->control);
    return true;
}

/* --- confinement --- */

/* The folder of a role that keeps files, made before Landlock shuts everything else. */
static bool own_folder(struct child *c, struct buf *path, struct err *err)
{
    struct disk *d;

    if (c->ops->kind == ROLE_CORE)
        buf_addf(path, "%.*s/spool", STR_FMT(c->config->state_folder));
    else
        buf_addf(path, "%.*s/%s", STR_FMT(c->config->state_folder), c->ops->name);
    if (!disk_open(buf_cstr(path), &d, err))
        return false;
    disk_free(d);
    return true;
}

static bool has_local_socket(const struct config *c)
{
    for (size_t i = 0; i < c->route_count; i++)
        if (str_starts(c->routes[i].host, STR("/")))
            return true;
    return false;
}

static bool make_rule(struct child *c, struct sandbox_rule *rule, struct buf *folder,
                      struct err *err)
{
    size_t n = 0;

    *rule = (struct sandbox_rule){ .needs = c->ops->sandbox_needs };
    if (rule->needs & SANDBOX_FILES) {
        if (!own_folder(c, folder, err))
            return false;
        rule->write_folders[0] = buf_cstr(folder);
    }
    if (c->ops->kind == ROLE_DELIVER && has_local_socket(c->config))
        rule->needs |= SANDBOX_UNIX_CONNECT;
    if (c->ops->kind == ROLE_RESOLVE && c->config->dns_trust_anchor_file.len > 0)
        rule->read_paths[n++] = c->config->dns_trust_anchor_file.ptr;
    if (rule->needs & SANDBOX_CONNECT) {
        rule->read_paths[n++] = "/etc/resolv.conf";
        rule->read_paths[n++] = "/etc/hosts";
        rule->read_paths[n++] = "/etc/ssl";
        if (c->config->delivery.tls_ca_file.len > 0)
            rule->read_paths[n++] = c->config->delivery.tls_ca_file.ptr;
    }
    return true;
}

static void describe(const struct sandbox_state *s, struct err *test, char *text, size_t size)
{
    snprintf(text, size, "seccomp %s, Landlock ABI %d, no new privileges %s%s%s%s%s",
             s->seccomp ? (s->seccomp_logs_only ? "logs only" : "in force") : "missing",
             s->landlock_abi, s->no_new_privs ? "yes" : "NO", s->missing[0] ? "; missing: " : "",
             s->missing, test->kind != ERR_NONE ? "; self-test failed: " : "",
             test->kind != ERR_NONE ? test->text : "");
}

static bool confine(const struct sandbox_rule *rule, char *text, size_t size, struct err *err)
{
    struct sandbox_state state;
    struct err test = { 0 };

    if (!sandbox_enter(rule, &state, err))
        return false;
    bool ok = sandbox_self_test(rule, &state, &test);
    describe(&state, &test, text, size);
    log_text(ok && state.missing[0] == '\0' ? LOG_INFO : LOG_WARN, "confined", "%s", text);
    return true;
}

/* --- orders --- */

static void say_ready(struct child *c, bool ok, const char *text)
{
    struct wire_role_ready *m = wire_add(c->control, WIRE_ROLE_READY, strlen(text));

    m->ok = ok;
    wire_put(m, &m->state, str_of(text));
    channel_flush(c->control);
}

static bool start_confined(struct child *c, char *state, size_t size, struct err *err)
{
    struct sandbox_rule rule;
    struct buf folder;
    bool ok;

    buf_init(&folder, 4096);
    ok = make_rule(c, &rule, &folder, err) && sandbox_enter_files(&rule, err) &&
         c->ops->start(&c->start, &c->role, err) && confine(&rule, state, size, err);
    buf_done(&folder);
    return ok;
}

/* On a fiber: starting may wait. */
static void start_story(void *arg)
{
    struct child *c = arg;
    struct err err = { 0 };
    char state[512] = "";

    process_prepare(c->config->sched_batch);
    if (c->config->user.len > 0 && process_user_id() == 0 &&
        !process_drop_to_user(c->config->user.ptr, &err)) {
        say_ready(c, false, err.text);
    } else if (!start_confined(c, state, sizeof state, &err)) {
        log_err(LOG_ALERT, "role-not-started", &err);
        say_ready(c, false, err.text); /* super closes the channel when it has read this */
    } else {
        say_ready(c, true, state);
    }
    forget_sealed(c);
}

static bool on_start(struct child *c, const struct wire_role_start *m, struct err *err)
{
    if (c->config || m->kind != (uint32_t)c->ops->kind)
        return err_set(err, ERR_SYNTAX, "a second start");
    if (!take_config(c, m->flags, err) || !take_listeners(c, m, err))
        return false;
    log_set_level(c->config->log_debug ? LOG_DEBUG : LOG_INFO);
    c->start.kind = c->ops->kind;
    c->start.instance = c->instance;
    fiber_spawn("start", start_story, c);
    return true;
}

/* A peer that was restarted gets a new ring; the old one's last reader is gone. */
static void forget_ring(struct child *c, enum role_kind peer, unsigned instance)
{
    LIST_EACH (&c->rings, struct child_ring, r, link)
        if (r->peer == peer && r->instance == instance) {
            list_remove(&r->link);
            ring_free(r->ring);
            free(r);
        }
}

static bool map_ring(struct child *c, const struct wire_role_link *m, struct role_link *l,
                     struct err *err)
{
    struct child_ring *keep;
    struct ring *ring;
    int fd;

    if (m->ring == LINK_NO_RING)
        return true;
    fd = channel_take_fd(c->control);
    if (m->ring == LINK_RING_OUT) {
        bool ok = ring_map_writer(fd, RING_BYTES, &ring, err);
        process_close(fd);
        if (!ok)
            return false;
        l->ring_out = ring;
    } else {
        if (!ring_map(fd, RING_BYTES, &ring, err))
            return false;
        l->ring_in = ring;
    }
    keep = NEW(struct child_ring);
    *keep = (struct child_ring){ .peer = m->peer, .instance = m->instance, .ring = ring };
    list_append(&c->rings, &keep->link);
    return true;
}

static bool on_link(struct child *c, const struct wire_role_link *m, struct err *err)
{
    struct role_link l = { .peer = m->peer, .instance = m->instance, .generation = m->generation };
    int order = role_link_order(c->ops->kind, l.peer);

    if (!c->role || m->peer >= ROLE_KINDS || m->instance >= ROLE_INSTANCES_MAX)
        return err_set(err, ERR_SYNTAX, "a link before the start, or with nobody");
    forget_ring(c, l.peer, l.instance);
    if (!channel_new(channel_take_fd(c->control), order, NULL, NULL, &l.channel, err) ||
        !map_ring(c, m, &l, err))
        return false;
    c->ops->link(c->role, &l);
    struct wire_role_linked *done = wire_add(c->control, WIRE_ROLE_LINKED, 0);
    done->peer = m->peer;
    done->instance = m->instance;
    done->generation = m->generation;
    return true;
}

static void drained(void *arg)
{
    struct child *c = arg;

    wire_add(c->control, WIRE_ROLE_DRAINED, 0);
}

static void send_status(struct child *c)
{
    struct buf text;

    buf_init(&text, FRAME_BYTES_MAX - sizeof(struct wire_role_status));
    role_facts(c->ops->kind, c->role, &text);
    struct wire_role_status *m =
        wire_add(c->control, WIRE_ROLE_STATUS, buf_ok(&text) ? text.len : 0);
    wire_put(m, &m->json, buf_ok(&text) ? buf_str(&text) : STR(""));
    buf_done(&text);
}

static bool on_reload(struct child *c, const struct wire_role_reload *m, struct err *err)
{
    if (!take_config(c, m->flags, err))
        return false;
    log_set_level(c->config->log_debug ? LOG_DEBUG : LOG_INFO);
    if (c->ops->reload)
        c->ops->reload(c->role, c->config, &c->start);
    forget_sealed(c);
    return true;
}

static bool on_log(struct child *c, struct err *err)
{
    int fd = channel_take_fd(c->control);

    if (fd < 0)
        return err_set(err, ERR_SYNTAX, "a log without a descriptor");
    process_log_flush(); /* what was said before stands in the older file */
    return process_stderr_take(fd, err);
}

static bool on_frame(void *owner, struct channel *channel, const struct frame *f, struct err *err)
{
    struct child *c = owner;
    (void)channel;

    if (!wire_check(f, ROLE_SUPER, c->ops->kind, err))
        return false;
    if (f->type == WIRE_ROLE_START)
        return on_start(c, (const void *)f, err);
    if (f->type == WIRE_ROLE_LINK)
        return on_link(c, (const void *)f, err);
    if (f->type == WIRE_ROLE_LOG)
        return on_log(c, err);
    if (!c->role)
        return err_set(err, ERR_SYNTAX, "%s before the start", wire_type_name(f->type));
    switch (f->type) {
    case WIRE_ROLE_RELOAD:
        return on_reload(c, (const void *)f, err);
    case WIRE_ROLE_STATUS:
        send_status(c);
        return true;
    default: /* WIRE_ROLE_DRAIN */
        c->ops->drain(c->role, drained, c);
        return true;
    }
}

static void on_closed(void *owner, struct channel *channel, const struct err *why)
{
    struct child *c = owner;

    if (why->kind != ERR_CLOSED)
        log_err(LOG_ALERT, "super-lost", why);
    channel_free(channel);
    c->control = NULL;
    loop_stop();
}

static const struct channel_events events = { .frame = on_frame, .closed = on_closed };

int super_role_main(const char *kind, const char *instance)
{
    struct child c = { .ops = role_by_name(kind) };
    uint64_t number;
    struct err err;

    if (!c.ops || !str_to_u64(str_of(instance), ROLE_INSTANCES_MAX - 1, &number)) {
        fprintf(stderr, "baton role: started by `baton serve`, never by hand\n");
        return 2;
    }
    c.instance = (unsigned)number;
    list_init(&c.rings);
    arena_init(&c.arena, 1024);
    arena_init(&c.sealed, 16 * 1024);
    c.start.tls_chain_pem = c.start.tls_key_pem = c.start.secret = STR("");
    super_begin(c.ops->name);
    if (!channel_new(CONTROL_FD, 100, &events, &c, &c.control, &err)) {
        log_err(LOG_ALERT, "no-super", &err);
        return 1;
    }
    loop_run();
    if (c.role)
        c.ops->free(c.role);
    process_log_flush();
    return 0;
}
