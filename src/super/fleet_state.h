// SPDX-License-Identifier: Apache-2.0
/* super/fleet_state.h - what fleet.c (life of the whole), slot.c (life of one role) and joint.c
 * (links) share. */
#pragma once

#include "io/loop.h"
#include "super/admin.h"
#include "super/doors.h"
#include "super/log_keeper.h"
#include "super/nightly.h"
#include "super/settings.h"
#include "super/table.h"

struct fleet;

/* One role's place: the process in it changes. */
struct slot {
    struct fleet *fleet;
    enum role_kind kind;
    unsigned instance;
    int pid;                 /* 0: none */
    struct channel *control; /* NULL: none */
    uint32_t generation;     /* rises with each process */
    bool ready, drained;
    int64_t started_ms;
    int64_t back_off_ms;
    bool sacrificed; /* killed because core had died */
    struct timer restart;
    unsigned restarts;
    char state[512];  /* what confinement is in force */
    struct buf facts; /* the answer to the last status question */
    bool asked;
};

/* A link whose second end waits for the first to have sealed the ring. */
struct joint {
    struct list link;
    struct slot *first, *second;
    uint32_t first_generation, second_generation;
    uint32_t number;
    int socket_fd, ring_fd;
};

struct fleet {
    struct settings *settings;
    struct doors doors;
    struct slot slots[ROLE_KINDS * ROLE_INSTANCES_MAX];
    struct list joints;
    uint32_t joint_number;
    struct admin admin;
    struct log_keeper log_keeper;
    struct nightly nightly;
    struct gate changed; /* a role became ready, drained, or ended */
    bool started, stopping;
    struct fiber *stopper;
    struct admin_status *status;
    struct timer status_timer;
    struct err failure; /* why a role could not start the first time */
};

static inline struct slot *fleet_slot(struct fleet *f, enum role_kind kind, unsigned instance)
{
    return &f->slots[(unsigned)kind * ROLE_INSTANCES_MAX + instance];
}

/* Every place that a role has. */
#define FLEET_EACH(f, it)                                                             \
    for (struct slot *it = (f)->slots; it < (f)->slots + ARRAY_LEN((f)->slots); it++) \
        if (it->fleet)

/* slot.c */
void slot_init(struct slot *s, struct fleet *f, enum role_kind kind, unsigned instance);
MUST_USE bool slot_launch(struct slot *s, struct err *err);
void slot_ended(struct slot *s, int wait_status);
MUST_USE bool slot_send_reload(struct slot *s, struct err *err);
/* Our standard error becomes the role's. */
void slot_send_log(struct slot *s);
void slot_done(struct slot *s);

/* joint.c */
/* Joins a role that has just become ready with everybody who is. */
void joint_make_all(struct fleet *f, struct slot *fresh);
void joint_on_linked(struct fleet *f, struct slot *s, const struct wire_role_linked *m);
void joint_drop(struct fleet *f, const struct slot *s);

/* fleet.c */
void fleet_status_arrived(struct fleet *f);
