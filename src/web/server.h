// SPDX-License-Identifier: Apache-2.0
/* web/server.h - HTTP on a UNIX socket: evhttp in a thread of its own, strict checks in front,
 * requests handed to the loop as exchanges. Who may connect is the socket's mode and group (super
 * binds it 0660); the peer's credentials give the name under which what is done is logged.
 *
 * An exchange lives from server_events.asked until exchange_end(); if its client leaves before,
 * `gone` is called with its number and it still wants its exchange_end(). All of this is called on
 * the loop. */
#pragma once

#include "base/buf.h"
#include "web/api.h"

struct server;
struct exchange;

struct server_events {
    void (*asked)(void *owner, struct exchange *x);
    void (*gone)(void *owner, uint64_t number);
};

/* Starts the thread. The server owns `fd`, a listening UNIX socket. */
MUST_USE bool server_new(int fd, const struct server_events *events, void *owner,
                         struct server **ret, struct err *err);
/* Ends the thread; every exchange ends with it. */
void server_free(struct server *s);

uint64_t exchange_number(const struct exchange *x);
const struct api_ask *exchange_ask(const struct exchange *x);
/* "root", "uid:1000" */
struct str exchange_actor(const struct exchange *x);
/* A line of a stream, sent at once. */
void exchange_line(struct exchange *x, struct str json);
/* The whole answer: JSON, or a problem when status is not 200. */
void exchange_answer(struct exchange *x, int status, struct str body);
/* Nothing more comes, and x is not named again: ends a stream; after an answer, and without one,
 * only frees. */
void exchange_end(struct exchange *x);
