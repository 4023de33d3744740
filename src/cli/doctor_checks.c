// SPDX-License-Identifier: Apache-2.0
/* cli/doctor_checks.c - what the configuration, the running relay, DNS and the machine say of
 * themselves. */
#include <stdlib.h>

#include "cli/client.h"
#include "cli/doctor.h"
#include "io/machine.h"
#include "super/settings.h"

#define TARGET_MAX (64 * 1024)
#define TRY_DEFAULT "gmail-smtp-in.l.google.com"
#define DOMAINS_TOLD 20

void doctor_config(struct doctor *d)
{
    const struct doctor_subject s = { "config", d->file, "change the file, then `baton reload`" };
    struct settings *settings;
    struct err err = { 0 };

    if (!settings_read(d->file, /* keep_secret= */ false, &settings, &err)) {
        doctor_add(d, &s, DOCTOR_FAIL, "%s", err.text);
        return;
    }
    settings_free(settings);
    doctor_add(d, &s, DOCTOR_OK, "it is fine");
}

static const char *text_of(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    return json_object_object_get_ex(object, name, &value) && value ? json_object_get_string(value)
                                                                    : "";
}

/* --- the running relay --- */

static void role_look(struct doctor *d, struct json_object *role)
{
    const char *state = text_of(role, "confinement");
    struct doctor_subject s = { "roles", text_of(role, "role"),
                                "`baton status` and the log say more; the kernel may lack what "
                                "confines roles" };
    struct json_object *facts = NULL;

    (void)json_object_object_get_ex(role, "facts", &facts);
    if (!json_object_is_type(facts, json_type_object) || json_object_object_length(facts) == 0)
        doctor_add(d, &s, DOCTOR_FAIL, "it does not answer (%s)", state);
    else if (strstr(state, "missing") || strstr(state, "not confined") || strstr(state, " NO") ||
             strstr(state, "failed"))
        doctor_add(d, &s, DOCTOR_WARN, "it runs, not fully confined: %s", state);
    else
        doctor_add(d, &s, DOCTOR_OK, "it runs, confined");
}

void doctor_roles(struct doctor *d)
{
    const struct doctor_subject s = { "roles", "", "is the relay running?" };
    struct json_object *roles = NULL;

    if (client_list(d->args, "/v1/status", SIZE_MAX, &roles) != CLI_OK) {
        doctor_add(d, &s, DOCTOR_FAIL, "the relay does not answer");
        return;
    }
    for (size_t i = 0; i < json_object_array_length(roles); i++)
        role_look(d, json_object_array_get_idx(roles, i));
    json_object_put(roles);
}

/* Before the gate is open nobody believes that this machine can send: what is missing for it is no
 * failure yet. */
static bool gate_is_open(struct doctor *d)
{
    struct json_object *roles = NULL, *facts = NULL;
    bool open = false;

    if (client_list(d->args, "/v1/status", SIZE_MAX, &roles) != CLI_OK)
        return false;
    for (size_t i = 0; i < json_object_array_length(roles); i++)
        if (json_object_object_get_ex(json_object_array_get_idx(roles, i), "facts", &facts) &&
            strcmp(text_of(facts, "gate"), "open") == 0)
            open = true;
    json_object_put(roles);
    return open;
}

/* --- DNS and port 25, as `baton live` looks at them --- */

static bool is_true(struct json_object *row, const char *name)
{
    struct json_object *value = NULL;

    return json_object_object_get_ex(row, name, &value) && json_object_get_boolean(value);
}

void doctor_dns(struct doctor *d)
{
    struct doctor_subject s = { "dns", "",
                                "set the record; receivers refuse hosts whose names do not fit" };
    enum doctor_level bad = gate_is_open(d) ? DOCTOR_FAIL : DOCTOR_WARN;
    struct json_object *rows = NULL;

    if (client_list(d->args, "/v1/live/dns", SIZE_MAX, &rows) != CLI_OK) {
        doctor_add(d, &s, DOCTOR_FAIL, "resolve does not answer");
        return;
    }
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        s.about = text_of(row, "check");
        doctor_add(d, &s, is_true(row, "ok") ? DOCTOR_OK : bad, "%s", text_of(row, "text"));
    }
    json_object_put(rows);
}

void doctor_port25(struct doctor *d)
{
    const char *host = args_has(d->args, FLAG_TRY) ? d->args->flags[FLAG_TRY] : TRY_DEFAULT;
    const struct doctor_subject s = { "port25", host,
                                      "ask your provider to open port 25 outwards, or send by a "
                                      "smarthost" };
    struct json_object *rows = NULL;
    struct buf target;

    buf_init(&target, TARGET_MAX);
    (void)buf_add(&target, STR("/v1/live/port"));
    target_add(&target, "name", host);
    enum cli_exit result = client_list(d->args, buf_cstr(&target), SIZE_MAX, &rows);
    buf_done(&target);
    if (result != CLI_OK) {
        doctor_add(d, &s, DOCTOR_FAIL, "deliver does not answer");
        return;
    }
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (is_true(row, "reached"))
            doctor_add(d, &s, DOCTOR_OK, "it answered: %s", text_of(row, "greeting"));
        else
            doctor_add(d, &s, gate_is_open(d) ? DOCTOR_FAIL : DOCTOR_WARN,
                       "it could not be reached: %s", text_of(row, "error"));
    }
    json_object_put(rows);
}

/* --- the machine --- */

void doctor_clock(struct doctor *d)
{
    const struct doctor_subject s = { "clock", "",
                                      "run an NTP client (systemd-timesyncd, chrony): signatures "
                                      "and dates depend on it" };
    struct machine_clock clock;
    struct err err = { 0 };

    /* Within a confined service it may not be asked: every night alike, so that is no alert. */
    if (!machine_clock(&clock, &err))
        doctor_add(d, &s, args_has(d->args, FLAG_NIGHTLY) ? DOCTOR_OK : DOCTOR_WARN,
                   "the kernel does not say: %s", err.text);
    else if (!clock.is_synced)
        doctor_add(d, &s, DOCTOR_WARN, "nothing keeps the clock right");
    else
        doctor_add(d, &s, DOCTOR_OK, "it is kept right, within %lld ms",
                   (long long)(clock.error_max_us / 1000));
}

static unsigned percent_of(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 100 : (unsigned)((double)part / (double)whole * 100);
}

static enum doctor_level level_of_room(unsigned percent)
{
    return percent < 5 ? DOCTOR_FAIL : percent < 15 ? DOCTOR_WARN : DOCTOR_OK;
}

void doctor_disk(struct doctor *d)
{
    struct doctor_subject s = { "disk", d->config->state_folder.ptr,
                                "make room: with a full disk no mail is taken" };
    struct machine_disk disk;
    struct err err = { 0 };

    if (!machine_disk(d->config->state_folder.ptr, &disk, &err)) {
        doctor_add(d, &s, DOCTOR_FAIL, "%s", err.text);
        return;
    }
    enum doctor_level level = level_of_room(percent_of(disk.free_bytes, disk.bytes));
    if (disk.free_bytes < 2 * d->config->spool.reserve_bytes)
        level = DOCTOR_FAIL;
    doctor_add(d, &s, level, "%llu MiB are free, %u %%",
               (unsigned long long)(disk.free_bytes >> 20),
               percent_of(disk.free_bytes, disk.bytes));
    if (disk.files == 0)
        return;
    s.about = "inodes";
    doctor_add(d, &s, level_of_room(percent_of(disk.free_files, disk.files)),
               "%llu are free, %u %%", (unsigned long long)disk.free_files,
               percent_of(disk.free_files, disk.files));
}

/* --- domains --- */

void doctor_domains(struct doctor *d)
{
    struct doctor_subject s = { "domains", "",
                                "`baton domain records` says what is to be published, `baton "
                                "domain check` what each server has" };
    struct json_object *rows = NULL;
    size_t bad = 0;

    if (client_list(d->args, "/v1/domains?limit=1000", SIZE_MAX, &rows) != CLI_OK) {
        doctor_add(d, &s, DOCTOR_FAIL, "vault does not answer");
        return;
    }
    size_t count = json_object_array_length(rows);
    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *state = text_of(row, "state");
        if (strcmp(state, "proved") == 0 || ++bad > DOMAINS_TOLD)
            continue;
        s.about = text_of(row, "domain");
        doctor_add(d, &s, strcmp(state, "pending") == 0 ? DOCTOR_WARN : DOCTOR_FAIL, "%s: %s",
                   state, text_of(row, "why"));
    }
    s.about = "";
    doctor_add(d, &s, bad > DOMAINS_TOLD ? DOCTOR_WARN : DOCTOR_OK, "%zu of %zu are proved",
               count - bad, count);
    json_object_put(rows);
}
