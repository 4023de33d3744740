// SPDX-License-Identifier: Apache-2.0
/* io/dns.h - one look-up at a time, validated, cached: libunbound behind a waiting call; tables in
 * the simulator. What a record means for mail is resolve/'s business. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "io/fiber.h"

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_TLSA = 52
};

enum dns_status {
    DNS_OK,      /* records; perhaps none: the name exists without this type */
    DNS_NO_NAME, /* NXDOMAIN */
    DNS_TEMP,    /* SERVFAIL, timeout, refused, bogus: ask again later */
};

struct dns_record {
    uint16_t preference; /* MX */
    struct str name;     /* MX exchange; target of NS, CNAME, PTR; SOA's first: lower case, no final
                            dot, ""     for the root */
    struct ip ip;        /* A, AAAA */
    struct str bytes;    /* TXT: strings joined; TLSA: as it is */
};

struct dns_answer {
    enum dns_status status;
    bool secure; /* DNSSEC-validated */
    uint32_t ttl_s;
    struct dns_record *records; /* at most DNS_RECORDS_MAX */
    size_t count;
    struct str why; /* for people, when DNS_TEMP: "timeout", "bogus: …" */
};

#define DNS_RECORDS_MAX 200

struct dns_options {
    const struct endpoint
        *servers; /* forwarders; none: the system's resolv.conf; with recursion: the roots */
    size_t server_count;
    bool recursive;                /* ask the roots ourselves */
    const char *trust_anchor_file; /* NULL: no validation */
};

struct dns;
/* Starts the library's thread: before confinement. */
MUST_USE bool dns_new(const struct dns_options *o, struct dns **ret, struct err *err);
void dns_free(struct dns *d);
/* False only for ERR_TIMEOUT of our own deadline or ERR_CANCELLED; everything that DNS says is in
 * *ret. Malformed records are DNS_TEMP (fault S04). CNAMEs are followed by the resolver. Waits. */
MUST_USE bool dns_lookup(struct dns *d, struct str name, enum dns_type type, int64_t deadline_ms,
                         struct arena *a, struct dns_answer *ret, struct err *err);
