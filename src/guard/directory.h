// SPDX-License-Identifier: Apache-2.0
/* guard/directory.h - who there is and what each may: accounts, streams, proved domains, signing
 * keys (their names, never their secrets), tenants of upstreams. vault's database is the truth and
 * tells it in frames (wire.h); this is core's image of it, looked up for every message without
 * asking anybody. No I/O, no clock.
 *
 * A domain may be granted to several accounts at once (its owner names them in DNS, or one leases
 * it to another); a grant is one account's right to one domain, and keys belong to a grant. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "wire/wire.h"

enum account_state {
    ACCOUNT_SANDBOX = 1, /* may send to the sandbox domain alone, until an operator approves */
    ACCOUNT_ACTIVE = 2,
    ACCOUNT_SUSPENDED = 3, /* and so is everything below it */
};
enum policy_mode {
    POLICY_OFF = 0,
    POLICY_OBSERVE = 1, /* counts and shows what it would refuse */
    POLICY_ENFORCE = 2,
};
enum account_flag {
    ACCOUNT_NULL_SENDER = 1 << 0, /* MAIL FROM:<> is allowed, From must still be its own */
    ACCOUNT_FORWARDS = 1 << 1,    /* may pass on mail of others, its return path rewritten (SRS) */
    ACCOUNT_QUOTA_451 = 1 << 2,   /* day and month answer 451 instead of 550 */
    ACCOUNT_SHARES_DOMAINS = 1 << 3, /* sub-accounts may use its domains */
};
enum stream_kind { STREAM_TRANSACTIONAL = 1, STREAM_MARKETING = 2, STREAM_INTERNAL = 3 };
enum domain_flag {
    DOMAIN_SUBDOMAINS = 1 << 0, /* the grant holds for what is below as well */
    DOMAIN_LEASED = 1 << 1,     /* by another account; `local` is the one local part allowed */
};
/* What vault found when it looked last; nothing known is nothing set. */
enum domain_fact {
    FACT_SPF_PASS = 1 << 0, /* our addresses may send for it */
    FACT_SPF_NONE = 1 << 1, /* it has no SPF record */
    FACT_SPF_FAIL = 1 << 2, /* it has one that leaves us out */
    FACT_DMARC = 1 << 3,    /* there is a policy, of its own or of the organisation's domain */
    FACT_DMARC_NONE = 1 << 4,
    FACT_DMARC_REJECT = 1 << 5,      /* p=reject or p=quarantine: unaligned mail is lost */
    FACT_DMARC_STRICT_SPF = 1 << 6,  /* aspf=s */
    FACT_DMARC_STRICT_DKIM = 1 << 7, /* adkim=s */
    FACT_DKIM_PENDING = 1 << 8,      /* keys exist, and some server has answered without them */
    FACT_DKIM_UNKNOWN = 1 << 11,     /* keys exist, and no server has answered about them yet */
    FACT_MX = 1 << 9,                /* it can be answered: MX or address */
    FACT_MX_NONE = 1 << 10,
};
enum key_flag {
    KEY_RELAY = 1 << 0, /* of the relay's own domain: signs for everybody (dkim.also_sign) */
};

struct dir_account {
    struct list link;
    uint64_t id, parent, default_stream;
    enum account_state state;
    enum policy_mode mode; /* of everything in guard/identity.h */
    uint32_t flags;        /* enum account_flag */
    uint32_t soft_percent; /* of a limit, from which on it warns; 0: never */
    uint64_t limits[DIRECTORY_LIMITS];
    struct str name;
    struct str rewrite_from; /* R115: the address that stands in From for strangers'; empty: none */
    struct str forward_domain; /* of SRS addresses; empty: the first domain it has */
    struct list grants;        /* struct dir_domain, account_link */
    struct list streams;       /* struct dir_stream */
    bool stale;                /* not told again since DIRECTORY_BEGIN */
};
struct dir_stream {
    struct list link; /* in its account's */
    uint64_t id;
    struct dir_account *account;
    enum stream_kind kind;
    enum policy_mode preflight;
    uint64_t limits[DIRECTORY_LIMITS];
    struct str name;
    struct str domain;        /* the sending domain; empty: any of the account's */
    struct str return_domain; /* of MAIL FROM; empty: as given */
    bool stale;
};
struct dir_domain { /* a grant */
    struct list account_link;
    struct dir_domain *next; /* another account's, of the same name */
    uint64_t id;
    struct dir_account *account;
    uint32_t flags, facts;
    struct str name;  /* A-labels, lower case */
    struct str local; /* DOMAIN_LEASED; empty: any */
    struct list keys; /* struct dir_key */
    bool stale;
};
struct dir_key {
    struct list link; /* in its grant's; those of KEY_RELAY in directory.relay_keys */
    struct list relay_link;
    uint64_t id, stream;
    struct dir_domain *grant;
    uint32_t algorithm; /* enum dkim_algorithm */
    uint32_t flags;
    struct str domain, selector;
    bool stale;
};
struct dir_tenant {
    uint64_t id, account, stream;
    struct str upstream, value;
    struct str key; /* "upstream\nvalue" */
    bool stale;
};

struct directory {
    struct list accounts;
    struct idmap accounts_by_id, streams_by_id, grants_by_id, keys_by_id, tenants_by_id;
    struct map accounts_by_name, domains, tenants; /* domains: name -> first struct dir_domain */
    struct list relay_keys;
    uint8_t secret[32]; /* of SRS addresses */
    bool known;         /* a whole one has come: before that nothing may be judged */
};

void directory_init(struct directory *d);
void directory_done(struct directory *d);
/* One of the WIRE_DIRECTORY_… frames, checked by wire_check(). False: it contradicts what was told
 * before (a key of a grant that is not there): the link ends. */
MUST_USE bool directory_on_frame(struct directory *d, const struct frame *f, struct err *err);

/* NULL when absent. */
struct dir_account *directory_account(const struct directory *d, uint64_t id);
struct dir_stream *directory_stream(const struct directory *d, uint64_t id);
struct dir_stream *directory_stream_named(const struct dir_account *a, struct str name);
struct dir_tenant *directory_tenant(const struct directory *d, struct str upstream,
                                    struct str value);
/* Suspended when it or any above it is; sandbox likewise. */
enum account_state directory_state(const struct directory *d, const struct dir_account *a);
/* The grant by which the account may use this domain (A-labels, lower case): its own, of the name
 * itself or of the nearest one above it that holds for subdomains; else one of an account above it
 * that shares. A nearer name that is another account's alone ends the search upward (T02). */
struct dir_domain *directory_grant(const struct directory *d, const struct dir_account *a,
                                   struct str domain);
/* Whether any account has proved this domain or the nearest above it that holds for subdomains. */
bool directory_domain_is_taken(const struct directory *d, struct str domain);
