// SPDX-License-Identifier: Apache-2.0
/* io/dns_direct.h - one question to one name server, past the resolver and every cache: what does
 * this server say by itself? (F27) Which servers to ask, and what their answers mean, is resolve/'s
 * business. */
#pragma once

#include "io/dns.h"

struct dns_direct_question {
    struct endpoint server;
    struct str name;
    enum dns_type type; /* not DNS_SOA */
    bool once;          /* one try alone: of a server that said nothing lately */
    int64_t deadline_ms;
};

/* What became of it. */
enum dns_direct_end {
    DNS_DIRECT_ANSWERED,    /* answer, or alias */
    DNS_DIRECT_FAILED,      /* it said that it cannot tell, or nothing that can be believed; why */
    DNS_DIRECT_SILENT,      /* no answer in time */
    DNS_DIRECT_UNREACHABLE, /* this machine has no way there: it was not asked */
};

struct dns_direct_answer {
    enum dns_direct_end end;
    struct dns_answer answer; /* DNS_OK or DNS_NO_NAME when ANSWERED */
    struct str
        alias;      /* the name is an alias of this one (no records then), or empty: not followed */
    struct str why; /* for people, unless ANSWERED */
};

/* UDP, at most three times, with another id and port each time; TCP when the answer does not fit.
 * An answer that is not authoritative is FAILED: a server that only passes on what others say was
 * named by mistake. False: ERR_CANCELLED alone. Waits. */
MUST_USE bool dns_direct_ask(const struct dns_direct_question *q, struct arena *a,
                             struct dns_direct_answer *ret, struct err *err);
