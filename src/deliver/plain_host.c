// SPDX-License-Identifier: Apache-2.0
/* deliver/plain_host.c - remembers hosts that offer STARTTLS and fail at it, so that not every
 * connection to them is made twice (RFC 7435: some protection most of the time, mail all of the
 * time). */
#include <stdlib.h>

#include "deliver/host.h"
#include "io/loop.h"

#define REMEMBERED_MS (3600 * 1000)
#define REMEMBERED_MAX 1000

struct plain_host {
    char text[IP_TEXT_MAX];
    int64_t until_ms;
};

static void forget_all(struct deliver *d)
{
    struct str key;
    void *value;

    for (size_t at = 0; map_each(&d->plain_hosts, &at, &key, &value);) {
        map_take(&d->plain_hosts, key);
        free(value);
    }
}

void plain_host_remember(struct deliver *d, const struct ip *ip)
{
    struct plain_host *h = NEW(struct plain_host);

    /* Forgetting too early costs one broken handshake each. */
    if (d->plain_hosts.count >= REMEMBERED_MAX)
        forget_all(d);
    ip_format(ip, h->text);
    h->until_ms = loop_now_ms() + REMEMBERED_MS;
    free(map_put(&d->plain_hosts, str_of(h->text), h));
}

bool plain_host_is_known(struct deliver *d, const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    struct plain_host *h = map_find(&d->plain_hosts, str_of(ip_format(ip, text)));

    return h && h->until_ms > loop_now_ms();
}

void plain_hosts_free(struct deliver *d)
{
    forget_all(d);
    map_done(&d->plain_hosts);
}
