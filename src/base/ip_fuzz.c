// SPDX-License-Identifier: Apache-2.0
/* base/ip_fuzz.c - what parses is written as one text, which parses to the same value again. */
#include <assert.h>

#include "base/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void address(struct str text)
{
    char once[IP_TEXT_MAX];
    struct ip ip, again;
    struct err err;

    if (!ip_parse(text, &ip, &err))
        return;
    (void)ip_is_public(&ip);
    assert(ip_parse(str_of(ip_format(&ip, once)), &again, &err) && ip_eq(&ip, &again));
}

static void network(struct str text)
{
    char once[IP_TEXT_MAX + 4];
    struct ip_net net, again;
    struct err err;

    if (!ip_net_parse(text, &net, &err))
        return;
    assert(ip_net_has(&net, &net.ip));
    assert(ip_net_parse(str_of(ip_net_format(&net, once)), &again, &err));
    assert(ip_eq(&net.ip, &again.ip) && net.bits == again.bits);
}

static void endpoint(struct str text)
{
    char once[ENDPOINT_TEXT_MAX];
    struct endpoint e, again;
    struct err err;

    if (!endpoint_parse(text, &e, &err))
        return;
    assert(endpoint_parse(str_of(endpoint_format(&e, once)), &again, &err));
    assert(ip_eq(&e.ip, &again.ip) && e.port == again.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make(data, size);

    address(text);
    network(text);
    endpoint(text);
    return 0;
}
