// SPDX-License-Identifier: Apache-2.0
/* core/naming_edit.h - for core/naming*.c: the fields of a received header that steer this relay,
 * edits that go beside accept's, and what the files share. */
#pragma once

#include "core/naming.h"
#include "guard/identity.h"

#define NAMING_STRIPS_MAX 8

struct naming_fields {
    struct str tenant, stream; /* values of the first */
    unsigned tenant_count, stream_count;
    struct naming_span {
        uint32_t offset, len;
    } strips[NAMING_STRIPS_MAX], from;
    size_t strip_count; /* more than the maximum: they do not fit */
    bool has_from, has_reply_to, has_signature;
};
void naming_look(const struct naming *n, struct naming_fields *ret);
/* Both false: no room for more edits. */
MUST_USE bool naming_strip(struct naming *n, const struct naming_fields *f);
/* From becomes the account's stand-in; who it was is kept in the name and in Reply-To (R115). */
MUST_USE bool naming_rewrite_from(struct naming *n, const struct naming_fields *f,
                                  const struct identity *i);

/* naming.c. False, always. */
bool naming_refuse(struct naming *n, enum policy_code code, const struct str *args, size_t count,
                   struct reply *ret);
void naming_note_add(struct naming *n, enum policy_code code, struct str arg);
/* All its recipients are of the sandbox. */
bool naming_is_sandbox(const struct naming *n);
/* The header as the receivers will read it, in core's own buffer until the next one. */
MUST_USE bool naming_render(struct naming *n, struct str *ret, struct reply *ret_refusal);

/* naming_preflight.c. False: the stream refuses what will not pass. */
MUST_USE bool naming_foretell(struct naming *n, const struct identity *i,
                              const struct naming_fields *f, struct reply *ret);
