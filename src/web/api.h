// SPDX-License-Identifier: Apache-2.0
/* web/api.h - the JSON API as one table: method, path, verb, who answers, which fields. Pure: from
 * a request's text to what is asked of a role. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "wire/wire.h"

/* The fields of a request, of struct wire_admin; each has one name in path, query and body alike.
 */
enum api_field {
    FIELD_ID = 1 << 0,     /* "id": a queue id, 13 letters */
    FIELD_NUMBER = 1 << 1, /* "number": into id as well */
    FIELD_AFTER = 1 << 2,  /* "after": `next` of the list before, into id as well */
    FIELD_LIMIT = 1 << 3,
    FIELD_NAME = 1 << 4,
    FIELD_ACCOUNT = 1 << 5,
    FIELD_FROM = 1 << 6,
    FIELD_TO = 1 << 7,
    FIELD_SITE = 1 << 8,
    FIELD_STATE = 1 << 9,
    FIELD_REASON = 1 << 10,
    FIELD_SILENT = 1 << 11,
    FIELD_ALL = 1 << 12,
    FIELD_DRY_RUN = 1 << 13,
    FIELD_FORMAT = 1 << 14,   /* "format": of an answer, into state */
    FIELD_SETTINGS = 1 << 15, /* "settings": an object's own fields; in a body alone */
};

enum api_answer {
    API_ONE,    /* the first row itself; without one 404 */
    API_LIST,   /* {"items": […], "next": "…" or null} */
    API_STREAM, /* a row a line, until the reader leaves */
};

struct api_route {
    const char *method, *path; /* "/v1/queue/{id}/why" */
    enum admin_verb verb;
    enum role_kind role; /* that answers */
    enum api_answer answer;
    unsigned fields, needed;
    const char *about;
};
extern const struct api_route api_routes[];
extern const size_t api_route_count;

/* What a request asks: the fields of struct wire_admin. Texts lie in the arena they were read with.
 */
struct api_ask {
    const struct api_route *route;
    unsigned given; /* enum api_field */
    uint64_t id;
    uint32_t limit, flags;
    struct str name, account, from, to, site, state, reason;
    struct str settings; /* "key=value" lines (settings.c) */
};

#define API_BODY_MAX (1024 * 1024)
#define API_TEXT_MAX 320      /* of one field: an address fits */
#define API_SETTINGS_MAX 3000 /* all of them together */
/* All texts of a request together: with the actor's name they fit a frame. */
#define API_ASK_MAX ((int)(FRAME_BYTES_MAX - sizeof(struct wire_admin)) - 64)
#define API_LIMIT_DEFAULT 100
#define API_LIMIT_MAX 10000

/* Reads a whole request; `target` is the path with its query, `body` empty or JSON. On failure
 * *ret_status is the HTTP status (400, 404, 405, 422) and err says why. */
MUST_USE bool api_read(struct str method, struct str target, struct str body, struct arena *a,
                       struct api_ask *ret, int *ret_status, struct err *err);

/* A field by its name, or 0. */
unsigned api_field_find(struct str name);
/* Sets a field from text, as path and query have it. ERR_SYNTAX; ERR_LIMIT: a text that is too long
 * or holds what it may not. */
MUST_USE bool api_field_set(struct api_ask *ask, unsigned field, struct str text, struct arena *a,
                            struct err *err);
/* Octets of its texts. */
size_t api_ask_bytes(const struct api_ask *ask);
/* UTF-8 without what a terminal, a log or a header takes for the end of a line, or for a command
 * (fault B10). */
bool api_text_ok(struct str text);
/* The member "settings" of a body: a flat object of texts, numbers, booleans and lists of texts
 * becomes "key=value" lines, a list joined by commas. What keys there are and what they take is
 * for the role to say that keeps the object. ERR_SYNTAX, ERR_LIMIT (settings.c). */
struct json_object;
MUST_USE bool api_settings_read(struct json_object *object, struct arena *a, struct str *ret,
                                struct err *err);
/* A JSON object into the fields of `ask` that its route allows (body.c). ERR_SYNTAX, ERR_LIMIT. */
MUST_USE bool api_body_read(struct str json, struct api_ask *ask, struct arena *a, struct err *err);

/* %XX once; a bad escape is refused, never passed on (fault B13). ERR_SYNTAX. */
MUST_USE bool api_percent_decode(struct str text, struct arena *a, struct str *ret,
                                 struct err *err);

/* The phrase of a status that we use: "Not Found". */
const char *api_status_phrase(int status);
/* RFC 9457. */
void api_problem(struct buf *to, int status, struct str detail);
