// SPDX-License-Identifier: Apache-2.0
/* super/single.c - `serve --single`: every role in this process on one loop, over the same
 * channels; what a debugger and a profiler want. No confinement, no restarts. */
#include "super/single.h"

#include <stdlib.h>

#include "base/log.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/stream.h"
#include "super/doors.h"
#include "super/log_keeper.h"
#include "super/table.h"

#define DRAIN_MS 30000

struct single {
    struct settings *settings;
    struct settings *next; /* after a reload: both live until the next one */
    struct doors doors;
    void *roles[ROLE_KINDS][ROLE_INSTANCES_MAX];
    struct listener **listeners; /* of all roles, one set behind the other */
    size_t listener_count;
    struct list rings; /* struct ring_pair */
    unsigned draining;
    bool stopping;
    struct admin admin;
    struct log_keeper log_keeper;
};

struct ring_pair {
    struct list link;
    struct ring *out, *in;
};

/* --- starting --- */

static bool make_listeners(struct single *s, struct role_start *start, struct err *err)
{
    const struct door_row *doors = doors_of(&s->doors, start->kind);

    start->listeners = s->listeners + s->listener_count;
    for (size_t i = 0; i < doors->count; i++) {
        struct listener **next = &s->listeners[s->listener_count];
        if (!listener_from_fd(process_duplicate(doors->fds[i]), next, err))
            return false;
        s->listener_count++;
    }
    start->listener_count = doors->count;
    return true;
}

static bool start_role(struct single *s, enum role_kind kind, unsigned instance, struct err *err)
{
    struct role_start start = {
        .kind = kind,
        .instance = instance,
        .config = s->settings->config,
        .unix_fd = kind == ROLE_WEB ? process_duplicate(s->doors.api) : -1,
        .secret = settings_secret(s->settings, kind),
    };

    if (settings_gives_tls(s->settings, kind)) {
        start.tls_chain_pem = s->settings->tls_chain;
        start.tls_key_pem = s->settings->tls_key;
    }
    if (!make_listeners(s, &start, err))
        return false;
    if (!role_table[kind]->start(&start, &s->roles[kind][instance], err))
        return err_at(err, "%s", role_table[kind]->name);
    return true;
}

static bool start_all(struct single *s, struct err *err)
{
    unsigned accepts = role_instances(s->settings->config, ROLE_ACCEPT);

    s->listeners =
        NEW_ARRAY(struct listener *, accepts * s->doors.smtp.count + s->doors.web.count + 1);
    for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
        for (unsigned i = 0; i < role_instances(s->settings->config, kind); i++)
            if (!start_role(s, kind, i, err))
                return false;
    return true;
}

/* --- joining --- */

static bool join(struct single *s, const struct role_pair *pair, unsigned ia, unsigned ib,
                 struct err *err)
{
    struct role_link a = { .peer = pair->b, .instance = ib, .generation = 1 };
    struct role_link b = { .peer = pair->a, .instance = ia, .generation = 1 };

    if (pair->ring_a_to_b) {
        struct ring_pair *rings = NEW(struct ring_pair);
        if (!ring_new(RING_BYTES, &rings->out, NULL, err)) {
            free(rings);
            return false;
        }
        rings->in = ring_share(rings->out);
        list_append(&s->rings, &rings->link);
        a.ring_out = rings->out;
        b.ring_in = rings->in;
    }
    channel_pair(role_link_order(pair->a, pair->b), &a.channel, role_link_order(pair->b, pair->a),
                 &b.channel);
    if (pair->b == ROLE_SUPER)
        admin_link(&s->admin, b.channel);
    else
        role_table[pair->b]->link(s->roles[pair->b][ib], &b);
    role_table[pair->a]->link(s->roles[pair->a][ia], &a);
    return true;
}

static unsigned ends(const struct single *s, enum role_kind kind)
{
    return kind == ROLE_SUPER ? 1 : role_instances(s->settings->config, kind);
}

static bool join_all(struct single *s, struct err *err)
{
    for (size_t p = 0; p < role_pair_count; p++)
        for (unsigned ia = 0; ia < ends(s, role_pairs[p].a); ia++)
            for (unsigned ib = 0; ib < ends(s, role_pairs[p].b); ib++)
                if (!join(s, &role_pairs[p], ia, ib, err))
                    return false;
    return true;
}

/* --- what the operator wants --- */

static void drained(void *arg)
{
    struct single *s = arg;

    s->draining--;
}

static void drain_phase(struct single *s, unsigned phase)
{
    int64_t until = loop_now_ms() + DRAIN_MS;

    for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
        for (unsigned i = 0; i < ROLE_INSTANCES_MAX; i++)
            if (s->roles[kind][i] && role_phase(kind) == phase) {
                s->draining++;
                role_table[kind]->drain(s->roles[kind][i], drained, s);
            }
    while (s->draining > 0 && loop_now_ms() < until)
        loop_turn(100);
}

static void stop(void *arg)
{
    struct single *s = arg;

    s->stopping = true;
    process_notify_stopping();
    loop_stop();
}

static bool reload(void *arg, struct err *err)
{
    struct single *s = arg;
    struct settings *fresh;

    if (!settings_read(s->settings->config->file.ptr, true, &fresh, err))
        return false;
    if (!log_keeper_use(&s->log_keeper, fresh->config, err)) {
        settings_free(fresh);
        return false;
    }
    settings_put_passwords(fresh->config, fresh->route_passwords);
    for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
        for (unsigned i = 0; i < ROLE_INSTANCES_MAX; i++) {
            struct role_start start = { .kind = kind,
                                        .instance = i,
                                        .config = fresh->config,
                                        .unix_fd = -1,
                                        .tls_chain_pem = fresh->tls_chain,
                                        .tls_key_pem = fresh->tls_key,
                                        .secret = settings_secret(fresh, kind) };
            if (s->roles[kind][i] && role_table[kind]->reload)
                role_table[kind]->reload(s->roles[kind][i], fresh->config, &start);
        }
    settings_free(s->next);
    s->next = s->settings;
    s->settings = fresh;
    return true;
}

static void status(void *arg, struct admin_status *to)
{
    struct single *s = arg;
    struct buf text;

    buf_init(&text, ADMIN_STATUS_MAX);
    for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
        for (unsigned i = 0; i < ROLE_INSTANCES_MAX; i++)
            if (s->roles[kind][i]) {
                buf_clear(&text);
                role_facts(kind, s->roles[kind][i], &text);
                admin_status_row(to, kind, i, STR("one process, not confined"), buf_str(&text));
            }
    buf_done(&text);
    admin_status_end(to);
}

static void on_signal(void *arg, int signo)
{
    struct single *s = arg;
    struct err err;

    if (process_signal_is_reopen(signo))
        log_keeper_reopen(&s->log_keeper);
    else if (!process_signal_is_reload(signo))
        stop(s);
    else if (!reload(s, &err))
        log_err(LOG_ALERT, "reload-refused", &err);
}

static bool exchange_secret(void *arg, struct err *err)
{
    struct single *s = arg;

    return settings_exchange_secret(s->settings, err);
}

static const struct admin_ops admin_ops = {
    .status = status,
    .reload = reload,
    .exchange_secret = exchange_secret,
    .stop = stop,
};

/* --- all of it --- */

static void end_all(struct single *s)
{
    for (unsigned phase = 0; phase < ROLE_PHASES; phase++) {
        drain_phase(s, phase);
        for (unsigned kind = 0; kind < ROLE_KINDS; kind++)
            for (unsigned i = 0; i < ROLE_INSTANCES_MAX; i++)
                if (s->roles[kind][i] && role_phase(kind) == phase) {
                    role_table[kind]->free(s->roles[kind][i]);
                    s->roles[kind][i] = NULL;
                }
    }
    for (size_t i = 0; i < s->listener_count; i++)
        listener_free(s->listeners[i]);
    free(s->listeners);
    admin_done(&s->admin);
    log_keeper_done(&s->log_keeper);
    LIST_EACH (&s->rings, struct ring_pair, r, link) {
        ring_free(r->in);
        ring_free(r->out);
        free(r);
    }
}

bool single_serve(struct settings *settings, struct err *err)
{
    struct single *s = NEW(struct single);
    bool ok;

    s->settings = settings;
    list_init(&s->rings);
    admin_init(&s->admin, &admin_ops, s);
    log_keeper_init(&s->log_keeper, settings->config, /* changed= */ NULL, NULL);
    settings_put_passwords(settings->config, settings->route_passwords);
    /* First: a signal that a thread of a role may take would end the process. */
    process_on_signal(on_signal, s);
    ok = doors_open(settings->config, &s->doors, err) && start_all(s, err) && join_all(s, err);
    if (ok) {
        log_text(LOG_INFO, "serving", "one process");
        process_notify_ready();
        loop_run();
    }
    end_all(s);
    doors_close(&s->doors);
    settings_free(s->next);
    settings_free(s->settings);
    free(s);
    return ok;
}
