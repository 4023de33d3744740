// SPDX-License-Identifier: Apache-2.0
/* deliver/peer_script.h - for tests: a mail server on loopback that follows a script, lies
 * included.
 *
 * A script is a list of steps, NULL at its end; after the last step of a connection the peer reads
 * on until it is left.
 *
 *     "S:220 ready"   says it, with CRLF          "R:250"    says exactly these octets
 *     "C:MAIL FROM:"  hears a line that begins so "B"        hears content up to CRLF.CRLF
 *     "N"             hears BDAT and its octets   "T"        starts TLS
 *     "D"             drops the connection        "Z"        from now on sends octet by octet
 *     "X:120000"      says that many 'x'          "|"        what follows is for the next
 * connection "E:3"           says "250-x" that many times    "0" says 250 with a NUL in it */
#pragma once

#include "base/buf.h"
#include "io/stream.h"

struct peer {
    struct listener *listener;
    const char *const *script;
    size_t at;            /* the next connection's first step */
    unsigned connections; /* how many came */
    unsigned running;
    struct buf content;  /* all that came by "B" and "N", dots as sent */
    struct buf commands; /* all lines heard by "C:", with LF */
    struct tls_server *tls;
    char failure[300]; /* empty: all went by the script */
};

/* Listens on that address; port 0: any. Aborts the test when it can't. */
void peer_start(struct peer *p, const char *address, uint16_t port);
uint16_t peer_port(const struct peer *p);
/* A new script, for connections from now on. */
void peer_play(struct peer *p, const char *const *script);
void peer_stop(struct peer *p);
