// SPDX-License-Identifier: Apache-2.0
/* cli/command_doctor.c - baton doctor: every check or those named, in one list; by itself each
 * night (R94). */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/doctor.h"
#include "cli/show.h"
#include "io/disk.h"
#include "io/process.h"
#include "super/super.h"

#define CONFIG_BYTES_MAX (1024 * 1024)
#define PAGE_BYTES_MAX (16 * 1024 * 1024)

const char *const doctor_levels[DOCTOR_LEVELS] = { "ok", "warn", "fail" };

static const struct doctor_check checks[] = {
    { "config", doctor_config, false },   { "roles", doctor_roles, false },
    { "open-relay", doctor_relay, true }, { "tls", doctor_tls, true },
    { "dns", doctor_dns, false },         { "port25", doctor_port25, false },
    { "clock", doctor_clock, false },     { "disk", doctor_disk, true },
    { "domains", doctor_domains, false },
};

static const struct show_column columns[] = {
    { "check", "CHECK" }, { "about", "OF" },          { "level", "LEVEL" },
    { "found", "FOUND" }, { "advice", "WHAT TO DO" },
};

/* Findings ------------------------------------------------------------------------------------- */

static void member(struct json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, json_object_new_string(text ? text : ""));
}

void doctor_add(struct doctor *d, const struct doctor_subject *s, enum doctor_level level,
                const char *fmt, ...)
{
    struct json_object *finding = json_object_new_object();
    char text[1000];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    member(finding, "check", s->check);
    member(finding, "about", s->about);
    member(finding, "level", doctor_levels[level]);
    member(finding, "found", text);
    member(finding, "advice", level == DOCTOR_OK ? "" : s->advice);
    json_object_array_add(d->findings, finding);
}

static enum doctor_level level_of(struct json_object *finding)
{
    struct json_object *level = NULL;

    if (json_object_object_get_ex(finding, "level", &level))
        for (int i = 0; i < DOCTOR_LEVELS; i++)
            if (strcmp(json_object_get_string(level), doctor_levels[i]) == 0)
                return (enum doctor_level)i;
    return DOCTOR_OK;
}

enum doctor_level doctor_worst(const struct doctor *d)
{
    enum doctor_level worst = DOCTOR_OK;

    for (size_t i = 0; i < json_object_array_length(d->findings); i++) {
        enum doctor_level level = level_of(json_object_array_get_idx(d->findings, i));
        worst = level > worst ? level : worst;
    }
    return worst;
}

/* The whole ------------------------------------------------------------------------------------ */

/* As for the API socket: what is at hand comes before what is installed. */
static const char *config_file(const struct cli_args *a)
{
    bool is_file;
    unsigned mode;

    if (args_has(a, FLAG_CONFIG))
        return a->flags[FLAG_CONFIG];
    if (process_look_file("./run/baton.yaml", &is_file, &mode, NULL))
        return "./run/baton.yaml";
    return "/etc/baton/baton.yaml";
}

static void read_config(struct doctor *d)
{
    struct str yaml;

    if (disk_read_file(d->file, CONFIG_BYTES_MAX, &d->arena, &yaml, NULL) &&
        !config_parse(str_of(d->file), yaml, &d->config, NULL))
        d->config = NULL;
}

static const struct doctor_check *check_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (strcmp(checks[i].name, name) == 0)
            return &checks[i];
    return NULL;
}

static bool is_wanted(const struct cli_args *a, const struct doctor_check *check)
{
    for (size_t i = 0; i < a->arg_count; i++)
        if (check_find(a->args[i]) == check)
            return true;
    return a->arg_count == 0;
}

static void run_checks(struct doctor *d)
{
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (is_wanted(d->args, &checks[i]) && (d->config || !checks[i].needs_config))
            checks[i].run(d);
}

static bool write_report(const struct doctor *d, const char *path, struct err *err)
{
    struct str folder, name, whole = str_of(path);
    struct disk *disk;
    struct disk_file *file = NULL;
    struct buf page;

    if (!str_cut_last(whole, '/', &folder, &name)) {
        folder = STR(".");
        name = whole;
    }
    struct str place = arena_strf((struct arena *)(uintptr_t)&d->arena, "%.*s",
                                  STR_FMT(folder.len > 0 ? folder : STR("/")));
    if (!disk_open(place.ptr, &disk, err))
        return false;
    buf_init(&page, PAGE_BYTES_MAX);
    (void)doctor_page(d, &page);
    struct iovec iov = { .iov_base = page.ptr, .iov_len = page.len };
    bool ok = (disk_remove(disk, name.ptr, err) || err->kind == ERR_NOT_FOUND) &&
              disk_file_open(disk, name.ptr, DISK_CREATE, &file, err) &&
              disk_file_write(file, 0, &iov, 1, err);
    disk_file_free(file);
    disk_free(disk);
    buf_done(&page);
    return ok;
}

static enum cli_exit tell(struct doctor *d)
{
    struct err err = { 0 };

    if (args_has(d->args, FLAG_NIGHTLY))
        return doctor_compare(d, &err) ? CLI_OK : cli_fail(CLI_FAILED, "%s", err.text);
    if (args_has(d->args, FLAG_REPORT) && !write_report(d, d->args->flags[FLAG_REPORT], &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    return show_items(d->args, d->findings, columns, ARRAY_LEN(columns));
}

/* Started by super as root, it needs no more than a role may. */
static bool become_user(const struct doctor *d, struct err *err)
{
    return !args_has(d->args, FLAG_NIGHTLY) || process_user_id() != 0 || !d->config ||
           d->config->user.len == 0 || process_drop_to_user(d->config->user.ptr, err);
}

enum cli_exit doctor_run(const struct cli_args *a)
{
    struct doctor d = { .args = a, .file = config_file(a) };
    struct err err = { 0 };

    for (size_t i = 0; i < a->arg_count; i++)
        if (!check_find(a->args[i]))
            return cli_fail(CLI_USAGE, "no check \"%.40s\"", a->args[i]);
    super_begin("doctor");
    arena_init(&d.arena, 16 * 1024);
    d.findings = json_object_new_array();
    read_config(&d);
    enum cli_exit result = CLI_OK;
    if (!become_user(&d, &err)) {
        result = cli_fail(CLI_FAILED, "%s", err.text);
    } else {
        run_checks(&d);
        result = tell(&d);
    }
    process_log_flush();
    if (result == CLI_OK && doctor_worst(&d) == DOCTOR_FAIL)
        result = CLI_UNHEALTHY;
    json_object_put(d.findings);
    if (d.config)
        config_free(d.config);
    arena_done(&d.arena);
    return result;
}
