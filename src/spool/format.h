// SPDX-License-Identifier: Apache-2.0
/* spool/format.h - what lies in a segment, as it lies there, and the checks that tell it from
 * anything else (invariant 7). Pure: bytes in, verdict out. Private to spool.
 *
 * A group begins on a block boundary and is padded to one with zeros, so that no later write
 * touches a block that holds something acknowledged, and the kernel never has to read a block to
 * complete it. Every byte is summed once: a record's sums cover its two parts, its head's sum
 * covers the head, the group's covers the sums of the heads. */
#pragma once

#include "base/buf.h"
#include "spool/spool.h"

enum {
    BLOCK_BYTES = 4096,
    CONTENT_MAX = 64 * 1024, /* in one record; more is chunks */
    FORMAT_VERSION = 1,
};

#define SEGMENT_MAGIC UINT64_C(0x31676573746e7562)
#define GROUP_MAGIC 0x70726762U
#define RECORD_MAGIC 0x64636572U

/* The first block of a segment; zeros behind it. */
struct segment_header {
    uint64_t magic;
    uint32_t version;
    uint32_t slot; /* of the file's name: a copy under another name is not a segment */
    uint32_t generation;
    uint32_t unused;
    uint64_t
        follows; /* last group that counts before this segment: later ones were refused or torn */
    uint64_t sum;
};

struct group_head {
    uint32_t magic;
    uint32_t generation;
    uint64_t number; /* rises by one over the life of the spool */
    uint32_t length; /* head and padding included */
    uint32_t record_count;
    uint64_t events_acked;
    uint64_t sum_records; /* of the records' sum_head in a row */
    uint64_t sum;
};

enum record_kind { RECORD_MESSAGE = 1, RECORD_CHUNK = 2, RECORD_SETTLE = 3, RECORD_MOVE = 4 };
enum record_flag { RECORD_CONTENT_LOST = 1 }; /* a move whose content was damaged already */

struct record_head {
    uint32_t magic;
    uint32_t generation;
    uint8_t kind;
    uint8_t flags;
    uint16_t unused;
    uint32_t envelope_len;
    uint32_t content_len;
    uint32_t unused2;
    uint64_t id; /* of the message; 0 for a chunk */
    uint64_t sum_envelope;
    uint64_t sum_content;
    uint64_t sum_head;
};

_Static_assert(sizeof(struct segment_header) == 40, "on disk");
_Static_assert(sizeof(struct group_head) == 48, "on disk");
_Static_assert(sizeof(struct record_head) == 56, "on disk");
_Static_assert(sizeof(struct spool_rcpt) == 16, "on disk");

static inline uint64_t position_make(uint32_t generation, uint64_t offset)
{
    return (uint64_t)generation << 32 | offset;
}
static inline uint32_t position_generation(uint64_t position)
{
    return (uint32_t)(position >> 32);
}
static inline uint32_t position_offset(uint64_t position)
{
    return (uint32_t)position;
}
static inline size_t align_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}
static inline size_t record_size(size_t envelope_len, size_t content_len)
{
    return sizeof(struct record_head) + align_up(envelope_len, 8) + align_up(content_len, 8);
}

uint64_t sum_of(const void *bytes, size_t len);

void header_seal(struct segment_header *h);
bool header_ok(const struct segment_header *h);
/* `sums`: the records' sum_head. */
void group_seal(struct group_head *h, const uint64_t *sums);
/* Of this generation and within `room` bytes; the records may still be damaged. */
bool group_head_ok(const struct group_head *h, uint32_t generation, uint64_t room);
void record_seal(struct record_head *h);

struct record_view {
    struct record_head head;
    uint32_t offset; /* in the bytes walked */
    struct str envelope;
    struct str content;
    bool envelope_ok, content_ok;
};
/* The next record of this generation at or behind *at, which moves past it; what is no record is
 * stepped over, and tells *damaged. False at the end. */
MUST_USE bool record_next(struct str bytes, uint32_t generation, size_t *at,
                          struct record_view *ret, bool *damaged);
/* All records whole, as many as the head says, and its sum over them right. `bytes`: the group,
 * head included. */
bool group_ok(struct str bytes, uint32_t generation);

/* --- parts of records --- */

/* Bytes of content: `len` from `offset` of the content of the record at `position`; position 0: the
 * record at hand. */
struct extent {
    uint64_t position;
    uint32_t offset;
    uint32_t len;
};
_Static_assert(sizeof(struct extent) == 16, "on disk");

/* A message inside a message, move or settle record. No extents: all content lies in the record
 * itself. */
struct message_part {
    uint64_t account;
    int64_t accepted_wall_ms;
    uint64_t size_bytes;
    uint32_t rcpt_count, extent_count;
    const struct extent *extents;    /* unaligned bytes once read: copy with memcpy */
    const struct spool_rcpt *states; /* NULL: all queued, due when accepted */
    struct str mark;                 /* of a message that is to be counted; else empty */
    struct str envelope;
};
bool message_part_write(struct buf *to, const struct message_part *p);
MUST_USE bool message_part_read(struct str bytes, struct message_part *ret);

struct settle_state {
    uint32_t rcpt;
    uint32_t unused;
    struct spool_rcpt now;
};
struct settle_part {
    uint32_t count, event_count;
    uint64_t dsn; /* id, 0: none */
    const struct settle_state *states;
    struct str events;
    struct str message; /* the notification's part */
};
bool settle_part_write(struct buf *to, const struct settle_part *p);
MUST_USE bool settle_part_read(struct str bytes, struct settle_part *ret);
