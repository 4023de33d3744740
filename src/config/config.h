// SPDX-License-Identifier: Apache-2.0
/* config/config.h - the static configuration: one YAML file, checked against one table, as an
 * immutable struct.
 *
 * Super checks the file and hands its text to each role in a sealed memfd; every role parses it
 * again with config_parse(), which cannot fail then. Code receives `const struct config *`; a
 * reload builds a new one. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"

enum listener_kind { LISTENER_SUBMISSION, LISTENER_SUBMISSIONS, LISTENER_RELAY };
enum tls_mode { TLS_NEVER, TLS_MAY, TLS_MUST, TLS_IMPLICIT /* from the first octet */ };
enum route_kind { ROUTE_MX, ROUTE_SMARTHOST, ROUTE_LMTP, ROUTE_SANDBOX, ROUTE_REFUSE };
enum proxy_mode { PROXY_OFF, PROXY_REQUIRED };
enum log_form { LOG_FORM_KEYVALUE, LOG_FORM_POSTFIX };
enum gate_mode { GATE_CLOSED_UNTIL_LIVE, GATE_OPEN };
enum first_state { FIRST_SANDBOX, FIRST_ACTIVE };
enum first_identity { FIRST_OBSERVE, FIRST_ENFORCE };

struct config_listener {
    struct str name; /* "submission" … unless given; stands in logs */
    enum listener_kind kind;
    struct endpoint at;
    enum proxy_mode proxy; /* required: only from proxy_from, and from nobody without it */
    struct ip_net *proxy_from;
    size_t proxy_from_count;
};

/* Hosts that may relay without AUTH: in the name of one account, or, where they speak for several,
 * of the one that each message names in a header (fault T10). */
struct config_network {
    struct ip_net net;
    struct str account;                 /* empty with tenant_header */
    struct str upstream, tenant_header; /* both or neither */
    bool normalize;                     /* bare LF and CR of these clients become CRLF */
};

/* Where mail for a domain goes; the most exact domain wins: "example.org", ".example.org" (below
 * it), "*" (all). */
struct config_route {
    struct str domain;
    enum route_kind kind;
    struct str host; /* smarthost, LMTP: a name, or an address; LMTP also "/path/of/socket" */
    uint16_t port;
    enum tls_mode tls;
    bool tls_verify;
    struct str user, password_file; /* AUTH to the smarthost */
    struct str password;            /* read from the file by super, never printed */
};

struct config_retry {
    int64_t *steps_ms; /* waits after the 1st, 2nd, … failed attempt; the last one repeats */
    size_t step_count;
    int64_t expire_ms;     /* 5 days */
    int64_t delay_warn_ms; /* 4 h; 0: off */
    unsigned jitter_percent;
};

struct config_timeouts { /* RFC 5321 §4.5.3.2, client side, then ours as a server */
    int64_t connect_ms, greeting_ms, helo_ms, mail_ms, rcpt_ms, data_ms, data_block_ms, data_end_ms,
        quit_ms, tls_ms;
    int64_t idle_kept_ms;               /* an outbound connection kept for the next message */
    int64_t command_ms;                 /* server: next command */
    int64_t data_in_ms;                 /* server: next bytes of content */
    int64_t session_unauthenticated_ms; /* server: whole session before AUTH or trust */
    int64_t data_min_rate; /* server: octets a second over a whole transfer, slow-loris defence */
};

struct config_limits {
    uint64_t message_bytes;
    unsigned recipients;   /* per message: at least 100 */
    unsigned command_line; /* octets with CRLF */
    unsigned header_bytes;
    unsigned received_max; /* loop: more Received fields than this */
    unsigned bad_commands; /* then 421 */
    unsigned sessions;     /* of one accept role */
    unsigned sessions_per_client;
    unsigned connections_per_minute_per_client;
    unsigned sessions_per_account;
    unsigned messages_per_session;
    unsigned auth_failures; /* per session, then 421 */
};

struct config_delivery {
    unsigned connections;                /* of one deliver role */
    unsigned connections_per_site;       /* most */
    unsigned connections_per_site_first; /* at the start */
    unsigned messages_per_connection;    /* 0: no limit */
    unsigned recipients_per_transaction;
    uint16_t port;                 /* 25; tests take another */
    struct ip_net *allow_networks; /* non-public addresses that MX look-ups may lead to */
    size_t allow_network_count;
    bool allow_literals;
    bool ipv6, ipv4;
    struct ip source4, source6; /* family 0: the kernel chooses */
    enum tls_mode tls;          /* TLS_MAY: opportunistic */
    struct str tls_ca_file;     /* empty: the system's */
};

struct config_proof {
    struct str relay;             /* relay= in a domain's record; empty: hostname */
    struct ip_net *host_networks; /* a domain whose NS, MX or A lies here may be proved in bulk */
    size_t host_network_count;
    struct str *host_names; /* or whose NS or MX is one of these */
    size_t host_name_count;
    int64_t check_ms,
        pending_ms;  /* how often a proved domain, and one that is not yet, is looked at */
    int64_t lost_ms; /* every authoritative server without it for so long */
};

struct config_dkim {
    struct str also_sign; /* the relay's own domain, signing everybody's mail as well; or empty */
    int64_t rotate_ms;    /* a key this old gets a successor; 0: never */
    int64_t retire_ms;    /* so long is the old one's record still wanted */
};

struct config_spool {
    uint64_t segment_bytes, disk_max_bytes, reserve_bytes, events_disk_max_bytes,
        content_memory_bytes;
    uint64_t index_rcpts;
};

struct config {
    struct str file;     /* for messages */
    struct str hostname; /* in greeting, EHLO, Received, Message-ID */
    struct str state_folder;
    struct str user;       /* roles run as this; empty: as started */
    struct str group;      /* may use the API socket */
    struct str postmaster; /* address, or local part at hostname */
    struct str tls_cert_file, tls_key_file;
    bool tls_client_certificates; /* clients are asked for one */
    struct str why_url;           /* a refusal's link: this, then the code; empty: none */
    enum first_state first_state; /* of an account that is made */
    enum first_identity first_identity;
    struct endpoint *web_listeners; /* autoconfig and autodiscover, for anybody */
    size_t web_listener_count;
    bool web_tls;
    bool doctor_nightly;
    struct str sandbox_domain;
    enum gate_mode gate;
    struct config_listener *listeners;
    size_t listener_count;
    struct config_network *networks;
    size_t network_count;
    struct str *local_domains; /* received for from anyone, on relay listeners; A-labels */
    size_t local_domain_count;
    struct config_route *routes;
    size_t route_count;
    struct endpoint *dns_servers;
    size_t dns_server_count;
    struct str dns_trust_anchor_file;
    bool dns_recursive;
    uint16_t dns_authority_port; /* of authoritative servers: 53; tests take another */
    struct config_retry retry;
    struct config_timeouts timeouts;
    struct config_limits limits;
    struct config_delivery delivery;
    struct config_spool spool;
    struct config_proof proof;
    struct config_dkim dkim;
    unsigned accept_roles, deliver_roles; /* processes */
    bool sched_batch;
    struct str log_file;    /* empty: stderr */
    uint64_t log_file_max;  /* larger: put aside and begun anew; 0: never */
    unsigned log_file_keep; /* how many that were put aside stay */
    enum log_form log_form;
    bool log_debug;
    bool received_hides_client; /* on submission */
    unsigned sandbox_keep;      /* messages kept by the sandbox inbox */
    struct arena *arena;        /* owns all of it */
};

/* Reads YAML text. `file` is for messages only: "baton.yaml:12: limits.recipients: 5 is too few,
 * 100 … 100000". ERR_CONFIG with the first mistake. Secrets named by *_file options are not read
 * here. */
MUST_USE bool config_parse(struct str file, struct str yaml, struct config **ret, struct err *err);
/* What only a look at the whole can tell: an open relay, a trusted network that holds the gateway
 * or a proxy without PROXY, addresses and domains that clash, limits that contradict each other.
 * ERR_CONFIG. `gateways`: addresses of default routes, handed in. */
MUST_USE bool config_check(const struct config *c, const struct ip *gateways, size_t gateway_count,
                           struct err *err);

/* What a look at one file tells. */
struct config_file_facts {
    bool is_file;
    bool is_open_to_others; /* anyone but its owner may write it, or anyone but owner and group may
                               read it */
};
/* False, with why, when it is not there or cannot be read. */
typedef bool config_look_fn(void *arg, const char *path, struct config_file_facts *ret,
                            struct err *err);
/* The files that options name: they can be read, and the secret ones by nobody else. ERR_CONFIG.
 * The caller looks, since values know no system. */
MUST_USE bool config_check_files(const struct config *c, config_look_fn *look, void *arg,
                                 struct err *err);
void config_free(struct config *c);

/* The route of a domain (A-labels, lower case). Never NULL: without a matching row, MX. The sandbox
 * domain and, while the gate is closed, everything else are admission's matter (guard/admission.h).
 */
const struct config_route *config_route_find(const struct config *c, struct str domain);
bool config_is_local_domain(const struct config *c, struct str domain);
/* NULL when the address is not in a trusted network; the most exact network wins. */
const struct config_network *config_network_find(const struct config *c, const struct ip *client);

/* The table as documentation: YAML with every option, its default, bounds and sentence; and what is
 * in force. */
bool config_print_defaults(struct buf *to);
bool config_print(const struct config *c, struct buf *to);
/* The options as the body of a manual page, roff. */
bool config_print_manual(struct buf *to);
