// SPDX-License-Identifier: Apache-2.0
/* vault/credential_kinds.c - what each kind of credential is made of: which settings it needs,
 * which it may have, and that no two are the same certificate or tenant. */
#include "vault/credential_kinds.h"

#include "io/clock.h"

#define KIND(k) (1u << (k))
enum { SECRETS = KIND(CREDENTIAL_SMTP) | KIND(CREDENTIAL_API) };

/* Keys that not every kind has; `needed` is among `may`. */
static const struct kind_rule {
    const char *key;
    unsigned may, needed;
} rules[] = {
    { "networks", SECRETS | KIND(CREDENTIAL_CERT), 0 },
    { "normalize", SECRETS | KIND(CREDENTIAL_CERT), 0 },
    { "scopes", KIND(CREDENTIAL_API), KIND(CREDENTIAL_API) },
    { "fingerprint", KIND(CREDENTIAL_CERT), KIND(CREDENTIAL_CERT) },
    { "upstream", KIND(CREDENTIAL_CERT) | KIND(CREDENTIAL_TENANT), KIND(CREDENTIAL_TENANT) },
    { "value", KIND(CREDENTIAL_TENANT), KIND(CREDENTIAL_TENANT) },
};

enum credential_kind credential_kind_of(struct str settings)
{
    return CREDENTIAL_SMTP + fields_word(NOUN_CREDENTIAL, settings, "kind");
}

bool credential_has_secret(enum credential_kind kind)
{
    return (KIND(kind) & SECRETS) != 0;
}

static bool is_set(struct str settings, const char *key)
{
    struct str value = fields_get(NOUN_CREDENTIAL, settings, key);

    return value.len > 0 && !str_eq(value, STR("false"));
}

static bool keys_ok(struct str settings, struct err *err)
{
    struct str kind = fields_get(NOUN_CREDENTIAL, settings, "kind");
    unsigned bit = KIND(credential_kind_of(settings));

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        bool set = is_set(settings, rules[i].key);
        if (set && !(rules[i].may & bit))
            return err_set(err, ERR_SYNTAX, "%s: a credential of kind %.*s has none", rules[i].key,
                           STR_FMT(kind));
        if (!set && (rules[i].needed & bit))
            return err_set(err, ERR_SYNTAX, "%s: a credential of kind %.*s needs it", rules[i].key,
                           STR_FMT(kind));
    }
    return true;
}

static bool stream_ok(const struct account *a, struct str settings, struct err *err)
{
    struct str name = fields_get(NOUN_CREDENTIAL, settings, "stream");

    return name.len == 0 || roster_stream(a, name) ||
           err_set(err, ERR_NOT_FOUND, "stream: account %.*s has no stream %.*s", STR_FMT(a->name),
                   STR_FMT(name));
}

/* `self`: the one that is being changed, or NULL. */
static bool is_single(const struct roster *r, struct str settings, const struct credential *self,
                      struct err *err)
{
    struct str print = fields_get(NOUN_CREDENTIAL, settings, "fingerprint");
    uint8_t sha256[SECRET_HASH_BYTES];
    struct credential *same = NULL;

    switch (credential_kind_of(settings)) {
    case CREDENTIAL_CERT:
        secret_fingerprint(print, sha256);
        same = roster_certificate(r, sha256);
        break;
    case CREDENTIAL_TENANT:
        same = roster_tenant(r, fields_get(NOUN_CREDENTIAL, settings, "upstream"),
                             fields_get(NOUN_CREDENTIAL, settings, "value"));
        break;
    case CREDENTIAL_SMTP:
    case CREDENTIAL_API:
        break;
    }
    return !same || same == self ||
           err_set(err, ERR_EXISTS, "credential %.*s of account %.*s is the same already",
                   STR_FMT(same->user), STR_FMT(same->account->name));
}

bool credential_settings_ok(const struct roster *r, const struct account *a, struct str settings,
                            const struct credential *self, struct err *err)
{
    return keys_ok(settings, err) && stream_ok(a, settings, err) &&
           is_single(r, settings, self, err);
}

void credential_make(struct vault *v, struct new_secret *to, struct str settings)
{
    enum credential_kind kind = credential_kind_of(settings);

    *to = (struct new_secret){ 0 };
    if (kind == CREDENTIAL_CERT) {
        secret_fingerprint(fields_get(NOUN_CREDENTIAL, settings, "fingerprint"), to->hash);
    } else if (kind == CREDENTIAL_TENANT) {
        random_bytes(to->hash, sizeof to->hash); /* nothing has it */
    } else {
        secret_make(kind == CREDENTIAL_API, to->text);
        secret_hash(v->key, str_of(to->text), to->hash);
        to->scram.iterations = SCRAM_ITERATIONS;
        random_bytes(to->scram.salt, sizeof to->scram.salt);
    }
}
