// SPDX-License-Identifier: Apache-2.0
/* deliver/render.h - a message as it leaves: the header with its edits, then the body, converted to
 * 7 bits where the peer takes no more; signatures in front (sign.h). */
#pragma once

#include "base/code.h"
#include "deliver/dialogue.h"
#include "deliver/job.h"

/* Content that is converted is held whole (mail/mime.h needs two passes), and so is what must be
 * hashed before it is sent: all of it together within this, except that one message of any size may
 * always go on. */
#define RENDER_CONVERTING_MAX (64u * 1024 * 1024)

struct render {
    struct job *job;
    struct buf head;     /* signatures, rendered header; a short body stands behind it */
    size_t header_bytes; /* of the header in it */
    size_t head_signed,
        converted_signed; /* octets of signatures in front of either form; 0: none */
    struct buf
        body; /* the body, unless it is short: all of it when `whole`, else the piece at hand */
    struct buf converted; /* head and body, in 7 bits */
    bool whole;           /* the message can be sent again from here */
    bool header_8bit;
    bool is_converted;
    uint64_t body_bytes,
        taken; /* of the body: all (0 when it stands behind the head), and how much left `job` */
    size_t converting; /* part of RENDER_CONVERTING_MAX that is ours */
    bool begun;        /* the first piece was handed out */
    bool begun_body;   /* and the piece of the body that was at hand */
};

#define RENDER_HEADER_MAX (HEADER_SECTION_MAX + EDITS_MAX * (EDIT_TEXT_MAX + ID_TEXT_LEN))

/* The header section at the front of `content`, with the job's edits. ERR_SYNTAX: they don't fit.
 */
MUST_USE bool render_header(const struct job *j, struct str content, struct buf *to,
                            struct err *err);

/* Waits for the header section and applies the edits. ERR_CLOSED from job_await(); ERR_SYNTAX:
 * edits that don't fit. */
MUST_USE bool render_init(struct render *r, struct job *j, struct err *err);
void render_done(struct render *r);

/* As it stands, or in 7 bits. ERR_SYNTAX: it can't be converted without breaking it (5.6.3). Waits.
 */
MUST_USE bool render_choose(struct render *r, bool seven_bit, struct err *err);
/* The form that was chosen, its signatures left out: header section and body. The body is all there
 * only when it was short, or converted, or after render_gather(). */
struct str render_section(const struct render *r);
struct str render_body(const struct render *r);
/* Holds the body whole, within RENDER_CONVERTING_MAX. Waits. */
MUST_USE bool render_gather(struct render *r, struct err *err);
/* Puts whole fields in front of the form that was chosen; once. */
MUST_USE bool render_sign(struct render *r, struct str fields, struct err *err);
bool render_is_signed(const struct render *r);
/* Octets that will be sent, without dot-stuffing. */
uint64_t render_size(const struct render *r);
/* Whether the content can be had (again) from its beginning. */
bool render_can_begin(const struct render *r);
/* From its beginning. */
struct content_source render_source(struct render *r);
