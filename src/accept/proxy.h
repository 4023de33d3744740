// SPDX-License-Identifier: Apache-2.0
/* accept/proxy.h - the PROXY header with which a load balancer tells whose connection it hands over
 * (haproxy's proxy-protocol.txt, versions 1 and 2). Pure. From whom it may come is the caller's. */
#pragma once

#include "base/err.h"
#include "base/ip.h"

#define PROXY_BYTES_MAX 2048 /* version 2 with the additions that we are willing to skip */

struct proxy_header {
    struct endpoint client; /* family 0: the proxy speaks for itself (LOCAL, UNKNOWN) */
    size_t len;             /* how many bytes the header takes */
};

enum proxy_read {
    PROXY_MORE, /* so far right, not whole */
    PROXY_DONE,
    PROXY_BAD,
};
/* Reads the header at the front of `bytes`. *ret only for PROXY_DONE, *err only for PROXY_BAD:
 * ERR_SYNTAX, ERR_LIMIT. */
enum proxy_read proxy_parse(struct str bytes, struct proxy_header *ret, struct err *err);
/* How many bytes more are certainly part of the header: reading no further leaves a TLS greeting
 * behind it in the socket. At least 1. */
size_t proxy_wants(struct str bytes);
