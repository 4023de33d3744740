// SPDX-License-Identifier: Apache-2.0
/* spool/mutant_sim_test.c - would the judge notice? The same stories as in power_sim_test.c, with a
 * disk that lies about a kind of sync, or whose image is made over between two lives so that one of
 * recovery's checks holds whatever lies there, as if it were not made. Each must turn the story red
 * (C06), and without a mutant it stays green. */
#include "sim/world.h"
#include "spool/internal.h"
#include "spool/life_sim.h"

/* Making over an image --------------------------------------------------------------------------
 */

struct forgery {
    struct disk_image *disk;
    uint32_t file;
    struct segment_header header;
};

static void put(const struct forgery *f, uint64_t at, const void *bytes, size_t len)
{
    image_write(f->disk, f->file, at, bytes, len);
}

/* Each record within its group, as it would be read if no sum were looked at; sums them. */
static uint32_t records_seal(const struct forgery *f, uint64_t at, uint64_t end, uint64_t *sums,
                             uint32_t count_max)
{
    uint32_t count = 0;

    while (count < count_max && at + sizeof(struct record_head) <= end) {
        const char *bytes = f->disk->bytes[f->file];
        struct record_head h;

        memcpy(&h, bytes + at, sizeof(h));
        if (h.magic != RECORD_MAGIC || h.envelope_len > end - at || h.content_len > end - at ||
            record_size(h.envelope_len, h.content_len) > end - at)
            break;
        h.generation = f->header.generation;
        h.sum_envelope = sum_of(bytes + at + sizeof(h), h.envelope_len);
        h.sum_content = sum_of(bytes + at + sizeof(h) + align_up(h.envelope_len, 8), h.content_len);
        record_seal(&h);
        put(f, at, &h, sizeof(h));
        sums[count++] = h.sum_head;
        at += record_size(h.envelope_len, h.content_len);
    }
    return count;
}

static void group_make_good(const struct forgery *f, uint64_t at, bool of_now)
{
    uint64_t size = f->disk->files[f->file].size, *sums;
    struct group_head h;

    memcpy(&h, f->disk->bytes[f->file] + at, sizeof(h));
    if (h.magic != GROUP_MAGIC || (h.generation == f->header.generation) != of_now ||
        h.length > size - at || h.record_count > h.length / sizeof(struct record_head))
        return;
    sums = NEW_ARRAY(uint64_t, h.record_count + 1);
    h.generation = f->header.generation;
    h.record_count = records_seal(f, at + sizeof(h), at + h.length, sums, h.record_count);
    group_seal(&h, sums);
    put(f, at, &h, sizeof(h));
    free(sums);
}

static void groups_make_good(const struct forgery *f, bool of_now)
{
    for (uint64_t at = BLOCK_BYTES; at < f->disk->files[f->file].size; at += BLOCK_BYTES)
        group_make_good(f, at, of_now);
}

static void each_segment(void (*fn)(struct forgery *f))
{
    struct disk_image *d = &world_get()->disk;

    for (size_t i = 0; i < IMAGE_NAMES_MAX; i++) {
        struct forgery f = { .disk = d, .file = d->names[i].file };

        if (strcmp(d->names[i].folder, "/spool") != 0 || strncmp(d->names[i].name, "seg-", 4) != 0)
            continue;
        memcpy(&f.header, d->bytes[f.file], sizeof(f.header));
        if (!header_ok(&f.header))
            continue;
        fn(&f);
        image_sync(d, f.file);
    }
}

static void sums_hold(struct forgery *f)
{
    groups_make_good(f, true);
}

static void old_groups_hold(struct forgery *f)
{
    groups_make_good(f, false);
}

/* The highest number of a group in segments of earlier generations, refused ones included. */
static uint64_t highest_before(const struct forgery *f)
{
    const struct disk_image *d = f->disk;
    uint64_t highest = 0;

    for (size_t i = 0; i < IMAGE_NAMES_MAX; i++) {
        uint32_t file = d->names[i].file;
        uint64_t size = d->names[i].folder[0] != '\0' ? d->files[file].size : 0;

        for (uint64_t at = BLOCK_BYTES; at < size; at += BLOCK_BYTES) {
            struct group_head h;

            memcpy(&h, d->bytes[file] + at, sizeof(h));
            if (h.generation < f->header.generation && h.number > highest &&
                group_head_ok(&h, h.generation, size - at))
                highest = h.number;
        }
    }
    return highest;
}

static void follow_all(struct forgery *f)
{
    f->header.follows = highest_before(f);
    header_seal(&f->header);
    put(f, 0, &f->header, sizeof(f->header));
}

static void forge_sums(void)
{
    each_segment(sums_hold);
}

static void forge_generations(void)
{
    each_segment(old_groups_hold);
}

static void forge_follows(void)
{
    each_segment(follow_all);
}

/* Mutants ---------------------------------------------------------------------------------------
 */

static void syncs_fail(void)
{
    if (sim_draw(15) == 0)
        sim_faults()->sync_fails_in = 1 + (unsigned)sim_draw(3);
}

static const struct mutant mutants[] = {
    { .name = "no sync is one", .sync_lies_of = "" },
    { .name = "segments are not synced", .sync_lies_of = "seg-" },
    { .name = "new segments are not synced", .sync_lies_of = "prepare-" },
    { .name = "snapshots are not synced", .sync_lies_of = "snapshot-" },
    { .name = "the folder is not synced", .sync_lies_of = "/" },
    { .name = "sums are not looked at", .forge = forge_sums },
    { .name = "generations are not looked at", .forge = forge_generations },
    { .name = "a refused group counts", .forge = forge_follows, .weather = syncs_fail },
};
enum { WORLDS_MAX = 40, WORLDS_SOUND = 20 };

static bool is_red(const struct mutant *m, uint64_t seed, char why[300])
{
    struct ledger *l = ledger_new();
    bool red;

    life_story(l, seed, m);
    red = l->violation[0] != '\0';
    (void)snprintf(why, 300, "%s", l->violation);
    ledger_free(l);
    return red;
}

static void test_c06_mutants_turn_red(void **state)
{
    char why[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mutants); i++) {
        uint64_t seed = 1;

        while (seed <= WORLDS_MAX && !is_red(&mutants[i], seed, why))
            seed++;
        if (seed > WORLDS_MAX)
            fail_msg("%s: nobody noticed", mutants[i].name);
        print_message("%s: seed %llu: %s\n", mutants[i].name, (unsigned long long)seed, why);
    }
}

/* The weather of the mutants alone breaks no promise (D04). */
static void test_c06_control_stays_green(void **state)
{
    const struct mutant sound = { .name = "none", .weather = syncs_fail };
    char why[300];

    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS_SOUND; seed++)
        if (is_red(&sound, seed, why))
            fail_msg("seed %llu: %s", (unsigned long long)seed, why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c06_mutants_turn_red),
        cmocka_unit_test(test_c06_control_stays_green),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
