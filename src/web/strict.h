// SPDX-License-Identifier: Apache-2.0
/* web/strict.h - which requests evhttp takes and we do not (fault B12): whatever two readers of the
 * same bytes could read differently. */
#pragma once

#include "base/str.h"

struct http_header {
    struct str name, value;
};

/* NULL: fine. Else what is wrong with the header fields, in words. RFC 9112 §3.2, §5.1, §6. */
const char *strict_refusal(const struct http_header *headers, size_t count);
