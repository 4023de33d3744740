// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_tags.h - for mail/dkim*.c: lists of tags, name=value; name=value (RFC 6376 §3.2), which
 * signatures and key records are. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define DKIM_TAGS_MAX 40

struct dkim_tag {
    struct str name, value; /* trimmed; folds within stand as they were */
    struct str room;        /* all between = and ; */
};
struct dkim_tags {
    struct dkim_tag list[DKIM_TAGS_MAX];
    size_t count;
};

/* ERR_SYNTAX: no such list, or a tag twice; ERR_LIMIT. */
MUST_USE bool dkim_tags_read(struct str text, struct dkim_tags *ret, struct err *err);
/* NULL: it is not there. */
const struct dkim_tag *dkim_tags_find(const struct dkim_tags *t, const char *name);
/* Its value without any white space, in the arena; empty when it is not there. */
struct str dkim_tags_compact(const struct dkim_tags *t, const char *name, struct arena *a);
/* Base64 with white space in it, decoded into the arena. */
MUST_USE bool dkim_tags_base64(const struct dkim_tags *t, const char *name, struct arena *a,
                               struct str *ret, struct err *err);
/* Whether `word` is one of those of a list with colons between, without white space. */
bool dkim_list_has(struct str list, const char *word);
