// SPDX-License-Identifier: Apache-2.0
/* mail/dkim_header.h - for mail/dkim*.c: the canonical forms of header fields (RFC 6376 §3.4.1,
 * §3.4.2), and which of several fields of one name is meant (§5.4.2). */
#pragma once

#include "mail/dkim_digest.h"
#include "mail/header.h"

/* The whole field with its final CRLF, as it stands in its section. */
void dkim_header_add(struct dkim_digest *d, enum dkim_form form, struct str field);
/* The same without the final CRLF: the field that carries the signature comes last (§3.7). */
void dkim_header_add_last(struct dkim_digest *d, enum dkim_form form, struct str field);

/* As many as a message may come with, and what our edits put in: it must not be stuck for those. */
#define DKIM_FIELDS_MAX (HEADER_FIELDS_MAX + EDITS_MAX)

/* Where the fields of a section lie. */
struct dkim_fields {
    struct dkim_field {
        uint32_t offset, len, name_len;
        uint32_t mark; /* the owner's */
    } few[48], *list;
    size_t count, cap;
};
void dkim_fields_init(struct dkim_fields *f);
void dkim_fields_done(struct dkim_fields *f);
/* Appends it. */
void dkim_fields_add(struct dkim_fields *f, const struct header_field *field, uint32_t mark);
