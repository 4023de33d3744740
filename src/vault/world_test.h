// SPDX-License-Identifier: Apache-2.0
/* vault/world_test.h - for tests: the whole role, with accept, core, web and resolve played by the
 * test. All in one process on one loop. */
#pragma once

#include "vault/role.h"
#include "vault/vault.h"

#define FAR_FRAMES_MAX 4096

/* The far end of a link, which keeps the frames that came. */
struct far {
    enum role_kind kind;
    struct channel *channel;
    bool closed;
    size_t count;
    struct frame *frames[FAR_FRAMES_MAX];
    /* Optional: gets each frame instead; `arg` is the test's. */
    void (*on_frame)(void *arg, const struct frame *f);
    void *arg;
};

/* Two trusted networks: 192.0.2.0/24 is office's, 192.0.2.128/25 in it printers', which are account
 * 1 and 2. */
struct world {
    struct config *config;
    struct config_network networks[2];
    struct str state_folder; /* empty: in memory */
    char secret[32];
    struct vault *vault;
    struct far core, accept, web, resolve;
    struct buf log;
};

/* cmocka's set-up and tear-down; *state is the world. Core has heard all there is. */
int world_set_up(void **state);
int world_tear_down(void **state);
/* The role ends; it starts again with what is on disk. */
void world_stop(struct world *w);
void world_start(struct world *w);
/* Links nobody. */
bool world_try_start(struct world *w, struct err *err);

void far_link(struct world *w, struct far *far, enum role_kind kind);
void far_unlink(struct far *far);
void far_forget(struct far *far);
/* The frame of that type which came, the newest; waits for it. */
const void *far_expect(struct far *far, enum wire_type type);
/* The one frame that came since far_forget(), and nothing else. */
const void *far_only(struct far *far, enum wire_type type);
/* How many of that type came. */
size_t far_count(const struct far *far, enum wire_type type);
/* The n-th of that type, from 0, or NULL. */
const void *far_nth(const struct far *far, enum wire_type type, size_t n);

/* What an operator asks. */
struct ask {
    enum admin_verb verb;
    const char *name, *account, *state, *settings;
    const char *from, *to, *reason;
    uint64_t id;
    uint32_t limit, flags;
};
/* Waits for the end; the rows that came before it: row(). */
const struct wire_admin_end *ask(struct world *w, struct ask a);
/* The same, which must end with `status`. */
void ask_for(struct world *w, uint16_t status, struct ask a);
struct str row(struct world *w, size_t n);
size_t row_count(const struct world *w);
bool str_has(struct str text, const char *part);
bool log_has(const struct world *w, const char *part);

/* Accounts and streams as an operator makes them; account 3 is the first. */
struct account *account_named(struct world *w, const char *name);
void make_account(struct world *w, const char *name, const char *parent, const char *settings);
void set_account(struct world *w, const char *name, const char *settings);
void make_stream(struct world *w, const char *of, const char *name, const char *settings);

/* As accept does. */
void open_session(struct world *w, uint64_t session, const char *client);
void send_auth(struct world *w, uint64_t session, const char *user, const char *secret);

/* One row of a table of requests: `words` stand in the end, or in the first row when it is 200. */
struct admin_case {
    const char *name;
    struct ask ask;
    uint16_t status;
    const char *words;
};
void admin_cases_run(struct world *w, const struct admin_case *cases, size_t count);
