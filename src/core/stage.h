// SPDX-License-Identifier: Apache-2.0
/* core/stage.h - for tests: the real core over a real spool in a folder of its own, and every other
 * role played by the test. A frame that core sends waits at its player until the test asks for it;
 * nothing is answered by itself. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "guard/people.h"
#include "mail/header.h"
#include "spool/event.h"
#include "wire/wire.h"

#define PLAYER_FRAMES_MAX 4096

/* One role as the test plays it. */
struct player {
    enum role_kind kind;
    struct channel *channel; /* NULL: gone */
    struct ring *ring_mine;  /* accept: we write */
    struct ring *ring_core;  /* core's end of it */
    struct buf ring_bytes;
    struct frame *frames[PLAYER_FRAMES_MAX];
    size_t count;
    bool seen[PLAYER_FRAMES_MAX];
    bool closed; /* core has ended the link */
};

struct stage {
    char folder[64];
    struct config *config;
    void *core;
    uint32_t generation;
    struct player accept, vault, resolve, deliver, report, web;
    uint64_t last_tx, last_request;
    struct str row; /* the last one of the last request */
    bool untold;    /* a vault that is linked says nothing of who there is */
};

/* `yaml`: options besides the stage's own, or "". Everybody is linked, vault has said that the gate
 * is open, and report where it stands, unless stage_raise_bare(). */
struct stage *stage_raise(const char *yaml);
struct stage *stage_raise_bare(const char *yaml);
void stage_end(struct stage *s);
/* core ends, and starts again over the same folder; nobody is linked then. */
void stage_restart_core(struct stage *s);
/* One bit of every place on disk that holds the text is turned. */
void stage_damage(struct stage *s, const char *text);
void stage_link(struct stage *s, struct player *p);
void stage_link_all(struct stage *s);
/* The role dies. */
void stage_cut(struct stage *s, struct player *p);
/* Turns until core has ended the player's link. */
void stage_await_closed(struct player *p);
/* All that was sent has arrived, both ways, and what it caused without the disk is done. */
void stage_settle(struct stage *s);

/* The oldest frame of that type not yet seen; waits for it. It stays until the stage ends. */
const void *player_next(struct player *p, enum wire_type type);
/* How many of that type have come and were not seen. */
size_t player_waiting(const struct player *p, enum wire_type type);

/* vault tells one thing of who there is; the frame is freed (guard/people.h). Whenever vault is
 * linked it tells STAGE_ACCOUNTS accounts, active and in observe. */
#define STAGE_ACCOUNTS 60
void stage_tell(struct stage *s, struct frame *f);
void stage_gate(struct stage *s, bool open);
/* vault binds a session; the code of READY is returned. */
#define STAGE_SESSION (7ull << 32 | 1)
struct binding {
    uint64_t session, account;
    const char *client; /* NULL: 192.0.2.1 */
    uint32_t flags;
    uint16_t opening;
    uint64_t credential, stream;
    const char *upstream, *tenant_header;
};
void stage_bind(struct stage *s, const struct binding *b);
unsigned stage_ready_code(struct stage *s);
void stage_open(struct stage *s, uint64_t account);

/* A message as accept sends it; unset fields are what most have. */
struct letter {
    uint64_t session; /* 0: STAGE_SESSION */
    const char *from; /* NULL: shop@sender.example; "" null */
    const char *envid;
    const char *to[8]; /* none: ann@remote.example */
    const char *orcpt;
    uint32_t notify;
    uint8_t ret, body;
    const char *content;
    const struct header_edit *edits;
    size_t edit_count;
    const char *body_hash;
    int64_t size_lie; /* added to what TX_END says */
    int32_t header_lie;
};
uint64_t stage_send(struct stage *s, const struct letter *l);
/* The answer to a transaction: code; text and id when wanted. */
unsigned stage_answer(struct stage *s, uint64_t tx, struct str *ret_text, uint64_t *ret_id);
/* Sends it and expects 250: the queue id. */
uint64_t stage_accept(struct stage *s, const struct letter *l);

/* resolve answers the oldest question, which must be about that domain. */
void stage_site(struct stage *s, const char *domain, const char *site);
void stage_no_site(struct stage *s, const char *domain, uint16_t code, const char *text);

/* A job as it arrived, whole as far as core sends without being asked. */
struct job_seen {
    uint64_t job, id;
    struct str site, domain, reverse_path;
    uint32_t route;
    struct str rcpts[8];
    uint32_t numbers[8];
    size_t rcpt_count;
    struct str body_hash;
    struct header_edit edits[16];
    size_t edit_count;
    const struct wire_job_sign *signs[JOB_SIGNS_MAX];
    size_t sign_count;
    struct buf content;
};
struct job_seen stage_job(struct stage *s, struct player *taker);
/* A message to remote.example, in deliver's hands. */
struct job_seen stage_one_job(struct stage *s, const struct letter *l);
/* Every recipient has ended. */
void stage_await_empty(struct stage *s);
/* The next piece, appended. */
void stage_read_content(struct player *taker, struct job_seen *j);
void job_seen_done(struct job_seen *j);
struct verdict {
    enum outcome_kind kind;
    uint16_t code;
    uint16_t subject, detail;
    const char *text;
    bool passed_on; /* the next host has taken over the notification */
};
/* The same for each of its recipients, or one by one and then the end. */
void stage_result(struct stage *s, struct player *taker, struct job_seen *j,
                  const struct verdict *v);
void stage_result_rcpt(struct player *taker, uint64_t job, uint32_t rcpt, const struct verdict *v);
void stage_result_end(struct player *taker, uint64_t job, uint16_t session_code,
                      bool connection_failed);

/* The next event of that kind (0: of any) that report got; others before it are passed over. */
struct event stage_event(struct stage *s, enum event_kind kind);

void stage_events_from(struct stage *s, uint64_t position);
/* What failed is due again in the wheel's next tick. */
void stage_retry_at_once(struct stage *s);

/* What an operator asks; the status of the answer, with the rows counted. */
unsigned stage_admin(struct stage *s, enum admin_verb verb, uint64_t id, uint32_t flags,
                     const char *reason, size_t *ret_rows);
/* The same about an account. */
unsigned stage_admin_of(struct stage *s, enum admin_verb verb, const char *account,
                        size_t *ret_rows);
/* A figure of core's status. */
uint64_t stage_figure(struct stage *s, const char *key);
bool str_has(struct str text, const char *part);
