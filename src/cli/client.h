// SPDX-License-Identifier: Apache-2.0
/* cli/client.h - requests to the JSON API over the UNIX socket, by libcurl. What goes wrong is told
 * on standard error here; callers pass the exit code on. */
#pragma once

#include <json-c/json.h>

#include "cli/command.h"

/* Adds "?name=value" or "&name=value", coded; nothing when value is NULL. */
void target_add(struct buf *target, const char *name, const char *value);
/* One word of a path, coded. */
void target_add_word(struct buf *target, const char *word);

/* A text member; nothing when value is NULL. */
void body_add(struct json_object *body, const char *name, const char *value);
/* *ret: the answer, to be given back with json_object_put(). `body` is taken; NULL: none. */
MUST_USE enum cli_exit client_call(const struct cli_args *a, const char *method, const char *target,
                                   struct json_object *body, struct json_object **ret);
/* The same, but that the relay refused is only returned, not told. */
MUST_USE enum cli_exit client_try(const struct cli_args *a, const char *method, const char *target,
                                  struct json_object *body, struct json_object **ret);
/* Every page of a list, put together as its items, up to `limit` of them. */
MUST_USE enum cli_exit client_list(const struct cli_args *a, const char *target, size_t limit,
                                   struct json_object **ret);
/* Calls fn with each line of an endless answer. */
MUST_USE enum cli_exit client_stream(const struct cli_args *a, const char *target,
                                     void (*fn)(void *arg, struct str line), void *arg);
