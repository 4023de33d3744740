// SPDX-License-Identifier: Apache-2.0
/* io/interfaces.c - the addresses that this machine has. Asked over a netlink socket, so before
 * confinement. */
#include <ifaddrs.h>
#include <netinet/in.h>

#include "io/process.h"
#include "io/sockaddr.h"

static struct ip address_of(const struct sockaddr *a)
{
    struct sockaddr_storage storage = { 0 };

    if (!a || (a->sa_family != AF_INET && a->sa_family != AF_INET6))
        return (struct ip){ 0 };
    memcpy(&storage, a,
           a->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    return sockaddr_endpoint(&storage).ip;
}

size_t process_addresses(struct ip *ret, size_t max)
{
    struct ifaddrs *all;
    size_t count = 0;

    if (getifaddrs(&all) < 0)
        return 0;
    for (const struct ifaddrs *each = all; each && count < max; each = each->ifa_next) {
        struct ip ip = address_of(each->ifa_addr);
        if (ip.family != 0)
            ret[count++] = ip;
    }
    freeifaddrs(all);
    return count;
}
