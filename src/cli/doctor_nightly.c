// SPDX-License-Identifier: Apache-2.0
/* cli/doctor_nightly.c - this night's findings against those of the night before: one alert line
 * for each that got worse, one for each that is well again. What was bad already is known. */
#include "base/log.h"
#include "cli/doctor.h"
#include "io/disk.h"

#define FILE_NAME "doctor.json"
#define FILE_NEW "doctor.json.new"
#define FILE_BYTES_MAX (4 * 1024 * 1024)

static const char *text_of(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    return json_object_object_get_ex(object, name, &value) && value ? json_object_get_string(value)
                                                                    : "";
}

static int level_number(const char *word)
{
    for (int i = 0; i < DOCTOR_LEVELS; i++)
        if (strcmp(word, doctor_levels[i]) == 0)
            return i;
    return DOCTOR_OK;
}

/* "check/about" to the worst level that was found of it. */
static struct json_object *levels_of(struct doctor *d, struct json_object *findings)
{
    struct json_object *levels = json_object_new_object(), *known;

    for (size_t i = 0; i < json_object_array_length(findings); i++) {
        struct json_object *f = json_object_array_get_idx(findings, i);
        struct str key = arena_strf(&d->arena, "%s/%s", text_of(f, "check"), text_of(f, "about"));
        int level = level_number(text_of(f, "level"));
        if (json_object_object_get_ex(levels, key.ptr, &known) &&
            json_object_get_int(known) >= level)
            continue;
        json_object_object_add(levels, key.ptr, json_object_new_int(level));
    }
    return levels;
}

static void log_change(struct json_object *finding, int before, int now)
{
    struct log_line l;

    log_begin(&l, now > before ? LOG_ALERT : LOG_INFO,
              now > before ? "doctor-worse" : "doctor-better");
    log_cstr(&l, "check", text_of(finding, "check"));
    log_cstr(&l, "about", text_of(finding, "about"));
    log_cstr(&l, "before", doctor_levels[before]);
    log_cstr(&l, "now", doctor_levels[now]);
    log_cstr(&l, "text", text_of(finding, "found"));
    if (now > before)
        log_cstr(&l, "advice", text_of(finding, "advice"));
    log_end(&l);
}

/* One line for each subject, told by the finding that makes it what it is. */
static void compare(struct doctor *d, struct json_object *before_findings)
{
    struct json_object *before = levels_of(d, before_findings), *now = levels_of(d, d->findings);

    for (size_t i = 0; i < json_object_array_length(d->findings); i++) {
        struct json_object *f = json_object_array_get_idx(d->findings, i), *level = NULL;
        struct str key = arena_strf(&d->arena, "%s/%s", text_of(f, "check"), text_of(f, "about"));
        int is = level_number(text_of(f, "level"));
        if (!json_object_object_get_ex(now, key.ptr, &level) || json_object_get_int(level) != is)
            continue; /* another finding of the same is worse, or it was told already */
        int was = json_object_object_get_ex(before, key.ptr, &level) ? json_object_get_int(level)
                                                                     : DOCTOR_OK;
        if (is != was)
            log_change(f, was, is);
        json_object_object_del(now, key.ptr);
    }
    json_object_put(before);
    json_object_put(now);
}

/* Of the night before; none is as if all had been well. */
static struct json_object *read_before(struct doctor *d)
{
    struct str text,
        path = arena_strf(&d->arena, "%.*s/" FILE_NAME, STR_FMT(d->config->state_folder));
    struct json_object *before = NULL;

    if (disk_read_file(path.ptr, FILE_BYTES_MAX, &d->arena, &text, NULL))
        before = json_tokener_parse(text.ptr);
    if (json_object_is_type(before, json_type_array))
        return before;
    json_object_put(before);
    return json_object_new_array();
}

static bool write_now(struct doctor *d, struct err *err)
{
    const char *text = json_object_to_json_string_ext(d->findings, JSON_C_TO_STRING_PLAIN);
    struct iovec iov = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
    struct disk_file *file = NULL;
    struct disk *disk;

    if (!disk_open(d->config->state_folder.ptr, &disk, err))
        return false;
    bool ok = (disk_remove(disk, FILE_NEW, err) || err->kind == ERR_NOT_FOUND) &&
              disk_file_open(disk, FILE_NEW, DISK_CREATE, &file, err) &&
              disk_file_write(file, 0, &iov, 1, err) && disk_file_sync(file, err) &&
              disk_rename(disk, FILE_NEW, FILE_NAME, err) && disk_sync_folder(disk, err);
    disk_file_free(file);
    disk_free(disk);
    return ok;
}

bool doctor_compare(struct doctor *d, struct err *err)
{
    struct json_object *before;

    if (!d->config)
        return err_set(err, ERR_CONFIG, "%s: it cannot be read", d->file);
    before = read_before(d);
    compare(d, before);
    json_object_put(before);
    return write_now(d, err);
}
