// SPDX-License-Identifier: Apache-2.0
/* io/dns_message.h - the packets of DNS (RFC 1035 §4, RFC 6891): a question as bytes, and the
 * answer to it as a value. Pure. For questions to one server; what libunbound asks it packs itself.
 *
 * Reading is strict (faults S04, S05): a packet that does not answer the question at hand is
 * nobody's, one that does and is damaged anywhere says nothing. Names are expanded here, pointers
 * only ever leading back, and each record's data goes through dns_record_read() as everybody
 * else's. */
#pragma once

#include "base/buf.h"
#include "io/dns_record.h"

/* What fits through every path unfragmented (DNS flag day 2020). */
#define DNS_UDP_BYTES_MAX 1232
#define DNS_MESSAGE_BYTES_MAX 65535
/* Header, name, type and class, OPT. */
#define DNS_QUESTION_BYTES_MAX (12 + 255 + 4 + 11)

struct dns_question {
    uint16_t id;
    enum dns_type type;
    struct str name; /* dns_name_ok() */
    bool plain;      /* without EDNS: then an answer over 512 octets comes truncated */
};

/* No recursion is asked for: who answers answers of its own. */
bool dns_question_write(struct buf *to, const struct dns_question *q);

/* Id, question and direction fit: the packet was made for `q`. Everything else is ignored. */
bool dns_message_answers(struct str packet, const struct dns_question *q);

struct dns_message {
    bool truncated;     /* ask again over TCP; nothing else was read */
    bool authoritative; /* AA */
    bool plain_wanted;  /* FORMERR, NOTIMP: it may be EDNS that it does not know (RFC 6891 §7) */
    struct dns_answer answer; /* of the name and type asked; DNS_TEMP with why when it failed */
    struct str alias; /* the name is an alias (CNAME) of this one: then no records; or empty */
};

/* A packet for which dns_message_answers(). Values lie in the arena. ERR_SYNTAX: damaged. */
MUST_USE bool dns_message_read(struct str packet, const struct dns_question *q, struct arena *a,
                               struct dns_message *ret, struct err *err);
