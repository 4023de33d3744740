// SPDX-License-Identifier: Apache-2.0
/* mail/spf_check.h - one spf_check() under way: what spf.c (records), spf_match.c (mechanisms) and
 * spf_dns.c (questions, and how many) share. Nobody else includes this.
 *
 * Everything that a record can make us do is bounded (RFC 7208 §4.6.4, fault S07): terms that ask
 * DNS, names of MX and PTR, answers that hold nothing. The bounds hold for the whole check, so they
 * also end records that lead to themselves. */
#pragma once

#include "mail/spf_record.h"

#define SPF_NAME_BYTES_MAX 253

struct spf_checking {
    const struct spf_ask *ask;
    const struct spf_dns *dns;
    struct arena *arena;
    struct err *err;
    struct str local, sender_domain;
    unsigned lookups, voids;
    unsigned includes;         /* that we are within: their words are not the domain's (§6.2) */
    struct spf_answer *answer; /* why, mechanism and domain of what decided */
};

/* How evaluating a term, or a whole record, ended where it did not just end. */
enum spf_end {
    SPF_END_NO, /* no match */
    SPF_END_MATCH,
    SPF_END_TEMPERROR, /* answer->why is set, as with the next one */
    SPF_END_PERMERROR,
    SPF_END_CANCELLED,
};

/* --- spf_dns.c --- */

/* Both leave why and return their own end. */
enum spf_end spf_temperror(struct spf_checking *c, struct str name);
enum spf_end spf_permerror(struct spf_checking *c, struct str why);
/* False for a name that cannot exist: too long, an empty label, one over 63 octets. */
bool spf_name_ok(struct str name);
struct str spf_without_dot(struct str name);
bool spf_is_below(struct str name, struct str domain);
/* A or AAAA, as the client's address is. */
enum spf_rr spf_own_family(const struct spf_checking *c);
/* NO or CANCELLED. A name that cannot exist does not, without asking. */
enum spf_end spf_ask_dns(struct spf_checking *c, enum spf_rr type, struct str name,
                         struct spf_rr_answer *ret);
/* One more term that asks DNS: NO or PERMERROR. */
enum spf_end spf_count_lookup(struct spf_checking *c);
/* For a term's own questions: an answer that holds nothing is counted, a failure ends the check. */
enum spf_end spf_ask_counted(struct spf_checking *c, enum spf_rr type, struct str name,
                             struct spf_rr_answer *ret);
/* The names of the address's PTR records that lead back to it (§5.5), into *names, which has room
 * for SPF_NAMES_MAX. What DNS fails to tell is as if it were not there. NO, PERMERROR, CANCELLED.
 */
enum spf_end spf_names_validated(struct spf_checking *c, bool counted, struct str *names,
                                 size_t *ret_count);

/* --- spf_match.c --- */

/* A macro-string with its macros expanded, in the arena. NO, PERMERROR (it became longer than
 * anything is), CANCELLED. */
enum spf_end spf_expand(struct spf_checking *c, struct str domain, struct str spec,
                        struct str *ret);
/* The <target-name> of a term (§4.8), too long ones cut at the left, label by label (§7.3). */
enum spf_end spf_target_name(struct spf_checking *c, struct str domain, struct str spec,
                             struct str *ret);
enum spf_end spf_match(struct spf_checking *c, const struct spf_directive *d, struct str domain);

/* --- spf.c --- */

/* NO with *ret, or CANCELLED. */
enum spf_end spf_check_host(struct spf_checking *c, struct str domain, enum spf_result *ret);
