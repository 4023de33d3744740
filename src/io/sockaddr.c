// SPDX-License-Identifier: Apache-2.0
/* io/sockaddr.c - our endpoints as the kernel's socket addresses, and back. */
#include "io/sockaddr.h"

#include <assert.h>
#include <netinet/in.h>

socklen_t sockaddr_make(const struct endpoint *e, struct sockaddr_storage *ret)
{
    *ret = (struct sockaddr_storage){ 0 };
    if (e->ip.family == 4) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(e->port) };

        memcpy(&in.sin_addr, e->ip.bytes, sizeof in.sin_addr);
        memcpy(ret, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };

    assert(e->ip.family == 6);
    memcpy(&in6.sin6_addr, e->ip.bytes, sizeof in6.sin6_addr);
    memcpy(ret, &in6, sizeof in6);
    return sizeof in6;
}

struct endpoint sockaddr_endpoint(const struct sockaddr_storage *a)
{
    struct sockaddr_in6 in6;
    struct sockaddr_in in;

    if (a->ss_family == AF_INET) {
        memcpy(&in, a, sizeof in);
        return (struct endpoint){ .ip = ip_make4((const uint8_t *)&in.sin_addr),
                                  .port = ntohs(in.sin_port) };
    }
    if (a->ss_family == AF_INET6) {
        memcpy(&in6, a, sizeof in6);
        return (struct endpoint){ .ip = ip_make6(in6.sin6_addr.s6_addr),
                                  .port = ntohs(in6.sin6_port) };
    }
    return (struct endpoint){ .port = 0 };
}
