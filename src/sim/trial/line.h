// SPDX-License-Identifier: Apache-2.0
/* sim/trial/line.h - SMTP by lines, for the scripted clients and servers. */
#pragma once

#include "io/stream.h"

#define LINE_TEXT_MAX 1024

/* The next line without its end. False: the connection is over, or nothing came for so long. Waits.
 */
MUST_USE bool line_read(struct stream *s, int64_t patience_ms, char text[LINE_TEXT_MAX]);
/* Piles up; false as stream_put(). */
__attribute__((format(printf, 2, 3))) MUST_USE bool line_put(struct stream *s, const char *fmt,
                                                             ...);
/* The code of the next reply, all its lines read; 0: as line_read(). Waits. */
unsigned line_reply(struct stream *s, int64_t patience_ms);
