// SPDX-License-Identifier: Apache-2.0
/* base/ip.c - addresses and networks from text and back (RFC 4291 §2.2, RFC 5952), and which of
 * them are public. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/mem.h"

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */

static unsigned bits_of(const struct ip *ip)
{
    return ip->family == 4 ? 32 : ip->family == 6 ? 128 : 0;
}

struct ip ip_make4(const uint8_t bytes[4])
{
    struct ip ip = { .family = 4 };

    memcpy(ip.bytes, bytes, 4);
    return ip;
}

struct ip ip_make6(const uint8_t bytes[16])
{
    struct ip ip = { .family = 6 };

    if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
        return ip_make4(bytes + sizeof(mapped_prefix));
    memcpy(ip.bytes, bytes, 16);
    return ip;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, bits_of(a) / 8) == 0;
}

/* inet_pton() is strict: no octal, no shorthand, no zone, nothing behind. It wants a NUL, and stops
 * at one. */
static bool ip_read(struct str text, struct ip *ret)
{
    char cstr[IP_TEXT_MAX];
    uint8_t bytes[16];

    if (text.len == 0 || text.len >= sizeof(cstr) || str_index(text, '\0') < text.len)
        return false;
    memcpy(cstr, text.ptr, text.len);
    cstr[text.len] = '\0';
    if (inet_pton(AF_INET, cstr, bytes) == 1)
        *ret = ip_make4(bytes);
    else if (inet_pton(AF_INET6, cstr, bytes) == 1)
        *ret = ip_make6(bytes);
    else
        return false;
    return true;
}

bool ip_parse(struct str text, struct ip *ret, struct err *err)
{
    if (!ip_read(text, ret))
        return err_set(err, ERR_SYNTAX, "not an IP address");
    return true;
}

const char *ip_format(const struct ip *ip, char text[IP_TEXT_MAX])
{
    int family = ip->family == 4 ? AF_INET : AF_INET6;

    if (ip->family == 0 || !inet_ntop(family, ip->bytes, text, IP_TEXT_MAX))
        memcpy(text, "-", 2);
    return text;
}

/* The bits of `ip` from `bits` on are zero. */
static bool host_bits_clear(const struct ip *ip, unsigned bits)
{
    for (unsigned i = bits; i < bits_of(ip); i++)
        if (ip->bytes[i / 8] & 0x80 >> i % 8)
            return false;
    return true;
}

bool ip_net_parse(struct str text, struct ip_net *ret, struct err *err)
{
    struct str address, prefix;
    struct ip_net net;
    uint64_t bits;
    bool has_prefix = str_cut(text, '/', &address, &prefix);

    if (!ip_read(has_prefix ? address : text, &net.ip))
        return err_set(err, ERR_SYNTAX, "not an IP address or network");
    bits = bits_of(&net.ip);
    if (has_prefix) {
        /* One spelling: no leading zero. A mapped address would need its prefix counted anew:
         * refused. */
        if (!str_to_u64(prefix, bits, &bits) || (prefix.len > 1 && prefix.ptr[0] == '0'))
            return err_set(err, ERR_SYNTAX, "prefix length is not 0 to %u", bits_of(&net.ip));
        if (net.ip.family == 4 && str_index(address, ':') < address.len)
            return err_set(err, ERR_SYNTAX, "write a v4-mapped network as IPv4");
    }
    if (!host_bits_clear(&net.ip, (unsigned)bits))
        return err_set(err, ERR_SYNTAX, "bits are set behind the prefix of %u", (unsigned)bits);
    net.bits = (uint8_t)bits;
    *ret = net;
    return true;
}

bool ip_net_has(const struct ip_net *net, const struct ip *ip)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    if (net->ip.family != ip->family || ip->family == 0)
        return false;
    if (memcmp(net->ip.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || (net->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}

const char *ip_net_format(const struct ip_net *net, char text[IP_TEXT_MAX + 4])
{
    char address[IP_TEXT_MAX];

    (void)snprintf(text, IP_TEXT_MAX + 4, "%s/%u", ip_format(&net->ip, address), net->bits);
    return text;
}

bool ip_is_loopback(const struct ip *ip)
{
    static const uint8_t loopback6[16] = { [15] = 1 };

    if (ip->family == 4)
        return ip->bytes[0] == 127;
    return ip->family == 6 && memcmp(ip->bytes, loopback6, 16) == 0;
}

struct prefix {
    uint8_t bytes[12];
    uint8_t bits;
};

/* IANA's special-purpose registries (RFC 6890, RFC 8190): what is not global unicast. */
static const struct prefix special4[] = {
    { { 0 }, 8 },             /* this network, RFC 791 */
    { { 10 }, 8 },            /* private, RFC 1918 */
    { { 100, 64 }, 10 },      /* shared, RFC 6598 */
    { { 127 }, 8 },           /* loopback, RFC 1122 */
    { { 169, 254 }, 16 },     /* link-local, RFC 3927 */
    { { 172, 16 }, 12 },      /* private */
    { { 192, 0, 0 }, 24 },    /* protocol assignments, RFC 6890 */
    { { 192, 0, 2 }, 24 },    /* documentation, RFC 5737 */
    { { 192, 88, 99 }, 24 },  /* 6to4 relay anycast, RFC 7526 */
    { { 192, 168 }, 16 },     /* private */
    { { 198, 18 }, 15 },      /* benchmark, RFC 2544 */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 3 },           /* multicast, reserved, broadcast */
};

/* Within 2000::/3, all of IPv6 that is global unicast (RFC 4291 §2.4). */
static const struct prefix special6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments with Teredo, benchmark, ORCHID */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation, RFC 3849 */
    { { 0x20, 0x02 }, 16 },             /* 6to4, RFC 3056 */
    { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation, RFC 9637 */
};

static const struct ip_net global6 = { .ip = { 6, { 0x20 } }, .bits = 3 };
static const struct ip_net nat64 = { .ip = { 6, { 0x00, 0x64, 0xff, 0x9b } },
                                     .bits = 96 }; /* RFC 6052 */

static bool is_in(const struct ip *ip, const struct prefix *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ip_net net = { .ip.family = ip->family, .bits = table[i].bits };

        memcpy(net.ip.bytes, table[i].bytes, sizeof(table[i].bytes));
        if (ip_net_has(&net, ip))
            return true;
    }
    return false;
}

bool ip_is_public(const struct ip *ip)
{
    if (ip->family == 4)
        return !is_in(ip, special4, ARRAY_LEN(special4));
    if (ip_net_has(&nat64, ip)) {
        struct ip inside = ip_make4(ip->bytes + 12);

        return ip_is_public(&inside);
    }
    return ip_net_has(&global6, ip) && !is_in(ip, special6, ARRAY_LEN(special6));
}

/* Splits "[v6]:port" and "v4:port"; a bare IPv6 address would leave open where it ends. */
static bool endpoint_split(struct str text, struct str *ret_ip, struct str *ret_port)
{
    struct str ip;
    bool v6;

    if (!str_cut_last(text, ':', &ip, ret_port))
        return false;
    v6 = ip.len >= 2 && ip.ptr[0] == '[' && ip.ptr[ip.len - 1] == ']';
    if (v6)
        ip = str_sub(ip, 1, ip.len - 2);
    if ((str_index(ip, ':') < ip.len) != v6)
        return false;
    *ret_ip = ip;
    return true;
}

bool endpoint_parse(struct str text, struct endpoint *ret, struct err *err)
{
    struct str ip_text, port_text;
    struct ip ip;
    uint64_t port;

    if (!endpoint_split(text, &ip_text, &port_text) || !ip_read(ip_text, &ip))
        return err_set(err, ERR_SYNTAX,
                       "not an address and port, as 192.0.2.1:25 or [2001:db8::1]:25");
    if (!str_to_u64(port_text, 65535, &port) || (port_text.len > 1 && port_text.ptr[0] == '0'))
        return err_set(err, ERR_SYNTAX, "port is not 0 to 65535");
    *ret = (struct endpoint){ .ip = ip, .port = (uint16_t)port };
    return true;
}

const char *endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX])
{
    char address[IP_TEXT_MAX];

    (void)ip_format(&e->ip, address);
    if (e->ip.family == 6)
        (void)snprintf(text, ENDPOINT_TEXT_MAX, "[%s]:%u", address, e->port);
    else
        (void)snprintf(text, ENDPOINT_TEXT_MAX, "%s:%u", address, e->port);
    return text;
}
