// SPDX-License-Identifier: Apache-2.0
/* super/settings.h - the configuration as the roles get it: the file's text, checked, and the
 * secrets that it names. */
#pragma once

#include "config/config.h"
#include "wire/role.h"

struct settings {
    struct arena arena; /* owns all but config */
    struct config *config;
    struct str yaml;
    struct str tls_chain, tls_key;
    struct str vault_secret;    /* 32 bytes, made at the first start; behind them those before */
    struct str route_passwords; /* a line per route, for deliver */
};

/* Reads and checks everything. ERR_CONFIG, ERR_IO. `keep_secret` makes the vault's secret when
 * there is none. */
MUST_USE bool settings_read(const char *file, bool keep_secret, struct settings **ret,
                            struct err *err);
void settings_free(struct settings *s);
/* Puts another secret for vault beside the one in force, which stays behind it so that vault can
 * move what it keeps from one to the other when it starts next (fault Y12). */
MUST_USE bool settings_exchange_secret(const struct settings *s, struct err *err);

/* An empty hostname becomes the system's own. Every role does this for its copy. */
void settings_fill_hostname(struct config *c);
/* Whether a role shows the certificate to anybody: to others neither it nor its key goes. */
bool settings_gives_tls(const struct settings *s, enum role_kind kind);
/* The secret that goes to a role, empty for most. */
struct str settings_secret(const struct settings *s, enum role_kind kind);
/* In the role's process: puts the passwords where its configuration wants them. */
void settings_put_passwords(struct config *c, struct str secret);
