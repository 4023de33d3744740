// SPDX-License-Identifier: Apache-2.0
/* mail/mime_parse.h - cuts a message that comes in pieces into its entities: the one reader behind
 * both passes of mail/mime.h, so that scan and conversion can never see different parts. */
#pragma once

#include "base/err.h"
#include "mail/mime_type.h"

/* A message or part, in the order their headers end. */
struct mime_entity {
    size_t index;
    struct mime_type type;
    bool is_message;    /* the whole, or one inside message/rfc822 */
    struct str section; /* its header, with the empty line if there is one; valid during the call */
};

/* Each returns false, with err, to stop. */
struct mime_events {
    bool (*entity)(void *arg, const struct mime_entity *e, struct err *err);
    bool (*body)(void *arg, struct str bytes,
                 struct err *err); /* of the last entity: text, other or opaque */
    bool (*between)(void *arg, struct str bytes,
                    struct err *err);        /* delimiters, preambles, epilogues */
    bool (*end)(void *arg, struct err *err); /* of such a body */
    void *arg;
};

struct mime_parser;
struct mime_parser *mime_parser_new(const struct mime_events *events);
void mime_parser_free(struct mime_parser *p);
/* ERR_LIMIT: too deep, too many parts, or a header over HEADER_SECTION_MAX. */
MUST_USE bool mime_parser_feed(struct mime_parser *p, struct str bytes, struct err *err);
MUST_USE bool mime_parser_end(struct mime_parser *p, struct err *err);
