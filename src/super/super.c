// SPDX-License-Identifier: Apache-2.0
/* super/super.c - `baton serve` and `baton check-config`. */
#include "super/super.h"

#include <stdio.h>

#include "base/log.h"
#include "base/map.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/process.h"
#include "super/fleet.h"
#include "super/single.h"

void super_begin(const char *role)
{
    uint8_t key[16];
    char name[32];

    random_bytes(key, sizeof key);
    hash_set_key(key);
    snprintf(name, sizeof name, "baton-%s", role);
    process_name(name);
    loop_init();
    process_log_to(2);
    log_set_role(role);
}

static bool serve(const char *config_file, bool single, struct err *err)
{
    struct settings *settings;

    if (!settings_read(config_file, true, &settings, err))
        return false;
    log_set_level(settings->config->log_debug ? LOG_DEBUG : LOG_INFO);
    if (settings->config->log_file.len > 0 &&
        !process_stderr_to(settings->config->log_file.ptr, err)) {
        settings_free(settings);
        return false;
    }
    return single ? single_serve(settings, err) : fleet_serve(settings, err);
}

int super_serve(const char *config_file, bool single)
{
    struct err err;

    process_prepare(false);
    super_begin("super");
    bool ok = serve(config_file, single, &err);
    process_log_flush();
    if (ok)
        return 0;
    fprintf(stderr, "baton: %s\n", err.text);
    return 1;
}

int super_check_config(const char *config_file)
{
    struct settings *settings;
    struct err err;

    super_begin("check-config");
    if (!settings_read(config_file, false, &settings, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%s: fine\n", config_file);
    settings_free(settings);
    return 0;
}
