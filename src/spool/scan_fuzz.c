// SPDX-License-Identifier: Apache-2.0
/* spool/scan_fuzz.c - any bytes as a segment, with their sums made right so that the walk gets
 * behind them; and as each of the parts that the sums normally keep such bytes from. */
#include <assert.h>
#include <stdlib.h>

#include "spool/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every group and record head that the bytes seem to have gets its sum. */
static void sums_mend(char *bytes, size_t len)
{
    for (size_t at = 0; at + BLOCK_BYTES <= len; at += BLOCK_BYTES) {
        struct group_head h;

        memcpy(&h, bytes + at, sizeof(h));
        if (h.magic == GROUP_MAGIC) {
            h.sum = sum_of(&h, offsetof(struct group_head, sum));
            memcpy(bytes + at, &h, sizeof(h));
        }
    }
    for (size_t at = 0; at + sizeof(struct record_head) <= len; at += 8) {
        struct record_head h;

        memcpy(&h, bytes + at, sizeof(h));
        if (h.magic == RECORD_MAGIC) {
            record_seal(&h);
            memcpy(bytes + at, &h, sizeof(h));
        }
    }
}

static void walk(struct str bytes, uint32_t generation)
{
    struct record_view v;
    bool damaged = false;
    size_t at = 0;

    while (record_next(bytes, generation, &at, &v, &damaged)) {
        assert(v.content.ptr + v.content.len <= bytes.ptr + bytes.len);
        assert(at <= bytes.len && at % 8 == 0);
    }
}

static void scan_image(struct str image)
{
    struct scan_found f;
    struct scan c;
    uint64_t before = 0;

    scan_init(&c, NULL, 1, 0, image.len);
    c.image = image;
    do {
        if (!scan_next(&c, &f, NULL))
            break;
        assert(c.at >= before && c.at <= image.len);
        before = c.at;
        walk(f.bytes, 1);
    } while (f.kind != SCAN_END);
    scan_done(&c);
}

static void read_parts(struct str bytes)
{
    struct message_part m;
    struct settle_part s;
    struct snapshot_facts facts;
    struct spool_message *made;

    if (message_part_read(bytes, &m)) {
        made = message_new(1, 1, 0, &m);
        message_free_unaccounted(made);
    }
    if (settle_part_read(bytes, &s) && s.message.len > 0 && message_part_read(s.message, &m))
        assert(m.envelope.len <= bytes.len);
    if (snapshot_facts_read(bytes, &facts))
        assert(bytes.len > 0);
    while (snapshot_entry_read(&bytes, &made))
        message_free_unaccounted(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = align_up(size, BLOCK_BYTES);
    char *image = mem_new(len + 1);

    read_parts(str_make(data, size));
    memcpy(image, data, size);
    scan_image(str_make(image, len));
    sums_mend(image, len);
    scan_image(str_make(image, len));
    free(image);
    return 0;
}
