// SPDX-License-Identifier: Apache-2.0
/* wire/wire.h - the typed messages between roles.
 *
 * Each is a struct that begins with struct frame, numbers in machine order, followed by the bytes
 * of its short strings; a wire_str says where in the frame its string lies. One table (wire.c)
 * holds for every type its size, its strings and who may send it to whom; wire_check() holds each
 * frame against it, so that a handler sees only well-formed structs. Owner and state (slot and id)
 * are the handler's to check.
 *
 * Direction stands in each section's heading. Ids: a session is named by the accept role (slot <<
 * 32 | generation), a transaction by it too, a job by core, a question by who asks. */
#pragma once

#include "base/ip.h"
#include "io/channel.h"
#include "wire/role.h"

struct wire_str {
    uint16_t at, len;
};

enum wire_type {
    /* accept -> vault */
    WIRE_SESSION_OPEN = 1,
    WIRE_AUTH = 2,
    WIRE_SESSION_CLOSE = 3 /* to core too */,
    WIRE_SESSION_CERT = 4,
    WIRE_AUTH_STEP = 5,
    /* vault -> core */
    WIRE_SESSION_BIND = 10,
    /* vault -> accept */
    WIRE_AUTH_FAILED = 12,
    WIRE_AUTH_CHALLENGE = 13,
    /* core -> accept */
    WIRE_SESSION_READY = 15,
    WIRE_TX_ANSWER = 16,
    WIRE_FORWARDS = 17,
    /* reader of a ring -> its writer */
    WIRE_CREDIT = 20,
    /* accept -> core */
    WIRE_TX_BEGIN = 25,
    WIRE_TX_RCPT = 26,
    WIRE_TX_EDIT = 27,
    WIRE_TX_CHUNK = 28,
    WIRE_TX_END = 29,
    WIRE_TX_ABORT = 30,
    /* core -> resolve, and back */
    WIRE_SITE_ASK = 35,
    WIRE_SITE_ANSWER = 36,
    /* deliver -> resolve, and back */
    WIRE_HOSTS_ASK = 40,
    WIRE_HOST = 41,
    WIRE_HOSTS_ANSWER = 42,
    /* core -> deliver, core -> report (sandbox) */
    WIRE_JOB = 50,
    WIRE_JOB_RCPT = 51,
    WIRE_JOB_EDIT = 52,
    WIRE_JOB_GO = 53,
    WIRE_JOB_CONTENT = 54,
    WIRE_SITE_LIMIT = 55,
    WIRE_JOB_CANCEL = 56,
    /* deliver -> core, report -> core */
    WIRE_JOB_MORE = 60,
    WIRE_RESULT_RCPT = 61,
    WIRE_RESULT = 62,
    /* core -> report, and back */
    WIRE_EVENT = 70,
    WIRE_EVENTS_FROM = 71,
    WIRE_EVENTS_ACK = 72,
    /* web -> core, vault, report, resolve, deliver, super; and back */
    WIRE_ADMIN = 80,
    WIRE_ADMIN_ROW = 81,
    WIRE_ADMIN_END = 82,
    /* vault -> core, accept */
    WIRE_GATE = 85,
    /* super -> all, and back */
    WIRE_ROLE_START = 90,
    WIRE_ROLE_READY = 91,
    WIRE_ROLE_LINK = 92,
    WIRE_ROLE_RELOAD = 93,
    WIRE_ROLE_DRAIN = 94,
    WIRE_ROLE_DRAINED = 95,
    WIRE_ROLE_STATUS = 96,
    WIRE_ROLE_LINKED = 97,
    WIRE_ROLE_LOG = 98,
    /* vault -> core: who there is, and what each may */
    WIRE_DIRECTORY_BEGIN = 100,
    WIRE_DIRECTORY_ACCOUNT = 101,
    WIRE_DIRECTORY_STREAM = 102,
    WIRE_DIRECTORY_DOMAIN = 103,
    WIRE_DIRECTORY_KEY = 104,
    WIRE_DIRECTORY_TENANT = 105,
    WIRE_DIRECTORY_GONE = 106,
    WIRE_DIRECTORY_END = 107,
    /* core -> deliver, and back */
    WIRE_JOB_SIGN = 110,
    WIRE_SIGN_ASK = 111,
    WIRE_JOB_SIGNED = 112,
    /* core -> vault, and back */
    WIRE_SIGN = 115,
    WIRE_SIGNED = 116,
    /* vault -> resolve, and back */
    WIRE_DNS_ASK = 120,
    WIRE_DNS_SERVER = 121,
    WIRE_DNS_VALUE = 122,
    WIRE_DNS_END = 123,
    WIRE_SPF_ASK = 124,
    WIRE_SPF_ANSWER = 125,
    WIRE_TYPES
};

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct wire_ip {
    uint8_t family;
    uint8_t bytes[16];
    uint8_t spare;
    uint16_t port;
    uint32_t spare2;
};

/* --- sessions --- */

struct wire_session_open {
    struct frame head;
    uint64_t session;
    struct wire_ip client;
    uint32_t listener;
    uint32_t spare;
};
/* TLS is up and the client has shown a certificate: vault answers by a binding (opening BIND_CERT),
 * whether the certificate is anybody's or not. */
struct wire_session_cert {
    struct frame head;
    uint64_t session;
    struct wire_str fingerprint; /* SHA-256 of the certificate, 32 octets */
    uint32_t spare;
};
/* The password itself goes to vault and nowhere else. */
struct wire_auth {
    struct frame head;
    uint64_t session;
    struct wire_str user, secret;
};
/* One message of the client in SCRAM-SHA-256 (RFC 5802, RFC 7677): step 0 client-first, 1
 * client-final, 2 the empty answer to the server's last word. vault says CHALLENGE after 0 and 1;
 * after 2, and whenever it fails, it ends as AUTH does. */
struct wire_auth_step {
    struct frame head;
    uint64_t session;
    uint32_t step;
    struct wire_str message;
};
struct wire_auth_challenge {
    struct frame head;
    uint64_t session;
    struct wire_str message;
    uint32_t spare;
};
struct wire_session_close {
    struct frame head;
    uint64_t session;
};

enum bind_flag {
    BIND_AUTHENTICATED = 1 << 0,
    BIND_TRUSTED = 1 << 1, /* by network */
    BIND_NORMALIZE = 1 << 2,
    /* A named upstream that speaks for several accounts: each message says by its tenant header
     * whose it is, and core looks that up (fault T10). account is 0. */
    BIND_TENANTS = 1 << 3,
    BIND_CERTIFICATE = 1 << 4, /* by a client certificate */
    BIND_SIGNS = 1 << 5,       /* the account has signing keys: a body hash is wanted with TX_END */
};
/* In `opening`: the credential was revoked. core takes the new binding and tells accept nothing,
 * which may be waiting for the answer to something else (A07). */
#define BIND_UNASKED 2
#define BIND_CERT 3
/* vault tells core whose session this is; core then tells accept that it is ready. account 0:
 * nobody's. */
struct wire_session_bind {
    struct frame head;
    uint64_t session, account, credential;
    uint64_t stream; /* the credential's own, 0: the account's */
    struct wire_ip client;
    uint32_t accept_instance;
    uint32_t listener;
    uint32_t flags;
    uint16_t opening; /* 1: answer to SESSION_OPEN, 0: to AUTH, BIND_UNASKED, BIND_CERT */
    uint16_t spare;
    struct wire_str login;
    struct wire_str upstream, tenant_header; /* with BIND_TENANTS */
    uint32_t spare2;
};
struct wire_auth_failed {
    struct frame head;
    uint64_t session;
    uint16_t code;
    uint16_t spare;
    struct wire_str text;
};
/* code 0: go on; else refuse with it (421 too many sessions …). */
struct wire_session_ready {
    struct frame head;
    uint64_t session;
    uint32_t flags; /* enum bind_flag */
    uint16_t code;
    uint16_t opening;
    struct wire_str text;
    struct wire_str login;
};

/* --- transactions --- */

/* Sent when content begins to flow, recipients following at once. */
struct wire_tx_begin {
    struct frame head;
    uint64_t session, tx;
    uint8_t body, ret, smtputf8, spare;
    struct wire_str reverse_path, envid, helo;
};
struct wire_tx_rcpt {
    struct frame head;
    uint64_t session, tx;
    uint32_t notify;
    struct wire_str address, orcpt;
    uint32_t spare;
};
struct wire_tx_edit {
    struct frame head;
    uint64_t session, tx;
    uint32_t kind, offset, len;
    struct wire_str text;
};
struct wire_tx_chunk {
    struct frame head;
    uint64_t session, tx, position;
    uint32_t len, spare;
};
enum tx_content { TX_8BIT = 1, TX_BINARY = 2 };
struct wire_tx_end {
    struct frame head;
    uint64_t session, tx, size_bytes;
    uint32_t header_bytes;
    uint32_t content; /* enum tx_content */
    /* SHA-256 of the body in relaxed form (RFC 6376 §3.4.4), 32 octets, or empty: a wrong one only
     * spoils the signature of the message that it came with. */
    struct wire_str body_hash;
    uint32_t spare;
};
struct wire_tx_abort {
    struct frame head;
    uint64_t session, tx;
};
/* 250: durable, id is the queue id. Else the refusal; text has no code. */
struct wire_tx_answer {
    struct frame head;
    uint64_t session, tx, id;
    uint16_t code, status_subject, status_detail, spare;
    struct wire_str text;
    uint32_t spare2;
};
/* Domains at which senders of forwarded mail were rewritten (mail/srs.h): a notification to such an
 * address is let in from anybody. Names as tables have them, a '\n' behind each; all of them, in as
 * many frames as it takes, the first of which begins anew. */
struct wire_forwards {
    struct frame head;
    uint32_t begins;
    struct wire_str names;
};
struct wire_credit {
    struct frame head;
    uint64_t position;
};

/* --- names --- */

/* status 0: site is good for ttl_s; else code and text are the outcome: 4yz ask again after ttl_s,
 * 5yz bounce. */
struct wire_site_ask {
    struct frame head;
    uint64_t question;
    struct wire_str domain;
    uint32_t spare;
};
struct wire_site_answer {
    struct frame head;
    uint64_t question;
    uint32_t ttl_s;
    uint16_t code, status_subject, status_detail, spare;
    struct wire_str site, text;
    uint32_t spare2;
};
/* name: a domain to look up MX for, or with `plain` a host name whose addresses are wanted. */
struct wire_hosts_ask {
    struct frame head;
    uint64_t question;
    uint32_t plain;
    struct wire_str name;
};
/* In the order to try them; count in the answer that ends them. */
struct wire_host {
    struct frame head;
    uint64_t question;
    struct wire_ip ip;
    uint32_t preference;
    struct wire_str name;
};
struct wire_hosts_answer {
    struct frame head;
    uint64_t question;
    uint32_t count, ttl_s;
    uint16_t code, status_subject, status_detail, spare;
    struct wire_str text;
    uint32_t spare2;
};

/* vault asks, resolve answers: one SERVER per server asked, its VALUEs behind it, then END. Each
 * authoritative server is asked by itself (F27), or all of DNS once: then there is one SERVER
 * without name. */
enum dns_how { DNS_HOW_RECURSIVE = 0, DNS_HOW_EACH_AUTHORITY = 1 };
struct wire_dns_ask {
    struct frame head;
    uint64_t question;
    uint16_t rrtype; /* enum dns_type */
    uint16_t how;    /* enum dns_how */
    struct wire_str name;
};
/* What one server says. TIMEOUT and FAILED (SERVFAIL, REFUSED, lame) never count against anybody.
 */
enum dns_said {
    DNS_SAID_RECORDS = 0,
    DNS_SAID_NO_NAME = 1,
    DNS_SAID_TIMEOUT = 2,
    DNS_SAID_FAILED = 3
};
struct wire_dns_server {
    struct frame head;
    uint64_t question;
    struct wire_ip ip;
    uint32_t said;
    struct wire_str name;
};
/* A record of the SERVER before: TXT joined; NS, MX (without preference) and PTR as lower-case
 * names; A and AAAA as text. */
struct wire_dns_value {
    struct frame head;
    uint64_t question;
    struct wire_str value;
    uint32_t spare;
};
/* code 0: `servers` of them were asked. Else the servers themselves could not be found: 4yz for
 * now, 5yz there is no such zone. */
struct wire_dns_end {
    struct frame head;
    uint64_t question;
    uint32_t servers;
    uint16_t code, spare;
    struct wire_str text;
    uint32_t ttl_s;
};
/* May the addresses that this relay sends from send for that domain (RFC 7208)? ip family 0: all
 * that resolve knows of ours. */
struct wire_spf_ask {
    struct frame head;
    uint64_t question;
    struct wire_ip ip;
    struct wire_str domain;
    uint32_t spare;
};
struct wire_spf_answer {
    struct frame head;
    uint64_t question;
    uint32_t result; /* enum spf_result, the worst of all addresses */
    struct wire_str text;
};

/* --- who there is --- */

/* vault tells core at the link's beginning all that there is, between BEGIN and END; afterwards
 * what changes, as single frames. What did not come between BEGIN and END is gone. The structs are
 * those of guard/directory.h. */
#define DIRECTORY_LIMITS 16
struct wire_directory_begin {
    struct frame head;
    struct wire_str secret; /* 32 octets: the key of this relay's SRS addresses */
    uint32_t spare;
};
struct wire_directory_account {
    struct frame head;
    uint64_t id, parent, default_stream;
    uint32_t state, mode; /* enum account_state, enum policy_mode */
    uint32_t flags;       /* enum account_flag */
    uint32_t soft_percent;
    uint64_t limits[DIRECTORY_LIMITS]; /* [window][measure], 0: none */
    struct wire_str name, rewrite_from, forward_domain;
    uint32_t spare;
};
struct wire_directory_stream {
    struct frame head;
    uint64_t id, account;
    uint32_t kind, preflight; /* enum stream_kind, enum policy_mode */
    uint64_t limits[DIRECTORY_LIMITS];
    struct wire_str name, domain, return_domain;
    uint32_t spare;
};
struct wire_directory_domain {
    struct frame head;
    uint64_t id, account; /* id: of the grant */
    uint32_t flags;       /* enum domain_flag */
    uint32_t facts;       /* enum domain_fact */
    struct wire_str name, local;
};
struct wire_directory_key {
    struct frame head;
    uint64_t id, grant, stream; /* stream 0: of any */
    uint32_t algorithm, flags;  /* enum key_flag */
    struct wire_str domain, selector;
};
struct wire_directory_tenant {
    struct frame head;
    uint64_t id, account, stream;
    struct wire_str upstream, value;
};
enum directory_noun {
    DIRECTORY_ACCOUNT = 1,
    DIRECTORY_STREAM,
    DIRECTORY_DOMAIN,
    DIRECTORY_KEY,
    DIRECTORY_TENANT
};
struct wire_directory_gone {
    struct frame head;
    uint64_t id;
    uint32_t noun, spare;
};
struct wire_directory_end {
    struct frame head;
};

/* --- jobs --- */

/* One batch: one message, one site, some recipients. JOB, its RCPTs and EDITs, GO, then CONTENT as
 * asked. */
struct wire_job {
    struct frame head;
    uint64_t job, id /* queue id */, size_bytes;
    uint32_t header_bytes;
    uint32_t route; /* index in config->routes; UINT32_MAX: MX */
    uint8_t body, ret, smtputf8, content /* enum tx_content */;
    uint32_t connections; /* how many the site may have now */
    struct wire_str site, domain, reverse_path, envid;
    int64_t accepted_wall_ms;
    struct wire_str body_hash; /* as in TX_END */
    uint32_t spare;
};
/* Behind the EDITs: a signature that the message leaves with, or not at all. As many as
 * JOB_SIGNS_MAX. */
#define JOB_SIGNS_MAX 4
struct wire_job_sign {
    struct frame head;
    uint64_t job, key;
    int64_t signed_s, expires_s; /* t= and x= */
    uint32_t algorithm;          /* enum dkim_algorithm */
    struct wire_str domain, selector;
    uint32_t spare;
};
/* deliver -> core: sign this hash with a key that the job names. */
struct wire_sign_ask {
    struct frame head;
    uint64_t job, key;
    struct wire_str hash; /* 32 octets */
    uint32_t spare;
};
/* code 0: signature. Else the mail waits: 4yz and why. */
struct wire_job_signed {
    struct frame head;
    uint64_t job, key;
    uint16_t code, spare;
    struct wire_str signature, text;
    uint32_t spare2;
};
/* core -> vault: the account is core's word, taken from its own record; vault checks that it may
 * use the key's domain. */
struct wire_sign {
    struct frame head;
    uint64_t question, account, key;
    struct wire_str hash;
    uint32_t spare;
};
struct wire_signed {
    struct frame head;
    uint64_t question;
    uint16_t code, spare;
    struct wire_str signature, text;
    uint32_t spare2;
};
struct wire_job_rcpt {
    struct frame head;
    uint64_t job;
    uint32_t rcpt;
    uint32_t notify;
    struct wire_str address, orcpt;
};
struct wire_job_edit {
    struct frame head;
    uint64_t job;
    uint32_t kind, offset, len;
    struct wire_str text;
};
struct wire_job_go {
    struct frame head;
    uint64_t job;
};
struct wire_job_content {
    struct frame head;
    uint64_t job, offset, position;
    uint32_t len, spare;
};
/* Content can't be read: end the job without a result; core knows why. */
struct wire_job_cancel {
    struct frame head;
    uint64_t job;
};
struct wire_site_limit {
    struct frame head;
    uint32_t connections;
    struct wire_str site;
};
/* "Send content up to here": cumulative, from offset 0. Core sends the first JOB_CONTENT_FIRST
 * without being asked. */
#define JOB_CONTENT_FIRST (64 * 1024)
struct wire_job_more {
    struct frame head;
    uint64_t job, upto;
};
/* flags of a recipient's result. PASSED_ON: the peer speaks DSN and got NOTIFY, so it will tell the
 * sender of success. */
enum result_flag { RESULT_DSN_PASSED_ON = 1 };
struct wire_result_rcpt {
    struct frame head;
    uint64_t job;
    uint32_t rcpt;
    uint16_t code, status_class, status_subject, status_detail;
    uint8_t kind, scope, tls, flags; /* enum outcome_kind, outcome_scope; enum result_flag */
    uint32_t waited_ms, dialogue_ms;
    struct wire_ip ip, source;
    struct wire_str host, text;
};
/* After one RESULT_RCPT per recipient of the job: the job is over. */
struct wire_result {
    struct frame head;
    uint64_t job;
    uint32_t connections_open; /* to this site, for feedback */
    uint16_t session_code; /* a 421 or a failed connection that concerns the whole site; 0: none */
    uint16_t connection_failed;
};

/* --- events --- */

/* bytes: one event as event_write() makes it (spool/event.h). */
struct wire_event {
    struct frame head;
    uint64_t position;
    struct wire_str bytes;
    uint32_t spare;
};
struct wire_events_from {
    struct frame head;
    uint64_t position;
};
struct wire_events_ack {
    struct frame head;
    uint64_t position;
};

/* --- operators --- */

enum admin_verb {
    ADMIN_STATUS = 1,
    ADMIN_QUEUE_LIST,
    ADMIN_QUEUE_SUMMARY,
    ADMIN_QUEUE_SHOW,
    ADMIN_QUEUE_WHY,
    ADMIN_QUEUE_RETRY,
    ADMIN_QUEUE_HOLD,
    ADMIN_QUEUE_RELEASE,
    ADMIN_QUEUE_DROP,
    ADMIN_ACCOUNT_ADD,
    ADMIN_ACCOUNT_LIST,
    ADMIN_CRED_ADD,
    ADMIN_CRED_LIST,
    ADMIN_CRED_REMOVE,
    ADMIN_SANDBOX_LIST,
    ADMIN_SANDBOX_SHOW,
    ADMIN_TAIL,
    ADMIN_LIVE_DNS,
    ADMIN_LIVE_PORT,
    ADMIN_LIVE_OPEN,
    ADMIN_LIVE_CLOSE,
    ADMIN_RELOAD,
    ADMIN_DRAIN,
    ADMIN_SECRET_EXCHANGE,
    ADMIN_ACCOUNT_SHOW,
    ADMIN_ACCOUNT_SET,
    ADMIN_ACCOUNT_REMOVE,
    ADMIN_CRED_SET,
    ADMIN_CRED_ROTATE,
    ADMIN_USER_ADD,
    ADMIN_USER_LIST,
    ADMIN_USER_SET,
    ADMIN_USER_REMOVE,
    ADMIN_STREAM_ADD,
    ADMIN_STREAM_LIST,
    ADMIN_STREAM_SET,
    ADMIN_STREAM_REMOVE,
    ADMIN_DOMAIN_ADD,
    ADMIN_DOMAIN_LIST,
    ADMIN_DOMAIN_SHOW,
    ADMIN_DOMAIN_SET,
    ADMIN_DOMAIN_REMOVE,
    ADMIN_DOMAIN_CHECK,
    ADMIN_DOMAIN_RECORDS,
    ADMIN_DOMAIN_ROTATE,
    ADMIN_DOMAIN_TRANSFER,
    ADMIN_AUDIT_LIST,
    ADMIN_OBSERVED_LIST,
    ADMIN_USAGE_LIST,
    ADMIN_CLIENT_SETTINGS,
    ADMIN_VERBS
};
enum admin_flag {
    ADMIN_SILENT = 1, /* drop without NDR */
    ADMIN_ALL = 2,    /* every match, not one */
    ADMIN_DRY_RUN = 4,
    ADMIN_STOP =
        8, /* a tail of this request number is no longer read: send no more rows, and no end */
};
/* What the operator asks for; which fields a verb reads stands in web/api.c's table. */
struct wire_admin {
    struct frame head;
    uint64_t request;
    uint64_t id; /* a queue id, or the place to go on from */
    uint32_t verb, flags;
    uint32_t limit;
    struct wire_str actor; /* the operator's name, by peer credentials */
    struct wire_str name;  /* account, credential, … */
    struct wire_str account;
    struct wire_str from, to, site, state; /* filters: empty matches all */
    struct wire_str reason;
    struct wire_str settings; /* "key=value" lines, for what has an object's fields */
};
/* One JSON value per row, already text. */
struct wire_admin_row {
    struct frame head;
    uint64_t request;
    struct wire_str json;
    uint32_t spare;
};
/* status: an HTTP status (200, 404, 409, 422, 503 …); text says why it is not 200; next: where a
 * list goes on. */
struct wire_admin_end {
    struct frame head;
    uint64_t request, next;
    uint16_t status, spare;
    struct wire_str text;
};
struct wire_gate {
    struct frame head;
    uint32_t open, spare;
};

/* --- super --- */

/* Descriptors come with it, in this order, each if its flag is set: configuration (always), TLS
 * chain and key, secret; then the listeners. */
enum start_flag {
    START_TLS = 1,
    START_SECRET = 2,
    START_UNIX = 4 /* the last listener is web's UNIX socket */
};
struct wire_role_start {
    struct frame head;
    uint32_t kind, instance;
    uint32_t listeners, flags;
};
/* state: what the role has put in force (JSON), or why it cannot start when ok is 0. */
struct wire_role_ready {
    struct frame head;
    uint32_t ok;
    struct wire_str state;
};
/* Descriptors: the channel's socket, then the ring's memfd. The writer maps and seals it and says
 * LINKED; only then does super send the reader's LINK. */
enum link_ring { LINK_NO_RING = 0, LINK_RING_OUT = 1, LINK_RING_IN = 2 };
struct wire_role_link {
    struct frame head;
    uint32_t peer, instance, generation, ring;
};
struct wire_role_linked {
    struct frame head;
    uint32_t peer, instance, generation, spare;
};
/* Descriptors as with ROLE_START, without listeners. */
struct wire_role_reload {
    struct frame head;
    uint32_t flags, spare;
};
struct wire_role_drain {
    struct frame head;
};
struct wire_role_drained {
    struct frame head;
};
/* Asked with an empty text, answered with the role's facts. */
struct wire_role_status {
    struct frame head;
    struct wire_str json;
    uint32_t spare;
};
/* One descriptor: standard error from now on. May come before the start. */
struct wire_role_log {
    struct frame head;
};

#pragma GCC diagnostic pop

/* A new frame on the channel with room for `strings` bytes behind the struct; fill the struct, then
 * its strings with wire_put(). */
void *wire_add(struct channel *c, enum wire_type type, size_t strings);
/* Copies text behind the struct and points *field at it. `frame` as wire_add() returned it; asserts
 * that it fits. */
void wire_put(void *frame, struct wire_str *field, struct str text);
/* The string of a checked frame. */
static inline struct str wire_get(const void *frame, struct wire_str field)
{
    return (struct str){ (const char *)frame + field.at, field.len };
}
struct wire_ip wire_ip_of(const struct ip *ip, uint16_t port);
struct ip wire_ip_get(const struct wire_ip *w);

/* Length, type, direction and strings of a frame from a peer of that kind. ERR_SYNTAX. */
MUST_USE bool wire_check(const struct frame *f, enum role_kind from, enum role_kind to,
                         struct err *err);
const char *wire_type_name(enum wire_type type);
