// SPDX-License-Identifier: Apache-2.0
/* deliver/rehearsal.h - for tests: the role and one scripted server, brought together. */
#pragma once

#include "base/mem.h"
#include "deliver/fixture.h"
#include "deliver/peer_script.h"
#include "io/loop.h"

#define MX UINT32_MAX
#define LMTP 1

/* Openings of scripts: a server without extensions, and one with those named. */
#define GREET "S:220 mx.test"
#define HELLO "C:EHLO client.test", "S:250 mx.test"
#define HELLO_PIPE "C:EHLO client.test", "S:250-mx.test\r\n250 PIPELINING"
#define FROM "C:MAIL FROM:<ann@client.test>"
#define TO "C:RCPT TO:<bob@example.test>"
/* A whole transaction that the server takes. */
#define TAKE FROM, "S:250 ok", TO, "S:250 ok", "C:DATA", "S:354 go", "B", "S:250 ok"

extern struct peer peer;
extern struct fixture fixture;

/* Of the whole group. */
int rehearsal_group_setup(void **state);
int rehearsal_group_teardown(void **state);

/* A new role, without TLS, and a new script. */
void set_up(const char *const *script);
void tear_down(void);
/* Both kept to the script, and core was told this. Fails the test. */
void check(const char *told);
/* The same, and the server got that content (NULL: any); prints what went wrong with the case. */
bool ended_well(const char *name, const char *told, const char *content);
