// SPDX-License-Identifier: Apache-2.0
/* accept/accept.h - the state of the role: what its sessions share. */
#pragma once

#include "accept/core_link.h"
#include "accept/session.h"
#include "accept/session_table.h"
#include "accept/vault_link.h"
#include "accept/workspace.h"
#include "io/loop.h"
#include "wire/role.h"

/* A listening socket and what is expected of who comes in. */
struct door {
    struct accept *role;
    struct listener *listener;
    uint32_t index; /* in config->listeners */
};

struct accept {
    const struct config *config;
    struct tls_server *tls;        /* NULL: not set up */
    struct tls_server *tls_before; /* handshakes that began before the last reload still use it */
    struct door *doors;
    size_t door_count;
    bool doors_open, doors_full;
    struct core_link core;
    struct vault_link vault;
    bool gate_open;
    struct buf forwards; /* "\nname\nname\n": where senders are rewritten, as core says */
    struct session_table sessions;
    struct workspaces workspaces;
    struct buf reply, words; /* scratch of a reply; no wait between its making and its piling */
    uint64_t tx_last;        /* number of the newest transaction */
    uint64_t messages, refusals;
    struct {
        bool on;
        struct timer patience;
        void (*done)(void *arg);
        void *arg;
    } drain;
};

/* A session has ended: looks whether doors open again, or whether the draining is over. */
void accept_session_ended(struct accept *a);
/* Both links are there, or not: sessions are accepted once they were. */
void accept_links_changed(struct accept *a);
/* All that wait for core or vault look again. */
void accept_wake_all(struct accept *a);
