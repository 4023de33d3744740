// SPDX-License-Identifier: Apache-2.0
/* base/json.h - writes JSON text into a buf: for rows that one role makes and another hands
 * through. Commas and escapes are put by the writer; bytes that are not UTF-8 become U+FFFD.
 * Reading is json-c's, in web. */
#pragma once

#include "base/buf.h"

struct json {
    struct buf *to;
    bool comma; /* the next member needs one in front */
};

void json_begin(struct json *j, struct buf *to);
void json_object(struct json *j);     /* { */
void json_object_end(struct json *j); /* } */
void json_array(struct json *j);      /* [ */
void json_array_end(struct json *j);  /* ] */
/* The name of the member that comes next, inside an object. */
void json_key(struct json *j, const char *name);
void json_str(struct json *j, struct str value);
void json_int(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
/* A value that is JSON already. */
void json_raw(struct json *j, struct str value);
