// SPDX-License-Identifier: Apache-2.0
/* vault/credential_kinds.h - what each kind of credential is made of. */
#pragma once

#include "vault/operate.h"

enum credential_kind credential_kind_of(struct str settings);
/* Else it is known by what it is: a certificate, a tenant. */
bool credential_has_secret(enum credential_kind kind);
/* The settings fit their kind, and name what is there. `self`: the one that is changed, or NULL.
 * ERR_SYNTAX, ERR_NOT_FOUND, ERR_EXISTS. */
MUST_USE bool credential_settings_ok(const struct roster *r, const struct account *a,
                                     struct str settings, const struct credential *self,
                                     struct err *err);

/* By what a credential is known; the text is shown once, and wiped by whoever shows it. */
struct new_secret {
    char text[SECRET_TEXT_MAX + 1]; /* empty: it has none */
    uint8_t hash[SECRET_HASH_BYTES];
    struct scram_verifier scram; /* its keys are derived on the worker (scram_derive()) */
};
void credential_make(struct vault *v, struct new_secret *to, struct str settings);
