// SPDX-License-Identifier: Apache-2.0
/* spool/record.c - sums of headers, groups and records, and the walk over records in bytes that may
 * be damaged. */
#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/mem.h"
#include "spool/format.h"

uint64_t sum_of(const void *bytes, size_t len)
{
    return len > 0 ? XXH3_64bits(bytes, len) : 0;
}

void header_seal(struct segment_header *h)
{
    h->magic = SEGMENT_MAGIC;
    h->version = FORMAT_VERSION;
    h->sum = sum_of(h, offsetof(struct segment_header, sum));
}

bool header_ok(const struct segment_header *h)
{
    return h->magic == SEGMENT_MAGIC && h->version == FORMAT_VERSION &&
           h->sum == sum_of(h, offsetof(struct segment_header, sum));
}

void group_seal(struct group_head *h, const uint64_t *sums)
{
    h->magic = GROUP_MAGIC;
    h->sum_records = sum_of(sums, h->record_count * sizeof(*sums));
    h->sum = sum_of(h, offsetof(struct group_head, sum));
}

bool group_head_ok(const struct group_head *h, uint32_t generation, uint64_t room)
{
    return h->magic == GROUP_MAGIC && h->generation == generation && h->length >= BLOCK_BYTES &&
           h->length % BLOCK_BYTES == 0 && h->length <= room &&
           h->record_count <= h->length / sizeof(struct record_head) &&
           h->sum == sum_of(h, offsetof(struct group_head, sum));
}

void record_seal(struct record_head *h)
{
    h->magic = RECORD_MAGIC;
    h->sum_head = sum_of(h, offsetof(struct record_head, sum_head));
}

/* A head of ours at this place, its parts within the bytes. */
static bool head_at(struct str bytes, uint32_t generation, size_t at, struct record_head *ret)
{
    if (bytes.len < sizeof(*ret) || at > bytes.len - sizeof(*ret))
        return false;
    memcpy(ret, bytes.ptr + at, sizeof(*ret));
    return ret->magic == RECORD_MAGIC && ret->generation == generation &&
           ret->envelope_len <= bytes.len && ret->content_len <= bytes.len &&
           record_size(ret->envelope_len, ret->content_len) <= bytes.len - at &&
           ret->sum_head == sum_of(ret, offsetof(struct record_head, sum_head));
}

bool record_next(struct str bytes, uint32_t generation, size_t *at, struct record_view *ret,
                 bool *damaged)
{
    struct record_view v = { 0 };
    size_t from = align_up(*at, 8);

    for (*at = from; !head_at(bytes, generation, *at, &v.head); *at += 8)
        if (*at >= bytes.len)
            return false;
    *damaged |= *at != from;
    v.offset = (uint32_t)*at;
    v.envelope = str_make(bytes.ptr + *at + sizeof(v.head), v.head.envelope_len);
    v.content = str_make(v.envelope.ptr + align_up(v.envelope.len, 8), v.head.content_len);
    v.envelope_ok = sum_of(v.envelope.ptr, v.envelope.len) == v.head.sum_envelope;
    v.content_ok = sum_of(v.content.ptr, v.content.len) == v.head.sum_content;
    *at += record_size(v.envelope.len, v.content.len);
    *ret = v;
    return true;
}

bool group_ok(struct str bytes, uint32_t generation)
{
    struct group_head head;
    struct record_view v;
    size_t at = sizeof(head), count = 0;
    bool whole = true, damaged = false;
    uint64_t *sums;

    if (bytes.len < sizeof(head))
        return false;
    memcpy(&head, bytes.ptr, sizeof(head));
    if (!group_head_ok(&head, generation, bytes.len))
        return false;
    sums = NEW_ARRAY(uint64_t, head.record_count + 1);
    while (whole && count < head.record_count &&
           record_next(str_make(bytes.ptr, head.length), generation, &at, &v, &damaged)) {
        whole = v.envelope_ok && v.content_ok && !damaged;
        sums[count++] = v.head.sum_head;
    }
    whole = whole && count == head.record_count &&
            head.sum_records == sum_of(sums, count * sizeof(*sums));
    free(sums);
    return whole;
}
