// SPDX-License-Identifier: Apache-2.0
/* base/ip.h - internet addresses and networks as values. A v4-mapped IPv6 address becomes its IPv4
 * address when parsed or made, so that one host has one spelling (fault A08). */
#pragma once

#include "base/err.h"

struct ip {
    uint8_t family;    /* 4 or 6; 0 is no address */
    uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
};

struct ip_net {
    struct ip ip; /* bits behind the prefix are zero */
    uint8_t bits;
};

struct endpoint {
    struct ip ip;
    uint16_t port;
};

#define IP_TEXT_MAX 46
#define ENDPOINT_TEXT_MAX 56

MUST_USE bool ip_parse(struct str text, struct ip *ret, struct err *err);
/* Into `text`, which is returned; "-" for no address. */
const char *ip_format(const struct ip *ip, char text[IP_TEXT_MAX]);
struct ip ip_make4(const uint8_t bytes[4]);
struct ip ip_make6(const uint8_t bytes[16]);
bool ip_eq(const struct ip *a, const struct ip *b);

/* "192.0.2.0/24", "2001:db8::/32", or one address. ERR_SYNTAX also when bits behind the prefix are
 * set. */
MUST_USE bool ip_net_parse(struct str text, struct ip_net *ret, struct err *err);
bool ip_net_has(const struct ip_net *net, const struct ip *ip);
const char *ip_net_format(const struct ip_net *net, char text[IP_TEXT_MAX + 4]);

bool ip_is_loopback(const struct ip *ip);
/* Globally reachable unicast: not loopback, private, link-local, shared (RFC 6598), documentation,
 * multicast, benchmark, NAT64-embedded private, 6to4/Teredo, nor unspecified. RFC 6890. */
bool ip_is_public(const struct ip *ip);

/* "192.0.2.1:25", "[2001:db8::1]:25". */
MUST_USE bool endpoint_parse(struct str text, struct endpoint *ret, struct err *err);
const char *endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX]);
