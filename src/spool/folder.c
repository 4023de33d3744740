// SPDX-License-Identifier: Apache-2.0
/* spool/folder.c - which files of the folder are segments, of which generation; which are
 * snapshots; which are neither.
 *
 * A segment whose header does not hold is known by its groups. A file that says it is another slot
 * is a copy, and no part of the log (fault C14). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "spool/recover.h"

static bool numbered(struct str name, struct str prefix, uint64_t *ret)
{
    return str_starts(name, prefix) && name.len == prefix.len + 8 &&
           str_to_u64(str_skip(name, prefix.len), 99999999, ret);
}

static bool quarantine(struct spool *s, struct str name, struct spool_recovery *found,
                       const char *why, struct err *err)
{
    char text[256];

    if (name.len >= sizeof(text))
        return err_set(err, ERR_LIMIT, "file name of %zu bytes in the spool", name.len);
    (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(name));
    if (!disk_move_into(s->disk, text, "quarantine", err))
        return false;
    found->files_quarantined++;
    alarm_tell(s, "quarantined", 0, "%s: %s", text, why);
    return true;
}

/* The newest generation of which a whole group lies in the file; 0: none. */
static bool generation_by_groups(struct disk_file *file, uint64_t size, uint32_t *ret,
                                 struct err *err)
{
    char *block = mem_new(BLOCK_BYTES);
    uint32_t newest = 0;
    bool ok = true;

    for (uint64_t at = BLOCK_BYTES; ok && at + BLOCK_BYTES <= size; at += BLOCK_BYTES) {
        struct group_head h;

        ok = disk_file_read(file, at, block, BLOCK_BYTES, err);
        if (!ok)
            break;
        memcpy(&h, block, sizeof(h));
        if (h.generation > newest && group_head_ok(&h, h.generation, size - at))
            newest = h.generation;
    }
    free(block);
    *ret = newest;
    return ok;
}

static bool all_zero(const char *bytes, size_t len)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

enum verdict { VERDICT_SEGMENT, VERDICT_FREE, VERDICT_STRANGER };

/* The header of `g` as it lies in `block`. */
static bool judge(struct spool *s, struct segment *g, const char *block, enum verdict *ret,
                  struct err *err)
{
    struct segment_header h;

    memcpy(&h, block, sizeof(h));
    if (header_ok(&h)) {
        g->generation = h.generation;
        g->follows = h.follows;
        *ret = h.slot == g->slot && h.generation > 0 ? VERDICT_SEGMENT : VERDICT_STRANGER;
        return true;
    }
    if (!generation_by_groups(g->file, g->size, &g->generation, err))
        return false;
    if (g->generation == 0) {
        *ret = all_zero(block, BLOCK_BYTES) ? VERDICT_FREE : VERDICT_STRANGER;
        return true;
    }
    alarm_tell(s, "segment-damaged", 0, "header of segment %" PRIu32 " does not hold", g->slot);
    *ret = VERDICT_SEGMENT;
    return true;
}

/* False: it cannot be read now. Nothing may be concluded from that: a segment put aside for it
 * would be mail lost, so opening ends, and is tried again (fault D05). */
static bool identify(struct spool *s, struct segment *g, enum verdict *ret, struct err *err)
{
    char *block;
    bool ok;

    g->follows = UINT64_MAX;
    *ret = VERDICT_STRANGER;
    if (g->size < BLOCK_BYTES)
        return true;
    block = mem_new(BLOCK_BYTES);
    ok = disk_file_read(g->file, 0, block, BLOCK_BYTES, err) && judge(s, g, block, ret, err);
    free(block);
    return ok;
}

static bool segment_open(struct spool *s, struct str name, uint64_t slot,
                         struct spool_recovery *found, struct err *err)
{
    struct segment g = { .slot = (uint32_t)slot, .last_number = UINT64_MAX };
    enum verdict verdict;
    char text[32];

    if (!disk_file_open(s->disk, segment_name(g.slot, text), DISK_WRITE, &g.file, err) ||
        !disk_file_size(g.file, &g.size, err) || !identify(s, &g, &verdict, err)) {
        disk_file_free(g.file);
        return err_at(err, "%s", text);
    }
    if (verdict == VERDICT_FREE && g.size != s->options.segment_bytes)
        verdict = VERDICT_STRANGER;
    if (verdict == VERDICT_SEGMENT && segment_at(s, position_make(g.generation, 0)))
        verdict = VERDICT_STRANGER;
    if (verdict == VERDICT_STRANGER) {
        disk_file_free(g.file);
        return quarantine(s, name, found, "not a segment of this log", err);
    }
    if (verdict == VERDICT_SEGMENT && g.size != s->options.segment_bytes)
        alarm_tell(s, "segment-size", 0, "segment %" PRIu32 " has %" PRIu64 " bytes", g.slot,
                   g.size);
    g.state = verdict == VERDICT_FREE ? SEGMENT_FREE : SEGMENT_USED;
    g.used = g.size;
    (void)segment_add(s, &g);
    return true;
}

static bool is_leftover(struct str name)
{
    uint64_t slot;

    return str_eq(name, STR("snapshot-new")) || numbered(name, STR("prepare-"), &slot);
}

static bool entry_read(struct spool *s, struct folder *f, const struct disk_entry *e,
                       struct spool_recovery *found, struct err *err)
{
    uint64_t number;
    char text[32];

    if (e->is_file && numbered(e->name, STR("seg-"), &number))
        return segment_open(s, e->name, number, found, err);
    if (e->is_file && numbered(e->name, STR("snapshot-"), &number)) {
        if (f->snapshot_count < ARRAY_LEN(f->snapshots))
            f->snapshots[f->snapshot_count++] = number;
        return true;
    }
    if (e->is_file && is_leftover(e->name)) {
        (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(e->name));
        return disk_remove(s->disk, text, err);
    }
    if (!e->is_file && str_eq(e->name, STR("quarantine")))
        return true;
    return quarantine(s, e->name, found, "not a file of the spool", err);
}

bool folder_read(struct spool *s, struct folder *ret, struct spool_recovery *found, struct err *err)
{
    struct disk_entry *entries;
    struct arena a;
    size_t count;
    bool ok;

    arena_init(&a, 4096);
    ok = disk_list(s->disk, &a, &entries, &count, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = entry_read(s, ret, &entries[i], found, err);
    arena_done(&a);
    return ok;
}
