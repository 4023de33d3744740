// SPDX-License-Identifier: Apache-2.0
/* io/sockaddr.h - our endpoints as the kernel's socket addresses, and back. */
#pragma once

#include <sys/socket.h>

#include "base/ip.h"

/* `e` has an address; returns the length of what was written. */
socklen_t sockaddr_make(const struct endpoint *e, struct sockaddr_storage *ret);
/* Family 0 for what is not IP (a UNIX socket). */
struct endpoint sockaddr_endpoint(const struct sockaddr_storage *a);
