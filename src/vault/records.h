// SPDX-License-Identifier: Apache-2.0
/* vault/records.h - what the owner of a domain is to publish in DNS, and in which words and forms:
 * zone file, text, the JSON that Cloudflare's and Route 53's interfaces take. Pure.
 *
 * Nothing here is published by us: the owner pastes it, or an operator's own tool loads it. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "vault/control_domains.h"

/* MUST: without it nothing is proved or signed. KEEP: an old key, wanted for some days yet. REMOVE:
 * it may go. SHOULD: receivers look for it. MAY: mail programs do. */
enum record_need { RECORD_MUST = 1, RECORD_KEEP, RECORD_REMOVE, RECORD_SHOULD, RECORD_MAY };

struct record {
    enum record_need need;
    const char *type;       /* TXT, MX, SRV */
    struct str name, value; /* name without final dot; TXT's value unquoted, in one piece */
    struct str state;       /* found: proved, pending, active, … or unknown */
    struct str why;         /* for people */
};

/* What is known of a domain. */
struct records_key {
    struct str selector, record, why;
    enum key_state state;
    bool may_go; /* KEY_RETIRING, and its time is over */
};
struct records_about {
    struct str domain, relay, account; /* relay, account: of the proof record */
    struct str hostname;               /* of this relay */
    enum grant_method method;
    enum grant_state state;
    struct str why;
    uint32_t facts; /* enum domain_fact */
    const struct records_key *keys;
    size_t key_count;
    const struct str *return_domains; /* of streams, at or below the domain */
    size_t return_domain_count;
    uint16_t submission_port, submissions_port; /* 0: none */
};
/* In the arena. The proof record stands among them for every method, since the owner can lock
 * others out with it. */
void records_of(const struct records_about *about, struct arena *a, struct record **ret,
                size_t *ret_count);
enum record_form {
    RECORD_FORM_JSON, /* an object a record, rows of the API */
    RECORD_FORM_TEXT,
    RECORD_FORM_ZONE,       /* RFC 1035 §5.1; what is only advised stands in comments */
    RECORD_FORM_CLOUDFLARE, /* body of POST …/dns_records/batch */
    RECORD_FORM_ROUTE53,    /* change batch; CREATE, so that it overwrites nothing */
};
/* "": json. ERR_SYNTAX names the forms there are. */
MUST_USE bool record_form_of(struct str word, enum record_form *ret, struct err *err);

/* Calls `line` for each line of the form, without its end; RECORD_FORM_JSON: a line is one object.
 */
void records_write(enum record_form form, const struct record *records, size_t count,
                   void (*line)(void *arg, struct str text), void *arg);
