// SPDX-License-Identifier: Apache-2.0
/* resolve/live_spf.h - does an SPF record name this host's own addresses? Only what can be told
 * from the record itself; the whole of RFC 7208 is not needed to find a record that forgets us. */
#pragma once

#include "base/ip.h"

enum spf_cover {
    SPF_COVERS,    /* a mechanism that passes names every address */
    SPF_FORGETS,   /* none does for *ret_missing */
    SPF_ASKS_MORE, /* it leads elsewhere (include, mx, exists, ptr, redirect, macros) */
};

/* `record`: the text from "v=spf1" on. `hostname`: whose record it is. RFC 7208 §4.6, §5. */
enum spf_cover live_spf_covers(struct str record, struct str hostname, const struct ip *ips,
                               size_t count, struct ip *ret_missing);
