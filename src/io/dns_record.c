// SPDX-License-Identifier: Apache-2.0
/* io/dns_record.c - readers of record data: RFC 1035 §3.3, RFC 3596 (AAAA), RFC 6698 (TLSA).
 *
 * The library hands over data whose names are uncompressed already, so a compression pointer is as
 * wrong here as any other damage. Every length is compared with what is left before a byte is
 * touched (fault S04). */
#include "io/dns_record.h"

#define LABEL_MAX 63
#define NAME_WIRE_MAX 255
#define SOA_NUMBERS_BYTES 20

static uint8_t byte_at(struct str s, size_t at)
{
    return (uint8_t)s.ptr[at];
}

static bool label_byte_ok(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '.' && c != '\\';
}

static bool label_ok(struct str label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!label_byte_ok(byte_at(label, i)))
            return false;
    return true;
}

bool dns_name_read(struct str *wire, struct arena *a, struct str *ret, struct err *err)
{
    char text[NAME_WIRE_MAX];
    size_t len = 0, used = 0;

    for (;;) {
        if (used >= wire->len)
            return err_set(err, ERR_SYNTAX, "name ends early");
        uint8_t label_len = byte_at(*wire, used++);
        if (label_len == 0)
            break;
        if (label_len > LABEL_MAX)
            return err_set(err, ERR_SYNTAX, "name holds a pointer or a reserved label");
        struct str label = str_sub(*wire, used, label_len);
        if (label.len != label_len)
            return err_set(err, ERR_SYNTAX, "label ends early");
        if (used + label_len >= NAME_WIRE_MAX)
            return err_set(err, ERR_SYNTAX, "name over 255 octets");
        if (!label_ok(label))
            return err_set(err, ERR_SYNTAX, "name holds a byte that no host name has");
        if (len > 0)
            text[len++] = '.';
        for (size_t i = 0; i < label.len; i++)
            text[len++] = ascii_lower(label.ptr[i]);
        used += label_len;
    }
    *wire = str_skip(*wire, used);
    *ret = arena_str(a, str_make(text, len));
    return true;
}

static bool a_read(struct str data, struct dns_record *r, struct err *err)
{
    if (data.len != 4)
        return err_set(err, ERR_SYNTAX, "A of %zu octets", data.len);
    r->ip = ip_make4((const uint8_t *)data.ptr);
    return true;
}

static bool aaaa_read(struct str data, struct dns_record *r, struct err *err)
{
    if (data.len != 16)
        return err_set(err, ERR_SYNTAX, "AAAA of %zu octets", data.len);
    r->ip = ip_make6((const uint8_t *)data.ptr);
    return true;
}

static bool name_only_read(struct str data, struct arena *a, struct dns_record *r, struct err *err)
{
    if (!dns_name_read(&data, a, &r->name, err))
        return false;
    if (data.len > 0)
        return err_set(err, ERR_SYNTAX, "%zu octets behind the name", data.len);
    return true;
}

static bool mx_read(struct str data, struct arena *a, struct dns_record *r, struct err *err)
{
    if (data.len < 3)
        return err_set(err, ERR_SYNTAX, "MX of %zu octets", data.len);
    r->preference = (uint16_t)(byte_at(data, 0) << 8 | byte_at(data, 1));
    return name_only_read(str_skip(data, 2), a, r, err);
}

/* Two names and five numbers (RFC 1035 §3.3.13). The mailbox may hold any byte, so it is stepped
 * over: nobody asks for it. */
static bool soa_read(struct str data, struct arena *a, struct dns_record *r, struct err *err)
{
    size_t at = 0;

    if (!dns_name_read(&data, a, &r->name, err))
        return false;
    while (at < data.len && byte_at(data, at) > 0 && byte_at(data, at) <= LABEL_MAX)
        at += 1u + byte_at(data, at);
    if (at >= data.len || byte_at(data, at) != 0)
        return err_set(err, ERR_SYNTAX, "SOA whose mailbox does not end");
    if (data.len - at - 1 != SOA_NUMBERS_BYTES)
        return err_set(err, ERR_SYNTAX, "SOA with %zu octets of numbers", data.len - at - 1);
    return true;
}

/* The strings joined without a space between: what SPF and DKIM mean by a record (RFC 7208 §3.3,
 * RFC 6376 §3.6.2.2). */
static bool txt_read(struct str data, struct arena *a, struct dns_record *r, struct err *err)
{
    if (data.len == 0 || data.len > DNS_TXT_BYTES_MAX)
        return err_set(err, ERR_SYNTAX, "TXT of %zu octets", data.len);

    char *text = arena_alloc(a, data.len);
    size_t len = 0;
    while (data.len > 0) {
        size_t want = byte_at(data, 0);
        struct str part = str_sub(data, 1, want);
        if (part.len != want)
            return err_set(err, ERR_SYNTAX, "TXT string ends early");
        if (want > 0)
            memcpy(text + len, part.ptr, want);
        len += want;
        data = str_skip(data, 1 + want);
    }
    r->bytes = str_make(text, len);
    return true;
}

/* Usage, selector, matching type and at least one octet (RFC 6698 §2.1). */
static bool tlsa_read(struct str data, struct arena *a, struct dns_record *r, struct err *err)
{
    if (data.len < 4)
        return err_set(err, ERR_SYNTAX, "TLSA of %zu octets", data.len);
    r->bytes = arena_str(a, data);
    return true;
}

bool dns_record_read(enum dns_type type, struct str data, struct arena *a, struct dns_record *ret,
                     struct err *err)
{
    struct dns_record r = { 0 };
    bool ok = false;

    switch (type) {
    case DNS_A:
        ok = a_read(data, &r, err);
        break;
    case DNS_AAAA:
        ok = aaaa_read(data, &r, err);
        break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        ok = name_only_read(data, a, &r, err);
        break;
    case DNS_SOA:
        ok = soa_read(data, a, &r, err);
        break;
    case DNS_MX:
        ok = mx_read(data, a, &r, err);
        break;
    case DNS_TXT:
        ok = txt_read(data, a, &r, err);
        break;
    case DNS_TLSA:
        ok = tlsa_read(data, a, &r, err);
        break;
    }
    if (ok)
        *ret = r;
    return ok;
}

bool dns_name_ok(struct str name)
{
    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len > DNS_NAME_TEXT_MAX)
        return false;

    size_t label_len = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '.') {
            if (label_len == 0)
                return false;
            label_len = 0;
        } else if (++label_len > LABEL_MAX || !label_byte_ok(byte_at(name, i))) {
            return false;
        }
    }
    return label_len > 0;
}
