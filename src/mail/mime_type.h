// SPDX-License-Identifier: Apache-2.0
/* mail/mime_type.h - what a part's own header says of it (RFC 2045 §5, §6). */
#pragma once

#include "base/str.h"

#define MIME_BOUNDARY_MAX 70 /* RFC 2046 §5.1.1 */

enum mime_class {
    MIME_TEXT,
    MIME_OTHER,     /* a leaf that is no text */
    MIME_MULTIPART, /* with a boundary */
    MIME_RFC822,    /* a message in it, entered */
    MIME_OPAQUE,    /* nothing inside may be changed */
};
enum mime_coding {
    CODING_PLAIN /* none, 7bit */,
    CODING_8BIT /* or binary */,
    CODING_ENCODED /* or unknown */
};

struct mime_type {
    enum mime_class klass;
    enum mime_coding coding;
    bool is_digest;      /* its parts are messages unless they say otherwise */
    bool has_version;    /* MIME-Version */
    struct str boundary; /* borrowed from the section; quoted pairs are not resolved: such a one is
                            MIME_OPAQUE */
};
/* `in_digest`: the default type is message/rfc822 (RFC 2046 §5.1.5). */
struct mime_type mime_type_of(struct str section, bool in_digest);
