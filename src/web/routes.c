// SPDX-License-Identifier: Apache-2.0
/* web/routes.c - every route of the JSON API: what it asks, of whom, with which fields. */
#include "base/mem.h"
#include "web/api.h"

#define PAGE (FIELD_AFTER | FIELD_LIMIT)
#define FILTER (FIELD_FROM | FIELD_TO | FIELD_SITE | FIELD_STATE)
#define MATCH (FIELD_ID | FIELD_ALL | FIELD_DRY_RUN | FILTER)
/* A domain may be held by several accounts: which one is only needed then. */
#define GRANT (FIELD_NAME | FIELD_ACCOUNT)
#define CHANGE (FIELD_SETTINGS | FIELD_DRY_RUN)

#define VAULT_LIST(method, path, verb, fields, needed, about)                   \
    {                                                                           \
        method, path, ADMIN_##verb, ROLE_VAULT, API_LIST, fields, needed, about \
    }
#define VAULT_ONE(method, path, verb, fields, needed, about)                   \
    {                                                                          \
        method, path, ADMIN_##verb, ROLE_VAULT, API_ONE, fields, needed, about \
    }

const struct api_route api_routes[] = {
    { "GET", "/v1/status", ADMIN_STATUS, ROLE_SUPER, API_LIST, 0, 0,
      "What each role does and how it is confined." },
    { "GET", "/v1/queue", ADMIN_QUEUE_LIST, ROLE_CORE, API_LIST, PAGE | FILTER, 0,
      "Queued recipients." },
    { "GET", "/v1/queue/summary", ADMIN_QUEUE_SUMMARY, ROLE_CORE, API_LIST, FIELD_LIMIT, 0,
      "Sites with how much waits for each." },
    { "GET", "/v1/queue/{id}", ADMIN_QUEUE_SHOW, ROLE_CORE, API_LIST, FIELD_ID, FIELD_ID,
      "One message, then its recipients." },
    { "GET", "/v1/queue/{id}/why", ADMIN_QUEUE_WHY, ROLE_CORE, API_LIST, FIELD_ID, FIELD_ID,
      "What each recipient waits for, and until when." },
    { "POST", "/v1/queue/retry", ADMIN_QUEUE_RETRY, ROLE_CORE, API_LIST, MATCH, 0, "Tries now." },
    { "POST", "/v1/queue/hold", ADMIN_QUEUE_HOLD, ROLE_CORE, API_LIST, MATCH | FIELD_REASON, 0,
      "Tries no more until released." },
    { "POST", "/v1/queue/release", ADMIN_QUEUE_RELEASE, ROLE_CORE, API_LIST, MATCH, 0,
      "Ends a hold." },
    { "POST", "/v1/queue/drop", ADMIN_QUEUE_DROP, ROLE_CORE, API_LIST,
      MATCH | FIELD_REASON | FIELD_SILENT, 0, "Gives up, and tells the sender unless silent." },

    VAULT_LIST("GET", "/v1/accounts", ACCOUNT_LIST, PAGE | FIELD_ACCOUNT | FIELD_STATE, 0,
               "Accounts; with account that one and all below it."),
    VAULT_ONE("POST", "/v1/accounts", ACCOUNT_ADD, FIELD_NAME | FIELD_ACCOUNT | CHANGE, FIELD_NAME,
              "A new account; with account below that one."),
    VAULT_ONE("GET", "/v1/accounts/{name}", ACCOUNT_SHOW, FIELD_NAME, FIELD_NAME, "One account."),
    VAULT_ONE("PATCH", "/v1/accounts/{name}", ACCOUNT_SET, FIELD_NAME | CHANGE,
              FIELD_NAME | FIELD_SETTINGS, "Changes an account."),
    VAULT_LIST("DELETE", "/v1/accounts/{name}", ACCOUNT_REMOVE, FIELD_NAME | FIELD_DRY_RUN,
               FIELD_NAME, "Takes away an account that nothing belongs to any more."),

    VAULT_LIST("GET", "/v1/credentials", CRED_LIST, PAGE | FIELD_ACCOUNT, 0,
               "Credentials, without their secrets."),
    VAULT_ONE("POST", "/v1/credentials", CRED_ADD, FIELD_NAME | FIELD_ACCOUNT | CHANGE,
              FIELD_NAME | FIELD_ACCOUNT,
              "A new credential; its secret stands in the answer and nowhere else."),
    VAULT_ONE("PATCH", "/v1/credentials/{name}", CRED_SET, FIELD_NAME | CHANGE,
              FIELD_NAME | FIELD_SETTINGS, "Changes a credential."),
    VAULT_ONE("POST", "/v1/credentials/{name}/rotate", CRED_ROTATE, FIELD_NAME | FIELD_DRY_RUN,
              FIELD_NAME, "A new secret for a credential; the old one ends at once."),
    VAULT_LIST("DELETE", "/v1/credentials/{name}", CRED_REMOVE, FIELD_NAME | FIELD_DRY_RUN,
               FIELD_NAME, "Takes a credential away."),

    VAULT_LIST("GET", "/v1/users", USER_LIST, PAGE | FIELD_ACCOUNT, 0, "People."),
    VAULT_ONE("POST", "/v1/users", USER_ADD, FIELD_NAME | FIELD_ACCOUNT | CHANGE, FIELD_NAME,
              "A new user, of an account or, without one, an operator."),
    VAULT_ONE("PATCH", "/v1/users/{name}", USER_SET, FIELD_NAME | CHANGE,
              FIELD_NAME | FIELD_SETTINGS, "Changes a user."),
    VAULT_LIST("DELETE", "/v1/users/{name}", USER_REMOVE, FIELD_NAME | FIELD_DRY_RUN, FIELD_NAME,
               "Takes a user away."),

    VAULT_LIST("GET", "/v1/streams", STREAM_LIST, PAGE | FIELD_ACCOUNT, 0,
               "Streams, of all accounts or of one."),
    VAULT_LIST("GET", "/v1/accounts/{account}/streams", STREAM_LIST, PAGE | FIELD_ACCOUNT,
               FIELD_ACCOUNT, "The streams of an account."),
    VAULT_ONE("POST", "/v1/accounts/{account}/streams", STREAM_ADD,
              FIELD_NAME | FIELD_ACCOUNT | CHANGE, FIELD_NAME | FIELD_ACCOUNT, "A new stream."),
    VAULT_ONE("PATCH", "/v1/accounts/{account}/streams/{name}", STREAM_SET,
              FIELD_NAME | FIELD_ACCOUNT | CHANGE, FIELD_NAME | FIELD_ACCOUNT | FIELD_SETTINGS,
              "Changes a stream."),
    VAULT_LIST("DELETE", "/v1/accounts/{account}/streams/{name}", STREAM_REMOVE,
               FIELD_NAME | FIELD_ACCOUNT | FIELD_DRY_RUN, FIELD_NAME | FIELD_ACCOUNT,
               "Takes a stream away."),

    VAULT_LIST("GET", "/v1/domains", DOMAIN_LIST, PAGE | FIELD_ACCOUNT | FIELD_STATE, 0,
               "Domains, and which account each is granted to."),
    VAULT_LIST("POST", "/v1/domains", DOMAIN_ADD, GRANT | CHANGE, GRANT,
               "A domain that an account wants to send as; says which record proves it."),
    VAULT_LIST("GET", "/v1/domains/{name}", DOMAIN_SHOW, GRANT, FIELD_NAME,
               "One domain, of each account that has it, with its keys."),
    VAULT_LIST("PATCH", "/v1/domains/{name}", DOMAIN_SET, GRANT | CHANGE,
               FIELD_NAME | FIELD_SETTINGS, "Changes a domain's settings."),
    VAULT_LIST("DELETE", "/v1/domains/{name}", DOMAIN_REMOVE, GRANT | FIELD_DRY_RUN, FIELD_NAME,
               "Takes a domain away from an account."),
    VAULT_LIST("POST", "/v1/domains/{name}/check", DOMAIN_CHECK, GRANT, FIELD_NAME,
               "Asks every authoritative server now, and says what was found at each."),
    VAULT_LIST("GET", "/v1/domains/{name}/records", DOMAIN_RECORDS, GRANT | FIELD_FORMAT,
               FIELD_NAME, "What its owner is to publish, in the form asked for."),
    VAULT_LIST("POST", "/v1/domains/{name}/rotate", DOMAIN_ROTATE, GRANT | FIELD_DRY_RUN,
               FIELD_NAME, "New signing keys, in use as soon as they are published."),
    VAULT_LIST("POST", "/v1/domains/{name}/transfer", DOMAIN_TRANSFER,
               GRANT | FIELD_TO | FIELD_DRY_RUN, FIELD_NAME | FIELD_TO,
               "Gives a domain with its keys to another account."),

    VAULT_LIST("GET", "/v1/audit", AUDIT_LIST, PAGE | FIELD_ACCOUNT | FIELD_NAME, 0,
               "Who changed what, newest first."),
    { "GET", "/v1/observed", ADMIN_OBSERVED_LIST, ROLE_CORE, API_LIST, PAGE | FIELD_ACCOUNT, 0,
      "What would have been refused, were it enforced." },
    { "GET", "/v1/usage", ADMIN_USAGE_LIST, ROLE_CORE, API_LIST, PAGE | FIELD_ACCOUNT, 0,
      "What accounts have used of their quotas, and when each window ends." },
    { "GET", "/v1/clients/{name}", ADMIN_CLIENT_SETTINGS, ROLE_WEB, API_LIST, FIELD_NAME,
      FIELD_NAME, "What mail programs of a domain are to be told: settings and DNS records." },

    { "GET", "/v1/sandbox", ADMIN_SANDBOX_LIST, ROLE_REPORT, API_LIST, PAGE, 0,
      "The sandbox inbox." },
    { "GET", "/v1/sandbox/{number}", ADMIN_SANDBOX_SHOW, ROLE_REPORT, API_LIST, FIELD_NUMBER,
      FIELD_NUMBER, "One of its messages; a long one comes in several rows." },
    { "GET", "/v1/events", ADMIN_TAIL, ROLE_REPORT, API_STREAM,
      FIELD_ACCOUNT | FIELD_FROM | FIELD_TO | FIELD_SITE, 0, "Events as they happen." },
    { "GET", "/v1/live/dns", ADMIN_LIVE_DNS, ROLE_RESOLVE, API_LIST, FIELD_NAME, 0,
      "Checks of address, PTR, HELO name and SPF." },
    { "GET", "/v1/live/port", ADMIN_LIVE_PORT, ROLE_DELIVER, API_LIST, FIELD_NAME, FIELD_NAME,
      "Tries one host, given as name or name:port." },
    VAULT_LIST("POST", "/v1/live", LIVE_OPEN, FIELD_REASON, 0,
               "Opens the gate: mail leaves the sandbox."),
    VAULT_LIST("DELETE", "/v1/live", LIVE_CLOSE, FIELD_REASON, 0, "Closes it."),
    { "POST", "/v1/reload", ADMIN_RELOAD, ROLE_SUPER, API_LIST, 0, 0,
      "Reads the configuration again." },
    { "POST", "/v1/secret", ADMIN_SECRET_EXCHANGE, ROLE_SUPER, API_LIST, 0, 0,
      "Another secret for vault, in force from the next start." },
    { "POST", "/v1/drain", ADMIN_DRAIN, ROLE_SUPER, API_LIST, 0, 0,
      "Finishes what is in hand, takes nothing new, ends." },
};
const size_t api_route_count = ARRAY_LEN(api_routes);
