// SPDX-License-Identifier: Apache-2.0
/* mail/spf.h - may this address send for that domain? Sender Policy Framework, the whole of RFC
 * 7208.
 *
 * Pure: DNS is asked through a callback, which may wait; time is handed in. What a result means for
 * the message is for others. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"

/* RFC 7208 §2.6, from what is best for the sender to what is worst: of several addresses the
 * highest counts. What DNS did not tell today may be a pass, so it comes before everything that is
 * none. */
enum spf_result {
    SPF_PASS = 1,
    SPF_TEMPERROR,
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_SOFTFAIL,
    SPF_PERMERROR,
    SPF_FAIL,
};
/* "pass", "temperror", … (RFC 8601 §2.7.2). */
const char *spf_result_name(enum spf_result result);

/* RFC 7208 §4.6.4; fault S07. */
#define SPF_LOOKUPS_MAX 10
#define SPF_VOIDS_MAX 2
#define SPF_NAMES_MAX 10 /* of MX and of PTR records */

/* --- what it asks DNS --- */

enum spf_rr { SPF_RR_A, SPF_RR_AAAA, SPF_RR_MX, SPF_RR_PTR, SPF_RR_TXT };
enum spf_rr_status { SPF_RR_FOUND /* perhaps no record */, SPF_RR_NO_NAME, SPF_RR_TEMP };
struct spf_rr_answer {
    enum spf_rr_status status;
    const struct ip *ips;    /* A, AAAA */
    const struct str *texts; /* MX and PTR: names; TXT: strings joined */
    size_t count;
};
struct spf_dns {
    /* False: the check ends, and says so. Values lie in the arena. May wait. */
    bool (*ask)(void *arg, enum spf_rr type, struct str name, struct arena *a,
                struct spf_rr_answer *ret, struct err *err);
    void *arg;
};

/* --- checking --- */

struct spf_ask {
    struct ip ip;        /* who connected */
    struct str helo;     /* and how it greeted */
    struct str local;    /* of MAIL FROM; empty: postmaster (§4.3) */
    struct str domain;   /* of MAIL FROM, A-labels; empty: that of HELO (§2.4) */
    struct str receiver; /* %{r}: our own name; empty: "unknown" */
    int64_t now_s;       /* %{t} */
};

/* Values lie in the arena. */
struct spf_answer {
    enum spf_result result;
    struct str domain;      /* whose record decided */
    struct str mechanism;   /* the term that matched, as it is written; empty: none did */
    struct str why;         /* for people */
    struct str explanation; /* the domain's own words on a fail (exp=), printable ASCII; or empty */
    unsigned lookups, voids;
};

/* check_host() of RFC 7208 §4. False: dns->ask was false. Waits if that does. */
MUST_USE bool spf_check(const struct spf_ask *ask, const struct spf_dns *dns, struct arena *a,
                        struct spf_answer *ret, struct err *err);
