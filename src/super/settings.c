// SPDX-License-Identifier: Apache-2.0
/* super/settings.c - reads the configuration file, what it names, and what the system says of
 * itself. */
#include "super/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/clock.h"
#include "io/disk.h"
#include "io/process.h"
#include "vault/secret.h"

#define CONFIG_BYTES_MAX (1024 * 1024)
#define PEM_BYTES_MAX (256 * 1024)
#define PASSWORD_BYTES_MAX 1024
#define ROUTE_TABLE_MAX (1024 * 1024)
#define GATEWAYS_MAX 64
#define VAULT_SECRET_FILE "vault.key"
#define VAULT_SECRET_NEW "vault.key.new"

/* --- what the system says --- */

/* One line of /proc/net/route: interface, destination, gateway, flags, … with addresses as
 * hexadecimal words in the machine's order. */
static bool gateway_of_line(struct str line, struct ip *ret)
{
    char text[256], gateway_text[9];
    unsigned destination, gateway;

    if (line.len >= sizeof text)
        return false;
    memcpy(text, line.ptr, line.len);
    text[line.len] = '\0';
    if (sscanf(text, "%*s %x %8s", &destination, gateway_text) != 2 ||
        sscanf(gateway_text, "%x", &gateway) != 1)
        return false;
    if (destination != 0 || gateway == 0)
        return false;
    uint8_t bytes[4];
    memcpy(bytes, &gateway, sizeof bytes);
    *ret = ip_make4(bytes);
    return true;
}

static size_t read_gateways(struct arena *a, struct ip *list, size_t max)
{
    struct str table, line;
    struct err err;
    size_t count = 0;

    if (!disk_read_file("/proc/net/route", ROUTE_TABLE_MAX, a, &table, &err))
        return 0;
    while (count < max && str_next(&table, '\n', &line))
        count += gateway_of_line(line, &list[count]);
    return count;
}

void settings_fill_hostname(struct config *c)
{
    struct str name;
    struct err err;

    if (c->hostname.len > 0)
        return;
    if (!disk_read_file("/proc/sys/kernel/hostname", 256, c->arena, &name, &err))
        name = STR("localhost");
    c->hostname = str_sub(name, 0, str_index(name, '\n'));
}

/* --- secrets --- */

static bool web_shows_tls(const struct config *c)
{
    return c->web_listener_count > 0 && c->web_tls;
}

static bool read_tls(struct settings *s, struct err *err)
{
    struct config *c = s->config;

    if (c->tls_cert_file.len == 0)
        return !web_shows_tls(c) ||
               err_set(err, ERR_CONFIG,
                       "web.listeners: HTTPS needs tls.cert_file; without it say web.tls: false");
    return disk_read_file(c->tls_cert_file.ptr, PEM_BYTES_MAX, &s->arena, &s->tls_chain, err) &&
           disk_read_file(c->tls_key_file.ptr, PEM_BYTES_MAX, &s->arena, &s->tls_key, err);
}

static bool read_passwords(struct settings *s, struct err *err)
{
    struct buf lines;
    bool ok = true;

    buf_init(&lines, s->config->route_count * PASSWORD_BYTES_MAX + 1);
    for (size_t i = 0; ok && i < s->config->route_count; i++) {
        const struct config_route *route = &s->config->routes[i];
        struct str text = STR("");
        if (route->password_file.len > 0)
            ok =
                disk_read_file(route->password_file.ptr, PASSWORD_BYTES_MAX, &s->arena, &text, err);
        buf_add(&lines, str_sub(text, 0, str_index(text, '\n')));
        buf_add_char(&lines, '\n');
    }
    s->route_passwords = arena_str(&s->arena, buf_str(&lines));
    buf_done(&lines);
    return ok;
}

void settings_put_passwords(struct config *c, struct str secret)
{
    struct str line;

    for (size_t i = 0; i < c->route_count && str_next(&secret, '\n', &line); i++)
        c->routes[i].password = arena_str(c->arena, line);
}

/* A new file with a new secret, and the one before behind it. ERR_EXISTS. */
static bool write_vault_secret(struct disk *folder, const char *name, struct str before,
                               struct err *err)
{
    uint8_t key[SECRET_KEY_BYTES];
    struct iovec iov[] = { { .iov_base = key, .iov_len = sizeof key },
                           { .iov_base = (char *)before.ptr, .iov_len = before.len } };
    struct disk_file *f;

    if (!disk_file_open(folder, name, DISK_CREATE, &f, err))
        return false;
    random_bytes(key, sizeof key);
    bool ok = disk_file_write(f, 0, iov, before.len > 0 ? 2 : 1, err) && disk_file_sync(f, err) &&
              disk_sync_folder(folder, err);
    mem_wipe(key, sizeof key);
    disk_file_free(f);
    return ok;
}

bool settings_exchange_secret(const struct settings *s, struct err *err)
{
    struct disk *folder;

    if (!disk_open(s->config->state_folder.ptr, &folder, err))
        return err_at(err, "state_folder %.*s", STR_FMT(s->config->state_folder));
    (void)!disk_remove(folder, VAULT_SECRET_NEW, NULL); /* of an exchange that died */
    bool ok = write_vault_secret(folder, VAULT_SECRET_NEW,
                                 str_sub(s->vault_secret, 0, SECRET_KEY_BYTES), err) &&
              disk_rename(folder, VAULT_SECRET_NEW, VAULT_SECRET_FILE, err) &&
              disk_sync_folder(folder, err);
    disk_free(folder);
    return ok;
}

static bool read_vault_secret(struct settings *s, struct err *err)
{
    struct buf path;
    struct disk *folder;

    if (!disk_open(s->config->state_folder.ptr, &folder, err))
        return err_at(err, "state_folder %.*s", STR_FMT(s->config->state_folder));
    bool ok =
        write_vault_secret(folder, VAULT_SECRET_FILE, STR_NONE, err) || err->kind == ERR_EXISTS;
    disk_free(folder);
    if (!ok)
        return err_at(err, VAULT_SECRET_FILE);
    buf_init(&path, 4096);
    buf_addf(&path, "%.*s/" VAULT_SECRET_FILE, STR_FMT(s->config->state_folder));
    ok = disk_read_file(buf_cstr(&path), 2 * SECRET_KEY_BYTES, &s->arena, &s->vault_secret, err);
    buf_done(&path);
    if (ok && s->vault_secret.len != SECRET_KEY_BYTES &&
        s->vault_secret.len != 2 * SECRET_KEY_BYTES)
        return err_set(err, ERR_DAMAGED,
                       VAULT_SECRET_FILE " has %zu bytes, %d or twice as many expected",
                       s->vault_secret.len, SECRET_KEY_BYTES);
    return ok;
}

bool settings_gives_tls(const struct settings *s, enum role_kind kind)
{
    return s->tls_chain.len > 0 &&
           (kind == ROLE_ACCEPT || (kind == ROLE_WEB && web_shows_tls(s->config)));
}

struct str settings_secret(const struct settings *s, enum role_kind kind)
{
    if (kind == ROLE_VAULT)
        return s->vault_secret;
    if (kind == ROLE_DELIVER)
        return s->route_passwords;
    return STR("");
}

/* A group may read a secret (0640), not write it; others may do nothing with it (fault B16). */
static bool look_at_file(void *arg, const char *path, struct config_file_facts *ret,
                         struct err *err)
{
    unsigned mode;

    (void)arg;
    if (!process_look_file(path, &ret->is_file, &mode, err))
        return false;
    ret->is_open_to_others = (mode & 027) != 0;
    return true;
}

/* --- all of it --- */

static bool read_all(struct settings *s, const char *file, bool keep_secret, struct err *err)
{
    struct ip gateways[GATEWAYS_MAX];

    if (!disk_read_file(file, CONFIG_BYTES_MAX, &s->arena, &s->yaml, err))
        return err_at(err, "configuration");
    if (!config_parse(str_of(file), s->yaml, &s->config, err))
        return false;
    settings_fill_hostname(s->config);
    size_t count = read_gateways(&s->arena, gateways, GATEWAYS_MAX);
    if (!config_check(s->config, gateways, count, err) ||
        !config_check_files(s->config, look_at_file, NULL, err))
        return false;
    return read_tls(s, err) && read_passwords(s, err) &&
           (!keep_secret || read_vault_secret(s, err));
}

bool settings_read(const char *file, bool keep_secret, struct settings **ret, struct err *err)
{
    struct settings *s = NEW(struct settings);

    arena_init(&s->arena, 16 * 1024);
    if (!read_all(s, file, keep_secret, err)) {
        settings_free(s);
        return false;
    }
    *ret = s;
    return true;
}

void settings_free(struct settings *s)
{
    if (!s)
        return;
    if (s->config)
        config_free(s->config);
    arena_done(&s->arena);
    free(s);
}
