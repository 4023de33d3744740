// SPDX-License-Identifier: Apache-2.0
/* wire/wire.c - the table of message types, and the check that holds every frame against it. */
#include "wire/wire.h"

#include <assert.h>

#define STRINGS_MAX 10
#define FROM(role) (1u << (role))

/* One row a type: how long its struct is, which of its members are strings, who may send it, who
 * may get it. */
struct wire_row {
    const char *name;
    uint16_t size;
    uint16_t strings[STRINGS_MAX]; /* offsets of wire_str members; 0 ends */
    uint32_t from, to;
};

#define S(type, member) offsetof(struct type, member)
#define ANY (~0u)
#define ANSWERERS                                                                  \
    (FROM(ROLE_CORE) | FROM(ROLE_VAULT) | FROM(ROLE_REPORT) | FROM(ROLE_RESOLVE) | \
     FROM(ROLE_DELIVER) | FROM(ROLE_SUPER))
#define TAKERS (FROM(ROLE_DELIVER) | FROM(ROLE_REPORT))
#define READERS (FROM(ROLE_CORE) | TAKERS)
#define WRITERS (FROM(ROLE_ACCEPT) | FROM(ROLE_CORE))
#define ROW(type, st, from_, to_, ...) \
    [type] = { #type, sizeof(struct st), { __VA_ARGS__ }, (from_), (to_) }

static const struct wire_row wire_rows[WIRE_TYPES] = {
    ROW(WIRE_SESSION_OPEN, wire_session_open, FROM(ROLE_ACCEPT), FROM(ROLE_VAULT), 0),
    ROW(WIRE_AUTH, wire_auth, FROM(ROLE_ACCEPT), FROM(ROLE_VAULT), S(wire_auth, user),
        S(wire_auth, secret)),
    ROW(WIRE_SESSION_CLOSE, wire_session_close, FROM(ROLE_ACCEPT),
        FROM(ROLE_VAULT) | FROM(ROLE_CORE), 0),
    ROW(WIRE_SESSION_BIND, wire_session_bind, FROM(ROLE_VAULT), FROM(ROLE_CORE),
        S(wire_session_bind, login), S(wire_session_bind, upstream),
        S(wire_session_bind, tenant_header)),
    ROW(WIRE_SESSION_CERT, wire_session_cert, FROM(ROLE_ACCEPT), FROM(ROLE_VAULT),
        S(wire_session_cert, fingerprint)),
    ROW(WIRE_AUTH_STEP, wire_auth_step, FROM(ROLE_ACCEPT), FROM(ROLE_VAULT),
        S(wire_auth_step, message)),
    ROW(WIRE_AUTH_CHALLENGE, wire_auth_challenge, FROM(ROLE_VAULT), FROM(ROLE_ACCEPT),
        S(wire_auth_challenge, message)),
    ROW(WIRE_AUTH_FAILED, wire_auth_failed, FROM(ROLE_VAULT), FROM(ROLE_ACCEPT),
        S(wire_auth_failed, text)),
    ROW(WIRE_SESSION_READY, wire_session_ready, FROM(ROLE_CORE), FROM(ROLE_ACCEPT),
        S(wire_session_ready, text), S(wire_session_ready, login)),
    ROW(WIRE_TX_ANSWER, wire_tx_answer, FROM(ROLE_CORE), FROM(ROLE_ACCEPT),
        S(wire_tx_answer, text)),
    ROW(WIRE_FORWARDS, wire_forwards, FROM(ROLE_CORE), FROM(ROLE_ACCEPT), S(wire_forwards, names)),
    ROW(WIRE_CREDIT, wire_credit, READERS, WRITERS, 0),
    ROW(WIRE_TX_BEGIN, wire_tx_begin, FROM(ROLE_ACCEPT), FROM(ROLE_CORE),
        S(wire_tx_begin, reverse_path), S(wire_tx_begin, envid), S(wire_tx_begin, helo)),
    ROW(WIRE_TX_RCPT, wire_tx_rcpt, FROM(ROLE_ACCEPT), FROM(ROLE_CORE), S(wire_tx_rcpt, address),
        S(wire_tx_rcpt, orcpt)),
    ROW(WIRE_TX_EDIT, wire_tx_edit, FROM(ROLE_ACCEPT), FROM(ROLE_CORE), S(wire_tx_edit, text)),
    ROW(WIRE_TX_CHUNK, wire_tx_chunk, FROM(ROLE_ACCEPT), FROM(ROLE_CORE), 0),
    ROW(WIRE_TX_END, wire_tx_end, FROM(ROLE_ACCEPT), FROM(ROLE_CORE), S(wire_tx_end, body_hash)),
    ROW(WIRE_TX_ABORT, wire_tx_abort, FROM(ROLE_ACCEPT), FROM(ROLE_CORE), 0),
    ROW(WIRE_SITE_ASK, wire_site_ask, FROM(ROLE_CORE), FROM(ROLE_RESOLVE),
        S(wire_site_ask, domain)),
    ROW(WIRE_SITE_ANSWER, wire_site_answer, FROM(ROLE_RESOLVE), FROM(ROLE_CORE),
        S(wire_site_answer, site), S(wire_site_answer, text)),
    ROW(WIRE_HOSTS_ASK, wire_hosts_ask, FROM(ROLE_DELIVER), FROM(ROLE_RESOLVE),
        S(wire_hosts_ask, name)),
    ROW(WIRE_HOST, wire_host, FROM(ROLE_RESOLVE), FROM(ROLE_DELIVER), S(wire_host, name)),
    ROW(WIRE_HOSTS_ANSWER, wire_hosts_answer, FROM(ROLE_RESOLVE), FROM(ROLE_DELIVER),
        S(wire_hosts_answer, text)),
    ROW(WIRE_JOB, wire_job, FROM(ROLE_CORE), TAKERS, S(wire_job, site), S(wire_job, domain),
        S(wire_job, reverse_path), S(wire_job, envid), S(wire_job, body_hash)),
    ROW(WIRE_JOB_SIGN, wire_job_sign, FROM(ROLE_CORE), TAKERS, S(wire_job_sign, domain),
        S(wire_job_sign, selector)),
    ROW(WIRE_SIGN_ASK, wire_sign_ask, FROM(ROLE_DELIVER), FROM(ROLE_CORE), S(wire_sign_ask, hash)),
    ROW(WIRE_JOB_SIGNED, wire_job_signed, FROM(ROLE_CORE), FROM(ROLE_DELIVER),
        S(wire_job_signed, signature), S(wire_job_signed, text)),
    ROW(WIRE_SIGN, wire_sign, FROM(ROLE_CORE), FROM(ROLE_VAULT), S(wire_sign, hash)),
    ROW(WIRE_SIGNED, wire_signed, FROM(ROLE_VAULT), FROM(ROLE_CORE), S(wire_signed, signature),
        S(wire_signed, text)),
    ROW(WIRE_DNS_ASK, wire_dns_ask, FROM(ROLE_VAULT), FROM(ROLE_RESOLVE), S(wire_dns_ask, name)),
    ROW(WIRE_DNS_SERVER, wire_dns_server, FROM(ROLE_RESOLVE), FROM(ROLE_VAULT),
        S(wire_dns_server, name)),
    ROW(WIRE_DNS_VALUE, wire_dns_value, FROM(ROLE_RESOLVE), FROM(ROLE_VAULT),
        S(wire_dns_value, value)),
    ROW(WIRE_DNS_END, wire_dns_end, FROM(ROLE_RESOLVE), FROM(ROLE_VAULT), S(wire_dns_end, text)),
    ROW(WIRE_SPF_ASK, wire_spf_ask, FROM(ROLE_VAULT), FROM(ROLE_RESOLVE), S(wire_spf_ask, domain)),
    ROW(WIRE_SPF_ANSWER, wire_spf_answer, FROM(ROLE_RESOLVE), FROM(ROLE_VAULT),
        S(wire_spf_answer, text)),
    ROW(WIRE_DIRECTORY_BEGIN, wire_directory_begin, FROM(ROLE_VAULT), FROM(ROLE_CORE),
        S(wire_directory_begin, secret)),
    ROW(WIRE_DIRECTORY_ACCOUNT, wire_directory_account, FROM(ROLE_VAULT), FROM(ROLE_CORE),
        S(wire_directory_account, name), S(wire_directory_account, rewrite_from),
        S(wire_directory_account, forward_domain)),
    ROW(WIRE_DIRECTORY_STREAM, wire_directory_stream, FROM(ROLE_VAULT), FROM(ROLE_CORE),
        S(wire_directory_stream, name), S(wire_directory_stream, domain),
        S(wire_directory_stream, return_domain)),
    ROW(WIRE_DIRECTORY_DOMAIN, wire_directory_domain, FROM(ROLE_VAULT), FROM(ROLE_CORE),
        S(wire_directory_domain, name), S(wire_directory_domain, local)),
    ROW(WIRE_DIRECTORY_KEY, wire_directory_key, FROM(ROLE_VAULT), FROM(ROLE_CORE),
        S(wire_directory_key, domain), S(wire_directory_key, selector)),
    ROW(WIRE_DIRECTORY_TENANT, wire_directory_tenant, FROM(ROLE_VAULT), FROM(ROLE_CORE),
        S(wire_directory_tenant, upstream), S(wire_directory_tenant, value)),
    ROW(WIRE_DIRECTORY_GONE, wire_directory_gone, FROM(ROLE_VAULT), FROM(ROLE_CORE), 0),
    ROW(WIRE_DIRECTORY_END, wire_directory_end, FROM(ROLE_VAULT), FROM(ROLE_CORE), 0),
    ROW(WIRE_JOB_RCPT, wire_job_rcpt, FROM(ROLE_CORE), TAKERS, S(wire_job_rcpt, address),
        S(wire_job_rcpt, orcpt)),
    ROW(WIRE_JOB_EDIT, wire_job_edit, FROM(ROLE_CORE), TAKERS, S(wire_job_edit, text)),
    ROW(WIRE_JOB_GO, wire_job_go, FROM(ROLE_CORE), TAKERS, 0),
    ROW(WIRE_JOB_CONTENT, wire_job_content, FROM(ROLE_CORE), TAKERS, 0),
    ROW(WIRE_SITE_LIMIT, wire_site_limit, FROM(ROLE_CORE), TAKERS, S(wire_site_limit, site)),
    ROW(WIRE_JOB_CANCEL, wire_job_cancel, FROM(ROLE_CORE), TAKERS, 0),
    ROW(WIRE_JOB_MORE, wire_job_more, TAKERS, FROM(ROLE_CORE), 0),
    ROW(WIRE_RESULT_RCPT, wire_result_rcpt, TAKERS, FROM(ROLE_CORE), S(wire_result_rcpt, host),
        S(wire_result_rcpt, text)),
    ROW(WIRE_RESULT, wire_result, TAKERS, FROM(ROLE_CORE), 0),
    ROW(WIRE_EVENT, wire_event, FROM(ROLE_CORE), FROM(ROLE_REPORT), S(wire_event, bytes)),
    ROW(WIRE_EVENTS_FROM, wire_events_from, FROM(ROLE_REPORT), FROM(ROLE_CORE), 0),
    ROW(WIRE_EVENTS_ACK, wire_events_ack, FROM(ROLE_REPORT), FROM(ROLE_CORE), 0),
    ROW(WIRE_ADMIN, wire_admin, FROM(ROLE_WEB), ANSWERERS, S(wire_admin, actor),
        S(wire_admin, name), S(wire_admin, account), S(wire_admin, from), S(wire_admin, to),
        S(wire_admin, site), S(wire_admin, state), S(wire_admin, reason), S(wire_admin, settings)),
    ROW(WIRE_ADMIN_ROW, wire_admin_row, ANSWERERS, FROM(ROLE_WEB), S(wire_admin_row, json)),
    ROW(WIRE_ADMIN_END, wire_admin_end, ANSWERERS, FROM(ROLE_WEB), S(wire_admin_end, text)),
    ROW(WIRE_GATE, wire_gate, FROM(ROLE_VAULT), FROM(ROLE_CORE) | FROM(ROLE_ACCEPT), 0),
    ROW(WIRE_ROLE_START, wire_role_start, FROM(ROLE_SUPER), ANY, 0),
    ROW(WIRE_ROLE_READY, wire_role_ready, ANY, FROM(ROLE_SUPER), S(wire_role_ready, state)),
    ROW(WIRE_ROLE_LINK, wire_role_link, FROM(ROLE_SUPER), ANY, 0),
    ROW(WIRE_ROLE_RELOAD, wire_role_reload, FROM(ROLE_SUPER), ANY, 0),
    ROW(WIRE_ROLE_DRAIN, wire_role_drain, FROM(ROLE_SUPER), ANY, 0),
    ROW(WIRE_ROLE_DRAINED, wire_role_drained, ANY, FROM(ROLE_SUPER), 0),
    ROW(WIRE_ROLE_STATUS, wire_role_status, ANY, ANY, S(wire_role_status, json)),
    ROW(WIRE_ROLE_LINKED, wire_role_linked, ANY, FROM(ROLE_SUPER), 0),
    ROW(WIRE_ROLE_LOG, wire_role_log, FROM(ROLE_SUPER), ANY, 0),
};

static const struct wire_row *row_find(uint8_t type)
{
    if (type >= WIRE_TYPES || wire_rows[type].size == 0)
        return NULL;
    return &wire_rows[type];
}

const char *wire_type_name(enum wire_type type)
{
    const struct wire_row *row = (unsigned)type < WIRE_TYPES ? row_find((uint8_t)type) : NULL;
    return row ? row->name : "unknown type";
}

/* Every string lies behind the struct and inside the frame. */
static bool strings_ok(const struct frame *f, const struct wire_row *row)
{
    for (size_t i = 0; i < STRINGS_MAX && row->strings[i] != 0; i++) {
        struct wire_str s;
        memcpy(&s, (const char *)f + row->strings[i], sizeof s);
        if (s.len != 0 && (s.at < row->size || (size_t)s.at + s.len > f->len))
            return false;
    }
    return true;
}

bool wire_check(const struct frame *f, enum role_kind from, enum role_kind to, struct err *err)
{
    const struct wire_row *row = row_find(f->type);

    if (!row)
        return err_set(err, ERR_SYNTAX, "frame of unknown type %u from %s", f->type,
                       role_name(from));
    /* What starts and ends roles is super's on one side; a role that says it to another is broken.
     */
    bool of_super = f->type >= WIRE_ROLE_START && f->type <= WIRE_ROLE_LOG;
    if (!(row->from & FROM(from)) || !(row->to & FROM(to)) ||
        (of_super && from != ROLE_SUPER && to != ROLE_SUPER))
        return err_set(err, ERR_SYNTAX, "%s is not for %s to send to %s", row->name,
                       role_name(from), role_name(to));
    if (f->len < row->size || f->flags != 0)
        return err_set(err, ERR_SYNTAX, "%s from %s has %u bytes, %u at least", row->name,
                       role_name(from), f->len, row->size);
    if (!strings_ok(f, row))
        return err_set(err, ERR_SYNTAX, "%s from %s: a string lies outside the frame", row->name,
                       role_name(from));
    return true;
}

void *wire_add(struct channel *c, enum wire_type type, size_t strings)
{
    const struct wire_row *row = row_find((uint8_t)type);

    assert(row && row->size + strings <= FRAME_BYTES_MAX);
    /* Until wire_put() moves it on, `spare` in the head says where the next string goes. */
    struct frame *f = channel_add(c, (uint8_t)type, row->size + strings);
    f->spare = row->size;
    return f;
}

void wire_put(void *frame, struct wire_str *field, struct str text)
{
    struct frame *f = frame;

    assert(f->spare + text.len <= f->len);
    if (text.len > 0)
        memcpy((char *)frame + f->spare, text.ptr, text.len);
    *field = (struct wire_str){ .at = (uint16_t)f->spare, .len = (uint16_t)text.len };
    f->spare += (uint32_t)text.len;
}

struct wire_ip wire_ip_of(const struct ip *ip, uint16_t port)
{
    struct wire_ip w = { .family = ip->family, .port = port };
    memcpy(w.bytes, ip->bytes, sizeof w.bytes);
    return w;
}

struct ip wire_ip_get(const struct wire_ip *w)
{
    if (w->family == 4)
        return ip_make4(w->bytes);
    if (w->family == 6)
        return ip_make6(w->bytes);
    return (struct ip){ 0 };
}
