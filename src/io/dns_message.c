// SPDX-License-Identifier: Apache-2.0
/* io/dns_message.c - writing questions, reading answers.
 *
 * The whole packet is walked, the sections that nobody asked for as well: what is damaged behind
 * the answer was not made by a name server. Only records of the very name that was asked count;
 * where an alias leads is for the caller to ask, of servers that may speak for it. */
#include "io/dns_message.h"

#define HEADER_BYTES 12
#define NAME_WIRE_MAX 255
#define LABEL_MAX 63
#define CLASS_IN 1
#define TYPE_OPT 41
#define RCODE_OK 0
#define RCODE_FORMERR 1
#define RCODE_NO_NAME 3
#define RCODE_NOTIMP 4
#define POINTERS_MAX 127 /* each must lead further back, but a packet is long */

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };

/* A cursor over the packet; `bad` stays set once something was read past the end. */
struct reader {
    struct str packet;
    size_t at;
    bool bad;
};

/* A name without pointers, as it stands on the wire. */
struct wire_name {
    char bytes[NAME_WIRE_MAX];
    size_t len;
};

struct record_head {
    struct wire_name owner;
    uint16_t type, klass;
    uint32_t ttl_s;
    size_t data_at, data_len;
};

static uint8_t byte_at(struct str s, size_t at)
{
    return (uint8_t)s.ptr[at];
}

static uint32_t take_number(struct reader *r, size_t bytes)
{
    uint32_t number = 0;

    if (r->bad || r->packet.len - r->at < bytes) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | byte_at(r->packet, r->at++);
    return number;
}

/* Names
 * ----------------------------------------------------------------------------------------------
 */

/* Expands the name at *at, which then lies behind it. Pointers lead back to before the place where
 * the name, or the piece of it that they stand in, began: so none can lead in a circle. */
static bool name_expand(struct str packet, size_t *at, struct wire_name *ret)
{
    size_t from = *at, begun = *at, behind = 0;
    unsigned pointers = 0;

    ret->len = 0;
    for (;;) {
        if (from >= packet.len)
            return false;
        uint8_t len = byte_at(packet, from);
        if (len > LABEL_MAX) {
            if (len < 0xc0 || packet.len - from < 2 || ++pointers > POINTERS_MAX)
                return false;
            behind = behind ? behind : from + 2;
            from = (size_t)(len & 0x3f) << 8 | byte_at(packet, from + 1);
            if (from >= begun)
                return false;
            begun = from;
            continue;
        }
        if (packet.len - from <= len || ret->len + len + 1u > NAME_WIRE_MAX)
            return false;
        memcpy(ret->bytes + ret->len, packet.ptr + from, len + 1u);
        ret->len += len + 1u;
        from += len + 1u;
        if (len == 0)
            break;
    }
    *at = behind ? behind : from;
    return true;
}

static void take_name(struct reader *r, struct wire_name *ret)
{
    ret->len = 0;
    if (!r->bad && !name_expand(r->packet, &r->at, ret))
        r->bad = true;
}

static struct str name_str(const struct wire_name *n)
{
    return str_make(n->bytes, n->len);
}

/* dns_name_ok() has said that it fits. */
static void name_write(struct wire_name *to, struct str name)
{
    struct str label;

    to->len = 0;
    while (str_next(&name, '.', &label)) {
        to->bytes[to->len++] = (char)label.len;
        memcpy(to->bytes + to->len, label.ptr, label.len);
        to->len += label.len;
    }
    to->bytes[to->len++] = '\0';
}

/* Questions
 * ------------------------------------------------------------------------------------------
 */

static void add_number(struct buf *to, unsigned number)
{
    (void)buf_add_char(to, (char)(number >> 8));
    (void)buf_add_char(to, (char)number);
}

bool dns_question_write(struct buf *to, const struct dns_question *q)
{
    struct wire_name name;
    const unsigned counts[] = { 1, 0, 0, q->plain ? 0 : 1 };

    name_write(&name, q->name);
    add_number(to, q->id);
    add_number(to, /* flags: a plain query */ 0);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        add_number(to, counts[i]);
    (void)buf_add(to, name_str(&name));
    add_number(to, q->type);
    add_number(to, CLASS_IN);
    if (q->plain)
        return buf_ok(to);
    /* OPT (RFC 6891 §6.1): the root, our datagrams' size, neither flags nor options. */
    (void)buf_add_char(to, '\0');
    add_number(to, TYPE_OPT);
    add_number(to, DNS_UDP_BYTES_MAX);
    for (size_t i = 0; i < 3; i++)
        add_number(to, 0);
    return buf_ok(to);
}

/* Behind the id: QR, opcode QUERY; one question, which is ours. */
bool dns_message_answers(struct str packet, const struct dns_question *q)
{
    struct reader r = { .packet = packet };
    struct wire_name asked, name;

    name_write(&asked, q->name);
    bool same_id = take_number(&r, 2) == q->id;
    bool response = (take_number(&r, 2) & 0xf800) == 0x8000;
    bool one = take_number(&r, 2) == 1;
    (void)take_number(&r, 6);
    take_name(&r, &name);
    bool same_type = take_number(&r, 2) == (uint32_t)q->type;
    bool internet = take_number(&r, 2) == CLASS_IN;
    return !r.bad && same_id && response && one && same_type && internet &&
           str_eq_nocase(name_str(&name), name_str(&asked));
}

/* Records
 * --------------------------------------------------------------------------------------------
 */

static bool head_read(struct reader *r, struct record_head *ret)
{
    take_name(r, &ret->owner);
    ret->type = (uint16_t)take_number(r, 2);
    ret->klass = (uint16_t)take_number(r, 2);
    ret->ttl_s = take_number(r, 4);
    ret->data_len = take_number(r, 2);
    ret->data_at = r->at;
    if (r->bad || r->packet.len - r->at < ret->data_len)
        return false;
    r->at += ret->data_len;
    return true;
}

/* How much plain data stands before and behind the one name that may be compressed in these types
 * (RFC 3597 §4); false: there is none. */
static bool name_within(enum dns_type type, size_t *ret_before)
{
    *ret_before = type == DNS_MX ? 2 : 0;
    return type == DNS_NS || type == DNS_CNAME || type == DNS_PTR || type == DNS_MX;
}

/* The record's data with its names expanded. SOA is never asked for here, so it stays as it is. */
static bool data_expand(struct str packet, const struct record_head *h, enum dns_type type,
                        struct buf *to)
{
    struct wire_name name;
    size_t before, at = h->data_at, end = h->data_at + h->data_len;

    if (!name_within(type, &before))
        return buf_add(to, str_sub(packet, at, h->data_len));
    if (h->data_len <= before)
        return false;
    (void)buf_add(to, str_sub(packet, at, before));
    at += before;
    if (!name_expand(packet, &at, &name) || at != end)
        return false;
    return buf_add(to, name_str(&name));
}

static bool record_take(struct str packet, const struct record_head *h, enum dns_type type,
                        struct arena *a, struct dns_record *ret, struct err *err)
{
    struct buf data;

    buf_init(&data, DNS_MESSAGE_BYTES_MAX);
    bool ok = data_expand(packet, h, type, &data)
                  ? dns_record_read(type, buf_str(&data), a, ret, err)
                  : err_set(err, ERR_SYNTAX, "a record's name does not end where it should");
    buf_done(&data);
    return ok;
}

static bool alias_take(struct str packet, const struct record_head *h, struct arena *a,
                       struct dns_message *m, struct err *err)
{
    struct dns_record record;

    if (m->alias.len > 0)
        return err_set(err, ERR_SYNTAX, "two CNAME records at one name");
    if (!record_take(packet, h, DNS_CNAME, a, &record, err))
        return false;
    if (record.name.len == 0)
        return err_set(err, ERR_SYNTAX, "alias of the root");
    m->alias = record.name;
    return true;
}

static void ttl_lower(struct dns_answer *answer, uint32_t ttl_s)
{
    if (ttl_s > INT32_MAX) /* RFC 2181 §8 */
        ttl_s = 0;
    if (answer->ttl_s > ttl_s)
        answer->ttl_s = ttl_s;
}

/* Of the answer section. */
static bool answer_take(struct str packet, const struct record_head *h,
                        const struct dns_question *q, struct arena *a, struct dns_message *m,
                        struct err *err)
{
    if (h->type == q->type) {
        if (m->answer.count == DNS_RECORDS_MAX)
            return err_set(err, ERR_SYNTAX, "more than %d records", DNS_RECORDS_MAX);
        ttl_lower(&m->answer, h->ttl_s);
        return record_take(packet, h, q->type, a, &m->answer.records[m->answer.count++], err);
    }
    if (h->type != DNS_CNAME)
        return true; /* RRSIG and the like */
    ttl_lower(&m->answer, h->ttl_s);
    return alias_take(packet, h, a, m, err);
}

/* How long a "no" is good for: the last number of the SOA, at most its own time (RFC 2308 §5). */
static void negative_take(struct str packet, const struct record_head *h, struct dns_message *m)
{
    struct reader r = { .packet = str_sub(packet, 0, h->data_at + h->data_len) };

    if (h->type != DNS_SOA || h->data_len < 4)
        return;
    r.at = h->data_at + h->data_len - 4;
    ttl_lower(&m->answer, take_number(&r, 4));
    ttl_lower(&m->answer, h->ttl_s);
}

static bool section_read(struct reader *r, enum section section, size_t count,
                         const struct dns_question *q, struct arena *a, struct dns_message *m,
                         struct err *err)
{
    struct wire_name asked;
    struct record_head h;

    name_write(&asked, q->name);
    for (size_t i = 0; i < count; i++) {
        if (!head_read(r, &h))
            return err_set(err, ERR_SYNTAX, "record %zu of section %d ends early", i + 1, section);
        bool ours = h.klass == CLASS_IN && str_eq_nocase(name_str(&h.owner), name_str(&asked));
        if (section == SECTION_ANSWER && ours && !answer_take(r->packet, &h, q, a, m, err))
            return false;
        if (section == SECTION_AUTHORITY && m->answer.count == 0 && m->alias.len == 0)
            negative_take(r->packet, &h, m);
    }
    return true;
}

static const char *rcode_name(unsigned rcode)
{
    static const char *const names[] = { "NOERROR",  "FORMERR", "SERVFAIL",
                                         "NXDOMAIN", "NOTIMP",  "REFUSED" };

    return rcode < sizeof names / sizeof names[0] ? names[rcode] : "an unknown answer code";
}

static bool settle(struct dns_message *m, unsigned rcode, struct err *err)
{
    struct dns_answer *answer = &m->answer;

    if (m->alias.len > 0 && answer->count > 0)
        return err_set(err, ERR_SYNTAX, "CNAME beside other records");
    if (answer->ttl_s == UINT32_MAX)
        answer->ttl_s = 0;
    if (rcode == RCODE_OK || m->alias.len > 0)
        answer->status = DNS_OK; /* NXDOMAIN speaks of the end of a chain (RFC 6604 §3) */
    else if (rcode == RCODE_NO_NAME && answer->count > 0)
        return err_set(err, ERR_SYNTAX, "records of a name that does not exist");
    else
        answer->status = rcode == RCODE_NO_NAME ? DNS_NO_NAME : DNS_TEMP;
    if (answer->status == DNS_TEMP)
        answer->why = str_of(rcode_name(rcode));
    return true;
}

bool dns_message_read(struct str packet, const struct dns_question *q, struct arena *a,
                      struct dns_message *ret, struct err *err)
{
    struct reader r = { .packet = packet };
    struct dns_message m = { .answer.ttl_s = UINT32_MAX };
    struct wire_name asked;
    size_t counts[SECTIONS];

    (void)take_number(&r, 2);
    uint32_t flags = take_number(&r, 2);
    (void)take_number(&r, 2);
    for (size_t i = 0; i < SECTIONS; i++)
        counts[i] = take_number(&r, 2);
    take_name(&r, &asked);
    (void)take_number(&r, 4);
    if (r.bad)
        return err_set(err, ERR_SYNTAX, "shorter than its question");

    m.authoritative = flags & 0x0400;
    m.plain_wanted = (flags & 0xf) == RCODE_FORMERR || (flags & 0xf) == RCODE_NOTIMP;
    m.truncated = flags & 0x0200;
    if (m.truncated) {
        *ret = m;
        return true;
    }
    size_t records = counts[SECTION_ANSWER];
    m.answer.records =
        ARENA_ARRAY(a, struct dns_record, records < DNS_RECORDS_MAX ? records : DNS_RECORDS_MAX);
    for (size_t i = 0; i < SECTIONS; i++)
        if (!section_read(&r, (enum section)i, counts[i], q, a, &m, err))
            return false;
    if (r.at != packet.len)
        return err_set(err, ERR_SYNTAX, "%zu octets behind the last record", packet.len - r.at);
    if (!settle(&m, flags & 0xf, err))
        return false;
    *ret = m;
    return true;
}
