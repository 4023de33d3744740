// SPDX-License-Identifier: Apache-2.0
/* config/option_table.c - every option there is, in the order of the manual: name, type, default,
 * bounds, sentence. */
#include "config/option.h"

#include <assert.h>

#include "base/mem.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

static option_words listener_kinds = { "submission", "submissions", "relay", NULL };
static option_words route_kinds = { "mx", "smarthost", "lmtp", "sandbox", "refuse", NULL };
static option_words tls_modes = { "never", "may", "must", "implicit", NULL };
static option_words tls_modes_mx = { "never", "may", "must", NULL };
static option_words gate_modes = { "closed", "open", NULL };
static option_words log_forms = { "keyvalue", "postfix", NULL };
static option_words first_states = { "sandbox", "active", NULL };
static option_words first_identities = { "observe", "enforce", NULL };

static_assert(LISTENER_RELAY == 2 && ROUTE_REFUSE == 4 && TLS_IMPLICIT == 3 && GATE_OPEN == 1 &&
                  LOG_FORM_POSTFIX == 1 && FIRST_ACTIVE == 1 && FIRST_ENFORCE == 1,
              "the words stand in the order of their enums");

/* Rows ----------------------------------------------------------------------------------------- */

#define AT(type, field) .at = offsetof(struct type, field)

static bool listener_finish(void *row, const char **ret_field, struct err *err)
{
    struct config_listener *l = row;

    (void)ret_field;
    (void)err;
    if (l->name.len == 0)
        l->name = str_of(listener_kinds[l->kind]);
    l->proxy = l->proxy_from_count > 0 ? PROXY_REQUIRED : PROXY_OFF;
    return true;
}

static const struct option listener_options[] = {
    { "name", OPTION_TEXT, AT(config_listener, name), .fallback = "",
      .about = "Stands in logs; empty: the kind." },
    { "kind", OPTION_WORD, AT(config_listener, kind), .words = listener_kinds,
      .about = "submission: AUTH needed, STARTTLS. submissions: AUTH needed, TLS from the first "
               "octet. relay: trusted networks may relay, anyone may reach local_domains." },
    { "address", OPTION_ENDPOINT, AT(config_listener, at), .about = "Where it listens." },
    { "proxy_from", OPTION_NETWORK, .list = true, AT(config_listener, proxy_from),
      .count_at = offsetof(struct config_listener, proxy_from_count), .fallback = "[]",
      .about =
          "Proxies that send the PROXY protocol's header (v1, v2). Given: every connection must "
          "come from one and begin with it." },
};
static const struct option_row listener_row = { listener_options, ARRAY_LEN(listener_options),
                                                sizeof(struct config_listener), listener_finish };

static const struct option network_options[] = {
    { "network", OPTION_NETWORK, AT(config_network, net), .about = "An address or a network." },
    { "account", OPTION_TEXT, AT(config_network, account), .fallback = "",
      .about = "The account in whose name these hosts relay." },
    { "upstream", OPTION_TEXT, AT(config_network, upstream), .fallback = "",
      .about =
          "Instead of account: the name of a service that hands over mail of several accounts; "
          "its tenants are bound to accounts by `baton cred add --kind tenant`." },
    { "tenant_header", OPTION_TEXT, AT(config_network, tenant_header), .fallback = "",
      .about =
          "With upstream: the header field that says whose a message is. A value that is bound "
          "to no account is refused." },
    { "normalize", OPTION_BOOL, AT(config_network, normalize), .fallback = "false",
      .about =
          "Turns their bare LF and CR into CRLF instead of refusing them. Still only CRLF.CRLF "
          "ends a message." },
};

static bool network_finish(void *row, const char **ret_field, struct err *err)
{
    const struct config_network *n = row;

    *ret_field = "account";
    if (n->account.len == 0 && n->upstream.len == 0)
        return err_set(err, ERR_CONFIG,
                       "is empty: expected the name of an account, or upstream and tenant_header");
    if (n->account.len > 0 && n->upstream.len > 0)
        return err_set(err, ERR_CONFIG, "expected either account or upstream, not both");
    *ret_field = "tenant_header";
    return (n->upstream.len > 0) == (n->tenant_header.len > 0) ||
           err_set(err, ERR_CONFIG, "expected together with upstream");
}

static const struct option_row network_row = { network_options, ARRAY_LEN(network_options),
                                               sizeof(struct config_network), network_finish };

static const struct option route_options[] = {
    { "domain", OPTION_PATTERN, AT(config_route, domain),
      .about =
          "A domain, \".example.org\" for what is below it, \"*\" for all: the most exact wins." },
    { "via", OPTION_WORD, AT(config_route, kind), .words = route_kinds,
      .about =
          "mx: the hosts that DNS names. smarthost: a relay. lmtp: a mailbox server. sandbox: the "
          "built-in inbox. refuse: nothing is accepted for it." },
    { "host", OPTION_TEXT, AT(config_route, host), .fallback = "",
      .about = "Of smarthost and lmtp: a name or an address; of lmtp also the path of a socket." },
    { "port", OPTION_PORT, AT(config_route, port), .min = 0, .max = UINT16_MAX, .fallback = "0",
      .about = "0: 25 for smarthost, 465 for it with tls implicit, 24 for lmtp." },
    { "tls", OPTION_WORD, AT(config_route, tls), .words = tls_modes, .fallback = "may",
      .about =
          "Towards that host: not at all, when it offers STARTTLS, or nothing without; implicit: "
          "from the first octet." },
    { "tls_verify", OPTION_BOOL, AT(config_route, tls_verify), .fallback = "false",
      .about = "Its certificate must be good and bear the host's name." },
    { "user", OPTION_TEXT, AT(config_route, user), .fallback = "",
      .about = "AUTH to the smarthost; needs tls must or implicit." },
    { "password_file", OPTION_PATH, AT(config_route, password_file), .fallback = "",
      .about = "Holds the password in its first line; readable by nobody else." },
};

static bool route_auth_ok(const struct config_route *r, const char **ret_field, struct err *err)
{
    *ret_field = "password_file";
    if ((r->user.len > 0) != (r->password_file.len > 0))
        return err_set(err, ERR_CONFIG, "expected both user and password_file, or neither");
    if (r->user.len == 0)
        return true;
    *ret_field = "user";
    if (r->kind != ROUTE_SMARTHOST)
        return err_set(err, ERR_CONFIG, "expected only with via: smarthost");
    *ret_field = "tls";
    if (r->tls != TLS_MUST && r->tls != TLS_IMPLICIT)
        return err_set(err, ERR_CONFIG,
                       "expected must or implicit: a password does not travel in the clear");
    return true;
}

static bool route_finish(void *row, const char **ret_field, struct err *err)
{
    struct config_route *r = row;
    bool has_hop = r->kind == ROUTE_SMARTHOST || r->kind == ROUTE_LMTP;

    *ret_field = "host";
    if (has_hop && r->host.len == 0)
        return err_set(err, ERR_CONFIG, "expected a name or an address with via: %s",
                       route_kinds[r->kind]);
    if (!has_hop && r->host.len > 0)
        return err_set(err, ERR_CONFIG, "expected only with via: smarthost or lmtp");
    if (r->kind == ROUTE_SMARTHOST && str_starts(r->host, STR("/")))
        return err_set(err, ERR_CONFIG, "expected a name or an address: a socket is for lmtp");
    if (has_hop && r->port == 0)
        r->port = r->kind == ROUTE_LMTP ? 24 : r->tls == TLS_IMPLICIT ? 465 : 25;
    return route_auth_ok(r, ret_field, err);
}

static const struct option_row route_row = { route_options, ARRAY_LEN(route_options),
                                             sizeof(struct config_route), route_finish };

/* The file ------------------------------------------------------------------------------------- */

#define ROWS(field, count, table) \
    OPTION_ROWS, AT(config, field), .count_at = offsetof(struct config, count), .row = &(table)
#define LIST(of, field, count) \
    of, .list = true, AT(config, field), .count_at = offsetof(struct config, count)
#define TIME(field, from, upto) OPTION_TIME, AT(config, field), .min = (from), .max = (upto)
#define COUNT(field, from, upto) OPTION_COUNT, AT(config, field), .min = (from), .max = (upto)
#define SIZE(field, from, upto) OPTION_SIZE, AT(config, field), .min = (from), .max = (upto)

const struct option config_options[] = {
    { "hostname", OPTION_NAME, AT(config, hostname), .fallback = "\"\"",
      .about =
          "This machine's name in greeting, EHLO, Received and Message-ID. Empty: the system's." },
    { "state_folder", OPTION_PATH, AT(config, state_folder), .fallback = "/var/lib/baton",
      .about = "Where spool, control database, history and API socket lie." },
    { "user", OPTION_TEXT, AT(config, user), .fallback = "\"\"",
      .about = "The roles run as this user. Empty: as started." },
    { "group", OPTION_TEXT, AT(config, group), .fallback = "\"\"",
      .about = "This group may use the API socket, as root and the roles' own user may." },
    { "postmaster", OPTION_TEXT, AT(config, postmaster), .fallback = "postmaster",
      .about = "Who gets mail for postmaster: an address, or a local part at hostname." },

    { "tls.cert_file", OPTION_PATH, AT(config, tls_cert_file), .fallback = "\"\"",
      .about = "Certificate chain for the listeners, PEM." },
    { "tls.key_file", OPTION_PATH, AT(config, tls_key_file), .fallback = "\"\"",
      .about = "Its key, PEM; not readable by others." },

    { "tls.client_certificates", OPTION_BOOL, AT(config, tls_client_certificates),
      .fallback = "false",
      .about = "Clients are asked for a certificate; one that is bound to an account "
               "(baton cred add --kind cert) signs its holder in." },

    { "accounts.state", OPTION_WORD, AT(config, first_state), .words = first_states,
      .fallback = "sandbox",
      .about = "Of an account that is made without saying so. sandbox: it may write to the sandbox "
               "domain alone until it is approved. active: to anybody." },
    { "accounts.identity", OPTION_WORD, AT(config, first_identity), .words = first_identities,
      .fallback = "enforce",
      .about =
          "Of an account that is made without saying so. enforce: it may use only domains that "
          "it has proved. observe: what would be refused is counted and shown." },
    { "proof.relay", OPTION_NAME, AT(config, proof.relay), .fallback = "\"\"",
      .about = "This relay's name in the records that prove a domain (relay=). Empty: hostname." },
    { "proof.host_networks", LIST(OPTION_NETWORK, proof.host_networks, proof.host_network_count),
      .fallback = "[]",
      .about = "The host's own addresses: a domain whose NS, MX or address lies here can be proved "
               "without a record of its own (baton domain add --method host)." },
    { "proof.host_names", LIST(OPTION_DOMAIN, proof.host_names, proof.host_name_count),
      .fallback = "[]", .about = "The same by the names of the host's NS and MX." },
    { "proof.check_every", TIME(proof.check_ms, 10, 7 * DAY), .fallback = "6h",
      .about = "How often a proved domain's records are looked at." },
    { "proof.pending_every", TIME(proof.pending_ms, 10, DAY), .fallback = "1m",
      .about =
          "How often those of a domain or key that is not proved yet; ever less often, at most "
          "proof.check_every." },
    { "proof.lost_after", TIME(proof.lost_ms, 10, 90 * DAY), .fallback = "3d",
      .about =
          "A domain is lost when every authoritative server has answered without its record for "
          "so long. Failures to answer never count." },
    { "dkim.also_sign", OPTION_NAME, AT(config, dkim.also_sign), .fallback = "\"\"",
      .about =
          "A domain of the relay's own whose keys sign everybody's mail as well. Empty: none." },
    { "dkim.rotate_after", TIME(dkim.rotate_ms, 0, 3650 * DAY), .fallback = "180d",
      .about = "A signing key this old gets a successor, which signs once it is published. 0: only "
               "by hand." },
    { "dkim.retire_after", TIME(dkim.retire_ms, 10, 365 * DAY), .fallback = "14d",
      .about = "So long after its last signature the old key's record should stay." },

    { "web.listeners", LIST(OPTION_ENDPOINT, web_listeners, web_listener_count), .fallback = "[]",
      .about = "Where mail programs find their settings over HTTP: autoconfig of Thunderbird, "
               "autodiscover of Outlook. Empty: nowhere." },
    { "web.tls", OPTION_BOOL, AT(config, web_tls), .fallback = "true",
      .about = "HTTPS with the certificate of tls.cert_file. false: HTTP, behind a proxy." },
    { "doctor.nightly", OPTION_BOOL, AT(config, doctor_nightly), .fallback = "true",
      .about = "Once a night `baton doctor` runs by itself and alarms about what got worse." },
    { "why_url", OPTION_TEXT, AT(config, why_url), .fallback = "\"\"",
      .about = "Put behind a refusal, followed by its code, so that its reader can look it up." },

    { "sandbox.domain", OPTION_DOMAIN, AT(config, sandbox_domain), .fallback = "sandbox.test",
      .about = "Mail to this domain lands in the built-in inbox (baton sandbox ls)." },
    { "sandbox.gate", OPTION_WORD, AT(config, gate), .words = gate_modes, .fallback = "closed",
      .about =
          "closed: mail to any other domain is refused until `baton live` has found the machine "
          "fit to send. open: no check; for tests and private networks." },
    { "sandbox.keep", COUNT(sandbox_keep, 1, 100000), .fallback = "1000",
      .about = "How many messages the inbox keeps." },

    { "listeners", ROWS(listeners, listener_count, listener_row), .list_min = 1,
      .fallback = "[{kind: submission, address: \"127.0.0.1:2587\"}, "
                  "{kind: submissions, address: \"127.0.0.1:2465\"}, "
                  "{kind: relay, address: \"127.0.0.1:2525\"}]",
      .about = "Where clients connect." },
    { "trusted_networks", ROWS(networks, network_count, network_row), .fallback = "[]",
      .about = "Hosts that may relay without AUTH, in the name of an account. Nothing is trusted "
               "unless it stands here, loopback included." },
    { "local_domains", LIST(OPTION_DOMAIN, local_domains, local_domain_count), .fallback = "[]",
      .about =
          "Domains that relay listeners receive for, from anyone; each needs a route that is not "
          "mx." },
    { "routes", ROWS(routes, route_count, route_row), .fallback = "[]",
      .about = "Where mail for a domain goes; mx where none matches." },

    { "dns.servers", LIST(OPTION_ENDPOINT, dns_servers, dns_server_count), .fallback = "[]",
      .about = "Resolvers to ask. Empty: the system's." },
    { "dns.trust_anchor_file", OPTION_PATH, AT(config, dns_trust_anchor_file), .fallback = "\"\"",
      .about = "DNSSEC trust anchor. Empty: answers are not validated." },
    { "dns.recursive", OPTION_BOOL, AT(config, dns_recursive), .fallback = "false",
      .about = "Asks the authoritative servers itself, from the root down." },
    { "dns.authoritative_port", OPTION_PORT, AT(config, dns_authority_port), .min = 1,
      .max = UINT16_MAX, .fallback = "53",
      .about = "Of the authoritative servers that are asked one by one when a domain is proved." },

    { "retry.steps", LIST(OPTION_TIME, retry.steps_ms, retry.step_count), .min = 1, .max = 7 * DAY,
      .list_min = 1, .fallback = "[5m, 10m, 20m, 40m, 1h, 2h, 4h]",
      .about = "Waits after the first, second, … failed attempt; the last repeats." },
    { "retry.expire", TIME(retry.expire_ms, 1, 30 * DAY), .fallback = "5d",
      .about = "Older mail is given up and its sender told." },
    { "retry.delay_warning", TIME(retry.delay_warn_ms, 0, 30 * DAY), .fallback = "4h",
      .about = "Mail this old gets its sender one warning. 0: none." },
    { "retry.jitter_percent", COUNT(retry.jitter_percent, 0, 50), .fallback = "20",
      .about = "Each wait is longer or shorter by up to this." },

    { "timeouts.connect", TIME(timeouts.connect_ms, 10, HOUR), .fallback = "30s",
      .about = "Client: TCP connection to one address." },
    { "timeouts.greeting", TIME(timeouts.greeting_ms, 10, HOUR), .fallback = "5m",
      .about = "Client: the 220 (RFC 5321, 4.5.3.2, as the next seven)." },
    { "timeouts.helo", TIME(timeouts.helo_ms, 10, HOUR), .fallback = "5m",
      .about = "Client: reply to EHLO, HELO, STARTTLS and AUTH." },
    { "timeouts.mail", TIME(timeouts.mail_ms, 10, HOUR), .fallback = "5m",
      .about = "Client: reply to MAIL." },
    { "timeouts.rcpt", TIME(timeouts.rcpt_ms, 10, HOUR), .fallback = "5m",
      .about = "Client: reply to RCPT." },
    { "timeouts.data", TIME(timeouts.data_ms, 10, HOUR), .fallback = "2m",
      .about = "Client: reply to DATA." },
    { "timeouts.data_block", TIME(timeouts.data_block_ms, 10, HOUR), .fallback = "3m",
      .about = "Client: progress while content is sent." },
    { "timeouts.data_end", TIME(timeouts.data_end_ms, 10, HOUR), .fallback = "10m",
      .about = "Client: reply to the end of content." },
    { "timeouts.quit", TIME(timeouts.quit_ms, 10, HOUR), .fallback = "5s",
      .about = "Client: reply to QUIT." },
    { "timeouts.tls", TIME(timeouts.tls_ms, 10, HOUR), .fallback = "1m",
      .about = "Client and server: TLS handshake." },
    { "timeouts.idle_kept", TIME(timeouts.idle_kept_ms, 0, 5 * MINUTE), .fallback = "2s",
      .about = "Client: an idle connection kept for the next message." },
    { "timeouts.command", TIME(timeouts.command_ms, 10, HOUR), .fallback = "5m",
      .about = "Server: the next command." },
    { "timeouts.data_in", TIME(timeouts.data_in_ms, 10, HOUR), .fallback = "3m",
      .about = "Server: the next bytes of content." },
    { "timeouts.session_unauthenticated", TIME(timeouts.session_unauthenticated_ms, 10, DAY),
      .fallback = "10m", .about = "Server: a whole session without AUTH or trust." },
    { "timeouts.data_min_rate", OPTION_RATE, AT(config, timeouts.data_min_rate), .min = 0,
      .max = GIB, .fallback = "100",
      .about = "Server: octets a second that content must reach on the whole. 0: any." },

    { "limits.message_bytes", SIZE(limits.message_bytes, 64 * KIB, 2 * GIB), .fallback = "64M",
      .about = "The largest message, told to clients as SIZE." },
    { "limits.recipients", COUNT(limits.recipients, 100, 100000), .fallback = "1000",
      .about = "Recipients of one transaction; then 452." },
    { "limits.command_line", COUNT(limits.command_line, 1024, 65536), .fallback = "4096",
      .about = "Octets of a command line, its end included." },
    { "limits.header_bytes", OPTION_SIZE32, AT(config, limits.header_bytes), .min = 16 * KIB,
      .max = 16 * MIB, .fallback = "256K", .about = "The largest header section." },
    { "limits.received_max", COUNT(limits.received_max, 10, 1000), .fallback = "50",
      .about = "More Received fields than this are a loop." },
    { "limits.bad_commands", COUNT(limits.bad_commands, 1, 1000), .fallback = "20",
      .about = "So many refused commands end the session." },
    { "limits.sessions", COUNT(limits.sessions, 1, 1000000), .fallback = "20000",
      .about = "Sessions of one accept role." },
    { "limits.sessions_per_client", COUNT(limits.sessions_per_client, 1, 1000000),
      .fallback = "100", .about = "Sessions of one client address before AUTH or trust." },
    { "limits.connections_per_minute_per_client",
      COUNT(limits.connections_per_minute_per_client, 1, 10000000), .fallback = "600",
      .about = "New connections of one client address before AUTH or trust." },
    { "limits.sessions_per_account", COUNT(limits.sessions_per_account, 1, 1000000),
      .fallback = "5000", .about = "Sessions of one account." },
    { "limits.messages_per_session", COUNT(limits.messages_per_session, 1, 1000000000),
      .fallback = "100000", .about = "Then 421: the client opens another session." },
    { "limits.auth_failures", COUNT(limits.auth_failures, 1, 100), .fallback = "5",
      .about = "Per session; then 421." },

    { "delivery.connections", COUNT(delivery.connections, 1, 100000), .fallback = "1000",
      .about = "Outbound connections of one deliver role." },
    { "delivery.connections_per_site", COUNT(delivery.connections_per_site, 1, 10000),
      .fallback = "20", .about = "The most towards one site." },
    { "delivery.connections_per_site_first", COUNT(delivery.connections_per_site_first, 1, 10000),
      .fallback = "5", .about = "Towards a site not known yet; success raises it." },
    { "delivery.messages_per_connection", COUNT(delivery.messages_per_connection, 0, 1000000),
      .fallback = "0", .about = "0: no limit." },
    { "delivery.recipients_per_transaction", COUNT(delivery.recipients_per_transaction, 1, 100),
      .fallback = "50", .about = "Recipients of one site in one transaction." },
    { "delivery.port", OPTION_PORT, AT(config, delivery.port), .min = 1, .max = UINT16_MAX,
      .fallback = "25", .about = "Of the hosts that MX names." },
    { "delivery.allow_networks",
      LIST(OPTION_NETWORK, delivery.allow_networks, delivery.allow_network_count), .fallback = "[]",
      .about = "Addresses that are not public and that MX look-ups may lead to nevertheless." },
    { "delivery.allow_literals", OPTION_BOOL, AT(config, delivery.allow_literals),
      .fallback = "false", .about = "Recipients at address literals: user@[192.0.2.1]." },
    { "delivery.ipv4", OPTION_BOOL, AT(config, delivery.ipv4), .fallback = "true",
      .about = "Connects by IPv4." },
    { "delivery.ipv6", OPTION_BOOL, AT(config, delivery.ipv6), .fallback = "true",
      .about = "Connects by IPv6." },
    { "delivery.source4", OPTION_ADDRESS, AT(config, delivery.source4), .fallback = "\"\"",
      .about = "Local IPv4 address to connect from. Empty: the kernel chooses." },
    { "delivery.source6", OPTION_ADDRESS, AT(config, delivery.source6), .fallback = "\"\"",
      .about = "Local IPv6 address to connect from. Empty: the kernel chooses." },
    { "delivery.tls", OPTION_WORD, AT(config, delivery.tls), .words = tls_modes_mx,
      .fallback = "may",
      .about = "Towards MX hosts: not at all, when offered, or nothing without." },
    { "delivery.tls_ca_file", OPTION_PATH, AT(config, delivery.tls_ca_file), .fallback = "\"\"",
      .about = "Trusted authorities, PEM. Empty: the system's." },

    { "spool.segment_bytes", SIZE(spool.segment_bytes, MIB, 4 * GIB), .fallback = "64M",
      .about = "Size of one segment of the log." },
    { "spool.disk_max_bytes", SIZE(spool.disk_max_bytes, 0, 1024 * TIB), .fallback = "0",
      .about = "The most the spool takes; then 452. 0: what the disk has." },
    { "spool.reserve_bytes", SIZE(spool.reserve_bytes, MIB, TIB), .fallback = "64M",
      .about = "Kept free for settling what was accepted." },
    { "spool.events_disk_max_bytes", SIZE(spool.events_disk_max_bytes, MIB, TIB), .fallback = "1G",
      .about = "Events that nobody fetched; past it the oldest go, counted and alarmed." },
    { "spool.content_memory_bytes", SIZE(spool.content_memory_bytes, MIB, TIB), .fallback = "256M",
      .about = "Fresh messages kept in memory until their first attempt." },
    { "spool.index_rcpts", OPTION_COUNT64, AT(config, spool.index_rcpts), .min = 1000,
      .max = 1000000000, .fallback = "2000000",
      .about = "Queued recipients held in memory; the others wait on disk." },

    { "roles.accept", COUNT(accept_roles, 1, 16), .fallback = "1",
      .about = "Processes that speak to clients." },
    { "roles.deliver", COUNT(deliver_roles, 1, 16), .fallback = "1",
      .about = "Processes that speak to other servers." },
    { "roles.sched_batch", OPTION_BOOL, AT(config, sched_batch), .fallback = "true",
      .about = "Roles run as SCHED_BATCH: more messages a second, some milliseconds later when the "
               "machine is busy with other work." },

    { "log.file", OPTION_PATH, AT(config, log_file), .fallback = "\"\"",
      .about = "Empty: standard error, which systemd hands to the journal." },
    { "log.file_max", SIZE(log_file_max, 0, TIB), .fallback = "64M",
      .about =
          "A larger log.file becomes log.file.1, an older one .2 and so on, and a new one is begun. 0: never, "
          "since something else does it and sends SIGUSR1." },
    { "log.file_keep", COUNT(log_file_keep, 1, 1000), .fallback = "5",
      .about = "Older log files that are kept." },
    { "log.form", OPTION_WORD, AT(config, log_form), .words = log_forms, .fallback = "keyvalue",
      .about = "keyvalue: stable key=value pairs. postfix: as Postfix writes them, for tools made "
               "for that." },
    { "log.debug", OPTION_BOOL, AT(config, log_debug), .fallback = "false",
      .about = "More lines, for finding a fault." },
    { "received_hides_client", OPTION_BOOL, AT(config, received_hides_client), .fallback = "false",
      .about = "On submission, Received does not tell the client's address and name." },
};
const size_t config_option_count = ARRAY_LEN(config_options);
