// SPDX-License-Identifier: Apache-2.0
/* vault/fields_table.c - the rules of each noun. A key is never renamed: it stands in databases and
 * in files that people keep. */
#include <assert.h>

#include "base/mem.h"
#include "guard/directory.h"
#include "guard/quota.h"
#include "vault/fields.h"
#include "vault/roster.h"

typedef const char *const field_words[];

static field_words account_states = { "sandbox", "active", "suspended", NULL };
static field_words identity_modes = { "observe", "enforce", NULL };
static field_words preflight_modes = { "off", "observe", "enforce", NULL };
static field_words stream_kinds = { "transactional", "marketing", "internal", NULL };
static field_words user_states = { "active", "suspended", NULL };
static field_words user_roles = {
    "operator-admin", "operator-support", "abuse-desk", "account-owner", "developer",
    "marketer",       "reviewer",         "analyst",    "auditor",       NULL
};
static field_words credential_kinds = { "smtp", "api", "cert", "tenant", NULL };
static field_words scopes = { "sends.send",  "sends.read",        "domains.*",
                              "webhooks.*",  "suppressions.*",    "analytics.read",
                              "campaigns.*", "campaigns.approve", "accounts.admin",
                              NULL };
static field_words proof_methods = { "dns", "host", "attested", "lease", NULL };
static field_words key_algorithms = { "both", "rsa", "ed25519", NULL };

static_assert(ACCOUNT_SANDBOX == 1 && ACCOUNT_SUSPENDED == 3 && POLICY_OFF == 0 &&
                  POLICY_ENFORCE == 2 && STREAM_TRANSACTIONAL == 1 && STREAM_INTERNAL == 3 &&
                  USER_OPERATOR_ADMIN == 1 && USER_AUDITOR == 9 && CREDENTIAL_SMTP == 1 &&
                  CREDENTIAL_TENANT == 4,
              "the words stand in the order of their enums");
static_assert(QUOTA_MINUTE == 0 && QUOTA_MONTH == 3 && QUOTA_MESSAGES == 0 && QUOTA_BYTES == 3 &&
                  QUOTA_WINDOWS * QUOTA_MEASURES == DIRECTORY_LIMITS,
              "so do the limits");

#define COUNT_MAX 1000000000000ull
#define VOLUME_MAX (1ull << 50)
#define TEXT_MAX 200

#define LIMITS_IN(window, words)                                                         \
    { "limit." window ".messages", FIELD_COUNT, .max = COUNT_MAX, .fallback = "0",       \
      .about = "Messages in a " words "; 0: no limit." },                                \
        { "limit." window ".recipients", FIELD_COUNT, .max = COUNT_MAX, .fallback = "0", \
          .about = "Recipients in a " words "; 0: no limit." },                          \
        { "limit." window ".distinct", FIELD_COUNT, .max = COUNT_MAX, .fallback = "0",   \
          .about = "Different recipients in a " words "; 0: no limit." },                \
    {                                                                                    \
        "limit." window ".bytes", FIELD_BYTES,                                           \
            .max = VOLUME_MAX, .fallback = "0",                                          \
            .about = "Octets in a " words ", such as 500M; 0: no limit."                 \
    }
#define LIMITS                                                                               \
    LIMITS_IN("minute", "minute"), LIMITS_IN("hour", "hour"), LIMITS_IN("day", "day (UTC)"), \
        LIMITS_IN("month", "month (UTC)")
#define NOTE                                                                        \
    {                                                                               \
        "note", FIELD_TEXT, .max = TEXT_MAX, .fallback = "", .about = "For people." \
    }

static const struct field_rule account_rules[] = {
    { "state", FIELD_WORD, account_states, .fallback = "sandbox", .always = true,
      .about = "sandbox: may write to the sandbox domain alone, until it is approved. active: to "
               "anybody. suspended: to nobody, nor may what is below it." },
    { "identity", FIELD_WORD, identity_modes, .fallback = "enforce", .always = true,
      .about = "enforce: mail in names that the account has not proved is refused. observe: it is "
               "let through, counted and shown (baton account observed)." },
    { "until", FIELD_DATE, .fallback = "",
      .about = "From then on the account counts as suspended: a trial's end." },
    { "null_sender", FIELD_YES_NO, .fallback = "true",
      .about = "May send with an empty MAIL FROM, as bounces and vacation notices are sent." },
    { "forward", FIELD_YES_NO, .fallback = "false",
      .about = "May pass on mail of others: From stays, MAIL FROM is rewritten (SRS)." },
    { "forward_domain", FIELD_DOMAIN, .fallback = "",
      .about = "The domain of those rewritten senders; empty: the account's first." },
    { "rewrite_from", FIELD_ADDRESS, .fallback = "",
      .about = "Stands in From instead of a stranger's address, who goes to Reply-To: for contact "
               "forms." },
    { "shares_domains", FIELD_YES_NO, .fallback = "false",
      .about = "Sub-accounts may use its domains." },
    { "default_stream", FIELD_NAME, .fallback = "",
      .about = "The stream of mail that names none." },
    { "quota_451", FIELD_YES_NO, .fallback = "false",
      .about = "Past a day's or month's limit mail is put off (451) instead of refused (550)." },
    { "soft_percent", FIELD_PERCENT, .max = 100, .fallback = "80",
      .about = "Of a limit, from which on it warns; 0: never." },
    LIMITS,
    NOTE,
};

static const struct field_rule stream_rules[] = {
    { "kind", FIELD_WORD, stream_kinds, .fallback = "transactional",
      .about = "What it carries: answers to what somebody did, campaigns, or mail among "
               "colleagues." },
    { "preflight", FIELD_WORD, preflight_modes, .fallback = "observe",
      .about = "Will the large receivers take it? observe: warns. enforce: refuses what they would "
               "not. off: does not look." },
    { "domain", FIELD_DOMAIN, .fallback = "",
      .about = "Its sending domain; empty: any of the account's." },
    { "return_domain", FIELD_DOMAIN, .fallback = "",
      .about = "The domain that MAIL FROM gets; empty: as it was given." },
    LIMITS,
    NOTE,
};

static const struct field_rule user_rules[] = {
    { "role", FIELD_WORD, user_roles, .fallback = "auditor", .always = true,
      .about = "What this person may do. Operators belong to no account." },
    { "state", FIELD_WORD, user_states, .fallback = "active", .about = "suspended: nothing." },
    { "submits", FIELD_YES_NO, .fallback = "false",
      .about = "May hand over mail with name and password, from a mail program." },
    { "password", FIELD_SECRET, .max = 256, .fallback = "",
      .about = "12 to 256 octets; without one a new one is made and shown once." },
    NOTE,
};

static const struct field_rule credential_rules[] = {
    { "kind", FIELD_WORD, credential_kinds, .fallback = "smtp", .first_only = true,
      .about = "smtp: name and secret for AUTH. api: a key for the API. cert: a client "
               "certificate. tenant: a name that an upstream puts into a header." },
    { "stream", FIELD_NAME, .fallback = "",
      .about = "The stream of its mail; empty: the account's default." },
    { "networks", FIELD_NETWORKS, .max = 64, .fallback = "",
      .about = "From where alone it may be used; empty: from anywhere." },
    { "expires", FIELD_DATE, .fallback = "", .about = "From then on it is refused." },
    { "normalize", FIELD_YES_NO, .fallback = "false",
      .about = "Turns bare LF and CR of this client into CRLF instead of refusing them." },
    { "scopes", FIELD_WORDS, scopes, .fallback = "",
      .about = "Of an API key: what it may be used for." },
    { "fingerprint", FIELD_FINGERPRINT, .fallback = "",
      .about = "Of a client certificate: its SHA-256." },
    { "upstream", FIELD_NAME, .fallback = "", .first_only = true,
      .about = "Of a tenant: the upstream that names it. Of a certificate: it is that upstream's, "
               "which speaks for several accounts." },
    { "value", FIELD_TEXT, .max = TEXT_MAX, .fallback = "", .first_only = true,
      .about = "Of a tenant: what the upstream's header says." },
    NOTE,
};

static const struct field_rule domain_rules[] = {
    { "method", FIELD_WORD, proof_methods, .fallback = "dns", .first_only = true,
      .about = "How it is proved. dns: a record at _baton. host: it lies on the host's own "
               "addresses. attested: an operator's word. lease: of another account." },
    { "lessor", FIELD_NAME, .fallback = "", .first_only = true,
      .about = "Of a lease: the account whose domain it is." },
    { "local", FIELD_LOCAL, .fallback = "",
      .about = "Of a lease: the one local part that may be used; empty: any." },
    { "subdomains", FIELD_YES_NO, .fallback = "false",
      .about = "It holds for names below as well." },
    { "algorithms", FIELD_WORD, key_algorithms, .fallback = "both",
      .about = "Of its signing keys: rsa, ed25519 or both." },
    { "streams", FIELD_TEXT, .max = TEXT_MAX, .fallback = "",
      .about = "Names of streams that have signing keys of their own, joined by commas." },
    NOTE,
};

static const struct {
    const char *name;
    const struct field_rule *rules;
    size_t count;
} nouns[NOUNS] = {
    [NOUN_ACCOUNT] = { "account", account_rules, ARRAY_LEN(account_rules) },
    [NOUN_STREAM] = { "stream", stream_rules, ARRAY_LEN(stream_rules) },
    [NOUN_USER] = { "user", user_rules, ARRAY_LEN(user_rules) },
    [NOUN_CREDENTIAL] = { "credential", credential_rules, ARRAY_LEN(credential_rules) },
    [NOUN_DOMAIN] = { "domain", domain_rules, ARRAY_LEN(domain_rules) },
};
static_assert(ARRAY_LEN(account_rules) <= FIELDS_MAX, "FIELDS_MAX");
static_assert(ARRAY_LEN(stream_rules) <= FIELDS_MAX, "FIELDS_MAX");

const struct field_rule *fields_of(enum field_noun noun, size_t *ret_count)
{
    *ret_count = nouns[noun].count;
    return nouns[noun].rules;
}

const char *fields_noun_name(enum field_noun noun)
{
    return nouns[noun].name;
}
